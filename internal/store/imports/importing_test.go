package imports_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/imports"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/storetest"
)

// undone takes an import back, two rows at a time.
func undone(t testing.TB, s *fixture.Store, id string) imports.Result {
	t.Helper()
	if err := s.UndoImport(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	i, ok, err := s.LeaseImport(t.Context(), fixture.Me)
	if err != nil || !ok || i.State != imports.Undoing {
		t.Fatalf("leased %+v, %v, %v", i, ok, err)
	}
	for {
		count, _, err := s.TakeBack(t.Context(), i, fixture.Me, 2)
		if err != nil {
			t.Fatal(err)
		}
		if count == 0 {
			break
		}
	}
	if err := s.EndImport(t.Context(), id, fixture.Me, imports.Undoing, imports.Undone); err != nil {
		t.Fatal(err)
	}
	i, err = s.Import(t.Context(), "bob", id)
	if err != nil || i.Done != 0 {
		t.Fatalf("undone %+v, %v", i, err)
	}
	return i.Result
}

const (
	fileColumns = "id,date,team,person,item,category,amount,note\n"
	fileRow     = ",2026-03-02,finance,Zoë,Lunch,Meals,12.50,\n"
)

func TestImportTakesAFileOnce(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		file := fileColumns + fileRow + fileRow + ",2026-03-03,hr,Zoë,Lunch,Meals,12.50,\n"
		for i, want := range []imports.Result{{New: 3}, {Unchanged: 3}} {
			if got := fixture.Imported(t, s, file); !reflect.DeepEqual(got, want) {
				t.Errorf("time %d: %+v; want %+v", i+1, got, want)
			}
		}
		// One more of the equal rows, and another new one.
		if got := fixture.Imported(t, s, file+fileRow+",2026-03-04,hr,Zoë,Lunch,Meals,12.50,\n"); got.New != 2 || got.Unchanged != 3 {
			t.Errorf("a longer file: %+v", got)
		}
		page, err := s.Page(t.Context(), expense.Query{}, 0)
		if err != nil || len(page.Expenses) != 5 {
			t.Fatalf("page %v, %v", page, err)
		}
		for _, e := range page.Expenses {
			if events := fixture.HistoryOf(t, s, e.ID); len(events) != 1 || events[0].Action != expense.ActionImported || events[0].Actor != fixture.Bob {
				t.Errorf("history %+v", events)
			}
		}
	})
}

func TestImportKeepsIDsVersionsAndOwners(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		id := expense.NewID()
		file := "id,date,team,person,item,category,amount,note,version,owner\n" +
			id + ",2026-03-02,finance,Carol Lee,Lunch,Meals,12.50,,7,carol.lee@task-vantage.com\n" +
			",2026-03-02,finance,grace.li@task-vantage.com,Tea,Meals,2.50,,,\n"
		// The second row says that nobody is known to own it.
		if got := fixture.Imported(t, s, file); got.New != 2 {
			t.Errorf("%+v", got)
		}
		e, err := s.Expense(t.Context(), expense.Actor{}, "finance", id)
		if err != nil || e.Version != 7 || e.Owner != "carol.lee@task-vantage.com" || e.Person != "Carol Lee" {
			t.Errorf("%+v, %v", e, err)
		}
		if got := fixture.Imported(t, s, file); got.Unchanged != 2 {
			t.Errorf("again: %+v", got)
		}
		// Without the column, an address is whose it is.
		fixture.Imported(t, s, fileColumns+",2026-03-02,hr,Grace.Li@task-vantage.com,Tea,Meals,2.50,\n")
		page, err := s.Page(t.Context(), expense.Query{Teams: []string{"hr"}}, 0)
		if err != nil || len(page.Expenses) != 1 || page.Expenses[0].Owner != "grace.li@task-vantage.com" {
			t.Errorf("%+v, %v", page.Expenses, err)
		}
	})
}

