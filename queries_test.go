package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
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
func countQueries(t *testing.T, s *Store, databaseURL string) *countedQueries {
	t.Helper()
	name := databaseURL
	if s.file != "" {
		name = sqliteName(s.file, "&_query_only=on")
	}
	counted := &countedQueries{base: s.read.Driver(), name: name}
	before := s.read
	s.read = sql.OpenDB(counted)
	t.Cleanup(func() { before.Close() })
	return counted
}

// TestQueriesOfAPage counts what each page asks the database, with as little
// known as after the start: at most two questions, whatever the number of teams
// and expenses, and none again while nothing changes. Which sessions were ended
// is asked once for all requests of a moment, and not counted here.
func TestQueriesOfAPage(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, databaseURL string) {
		r, sites := startCopies(t, databaseURL, 1)
		s := sites[0]
		b := r.browser()
		b.signIn(admin)
		id := strings.Split(findIn(t, b.get("/team/finance").body, `href="/team/finance/expenses/[a-z2-7]{26}"`), `"`)[1]
		queries := countQueries(t, s.store, databaseURL)
		for _, target := range []string{
			"/", "/dashboard", "/profile", "/team/finance", "/team/finance?sort=amount&order=desc&q=a", "/expenses", "/expenses?from=2026-01-02",
			"/team/finance/expenses/new", id, "/expenses/import", "/team/finance/expenses.csv", "/expenses.json",
		} {
			s.pages.contents = newCache[contentKey, []byte](maxContents)
			s.store.known.Store(nil)
			queries.take()
			b.get(target).check(t, http.StatusOK)
			if asked := own(queries.take()); len(asked) > 2 {
				t.Errorf("%s asks %d times:\n%s", target, len(asked), strings.Join(asked, "\n"))
			}
		}
		for _, target := range []string{"/dashboard", "/team/finance", "/expenses"} {
			b.get(target)
			known := *s.store.known.Load()
			known.asked = known.asked.AddDate(1, 0, 0)
			s.store.known.Store(&known)
			queries.take()
			b.get(target).check(t, http.StatusOK)
			if asked := own(queries.take()); len(asked) > 0 {
				t.Errorf("%s asks again: %s", target, fmt.Sprint(asked))
			}
		}
	})
}

// own leaves out what is asked once for all requests.
func own(queries []string) []string {
	var rest []string
	for _, query := range queries {
		if !strings.Contains(query, "FROM ended ") {
			rest = append(rest, query)
		}
	}
	return rest
}

func findIn(t *testing.T, text, expression string) string {
	t.Helper()
	found := regexp.MustCompile(expression).FindString(text)
	if found == "" {
		t.Fatalf("nothing is like %s", expression)
	}
	return found
}
