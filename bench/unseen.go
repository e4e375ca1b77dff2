package main

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// unseenPages are asked for in turn: more than the program keeps.
const unseenPages = 800

// An unseen is a page of 50 of many expenses that was not asked for before, beside
// one of 20 expenses: the medians over the turns.
type unseen struct {
	name         string
	bytes        int           // of the last of them
	small, large time.Duration // of the processor, for one request
	ratio        float64       // of two turns that follow each other
}

// measureUnseen plays pages of 50 and of 20 expenses by turns.
func measureUnseen(p *program, opts options) ([]unseen, error) {
	member, err := p.signIn(memberAddress)
	if err != nil {
		return nil, err
	}
	// All of the team's expenses are later than these days.
	small := addresses(func(i int) string {
		return "/team/few?from=" + time.Date(2000, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	})
	var results []unseen
	for _, scene := range []struct {
		name string
		all  func() ([]string, error)
	}{
		{"50 of many, any page, newest first", func() ([]string, error) { return p.pages(member, "/team/many") }},
		{"50 of many, any page, sorted by amount", func() ([]string, error) { return p.pages(member, "/team/many?sort=amount&order=desc") }},
		{"50 of many, any page, sorted by item", func() ([]string, error) { return p.pages(member, "/team/many?sort=item&order=asc") }},
		{"50 of many, up to any day, newest first", func() ([]string, error) {
			return addresses(func(i int) string { return "/team/many?to=" + dayOf(i).Format(time.DateOnly) }), nil
		}},
		{"50 of many, one category of a month, sorted by amount", func() ([]string, error) { return addresses(categoryOfAMonth), nil }},
	} {
		if !strings.HasPrefix(scene.name, opts.only) {
			continue
		}
		large, err := scene.all()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", scene.name, err)
		}
		r, err := playUnseen(newTargeter(p.baseURL, member, small...), newTargeter(p.baseURL, member, large...), p, opts)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", scene.name, err)
		}
		r.name = scene.name
		results = append(results, r)
	}
	return results, nil
}

// nextPage finds the link to the next page of a list.
var nextPage = regexp.MustCompile(`href="([^"#]*[?;&]after=[^"#]*)`)

// pages returns the addresses of a list's pages, each of which the one before links.
func (p *program) pages(who *visitor, first string) ([]string, error) {
	all := []string{first}
	for len(all) < unseenPages {
		last := all[len(all)-1]
		status, body := p.send(who, http.MethodGet, last, nil)
		next := nextPage.FindStringSubmatch(body)
		if status != "200" {
			return nil, fmt.Errorf("%s is %s", last, status)
		}
		if next == nil {
			break
		}
		all = append(all, html.UnescapeString(next[1]))
	}
	return all, nil
}

func categoryOfAMonth(i int) string {
	month := time.Date(firstYear, time.Month(1+i%36), 1, 0, 0, 0, 0, time.UTC)
	return fmt.Sprintf("/team/many?sort=amount&order=%s&category=Category+%d&from=%s&to=%s", []string{"asc", "desc"}[i/432%2], i/36%categories,
		month.Format(time.DateOnly), month.AddDate(0, 1, -1).Format(time.DateOnly))
}

func addresses(at func(i int) string) []string {
	all := make([]string, unseenPages)
	for i := range all {
		all[i] = at(i)
	}
	return all
}

// dayOf is one of the days on which something was spent.
func dayOf(i int) time.Time { return time.Date(firstYear, 2, 1+i, 0, 0, 0, 0, time.UTC) }

func playUnseen(small, large vegeta.Targeter, p *program, opts options) (r unseen, err error) {
	var smalls, larges []time.Duration
	var ratios []float64
	client := newClient()
	defer client.CloseIdleConnections()
	for range opts.turns {
		smallCost, _, err := attack(client, small, p.command.Process.Pid, opts.length)
		if err != nil {
			return r, err
		}
		largeCost, size, err := attack(client, large, p.command.Process.Pid, opts.length)
		if err != nil {
			return r, err
		}
		r.bytes = size
		smalls, larges = append(smalls, smallCost), append(larges, largeCost)
		ratios = append(ratios, float64(largeCost)/float64(smallCost))
	}
	r.small, r.large, r.ratio = median(smalls), median(larges), median(ratios)
	return r, nil
}
