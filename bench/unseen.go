package main

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// unseenPages are asked for in turn: more than the program keeps.
const unseenPages = 800

// An unseen is a page of 50 of many expenses that was not asked for before, beside one
// of 20 expenses or the same of another program: the medians over the turns.
type unseen struct {
	name        string
	bytes       int           // of the last of them
	other, cost time.Duration // of the processor, for one request
	ratio       float64       // of two turns that follow each other
}

// An asked is addresses of a program that are asked for in turn.
type asked struct {
	targets vegeta.Targeter
	pid     int // of the program
}

// ask returns addresses of a program as somebody asks for them.
func (p *program) ask(who *visitor, addresses []string) asked {
	return asked{newTargeter(p.baseURL, who, addresses...), p.command.Process.Pid}
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
		r, err := playUnseen(p.ask(member, small), p.ask(member, large), opts)
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

// playUnseen lets pages be asked for by turns with others.
func playUnseen(others, pages asked, opts options) (r unseen, err error) {
	var other, cost []time.Duration
	var ratios []float64
	client := newClient()
	defer client.CloseIdleConnections()
	for range opts.turns {
		otherCost, _, err := attack(client, others.targets, others.pid, opts.length)
		if err != nil {
			return r, err
		}
		pageCost, size, err := attack(client, pages.targets, pages.pid, opts.length)
		if err != nil {
			return r, err
		}
		r.bytes = size
		other, cost = append(other, otherCost), append(cost, pageCost)
		ratios = append(ratios, float64(pageCost)/float64(otherCost))
	}
	r.other, r.cost, r.ratio = median(other), median(cost), median(ratios)
	return r, nil
}

// compareBefore measures the pages of a list that were not seen before, beside those of
// another program, and prints the table.
func compareBefore(opts options, folder string, out io.Writer) error {
	var programs [2]*program
	var members [2]*visitor
	for i, path := range []string{opts.before, opts.program} {
		p, err := newFilled(path, filepath.Join(folder, strconv.Itoa(i)), opts)
		if p != nil {
			defer p.close()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if members[i], err = p.signIn(memberAddress); err != nil {
			return err
		}
		programs[i] = p
	}
	if err := pinSelf(); err != nil {
		return err
	}
	var results []unseen
	for _, list := range []struct{ name, first string }{
		{"50 of many, any page, newest first", "/team/many"},
		{"50 of many, any page, sorted by amount", "/team/many?sort=amount&order=desc"},
		{"50 of many, any page, sorted by item", "/team/many?sort=item&order=asc"},
	} {
		if !strings.HasPrefix(list.name, opts.only) {
			continue
		}
		var pages [2]asked
		for i, p := range programs {
			all, err := p.pages(members[i], list.first)
			if err != nil {
				return fmt.Errorf("%s: %w", list.name, err)
			}
			pages[i] = p.ask(members[i], all)
		}
		r, err := playUnseen(pages[0], pages[1], opts)
		if err != nil {
			return fmt.Errorf("%s: %w", list.name, err)
		}
		r.name = list.name
		results = append(results, r)
	}
	printBefore(out, results)
	return nil
}

// newFilled starts a program with expenses in a folder that it makes.
func newFilled(path, folder string, opts options) (*program, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	p, err := newProgram(path, folder)
	if err != nil {
		return nil, err
	}
	if err := p.fill(opts); err != nil {
		return p, err
	}
	return p, p.start()
}
