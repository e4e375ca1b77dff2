package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
)

// TestBudget sets budgets and goes over them, as a lead, a member and an auditor see it.
func TestBudget(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	owner, lead, auditor, boss := as(r, "owner"), as(r, "lead"), as(r, "auditor"), as(r, "admin")
	month, named := time.Now().Format("2006-01"), time.Now().Format("Jan 2006")
	today := func(amount string) url.Values {
		return apptest.With(apptest.With(apptest.With(apptest.ExpenseForm(), "date", time.Now().Format(time.DateOnly)), "amount", amount), "category", "Travel")
	}
	lead.Get("/team/finance/budget").Check(t, http.StatusOK, "There is no budget for this month.", "Set the budget", `name="version" value="0"`)
	owner.Get("/team/finance/budget").Check(t, http.StatusOK, "There is no budget for this month.", "!Set the budget")
	owner.Get("/team/finance").Check(t, http.StatusOK, "!budget")
	lead.Post("/team/finance/budget", url.Values{"amount": {"100.00"}, "version": {"0"}}).Check(t, http.StatusSeeOther)
	boss.Post("/team/finance/budget", url.Values{"amount": {"50.00"}, "version": {"0"}}).Check(t, http.StatusConflict, "Somebody else has set a budget in the meantime", `value="50.00"`, `name="version" value="1"`)
	boss.Post("/team/finance/budget", url.Values{"amount": {"50.00"}, "category": {"travel"}, "version": {"1"}, "month": {month}}).Check(t, http.StatusSeeOther)
	owner.Post("/team/finance/expenses", today("40.00")).Check(t, http.StatusSeeOther)
	owner.Get("/team/finance").Check(t, http.StatusOK, "Logged: ", "!This is over", "$60.00 left")
	owner.Post("/team/finance/expenses", today("80.00")).Check(t, http.StatusSeeOther)
	owner.Get("/team/finance").Check(t, http.StatusOK, "This is over the budget of Finance for "+named+" by $20.00.", "for Travel for "+named+" by $70.00.", "over by $20.00")
	owner.Get("/dashboard").Check(t, http.StatusOK, "over by $20.00")
	auditor.Get("/dashboard").Check(t, http.StatusOK, "over by $20.00")
	auditor.Get("/team/finance/budget").Check(t, http.StatusOK, "over by $20.00", "set $100.00 a month", "!Set the budget")
	want := `{"month":"` + month + `","budgets":[{"category":"","amount":"100.00","spent":"120.00","left":"-20.00"},{"category":"Travel","amount":"50.00","spent":"120.00","left":"-70.00"}]}`
	if got := auditor.Get("/team/finance/budget", "Accept", "application/json").Body; strings.TrimSpace(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	auditor.Get("/team/finance/budget?month=1999-12").Check(t, http.StatusBadRequest)
	auditor.Get("/team/finance/budget?week=1").Check(t, http.StatusBadRequest)
	lead.Post("/team/finance/budget", url.Values{"amount": {""}, "version": {"2"}}).Check(t, http.StatusSeeOther)
	lead.Get("/team/finance/budget").Check(t, http.StatusOK, "The budget has ended", "ended the budget", "!In all:")
}

// TestBudgetsAbused sends budgets that must change nothing.
func TestBudgetsAbused(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	people := map[string]*browser{}
	for _, role := range []string{"owner", "lead", "auditor", "other", "other.lead"} {
		people[role] = as(r, role)
	}
	for _, test := range []struct {
		name, role string
		form       url.Values
		status     int
	}{
		{"a member", "owner", url.Values{"amount": {"1"}}, 403},
		{"an auditor", "auditor", url.Values{"amount": {"1"}}, 403},
		{"a lead of another team", "other.lead", url.Values{"amount": {"1"}}, 403},
		{"a member of another team", "other", url.Values{"amount": {"1"}}, 404},
		{"below zero", "lead", url.Values{"amount": {"-1.00"}}, 422},
		{"nothing at all", "lead", url.Values{"amount": {"0"}}, 422},
		{"no amount", "lead", url.Values{"amount": {"much"}}, 422},
		{"no month", "lead", url.Values{"amount": {"1"}, "month": {"2026-13"}}, 422},
		{"a long category", "lead", url.Values{"amount": {"1"}, "category": {strings.Repeat("x", 51)}}, 422},
		{"a version that is none", "lead", url.Values{"amount": {"1"}, "version": {"x"}}, 400},
		{"a version to come", "lead", url.Values{"amount": {"1"}, "version": {"4"}}, 409},
	} {
		t.Run(test.name, func(t *testing.T) {
			people[test.role].Post("/team/finance/budget", test.form).Check(t, test.status)
		})
	}
	people["lead"].Get("/team/finance/budget").Check(t, http.StatusOK, "There is no budget for this month.", "!>History<")
}
