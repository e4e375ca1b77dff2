package ledger_test

import (
	"slices"
	"testing"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/storetest"
)

// checkOverview compares an overview with what the expenses of a list come to.
func checkOverview(t *testing.T, s *fixture.Store, teams []string, today expense.Date, list []expense.Expense) {
	t.Helper()
	o, err := s.Overview(t.Context(), expense.Actor{}, teams, nil, today)
	if err != nil {
		t.Fatal(err)
	}
	sum := func(team string, from, to expense.Date) expense.Group {
		var g expense.Group
		for _, e := range expected(expense.Query{Teams: teams, From: from, To: to}, list) {
			if team == "" || e.Team == team {
				g = g.Plus(expense.Group{Count: 1, Total: e.Amount})
			}
		}
		return g
	}
	check := func(what string, got, want expense.Group) {
		t.Helper()
		if got.Count != want.Count || got.Total != want.Total {
			t.Errorf("%v on %v, %s: %d of %v, want %d of %v", teams, today, what, got.Count, got.Total, want.Count, want.Total)
		}
	}
	month, year := today.StartOfMonth(0), expense.NewDate(today.T.Year(), 1, 1)
	for _, team := range append([]expense.TeamTotal{o.Total(today)}, o.Teams...) {
		check(team.Team+" in all", team.Group, sum(team.Team, expense.Date{}, expense.Date{}))
		check(team.Team+" this year", team.Year, sum(team.Team, year, expense.NewDate(today.T.Year(), 12, 31)))
		check(team.Team+" so far", team.SoFar, sum(team.Team, month, today))
		check(team.Team+" before", team.Before, sum(team.Team, today.StartOfMonth(-1), today.SameDayBefore()))
		for i, of := range team.ByMonth {
			start := today.StartOfMonth(i - 11)
			check(team.Team+" in "+of.Label, of, sum(team.Team, start, start.StartOfMonth(1).AddDays(-1)))
		}
	}
	check("this month", o.Month.Group, sum("", month, month.StartOfMonth(1).AddDays(-1)))
	latest := expected(expense.Query{Teams: teams, Sort: "date", Desc: true}, list)
	if want := latest[:min(5, len(latest))]; !slices.EqualFunc(o.Latest, want, func(a, b expense.Expense) bool { return a.ID == b.ID }) {
		t.Errorf("the latest are %v, want %v", o.Latest, want)
	}
}

// TestOverviewKnowsWhatIsMine asks as two readers, of whom one has two addresses
// by now.
func TestOverviewKnowsWhatIsMine(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		s := fixture.Started(t, databaseURL)
		carol := expense.Actor{Address: "carol@example.com", Name: "Carol"}
		for i, person := range []string{"carol@example.com", "carol@example.com", "dan@example.com"} {
			_, _, err := s.Create(t.Context(), carol, expense.Entry{
				Team: "finance", Date: expense.NewDate(2026, 3, 2).AddDays(-20 * (i % 2)), Person: person, Owner: person, Item: "Tea", Category: "Meals", Amount: expense.Money(100 + i),
			}, "")
			if err != nil {
				t.Fatal(err)
			}
		}
		for address, want := range map[string]expense.Money{"carol@example.com": 100, "dan@example.com": 102, "eve@example.com": 0, "": 0} {
			o, err := s.Overview(t.Context(), expense.Actor{Address: address}, []string{"finance"}, nil, expense.NewDate(2026, 3, 15))
			if err != nil {
				t.Fatal(err)
			}
			if mine := o.Total(expense.NewDate(2026, 3, 15)).Mine; mine.Total != want {
				t.Errorf("%q spent %v this month, want %v", address, mine.Total, want)
			}
		}
	})
}

func TestSameDayBefore(t *testing.T) {
	for day, want := range map[string]string{
		"2026-03-31": "2026-02-28", "2024-03-30": "2024-02-29", "2026-03-15": "2026-02-15", "2026-01-01": "2025-12-01", "2026-01-31": "2025-12-31", "2026-05-31": "2026-04-30",
	} {
		date, err := expense.ParseDate(day)
		if err != nil {
			t.Fatal(err)
		}
		if got := date.SameDayBefore().String(); got != want {
			t.Errorf("a month before %s is %s, want %s", day, got, want)
		}
	}
}
