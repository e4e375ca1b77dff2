package ledger_test

import (
	"errors"
	"sync"
	"testing"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/fixture"
)

// TestDecisions decides about an expense, and wants a change to ask again, and each
// decision in the history.
func TestDecisions(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		e := fixture.Created(t, s, fixture.Lunch())
		if e.Status != expense.StatusLogged {
			t.Errorf("a new expense is %q", e.Status)
		}
		check := func(what string, e expense.Expense, err error, status expense.Status, version int64) {
			t.Helper()
			if err != nil || e.Status != status || e.Version != version || fixture.Stored(t, s, e).Status != status {
				t.Errorf("%s: %v, it is %s, stored as %s, in version %d", what, err, e.Status, fixture.Stored(t, s, e).Status, e.Version)
			}
		}
		back, err := s.SendBack(t.Context(), fixture.Bob, e.ID, 1, "No receipt")
		check("sent back", back, err, expense.StatusSentBack, 2)
		entry := back.Entry
		entry.Note = "with its receipt"
		again, err := s.Update(t.Context(), fixture.Alice, e.ID, 2, entry)
		check("changed by its owner", again, err, expense.StatusLogged, 3)
		yes, err := s.Approve(t.Context(), fixture.Bob, e.ID, 3)
		check("approved", yes, err, expense.StatusApproved, 4)
		same, err := s.Update(t.Context(), fixture.Alice, e.ID, 4, yes.Entry)
		check("saved without a change", same, err, expense.StatusApproved, 4)
		gone, err := s.Delete(t.Context(), fixture.Alice, e.ID, 4)
		check("deleted", gone, err, expense.StatusApproved, 5)
		var conflict *expense.ConflictError
		if _, err := s.Approve(t.Context(), fixture.Bob, e.ID, 5); !errors.As(err, &conflict) {
			t.Errorf("a deleted expense is approved: %v", err)
		}
		restored, err := s.Restore(t.Context(), fixture.Alice, e.ID, 5)
		check("restored", restored, err, expense.StatusApproved, 6)
		entry.Category = "Travel"
		moved, err := s.Update(t.Context(), fixture.Alice, e.ID, 6, entry)
		check("changed after it was approved", moved, err, expense.StatusLogged, 7)
		if got := fixture.Actions(t, s, e.ID); got != "changed restored deleted approved changed sent-back created" {
			t.Errorf("the history is %q", got)
		}
		if reason := fixture.HistoryOf(t, s, e.ID)[5].Changes[1]; reason != (expense.Change{Field: "reason", New: "No receipt"}) {
			t.Errorf("the reason is %+v", reason)
		}
	})
}

// TestDecisionsMeet lets decisions meet what came before them.
func TestDecisionsMeet(t *testing.T) {
	t.Parallel()
	carol := expense.Actor{Address: "carol.lee@task-vantage.com", Name: "Carol Lee"}
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		var conflict *expense.ConflictError
		e := fixture.Created(t, s, fixture.Lunch())
		if _, err := s.Approve(t.Context(), fixture.Bob, e.ID, 1); err != nil {
			t.Fatal(err)
		}
		if again, err := s.Approve(t.Context(), fixture.Bob, e.ID, 1); err != nil || again.Version != 2 {
			t.Errorf("a double click: version %d, %v", again.Version, err)
		}
		if _, err := s.Approve(t.Context(), carol, e.ID, 1); !errors.As(err, &conflict) {
			t.Errorf("somebody else approves the version before: %v", err)
		}
		if _, err := s.SendBack(t.Context(), carol, e.ID, 1, "No"); !errors.As(err, &conflict) || conflict.Current.Status != expense.StatusApproved {
			t.Errorf("somebody else sends the version before back: %v", err)
		}

		e = fixture.Created(t, s, fixture.Lunch())
		var wait sync.WaitGroup
		errs := make([]error, 2)
		wait.Go(func() { _, errs[0] = s.Approve(t.Context(), fixture.Bob, e.ID, 1) })
		wait.Go(func() { _, errs[1] = s.SendBack(t.Context(), carol, e.ID, 1, "No") })
		wait.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || fixture.Stored(t, s, e).Version != 2 {
			t.Errorf("two deciders at once: %v and %v, version %d", errs[0], errs[1], fixture.Stored(t, s, e).Version)
		}
	})
}

// TestUndecided counts what waits for somebody, who decides about nothing that they
// own, spent or logged.
func TestUndecided(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		today := fixture.Lunch().Date
		approved := fixture.Created(t, s, fixture.Lunch())
		if _, err := s.Approve(t.Context(), fixture.Bob, approved.ID, 1); err != nil {
			t.Fatal(err)
		}
		fixture.Created(t, s, fixture.Lunch())
		other := fixture.Lunch()
		other.Person, other.Owner = "bob.smith@task-vantage.com", ""
		fixture.Created(t, s, other)
		for name, test := range map[string]struct {
			reader expense.Actor
			teams  []string
			want   int64
		}{
			"who logged both":             {fixture.Alice, []string{"finance"}, 0},
			"who owns one":                {fixture.Bob, []string{"finance"}, 1},
			"somebody else":               {expense.Actor{Address: "carol.lee@task-vantage.com"}, []string{"finance"}, 2},
			"somebody without an address": {expense.Actor{Subject: "x", Issuer: "y"}, []string{"finance"}, 2},
			"of another team":             {expense.Actor{}, []string{"hr"}, 0},
			"who decides nothing":         {expense.Actor{}, nil, 0},
		} {
			o, err := s.Overview(t.Context(), test.reader, nil, test.teams, today)
			if got := o.Total(today).Undecided.Count; err != nil || got != test.want {
				t.Errorf("%s: %d to decide, want %d, %v", name, got, test.want, err)
			}
		}
		// A team that approves nothing has no status, whatever is asked for.
		ofHR := fixture.Lunch()
		ofHR.Team = "hr"
		fixture.Created(t, s, ofHR)
		for _, q := range []expense.Query{
			{}, {From: ofHR.Date}, {From: ofHR.Date.AddDays(-1), To: ofHR.Date}, {Q: ofHR.Item[:3]}, {Teams: []string{"finance", "hr"}, To: ofHR.Date},
		} {
			q.Approving = []string{"finance", "sales"}
			sums, err := s.Summary(t.Context(), q)
			if err != nil || len(sums.ByStatus) != 2 || sums.ByStatus[0].Count != 2 || sums.ByStatus[1].Label != "Approved" || sums.Count != 4 {
				t.Errorf("%+v: the sums are %+v of %d, %v", q, sums.ByStatus, sums.Count, err)
			}
			if q.Teams = []string{"hr"}; q.Approved().Teams == nil {
				t.Error("none of some teams are all")
			}
			if sums, err := s.Summary(t.Context(), q); err != nil || len(sums.ByStatus) != 0 || sums.Count != 1 {
				t.Errorf("%+v: the sums are %+v of %d, %v", q, sums.ByStatus, sums.Count, err)
			}
		}
		for q, want := range map[expense.Status]int64{expense.StatusLogged: 2, expense.StatusApproved: 1, expense.StatusSentBack: 0} {
			page, sums, err := s.PageAndSummary(t.Context(), expense.Query{Teams: []string{"finance"}, Status: q, Sort: "date", Desc: true})
			if err != nil || int64(len(page.Expenses)) != want || sums.Count != want {
				t.Errorf("%s: %d listed, %d counted, %v", q, len(page.Expenses), sums.Count, err)
			}
		}
	})
}
