package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
)

// imported parses and takes a file that has nothing wrong in its form.
func imported(t testing.TB, s *Store, file string) (ImportReport, []expense.LineError) {
	t.Helper()
	rows, faults := expensefile.ParseImport(strings.NewReader(file), anyTeam, expense.NewDate(2026, 11, 22), expense.Dollars())
	if faults != nil {
		t.Fatalf("faults %v", faults)
	}
	report, faults, err := s.Import(t.Context(), bob, rows)
	if err != nil {
		t.Fatal(err)
	}
	return report, faults
}

// exported is the file of all expenses.
func exported(t testing.TB, s *Store) string {
	t.Helper()
	var out bytes.Buffer
	err := expensefile.WriteCSV(&out, expense.Dollars(), func(fn func(expense.Expense) error) error { return s.Each(t.Context(), expense.Query{}, fn) })
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestImportTakesAFileOnce(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		row := ",2026-03-02,finance,Zoë,Lunch,Meals,12.50,\n"
		file := expensefile.Columns + "\n" + row + row + ",2026-03-03,hr,Zoë,Lunch,Meals,12.50,\n"
		for i, want := range []ImportReport{{Added: 3}, {Unchanged: 3}} {
			if got, faults := imported(t, s, file); got != want || faults != nil {
				t.Errorf("time %d: %+v, %v; want %+v", i+1, got, faults, want)
			}
		}
		// One more of the equal rows, and another new one.
		if got, _ := imported(t, s, file+row+",2026-03-04,hr,Zoë,Lunch,Meals,12.50,\n"); got != (ImportReport{Added: 2, Unchanged: 3}) {
			t.Errorf("a longer file: %+v", got)
		}
		page, err := s.Page(t.Context(), expense.Query{}, 0)
		if err != nil || len(page.Expenses) != 5 {
			t.Fatalf("page %v, %v", page, err)
		}
		for _, e := range page.Expenses {
			if events := historyOf(t, s, e.ID); len(events) != 1 || events[0].Action != expense.ActionImported || events[0].Actor != bob {
				t.Errorf("history %+v", events)
			}
		}
	})
}

func TestImportOfAFileAtOnce(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		var file strings.Builder
		file.WriteString(expensefile.Columns + "\n")
		for i := range 1200 {
			fmt.Fprintf(&file, ",2026-03-02,finance,Zoë,Lunch %d,Meals,12.50,\n", i)
		}
		rows, _ := expensefile.ParseImport(strings.NewReader(file.String()), anyTeam, expense.NewDate(2026, 11, 22), expense.Dollars())
		var (
			wg    sync.WaitGroup
			lock  sync.Mutex
			added int
		)
		for range 4 {
			wg.Go(func() {
				report, faults, err := s.Import(t.Context(), bob, rows)
				if err != nil || faults != nil {
					t.Error(faults, err)
				}
				lock.Lock()
				defer lock.Unlock()
				added += report.Added
			})
		}
		wg.Wait()
		summary, err := s.Summary(t.Context(), expense.Query{})
		if added != 1200 || err != nil || summary.Count != 1200 {
			t.Errorf("%d added, %d there, %v", added, summary.Count, err)
		}
	})
}

func TestExportComesBackUnchanged(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		all := manyExpenses(t, s, 120)
		odd := lunch()
		odd.Item, odd.Person, odd.Note = "=1+1", "'=2", "-\n\t'＝ \"quoted\", '"
		odd.Category = "@x"
		created(t, s, odd)
		file := exported(t, s)
		if report, faults := imported(t, s, file); report != (ImportReport{Unchanged: len(all) + 1}) || faults != nil {
			t.Errorf("%+v, %v", report, faults)
		}
		if again := exported(t, s); again != file {
			t.Error("another export differs")
		}
	})
}

