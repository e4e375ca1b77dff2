package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/storetest"
)

// TestSampleIsManaged wants an expense of each status in the sample, and a budget.
func TestSampleIsManaged(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		today := expense.NewDate(2026, time.November, 25)
		tx, err := s.DB.Write().BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.FillSample(t.Context(), tx, today, s.Currency()); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		sums, err := s.Summary(t.Context(), expense.Query{Teams: []string{store.SampleTeam}, Approving: []string{store.SampleTeam}})
		if err != nil || len(sums.ByStatus) != len(expense.Statuses) {
			t.Errorf("the statuses are %+v, %v", sums.ByStatus, err)
		}
		budgets, err := s.BudgetLines(t.Context(), store.SampleTeam, today.Month(), today)
		if err != nil || len(budgets) != 1 || budgets[0].Over() == 0 {
			t.Errorf("the budgets are %+v, %v", budgets, err)
		}
	})
}

func TestSample(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		today := expense.DateOf(time.Now())
		var wg sync.WaitGroup
		stores := make([]*fixture.Store, 4)
		for i := range stores {
			stores[i] = fixture.Opened(t, databaseURL)
			wg.Go(func() {
				if err := stores[i].Start(t.Context(), true); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		overview, err := stores[0].Overview(t.Context(), expense.Actor{}, nil, nil, today)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, team := range overview.Teams {
			got += fmt.Sprintf("%s %d %s\n", team.Team, team.Count, expense.Dollars().Plain(team.Total))
			months := expense.Money(0)
			for _, month := range team.ByMonth {
				months += month.Total
			}
			if months != team.Total || len(team.ByMonth) != 12 {
				t.Errorf("%s: the months make %v of %v", team.Team, months, team.Total)
			}
		}
		want := "dev-advocacy 4 2450.00\nfinance 4 2780.00\nhr 4 3400.00\nlegal 4 3820.00\nmarketing 4 2200.00\n"
		if got != want {
			t.Errorf("totals\n%swant\n%s", got, want)
		}
		err = stores[0].Each(t.Context(), expense.Query{}, func(e expense.Expense) error {
			done := map[expense.Status]string{expense.StatusLogged: "created", expense.StatusApproved: "approved created", expense.StatusSentBack: "sent-back created"}[e.Status]
			if e.Date.Compare(today) >= 0 || e.Owner != "" || e.Category == "Other" || fixture.Actions(t, stores[1], e.ID) != done {
				t.Errorf("sample %+v", e)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
