package ledger_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/internal/ledger"
)

func TestStreamEndsWithItsReader(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		fixture.ManyExpenses(t, s, 200)
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
		if open := s.DB.Read().Stats().InUse; open != 0 {
			t.Errorf("%d connections are still in use", open)
		}
	})
}

func TestExpenseComesBackAsItWas(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		entry := fixture.Lunch()
		entry.Item = `Zoë's 🍜 "soup"; DROP TABLE expenses; -- $1 ? \ %`
		entry.Note = "first line\n\tsecond: Ünïcödé 日本語"
		e := fixture.Created(t, s, entry)
		got := fixture.Stored(t, s, e)
		entry.Address, entry.PersonID, entry.OwnerID = fixture.Alice.Address, e.PersonID, e.OwnerID
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
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		var (
			wg    sync.WaitGroup
			ids   [8]string
			isNew [8]bool
			errs  [8]error
		)
		for i := range ids {
			wg.Go(func() {
				var e expense.Expense
				e, isNew[i], errs[i] = s.Create(t.Context(), fixture.Alice, fixture.Lunch(), "form-1")
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
		if news != 1 || fixture.Actions(t, s, ids[0]) != "created" {
			t.Errorf("%d say that they are new, history %q", news, fixture.Actions(t, s, ids[0]))
		}
		other, isOther, err := s.Create(t.Context(), fixture.Bob, fixture.Lunch(), "form-1")
		if err != nil || !isOther || other.ID == ids[0] {
			t.Errorf("another person's form of the same name is not theirs: %v, %v", isOther, err)
		}
	})
}

func TestUpdateAndConflict(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		e := fixture.Created(t, s, fixture.Lunch())
		entry := e.Entry
		entry.Amount, entry.Note = 20000, ""
		changed, err := s.Update(t.Context(), fixture.Alice, e.ID, 1, entry)
		if err != nil || changed.Version != 2 || fixture.Stored(t, s, e) != changed {
			t.Fatalf("update: %+v, %v", changed, err)
		}
		if again, err := s.Update(t.Context(), fixture.Alice, e.ID, 1, entry); err != nil || again != changed {
			t.Errorf("the same form again: %+v, %v", again, err)
		}
		other := entry
		other.Item = "Dinner"
		_, err = s.Update(t.Context(), fixture.Bob, e.ID, 1, other)
		var conflict *expense.ConflictError
		if !errors.As(err, &conflict) || conflict.Current != changed {
			t.Errorf("stale update: %v, want a conflict with %+v", err, changed)
		}
		if _, err := s.Update(t.Context(), fixture.Bob, expense.NewID(), 1, other); !errors.Is(err, expense.ErrNotFound) {
			t.Errorf("unknown expense: %v", err)
		}
		events := fixture.HistoryOf(t, s, e.ID)
		want := []expense.Change{{Field: "amount", Old: "180.50", New: "200.00"}, {Field: "note", Old: "with the auditors", New: ""}}
		if len(events) != 2 || !reflect.DeepEqual(events[0].Changes, want) || events[0].Actor != fixture.Alice {
			t.Fatalf("history %+v", events)
		}
		if len(events[1].Changes) != 0 || events[1].Action != expense.ActionCreated || events[0].At.Location() != time.UTC {
			t.Errorf("first event %+v", events[1])
		}
	})
}

func TestTwoEditorsAtOnce(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		e := fixture.Created(t, s, fixture.Lunch())
		var (
			wg   sync.WaitGroup
			errs [8]error
		)
		for i := range errs {
			wg.Go(func() {
				entry := e.Entry
				entry.Item = fmt.Sprintf("Lunch %d", i)
				_, errs[i] = s.Update(t.Context(), fixture.Alice, e.ID, 1, entry)
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
		if won != 1 || fixture.Actions(t, s, e.ID) != "changed created" {
			t.Errorf("%d won, history %q", won, fixture.Actions(t, s, e.ID))
		}
	})
}

func TestDeleteAndRestore(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		e := fixture.Created(t, s, fixture.Lunch())
		var conflict *expense.ConflictError
		if _, err := s.Delete(t.Context(), fixture.Alice, e.ID, 7); !errors.As(err, &conflict) {
			t.Errorf("delete of another version: %v", err)
		}
		deleted, err := s.Delete(t.Context(), fixture.Alice, e.ID, 1)
		if err != nil || !deleted.Deleted() || fixture.Stored(t, s, e) != deleted {
			t.Fatalf("delete: %+v, %v", deleted, err)
		}
		if again, err := s.Delete(t.Context(), fixture.Alice, e.ID, 1); err != nil || again != deleted {
			t.Errorf("delete again: %+v, %v", again, err)
		}
		if _, err := s.Delete(t.Context(), fixture.Bob, e.ID, 1); !errors.As(err, &conflict) {
			t.Errorf("delete by another: %v", err)
		}
		for version := range int64(3) {
			if _, err := s.Update(t.Context(), fixture.Alice, e.ID, version, e.Entry); !errors.As(err, &conflict) || !conflict.Current.Deleted() {
				t.Errorf("update of a deleted expense: %v", err)
			}
		}
		if page, err := s.Page(t.Context(), expense.Query{}, 0); err != nil || len(page.Expenses) != 0 {
			t.Errorf("a page shows %v, %v", page, err)
		}
		restored, err := s.Restore(t.Context(), fixture.Alice, e.ID, 2)
		if err != nil || restored.Deleted() || restored.Version != 3 || restored.Entry != e.Entry {
			t.Fatalf("restore: %+v, %v", restored, err)
		}
		if again, err := s.Restore(t.Context(), fixture.Alice, e.ID, 2); err != nil || again != restored {
			t.Errorf("restore again: %+v, %v", again, err)
		}
		if _, err := s.Restore(t.Context(), fixture.Bob, e.ID, 2); !errors.As(err, &conflict) {
			t.Errorf("restore by another: %v", err)
		}
		if got := fixture.Actions(t, s, e.ID); got != "restored deleted created" {
			t.Errorf("history %q", got)
		}
	})
}

func TestDatabaseRefusesWhatTheFormsRefuse(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
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
			entry := fixture.Lunch()
			spoil(&entry)
			if _, _, err := s.Create(t.Context(), fixture.Alice, entry, ""); err == nil || fault.IsUnavailable(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		entry := fixture.Lunch()
		entry.Item, entry.Category = strings.Repeat("é", expense.MaxItem), strings.Repeat("🍜", expense.MaxCategory)
		entry.Person, entry.Note = strings.Repeat("ß", expense.MaxPerson), strings.Repeat("日", expense.MaxNote)
		fixture.Created(t, s, entry)
		if page, err := s.Page(t.Context(), expense.Query{}, 0); err != nil || len(page.Expenses) != 1 {
			t.Errorf("page %v, %v", page, err)
		}
	})
}

// TestEachGoesOnWhereABatchEnds reads more than a batch in each order, and finds
// each expense once, as pages do.
func TestEachGoesOnWhereABatchEnds(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		fixture.ManyExpenses(t, s, 2*ledger.EachBatch+10)
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
