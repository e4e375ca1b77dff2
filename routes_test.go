package main

import (
	"database/sql"
	"fmt"
	"html"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/store/revision"
	"expense-dashboard/internal/storetest"
)

// What the reader's language changes is what a page shows, marked as being in
// that language, and nothing that goes back to a program.
func TestPagesInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	german := []string{"Accept-Language", "de-DE,de;q=0.9,en;q=0.8"}
	page := b.Get("/team/finance", german...)
	page.Check(t, http.StatusOK, `<html lang="en">`, `<span lang="de">2.780,00`+"\u00a0"+`$</span>`, "!$2,780.00")
	if got := page.Header.Values("Vary"); strings.Join(got, ", ") != "Accept-Language" {
		t.Errorf("Vary = %q", got)
	}
	b.Get("/team/finance").Check(t, http.StatusOK, ">$2,780.00<", "!lang=\"de\"")
	for _, path := range []string{"/team/finance/expenses.csv", "/team/finance/expenses.json", "/team/finance/expenses/new"} {
		if plain, other := b.Get(path), b.Get(path, german...); path[len(path)-3:] != "new" && plain.Body != other.Body {
			t.Errorf("%s changes with the reader's language", path)
		} else if strings.Contains(other.Body, ",00") {
			t.Errorf("%s holds an amount with a comma", path)
		}
	}
	b.Get("/profile", append(german, "Accept", "application/json")...).Check(t, http.StatusOK, "!lang=")
}

// A NUL and bytes that are no UTF-8, which PostgreSQL holds in no text, are
// somebody's mistake wherever they come: in a path, a query or a form.
func TestBrokenText(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		r := startSite(t, setup{env: map[string]string{
			"DATABASE_URL": databaseURL, "SAMPLE_DATA": "true", "BACKCHANNEL_LOGOUT": "true", "UNIVERSAL_LOGOUT": "true",
		}})
		b := r.Browser()
		b.SignIn(admin)
		known := regexp.MustCompile(`/team/finance/expenses/[a-z2-7]{26}`).FindString(strings.ToLower(b.Get("/team/finance").Body))
		expense := known[strings.LastIndex(known, "/")+1:]
		parameter := regexp.MustCompile(`\{[a-z]+\}`)
		query, form := url.Values{}, url.Values{}
		for _, name := range []string{
			"q", "person", "category", "from", "to", "team", "status", "min", "max", "sort", "order", "after", "before", "like", "for",
			"return_to", "login_hint", "iss", "sid", "target_link_uri", "state", "code", "month", "kind",
		} {
			query.Set(name, "")
		}
		for _, name := range []string{
			"date", "item", "category", "amount", "note", "person", "submission", "version", "return_to", "sub", "into", "name", "value",
			"expense", "action", "reason", "month", "confirm", "team", "logout_token",
		} {
			form.Set(name, "")
		}
		values := []string{"\x00", "\xff", "a\x00b", "\xed\xa0\x80"}
		if strings.HasPrefix(databaseURL, "sqlite:") {
			values = values[2:] // SQLite takes a NUL and refuses nothing: what the first two hold is in these too
		}
		for path, methods := range r.site.table() {
			if path == "/logout" {
				continue
			}
			path = strings.TrimSuffix(path, "{$}")
			fits := strings.NewReplacer("{id}", "finance", "{expense}", expense).Replace(path)
			for i, broken := range values {
				escaped := url.PathEscape(broken)
				if parameter.MatchString(path) {
					for method := range methods {
						page := b.Send(method, parameter.ReplaceAllString(path, escaped), url.Values{})
						page.Check(t, http.StatusNotFound)
					}
					half := strings.Replace(strings.Replace(path, "{id}", "finance", 1), "{expense}", escaped, 1)
					for method := range methods {
						if page := b.Send(method, half, url.Values{"version": {"1"}}); page.Status >= 500 {
							t.Errorf("%s %q = %d", method, half, page.Status)
						}
					}
				}
				if i >= 2 {
					continue // a name of a query or a form gets the first two
				}
				for name := range query {
					target := fits + "?" + name + "=" + url.QueryEscape(broken)
					if methods[http.MethodGet] == nil {
						continue
					}
					if page := b.Get(target); page.Status >= 500 && page.Status != http.StatusBadGateway {
						t.Errorf("GET %q = %d: %s", target, page.Status, page.Text())
					}
				}
				for name := range form {
					if methods[http.MethodPost] == nil {
						continue
					}
					sent := url.Values{"version": {"1"}, "date": {"2026-01-02"}, "item": {"Tea"}, "category": {"Travel"}, "amount": {"1.00"}}
					sent.Set(name, broken)
					if page := b.Post(fits, sent); page.Status >= 500 {
						t.Errorf("POST %q with %s %q = %d: %s", fits, name, broken, page.Status, page.Text())
					}
				}
			}
		}
	})
}

