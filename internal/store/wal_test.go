package store

import (
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/storetest"
)

// logSize is how many bytes the log of a SQLite database has.
func logSize(t testing.TB, s *Store) int64 {
	t.Helper()
	info, err := os.Stat(s.file + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// sendFile writes a file of so many bytes, as it comes, and returns how large the log
// was at most.
func sendFile(t testing.TB, s *Store, size int) (largest int64) {
	t.Helper()
	id := checked(t, s, nil)
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
	s := startedStore(t, storetest.SQLite(t))
	created(t, s, lunch())
	var largest int64
	err := s.Each(t.Context(), expense.Query{}, func(expense.Expense) error {
		largest = sendFile(t, s, 2*maxLog)
		return nil
	})
	if err != nil || largest == 0 || largest > maxLog+1<<20 {
		t.Errorf("the log had %d bytes beside a reader, want %d at most; %v", largest, maxLog, err)
	}
}

// readBeside reads in a transaction, until it is told to end.
func readBeside(t testing.TB, s *Store) (end func()) {
	t.Helper()
	tx, err := s.read.BeginTx(t.Context(), nil)
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
	s := startedStore(t, storetest.SQLite(t))
	end := readBeside(t, s)
	if size := sendFile(t, s, 2*maxLog); size < maxLog {
		t.Fatalf("the log has %d bytes beside somebody who reads", size)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		for t.Context().Err() == nil && s.bounding.TryLock() {
			s.bounding.Unlock()
			time.Sleep(time.Millisecond)
		}
		end()
	})
	rows := make([]expense.ImportRow, 1000)
	for i := range rows {
		rows[i] = expense.ImportRow{Line: i + 2, Key: expense.NewID(), Entry: lunch()}
		rows[i].Entry.Note = strings.Repeat("n", expense.MaxNote)
	}
	i := leased(t, s, checked(t, s, rows))
	for from := 0; from < len(rows) && logSize(t, s) > maxLog; from += 50 {
		s.boundAgain = time.Time{}
		takeBatch(t, s, i, rows, from, from+50)
	}
	if size := logSize(t, s); size > maxLog {
		t.Errorf("behind an import the log has %d bytes", size)
	}
	s.bounding.Lock() // so that whoever reads ends
	reading.Wait()
	s.bounding.Unlock()
}

// TestReaderHoldsUpNobody writes beside somebody who reads for longer than the log is
// waited for: one write in a while waits, and no other.
func TestReaderHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s := startedStore(t, storetest.SQLite(t))
	defer readBeside(t, s)()
	if size := sendFile(t, s, 2*maxLog); size < maxLog || s.boundAgain.IsZero() {
		t.Fatalf("the log has %d bytes, and nobody waited for whoever reads it", size)
	}
	later := time.Now().Add(time.Hour)
	s.boundAgain = later
	created(t, s, lunch())
	if !s.boundAgain.Equal(later) {
		t.Error("a write waits for whoever reads, though one has just waited in vain")
	}
}

// TestKeeperWaitsShortly holds the settings of the connection that begins the log
// anew: a write must not wait long for a reader.
func TestKeeperWaitsShortly(t *testing.T) {
	t.Parallel()
	s := startedStore(t, storetest.SQLite(t))
	var patience int64
	if err := s.keeper.QueryRow(`PRAGMA busy_timeout`).Scan(&patience); err != nil || patience != logPatience.Milliseconds() {
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
				s, err := Open(databaseURL, slog.New(slog.DiscardHandler), nil)
				if err == nil {
					err = s.Start(t.Context(), false)
				}
				if err != nil {
					t.Fatal(err)
				}
				created(t, s, lunch())
				created(t, s, lunch())
				if err := os.Remove(s.file + suffix); err != nil {
					t.Fatal(err)
				}
				if replaced {
					if err := os.WriteFile(s.file+suffix, nil, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				_, _, err = s.Create(t.Context(), alice, lunch(), "")
				checkUnavailable(t, "create", err)
				if got := Reason(err); got != "its file was taken away" {
					t.Errorf("the reason is %q for %v", got, err)
				}
				checkUnavailable(t, "ping", s.Ping(t.Context()))
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				again := startedStore(t, databaseURL)
				if summary, err := again.Summary(t.Context(), expense.Query{}); err != nil || summary.Count != 2 {
					t.Errorf("after a restart there are %d expenses, %v; want the 2 that were acknowledged", summary.Count, err)
				}
			})
		}
	}
}

// TestEachGoesOnWhereABatchEnds reads more than a batch in each order, and finds
// each expense once, as pages do.
func TestEachGoesOnWhereABatchEnds(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		manyExpenses(t, s, 2*eachBatch+10)
		for _, sort := range []string{"date", "person", "item", "category", "amount"} {
			for _, q := range []expense.Query{{Sort: sort}, {Sort: sort, Desc: true}, {Sort: sort, Teams: []string{"finance"}, Q: "a"}, {Sort: sort, Desc: true, Category: "Travel"}} {
				var streamed, paged []string
				err := s.Each(t.Context(), q, func(e expense.Expense) error { streamed = append(streamed, e.ID); return nil })
				if err != nil {
					t.Fatal(err)
				}
				for next := q; ; {
					page, err := s.Page(t.Context(), next, int64(len(streamed)))
					if err != nil {
						t.Fatal(err)
					}
					for _, e := range page.Expenses {
						paged = append(paged, e.ID)
					}
					if page.Next == (expense.Cursor{}) {
						break
					}
					next.After = page.Next
				}
				if !slices.Equal(streamed, paged) || len(streamed) == 0 {
					t.Errorf("%+v: %d expenses are not the %d of the pages", q, len(streamed), len(paged))
				}
			}
		}
	})
}
