package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/storetest"
)

var (
	// alice and bob are two people who work on expenses in tests.
	alice = expense.Actor{Address: "alice.johnson@task-vantage.com", Name: "Alice Johnson"}
	bob   = expense.Actor{Address: "bob.smith@task-vantage.com", Name: "Bob Smith"}
)

// forEachStore runs a test on an empty store of each database.
func forEachStore(t *testing.T, test func(*testing.T, *Store)) {
	storetest.EachURL(t, func(t *testing.T, databaseURL string) { test(t, startedStore(t, databaseURL)) })
}

// startedStore opens a store that is closed with the test.
func startedStore(t testing.TB, databaseURL string) *Store {
	t.Helper()
	s := openedStore(t, databaseURL)
	if err := s.Start(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func openedStore(t testing.TB, databaseURL string) *Store {
	t.Helper()
	s, err := Open(databaseURL, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func lunch() expense.Entry {
	return expense.Entry{
		Team: "finance", Date: expense.NewDate(2026, time.March, 2), Person: "Alice Johnson", Owner: alice.Address,
		Item: "Team Lunch", Category: "Meals", Amount: 18050, Note: "with the auditors",
	}
}

// created adds an expense that nobody doubts.
func created(t testing.TB, s *Store, entry expense.Entry) expense.Expense {
	t.Helper()
	e, isNew, err := s.Create(t.Context(), alice, entry, "")
	if err != nil || !isNew {
		t.Fatalf("create: %v, new %v", err, isNew)
	}
	return e
}

// stored returns the expense as it is now.
func stored(t testing.TB, s *Store, e expense.Expense) expense.Expense {
	t.Helper()
	now, err := s.Expense(t.Context(), expense.Actor{}, e.Team, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// historyOf returns what was done to an expense, the latest first.
func historyOf(t testing.TB, s *Store, id string) []expense.Event {
	t.Helper()
	var team string
	if err := s.read.QueryRowContext(t.Context(), `SELECT team FROM expenses WHERE id = $1`, id).Scan(&team); err != nil {
		t.Fatal(err)
	}
	detail, err := s.Detail(t.Context(), expense.Actor{}, team, id)
	if err != nil {
		t.Fatal(err)
	}
	return detail.History
}

// actions lists what was done to an expense, the latest first.
func actions(t testing.TB, s *Store, id string) string {
	t.Helper()
	var list []string
	for _, e := range historyOf(t, s, id) {
		list = append(list, e.Action)
	}
	return strings.Join(list, " ")
}

func TestOpenStoreRefusesURLs(t *testing.T) {
	for name, databaseURL := range map[string]string{
		"nothing":        "",
		"no scheme":      "expenses.db",
		"another scheme": "mysql://root:canary@host/db",
		"no file":        "sqlite:",
		"in memory":      "sqlite::memory:",
		"two slashes":    "sqlite://expenses.db",
		"bad port":       "postgres://user:canary@host:port/db",
		"bad escape":     "postgres://user:canary%zz@host/db",
		"bad setting":    "postgres://user:canary@host/db?sslmode=canary",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(databaseURL, slog.New(slog.DiscardHandler), nil)
			if err == nil {
				t.Fatal("opened")
			}
			if text := err.Error(); strings.Contains(text, "canary") || !strings.Contains(text, "write ") {
				t.Errorf("error %q shows the password or no mend", text)
			}
		})
	}
}

// Nobody else may read the file or what is beside it, also where an older program
// or a copy of it by hand has left them open.
func TestSQLiteFilesArePrivate(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	file := strings.TrimPrefix(databaseURL, "sqlite:")
	check := func(when string) {
		t.Helper()
		beside, err := os.ReadDir(filepath.Dir(file))
		if err != nil || len(beside) != 4 {
			t.Fatalf("%s there are %v, %v; want the file, its lock, -wal and -shm", when, beside, err)
		}
		for _, entry := range beside {
			if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s %s is %v, %v", when, entry.Name(), info.Mode(), err)
			}
		}
	}
	created(t, startedStore(t, databaseURL), lunch())
	check("after the first start")
	for _, suffix := range []string{"", "-lock", "-wal", "-shm"} {
		if err := os.Chmod(file+suffix, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	created(t, startedStore(t, databaseURL), lunch())
	check("after the next start")
}

func TestSQLiteSettings(t *testing.T) {
	t.Parallel()
	s := startedStore(t, storetest.SQLite(t))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		if err := s.write.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", pragma, got, err, want)
		}
	}
	if _, err := s.read.Exec(`DELETE FROM expenses`); err == nil {
		t.Error("a connection for reading writes")
	}
}

func TestExpenseComesBackAsItWas(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		entry := lunch()
		entry.Item = `Zoë's 🍜 "soup"; DROP TABLE expenses; -- $1 ? \ %`
		entry.Note = "first line\n\tsecond: Ünïcödé 日本語"
		e := created(t, s, entry)
		got := stored(t, s, e)
		entry.Address, entry.PersonID, entry.OwnerID = alice.Address, e.PersonID, e.OwnerID
		if got != e || got.Entry != entry || got.Version != 1 || got.Deleted() || !expense.IsID(got.ID) {
			t.Errorf("got %+v, want %+v", got, e)
		}
		for name, place := range map[string][2]string{
			"foreign team": {"hr", e.ID},
			"unknown id":   {"finance", expense.NewID()},
			"no id":        {"finance", "x' OR '1'='1"},
			"NUL":          {"finance\x00", e.ID},
		} {
			if _, err := s.Expense(t.Context(), expense.Actor{}, place[0], place[1]); !errors.Is(err, expense.ErrNotFound) && name != "NUL" {
				t.Errorf("%s: %v, want errNotFound", name, err)
			}
		}
	})
}

func TestCreateCountsAFormOnce(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		var (
			wg    sync.WaitGroup
			ids   [8]string
			isNew [8]bool
			errs  [8]error
		)
		for i := range ids {
			wg.Go(func() {
				var e expense.Expense
				e, isNew[i], errs[i] = s.Create(t.Context(), alice, lunch(), "form-1")
				ids[i] = e.ID
			})
		}
		wg.Wait()
		news := 0
		for i := range ids {
			if errs[i] != nil || ids[i] != ids[0] {
				t.Fatalf("%d: %s, %v; want %s", i, ids[i], errs[i], ids[0])
			}
			if isNew[i] {
				news++
			}
		}
		if news != 1 || actions(t, s, ids[0]) != "created" {
			t.Errorf("%d say that they are new, history %q", news, actions(t, s, ids[0]))
		}
		other, isOther, err := s.Create(t.Context(), bob, lunch(), "form-1")
		if err != nil || !isOther || other.ID == ids[0] {
			t.Errorf("another person's form of the same name is not theirs: %v, %v", isOther, err)
		}
	})
}

