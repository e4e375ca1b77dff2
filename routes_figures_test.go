package main

import (
	"cmp"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// compare looks at everything as some of the people, at each copy in turn, and compares
// it with the rows.
func (d *differential) compare() {
	for _, site := range d.sites {
		if _, err := site.store.Revisions(d.Context(), time.Now()); err != nil {
			d.Fatal(err)
		}
	}
	l := readLedger(d, d.db)
	for _, note := range d.kept {
		if !l.notes[note] {
			d.Errorf("the expense with the note %q was logged and is not there", note)
		}
	}
	for _, at := range d.random.Perm(len(d.people))[:len(d.people)/2] {
		s := d.people[at]
		v := view{d, l, s, l.subject(s.subject)}
		narrowed, team := v.ask(d.random), oneOf(d.random, "finance", "hr", "ops")
		for range d.sites {
			v.dashboard()
			v.activity()
			v.peopleAndCategories()
			v.budget(team)
			for _, a := range []asked{narrowed, {team: team}, {}} {
				v.list(a)
				v.files(a)
			}
			v.expense()
		}
		if d.Failed() {
			return
		}
	}
}

// A view is what somebody sees of the rows.
type view struct {
	*differential
	l  *ledger
	by *someone
	me int64 // as joined
}

// may reports whether they read a team.
func (v view) may(team string) bool {
	if v.by.admin || v.by.auditor {
		return true
	}
	return v.by.roles[team] != "" && slices.Contains(v.teams, team)
}

// approval reports whether what is asked for has a status: of the team, or of one of
// those that they read.
func (v view) approval(a asked) bool {
	if a.team != "" {
		return v.approved(a.team)
	}
	return slices.ContainsFunc(v.teams, func(team string) bool { return approves(team) && v.may(team) })
}

// approved reports whether expenses of a team have a status: where it is one of the file's
// that approves them.
func (v view) approved(team string) bool { return approves(team) && slices.Contains(v.teams, team) }

// label is what pages call a team.
func (v view) label(team string) string {
	if slices.Contains(v.teams, team) {
		return strings.ToUpper(team)
	}
	return team + " (no longer a team)"
}

// there reports whether the page of a team is.
func (v view) there(team string) bool {
	return v.may(team) && (slices.Contains(v.teams, team) || slices.ContainsFunc(v.l.rows, func(e ledgerRow) bool { return e.team == team }))
}

// find is what they are to see of what is asked for.
func (v view) find(a asked) []ledgerRow {
	may := v.may
	if a.status != "" {
		may = func(team string) bool { return v.may(team) && v.approved(team) }
	}
	return v.l.find(a, may, v.me, v.minor)
}

// ask is something that they may ask for.
func (v view) ask(random *rand.Rand) asked {
	maybe := func(of ...string) string {
		if random.IntN(4) > 0 {
			return ""
		}
		return oneOf(random, of...)
	}
	a := asked{
		team: oneOf(random, "", "finance", "hr", "ops"), q: maybe("taxi", "zurich", "ho", "strasse no", "1", "BOB t", "bü", "cafe"),
		person:   maybe("me", "bob", "Zoë", "sam gray", "sam.gray@example.com", "cleo@example.com", "ann.lee@example.com", "zoe@example.com"),
		category: maybe("TRAVEL", "meals out", "Büro", "Trips", "Other", "None"),
		min:      maybe("0", v.plain(500), v.plain(-100)), max: maybe(v.plain(100_000), v.plain(1_000_000)),
		sort: maybe("person", "item", "category", "amount", "date"),
	}
	if a.sort != "" {
		a.order = oneOf(random, "asc", "desc")
	}
	if a.team == "" {
		a.only = maybe("finance", "hr")
	}
	if v.approval(a) {
		a.status = maybe("logged", "approved", "sent-back")
	}
	if random.IntN(3) == 0 {
		from := v.today().AddDate(0, -random.IntN(14), 1-v.today().Day())
		a.from, a.to = from.Format(time.DateOnly), from.AddDate(0, 1+random.IntN(12), oneOf(random, -1, -1, 9)).Format(time.DateOnly)
	}
	return a
}

// plainText is what a part of a page says, with amounts as files have them.
func plainText(part string) string {
	text := html.UnescapeString(tags.ReplaceAllString(part, " "))
	text = currencies.Replace(text)
	return strings.Join(strings.Fields(text), " ")
}

var (
	tags       = regexp.MustCompile(`<[^>]*>`)
	currencies = strings.NewReplacer("$", "", "¥", "", "KWD\u00a0", "", ",", "", "\u2068", "", "\u2069", "")
)

// texts are what the parts of a page say that an expression finds.
func texts(expression *regexp.Regexp, part string) []string {
	var all []string
	for _, found := range expression.FindAllStringSubmatch(part, -1) {
		all = append(all, plainText(found[1]))
	}
	return all
}

// section is the part of a page whose heading has an id, without what its rows are
// selected by.
func section(r *reply, id string) string {
	_, rest, ok := strings.Cut(r.Body, `<h2 id="`+id+`"`)
	if !ok {
		return ""
	}
	part, _, _ := strings.Cut(rest, "</section>")
	return pick.ReplaceAllString(part, "")
}

// same compares what a page says with what it should.
func (v view) same(r *reply, what string, got, want []string) {
	v.Helper()
	if !slices.Equal(got, want) {
		v.Errorf("%s as %s, %s:\n got %q\nwant %q", r.URL.RequestURI(), v.by.addresses[0], what, got, want)
	}
}

var (
	listRow   = regexp.MustCompile(`(?s)<tr role="row"(?: class="new")?>\s*(<td.*?)</tr>`)
	pick      = regexp.MustCompile(`(?s)<td role="cell" class="pick">.*?</td>`)
	cell      = regexp.MustCompile(`(?s)<td role="cell"[^>]*>(.*?)</td>`)
	footRow   = regexp.MustCompile(`(?s)<tr role="row"[^>]*>(<th scope="row".*?)</tr>`)
	linkID    = regexp.MustCompile(`/expenses/([a-z2-7]{26})"`)
	dateOf    = regexp.MustCompile(`datetime="([0-9-]+)"`)
	nextLink  = regexp.MustCompile(`rel="next" href="([^"#]*)`)
	prevLink  = regexp.MustCompile(`rel="prev" href="([^"#]*)`)
	figures   = regexp.MustCompile(`(?s)<div>(<dt>.*?</dd>)</div>`)
	monthBar  = regexp.MustCompile(`(?s)<li(.*?)</li>`)
	monthText = regexp.MustCompile(`class="unseen">(.*?)(?:</|$)`)
	barHeight = regexp.MustCompile(`<svg height="([0-9]+)" aria-hidden="true" focusable="false"><rect`)
	lyingBar  = regexp.MustCompile(`(?s)<li>(.*?)<svg`)
	barWidth  = regexp.MustCompile(`<rect width="([0-9]+)" height="10"/></svg>`)
	lines     = regexp.MustCompile(`(?s)<li>(.*?)</li>`)
)

// list looks at all pages of a list, forwards and the last but one backwards.
func (v view) list(a asked) {
	r := v.by.Get(a.address(""))
	if a.team != "" && !v.there(a.team) || a.only != "" && !v.there(a.only) {
		r.Check(v, http.StatusNotFound)
		return
	}
	r.Check(v, http.StatusOK)
	found := v.find(a)
	if len(found) == 0 {
		if !strings.Contains(r.Body, "Nothing matches.") && !strings.Contains(r.Body, "No expenses yet.") {
			v.Errorf("%s as %s shows something, and there is nothing", r.URL, v.by.addresses[0])
		}
		return
	}
	v.sums(r, a, found)
	const size = 50
	for first := 0; first < len(found); first += size {
		last := min(first+size, len(found))
		v.page(r, a, found, first, last)
		if next := nextLink.FindStringSubmatch(r.Body); next != nil && last < len(found) {
			r = v.by.Get(html.UnescapeString(next[1]))
		} else if (next != nil) != (last < len(found)) {
			v.Errorf("%s as %s: after %d of %d there is a next page: %v", r.URL, v.by.addresses[0], last, len(found), next != nil)
			return
		}
	}
	if prev := prevLink.FindStringSubmatch(r.Body); prev != nil {
		last := (len(found) - 1) / size * size
		v.page(v.by.Get(html.UnescapeString(prev[1])), a, found, last-size, last)
	}
}

// page compares a page of a list, of which it has the rows from first to last.
func (v view) page(r *reply, a asked, found []ledgerRow, first, last int) {
	names := map[int64]string{}
	for _, e := range found {
		names[e.person] = e.name
	}
	for _, p := range byPerson(found) {
		for id, name := range names {
			if root := v.l.rootOf(id); p.address != "" && root.address == p.address && strings.HasPrefix(p.label, name+" (") {
				names[id] = p.label
			}
		}
	}
	var got, want []string
	list := section(r, "list")
	for _, row := range listRow.FindAllStringSubmatch(list, -1) {
		line := []string{linkID.FindStringSubmatch(row[1])[1], dateOf.FindStringSubmatch(row[1])[1]}
		got = append(got, strings.Join(append(line, texts(cell, row[1])[1:]...), " | "))
	}
	here := figure{}
	for _, e := range found[first:last] {
		line := []string{e.id, e.date, names[e.person]}
		if a.team == "" {
			line = append(line, v.label(e.team))
		}
		line = append(line, e.item, e.label)
		if v.approval(a) {
			line = append(line, map[bool]string{true: statusWords[e.status]}[v.approved(e.team)])
		}
		amount := v.plain(e.amount)
		if e.amount < 0 {
			amount = "Refund " + amount
		}
		want = append(want, currencies.Replace(strings.Join(append(line, amount), " | ")))
		here.total += e.amount
	}
	v.same(r, "rows", got, want)
	foot := []string{}
	if len(found) > last-first {
		foot = append(foot, "This page "+v.plain(here.total))
	}
	all := fmt.Sprintf("All %d expenses", len(found))
	if len(found) == 1 {
		all = "1 expense"
	}
	if a.filtered() {
		all = fmt.Sprintf("All %d that match", len(found))
	}
	v.same(r, "foot", texts(footRow, list), append(foot, all+" "+v.plain(sumOf(found, anyRow).total)))
	if place := fmt.Sprintf("%d–%d of %d", first+1, last, len(found)); len(found) > last-first && !strings.Contains(plainText(list), place) {
		v.Errorf("%s as %s does not say %s: %.200s", r.URL, v.by.addresses[0], place, plainText(list))
	}
}

// average is a total shared equally, half a minor unit away from zero.
func average(f figure) int64 {
	half := f.count / 2
	if f.total < 0 {
		return -((-f.total + half) / f.count)
	}
	return (f.total + half) / f.count
}

func countOf(n int64) string {
	if n == 1 {
		return "1 expense"
	}
	return fmt.Sprintf("%d expenses", n)
}

// sums compares the figures of a list and its charts.
func (v view) sums(r *reply, a asked, found []ledgerRow) {
	whole := sumOf(found, anyRow)
	counted := "Expenses"
	if a.filtered() {
		counted = "Matching"
	}
	want := []string{"Total " + v.plain(whole.total), fmt.Sprintf("%s %d", counted, whole.count), "Average " + v.plain(average(whole))}
	if v.approval(a) {
		for _, status := range [][2]string{{"logged", "Logged"}, {"approved", "Approved"}, {"sent-back", "Sent back"}} {
			if f := sumOf(found, func(e ledgerRow) bool { return e.status == status[0] && v.approved(e.team) }); f.count > 0 {
				want = append(want, fmt.Sprintf("%s: %d %s", status[1], f.count, v.plain(f.total)))
			}
		}
	}
	v.same(r, "figures", texts(figures, section(r, "sum")), want)
	until := v.today()
	if to, err := time.Parse(time.DateOnly, a.to); err == nil && to.Before(until) {
		until = to
	}
	v.months(r, found, until)
	v.bars(r, "by-category", byCategory(found), 4, false)
	v.bars(r, "by-person", byPerson(found), 12, true)
	if a.team != "" && !a.filtered() {
		var budgets []string
		for _, b := range v.budgets(a.team, v.today().Format("2006-01")) {
			budgets = append(budgets, b.text)
		}
		got := texts(lines, section(r, "budget"))
		for i := range got {
			text, _, _ := strings.Cut(got[i], "; at this rate")
			got[i] = strings.TrimSpace(text)
		}
		slices.Sort(got)
		v.same(r, "budgets", got, budgets)
	}
}

// months compares a chart of the twelve months up to a day's.
func (v view) months(r *reply, rows []ledgerRow, until time.Time) {
	first := time.Date(until.Year(), until.Month()-11, 1, 0, 0, 0, 0, time.UTC)
	var (
		want            []string
		totals          []int64
		filled          int
		highest, lowest int64
	)
	for i := range 12 {
		month := first.AddDate(0, i, 0)
		f := sumOf(rows, func(e ledgerRow) bool { return e.date[:7] == month.Format("2006-01") })
		text := month.Format("Jan 2006") + ": nothing"
		if f.count > 0 {
			filled++
			text = month.Format("Jan 2006") + ": " + v.plain(f.total)
		}
		totals = append(totals, f.total)
		highest, lowest = max(highest, f.total), min(lowest, f.total)
		want = append(want, text)
	}
	for i, total := range totals {
		if total != 0 && highest > lowest {
			want[i] += fmt.Sprintf(", %d high", max(1, max(total, -total)*112/(highest-lowest)))
		}
	}
	before := sumOf(rows, func(e ledgerRow) bool { return e.date[:7] < first.Format("2006-01") })
	if before.count > 0 {
		want = append([]string{"Before " + first.Format("Jan 2006") + ": " + v.plain(before.total)}, want...)
	}
	if filled < 2 {
		want = nil
	}
	_, chart, _ := strings.Cut(r.Body, `<ol class="months">`)
	chart, _, _ = strings.Cut(chart, "</ol>")
	var got []string
	for _, bar := range monthBar.FindAllStringSubmatch(chart, -1) {
		text := texts(monthText, bar[1])
		if height := barHeight.FindStringSubmatch(bar[1]); height != nil {
			text = append(text, height[1]+" high")
		}
		got = append(got, strings.Join(text, ", "))
	}
	v.same(r, "months", got, want)
}

// bars compares bars that lie, of which a page shows the largest.
func (v view) bars(r *reply, id string, groups []figure, most int, notOne bool) {
	if len(groups) > most+1 {
		others := figure{label: fmt.Sprintf("%d others", len(groups)-most)}
		for _, g := range groups[most:] {
			others.count += g.count
			others.total += g.total
		}
		groups = append(slices.Clone(groups[:most]), others)
	}
	var want []string
	highest := int64(0)
	for _, g := range groups {
		highest = max(highest, g.total)
	}
	for _, g := range groups {
		width := int64(0)
		if g.total > 0 {
			width = max(1, g.total*1000/highest)
		}
		want = append(want, fmt.Sprintf("%s %s, %d wide", g.label, v.plain(g.total), width))
	}
	if notOne && len(want) < 2 {
		want = nil
	}
	part := section(r, id)
	got, widths := texts(lyingBar, part), texts(barWidth, part)
	for i := range got {
		if i < len(widths) {
			got[i] += ", " + widths[i] + " wide"
		}
	}
	v.same(r, id, got, want)
}

// files compares both kinds of file with the rows.
func (v view) files(a asked) {
	r := v.by.Get(a.address(".json"))
	table := v.by.Get(a.address(".csv"))
	if a.team != "" && !v.there(a.team) || a.only != "" && !v.there(a.only) {
		r.Check(v, http.StatusNotFound)
		table.Check(v, http.StatusNotFound)
		return
	}
	var file struct {
		Expenses []map[string]string
		Count    int
		Total    string
	}
	if err := json.Unmarshal([]byte(r.Body), &file); err != nil {
		v.Fatalf("%s = %d, %v: %s", r.URL, r.Status, err, r.Text())
	}
	head := []string{"id", "date", "team", "person", "item", "category", "amount", "note", "version", "owner"}
	if v.approval(a) {
		head = append(head, "status")
	}
	var got, want []string
	for _, e := range file.Expenses {
		line := make([]string, len(head))
		for i, name := range head {
			line[i] = e[name]
		}
		got = append(got, strings.Join(line, " | "))
	}
	found := v.find(a)
	for _, e := range found {
		line := []string{e.id, e.date, e.team, e.name, e.item, e.label, v.plain(e.amount), e.note, strconv.FormatInt(e.version, 10), e.ownerAddress}
		if v.approval(a) {
			line = append(line, map[bool]string{true: e.status}[v.approved(e.team)])
		}
		want = append(want, strings.Join(line, " | "))
	}
	v.same(r, "rows of the file", got, want)
	v.same(r, "sums of the file", []string{strconv.Itoa(file.Count), file.Total}, []string{strconv.Itoa(len(found)), v.plain(sumOf(found, anyRow).total)})
	rows, err := csv.NewReader(strings.NewReader(table.Body)).ReadAll()
	if err != nil || len(rows) == 0 {
		v.Fatalf("%s = %d, %v: %s", table.URL, table.Status, err, table.Text())
	}
	v.same(table, "columns", rows[0], head)
	got = nil
	for _, row := range rows[1:] {
		row[4] = strings.TrimPrefix(row[4], "'")
		got = append(got, strings.Join(row, " | "))
	}
	v.same(table, "rows of the file", got, want)
}

// A heldBudget is a budget with what was spent of it.
type heldBudget struct {
	category, text      string
	amount, spent, left int64
}

// budgets are what a team's page says of its budgets in a month.
func (v view) budgets(team, month string) []heldBudget {
	var all []heldBudget
	for category, amount := range v.l.budgetsOf(team, month) {
		of := v.l.names[category.Int64].root
		spent := sumOf(v.l.rows, func(e ledgerRow) bool {
			return e.team == team && e.date[:7] == month && (!category.Valid || e.category == of)
		}).total
		b := heldBudget{category: v.l.names[of].label, amount: amount, spent: spent, left: amount - spent}
		label, rest := "In all", v.plain(b.left)+" left"
		if category.Valid {
			label = b.category
		}
		if b.left < 0 {
			rest = "over by " + v.plain(-b.left)
		}
		b.text = plainText(fmt.Sprintf("%s: %s of %s spent: %s", label, v.plain(spent), v.plain(amount), rest))
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b heldBudget) int { return strings.Compare(a.text, b.text) })
	return all
}

