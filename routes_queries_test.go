package main

import (
	"fmt"
	"html"
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/storetest"
)

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
			"/", "/dashboard", "/profile", "/team/finance", "/team/finance?sort=amount&order=desc&q=a", "/expenses", "/expenses?from=2026-01-02",
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
					s.store.ForgetRevisions()
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
