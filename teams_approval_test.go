package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/expense"
)

// managed starts a site with the people of the authorization table, without expenses.
func managed(t *testing.T, teams string) *rig {
	t.Helper()
	r, _ := managedAnew(t, teams)
	return r
}

// managedAnew is managed, and returns what gives the site another teams file.
func managedAnew(t *testing.T, teams string) (r *rig, write func(teams string)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "teams.json")
	write = func(teams string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(teams), 0o600); err != nil {
			t.Fatal(err)
		}
		if r != nil {
			r.site.directory.Reload()
		}
	}
	write(teams)
	r = startSite(t, setup{env: map[string]string{"TEAMS_FILE": file, "SAMPLE_DATA": "false"}})
	return r, write
}

// as returns a browser in which somebody of the authorization table is signed in.
func as(r *rig, role string) *browser {
	b := r.Browser()
	b.SignIn(role + "@example.com")
	return b
}

// TestDecisionsAbused sends decisions that must change nothing.
func TestDecisionsAbused(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	people := map[string]*browser{}
	for _, role := range []string{"owner", "member", "lead", "auditor", "admin", "other.lead"} {
		people[role] = as(r, role)
	}
	item := func() url.Values { return apptest.With(apptest.ExpenseForm(), "item", "Item "+expense.NewID()) }
	theirs := people["owner"].LogExpense("finance", item())
	leads := people["lead"].LogExpense("finance", item())
	forOwner := people["lead"].LogExpense("finance", apptest.With(item(), "person", "owner@example.com"))
	foreign := people["admin"].LogExpense("hr", item())
	marked := regexp.MustCompile(`name="submission" value="([^"]+)"`).FindStringSubmatch(people["lead"].Get(theirs.Path()).Body)
	if marked == nil {
		t.Fatal("the lead's form carries no submission")
	}
	ofLead := url.Values{"version": {"1"}, "submission": {marked[1]}}
	tests := []struct {
		name, role, path string
		form             url.Values
		status           int
	}{
		{"their own", "lead", leads.Path() + "/approve", url.Values{"version": {"1"}}, 403},
		{"logged for somebody else", "lead", forOwner.Path() + "/approve", url.Values{"version": {"1"}}, 403},
		{"spent by them, logged by a lead", "owner", forOwner.Path() + "/approve", url.Values{"version": {"1"}}, 403},
		{"their own, though an administrator", "admin", foreign.Path() + "/approve", url.Values{"version": {"1"}}, 403},
		{"a hostile member", "member", theirs.Path() + "/approve", url.Values{"version": {"1"}}, 403},
		{"an auditor", "auditor", theirs.Path() + "/send-back", url.Values{"version": {"1"}, "reason": {"no"}}, 403},
		{"an auditor by a lead's form", "auditor", theirs.Path() + "/approve", ofLead, 403},
		{"an auditor changes by a lead's form", "auditor", theirs.Path(), ofLead, 403},
		{"an auditor deletes by a lead's form", "auditor", theirs.Path() + "/delete", ofLead, 403},
		{"an administrator by a lead's form", "admin", theirs.Path() + "/approve", ofLead, 409},
		{"a lead of another team", "other.lead", theirs.Path() + "/approve", url.Values{"version": {"1"}}, 403},
		{"an expense under another team", "lead", strings.Replace(foreign.Path(), "/hr/", "/finance/", 1) + "/approve", url.Values{"version": {"1"}}, 404},
		{"no such expense", "lead", "/team/finance/expenses/" + expense.NewID() + "/approve", url.Values{"version": {"1"}}, 404},
		{"without a version", "lead", theirs.Path() + "/approve", nil, 400},
		{"a version that is none", "lead", theirs.Path() + "/approve", url.Values{"version": {"one"}}, 400},
		{"a version to come", "lead", theirs.Path() + "/approve", url.Values{"version": {"7"}}, 409},
		{"sent back without a reason", "lead", theirs.Path() + "/send-back", url.Values{"version": {"1"}, "reason": {" "}}, 422},
		{"sent back with a long reason", "lead", theirs.Path() + "/send-back", url.Values{"version": {"1"}, "reason": {strings.Repeat("x", 501)}}, 422},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			people[test.role].Post(test.path, test.form).Check(t, test.status)
		})
	}
	if all := people["auditor"].Get("/expenses.csv").Body; strings.Contains(all, ",approved") || strings.Contains(all, ",sent-back") || strings.Count(all, ",logged\r\n") != 4 {
		t.Errorf("something was decided: %s", all)
	}
}