// budget compares the budgets of a month as a program sees them.
func (v view) budget(team string) {
	month := v.today().AddDate(0, -v.random.IntN(3), 1-v.today().Day()).Format("2006-01")
	r := v.by.Get("/team/"+team+"/budget?month="+month, "Accept", "application/json")
	if !v.there(team) {
		r.Check(v, http.StatusNotFound)
		return
	}
	var file struct {
		Budgets []struct{ Category, Amount, Spent, Left string }
	}
	if err := json.Unmarshal([]byte(r.Body), &file); err != nil {
		v.Fatalf("%s = %d, %v", r.URL, r.Status, err)
	}
	var got, want []string
	for _, b := range file.Budgets {
		got = append(got, fmt.Sprint(b))
	}
	for _, b := range v.budgets(team, month) {
		want = append(want, fmt.Sprint(struct{ Category, Amount, Spent, Left string }{b.category, v.plain(b.amount), v.plain(b.spent), v.plain(b.left)}))
	}
	slices.Sort(got)
	slices.Sort(want)
	v.same(r, "budgets", got, want)
}

// activity compares what was done, as who oversees all teams sees it.
func (v view) activity() {
	if !v.by.admin && !v.by.auditor {
		return
	}
	r := v.by.Get("/activity.csv")
	rows, err := csv.NewReader(strings.NewReader(r.Body)).ReadAll()
	if err != nil || len(rows) == 0 {
		v.Fatalf("%s = %d, %v", r.URL, r.Status, err)
	}
	var got, want []string
	for _, row := range rows[1:] {
		got = append(got, strings.Join([]string{row[2], row[3], row[4], strings.TrimPrefix(row[5], "'")}, " | "))
	}
	for _, h := range v.l.history {
		want = append(want, strings.Join(h[:], " | "))
	}
	v.same(r, "what was done", got, want)
}

