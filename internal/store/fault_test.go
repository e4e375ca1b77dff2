package store

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
	"expense-dashboard/internal/storetest"
)

// checkUnavailable wants err to be a fault of the database that passes.
func checkUnavailable(t *testing.T, what string, err error) {
	t.Helper()
	if !IsUnavailable(err) {
		t.Errorf("%s: %v, want a database that is unavailable", what, err)
	}
}

// eventually waits until a store serves.
func eventually(t *testing.T, s *Store) {
	t.Helper()
	for s.Ping(t.Context()) != nil {
		select {
		case <-t.Context().Done():
			t.Fatal(s.Ping(context.Background()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

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
	s := openedStore(t, databaseURL)
	if err := s.Start(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	created(t, s, lunch())
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
		s := startedStore(t, databaseURL)
		summary, err := s.Summary(t.Context(), expense.Query{})
		if err != nil || summary.Count != 20+programs {
			t.Errorf("%d expenses, %v; want the sample once and one of each program", summary.Count, err)
		}
		var applied int
		if err := s.read.QueryRow(`SELECT COUNT(*) FROM goose_db_version WHERE version_id = 1`).Scan(&applied); err != nil || applied != 1 {
			t.Errorf("the migration is recorded %d times, %v", applied, err)
		}
	})
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		first := startedStore(t, databaseURL)
		created(t, first, lunch())
		if _, err := first.write.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, $2)`, 99, true); err != nil {
			t.Fatal(err)
		}
		s := openedStore(t, databaseURL)
		err := s.Start(t.Context(), true)
		var newer *NewerError
		if !errors.As(err, &newer) || newer.Database != 99 || newer.Program < 2 || !strings.Contains(err.Error(), "run the newer program") {
			t.Errorf("start: %v", err)
		}
		_, _, err = s.Create(t.Context(), alice, lunch(), "")
		checkUnavailable(t, "create", err)
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
	s := openedStore(t, "sqlite:"+file)
	if err := s.Start(t.Context(), false); err == nil || IsUnavailable(err) {
		t.Errorf("start: %v, want a lasting error", err)
	}
}

// TestSQLiteFolderMissingAtStart starts where the file cannot be made, and finds
// the store serving when it can.
func TestSQLiteFolderMissingAtStart(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "later")
	s := openedStore(t, "sqlite:"+filepath.Join(folder, "expenses.db"))
	if err := s.Start(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	_, err := s.Page(t.Context(), expense.Query{}, 0)
	checkUnavailable(t, "page", err)
	checkUnavailable(t, "ping", s.Ping(t.Context()))
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	eventually(t, s)
	if page, err := s.Page(t.Context(), expense.Query{}, 0); err != nil || len(page.Expenses) != 20 {
		t.Errorf("%d expenses, %v", len(page.Expenses), err)
	}
}

// checkWritesFail wants every write to say that the database is unavailable and
// to change nothing, and e to be readable as it is.
func checkWritesFail(t *testing.T, s *Store, e expense.Expense) {
	t.Helper()
	entry := e.Entry
	entry.Note = strings.Repeat("n", expense.MaxNote)
	_, _, err := s.Create(t.Context(), alice, entry, "form")
	checkUnavailable(t, "create", err)
	_, err = s.Update(t.Context(), alice, e.ID, e.Version, entry)
	checkUnavailable(t, "update", err)
	checkUnavailable(t, "ping writes", s.PingWrites(t.Context()))
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	if now := stored(t, s, e); now != e || actions(t, s, e.ID) != "created" {
		t.Errorf("a write that failed left %+v, %s", now, actions(t, s, e.ID))
	}
}

// checkServes wants everything to be as before, and writes to succeed.
func checkServes(t *testing.T, s *Store, e expense.Expense) {
	t.Helper()
	if err := errors.Join(s.Ping(t.Context()), s.PingWrites(t.Context())); err != nil {
		t.Errorf("ping: %v", err)
	}
	if _, isNew, err := s.Create(t.Context(), alice, e.Entry, "form"); err != nil || !isNew {
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
	s := startedStore(t, databaseURL)
	e := created(t, s, lunch())
	other := startedStore(t, databaseURL)
	tx, err := other.write.Begin()
	if err != nil {
		t.Fatal(err)
	}
	// The wait for a lock is shorter here than in the program.
	if _, err := s.write.Exec(`PRAGMA busy_timeout = 50`); err != nil {
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
	s := startedStore(t, storetest.SQLite(t))
	e := created(t, s, lunch())
	// The writer has one connection, so that its bound is the bound of all writes.
	var pages, limit int
	if err := s.write.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if err := s.write.QueryRow(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)).Scan(&limit); err != nil || limit != pages {
		t.Fatal(limit, err)
	}
	filled := 0
	for ; ; filled++ {
		entry := e.Entry
		entry.Note = strings.Repeat("n", expense.MaxNote)
		if _, _, err := s.Create(t.Context(), alice, entry, ""); err != nil {
			checkUnavailable(t, "create", err)
			break
		}
	}
	summary, err := s.Summary(t.Context(), expense.Query{})
	if err != nil || summary.Count != int64(1+filled) {
		t.Errorf("%d expenses, %v; want those that were acknowledged, %d", summary.Count, err, 1+filled)
	}
	var recorded int
	if err := s.read.QueryRow(`SELECT COUNT(*) FROM history`).Scan(&recorded); err != nil || recorded != 1+filled {
		t.Errorf("%d history rows, %v; want %d", recorded, err, 1+filled)
	}
	if _, err := s.write.Exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+1000)); err != nil {
		t.Fatal(err)
	}
	created(t, s, lunch())
}

func TestSQLiteReadOnly(t *testing.T) {
	t.Parallel()
	s := startedStore(t, storetest.SQLite(t))
	e := created(t, s, lunch())
	if _, err := s.write.Exec(`PRAGMA query_only = ON`); err != nil {
		t.Fatal(err)
	}
	checkWritesFail(t, s, e)
	if _, err := s.write.Exec(`PRAGMA query_only = OFF`); err != nil {
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
	s := startedStore(t, databaseURL)
	e := created(t, s, lunch())
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.Create(t.Context(), alice, lunch(), "")
	checkUnavailable(t, "create without the file", err)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = s.Page(t.Context(), expense.Query{}, 0)
	checkUnavailable(t, "page of another file", err)
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	checkServes(t, s, e)
}

func TestCallerWhoLeaves(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, _, err := s.Create(gone, alice, lunch(), ""); !errors.Is(err, context.Canceled) || IsUnavailable(err) {
			t.Errorf("create: %v", err)
		}
		if _, err := s.Page(gone, expense.Query{}, 0); !errors.Is(err, context.Canceled) || IsUnavailable(err) {
			t.Errorf("page: %v", err)
		}
		if page, err := s.Page(t.Context(), expense.Query{}, 0); err != nil || len(page.Expenses) != 0 {
			t.Errorf("%v, %v", page, err)
		}
	})
}

func TestStreamEndsWithItsReader(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		manyExpenses(t, s, 200)
		full := errors.New("the reader is full")
		for range 20 {
			read := 0
			err := s.Each(t.Context(), expense.Query{}, func(expense.Expense) error {
				if read++; read == 3 {
					return full
				}
				return nil
			})
			if !errors.Is(err, full) || read != 3 {
				t.Errorf("%v after %d", err, read)
			}
		}
		if open := s.read.Stats().InUse; open != 0 {
			t.Errorf("%d connections are still in use", open)
		}
	})
}

// TestPostgresStopsAndStarts takes a server away at start and in use.
func TestPostgresStopsAndStarts(t *testing.T) {
	t.Parallel()
	server := storetest.NewServer(t)
	done(t, server.Halt())

	s, err := Open(server.URL("postgres"), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Start(t.Context(), false); err != nil {
		t.Fatalf("start without a server: %v", err)
	}
	_, _, err = s.Create(t.Context(), alice, lunch(), "form")
	checkUnavailable(t, "create before the first start", err)
	done(t, server.Start())
	eventually(t, s)
	e := created(t, s, lunch())

	done(t, server.Halt())
	_, err = s.Page(t.Context(), expense.Query{}, 0)
	checkUnavailable(t, "page", err)
	_, _, err = s.Create(t.Context(), alice, lunch(), "form")
	checkUnavailable(t, "create", err)
	checkUnavailable(t, "ping", s.Ping(t.Context()))
	done(t, server.Start())
	eventually(t, s)
	checkServes(t, s, e)
}

// TestPostgresTransactionCut ends the server's side of a connection in the
// middle of a write.
func TestPostgresTransactionCut(t *testing.T) {
	t.Parallel()
	s := startedStore(t, storetest.Postgres(t))
	err := s.change(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		var pid int
		if err := tx.QueryRowContext(ctx, `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
			return err
		}
		adding, err := newAdder(ctx, newResolver(tx, alice), expense.ActionCreated, "submission", time.Now(), 1)
		if err != nil {
			return err
		}
		if err := errors.Join(adding.add(ctx, expense.Expense{ID: expense.NewID(), Entry: lunch(), Version: 1}, nil), adding.flush(ctx)); err != nil {
			return err
		}
		if _, err := s.read.ExecContext(ctx, `SELECT pg_terminate_backend($1)`, pid); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `SELECT 1`)
		if err == nil {
			return errors.New("the connection lives on")
		}
		return nil
	})
	checkUnavailable(t, "commit of a lost transaction", err)
	if summary, err := s.Summary(t.Context(), expense.Query{}); err != nil || summary.Count != 0 {
		t.Errorf("%d expenses, %v", summary.Count, err)
	}
}