func TestUpdateAndConflict(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		e := created(t, s, lunch())
		entry := e.Entry
		entry.Amount, entry.Note = 20000, ""
		changed, err := s.Update(t.Context(), alice, e.ID, 1, entry)
		if err != nil || changed.Version != 2 || stored(t, s, e) != changed {
			t.Fatalf("update: %+v, %v", changed, err)
		}
		if again, err := s.Update(t.Context(), alice, e.ID, 1, entry); err != nil || again != changed {
			t.Errorf("the same form again: %+v, %v", again, err)
		}
		other := entry
		other.Item = "Dinner"
		_, err = s.Update(t.Context(), bob, e.ID, 1, other)
		var conflict *expense.ConflictError
		if !errors.As(err, &conflict) || conflict.Current != changed {
			t.Errorf("stale update: %v, want a conflict with %+v", err, changed)
		}
		if _, err := s.Update(t.Context(), bob, expense.NewID(), 1, other); !errors.Is(err, expense.ErrNotFound) {
			t.Errorf("unknown expense: %v", err)
		}
		events := historyOf(t, s, e.ID)
		want := []expense.Change{{Field: "amount", Old: "180.50", New: "200.00"}, {Field: "note", Old: "with the auditors", New: ""}}
		if len(events) != 2 || !reflect.DeepEqual(events[0].Changes, want) || events[0].Actor != alice {
			t.Fatalf("history %+v", events)
		}
		if len(events[1].Changes) != 0 || events[1].Action != expense.ActionCreated || events[0].At.Location() != time.UTC {
			t.Errorf("first event %+v", events[1])
		}
	})
}

func TestTwoEditorsAtOnce(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		e := created(t, s, lunch())
		var (
			wg   sync.WaitGroup
			errs [8]error
		)
		for i := range errs {
			wg.Go(func() {
				entry := e.Entry
				entry.Item = fmt.Sprintf("Lunch %d", i)
				_, errs[i] = s.Update(t.Context(), alice, e.ID, 1, entry)
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			var conflict *expense.ConflictError
			switch {
			case err == nil:
				won++
			case !errors.As(err, &conflict) || conflict.Current.Version != 2:
				t.Errorf("%v, want a conflict with version 2", err)
			}
		}
		if won != 1 || actions(t, s, e.ID) != "changed created" {
			t.Errorf("%d won, history %q", won, actions(t, s, e.ID))
		}
	})
}

