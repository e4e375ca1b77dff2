package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/sessions"
	"expense-dashboard/internal/store/upkeep"
	"expense-dashboard/internal/storetest"
)

// TestBehindAPooler starts several programs at once behind PgBouncer in transaction
// mode, and has each do at once whatever there is to do.
func TestBehindAPooler(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"", "&default_query_exec_mode=exec", "&default_query_exec_mode=simple_protocol"} {
		t.Run("with "+mode, func(t *testing.T) {
			t.Parallel()
			databaseURL := storetest.Pooler(t, storetest.Postgres(t)) + mode
			stores := make([]*fixture.Store, 4)
			var starting, working sync.WaitGroup
			for i := range stores {
				stores[i] = fixture.Opened(t, databaseURL)
				starting.Go(func() {
					if err := errors.Join(stores[i].Start(t.Context(), true), stores[i].Ping(t.Context())); err != nil {
						t.Errorf("start: %v", err)
					}
				})
			}
			starting.Wait()
			for i := range 8 {
				working.Go(func() {
					for turn := range 15 {
						if err := useEverything(t.Context(), stores[i%len(stores)], fmt.Sprint(i, " ", turn)); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			working.Wait()
			if summary, err := stores[0].Summary(t.Context(), expense.Query{}); err != nil || summary.Count != 20+8*15 {
				t.Errorf("%d expenses, %v; want the sample once and %d more", summary.Count, err, 8*15)
			}
			if state, err := upkeep.Inspect(t.Context(), databaseURL); err != nil || state.Version != state.Known || state.Pooled != (mode == "") {
				t.Errorf("inspect: %+v, %v", state, err)
			}
		})
	}
}

// useEverything reads and writes what a site reads and writes.
func useEverything(ctx context.Context, s *fixture.Store, mark string) error {
	entry := fixture.Lunch()
	entry.Note = mark
	e, _, err1 := s.Create(ctx, fixture.Alice, entry, mark)
	entry.Item = "Tea"
	e, err2 := s.Update(ctx, fixture.Alice, e.ID, e.Version, entry)
	_, err3 := s.Detail(ctx, fixture.Alice, e.Team, e.ID)
	_, _, err4 := s.PageAndSummary(ctx, expense.Query{Teams: []string{e.Team}, Q: "tea", Sort: "amount"})
	_, err5 := s.Overview(ctx, fixture.Alice, nil, nil, expense.DateOf(time.Now()))
	_, err6 := s.Revisions(ctx, time.Now())
	_, _, err7 := s.Endings(ctx, sessions.Mark{})
	err8 := s.EndSessions(ctx, []sessions.Ending{{Kind: sessions.EndSubject, Key: mark, UpTo: time.Now(), Expires: time.Now().Add(time.Hour)}}, "test", time.Now(), sessions.UsedToken{ID: strings.Repeat("x", 64-len(mark)) + mark, Expires: time.Now().Add(time.Hour)})
	err9 := s.Each(ctx, expense.Query{Sort: "date", Desc: true}, func(expense.Expense) error { return nil })
	return errors.Join(err1, err2, err3, err4, err5, err6, err7, err8, err9, s.PingWrites(ctx))
}

// TestReadsWhoseConnectionIsCut ends every connection to the server before each
// read, and in the middle of some: none fails.
func TestReadsWhoseConnectionIsCut(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.Postgres(t)
	s := fixture.Started(t, databaseURL)
	e := fixture.Created(t, s, fixture.Lunch())
	killer := storetest.DB(t, databaseURL)
	for name, read := range map[string]func() error{
		"page":             func() error { _, err := s.Page(t.Context(), expense.Query{}, 0); return err },
		"page and summary": func() error { _, _, err := s.PageAndSummary(t.Context(), expense.Query{}); return err },
		"detail":           func() error { _, err := s.Detail(t.Context(), fixture.Alice, e.Team, e.ID); return err },
		"expense":          func() error { _, err := s.Expense(t.Context(), fixture.Alice, e.Team, e.ID); return err },
		"endings":          func() error { _, _, err := s.Endings(t.Context(), sessions.Mark{}); return err },
		"sessions":         func() error { _, err := s.Sessions(t.Context(), sessions.Query{Limit: 1}, time.Now()); return err },
		"revisions":        func() error { _, err := s.Revisions(t.Context(), fixture.FarFuture); return err },
		"overview": func() error {
			overview, err := s.Overview(t.Context(), fixture.Alice, nil, nil, expense.DateOf(time.Now()))
			if err == nil && (len(overview.Teams) != 1 || overview.Teams[0].Count != 1) {
				err = fmt.Errorf("they are %+v", overview)
			}
			return err
		},
	} {
		for range 3 {
			var busy sync.WaitGroup
			for range 5 {
				busy.Go(func() { s.Page(t.Context(), expense.Query{}, 0) })
			}
			busy.Wait()
			if _, err := killer.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
				t.Fatal(err)
			}
			if err := read(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestReadsCutInTheMiddle cuts each read after its first row, and after some more: what
// came by then counts nowhere, and nothing is there twice.
func TestReadsCutInTheMiddle(t *testing.T) {
	t.Parallel()
	cutter := storetest.NewCutter(t, storetest.Postgres(t))
	s := fixture.Started(t, cutter.URL)
	rows := fixture.Parsed(t, s, expensefile.Columns+`
,2026-11-02,finance,Alice,Lunch,Meals,10,,,
,2026-11-03,hr,Bob,Train,Travel,20,,,
,2026-11-04,ops,Carol,Desk,Furniture,30,,,
`)
	imported := fixture.Checked(t, s, rows)
	fixture.Ran(t, s, fixture.Leased(t, s, imported), rows, nil)
	var ids []string
	var seen []expense.Seen
	err := s.Each(t.Context(), expense.Query{}, func(e expense.Expense) error {
		ids, seen = append(ids, e.ID), append(seen, expense.Seen{ID: e.ID, Version: e.Version})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sel := expense.Selection{Action: expense.SelectedCategory, Value: "Travel", Expenses: seen}
	done, err := s.ChangeSelected(t.Context(), fixture.Dana, sel, expense.NewID())
	if err != nil {
		t.Fatal(err)
	}
	today, month := expense.NewDate(2026, 11, 22), "2026-11"
	for version, category := range []string{"", "Meals", "Travel"} {
		if err := s.SetBudget(t.Context(), fixture.Dana, "hr", month, category, 100, int64(version)); err != nil {
			t.Fatal(err)
		}
	}
	all := expense.Query{Sort: "date", Desc: true}
	ctx := t.Context()
	for name, read := range map[string]func() (any, error){
		"page":           func() (any, error) { return s.Page(ctx, all, 3) },
		"summary":        func() (any, error) { return s.Summary(ctx, all) },
		"overview":       func() (any, error) { return s.Overview(ctx, fixture.Alice, nil, nil, today) },
		"detail":         func() (any, error) { return s.Detail(ctx, fixture.Alice, "finance", ids[0]) },
		"activity":       func() (any, error) { return s.Activity(ctx, expense.ActivityQuery{}, time.UTC, 10) },
		"selected":       func() (any, error) { return s.Selected(ctx, fixture.Alice, ids) },
		"batch":          func() (any, error) { return s.Batch(ctx, fixture.Dana, done.ID) },
		"categories":     func() (any, error) { return s.Categories(ctx) },
		"people":         func() (any, error) { return s.People(ctx) },
		"budgets":        func() (any, error) { return s.Budgets(ctx, "hr", month, today) },
		"budget lines":   func() (any, error) { return s.BudgetLines(ctx, "hr", month, today) },
		"budget history": func() (any, error) { return s.BudgetHistory(ctx, "hr", 10) },
		"teams":          func() (any, error) { return s.TeamsWithExpenses(ctx) },
		"comparison":     func() (any, error) { return s.Compare(ctx, rows, time.Time{}, time.Now()) },
		"shown by":       func() (any, error) { return s.ShownBy(ctx, rows) },
	} {
		want, err := read()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for rows := range 4 {
			cutter.CutAfter(rows)
			if got, err := read(); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, cut after %d rows: %+v, %v\nwant %+v", name, rows, got, err, want)
			}
			if rows == 1 && !cutter.Cut() {
				t.Errorf("%s was not cut", name)
			}
			cutter.CutAfter(-1)
		}
	}
}

// TestCollisionsAreTriedAgain has two transactions lock the same rows in opposite
// orders, which PostgreSQL ends by refusing one of them.
func TestCollisionsAreTriedAgain(t *testing.T) {
	t.Parallel()
	s := fixture.Started(t, storetest.Postgres(t))
	ids := []string{fixture.Created(t, s, fixture.Lunch()).ID, fixture.Created(t, s, fixture.Lunch()).ID}
	var both sync.WaitGroup
	var met sync.WaitGroup
	met.Add(2)
	for i := range 2 {
		both.Go(func() {
			first := true
			err := s.DB.Change(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
				for step, id := range []string{ids[i], ids[1-i]} {
					if step == 1 && first {
						first = false
						met.Done()
						met.Wait() // each has one of the rows
					}
					if _, err := tx.ExecContext(ctx, `SELECT id FROM expenses WHERE id = $1 FOR UPDATE`, id); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Errorf("transaction %d: %v", i, err)
			}
		})
	}
	both.Wait()
}
