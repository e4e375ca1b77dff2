package store

import (
	"testing"
	"time"

	"expense-dashboard/internal/expense"
)

// TestSampleIsManaged wants an expense of each status in the sample, and a budget.
func TestSampleIsManaged(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		today := expense.NewDate(2026, time.November, 25)
		tx, err := s.write.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := fillSample(t.Context(), tx, today, s.Currency()); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		sums, err := s.Summary(t.Context(), expense.Query{Teams: []string{sampleTeam}, Approval: true})
		if err != nil || len(sums.ByStatus) != len(expense.Statuses) {
			t.Errorf("the statuses are %+v, %v", sums.ByStatus, err)
		}
		budgets, err := s.BudgetLines(t.Context(), sampleTeam, today.Month(), today)
		if err != nil || len(budgets) != 1 || budgets[0].Over() == 0 {
			t.Errorf("the budgets are %+v, %v", budgets, err)
		}
	})
}