func TestExportComesBackUnchanged(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		all := fixture.ManyExpenses(t, s, 120)
		odd := fixture.Lunch()
		odd.Item, odd.Person, odd.Note = "=1+1", "'=2", "-\n\t'＝ \"quoted\", '"
		odd.Category = "@x"
		fixture.Created(t, s, odd)
		file := fixture.Exported(t, s)
		if got := fixture.Imported(t, s, file); !reflect.DeepEqual(got, imports.Result{Unchanged: int64(len(all) + 1)}) {
			t.Errorf("%+v", got)
		}
		if again := fixture.Exported(t, s); again != file {
			t.Error("another export differs")
		}
	})
}

func TestImportChanges(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		kept, renamed := fixture.Created(t, s, fixture.Lunch()), fixture.Created(t, s, fixture.Lunch())
		file := fileColumns +
			kept.ID + ",2026-03-02,finance,Alice Johnson,Team Lunch,Meals,999.00,with the auditors\n" +
			renamed.ID + ",2026-03-02,hr,Bob Smith,Team Lunch,Meals,180.50,with the auditors\n"
		for i, want := range []imports.Result{{Changed: 2}, {Unchanged: 2}} {
			if got := fixture.Imported(t, s, file); !reflect.DeepEqual(got, want) {
				t.Errorf("time %d: %+v", i+1, got)
			}
		}
		if e := fixture.Stored(t, s, kept); e.Amount != 99900 || e.Owner != fixture.Alice.Address || e.Version != 2 {
			t.Errorf("kept %+v", e)
		}
		e, err := s.Expense(t.Context(), expense.Actor{}, "hr", renamed.ID)
		if err != nil || e.Person != "Bob Smith" {
			t.Errorf("renamed %+v, %v", e, err)
		}
		events := fixture.HistoryOf(t, s, renamed.ID)
		if len(events) != 2 || events[0].Action != expense.ActionImported || events[0].Changes[0] != (expense.Change{Field: "team", Old: "finance", New: "hr"}) {
			t.Errorf("history %+v", events)
		}
	})
}

// TestOldFilesUndoNothing takes an expense through two changes and offers files of
// each state of it.
func TestOldFilesUndoNothing(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		e, other := fixture.Created(t, s, fixture.Lunch()), fixture.Created(t, s, fixture.Lunch())
		changedTo := func(amount expense.Money) {
			entry := e.Entry
			entry.Amount = amount
			var err error
			if e, err = s.Update(t.Context(), fixture.Alice, e.ID, e.Version, entry); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Millisecond) // until the next millisecond of the history
		}
		changedTo(20000)
		changedTo(30000)
		row := func(of expense.Expense, amount, note, version string) string {
			return of.ID + ",2026-03-02,finance,Alice Johnson,Team Lunch,Meals," + amount + "," + note + version + "\n"
		}
		versions := strings.TrimSpace(fileColumns) + ",version\n"
		for name, test := range map[string]struct {
			file string
			want expense.Outcome
		}{
			"an older version":                      {versions + row(e, "1.00", "with the auditors", ",2"), expense.OutcomeConflict},
			"an older version that says the same":   {versions + row(e, "300.00", "with the auditors", ",2"), expense.OutcomeUnchanged},
			"this version":                          {versions + row(e, "1.00", "with the auditors", ",3"), expense.OutcomeChanged},
			"a later version, of a newer database":  {versions + row(e, "1.00", "with the auditors", ",9"), expense.OutcomeChanged},
			"no version, the value before":          {fileColumns + row(e, "200.00", "with the auditors", ""), expense.OutcomeConflict},
			"no version, another field":             {fileColumns + row(e, "300.00", "without", ""), expense.OutcomeChanged},
			"no version, an old file":               {fileColumns + row(e, "200.00", "with the auditors", "") + row(other, "180.50", "with the auditors", ""), expense.OutcomeConflict},
			"no version, of one never changed":      {fileColumns + row(other, "1.00", "with the auditors", ""), expense.OutcomeChanged},
			"no version, and a newer change beside": {fileColumns + row(other, "1.00", "with the auditors", "") + row(e, "300.00", "with the auditors", ""), expense.OutcomeChanged},
		} {
			rows := fixture.Parsed(t, s, test.file)
			shown, err := s.ShownBy(t.Context(), rows)
			if err != nil {
				t.Fatal(err)
			}
			list, err := s.Compare(t.Context(), rows, shown, time.Time{})
			if err != nil || list[0].Outcome != test.want {
				t.Errorf("%s: %s, %v; want %s", name, list[0].Outcome, err, test.want)
			}
		}
		// A conflict stays as it is, unless it is chosen.
		file := fixture.Parsed(t, s, versions+row(e, "1.00", "with the auditors", ",2"))
		if got := fixture.Ran(t, s, fixture.Leased(t, s, fixture.Checked(t, s, file)), file, nil); got.Conflicts != 1 || got.Lines[0].Line != 2 || fixture.Stored(t, s, e).Amount != 30000 {
			t.Errorf("%+v", got)
		}
		took := fixture.Ran(t, s, fixture.Leased(t, s, fixture.Checked(t, s, file)), file, func(b *imports.Batch) { b.TakeConflict = func(line int) bool { return line == 2 } })
		if took.Changed != 1 || fixture.Stored(t, s, e).Amount != 100 {
			t.Errorf("chosen: %+v", took)
		}
	})
}

