package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
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
		"revisions": func() error {
			s.ForgetRevisions()
			_, err := s.Revisions(t.Context(), time.Now())
			return err
		},
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
