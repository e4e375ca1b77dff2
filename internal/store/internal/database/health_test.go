package database_test

import (
	"errors"
	"strings"
	"testing"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/storetest"
)

// TestPingReadsEveryTable holds the tables that Ping reads against those that a
// database has, but for the index of the search, which no page needs but its own.
func TestPingReadsEveryTable(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		list := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'goose%' AND name NOT LIKE 'expense_words%' ORDER BY 1`
		if s.DB.File() == "" {
			list = `SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname NOT LIKE 'goose%' ORDER BY 1`
		}
		var tables []string
		err := s.DB.Each(t.Context(), s.DB.Read(), list, nil, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			tables = append(tables, name)
			return err
		})
		if err != nil || strings.Join(tables, " ") != strings.Join(s.DB.Known().Tables(), " ") {
			t.Errorf("the database has the tables %q, %v; Ping reads %q", tables, err, s.DB.Known().Tables())
		}
	})
}

// TestPingWithoutATable takes each table away in turn, by a lock or by its rights,
// which keeps pages from being read.
func TestPingWithoutATable(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.Postgres(t)
	s := fixture.Started(t, databaseURL)
	fixture.Created(t, s, fixture.Lunch())
	for _, test := range []struct{ name, take, give, reason string }{
		{"a right is missing", `REVOKE SELECT ON expenses FROM reader`, `GRANT SELECT ON expenses TO reader`, "a right is missing"},
		{"the table of sessions is closed", `REVOKE SELECT ON sessions FROM reader`, `GRANT SELECT ON sessions TO reader`, "a right is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			role := "reader_" + strings.ToLower(expense.NewID())
			for _, text := range []string{
				`CREATE ROLE reader LOGIN SUPERUSER`, `ALTER ROLE reader NOSUPERUSER`, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO reader`,
			} {
				if _, err := s.DB.Write().Exec(strings.ReplaceAll(text, "reader", role)); err != nil {
					t.Fatal(err)
				}
			}
			t.Cleanup(func() { s.DB.Write().Exec(`DROP OWNED BY ` + role); s.DB.Write().Exec(`DROP ROLE ` + role) })
			reader := fixture.Started(t, strings.Replace(databaseURL, "postgres@", role+"@", 1))
			if _, err := s.DB.Write().Exec(strings.ReplaceAll(test.take, "reader", role)); err != nil {
				t.Fatal(err)
			}
			err := reader.Ping(t.Context())
			fixture.CheckUnavailable(t, "ping", err)
			if got := fault.Reason(err); got != test.reason {
				t.Errorf("the reason is %q for %v, want %q", got, err, test.reason)
			}
			if _, err := s.DB.Write().Exec(strings.ReplaceAll(test.give, "reader", role)); err != nil {
				t.Fatal(err)
			}
			if err := reader.Ping(t.Context()); err != nil {
				t.Errorf("ping with its rights: %v", err)
			}
		})
	}
	tx, err := s.DB.Write().Begin()
	if err == nil {
		_, err = tx.Exec(`LOCK TABLE group_sums IN ACCESS EXCLUSIVE MODE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	err = s.Ping(t.Context())
	fixture.CheckUnavailable(t, "ping with a lock", err)
	if got := fault.Reason(err); got != "it is locked" && got != "it does not answer in time" {
		t.Errorf("the reason is %q for %v", got, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping after the lock: %v", err)
	}
}

// TestOlderProgramStopsWriting lets a newer program change the database under one
// that runs: it reads on, and writes nothing that the newer one would miss.
func TestOlderProgramStopsWriting(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		e := fixture.Created(t, s, fixture.Lunch())
		if _, err := s.DB.Write().Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, $2)`, 99, true); err != nil {
			t.Fatal(err)
		}
		_, _, err := s.Create(t.Context(), fixture.Alice, fixture.Lunch(), "form")
		fixture.CheckUnavailable(t, "create", err)
		var newer *fault.NewerError
		if !errors.As(err, &newer) || fault.Reason(err) != "a newer program has changed the database" {
			t.Errorf("create: %v", err)
		}
		if err := s.Ping(t.Context()); !errors.As(err, &newer) || !fault.IsUnavailable(err) {
			t.Errorf("ping: %v", err)
		}
		if now := fixture.Stored(t, s, e); now != e {
			t.Errorf("it reads %+v, want %+v", now, e)
		}
		if page, err := s.Page(t.Context(), expense.Query{}, 1); err != nil || len(page.Expenses) != 1 {
			t.Errorf("a page has %d expenses, %v", len(page.Expenses), err)
		}
	})
}
