package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/internal/ledger"
	"expense-dashboard/internal/store/internal/names"
	"expense-dashboard/internal/storetest"
)

// done wants something to be done.
func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestMigrateChild is one of the programs that TestMigrationsRaced starts.
func TestMigrateChild(t *testing.T) {
	databaseURL := os.Getenv("MIGRATE_CHILD_URL")
	if databaseURL == "" {
		t.Skip("started by TestMigrationsRaced only")
	}
	s := fixture.Opened(t, databaseURL)
	if err := s.Start(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	fixture.Created(t, s, fixture.Lunch())
}

func TestMigrationsRaced(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		const programs = 6
		var wg sync.WaitGroup
		for range programs {
			wg.Go(func() {
				child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMigrateChild$", "-test.v")
				child.Env = append(os.Environ(), "MIGRATE_CHILD_URL="+databaseURL)
				if output, err := child.CombinedOutput(); err != nil || !strings.Contains(string(output), "--- PASS: TestMigrateChild") {
					t.Errorf("%v: %s", err, output)
				}
			})
		}
		wg.Wait()
		s := fixture.Started(t, databaseURL)
		summary, err := s.Summary(t.Context(), expense.Query{})
		if err != nil || summary.Count != 20+programs {
			t.Errorf("%d expenses, %v; want the sample once and one of each program", summary.Count, err)
		}
		var applied int
		if err := s.DB.Read().QueryRow(`SELECT COUNT(*) FROM goose_db_version WHERE version_id = 1`).Scan(&applied); err != nil || applied != 1 {
			t.Errorf("the migration is recorded %d times, %v", applied, err)
		}
	})
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		first := fixture.Started(t, databaseURL)
		fixture.Created(t, first, fixture.Lunch())
		if _, err := first.DB.Write().Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, $2)`, 99, true); err != nil {
			t.Fatal(err)
		}
		s := fixture.Opened(t, databaseURL)
		err := s.Start(t.Context(), true)
		var newer *fault.NewerError
		if !errors.As(err, &newer) || newer.Database != 99 || newer.Program < 2 || !strings.Contains(err.Error(), "run the newer program") {
			t.Errorf("start: %v", err)
		}
		_, _, err = s.Create(t.Context(), fixture.Alice, fixture.Lunch(), "")
		fixture.CheckUnavailable(t, "create", err)
		if !errors.As(s.Ping(t.Context()), &newer) {
			t.Errorf("ping: %v", s.Ping(t.Context()))
		}
	})
}

func TestFileThatIsNoDatabase(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "expenses.db")
	if err := os.WriteFile(file, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := fixture.Opened(t, "sqlite:"+file)
	if err := s.Start(t.Context(), false); err == nil || fault.IsUnavailable(err) {
		t.Errorf("start: %v, want a lasting error", err)
	}
}

// TestSQLiteFolderMissingAtStart starts where the file cannot be made, and finds
// the store serving when it can.
func TestSQLiteFolderMissingAtStart(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "later")
	s := fixture.Opened(t, "sqlite:"+filepath.Join(folder, "expenses.db"))
	if err := s.Start(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	_, err := s.Page(t.Context(), expense.Query{}, 0)
	fixture.CheckUnavailable(t, "page", err)
	fixture.CheckUnavailable(t, "ping", s.Ping(t.Context()))
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	fixture.Eventually(t, s)
	if page, err := s.Page(t.Context(), expense.Query{}, 0); err != nil || len(page.Expenses) != 20 {
		t.Errorf("%d expenses, %v", len(page.Expenses), err)
	}
}

// checkWritesFail wants every write to say that the database is unavailable and
// to change nothing, and e to be readable as it is.
func checkWritesFail(t *testing.T, s *fixture.Store, e expense.Expense) {
	t.Helper()
	entry := e.Entry
	entry.Note = strings.Repeat("n", expense.MaxNote)
	_, _, err := s.Create(t.Context(), fixture.Alice, entry, "form")
	fixture.CheckUnavailable(t, "create", err)
	_, err = s.Update(t.Context(), fixture.Alice, e.ID, e.Version, entry)
	fixture.CheckUnavailable(t, "update", err)
	fixture.CheckUnavailable(t, "ping writes", s.PingWrites(t.Context()))
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	if now := fixture.Stored(t, s, e); now != e || fixture.Actions(t, s, e.ID) != "created" {
		t.Errorf("a write that failed left %+v, %s", now, fixture.Actions(t, s, e.ID))
	}
}

// checkServes wants everything to be as before, and writes to succeed.
func checkServes(t *testing.T, s *fixture.Store, e expense.Expense) {
	t.Helper()
	if err := errors.Join(s.Ping(t.Context()), s.PingWrites(t.Context())); err != nil {
		t.Errorf("ping: %v", err)
	}
	if _, isNew, err := s.Create(t.Context(), fixture.Alice, e.Entry, "form"); err != nil || !isNew {
		t.Errorf("create: %v, new %v", err, isNew)
	}
	summary, err := s.Summary(t.Context(), expense.Query{})
	if err != nil || summary.Count != 2 {
		t.Errorf("%d expenses, %v; want 2", summary.Count, err)
	}
}

func TestSQLiteLocked(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	s := fixture.Started(t, databaseURL)
	e := fixture.Created(t, s, fixture.Lunch())
	other := fixture.Started(t, databaseURL)
	tx, err := other.DB.Write().Begin()
	if err != nil {
		t.Fatal(err)
	}
	// The wait for a lock is shorter here than in the program.
	if _, err := s.DB.Write().Exec(`PRAGMA busy_timeout = 50`); err != nil {
		t.Fatal(err)
	}
	checkWritesFail(t, s, e)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	checkServes(t, s, e)
}

func TestSQLiteFull(t *testing.T) {
	t.Parallel()
	s := fixture.Started(t, storetest.SQLite(t))
	e := fixture.Created(t, s, fixture.Lunch())
	// The writer has one connection, so that its bound is the bound of all writes.
	var pages, limit int
	if err := s.DB.Write().QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if err := s.DB.Write().QueryRow(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)).Scan(&limit); err != nil || limit != pages {
		t.Fatal(limit, err)
	}
	filled := 0
	for ; ; filled++ {
		entry := e.Entry
		entry.Note = strings.Repeat("n", expense.MaxNote)
		if _, _, err := s.Create(t.Context(), fixture.Alice, entry, ""); err != nil {
			fixture.CheckUnavailable(t, "create", err)
			break
		}
	}
	summary, err := s.Summary(t.Context(), expense.Query{})
	if err != nil || summary.Count != int64(1+filled) {
		t.Errorf("%d expenses, %v; want those that were acknowledged, %d", summary.Count, err, 1+filled)
	}
	var recorded int
	if err := s.DB.Read().QueryRow(`SELECT COUNT(*) FROM history`).Scan(&recorded); err != nil || recorded != 1+filled {
		t.Errorf("%d history rows, %v; want %d", recorded, err, 1+filled)
	}
	if _, err := s.DB.Write().Exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+1000)); err != nil {
		t.Fatal(err)
	}
	fixture.Created(t, s, fixture.Lunch())
}

func TestSQLiteReadOnly(t *testing.T) {
	t.Parallel()
	s := fixture.Started(t, storetest.SQLite(t))
	e := fixture.Created(t, s, fixture.Lunch())
	if _, err := s.DB.Write().Exec(`PRAGMA query_only = ON`); err != nil {
		t.Fatal(err)
	}
	checkWritesFail(t, s, e)
	if _, err := s.DB.Write().Exec(`PRAGMA query_only = OFF`); err != nil {
		t.Fatal(err)
	}
	checkServes(t, s, e)
}

// TestSQLiteFileTakenAway moves the file while it is open: a write to it would
// be acknowledged and lost.
func TestSQLiteFileTakenAway(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	file := strings.TrimPrefix(databaseURL, "sqlite:")
	s := fixture.Started(t, databaseURL)
	e := fixture.Created(t, s, fixture.Lunch())
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.Create(t.Context(), fixture.Alice, fixture.Lunch(), "")
	fixture.CheckUnavailable(t, "create without the file", err)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = s.Page(t.Context(), expense.Query{}, 0)
	fixture.CheckUnavailable(t, "page of another file", err)
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	checkServes(t, s, e)
}

func TestCallerWhoLeaves(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, _, err := s.Create(gone, fixture.Alice, fixture.Lunch(), ""); !errors.Is(err, context.Canceled) || fault.IsUnavailable(err) {
			t.Errorf("create: %v", err)
		}
		if _, err := s.Page(gone, expense.Query{}, 0); !errors.Is(err, context.Canceled) || fault.IsUnavailable(err) {
			t.Errorf("page: %v", err)
		}
		if page, err := s.Page(t.Context(), expense.Query{}, 0); err != nil || len(page.Expenses) != 0 {
			t.Errorf("%v, %v", page, err)
		}
	})
}

// TestPostgresStopsAndStarts takes a server away at start and in use.
func TestPostgresStopsAndStarts(t *testing.T) {
	t.Parallel()
	server := storetest.NewServer(t)
	done(t, server.Halt())

	s, err := fixture.Open(server.URL("postgres"), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Start(t.Context(), false); err != nil {
		t.Fatalf("start without a server: %v", err)
	}
	_, _, err = s.Create(t.Context(), fixture.Alice, fixture.Lunch(), "form")
	fixture.CheckUnavailable(t, "create before the first start", err)
	done(t, server.Start())
	fixture.Eventually(t, s)
	e := fixture.Created(t, s, fixture.Lunch())

	done(t, server.Halt())
	_, err = s.Page(t.Context(), expense.Query{}, 0)
	fixture.CheckUnavailable(t, "page", err)
	_, _, err = s.Create(t.Context(), fixture.Alice, fixture.Lunch(), "form")
	fixture.CheckUnavailable(t, "create", err)
	fixture.CheckUnavailable(t, "ping", s.Ping(t.Context()))
	done(t, server.Start())
	fixture.Eventually(t, s)
	checkServes(t, s, e)
}

// TestPostgresTransactionCut ends the server's side of a connection in the
// middle of a write.
func TestPostgresTransactionCut(t *testing.T) {
	t.Parallel()
	s := fixture.Started(t, storetest.Postgres(t))
	err := s.DB.Change(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		var pid int
		if err := tx.QueryRowContext(ctx, `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
			return err
		}
		adding, err := ledger.NewAdder(ctx, names.NewResolver(tx, fixture.Alice), expense.ActionCreated, "submission", time.Now(), 1)
		if err != nil {
			return err
		}
		if err := errors.Join(adding.Add(ctx, expense.Expense{ID: expense.NewID(), Entry: fixture.Lunch(), Version: 1}, nil), adding.Flush(ctx)); err != nil {
			return err
		}
		if _, err := s.DB.Read().ExecContext(ctx, `SELECT pg_terminate_backend($1)`, pid); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `SELECT 1`)
		if err == nil {
			return errors.New("the connection lives on")
		}
		return nil
	})
	fixture.CheckUnavailable(t, "commit of a lost transaction", err)
	if summary, err := s.Summary(t.Context(), expense.Query{}); err != nil || summary.Count != 0 {
		t.Errorf("%d expenses, %v", summary.Count, err)
	}
}

// TestPostgresReadOnly is a standby, or a server that an operator has closed for
// writes.
func TestPostgresReadOnly(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.Postgres(t)
	first := fixture.Started(t, databaseURL)
	e := fixture.Created(t, first, fixture.Lunch())
	s := fixture.Started(t, databaseURL+"&default_transaction_read_only=on")
	checkWritesFail(t, s, e)
}

// TestPostgresHangs connects to what accepts and never answers.
func TestPostgresHangs(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s := fixture.Opened(t, fmt.Sprintf("postgres://u:canary@%s/db?sslmode=disable&connect_timeout=1", listener.Addr()))
	err = s.Prepare(t.Context())
	fixture.CheckUnavailable(t, "prepare", err)
	if strings.Contains(fmt.Sprint(err), "canary") {
		t.Errorf("%v shows the password", err)
	}
}
