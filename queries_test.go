package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/storetest"
	"expense-dashboard/internal/web"
)

// countedQueries is a driver.Connector that notes every query of its
// connections.
type countedQueries struct {
	base driver.Driver
	name string

	mu   sync.Mutex
	seen []string
}

// Connect implements driver.Connector.
func (c *countedQueries) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.base.Open(c.name)
	return &countedConn{conn, c}, err
}

// Driver implements driver.Connector.
func (c *countedQueries) Driver() driver.Driver { return c.base }

// take returns what was asked since it was called last.
func (c *countedQueries) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen
	c.seen = nil
	return seen
}

type countedConn struct {
	driver.Conn
	queries *countedQueries
}

// QueryContext implements driver.QueryerContext.
func (c *countedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.queries.mu.Lock()
	c.queries.seen = append(c.queries.seen, query)
	c.queries.mu.Unlock()
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

// countQueries counts what a store reads from now on.
func countQueries(t *testing.T, s *store.Store, databaseURL string) *countedQueries {
	t.Helper()
	name := databaseURL
	if s.File != "" {
		name = store.SqliteName(s.File, "&_query_only=on")
	}
	counted := &countedQueries{base: s.Read.Driver(), name: name}
	before := s.Read
	s.Read = sql.OpenDB(counted)
	t.Cleanup(func() { before.Close() })
	return counted
}

// TestQueriesOfAPage counts what each page asks the database, with as little
// known as after the start: at most two questions, whatever the number of teams
// and expenses, the one for the ended sessions counted, also for somebody who has
// just written. While nothing changes none is asked again.
func TestQueriesOfAPage(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		r, sites := startCopies(t, databaseURL, 1)
		s := sites[0]
		b := r.browser()
		b.signIn(admin)
		id := strings.Split(findIn(t, b.get("/team/finance").body, `href="/team/finance/expenses/[a-z2-7]{26}"`), `"`)[1]
		queries := countQueries(t, s.Store, databaseURL)
		targets := []string{
			"/", "/dashboard", "/profile", "/team/finance", "/team/finance?sort=amount&order=desc&q=a", "/expenses", "/expenses?from=2026-01-02",
			"/team/finance/expenses/new", id, "/expenses/import", "/team/finance/expenses.csv", "/expenses.json", "/sessions",
		}
		for _, visit := range []string{"reader", "writer"} {
			if visit == "writer" {
				b.setCookie(web.WroteCookie, "1")
			}
			for _, target := range targets {
				s.ForgetPages()
				s.Store.Known.Store(nil)
				setNewsAge(s, session.EndedWindow)
				queries.take()
				b.get(target).check(t, http.StatusOK)
				if asked := queries.take(); len(asked) > 2 {
					t.Errorf("%s, %s, asks %d times:\n%s", target, visit, len(asked), strings.Join(asked, "\n"))
				}
			}
		}
		for _, target := range []string{"/dashboard", "/team/finance", "/expenses"} {
			b.get(target)
			setNewsAge(s, -time.Hour)
			queries.take()
			b.get(target).check(t, http.StatusOK)
			if asked := queries.take(); len(asked) > 0 {
				t.Errorf("%s asks again: %s", target, fmt.Sprint(asked))
			}
		}
	})
}

// setNewsAge makes what is known of ended sessions and of revisions look as if
// the database had been asked that long ago.
func setNewsAge(s *app, age time.Duration) {
	asked := time.Now().Add(-age)
	records := s.Sessions.Records
	records.Mu.Lock()
	defer records.Mu.Unlock()
	records.Asked = asked
	if known := s.Store.Known.Load(); known != nil {
		moved := *known
		moved.Asked = asked
		s.Store.Known.Store(&moved)
	}
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
		b := r.browser()
		b.signIn(admin)
		file := expensefile.Columns + "\n"
		for i := range 3 * expense.PageSize {
			file += fmt.Sprintf(",2026-01-02,hr,Sarah Morgan,Item %d,Books,1.00,\n", i)
		}
		b.upload(file).check(t, http.StatusSeeOther)
		b.get("/team/hr?category=Books")
		var queries []*countedQueries
		for _, s := range sites {
			queries = append(queries, countQueries(t, s.Store, databaseURL))
		}
		for written := range 3 {
			if written > 0 {
				b.post("/team/hr/expenses", with(aForm(), "category", "Books")).check(t, http.StatusSeeOther)
				b.get("/team/hr")
			}
			want := fmt.Sprintf("Total of what matches, %d expenses", 3*expense.PageSize+written)
			for _, q := range queries {
				q.take()
			}
			pages := 0
			for _, sort := range []string{"date", "item", "amount", "person"} {
				for target := "/team/hr?category=Books&order=asc&sort=" + sort; target != ""; pages++ {
					page := b.get(target)
					page.check(t, http.StatusOK, want)
					target = ""
					if next := regexp.MustCompile(`href="([^"]*after=[^"]*)"`).FindStringSubmatch(page.body); next != nil {
						target = html.UnescapeString(next[1])
					}
				}
			}
			asked := 0
			for _, q := range queries {
				asked += strings.Count(strings.Join(q.take(), "\n"), "grouped AS")
			}
			if pages < 12 || asked > len(sites) {
				t.Errorf("%d pages on %d copies asked for their sums %d times", pages, len(sites), asked)
			}
		}
	})
}