// In the first minute a copy that can sign nobody in is not ready; after that it
// serves whoever is signed in, and says what it cannot do.
func TestReadyWithoutSignIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, why string }{
		{"the provider is not reached", "the OpenID provider has not been reached"},
		{"no key is usable", "no usable key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := apptest.NewClock()
			unreached := test.name == "the provider is not reached"
			none := devidp.Faults{Keys: func([]map[string]any) []map[string]any { return nil }}
			r := startSite(t, setup{clock: clock, unreached: unreached, faults: none})
			b := r.Browser()
			b.Get("/readyz").Check(t, http.StatusServiceUnavailable, test.why)
			clock.Advance(59 * time.Second)
			b.Get("/readyz").Check(t, http.StatusServiceUnavailable, test.why)
			clock.Advance(time.Second)
			later := b.Get("/readyz")
			if later.Check(t, http.StatusOK, "ok", test.why); strings.Count(later.Body, "\n") != 1 {
				t.Errorf("it is no line: %q", later.Body)
			}
			r.Provider.SetFaults(devidp.Faults{})
			if err := r.site.signIn.client.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if body := b.Get("/readyz").Body; body != "ok\n" {
				t.Errorf("when it is back /readyz says %q", body)
			}
		})
	}
}

// A database that takes no writes serves readers, and it is said.
func TestReadyWithoutWrites(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	other, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(r.Database, "sqlite:")+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	b := r.Browser()
	b.Get("/readyz").Check(t, http.StatusOK, "ok: nothing can be written: it ")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if body := b.Get("/readyz").Body; body != "ok\n" {
		t.Errorf("when it is writable again /readyz says %q", body)
	}
}

// TestFirstRequestAfterReady starts without PostgreSQL, and has whoever is signed
// in come by as soon as the copy says that it is ready.
func TestFirstRequestAfterReady(t *testing.T) {
	t.Parallel()
	server := storetest.NewServer(t)
	env := map[string]string{"DATABASE_URL": server.URL("postgres"), "SAMPLE_DATA": "true"}
	first := startProgram(t, setup{env: env})
	b := first.Browser()
	b.SignIn(finance)
	if err := server.Halt(); err != nil {
		t.Fatal(err)
	}
	again := startProgram(t, setup{env: env})
	visitor := again.Browser()
	for name, value := range b.Cookies() {
		visitor.SetCookie(name, value)
	}
	visitor.Get("/readyz").Check(t, http.StatusServiceUnavailable, "database")
	visitor.Get("/dashboard").Check(t, http.StatusServiceUnavailable)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	waitUntilReady(again)
	visitor.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
	visitor.Get("/team/finance").Check(t, http.StatusOK, "Carol Lee")
}

