package batch_test

import (
	"errors"
	"sync"
	"testing"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/internal/ledger"
)

// several adds so many expenses and returns them as a selection for an action.
func several(t *testing.T, s *fixture.Store, count int, action, value string) expense.Selection {
	t.Helper()
	sel := expense.Selection{Action: action, Value: value}
	for range count {
		sel.Expenses = append(sel.Expenses, expense.Seen{ID: fixture.Created(t, s, fixture.Lunch()).ID, Version: 1})
	}
	return sel
}

// all returns the expenses of a selection as they are.
func all(t *testing.T, s *fixture.Store, sel expense.Selection) []expense.Expense {
	t.Helper()
	found, err := s.Selected(t.Context(), fixture.Dana, sel.IDs())
	if err != nil || len(found) != len(sel.Expenses) {
		t.Fatalf("%d of %d are there, %v", len(found), len(sel.Expenses), err)
	}
	var list []expense.Expense
	for _, seen := range sel.Expenses {
		list = append(list, found[seen.ID])
	}
	return list
}

// undo takes a batch back.
func undo(t *testing.T, s *fixture.Store, id string) int {
	t.Helper()
	sel, err := s.Batch(t.Context(), fixture.Dana, id)
	if err != nil {
		t.Fatal(err)
	}
	undone, err := s.UndoBatch(t.Context(), fixture.Dana, id, sel)
	if err != nil {
		t.Fatal(err)
	}
	return undone
}

// TestSelections does each thing to two expenses, and takes it back.
func TestSelections(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		for name, test := range map[string]struct {
			action, value, reason string
			is                    func(expense.Expense) bool
			history, undone       string
		}{
			"another category": {expense.SelectedCategory, "Travel", "", func(e expense.Expense) bool { return e.Category == "Travel" }, "changed created", "changed changed created"},
			"another team":     {expense.SelectedMove, "hr", "", func(e expense.Expense) bool { return e.Team == "hr" }, "changed created", "changed changed created"},
			"deleted":          {expense.SelectedDelete, "", "", expense.Expense.Deleted, "deleted created", "restored deleted created"},
			"approved":         {expense.SelectedApprove, "", "", func(e expense.Expense) bool { return e.Status == expense.StatusApproved }, "approved created", "changed approved created"},
			"sent back":        {expense.SelectedSendBack, "", "No receipt", func(e expense.Expense) bool { return e.Status == expense.StatusSentBack }, "sent-back created", "changed sent-back created"},
		} {
			sel := several(t, s, 2, test.action, test.value)
			sel.Reason = test.reason
			before := all(t, s, sel)
			done, err := s.ChangeSelected(t.Context(), fixture.Dana, sel, expense.NewID())
			if err != nil || done.Changed != 2 || done.Action != test.action || done.Value != test.value {
				t.Errorf("%s: %+v, %v", name, done, err)
			}
			for _, e := range all(t, s, sel) {
				if !test.is(e) || e.Version != 2 || fixture.Actions(t, s, e.ID) != test.history {
					t.Errorf("%s: %+v, history %s", name, e, fixture.Actions(t, s, e.ID))
				}
			}
			for range 2 { // a double click
				if undone := undo(t, s, done.ID); undone != 2 {
					t.Errorf("%s: %d were taken back", name, undone)
				}
			}
			for i, e := range all(t, s, sel) {
				want := before[i]
				want.Version = 3
				if e != want || fixture.Actions(t, s, e.ID) != test.undone {
					t.Errorf("%s, taken back: %+v, want %+v, history %s", name, e, want, fixture.Actions(t, s, e.ID))
				}
			}
		}
		fixture.CheckSums(t, s.DB.Read())
	})
}