// TestPostgresReadOnly is a standby, or a server that an operator has closed for
// writes.
func TestPostgresReadOnly(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.Postgres(t)
	first := startedStore(t, databaseURL)
	e := created(t, first, lunch())
	s := startedStore(t, databaseURL+"&default_transaction_read_only=on")
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
	s := openedStore(t, fmt.Sprintf("postgres://u:canary@%s/db?sslmode=disable&connect_timeout=1", listener.Addr()))
	err = s.prepare(t.Context(), false)
	checkUnavailable(t, "prepare", err)
	if strings.Contains(fmt.Sprint(err), "canary") {
		t.Errorf("%v shows the password", err)
	}
}

func TestBackupWhileWriting(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	s := startedStore(t, databaseURL)
	created(t, s, lunch())
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					created(t, s, lunch())
				}
			}
		})
	}
	for i := range 5 {
		before, err := s.Summary(t.Context(), expense.Query{})
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(t.TempDir(), "a copy.db")
		if _, err := Backup(t.Context(), databaseURL, copied); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("copy %d: %v, %v", i, info.Mode(), err)
		}
		checkCopy(t, copied, before.Count)
		if _, err := Backup(t.Context(), databaseURL, copied); err == nil || !strings.Contains(err.Error(), "is there already") {
			t.Errorf("over a copy: %v", err)
		}
	}
	close(stop)
	wg.Wait()
}