var (
	postedForm  = regexp.MustCompile(`(?s)<form [^>]*method="post"[^>]*>.*?</form>`)
	formAction  = regexp.MustCompile(`action="([^"]*)"`)
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// formOn is the form of a page whose action ends with a text: where it goes, and what
// stands in it unseen.
func formOn(t *testing.T, page *reply, action string) (target string, fields url.Values) {
	t.Helper()
	for _, form := range postedForm.FindAllString(page.Body, -1) {
		target = html.UnescapeString(formAction.FindStringSubmatch(form)[1])
		if !strings.HasSuffix(target, action) {
			continue
		}
		fields = url.Values{}
		for _, field := range hiddenField.FindAllStringSubmatch(form, -1) {
			fields.Add(field[1], html.UnescapeString(field[2]))
		}
		return target, fields
	}
	t.Fatalf("no form goes to %s on %s", action, page.Text())
	return "", nil
}

// TestFormsCountOnce sends the forms of pages twice, as an impatient finger does: the
// second time does nothing and is answered as the first.
func TestFormsCountOnce(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	boss := as(r, "admin")
	as(r, "other")
	boss.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "category", "Trips"))
	boss.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "category", "Travel"))
	twice := func(page *reply, action string, more url.Values, says string) {
		t.Helper()
		target, fields := formOn(t, page, action)
		for name, values := range more {
			fields[name] = values
		}
		for range 2 {
			answer := boss.Post(target, fields)
			answer.Check(t, http.StatusSeeOther)
			page = boss.Get(answer.Location())
		}
		page.Check(t, http.StatusOK, says)
	}
	// What was retired before the merge stays retired, however often that is undone.
	trips, fields := formOn(t, boss.Get("/categories"), "/rename")
	if !strings.Contains(boss.Get("/categories").Body, `aria-label="Rename Travel"`) {
		t.Fatal("no category is called Travel")
	}
	path := strings.TrimSuffix(trips, "/rename")
	boss.Post(path+"/retire", fields).Check(t, http.StatusSeeOther)
	other := "Trips"
	if strings.Contains(boss.Get("/categories").Body, `aria-label="Retire Travel"`) {
		other = "Travel"
	}
	fields.Set("name", other)
	twice(boss.Follow(boss.Post(path+"/rename", fields)), "/undo?done=merged", nil, "retired")

	twice(boss.Get("/team/finance/budget"), "/budget", url.Values{"amount": {"100.00"}}, "The budget is set")
	_, set := formOn(t, boss.Get("/team/finance/budget"), "/budget")
	if set.Get("version") != "1" {
		t.Errorf("the budget counts as version %s", set.Get("version"))
	}
	twice(boss.Get("/sessions?q=other%40"), "/end", nil, "That is over already.")
	as(r, "other")
	twice(boss.Get("/sessions?q=other%40"), "/sessions/end", nil, "That is over already.")
}

// TestFormsAreOfWhoOpenedThem wants the mark of who opened it in each form that writes,
// and refuses one that somebody else opened in the same browser.
func TestFormsAreOfWhoOpenedThem(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	boss, owner := as(r, "admin"), as(r, "owner")
	as(r, "admin")
	e := owner.LogExpense("finance", apptest.ExpenseForm())
	boss.Post("/team/finance/budget", url.Values{"amount": {"100.00"}, "version": {"0"}})
	preview := boss.Upload("date,team,person,item,category,amount\n" + time.Now().Format(time.DateOnly) + ",finance,Bob,Cab,Taxi,1.00\n").Location()
	deletion := boss.Follow(boss.Post(e.Path()+"/delete", url.Values{"version": {"1"}}))
	pages := map[string]*reply{
		"a notice": deletion, "sessions": boss.Get("/sessions"), "profile": boss.Get("/profile"), "people": boss.Get("/people"),
		"categories": boss.Get("/categories"), "budget": boss.Get("/team/finance/budget"), "preview": boss.Get(preview), "expense": boss.Get(e.Path()),
		"new": boss.Get("/team/finance/expenses/new"),
	}
	mallory := as(r, "other.lead")
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			forms := 0
			for _, form := range postedForm.FindAllString(page.Body, -1) {
				target := html.UnescapeString(formAction.FindStringSubmatch(form)[1])
				if target == "/logout" {
					continue
				}
				forms++
				if _, fields := formOn(t, page, target); fields.Get("submission") == "" {
					t.Errorf("the form to %s carries no submission", target)
				} else if answer := mallory.Post(target, fields); answer.Status < 400 {
					t.Errorf("the form to %s is taken from somebody else: %d", target, answer.Status)
				}
			}
			if forms == 0 {
				t.Errorf("no form is on the page: %s", page.Text())
			}
		})
	}
	_, fields := formOn(t, pages["profile"], "/end-others")
	mallory.Post("/profile/sessions/end-others", fields).Check(t, http.StatusConflict)
}