// TestSelectionsAreWhole wants nothing to be done where one of the expenses is not as it
// was seen, or cannot be so.
func TestSelectionsAreWhole(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		retired := fixture.Created(t, s, func() expense.Entry { e := fixture.Lunch(); e.Category = "Yachts"; return e }())
		categories, err := s.Categories(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range categories.List {
			if c.Label == retired.Category {
				if err := s.RetireCategory(t.Context(), c.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		var conflict *expense.ConflictError
		var category *expense.CategoryError
		for name, test := range map[string]struct {
			value string
			spoil func(*testing.T, *expense.Selection, expense.Expense)
			right func(error) bool
		}{
			"changed meanwhile": {"Travel", func(t *testing.T, _ *expense.Selection, e expense.Expense) {
				entry := e.Entry
				entry.Note = "changed"
				if _, err := s.Update(t.Context(), fixture.Alice, e.ID, 1, entry); err != nil {
					t.Fatal(err)
				}
			}, func(err error) bool { return errors.As(err, &conflict) && conflict.Current.Note == "changed" }},
			"deleted meanwhile": {"Travel", func(t *testing.T, sel *expense.Selection, e expense.Expense) {
				if _, err := s.Delete(t.Context(), fixture.Alice, e.ID, 1); err != nil {
					t.Fatal(err)
				}
				sel.Expenses[2].Version = 2
			}, func(err error) bool { return errors.As(err, &conflict) && conflict.Current.Deleted() }},
			"not there": {"Travel", func(_ *testing.T, sel *expense.Selection, _ expense.Expense) {
				sel.Expenses = append(sel.Expenses, expense.Seen{ID: expense.NewID(), Version: 1})
			}, func(err error) bool { return errors.Is(err, expense.ErrNotFound) }},
			"a retired category": {"yachts", func(*testing.T, *expense.Selection, expense.Expense) {}, func(err error) bool { return errors.As(err, &category) }},
		} {
			sel := several(t, s, 3, expense.SelectedCategory, test.value)
			before := all(t, s, sel)[:2]
			test.spoil(t, &sel, all(t, s, sel)[2])
			submission := expense.NewID()
			if _, err := s.ChangeSelected(t.Context(), fixture.Dana, sel, submission); !test.right(err) {
				t.Errorf("%s: %v", name, err)
			}
			sel.Expenses = sel.Expenses[:2]
			for i, e := range all(t, s, sel) {
				if e != before[i] {
					t.Errorf("%s, and yet there is %+v", name, e)
				}
			}
			// The form did not count: without what was wrong it does.
			sel.Value = "Meals and more"
			if done, err := s.ChangeSelected(t.Context(), fixture.Dana, sel, submission); err != nil || done.Changed != 2 {
				t.Errorf("%s, then right: %+v, %v", name, done, err)
			}
		}
		fixture.CheckSums(t, s.DB.Read())
	})
}

// TestSelectionsCountOnce sends one form twice, at once too, and with something else.
func TestSelectionsCountOnce(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		sel := several(t, s, 3, expense.SelectedDelete, "")
		done := make([]expense.SelectionDone, 3)
		errs := make([]error, 3)
		var wait sync.WaitGroup
		for i := range done {
			wait.Go(func() { done[i], errs[i] = s.ChangeSelected(t.Context(), fixture.Dana, sel, "once") })
		}
		wait.Wait()
		if errors.Join(errs...) != nil || done[0].Changed != 3 || done[0] != done[1] || done[1] != done[2] {
			t.Errorf("%+v, %v", done, errs)
		}
		for _, e := range all(t, s, sel) {
			if fixture.Actions(t, s, e.ID) != "deleted created" {
				t.Errorf("the history is %s", fixture.Actions(t, s, e.ID))
			}
		}
		var before *expense.SentBeforeError
		other := several(t, s, 1, expense.SelectedDelete, "")
		if _, err := s.ChangeSelected(t.Context(), fixture.Dana, other, "once"); !errors.As(err, &before) || before.Before != done[0] {
			t.Errorf("with something else in it: %v", err)
		}
		if all(t, s, other)[0].Deleted() {
			t.Error("and it was deleted")
		}
		erin := expense.Actor{Subject: "erin"}
		if got, err := s.ChangeSelected(t.Context(), erin, other, "once"); err != nil || got.Changed != 1 {
			t.Errorf("the same by somebody else: %+v, %v", got, err)
		}
		if _, err := s.Batch(t.Context(), erin, done[0].ID); !errors.Is(err, expense.ErrNotFound) {
			t.Errorf("somebody else finds it: %v", err)
		}

		// Two with other expenses in common: one of them comes first, the other does nothing.
		sel = several(t, s, 3, expense.SelectedApprove, "")
		back := expense.Selection{Action: expense.SelectedSendBack, Reason: "no", Expenses: []expense.Seen{sel.Expenses[2], sel.Expenses[1]}}
		wait.Go(func() { _, errs[0] = s.ChangeSelected(t.Context(), fixture.Dana, sel, "") })
		wait.Go(func() { _, errs[1] = s.ChangeSelected(t.Context(), erin, back, "") })
		wait.Wait()
		var conflict *expense.ConflictError
		if (errs[0] == nil) == (errs[1] == nil) || !errors.As(errors.Join(errs[0], errs[1]), &conflict) {
			t.Errorf("two at once: %v and %v", errs[0], errs[1])
		}
	})
}

// TestUndoBatch takes back what has been touched in part, and what a merge touched.
func TestUndoBatch(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		sel := several(t, s, 3, expense.SelectedCategory, "Travel")
		if _, err := s.Approve(t.Context(), fixture.Bob, sel.Expenses[0].ID, 1); err != nil {
			t.Fatal(err)
		}
		sel.Expenses[0].Version = 2
		done, err := s.ChangeSelected(t.Context(), fixture.Dana, sel, "")
		if err != nil {
			t.Fatal(err)
		}
		if e := all(t, s, sel)[0]; e.Status != expense.StatusLogged {
			t.Errorf("what was changed after it was approved is %s", e.Status)
		}
		if _, err := s.Delete(t.Context(), fixture.Alice, sel.Expenses[2].ID, 2); err != nil {
			t.Fatal(err)
		}
		categories, err := s.Categories(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range categories.List {
			if c.Label == fixture.Lunch().Category {
				if _, err := s.RenameCategory(t.Context(), c.ID, "Food"); err != nil {
					t.Fatal(err)
				}
			}
		}
		if undone := undo(t, s, done.ID); undone != 2 {
			t.Errorf("%d were taken back", undone)
		}
		now := all(t, s, sel)
		if now[0].Category != "Food" || now[0].Status != expense.StatusApproved || now[1].Category != "Food" || now[2].Category != "Travel" || !now[2].Deleted() {
			t.Errorf("taken back: %+v", now)
		}
		// What was done weeks ago is forgotten.
		if _, err := s.DB.Write().Exec(`UPDATE batches SET at = at - $1`, 2*ledger.UndoAge.Milliseconds()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Batch(t.Context(), fixture.Dana, done.ID); !errors.Is(err, expense.ErrNotFound) {
			t.Errorf("it is found after weeks: %v", err)
		}
		if _, err := s.ChangeSelected(t.Context(), fixture.Dana, several(t, s, 1, expense.SelectedDelete, ""), ""); err != nil {
			t.Fatal(err)
		}
		var left int
		if err := s.DB.Read().QueryRow(`SELECT COUNT(*) FROM batches, batch_expenses`).Scan(&left); err != nil || left != 1 {
			t.Errorf("%d are left, %v", left, err)
		}
	})
}