// TestApproval takes an expense through its decisions in the pages of all who see it.
func TestApproval(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	owner, lead, boss := as(r, "owner"), as(r, "lead"), as(r, "admin")
	e := owner.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "item", "Train"))
	lead.Get("/dashboard").Check(t, http.StatusOK, "One expense waits for your decision", "status=logged")
	// What a filter is offered from has the sums by status too: it is kept for the page.
	boss.Get("/team/finance?q=plane").Check(t, http.StatusOK, "Nothing matches")
	boss.Get("/team/finance").Check(t, http.StatusOK, ">Logged: 1</a>")
	owner.Get("/dashboard").Check(t, http.StatusOK, "!your decision")
	owner.Get(e.Path()).Check(t, http.StatusOK, "Status", "Logged", "!Send back")
	lead.Get(e.Path()).Check(t, http.StatusOK, "Approve", "Send back")
	lead.Post(e.Path()+"/send-back", url.Values{"version": {"1"}, "reason": {"The receipt is missing."}}).Check(t, http.StatusSeeOther)
	lead.Get("/team/finance").Check(t, http.StatusOK, "Sent back: ", "Train")
	lead.Get("/dashboard").Check(t, http.StatusOK, "!your decision")
	owner.Get(e.Path()).Check(t, http.StatusOK, "Sent back", "sent it back", "The receipt is missing.")
	boss.Post(e.Path()+"/approve", url.Values{"version": {"1"}}).Check(t, http.StatusConflict, "Somebody else changed this expense in the meantime")
	owner.Post(e.Path(), apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Train, second class"), "version", "2")).Check(t, http.StatusSeeOther)
	boss.Get("/dashboard").Check(t, http.StatusOK, "One expense waits for your decision")
	boss.Post(e.Path()+"/approve", url.Values{"version": {"3"}}).Check(t, http.StatusSeeOther)
	boss.Post(e.Path()+"/approve", url.Values{"version": {"3"}}).Check(t, http.StatusSeeOther)
	lead.Post(e.Path()+"/approve", url.Values{"version": {"3"}}).Check(t, http.StatusConflict)
	owner.Get("/team/finance?status=approved").Check(t, http.StatusOK, "Train, second class")
	owner.Get("/team/finance?status=logged").Check(t, http.StatusOK, "Nothing matches")
	owner.Get("/team/finance?status=burnt").Check(t, http.StatusBadRequest, "The status is logged, approved or sent-back")
	for _, path := range []string{"/team/finance/expenses.csv", "/expenses.csv?status=approved"} {
		owner.Get(path).Check(t, http.StatusOK, "version,owner,status\r\n", ",approved\r\n")
	}
	owner.Get("/expenses.json").Check(t, http.StatusOK, `"status":"approved"`)
	lead.Get("/activity?kind=approved").Check(t, http.StatusOK, "Train, second class")
	// A file decides nothing, and what it changes asks again.
	file := strings.Replace(boss.Get("/team/finance/expenses.csv").Body, "second class", "first class", 1)
	boss.Import(strings.Replace(file, ",approved", ",sent-back", 1)).Check(t, http.StatusSeeOther)
	owner.Get("/expenses.json").Check(t, http.StatusOK, "first class", `"status":"logged"`)
}

// TestWithoutApproval wants nothing of it to be seen where it is off.
func TestWithoutApproval(t *testing.T) {
	t.Parallel()
	r := managed(t, strings.Replace(authorizationTeams, `"approval": true,`, `"approval": ["hr"],`, 1))
	owner, lead, boss := as(r, "owner"), as(r, "lead"), as(r, "admin")
	e := owner.LogExpense("finance", apptest.ExpenseForm())
	lead.Post(e.Path()+"/approve", url.Values{"version": {"1"}}).Check(t, http.StatusNotFound)
	lead.Get("/dashboard").Check(t, http.StatusOK, "!your decision")
	lead.Get(e.Path()).Check(t, http.StatusOK, "!Approve", "!Status")
	for _, page := range []string{"/team/finance", "/expenses"} {
		lead.Get(page).Check(t, http.StatusOK, "!Status", `!name="status"`)
		lead.Get(page+"?status=logged").Check(t, http.StatusBadRequest, "!approved")
		lead.Get(page+".csv").Check(t, map[string]int{"/expenses": 200, "/team/finance": 404}[page], "!status")
	}
	boss.Get("/expenses.csv").Check(t, http.StatusOK, "owner,status\r\n", ",owner@example.com,\r\n")
	boss.Get("/team/finance/expenses.json").Check(t, http.StatusOK, "!status")
}