func TestDeleteAndRestore(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		e := created(t, s, lunch())
		var conflict *expense.ConflictError
		if _, err := s.Delete(t.Context(), alice, e.ID, 7); !errors.As(err, &conflict) {
			t.Errorf("delete of another version: %v", err)
		}
		deleted, err := s.Delete(t.Context(), alice, e.ID, 1)
		if err != nil || !deleted.Deleted() || stored(t, s, e) != deleted {
			t.Fatalf("delete: %+v, %v", deleted, err)
		}
		if again, err := s.Delete(t.Context(), alice, e.ID, 1); err != nil || again != deleted {
			t.Errorf("delete again: %+v, %v", again, err)
		}
		if _, err := s.Delete(t.Context(), bob, e.ID, 1); !errors.As(err, &conflict) {
			t.Errorf("delete by another: %v", err)
		}
		for version := range int64(3) {
			if _, err := s.Update(t.Context(), alice, e.ID, version, e.Entry); !errors.As(err, &conflict) || !conflict.Current.Deleted() {
				t.Errorf("update of a deleted expense: %v", err)
			}
		}
		if page, err := s.Page(t.Context(), expense.Query{}, 0); err != nil || len(page.Expenses) != 0 {
			t.Errorf("a page shows %v, %v", page, err)
		}
		restored, err := s.Restore(t.Context(), alice, e.ID, 2)
		if err != nil || restored.Deleted() || restored.Version != 3 || restored.Entry != e.Entry {
			t.Fatalf("restore: %+v, %v", restored, err)
		}
		if again, err := s.Restore(t.Context(), alice, e.ID, 2); err != nil || again != restored {
			t.Errorf("restore again: %+v, %v", again, err)
		}
		if _, err := s.Restore(t.Context(), bob, e.ID, 2); !errors.As(err, &conflict) {
			t.Errorf("restore by another: %v", err)
		}
		if got := actions(t, s, e.ID); got != "restored deleted created" {
			t.Errorf("history %q", got)
		}
	})
}

func TestDatabaseRefusesWhatTheFormsRefuse(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		for name, spoil := range map[string]func(*expense.Entry){
			"no amount":         func(e *expense.Entry) { e.Amount = 0 },
			"refund over limit": func(e *expense.Entry) { e.Amount = -100_000_000_001 },
			"amount over limit": func(e *expense.Entry) { e.Amount = 100_000_000_001 },
			"no date":           func(e *expense.Entry) { e.Date = expense.Date{} },
			"no team":           func(e *expense.Entry) { e.Team = "" },
			"no item":           func(e *expense.Entry) { e.Item = "" },
			"long item":         func(e *expense.Entry) { e.Item = strings.Repeat("é", expense.MaxItem+1) },
			"long category":     func(e *expense.Entry) { e.Category = strings.Repeat("é", expense.MaxCategory+1) },
			"long person":       func(e *expense.Entry) { e.Person = strings.Repeat("é", expense.MaxPerson+1) },
			"long note":         func(e *expense.Entry) { e.Note = strings.Repeat("é", expense.MaxNote+1) },
		} {
			entry := lunch()
			spoil(&entry)
			if _, _, err := s.Create(t.Context(), alice, entry, ""); err == nil || IsUnavailable(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		entry := lunch()
		entry.Item, entry.Category = strings.Repeat("é", expense.MaxItem), strings.Repeat("🍜", expense.MaxCategory)
		entry.Person, entry.Note = strings.Repeat("ß", expense.MaxPerson), strings.Repeat("日", expense.MaxNote)
		created(t, s, entry)
		if page, err := s.Page(t.Context(), expense.Query{}, 0); err != nil || len(page.Expenses) != 1 {
			t.Errorf("page %v, %v", page, err)
		}
	})
}

func TestSample(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		today := expense.DateOf(time.Now())
		var wg sync.WaitGroup
		stores := make([]*Store, 4)
		for i := range stores {
			stores[i] = openedStore(t, databaseURL)
			wg.Go(func() {
				if err := stores[i].Start(t.Context(), true); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		overview, err := stores[0].Overview(t.Context(), expense.Actor{}, nil, nil, today)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, team := range overview.Teams {
			got += fmt.Sprintf("%s %d %s\n", team.Team, team.Count, expense.Dollars().Plain(team.Total))
			months := expense.Money(0)
			for _, month := range team.ByMonth {
				months += month.Total
			}
			if months != team.Total || len(team.ByMonth) != 12 {
				t.Errorf("%s: the months make %v of %v", team.Team, months, team.Total)
			}
		}
		want := "dev-advocacy 4 2450.00\nfinance 4 2780.00\nhr 4 3400.00\nlegal 4 3820.00\nmarketing 4 2200.00\n"
		if got != want {
			t.Errorf("totals\n%swant\n%s", got, want)
		}
		err = stores[0].Each(t.Context(), expense.Query{}, func(e expense.Expense) error {
			done := map[expense.Status]string{expense.StatusLogged: "created", expense.StatusApproved: "approved created", expense.StatusSentBack: "sent-back created"}[e.Status]
			if e.Date.Compare(today) >= 0 || e.Owner != "" || e.Category == "Other" || actions(t, stores[1], e.ID) != done {
				t.Errorf("sample %+v", e)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