var counted = regexp.MustCompile(`(?s)<tr role="row">(<td role="cell">.*?)</tr>`)

// peopleAndCategories compares what is counted there.
func (v view) peopleAndCategories() {
	if !v.by.admin {
		return
	}
	raw := map[int64]figure{}
	each(v, v.db, `SELECT person, COUNT(*), SUM(amount_cents) FROM expenses WHERE deleted_at IS NULL GROUP BY person`, func(scan func(...any)) {
		var (
			id    int64
			f     figure
			total sql.NullInt64
		)
		scan(&id, &f.count, &total)
		f.total = total.Int64
		raw[id] = f
	})
	var want []string
	for _, p := range v.l.people {
		want = append(want, fmt.Sprintf("%s %s %s %s", plainText(p.name), cmp.Or(p.address, "no address is known"), countOf(raw[p.id].count), v.plain(raw[p.id].total)))
	}
	v.counts("/people", 2, want)
	want = nil
	for id, c := range v.l.names {
		f := sumOf(v.l.rows, func(e ledgerRow) bool { return e.category == id })
		want = append(want, fmt.Sprintf("%s %s %s", plainText(c.label), countOf(f.count), v.plain(f.total)))
	}
	v.counts("/categories", 1, want)
}

// counts compares the rows of a table, whose first cell says who or what it is and
// whose cell at says how much.
func (v view) counts(path string, at int, want []string) {
	r := v.by.Get(path)
	var got []string
	for _, row := range counted.FindAllStringSubmatch(r.Body, -1) {
		cells := cell.FindAllStringSubmatch(row[1], -1)
		name, more, _ := strings.Cut(cells[0][1], "<br>")
		if at == 2 {
			name += " " + more
		}
		got = append(got, plainText(name)+" "+plainText(cells[at][1]))
	}
	slices.Sort(got)
	slices.Sort(want)
	v.same(r, "counts", got, want)
}