// maxQueries is how many queries a page may ask the database, the one for the
// ended sessions counted.
const maxQueries = 5

// TestQueriesOfAPage counts what each page asks the database, with as little
// known as after the start: at most maxQueries, whatever the number of teams and
// expenses, also for somebody who has just written. A page that is kept asks at
// most for news of sessions and of expenses.
func TestQueriesOfAPage(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		r, sites := startCopies(t, databaseURL, 1)
		b := r.Browser()
		b.SignIn(admin)
		s, forgetful := startForgetful(t, r)
		id := strings.Split(findIn(t, b.Get("/team/finance").Body, `href="/team/finance/expenses/[a-z2-7]{26}"`), `"`)[1]
		targets := []string{
			"/", "/dashboard", "/profile", "/team/finance", "/team/finance?sort=amount&order=desc&q=a", "/team/finance?q=a+b", "/expenses", "/expenses?from=2026-01-02",
			"/team/finance/expenses/new", id, "/expenses/import", "/team/finance/expenses.csv", "/expenses.json", "/sessions",
		}
		for _, visit := range []string{"reader", "writer"} {
			if visit == "writer" {
				b.SetCookie("wrote", "1")
			}
			for _, target := range targets {
				// Who looks for interrupted imports may ask meanwhile, once in a while.
				asked := int64(math.MaxInt64)
				for range 3 {
					if err := s.store.CloseCategories(t.Context(), false); err != nil { // after a write it knows no revisions
						t.Fatal(err)
					}
					setNewsAge(s, session.EndedWindow)
					before := s.store.Queries()
					b.Get(forgetful+target).Check(t, http.StatusOK)
					asked = min(asked, s.store.Queries()-before)
				}
				if asked > maxQueries {
					t.Errorf("%s, %s, asks %d times", target, visit, asked)
				}
			}
		}
		s = sites[0]
		for _, target := range []string{"/dashboard", "/team/finance", "/expenses"} {
			asked := int64(math.MaxInt64)
			for range 3 {
				b.Get(target)
				before := s.store.Queries()
				b.Get(target).Check(t, http.StatusOK)
				asked = min(asked, s.store.Queries()-before)
			}
			if asked > 2 {
				t.Errorf("%s is kept, and asks %d times", target, asked)
			}
		}
	})
}

// setNewsAge makes what is known of ended sessions look as if the database had been
// asked that long ago.
func setNewsAge(s *app, age time.Duration) {
	records := s.sessions.Records()
	records.Mu.Lock()
	defer records.Mu.Unlock()
	records.Asked = time.Now().Add(-age)
}

func findIn(t *testing.T, text, expression string) string {
	t.Helper()
	found := regexp.MustCompile(expression).FindString(text)
	if found == "" {
		t.Fatalf("nothing is like %s", expression)
	}
	return found
}

