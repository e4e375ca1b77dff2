package ledger_test

import (
	"fmt"
	"testing"

	"modernc.org/libc"
	sqlite "modernc.org/sqlite/lib"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/internal/query"
)

// TestStatementsStayPrepared runs the statements of lists twice. To prepare one anew takes
// longer than to run it.
func TestStatementsStayPrepared(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		if s.DB.File() == "" {
			t.Skip("PostgreSQL tells by itself when a plan for any argument will do")
		}
		fixture.ManyExpenses(t, s, 20)
		runs := openRuns(t, s.DB.File())
		for name, q := range map[string]expense.Query{
			"a team":        {Teams: []string{"hr"}},
			"some teams":    {Teams: []string{"hr", "finance"}},
			"all teams":     {},
			"a name":        {Person: "Zoë"},
			"an address":    {Person: fixture.Bob.Address},
			"me":            {Person: expense.PersonMe},
			"a category":    {Category: "Meals"},
			"days":          {From: expense.NewDate(2026, 1, 5), To: expense.NewDate(2026, 2, 7)},
			"amounts":       {Min: expense.Bound{Text: "1", Amount: 100}},
			"words":         {Q: "banana split"},
			"words of some": {Q: "banana split", Teams: []string{"hr", "finance"}},
			"a status":      {Teams: []string{"hr"}, Approving: []string{"hr"}, Status: expense.StatusApproved},
		} {
			q.Sort, q.Desc, q.Reader = "date", true, fixture.Dana
			of := query.Statement{Query: q}
			for _, text := range []func(*database.Builder) string{
				func(b *database.Builder) string { return of.Page(b, 100, 51) },
				func(b *database.Builder) string { return of.Parts(b, 100) },
				of.Groups,
			} {
				var b database.Builder
				text := text(&b)
				if again := runs.preparedAnew(text, b.Args); again != 0 {
					t.Errorf("%s: prepared %d times more, each time for %v:\n%s", name, again, b.Args, text)
				}
			}
		}
	})
}

// runs runs statements on a connection of the library itself, which tells what became of
// them.
type runs struct {
	t    *testing.T
	tls  *libc.TLS
	conn uintptr
}

func openRuns(t *testing.T, file string) runs {
	r := runs{t: t, tls: libc.NewTLS()}
	name, conn := r.text(file), r.text("a pointer")
	if code := sqlite.Xsqlite3_open_v2(r.tls, name, conn, sqlite.SQLITE_OPEN_READONLY, 0); code != sqlite.SQLITE_OK {
		t.Fatalf("open: %d", code)
	}
	r.conn = libc.AtomicLoadPUintptr(conn)
	t.Cleanup(func() {
		sqlite.Xsqlite3_close_v2(r.tls, r.conn)
		r.tls.Close()
	})
	return r
}

func (r runs) text(s string) uintptr {
	c, err := libc.CString(s)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// preparedAnew runs a statement three times and returns how often it was prepared behind
// the first time.
func (r runs) preparedAnew(text string, args []any) int32 {
	place := r.text("a pointer")
	if code := sqlite.Xsqlite3_prepare_v3(r.tls, r.conn, r.text(text), -1, sqlite.SQLITE_PREPARE_PERSISTENT, place, 0); code != sqlite.SQLITE_OK {
		r.t.Fatalf("prepare: %d: %s", code, text)
	}
	statement := libc.AtomicLoadPUintptr(place)
	defer sqlite.Xsqlite3_finalize(r.tls, statement)
	for range 3 {
		for i, arg := range args {
			if code := sqlite.Xsqlite3_bind_text(r.tls, statement, int32(i+1), r.text(fmt.Sprint(arg)), -1, 0); code != sqlite.SQLITE_OK {
				r.t.Fatalf("bind: %d", code)
			}
		}
		for sqlite.Xsqlite3_step(r.tls, statement) == sqlite.SQLITE_ROW {
		}
		sqlite.Xsqlite3_reset(r.tls, statement)
	}
	return sqlite.Xsqlite3_stmt_status(r.tls, statement, sqlite.SQLITE_STMTSTATUS_REPREPARE, 0)
}
