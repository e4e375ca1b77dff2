package database_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/storetest"
)

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
	fixture.Created(t, fixture.Started(t, databaseURL), fixture.Lunch())
	check("after the first start")
	for _, suffix := range []string{"", "-lock", "-wal", "-shm"} {
		if err := os.Chmod(file+suffix, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fixture.Created(t, fixture.Started(t, databaseURL), fixture.Lunch())
	check("after the next start")
}

func TestSQLiteSettings(t *testing.T) {
	t.Parallel()
	s := fixture.Started(t, storetest.SQLite(t))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		if err := s.DB.Write().QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", pragma, got, err, want)
		}
	}
	if _, err := s.DB.Read().Exec(`DELETE FROM expenses`); err == nil {
		t.Error("a connection for reading writes")
	}
}

// logSize is how many bytes the log of a SQLite database has.
func logSize(t testing.TB, s *fixture.Store) int64 {
	t.Helper()
	info, err := os.Stat(s.DB.File() + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// sendFile writes a file of so many bytes, as it comes, and returns how large the log
// was at most.
func sendFile(t testing.TB, s *fixture.Store, size int) (largest int64) {
	t.Helper()
	id := fixture.Checked(t, s, nil)
	part := make([]byte, 512<<10)
	for i := range size / len(part) {
		if err := s.AddImportPart(t.Context(), id, i, part); err != nil {
			t.Fatal(err)
		}
		largest = max(largest, logSize(t, s))
	}
	return largest
}

// TestLogIsBounded writes beside a reader of an export that takes its time, and wants
// it to hold nothing of the log.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	s := fixture.Started(t, storetest.SQLite(t))
	fixture.Created(t, s, fixture.Lunch())
	var largest int64
	err := s.Each(t.Context(), expense.Query{}, func(expense.Expense) error {
		largest = sendFile(t, s, 2*database.MaxLog)
		return nil
	})
	if err != nil || largest == 0 || largest > database.MaxLog+1<<20 {
		t.Errorf("the log had %d bytes beside a reader, want %d at most; %v", largest, database.MaxLog, err)
	}
}

// readBeside reads in a transaction, until it is told to end.
func readBeside(t testing.TB, s *fixture.Store) (end func()) {
	t.Helper()
	tx, err := s.DB.Read().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	var count int
	if err := tx.QueryRow(`SELECT COUNT(*) FROM expenses`).Scan(&count); err != nil {
		t.Fatal(err)
	}
	return func() { tx.Rollback() }
}

// TestLogIsBegunAnew imports rows a few at a time, as the importer does, beside a
// large log and somebody who reads, and ends as soon as they are waited for: the log
// is begun anew then.
func TestLogIsBegunAnew(t *testing.T) {
	t.Parallel()
	s := fixture.Started(t, storetest.SQLite(t))
	end := readBeside(t, s)
	if size := sendFile(t, s, 2*database.MaxLog); size < database.MaxLog {
		t.Fatalf("the log has %d bytes beside somebody who reads", size)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		for t.Context().Err() == nil && s.DB.Bounding().TryLock() {
			s.DB.Bounding().Unlock()
			time.Sleep(time.Millisecond)
		}
		end()
	})
	rows := make([]expense.ImportRow, 1000)
	for i := range rows {
		rows[i] = expense.ImportRow{Line: i + 2, Key: expense.NewID(), Entry: fixture.Lunch()}
		rows[i].Entry.Note = strings.Repeat("n", expense.MaxNote)
	}
	i := fixture.Leased(t, s, fixture.Checked(t, s, rows))
	for from := 0; from < len(rows) && logSize(t, s) > database.MaxLog; from += 50 {
		*s.DB.BoundAgain() = time.Time{}
		fixture.TakeBatch(t, s, i, rows, from, from+50)
	}
	if size := logSize(t, s); size > database.MaxLog {
		t.Errorf("behind an import the log has %d bytes", size)
	}
	s.DB.Bounding().Lock() // so that whoever reads ends
	reading.Wait()
	s.DB.Bounding().Unlock()
}

// TestReaderHoldsUpNobody writes beside somebody who reads for longer than the log is
// waited for: one write in a while waits, and no other.
func TestReaderHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s := fixture.Started(t, storetest.SQLite(t))
	defer readBeside(t, s)()
	if size := sendFile(t, s, 2*database.MaxLog); size < database.MaxLog || s.DB.BoundAgain().IsZero() {
		t.Fatalf("the log has %d bytes, and nobody waited for whoever reads it", size)
	}
	later := time.Now().Add(time.Hour)
	*s.DB.BoundAgain() = later
	fixture.Created(t, s, fixture.Lunch())
	if !s.DB.BoundAgain().Equal(later) {
		t.Error("a write waits for whoever reads, though one has just waited in vain")
	}
}

// TestKeeperWaitsShortly holds the settings of the connection that begins the log
// anew: a write must not wait long for a reader.
func TestKeeperWaitsShortly(t *testing.T) {
	t.Parallel()
	s := fixture.Started(t, storetest.SQLite(t))
	var patience int64
	if err := s.DB.Keeper().QueryRow(`PRAGMA busy_timeout`).Scan(&patience); err != nil || patience != database.LogPatience.Milliseconds() {
		t.Errorf("it waits %d ms, %v", patience, err)
	}
}

// TestFilesBesideTakenAway deletes what is beside the database while it is open. It
// is noticed before another write is acknowledged, and nothing that was is lost.
func TestFilesBesideTakenAway(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"-wal", "-shm"} {
		for _, replaced := range []bool{false, true} {
			name := suffix + map[bool]string{false: " deleted", true: " replaced"}[replaced]
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				databaseURL := storetest.SQLite(t)
				s, err := fixture.Open(databaseURL, slog.New(slog.DiscardHandler), nil)
				if err == nil {
					err = s.Start(t.Context(), false)
				}
				if err != nil {
					t.Fatal(err)
				}
				fixture.Created(t, s, fixture.Lunch())
				fixture.Created(t, s, fixture.Lunch())
				if err := os.Remove(s.DB.File() + suffix); err != nil {
					t.Fatal(err)
				}
				if replaced {
					if err := os.WriteFile(s.DB.File()+suffix, nil, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				_, _, err = s.Create(t.Context(), fixture.Alice, fixture.Lunch(), "")
				fixture.CheckUnavailable(t, "create", err)
				if got := fault.Reason(err); got != "its file was taken away" {
					t.Errorf("the reason is %q for %v", got, err)
				}
				fixture.CheckUnavailable(t, "ping", s.Ping(t.Context()))
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				again := fixture.Started(t, databaseURL)
				if summary, err := again.Summary(t.Context(), expense.Query{}); err != nil || summary.Count != 2 {
					t.Errorf("after a restart there are %d expenses, %v; want the 2 that were acknowledged", summary.Count, err)
				}
			})
		}
	}
}