// expense compares the page of an expense, which has as many lines of history as
// versions since it came.
func (v view) expense() {
	if len(v.l.rows) == 0 {
		return
	}
	e := v.l.rows[v.random.IntN(len(v.l.rows))]
	r := v.by.Get("/team/" + e.team + "/expenses/" + e.id)
	if !v.may(e.team) {
		r.Check(v, http.StatusNotFound)
		return
	}
	want := []string{"Amount " + v.plain(e.amount), "Date " + e.date, "Person " + e.name, "Team " + v.label(e.team)}
	if e.amount < 0 {
		want[0] = "Amount Refund " + v.plain(e.amount)
	}
	want = append(want, "Category "+e.label)
	if e.note != "" {
		want = append(want, "Note "+e.note)
	}
	got := texts(figures, section(r, "facts"))
	if len(got) > 1 {
		got[1] = "Date " + dateOf.FindStringSubmatch(section(r, "facts"))[1]
	}
	v.same(r, "facts", got, want)
	var status []string
	if v.approval(asked{team: e.team}) {
		status = append(status, statusWords[e.status])
	}
	v.same(r, "status", texts(statusOf, r.Body), status)
}

var (
	statusOf    = regexp.MustCompile(`<p>Status: <strong>([^<]+)`)
	statusWords = map[string]string{"logged": "Logged", "approved": "Approved", "sent-back": "Sent back"}
)