func TestWhatIsDoneMeanwhileStands(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		edited, deleted, kept := fixture.Created(t, s, fixture.Lunch()), fixture.Created(t, s, fixture.Lunch()), fixture.Created(t, s, fixture.Lunch())
		var file strings.Builder
		file.WriteString(fileColumns)
		for _, e := range []expense.Expense{edited, deleted, kept} {
			fmt.Fprintf(&file, "%s,2026-03-02,finance,Alice Johnson,Team Lunch,Meals,1.00,\n", e.ID)
		}
		rows := fixture.Parsed(t, s, file.String())
		id := fixture.Checked(t, s, rows)
		time.Sleep(2 * time.Millisecond)
		entry := edited.Entry
		entry.Note = "meanwhile"
		if _, err := s.Update(t.Context(), fixture.Alice, edited.ID, 1, entry); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Delete(t.Context(), fixture.Alice, deleted.ID, 1); err != nil {
			t.Fatal(err)
		}
		got := fixture.Ran(t, s, fixture.Leased(t, s, id), rows, func(b *imports.Batch) {
			b.TakeConflict, b.Restore = func(int) bool { return true }, true
		})
		if got.Changed != 1 || got.Conflicts != 2 || len(got.Lines) != 2 || got.Lines[0].Line != 2 || got.Lines[1].Line != 3 {
			t.Errorf("%+v", got)
		}
		if e := fixture.Stored(t, s, edited); e.Note != "meanwhile" || e.Amount != 18050 {
			t.Errorf("edited %+v", e)
		}
		if !fixture.Stored(t, s, deleted).Deleted() || fixture.Stored(t, s, kept).Amount != 100 {
			t.Error("the others are not as they should be")
		}
	})
}

func TestDeletedRowsComeBackByChoice(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		file := fileColumns + fileRow
		fixture.Imported(t, s, file)
		page, err := s.Page(t.Context(), expense.Query{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		e := page.Expenses[0]
		if _, err := s.Delete(t.Context(), fixture.Alice, e.ID, 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond)
		if got := fixture.Imported(t, s, file); !reflect.DeepEqual(got, imports.Result{}) || !fixture.Stored(t, s, e).Deleted() {
			t.Errorf("not chosen: %+v", got)
		}
		rows := fixture.Parsed(t, s, file)
		got := fixture.Ran(t, s, fixture.Leased(t, s, fixture.Checked(t, s, rows)), rows, func(b *imports.Batch) { b.Restore = true })
		if got.Changed != 1 || fixture.Stored(t, s, e).Deleted() {
			t.Errorf("chosen: %+v", got)
		}
		checkTotals(t, s)
	})
}

// unversioned is a file of expenses without their versions.
func unversioned(file string) string {
	return regexp.MustCompile(`,\d+(,[^,\n]*\n)`).ReplaceAllString(file, "$1")
}

