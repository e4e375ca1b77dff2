package main

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	teamRow  = regexp.MustCompile(`(?s)<tr role="row"><th scope="row" role="rowheader">(.*?)</tr>`)
	deciding = regexp.MustCompile(`(?:One|More than 100|[0-9]+) expenses? waits? for your decision`)
	sparkBar = regexp.MustCompile(`<rect x="([0-9]+)" y="([0-9]+)" width="8" height="([0-9]+)"/>`)
)

// dashboard compares the overview of somebody's teams.
func (v view) dashboard() {
	r := v.by.Get("/dashboard")
	r.Check(v, http.StatusOK)
	mine := slices.DeleteFunc(slices.Clone(v.teams), func(team string) bool { return !v.may(team) })
	everything := v.by.admin || v.by.auditor
	if len(mine) == 0 && !everything {
		return
	}
	rows := v.find(asked{})
	v.tiles(r, rows)
	v.bars(r, "where", byCategory(v.ofMonth(rows, 0)), 5, false)
	v.months(r, slices.DeleteFunc(slices.Clone(rows), func(e ledgerRow) bool {
		return e.date[:7] < v.month(-11).Format("2006-01")
	}), v.today())
	var got, want []string
	for _, row := range listRow.FindAllStringSubmatch(section(r, "latest"), -1) {
		got = append(got, linkID.FindStringSubmatch(row[1])[1])
	}
	for _, e := range rows[:min(5, len(rows))] {
		want = append(want, e.id)
	}
	v.same(r, "latest", got, want)
	n := v.undecided(rows)
	waits := fmt.Sprintf("%d expenses wait for your decision", n)
	switch {
	case n == 0:
		waits = ""
	case n == 1:
		waits = "One expense waits for your decision"
	case n > 100:
		waits = "More than 100 expenses wait for your decision"
	}
	v.same(r, "undecided", []string{deciding.FindString(plainText(r.Text()))}, []string{waits})
	if len(mine) > 1 || everything {
		v.comparison(r, rows)
	}
}

// month is the first day of the month that many after the present one.
func (v view) month(after int) time.Time {
	return time.Date(v.today().Year(), v.today().Month()+time.Month(after), 1, 0, 0, 0, 0, time.UTC)
}

func (v view) ofMonth(rows []ledgerRow, after int) []ledgerRow {
	month := v.month(after).Format("2006-01")
	return slices.DeleteFunc(slices.Clone(rows), func(e ledgerRow) bool { return e.date[:7] != month })
}

// soFar is what was spent in this month up to today.
func (v view) soFar(rows []ledgerRow) figure {
	return sumOf(v.ofMonth(rows, 0), func(e ledgerRow) bool { return e.date <= v.today().Format(time.DateOnly) })
}

func (v view) year(rows []ledgerRow) figure {
	return sumOf(rows, func(e ledgerRow) bool { return e.date[:4] == v.today().Format("2006") })
}

// tiles compares the figures at the top.
func (v view) tiles(r *reply, rows []ledgerRow) {
	month, last := v.today().Month().String(), v.month(-1).Month().String()
	lastDay := min(v.today().Day(), v.month(0).AddDate(0, 0, -1).Day())
	soFar, year := v.soFar(rows), v.year(rows)
	before := sumOf(v.ofMonth(rows, -1), func(e ledgerRow) bool {
		day, err := strconv.Atoi(e.date[8:])
		return err == nil && day <= lastDay
	})
	compared := "as much as at this point in " + last
	switch difference := soFar.total - before.total; {
	case before.count == 0:
		compared = "nothing at this point in " + last
	case difference < 0:
		compared = v.plain(-difference) + " less than at this point in " + last
	case difference > 0:
		compared = v.plain(difference) + " more than at this point in " + last
	}
	tile := func(label string, f figure, compared, link string) string {
		text := label + " " + v.plain(f.total) + " " + countOf(f.count) + compared
		if f.count > 0 {
			text += " · " + link + " : " + label
		}
		return strings.ReplaceAll(text, ",", "")
	}
	want := []string{tile(month+" so far", soFar, " · "+compared, "show them"), tile("This year", year, "", "show them")}
	if v.by.admin || slices.ContainsFunc(v.teams, func(team string) bool { return v.by.roles[team] != "" }) {
		mine := sumOf(v.ofMonth(rows, 0), func(e ledgerRow) bool { return e.person == v.me })
		want = append(want, tile("You, in "+month, mine, "", "show mine"))
	}
	_, part, _ := strings.Cut(r.Body, `<dl class="tiles">`)
	part, _, _ = strings.Cut(part, "</dl>")
	v.same(r, "tiles", texts(figures, part), want)
}

