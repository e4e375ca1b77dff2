package ledger_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/internal/ledger"
	"expense-dashboard/internal/storetest"
)

// benchRows is how many expenses the benchmarks look at: a million, or what
// BENCH_ROWS says.
func benchRows(b *testing.B) int {
	text, ok := os.LookupEnv("BENCH_ROWS")
	if !ok {
		return 1_000_000
	}
	rows, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return rows
}

// fillFast adds expenses of five teams, forty persons and twelve categories over
// three years, by one statement that both databases know. The ids are as far
// from the order of the rows as those of expense.NewID.
func fillFast(b *testing.B, s *fixture.Store, rows int) {
	b.Helper()
	if s.DB.File() != "" {
		for _, pragma := range []string{"cache_size = -400000", "synchronous = OFF"} {
			if _, err := s.DB.Write().Exec("PRAGMA " + pragma); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, text := range []string{
		`WITH RECURSIVE n (i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 39)
		INSERT INTO people (id, name, key) SELECT i, 'Person ' || CAST(i AS TEXT), 'person ' || CAST(i AS TEXT) FROM n`,
		`WITH RECURSIVE n (i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 11)
		INSERT INTO categories (id, label, key) SELECT i, 'Category ' || CAST(i AS TEXT), 'category ' || CAST(i AS TEXT) FROM n`,
		`WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < ` + strconv.Itoa(rows) + `),
		mixed (i, a, b) AS (SELECT i, i * 2654435761 % 4294967291 / 1000, i * 2246822519 % 4294967291 / 1000 FROM n),
		named (i, digits, team, date, person, item, category) AS (SELECT i,
			replace(replace(replace(replace(CAST(1000000000 + i * 7919 % 999999937 AS TEXT), '0', 'a'), '1', 'b'), '8', 'c'), '9', 'd'),
			'team-' || CAST(i % 5 AS TEXT),
			CAST(2024 + a % 3 AS TEXT) || '-' || substr(CAST(101 + a / 3 % 12 AS TEXT), 2) || '-' || substr(CAST(101 + a / 36 % 28 AS TEXT), 2),
			'Person ' || CAST(b % 40 AS TEXT), 'Item ' || CAST(b / 40 % 5000 AS TEXT), 'Category ' || CAST(a / 1008 % 12 AS TEXT) FROM mixed)
		INSERT INTO expenses (` + ledger.RowColumns + `)
		SELECT digits || 'aaaaaaaaaaaaaaaa', i, team, date, p.id, p.id, item, c.id,
			1 + i * 7907 % 500000, 'a note of some length about what it was', 1, 0, NULL,
			p.key, lower(item), c.key, lower(item) || ' a note of some length about what it was'
		FROM named JOIN people AS p ON p.name = person JOIN categories AS c ON c.label = category`,
	} {
		if _, err := s.DB.Write().ExecContext(context.Background(), text); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := s.DB.Write().Exec("ANALYZE"); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMillion looks at a million expenses as the pages of one team and of
// all do, and takes them all out.
func BenchmarkMillion(b *testing.B) {
	for _, database := range []struct {
		name string
		url  func(testing.TB) string
	}{{"SQLite", storetest.SQLite}, {"PostgreSQL", storetest.Postgres}} {
		b.Run(database.name, func(b *testing.B) {
			databaseURL := database.url(b)
			filler := fixture.Started(b, databaseURL)
			fillFast(b, filler, benchRows(b))
			// The store that is measured has the program's own settings.
			benchStore(b, fixture.Started(b, databaseURL))
		})
	}
}

func benchStore(b *testing.B, s *fixture.Store) {
	for _, scope := range []struct {
		name  string
		teams []string
	}{{"Team", []string{"team-1"}}, {"All", nil}} {
		for _, sort := range []string{"date", "item"} {
			q := expense.Query{Teams: scope.teams, Sort: sort}
			benchPage(b, s, scope.name+"/"+sort+"/FirstPage", q)
			benchPage(b, s, scope.name+"/"+sort+"/LastPage", lastPage(b, s, q))
		}
		benchPage(b, s, scope.name+"/category/TurnedPage", expense.Query{Teams: scope.teams, Sort: "category", Desc: true})
		filtered := expense.Query{Teams: scope.teams, Category: "category 3", From: expense.NewDate(2025, 2, 1), To: expense.NewDate(2025, 2, 28)}
		benchPage(b, s, scope.name+"/FilteredPage", filtered)
		benchPage(b, s, scope.name+"/FoundPage", expense.Query{Teams: scope.teams, Q: "item 123"})
		benchPage(b, s, scope.name+"/FoundNothing", expense.Query{Teams: scope.teams, Q: "nowhere to be found"})
		benchSummary(b, s, scope.name+"/Summary", expense.Query{Teams: scope.teams})
		benchSummary(b, s, scope.name+"/FilteredSummary", filtered)
	}
	b.Run("Overview", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Overview(b.Context(), expense.Actor{}, nil, nil, expense.NewDate(2026, 11, 22)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ExportCSV", func(b *testing.B) { benchExport(b, s) })
}

// lastPage asks for the last page of q, from where its last expense but fifty is.
func lastPage(b *testing.B, s *fixture.Store, q expense.Query) expense.Query {
	b.Helper()
	backwards := q
	backwards.Desc = !q.Desc
	for range 2 {
		page, err := s.Page(b.Context(), backwards, 0)
		if err != nil {
			b.Fatal(err)
		}
		q.After = q.CursorAt(page.Expenses[0])
		backwards.After = page.Next
	}
	return q
}

func benchPage(b *testing.B, s *fixture.Store, name string, q expense.Query) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Page(b.Context(), q, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchSummary(b *testing.B, s *fixture.Store, name string, q expense.Query) {
	b.Run(name, func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Summary(b.Context(), q); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchExport writes all expenses and reports the most heap that was in use
// meanwhile.
func benchExport(b *testing.B, s *fixture.Store) {
	var peak uint64
	rows := 0
	for b.Loop() {
		rows = 0
		err := expensefile.WriteCSV(io.Discard, expense.Dollars(), nil, func(fn func(expense.Expense) error) error {
			return s.Each(b.Context(), expense.Query{Sort: "date", Desc: true}, func(e expense.Expense) error {
				if rows++; rows%50_000 == 0 {
					var memory runtime.MemStats
					runtime.ReadMemStats(&memory)
					peak = max(peak, memory.HeapInuse)
				}
				return fn(e)
			})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(peak)/(1<<20), "MiB-heap")
	b.ReportMetric(float64(rows), "rows")
}

// BenchmarkImport takes files of ten thousand new expenses.
func BenchmarkImport(b *testing.B) {
	for _, database := range []struct {
		name string
		url  func(testing.TB) string
	}{{"SQLite", storetest.SQLite}, {"PostgreSQL", storetest.Postgres}} {
		b.Run(database.name, func(b *testing.B) {
			s := fixture.Started(b, database.url(b))
			rows := make([]expense.ImportRow, 10_000)
			for b.Loop() {
				round := time.Now().UnixNano()
				for i := range rows {
					rows[i].Line, rows[i].Key, rows[i].Entry = i+2, expense.NewID(), fixture.Lunch()
					rows[i].Entry.Item = fmt.Sprintf("Lunch %d of %d", i, round)
				}
				fixture.TakeInBatches(b, s, fixture.Leased(b, s, fixture.Checked(b, s, rows)), rows, 1000)
			}
		})
	}
}