// TestSumsOfManyPagesAreKept pages through a team of many expenses: their sums are
// asked for once, and again after each write.
func TestSumsOfManyPagesAreKept(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		r, sites := startCopies(t, databaseURL, 2)
		b := r.Browser()
		b.SignIn(admin)
		file := expensefile.Columns + "\n"
		for i := range 3 * expense.PageSize {
			file += fmt.Sprintf(",2026-01-02,hr,Sarah Morgan,Item %d,Books,1.00,\n", i)
		}
		b.Import(file).Check(t, http.StatusSeeOther)
		b.Get("/team/hr?category=Books")
		for written := range 3 {
			if written > 0 {
				b.Post("/team/hr/expenses", apptest.With(apptest.ExpenseForm(), "category", "Books")).Check(t, http.StatusSeeOther)
				b.Get("/team/hr")
			}
			want := fmt.Sprintf("All %d that match<", 3*expense.PageSize+written)
			asked, pages := int64(0), int64(0)
			for _, s := range sites {
				asked -= s.store.Queries()
				setNewsAge(s, -time.Hour)
			}
			for _, sort := range []string{"date", "item", "amount", "person"} {
				for target := "/team/hr?category=Books&order=asc&sort=" + sort; target != ""; pages++ {
					page := b.Get(target)
					page.Check(t, http.StatusOK, want)
					target = ""
					if next := regexp.MustCompile(`href="([^"]*after=[^"]*)"`).FindStringSubmatch(page.Body); next != nil {
						target = html.UnescapeString(next[1])
					}
				}
			}
			for _, s := range sites {
				asked += s.store.Queries()
			}
			// Each page asks for its rows and perhaps for the revisions; one that asked
			// for its sums too would ask three times. Beside that each copy asks a few
			// times for the sums, for what its filter offers, and for imports to take.
			if copies := int64(len(sites)); pages < 12 || asked >= 3*pages {
				t.Errorf("%d pages on %d copies asked %d times, and so for sums more than once each", pages, copies, asked)
			}
		}
	})
}

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

// startCopies serves a number of copies of the site on one database, behind a
// proxy that gives each request to the next one.
func startCopies(t *testing.T, databaseURL string, count int) (*rig, []*app) {
	t.Helper()
	return startCopiesOf(t, databaseURL, count, setup{})
}

// startCopiesOf is startCopies with what a test changes of the usual ones.
func startCopiesOf(t *testing.T, databaseURL string, count int, of setup) (*rig, []*app) {
	t.Helper()
	front := httptest.NewUnstartedServer(nil)
	r := newRig(t, "http://"+front.Listener.Addr().String(), of)
	r.Database = databaseURL
	var (
		sites   []*app
		proxies []http.Handler
		turn    atomic.Uint64
	)
	for range count {
		s := r.copy(t, of)
		server := httptest.NewServer(s.routes())
		t.Cleanup(server.Close)
		target, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(target)
		proxy.Transport = server.Client().Transport
		sites, proxies = append(sites, s), append(proxies, proxy)
	}
	front.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxies[turn.Add(1)%uint64(count)].ServeHTTP(w, r)
	})
	front.Start()
	t.Cleanup(front.Close)
	return r, sites
}

// startForgetful serves one more copy, at an address of its own, that keeps no
// rendered page.
func startForgetful(t *testing.T, r *rig) (*app, string) {
	t.Helper()
	s := r.copy(t, setup{forgetful: true})
	server := httptest.NewServer(s.routes())
	t.Cleanup(server.Close)
	return s, server.URL
}

// TestCopiesAgree lets people of several teams write and read at once, on one
// copy of the program and on two behind a proxy that lets them take turns.
// Whoever has written sees it from then on, whichever copy answers, everybody
// sees it soon, and nobody sees another team's.
func TestCopiesAgree(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		for _, count := range []int{1, 2} {
			t.Run(fmt.Sprintf("copies=%d", count), func(t *testing.T) {
				r, _ := startCopies(t, databaseURL, count)
				var people sync.WaitGroup
				for team, address := range map[string]string{"finance": finance, "marketing": marketing, "hr": hr, "legal": legal} {
					for desk := range 2 {
						b, colleague := r.Browser(), r.Browser()
						b.SignIn(address)
						colleague.SignIn(address)
						mark := fmt.Sprintf("%s-%d-%d", team, count, desk)
						people.Go(func() { workOn(b, colleague, team, mark, count == 1) })
					}
				}
				boss := r.Browser()
				boss.SignIn(admin)
				people.Go(func() { watchTotals(boss) })
				people.Wait()
				_, forgetful := startForgetful(t, r)
				checkCachedPages(t, boss, count, forgetful)
			})
		}
	})
}