func TestUndoTakesBackWhatNobodyTouched(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		changed, deleted, touched := fixture.Created(t, s, fixture.Lunch()), fixture.Created(t, s, fixture.Lunch()), fixture.Created(t, s, fixture.Lunch())
		if _, err := s.Delete(t.Context(), fixture.Alice, deleted.ID, 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond)
		before := unversioned(fixture.Exported(t, s))
		file := fileColumns + fileRow + fileRow
		for _, e := range []expense.Expense{changed, deleted, touched} {
			file += e.ID + ",2026-03-02,hr,Alice Johnson,Team Lunch,Trains,1.00,\n"
		}
		rows := fixture.Parsed(t, s, file)
		id := fixture.Checked(t, s, rows)
		got := fixture.Ran(t, s, fixture.Leased(t, s, id), rows, func(b *imports.Batch) { b.Restore = true })
		if got.New != 2 || got.Changed != 3 {
			t.Errorf("%+v", got)
		}
		checkTotals(t, s)
		now, err := s.Expense(t.Context(), expense.Actor{}, "hr", touched.ID)
		if err != nil {
			t.Fatal(err)
		}
		entry := now.Entry
		entry.Note = "touched"
		if now, err = s.Update(t.Context(), fixture.Alice, touched.ID, now.Version, entry); err != nil {
			t.Fatal(err)
		}
		if result := undone(t, s, id); result.Kept != 1 {
			t.Errorf("%+v", result)
		}
		checkTotals(t, s)
		if e, err := s.Expense(t.Context(), expense.Actor{}, "hr", touched.ID); err != nil || e.Version != now.Version {
			t.Errorf("touched %+v, %v", e, err)
		}
		if !fixture.Stored(t, s, deleted).Deleted() {
			t.Error("what was deleted is there")
		}
		if _, err := s.Update(t.Context(), fixture.Alice, touched.ID, now.Version, fixture.Lunch()); err != nil {
			t.Fatal(err)
		}
		if after := unversioned(fixture.Exported(t, s)); after != before {
			t.Errorf("not as before:\n%s\nbut\n%s", before, after)
		}
		// The same rows can be imported again.
		if got := fixture.Imported(t, s, fileColumns+fileRow+fileRow); got.New != 2 {
			t.Errorf("again: %+v", got)
		}
	})
}

func TestOneCopyWorksAtAnImport(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		rows := fixture.Parsed(t, s, fileColumns+fileRow+fileRow)
		i := fixture.Leased(t, s, fixture.Checked(t, s, rows))
		if _, ok, err := s.LeaseImport(t.Context(), "another"); ok || err != nil {
			t.Errorf("another copy has it too: %v", err)
		}
		b := imports.Batch{Import: i, Holder: fixture.Me, To: 1, Rows: rows[:1], TakeConflict: func(int) bool { return false }}
		if _, err := s.TakeRows(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if _, err := s.TakeRows(t.Context(), b); !errors.Is(err, imports.ErrLeaseLost) {
			t.Errorf("the same batch twice: %v", err)
		}
		if err := s.ReleaseImport(t.Context(), i.ID, fixture.Me); err != nil {
			t.Fatal(err)
		}
		taken, ok, err := s.LeaseImport(t.Context(), "another")
		if !ok || err != nil || taken.Done != 1 || taken.Result.New != 1 {
			t.Errorf("taken over %+v, %v, %v", taken, ok, err)
		}
		b.From, b.To, b.Rows = 1, 2, rows[1:]
		if _, err := s.TakeRows(t.Context(), b); !errors.Is(err, imports.ErrLeaseLost) {
			t.Errorf("a batch of who has lost it: %v", err)
		}
		if err := s.EndImport(t.Context(), i.ID, fixture.Me, imports.Running, imports.Done); !errors.Is(err, imports.ErrLeaseLost) {
			t.Errorf("an end by who has lost it: %v", err)
		}
	})
}