// A ledger is all that the tables of a database say, read by the plainest
// statements there are, at a moment when nobody writes.
type ledger struct {
	rows    []ledgerRow // expenses that stand
	people  []ledgerPerson
	names   map[int64]ledgerCategory
	budgets []ledgerBudget
	history [][4]string     // kind, team, expense and item, the latest first
	notes   map[string]bool // of all expenses, deleted ones too
}

// A ledgerRow is an expense that stands, with what its names mean now.
type ledgerRow struct {
	id, team, date, item, note, status string
	seq, version, amount               int64
	person, owner                      int64 // as joined
	name, address, ownerAddress        string
	category                           int64
	label, key                         string // of the category
	loggedBy                           string // an address
}

type ledgerPerson struct {
	id, root               int64
	address, name, subject string
	joined                 bool
}

type ledgerCategory struct {
	label, key string
	root       int64 // itself, or the one that it was merged into
}

type ledgerBudget struct {
	team, month      string
	version          int64
	category, amount sql.NullInt64
}

// readLedger reads the tables.
func readLedger(t testing.TB, db *sql.DB) *ledger {
	t.Helper()
	l := &ledger{names: map[int64]ledgerCategory{}, notes: map[string]bool{}}
	each(t, db, `SELECT id, COALESCE(joined, id), address, name, subject, joined IS NOT NULL FROM people ORDER BY id`, func(scan func(...any)) {
		var p ledgerPerson
		scan(&p.id, &p.root, &p.address, &p.name, &p.subject, &p.joined)
		l.people = append(l.people, p)
	})
	each(t, db, `SELECT id, label, key, COALESCE(merged, id) FROM categories`, func(scan func(...any)) {
		var (
			id int64
			c  ledgerCategory
		)
		scan(&id, &c.label, &c.key, &c.root)
		l.names[id] = c
	})
	each(t, db, `SELECT team, month, version, category, amount_cents FROM budgets`, func(scan func(...any)) {
		var b ledgerBudget
		scan(&b.team, &b.month, &b.version, &b.category, &b.amount)
		l.budgets = append(l.budgets, b)
	})
	each(t, db, `SELECT h.action, e.team, h.expense, e.item FROM history h JOIN expenses e ON e.id = h.expense
		ORDER BY h.at DESC, h.expense DESC, h.version DESC`, func(scan func(...any)) {
		var h [4]string
		scan(&h[0], &h[1], &h[2], &h[3])
		l.history = append(l.history, h)
	})
	each(t, db, `SELECT note FROM expenses`, func(scan func(...any)) {
		var note string
		scan(&note)
		l.notes[note] = true
	})
	l.readRows(t, db)
	return l
}