// workOn logs expenses, and after each its writer looks at the team's page again
// and again. A colleague sees it too: at once where there is one copy, and else
// when what the other copies know of it is too old to count.
func workOn(b, colleague *browser, team, mark string, atOnce bool) {
	page := "/team/" + team + "?q=" + url.QueryEscape(mark)
	for i := range writesOfEach {
		item := fmt.Sprintf("Item %s number %d.", mark, i)
		logged := b.Post("/team/"+team+"/expenses", url.Values{
			"date": {time.Now().Format(time.DateOnly)}, "item": {item}, "category": {"Race"}, "amount": {"1.25"},
		})
		if logged.Status != http.StatusSeeOther {
			b.T.Errorf("logging %s = %d: %s", item, logged.Status, logged.Text())
			return
		}
		if atOnce {
			checkTeamPage(colleague, page, team, item)
		}
		for range 5 {
			checkTeamPage(b, page, team, item)
		}
		time.Sleep(revision.Age)
		checkTeamPage(colleague, page, team, item)
	}
}

const writesOfEach = 6

// checkTeamPage looks at a page of a team, which must show an item and nothing of
// another team, and at the pages of the other teams, which must not be shown.
func checkTeamPage(b *browser, page, team, item string) {
	got := b.Get(page)
	if got.Status != http.StatusOK || !strings.Contains(got.Body, item) {
		b.T.Errorf("%s is not on the page: %d", item, got.Status)
	}
	for _, other := range []string{"finance", "marketing", "hr", "legal"} {
		if other == team {
			continue
		}
		if strings.Contains(got.Body, "Item "+other+"-") {
			b.T.Errorf("the page of %s shows an item of %s", team, other)
		}
		if b.Get("/team/"+other).Status != http.StatusNotFound {
			b.T.Errorf("a member of %s sees the page of %s", team, other)
		}
	}
}

// watchTotals reads the administrator's pages while others write.
func watchTotals(b *browser) {
	for range 20 {
		for _, target := range []string{"/dashboard", "/expenses", "/team/hr"} {
			if page := b.Get(target); page.Status != http.StatusOK {
				b.T.Errorf("%s = %d", target, page.Status)
			}
		}
	}
}

// checkCachedPages compares what each copy has kept with what the one at the
// address forgetful shows, which keeps nothing.
func checkCachedPages(t *testing.T, b *browser, copies int, forgetful string) {
	t.Helper()
	time.Sleep(revision.Age)
	var targets []string
	for _, team := range []string{"finance", "marketing", "hr", "legal"} {
		targets = append(targets, "/team/"+team, "/team/"+team+"?sort=amount&order=desc", "/team/"+team+"?category=race")
	}
	targets = append(targets, "/dashboard", "/expenses", "/expenses?q=number+3.", "/")
	kept := map[string]string{}
	for range copies + 1 {
		for _, target := range targets {
			kept[target] = b.Get(target).Body
		}
	}
	for _, target := range targets {
		if fresh := b.Get(forgetful + target).Body; fresh != kept[target] {
			t.Errorf("%s: what was kept differs from what is made anew", target)
		}
	}
}