// undecided counts what waits for somebody who decides.
func (v view) undecided(rows []ledgerRow) int {
	addresses := []string{v.by.addresses[0]}
	for _, p := range v.l.people {
		if p.root == v.me && p.address != "" {
			addresses = append(addresses, p.address)
		}
	}
	count := 0
	for _, e := range rows {
		decides := v.by.admin || v.by.roles[e.team] == "lead"
		if decides && approves(e.team) && slices.Contains(v.teams, e.team) && e.status == "logged" &&
			e.person != v.me && e.owner != v.me && !slices.Contains(addresses, e.loggedBy) {
			count++
		}
	}
	return count
}

// comparison compares a line for each team.
func (v view) comparison(r *reply, rows []ledgerRow) {
	teams := slices.DeleteFunc(slices.Clone(v.teams), func(team string) bool { return !v.may(team) })
	for _, team := range []string{"finance", "hr", "ops"} {
		if !slices.Contains(teams, team) && slices.ContainsFunc(rows, func(e ledgerRow) bool { return e.team == team }) {
			teams = append(teams, team)
		}
	}
	highest, lowest := int64(0), int64(0)
	byMonth := map[string][]int64{}
	var want []string
	for _, team := range teams {
		of := slices.DeleteFunc(slices.Clone(rows), func(e ledgerRow) bool { return e.team != team })
		for i := range 12 {
			total := sumOf(v.ofMonth(of, i-11), anyRow).total
			byMonth[team] = append(byMonth[team], total)
			highest, lowest = max(highest, total), min(lowest, total)
		}
		budget := ""
		for _, b := range v.budgets(team, v.today().Format("2006-01")) {
			if strings.HasPrefix(b.text, "In all:") {
				budget = strings.TrimPrefix(b.text[strings.LastIndex(b.text, ": "):], ":") + " of the budget of " + v.label(team)
			}
		}
		want = append(want, fmt.Sprintf("%s %s%s %s %s", v.label(team), v.plain(v.soFar(of).total), budget, v.plain(sumOf(v.ofMonth(of, -1), anyRow).total), v.plain(v.year(of).total)))
	}
	want = append(want, fmt.Sprintf("Total %s %s %s", v.plain(v.soFar(rows).total), v.plain(sumOf(v.ofMonth(rows, -1), anyRow).total), v.plain(v.year(rows).total)))
	part := section(r, "teams")
	v.same(r, "teams", texts(teamRow, part), want)
	var bars, drawn []string
	line := highest * 100 / max(1, highest-lowest)
	if highest > 0 {
		line = max(1, line)
	}
	for _, team := range teams {
		for i, total := range byMonth[team] {
			height, y := max(total, -total)*100/max(1, highest-lowest), line
			if total != 0 {
				height = max(1, height)
			}
			if total > 0 {
				y -= height
			}
			if height > 0 {
				bars = append(bars, fmt.Sprintf("%d %d %d", 10*i+1, y, height))
			}
		}
	}
	for _, bar := range sparkBar.FindAllStringSubmatch(part, -1) {
		drawn = append(drawn, strings.Join(bar[1:], " "))
	}
	v.same(r, "small bars", drawn, bars)
}