func (l *ledger) readRows(t testing.TB, db *sql.DB) {
	t.Helper()
	loggers := map[string]string{}
	each(t, db, `SELECT expense, actor_address FROM history ORDER BY version DESC`, func(scan func(...any)) {
		var id, address string
		scan(&id, &address)
		loggers[id] = address
	})
	each(t, db, `SELECT id, seq, team, date, item, note, status, version, amount_cents, person, owner, category
		FROM expenses WHERE deleted_at IS NULL`, func(scan func(...any)) {
		var (
			e             ledgerRow
			person, owner int64
		)
		scan(&e.id, &e.seq, &e.team, &e.date, &e.item, &e.note, &e.status, &e.version, &e.amount, &person, &owner, &e.category)
		p, o, c := l.rootOf(person), l.rootOf(owner), l.names[e.category]
		e.person, e.name, e.address, e.owner, e.ownerAddress = p.id, p.name, p.address, o.id, o.address
		e.label, e.key, e.loggedBy = c.label, c.key, loggers[e.id]
		l.rows = append(l.rows, e)
		if c.root != e.category {
			t.Errorf("expense %s is left in the category %q, which was merged", e.id, c.label)
		}
	})
}

// each runs a statement and calls fn for each of its rows.
func each(t testing.TB, db *sql.DB, text string, fn func(scan func(...any))) {
	t.Helper()
	rows, err := db.Query(text)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	defer rows.Close()
	for rows.Next() {
		fn(func(to ...any) {
			if err := rows.Scan(to...); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
		})
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// rootOf is whom somebody is, as joined.
func (l *ledger) rootOf(id int64) ledgerPerson {
	for _, p := range l.people {
		if p.id == id && p.root != id {
			return l.rootOf(p.root)
		}
		if p.id == id {
			return p
		}
	}
	return ledgerPerson{}
}

// subject is the person of a subject.
func (l *ledger) subject(subject string) int64 {
	for _, p := range l.people {
		if p.subject == subject {
			return p.root
		}
	}
	return 0
}

// addressed is whom an address means: first whose it is now, then whom that one was
// joined to.
func (l *ledger) addressed(address string) int64 {
	for _, joined := range []bool{false, true} {
		for _, p := range l.people {
			if p.address == address && p.joined == joined {
				return p.root
			}
		}
	}
	return 0
}

// An asked is what a page or a file of expenses is asked for.
type asked struct {
	team                                               string // of the page; empty for all
	only                                               string // the team chosen on the page of all
	q, person, category, status, from, to, sort, order string
	min, max                                           string
}

// address is that of the page, or of a file with an extension.
func (a asked) address(extension string) string {
	path := "/expenses" + extension
	if a.team != "" && extension != "" {
		path = "/team/" + a.team + path
	} else if a.team != "" {
		path = "/team/" + a.team
	}
	values := url.Values{}
	for name, value := range map[string]string{
		"team": a.only, "q": a.q, "person": a.person, "category": a.category, "status": a.status, "from": a.from, "to": a.to,
		"sort": a.sort, "order": a.order, "min": a.min, "max": a.max,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

func (a asked) filtered() bool {
	order := a
	order.team, order.sort, order.order = "", "", ""
	return order != asked{}
}

// find is what is asked for, in its order, of the teams that somebody may read.
func (l *ledger) find(a asked, may func(team string) bool, reader int64, minor func(string) int64) []ledgerRow {
	var found []ledgerRow
	for _, e := range l.rows {
		switch {
		case !may(e.team), a.team != "" && e.team != a.team, a.only != "" && e.team != a.only,
			a.category != "" && foldKey(a.category) != e.key, a.status != "" && e.status != a.status,
			a.from != "" && e.date < a.from, a.to != "" && e.date > a.to,
			a.min != "" && e.amount < minor(a.min), a.max != "" && e.amount > minor(a.max),
			!e.says(a.q), a.person != "" && !l.isOf(e, a.person, reader):
		default:
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(x, y ledgerRow) int {
		by := x.compare(y, cmp.Or(a.sort, "date"))
		if a.order == "desc" || a.order == "" && (a.sort == "" || a.sort == "date") {
			by = -by
		}
		return cmp.Or(by, cmp.Compare(y.seq, x.seq), strings.Compare(y.id, x.id))
	})
	return found
}

func (l *ledger) isOf(e ledgerRow, person string, reader int64) bool {
	switch {
	case person == "me":
		return e.person == reader
	case strings.Contains(person, "@"):
		return e.person == l.addressed(person)
	}
	return strings.EqualFold(e.name, person)
}

func (e ledgerRow) compare(other ledgerRow, by string) int {
	switch by {
	case "amount":
		return cmp.Compare(e.amount, other.amount)
	case "person":
		return strings.Compare(strings.ToLower(e.name), strings.ToLower(other.name))
	case "item":
		return strings.Compare(strings.ToLower(e.item), strings.ToLower(other.item))
	case "category":
		return strings.Compare(e.key, other.key)
	}
	return strings.Compare(e.date, other.date)
}

// says reports whether each word sought is in the expense: inside of a word, or at
// its beginning where it is short.
func (e ledgerRow) says(q string) bool {
	fold := strings.NewReplacer("é", "e", "ü", "u", "ß", "ss")
	words := strings.Fields(fold.Replace(strings.ToLower(strings.Join([]string{e.item, e.note, e.name, e.label}, " "))))
	for _, sought := range strings.Fields(fold.Replace(strings.ToLower(q))) {
		if !slices.ContainsFunc(words, func(word string) bool {
			return strings.HasPrefix(word, sought) || len([]rune(sought)) > 2 && strings.Contains(word, sought)
		}) {
			return false
		}
	}
	return true
}

// foldKey is by what a category is one.
func foldKey(label string) string { return strings.Join(strings.Fields(strings.ToLower(label)), " ") }

// A figure is what some rows come to.
type figure struct {
	label, address string
	count, total   int64
}

// sumOf adds rows up, those that keep holds for.
func sumOf(rows []ledgerRow, keep func(ledgerRow) bool) figure {
	var f figure
	for _, e := range rows {
		if keep(e) {
			f.count++
			f.total += e.amount
		}
	}
	return f
}

func anyRow(ledgerRow) bool { return true }

// groupRows adds rows up by what of names, the largest group first.
func groupRows(rows []ledgerRow, of func(ledgerRow) (id any, label, address string)) []figure {
	groups := map[any]*figure{}
	for _, e := range rows {
		id, label, address := of(e)
		if groups[id] == nil {
			groups[id] = &figure{label: label, address: address}
		}
		groups[id].count++
		groups[id].total += e.amount
	}
	var all []figure
	for _, g := range groups {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b figure) int {
		return cmp.Or(cmp.Compare(b.total, a.total), strings.Compare(a.label, b.label), cmp.Compare(a.count, b.count))
	})
	return all
}

func byCategory(rows []ledgerRow) []figure {
	return groupRows(rows, func(e ledgerRow) (any, string, string) { return e.category, e.label, "" })
}

// byPerson tells people of one name apart by their address.
func byPerson(rows []ledgerRow) []figure {
	named := map[string]map[int64]bool{}
	for _, e := range rows {
		key := strings.ToLower(e.name)
		if named[key] == nil {
			named[key] = map[int64]bool{}
		}
		named[key][e.person] = true
	}
	return groupRows(rows, func(e ledgerRow) (any, string, string) {
		label := e.name
		if len(named[strings.ToLower(e.name)]) > 1 && e.address != "" {
			label = fmt.Sprintf("%s (%s)", e.name, e.address)
		}
		return e.person, label, e.address
	})
}

// budgetsOf are what a team may spend in a month: of the rows up to the month the one
// of the latest month holds, and of these the latest.
func (l *ledger) budgetsOf(team, month string) map[sql.NullInt64]int64 {
	holding := map[sql.NullInt64]ledgerBudget{}
	for _, b := range l.budgets {
		held, ok := holding[b.category]
		if b.team == team && b.month <= month && (!ok || b.month > held.month || b.month == held.month && b.version > held.version) {
			holding[b.category] = b
		}
	}
	amounts := map[sql.NullInt64]int64{}
	for category, b := range holding {
		if b.amount.Valid {
			amounts[category] = b.amount.Int64
		}
	}
	return amounts
}
