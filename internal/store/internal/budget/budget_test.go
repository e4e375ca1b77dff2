package budget_test

import (
	"errors"
	"reflect"
	"testing"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/fixture"
)

// TestBudgets sets budgets from months on, and wants those that hold in each month
// with what was spent of them.
func TestBudgets(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		fixture.Created(t, s, fixture.Lunch())
		train := fixture.Lunch()
		train.Category, train.Amount, train.Date = "Travel", 5000, expense.NewDate(2026, 3, 20)
		fixture.Created(t, s, train)
		version := int64(0)
		set := func(month, category string, amount expense.Money) {
			t.Helper()
			if err := s.SetBudget(t.Context(), fixture.Bob, "finance", month, category, amount, version); err != nil {
				t.Fatal(err)
			}
			version++
		}
		set("2026-02", "", 20000)
		set("2026-03", "travel", 6000)
		set("2026-04", "", 30000)
		set("2026-05", "Travel", 0)
		set("2026-02", "", 21000) // meant anew; from April on 30000 still holds
		today := expense.NewDate(2026, 3, 10)
		for month, want := range map[string][]expense.Budget{
			"2026-01": nil,
			"2026-02": {{Amount: 21000}},
			"2026-03": {{Amount: 21000, Spent: 23050, SoFar: 18050}, {Category: "Travel", Amount: 6000, Spent: 5000}},
			"2026-04": {{Amount: 30000}, {Category: "Travel", Amount: 6000}},
			"2026-05": {{Amount: 30000}},
		} {
			for i := range want {
				want[i].Month, want[i].Today = month, today
			}
			got, err := s.Budgets(t.Context(), "finance", month, today)
			if err != nil || got.Version != version || !reflect.DeepEqual(got.Lines, want) {
				t.Errorf("in %s: %+v, %v; want %+v", month, got, err, want)
			}
		}
		if none, err := s.Budgets(t.Context(), "hr", "2026-03", today); err != nil || none.Lines != nil || none.Version != 0 {
			t.Errorf("another team: %+v, %v", none, err)
		}
		o, err := s.Overview(t.Context(), fixture.Alice, nil, nil, today)
		if err != nil || len(o.Teams) != 1 || o.Teams[0].Budget != 21000 {
			t.Errorf("the overview has %+v, %v", o.Teams, err)
		}
		history, err := s.BudgetHistory(t.Context(), "finance", 10)
		if err != nil || len(history) != 5 || history[1].Category != "Travel" || history[1].Amount != 0 || history[4].Actor.Name != fixture.Bob.Name {
			t.Errorf("the history is %+v, %v", history, err)
		}
		var conflict *expense.BudgetConflictError
		if err := s.SetBudget(t.Context(), fixture.Alice, "finance", "2026-06", "", 1, version-1); !errors.As(err, &conflict) || conflict.Version != version {
			t.Errorf("a stale one: %v", err)
		}
		if err := s.SetBudget(t.Context(), fixture.Bob, "finance", "2026-02", "", 21000, version-1); err != nil {
			t.Errorf("a double click: %v", err)
		}
		if again, err := s.Budgets(t.Context(), "finance", "2026-02", today); err != nil || again.Version != version {
			t.Errorf("it counted twice: %+v, %v", again, err)
		}
	})
}