func TestImportChanges(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		kept, renamed := created(t, s, lunch()), created(t, s, lunch())
		file := expensefile.Columns + "\n" +
			kept.ID + ",2026-03-02,finance,Alice Johnson,Team Lunch,Meals,999.00,with the auditors\n" +
			renamed.ID + ",2026-03-02,hr,Bob Smith,Team Lunch,Meals,180.50,with the auditors\n"
		for i, want := range []ImportReport{{Changed: 2}, {Unchanged: 2}} {
			if got, faults := imported(t, s, file); got != want || faults != nil {
				t.Errorf("time %d: %+v, %v", i+1, got, faults)
			}
		}
		if e := stored(t, s, kept); e.Amount != 99900 || e.Owner != alice.Address || e.Version != 2 {
			t.Errorf("kept %+v", e)
		}
		e, err := s.Expense(t.Context(), expense.Actor{}, "hr", renamed.ID)
		if err != nil || e.Owner != alice.Address || e.Person != "Bob Smith" {
			t.Errorf("renamed %+v, %v", e, err)
		}
		events := historyOf(t, s, renamed.ID)
		want := []expense.Change{{"team", "finance", "hr"}, {"person", "Alice Johnson", "Bob Smith"}}
		if len(events) != 2 || events[0].Action != expense.ActionImported || !reflect.DeepEqual(events[0].Changes, want) {
			t.Errorf("history %+v", events)
		}
	})
}

func TestImportIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		e, deleted := created(t, s, lunch()), created(t, s, lunch())
		if _, err := s.Delete(t.Context(), alice, deleted.ID, 1); err != nil {
			t.Fatal(err)
		}
		before := exported(t, s)
		fresh := ",2026-03-02,finance,Zoë,Lunch,Meals,12.50,\n"
		_, faults := imported(t, s, expensefile.Columns+"\n"+fresh+e.ID+fresh+expense.NewID()+fresh+deleted.ID+fresh)
		if len(faults) != 2 || faults[0].Line != 4 || faults[1].Line != 5 || !strings.Contains(faults[1].Text, "deleted") {
			t.Errorf("faults %v", faults)
		}
		// A row that the database refuses, behind good ones, and a caller who leaves.
		rows, _ := expensefile.ParseImport(strings.NewReader(expensefile.Columns+"\n"+fresh+e.ID+fresh), anyTeam, expense.NewDate(2026, 11, 22), expense.Dollars())
		spoiled := append(rows, expense.ImportRow{Line: 4, Entry: expense.Entry{Team: "finance"}})
		if _, _, err := s.Import(t.Context(), bob, spoiled); err == nil {
			t.Error("a row that no form lets through is taken")
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, _, err := s.Import(gone, bob, rows); err == nil || IsUnavailable(err) {
			t.Errorf("a caller who left: %v", err)
		}
		if after := exported(t, s); after != before || actions(t, s, e.ID) != "created" {
			t.Errorf("something was taken:\n%s", after)
		}
	})
}

// TestImportsInOppositeOrder has two files say something new of the same expenses,
// one from the first to the last and one the other way round, while people edit
// some of them: nobody is in anybody's way for good.
func TestImportsInOppositeOrder(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		all := manyExpenses(t, s, 60)
		var working sync.WaitGroup
		for i, note := range []string{"first", "second"} {
			rows := make([]expense.ImportRow, len(all))
			for n, e := range all {
				rows[n] = expense.ImportRow{Line: n + 2, ID: e.ID, Entry: e.Entry}
				rows[n].Entry.Note = note
			}
			if i == 1 {
				slices.Reverse(rows)
			}
			working.Go(func() {
				if _, faults, err := s.Import(t.Context(), alice, rows); err != nil || faults != nil {
					t.Errorf("the %s import: %v, %v", note, err, faults)
				}
			})
		}
		for _, e := range all[20:30] {
			working.Go(func() {
				entry := e.Entry
				entry.Note = "edited"
				_, err := s.Update(t.Context(), alice, e.ID, e.Version, entry)
				var conflict *expense.ConflictError
				if err != nil && !errors.As(err, &conflict) {
					t.Errorf("edit: %v", err)
				}
			})
		}
		working.Wait()
		for _, e := range all {
			if now := stored(t, s, e); now.Note != "first" && now.Note != "second" && now.Note != "edited" {
				t.Errorf("an expense is %+v", now)
			}
		}
	})
}