// checkCopy starts on a copy and wants in it at least what was acknowledged
// before it was made, each expense with its history.
func checkCopy(t *testing.T, file string, atLeast int64) {
	t.Helper()
	s := startedStore(t, "sqlite:"+file)
	summary, err := s.Summary(t.Context(), expense.Query{})
	if err != nil || summary.Count < atLeast {
		t.Errorf("the copy has %d expenses of %d, %v", summary.Count, atLeast, err)
	}
	var check string
	var recorded int64
	if err := s.read.QueryRow(`PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
		t.Errorf("integrity: %s, %v", check, err)
	}
	if err := s.read.QueryRow(`SELECT COUNT(*) FROM history`).Scan(&recorded); err != nil || recorded != summary.Count {
		t.Errorf("%d history rows for %d expenses, %v", recorded, summary.Count, err)
	}
}

func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	to := filepath.Join(folder, "copy.db")
	for name, test := range map[string]struct{ from, to, want string }{
		"PostgreSQL":      {"postgres://u:canary@h/db", to, "pg_dump"},
		"no database":     {"sqlite:" + filepath.Join(folder, "none.db"), to, "there is no database"},
		"no folder":       {"sqlite:" + folder, filepath.Join(folder, "none", "copy.db"), "there is no folder"},
		"not a database":  {"sqlite:" + folder, to, "is a folder"},
		"over the source": {"sqlite:" + folder, folder, "is there already"},
	} {
		_, err := Backup(t.Context(), test.from, test.to)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if _, err := os.Stat(to); err == nil {
			t.Errorf("%s: a copy is there", name)
		}
	}
}