// TestCopiesAgreeOnSessions signs in at one copy, works on another and signs out
// at either: the session is dead on both.
func TestCopiesAgreeOnSessions(t *testing.T) {
	t.Parallel()
	r, _ := startCopies(t, storetest.Postgres(t), 2)
	b := r.Browser()
	b.SignIn(finance)
	for range 4 {
		b.Get("/team/finance").Check(t, http.StatusOK, "Finance")
	}
	thief := r.Browser()
	for name, value := range b.Cookies() {
		thief.SetCookie(name, value)
	}
	thief.Get("/dashboard").Check(t, http.StatusOK)
	b.Post("/logout", nil)
	time.Sleep(session.EndedWindow)
	for range 4 {
		if answer := thief.Get("/dashboard"); answer.Status != http.StatusSeeOther {
			t.Errorf("a copy takes the session that was ended: %d", answer.Status)
		}
	}
}

// TestTeamsWithoutExpenses looks at teams of which nothing but the name differs:
// what is kept of one must not stand for another.
func TestTeamsWithoutExpenses(t *testing.T) {
	t.Parallel()
	b := startSite(t, setup{env: map[string]string{"SAMPLE_DATA": "false"}}).Browser()
	b.SignIn(admin)
	for range 2 {
		b.Get("/team/finance").Check(t, http.StatusOK, "<h1>Finance</h1>", "Finance spends")
		b.Get("/team/legal").Check(t, http.StatusOK, "<h1>Legal</h1>", "Legal spends", "!Finance")
	}
}

// A recorded request of somebody, to be answered again and again.
type repeated struct {
	handler http.Handler
	request *http.Request
	answer  discarded
}

// discarded is an http.ResponseWriter that keeps the status only.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header { return d.header }

func (d *discarded) WriteHeader(status int) { d.status = status }

func (d *discarded) Write(data []byte) (int, error) { return len(data), nil }

func (d *discarded) WriteString(text string) (int, error) { return len(text), nil }

// once answers the request.
func (p *repeated) once(t testing.TB) {
	clear(p.answer.header)
	p.answer.status = http.StatusOK
	p.handler.ServeHTTP(&p.answer, p.request)
	if p.answer.status != http.StatusOK {
		t.Fatalf("%s = %d", p.request.URL, p.answer.status)
	}
}

// repeatedRequests are the requests whose cost is watched, by name, with their
// limits of allocations; zero is none. The access log goes to a file.
func repeatedRequests(t testing.TB) map[string]*repeated {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	r := startSite(t, setup{log: file})
	cookies := map[string]string{}
	for _, address := range []string{admin, finance} {
		b := r.Browser()
		b.SignIn(address)
		for name, value := range b.Cookies() {
			if name == "expense_session" {
				cookies[address] = name + "=" + value
			}
		}
	}
	handler := r.site.routes()
	requests := map[string]*repeated{}
	for name, at := range map[string]struct{ path, who string }{
		"home/guest":      {"/", ""},
		"home/member":     {"/", finance},
		"dashboard/admin": {"/dashboard", admin},
		"team/first page": {"/team/finance", finance},
		"team/sorted":     {"/team/finance?sort=amount&order=asc&category=Meals", finance},
		"static":          {"/static/style.css", ""},
	} {
		request := httptest.NewRequest(http.MethodGet, at.path, nil)
		request.Header.Set("Accept", "text/html")
		request.Header.Set("Accept-Language", "en-US,en;q=0.9")
		if at.who != "" {
			request.Header.Set("Cookie", cookies[at.who])
		}
		requests[name] = &repeated{handler, request, discarded{header: http.Header{}}}
	}
	return requests
}

// BenchmarkRequest is what a request costs beside net/http, all middleware,
// the access log and the session's checks counted.
func BenchmarkRequest(b *testing.B) {
	for name, request := range repeatedRequests(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				request.once(b)
			}
		})
	}
}

// TestAllocations holds the number of allocations of a request below its limit.
func TestAllocations(t *testing.T) {
	requests := repeatedRequests(t)
	for name, limit := range map[string]float64{"home/guest": 40, "dashboard/admin": 100, "team/first page": 100, "team/sorted": 100} {
		if got := testing.AllocsPerRun(200, func() { requests[name].once(t) }); got >= limit {
			t.Errorf("%s: %v allocations, want under %v", name, got, limit)
		}
	}
}
