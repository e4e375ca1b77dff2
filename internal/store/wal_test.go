package store

import (
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

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

// TestLogIsBounded writes beside a reader that takes its time.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	s := startedStore(t, storetest.SQLite(t))
	manyExpenses(t, s, eachBatch+1)
	entry := lunch()
	entry.Note = strings.Repeat("n", expense.MaxNote)
	var largest int64
	read := 0
	err := s.Each(t.Context(), expense.Query{}, func(expense.Expense) error {
		read++
		if read <= eachBatch {
			created(t, s, entry)
			largest = max(largest, logSize(t, s))
		}
		return nil
	})
	if err != nil || read <= eachBatch {
		t.Errorf("%d expenses were read, %v", read, err)
	}
	if largest > maxLog+1<<20 {
		t.Errorf("the log had %d bytes beside a reader, want %d at most", largest, maxLog)
	}
	rows := make([]expense.ImportRow, 10_000)
	for i := range rows {
		rows[i] = expense.ImportRow{Line: i + 2, Key: expense.NewID(), Entry: entry}
	}
	takeInBatches(t, s, leased(t, s, checked(t, s, rows)), rows, 2000)
	if size := logSize(t, s); size > maxLog {
		t.Errorf("after a large write the log has %d bytes", size)
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