func TestImportsBelongToWhoMadeThem(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		s := fixture.Started(t, databaseURL)
		var ids []string
		for range imports.MaxPreviews + 1 {
			ids = append(ids, fixture.Checked(t, s, nil))
			time.Sleep(2 * time.Millisecond)
		}
		if _, err := s.Import(t.Context(), "alice", ids[1]); !errors.Is(err, expense.ErrNotFound) {
			t.Errorf("somebody else's: %v", err)
		}
		if _, err := s.Import(t.Context(), "bob", ids[0]); !errors.Is(err, expense.ErrNotFound) {
			t.Errorf("one too many: %v", err)
		}
		id := ids[1]
		if err := s.AddImportPart(t.Context(), id, 0, []byte("a,b\n")); err != nil {
			t.Fatal(err)
		}
		if err := s.AddImportPart(t.Context(), id, 1, []byte("1,2\n")); err != nil {
			t.Fatal(err)
		}
		if file, err := io.ReadAll(s.ImportFile(t.Context(), id)); err != nil || string(file) != "a,b\n1,2\n" {
			t.Errorf("file %q, %v", file, err)
		}
		if err := s.UndoImport(t.Context(), id); !errors.Is(err, expense.ErrNotFound) {
			t.Errorf("undo before it is done: %v", err)
		}
		db := storetest.DB(t, databaseURL)
		if _, err := db.Exec(`UPDATE imports SET expires_at = 1`); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Import(t.Context(), "bob", id); !errors.Is(err, expense.ErrNotFound) {
			t.Errorf("after its hour: %v", err)
		}
		if err := s.ConfirmImport(t.Context(), id); !errors.Is(err, expense.ErrNotFound) {
			t.Errorf("confirmed after its hour: %v", err)
		}
		for more := true; more; {
			var err error
			if more, err = s.ForgetImports(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var left int
		if err := db.QueryRow(`SELECT (SELECT COUNT(*) FROM imports) + (SELECT COUNT(*) FROM import_parts)`).Scan(&left); err != nil || left != 0 {
			t.Errorf("%d rows are left, %v", left, err)
		}
	})
}

// checkTotals compares the sums with the expenses.
func checkTotals(t testing.TB, s *fixture.Store) {
	t.Helper()
	var count int64
	var total expense.Money
	err := s.Each(t.Context(), expense.Query{}, func(e expense.Expense) error {
		count++
		total += e.Amount
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sums, err := s.Summary(t.Context(), expense.Query{})
	if err != nil || sums.Count != count || sums.Total != total {
		t.Errorf("%d expenses of %d in all, and the sums say %d, %d; %v", count, total, sums.Count, sums.Total, err)
	}
}

// TestImportsInOppositeOrder has two files say something new of the same expenses,
// one from the first to the last and one the other way round, while people edit
// some of them: nobody is in anybody's way for good.
func TestImportsInOppositeOrder(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		all := fixture.ManyExpenses(t, s, 60)
		files := map[string][]expense.ImportRow{}
		for _, note := range []string{"first", "second"} {
			for n, e := range all {
				row := expense.ImportRow{Line: n + 2, ID: e.ID, Entry: e.Entry}
				row.Entry.Note = note
				files[note] = append(files[note], row)
			}
		}
		slices.Reverse(files["second"])
		var working sync.WaitGroup
		for note, rows := range files {
			if err := s.ConfirmImport(t.Context(), fixture.Checked(t, s, rows)); err != nil {
				t.Fatal(err)
			}
			i, ok, err := s.LeaseImport(t.Context(), note)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			working.Go(func() {
				for from := 0; from < len(rows); from += 20 {
					batch := imports.Batch{
						Import: i, Holder: note, From: int64(from), To: int64(from + 20), Rows: rows[from : from+20], TakeConflict: func(int) bool { return true },
					}
					_, err := s.TakeRows(t.Context(), batch)
					// A machine that is busy may not come to it in time; two that wait for
					// each other end with another error.
					for errors.Is(err, context.DeadlineExceeded) && t.Context().Err() == nil {
						_, err = s.TakeRows(t.Context(), batch)
					}
					if err != nil {
						t.Errorf("the %s import: %v", note, err)
					}
				}
			})
		}
		for _, e := range all[20:30] {
			working.Go(func() {
				entry := e.Entry
				entry.Note = "edited"
				_, err := s.Update(t.Context(), fixture.Alice, e.ID, e.Version, entry)
				var conflict *expense.ConflictError
				if err != nil && !errors.As(err, &conflict) && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("edit: %v", err)
				}
			})
		}
		working.Wait()
		for _, e := range all {
			if now := fixture.Stored(t, s, e); now.Note != "first" && now.Note != "second" && now.Note != "edited" {
				t.Errorf("an expense is %+v", now)
			}
		}
		checkTotals(t, s)
	})
}
