package main

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/expense"
)

// selection is the form of something that is done to several expenses.
func selection(action string, ids []string, fields ...string) url.Values {
	form := url.Values{"action": {action}, "expense": ids}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return form
}

// preview returns the form that a preview shows, as a browser sends it on.
func preview(t *testing.T, page string) url.Values {
	t.Helper()
	_, form, _ := strings.Cut(page, `action="/expenses/selected">`)
	form, _, _ = strings.Cut(form, "</form>")
	fields := url.Values{}
	for _, found := range regexp.MustCompile(`name="([a-z_]+)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
		fields.Add(found[1], strings.ReplaceAll(found[2], "&amp;", "&"))
	}
	return fields
}

// logged logs items for finance, and returns their ids.
func logged(b *browser, items ...string) []string {
	var ids []string
	for _, item := range items {
		ids = append(ids, b.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "item", item)).ID)
	}
	return ids
}

// undoOf returns where the undo of a page's notice goes.
func undoOf(t *testing.T, page string) string {
	t.Helper()
	found := regexp.MustCompile(`action="(/expenses/selected/[a-z2-7]{26}/undo)"`).FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no undo: %s", page)
	}
	return found[1]
}

// selectedSite is a site with expenses of several people, for forms that must change
// nothing.
type selectedSite struct {
	people                 map[string]*browser
	one, two, three, leads string // of finance, three of them the owner's
	foreign, gone          string // of hr, and deleted
	before                 string // all of them
}

func newSelectedSite(t *testing.T) *selectedSite {
	t.Helper()
	r := managed(t, authorizationTeams)
	s := &selectedSite{people: map[string]*browser{}}
	for _, role := range []string{"owner", "member", "lead", "auditor", "admin", "other.lead"} {
		s.people[role] = as(r, role)
	}
	log := func(role, team, category string) string {
		form := apptest.With(apptest.ExpenseForm(), "item", "Item "+expense.NewID())
		return s.people[role].LogExpense(team, apptest.With(form, "category", category)).ID
	}
	s.one, s.two, s.three, s.gone = log("owner", "finance", "Meals"), log("owner", "finance", "Yachts"), log("owner", "finance", "Meals"), log("owner", "finance", "Meals")
	s.leads, s.foreign = log("lead", "finance", "Meals"), log("admin", "hr", "Meals")
	s.people["owner"].Post("/team/finance/expenses/"+s.gone+"/delete", url.Values{"version": {"1"}}).Check(t, http.StatusSeeOther)
	yachts := regexp.MustCompile(`action="(/categories/[0-9]+)/retire"[^\n]*aria-label="Retire Yachts"`).FindStringSubmatch(s.people["admin"].Get("/categories").Body)[1]
	s.people["admin"].Post(yachts+"/retire", nil).Check(t, http.StatusSeeOther)
	s.before = s.people["admin"].Get("/expenses.csv").Body
	return s
}

// selectedAbuse is a form that must change nothing, and how it is answered.
type selectedAbuse struct {
	name, role string
	form       url.Values
	status     int
}

func (s *selectedSite) abuse(t *testing.T, tests []selectedAbuse) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.people[test.role].Post("/expenses/selected", test.form).Check(t, test.status)
		})
	}
	if after := s.people["admin"].Get("/expenses.csv").Body; after != s.before {
		t.Errorf("something was changed: %s\nand was %s", after, s.before)
	}
}

// TestSelectedByOthers sends forms of people who may not do that to each expense.
func TestSelectedByOthers(t *testing.T) {
	t.Parallel()
	s := newSelectedSite(t)
	both := []string{s.one, s.two}
	marked := preview(t, s.people["lead"].Post("/expenses/selected", selection("delete", both)).Body).Get("submission")
	s.abuse(t, []selectedAbuse{
		{"a hostile member deletes", "member", selection("delete", both, "confirm", "yes"), 403},
		{"a hostile member looks", "member", selection("delete", both), 403},
		{"a member's own and another's", "owner", selection("delete", []string{s.one, s.leads}, "confirm", "yes"), 403},
		{"a member moves their own", "owner", selection("move", both, "value", "hr", "confirm", "yes"), 403},
		{"a lead moves", "lead", selection("move", both, "value", "hr", "confirm", "yes"), 403},
		{"a member approves", "member", selection("approve", both, "confirm", "yes"), 403},
		{"an owner approves their own", "owner", selection("approve", both, "confirm", "yes"), 403},
		{"a lead's own among others", "lead", selection("approve", []string{s.one, s.leads}, "confirm", "yes"), 403},
		{"an administrator's own", "admin", selection("send-back", []string{s.one, s.foreign}, "reason", "no", "confirm", "yes"), 403},
		{"an auditor", "auditor", selection("category", both, "value", "Travel", "confirm", "yes"), 403},
		{"a lead of another team", "other.lead", selection("category", both, "value", "Travel", "confirm", "yes"), 403},
		{"an auditor by a lead's form", "auditor", selection("delete", both, "confirm", "yes", "submission", marked), 403},
		{"an administrator by a lead's form", "admin", selection("delete", both, "confirm", "yes", "submission", marked), 409},
		{"of a foreign team among others", "lead", selection("delete", []string{s.one, s.foreign}, "confirm", "yes"), 404},
		{"one that is not there", "lead", selection("delete", []string{s.one, expense.NewID()}, "confirm", "yes"), 404},
		{"an id that is none", "lead", selection("delete", []string{s.one, "x' OR 1=1"}, "confirm", "yes"), 404},
		{"a deleted one of somebody else", "member", selection("delete", []string{s.gone}, "confirm", "yes"), 404},
	})
}

// TestSelectedWrongly sends forms that are wrong, or late, or no more than looks.
func TestSelectedWrongly(t *testing.T) {
	t.Parallel()
	s := newSelectedSite(t)
	both, many := []string{s.one, s.two}, make([]string, expense.MaxSelected+1)
	for i := range many {
		many[i] = expense.NewID()
	}
	s.abuse(t, []selectedAbuse{
		{"a deleted one among others", "owner", selection("category", []string{s.one, s.gone}, "value", "Travel", "confirm", "yes"), 409},
		{"nothing but a deleted one, looked at", "owner", selection("delete", []string{s.gone}), 409},
		{"a version to come", "lead", selection("delete", []string{s.one}, "version", "7", "confirm", "yes"), 409},
		{"a version too few", "lead", selection("delete", both, "version", "1", "confirm", "yes"), 400},
		{"a version that is none", "lead", selection("delete", []string{s.one}, "version", "one", "confirm", "yes"), 400},
		{"none at all", "lead", selection("delete", nil, "confirm", "yes"), 422},
		{"too many", "lead", selection("delete", many, "confirm", "yes"), 422},
		{"an action that is none", "lead", selection("burn", both, "confirm", "yes"), 400},
		{"no action", "lead", url.Values{"expense": both, "confirm": {"yes"}}, 400},
		{"to no category", "lead", selection("category", both, "value", " ", "confirm", "yes"), 422},
		{"to a category too long", "lead", selection("category", both, "value", strings.Repeat("x", 51), "confirm", "yes"), 422},
		{"to a retired category", "lead", selection("category", both, "value", "yachts", "confirm", "yes"), 422},
		{"a category that is missing", "lead", selection("category", both, "confirm", "yes"), 422},
		{"to no team", "admin", selection("move", both, "value", "nowhere", "confirm", "yes"), 422},
		{"sent back without a reason", "lead", selection("send-back", both, "reason", " ", "confirm", "yes"), 422},
		{"sent back with a long reason", "lead", selection("send-back", both, "reason", strings.Repeat("x", 501), "confirm", "yes"), 422},
		{"asked for the reason", "lead", selection("send-back", both), 200},
		{"looked at", "lead", selection("approve", []string{s.one, s.two, s.three}), 200},
		{"confirmed by another word", "lead", selection("delete", both, "confirm", "on"), 200},
	})
	s.people["admin"].Post("/categories", url.Values{"closed": {"yes"}}).Check(t, http.StatusSeeOther)
	s.abuse(t, []selectedAbuse{{"to a category beside a closed list", "lead", selection("category", both, "value", "Boats", "confirm", "yes"), 422}})
}

// TestSelected takes several expenses through the pages, from their checkboxes to the
// undo.
func TestSelected(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	owner, member, lead, boss := as(r, "owner"), as(r, "member"), as(r, "lead"), as(r, "admin")
	ids := logged(owner, "Train", "Taxi", "Hotel")
	logged(lead, "Stamps")

	const box = `type="checkbox"`
	for _, list := range []string{"/team/finance", "/expenses"} {
		member.Get(list).Check(t, http.StatusOK, "!"+box, "!With the selected")
		as(r, "auditor").Get(list).Check(t, http.StatusOK, "!"+box)
		for b, count := range map[*browser]int{owner: 3, lead: 4, boss: 4} {
			page := b.Get(list + "?q=t").Body
			if got := strings.Count(page, box); got != count || strings.Contains(page, `value="move"`) != (b == boss) || strings.Contains(page, `value="approve"`) != (b != owner) {
				t.Errorf("%s has %d checkboxes, want %d: %s", list, got, count, page)
			}
		}
	}

	// A category, by the steps of a browser.
	asked := lead.Post("/expenses/selected", selection("category", ids, "return_to", "/team/finance?q=t"))
	asked.Check(t, http.StatusOK, "Change the category of 3 expenses", `<label for="value">Category`)
	form := preview(t, asked.Body)
	form.Set("value", "travel costs")
	shown := lead.Post("/expenses/selected", form)
	shown.Check(t, http.StatusOK, "category:", "travel costs")
	form = preview(t, shown.Body)
	if form.Get("confirm") != "yes" || !slices.Equal(form["expense"], ids) || len(form["version"]) != 3 {
		t.Fatalf("the preview sends on %v", form)
	}
	for range 2 { // a double click
		done := lead.Post("/expenses/selected", form)
		if done.Check(t, http.StatusSeeOther); !strings.HasSuffix(done.Location(), "/team/finance?q=t") {
			t.Errorf("it leads to %s", done.Location())
		}
	}
	told := lead.Get("/team/finance?q=t")
	told.Check(t, http.StatusOK, "Changed the category of 3 expenses to travel costs.", ">Undo</button>")
	other := url.Values{"action": form["action"], "expense": ids[:1], "value": {"Meals"}, "confirm": {"yes"}, "submission": form["submission"]}
	lead.Post("/expenses/selected", other).Check(t, http.StatusConflict, "This form was already sent", "Changed the category of 3 expenses to travel costs")
	lead.Get("/activity?kind=changed").Check(t, http.StatusOK, "Train", "Taxi", "Hotel")
	owner.Get("/team/finance/expenses/"+ids[0]).Check(t, http.StatusOK, "travel costs", "changed it")

	undo := undoOf(t, told.Body)
	for _, b := range []*browser{owner, member, boss} {
		b.Post(undo, nil).Check(t, http.StatusNotFound)
	}
	for range 2 {
		lead.Post(undo, nil).Check(t, http.StatusSeeOther)
		lead.Get("/team/finance").Check(t, http.StatusOK, "Undone: 3 expenses are as before.", "!travel costs")
	}
}

// TestSelectedMeanwhile lets others do something between the preview and its
// confirmation, and before the undo.
func TestSelectedMeanwhile(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	owner, lead, boss := as(r, "owner"), as(r, "lead"), as(r, "admin")
	ids := logged(owner, "Train", "Taxi", "Hotel")
	own := logged(lead, "Stamps")[0]

	// A stale preview changes nothing, and shows what is there now.
	form := preview(t, lead.Post("/expenses/selected", selection("approve", ids)).Body)
	owner.Post("/team/finance/expenses/"+ids[1], apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Bus"), "version", "1")).Check(t, http.StatusSeeOther)
	stale := lead.Post("/expenses/selected", form)
	stale.Check(t, http.StatusConflict, "Somebody has changed some of these in the meantime", "Bus", "changed in the meantime")
	lead.Get("/expenses.csv").Check(t, http.StatusOK, "!,approved")
	lead.Post("/expenses/selected", preview(t, stale.Body)).Check(t, http.StatusSeeOther)
	lead.Get("/team/finance?status=approved").Check(t, http.StatusOK, "Approved 3 expenses.", "Bus")

	// Nobody decides about their own: the others are gone on with.
	refused := lead.Post("/expenses/selected", selection("send-back", []string{ids[0], own}))
	refused.Check(t, http.StatusForbidden, "One of these is not yours to decide", "Stamps", "Go on without it")
	lead.Post("/expenses/selected", preview(t, refused.Body)).Check(t, http.StatusOK, "What needs to be changed")
	lead.Post("/expenses/selected", selection("send-back", []string{ids[0], own}), "Accept", "application/json").Check(t, http.StatusForbidden, "Not yours to decide")

	// One that is deleted meanwhile is left out, and what is moved comes back.
	owner.Post("/team/finance/expenses/"+ids[2]+"/delete", url.Values{"version": {"2"}}).Check(t, http.StatusSeeOther)
	boss.Post("/expenses/selected", selection("move", ids, "value", "hr")).Check(t, http.StatusOK, "Move 2 expenses to HR", "team:", "was deleted in the meantime", "2 of them were already approved or sent back")
	boss.Post("/expenses/selected", selection("move", ids[:2], "value", "hr", "confirm", "yes")).Check(t, http.StatusSeeOther)
	lead.Get("/team/finance").Check(t, http.StatusOK, "!Bus")
	told := boss.Get("/expenses")
	told.Check(t, http.StatusOK, "Moved 2 expenses to HR.")
	undo := undoOf(t, told.Body)
	boss.Post("/team/hr/expenses/"+ids[0]+"/delete", url.Values{"version": {"3"}}).Check(t, http.StatusSeeOther)
	boss.Post(undo, nil).Check(t, http.StatusSeeOther)
	boss.Get("/expenses").Check(t, http.StatusOK, "Undone: 1 expense is as before.", "1 was kept, because somebody has changed it since.")
	lead.Get("/team/finance?status=approved").Check(t, http.StatusOK, "Bus")
	boss.Post("/expenses/selected", selection("delete", ids[1:2], "confirm", "yes")).Check(t, http.StatusSeeOther)
	undo = undoOf(t, boss.Get("/expenses").Body)
	boss.Post("/team/finance/expenses/"+ids[1]+"/restore", url.Values{"version": {"6"}}).Check(t, http.StatusSeeOther)
	boss.Post(undo, nil).Check(t, http.StatusConflict, "There is nothing to undo")

	// What is so already is not done again.
	boss.Post("/expenses/selected", selection("approve", ids[1:2])).Check(t, http.StatusOK, "needs no change", `!name="confirm"`)
	boss.Post("/expenses/selected", selection("approve", ids[1:2], "confirm", "yes")).Check(t, http.StatusSeeOther)
	boss.Get("/expenses").Check(t, http.StatusOK, "Nothing needed to be changed.", "!Undo")
	if page := boss.Get("/expenses/selected", "Accept", "text/html"); page.Status != http.StatusSeeOther || !strings.HasSuffix(page.Location(), "/expenses") {
		t.Errorf("the address alone is %d to %s", page.Status, page.Location())
	}
}

// TestSelectedWithoutApproval wants nothing of approval to be there where it is off.
func TestSelectedWithoutApproval(t *testing.T) {
	t.Parallel()
	r := managed(t, strings.Replace(authorizationTeams, `"approval": true,`, `"approval": ["hr"],`, 1))
	owner, lead, boss := as(r, "owner"), as(r, "lead"), as(r, "admin")
	e := owner.LogExpense("finance", apptest.ExpenseForm())
	other := as(r, "other").LogExpense("hr", apptest.ExpenseForm())
	lead.Get("/team/finance").Check(t, http.StatusOK, "With the selected", "!Approve", "!Send back")
	lead.Post("/expenses/selected", selection("approve", []string{e.ID}, "confirm", "yes")).Check(t, http.StatusNotFound)
	boss.Get("/expenses").Check(t, http.StatusOK, "Approve", "Send back")
	boss.Get("/team/finance").Check(t, http.StatusOK, "!Approve")
	boss.Post("/expenses/selected", selection("approve", []string{e.ID, other.ID}, "confirm", "yes")).Check(t, http.StatusForbidden, "not yours to change")
	boss.Get("/expenses.csv").Check(t, http.StatusOK, "!,approved")
}

// TestSelectedUndoneTooLate takes a batch back as somebody who may no longer do that.
func TestSelectedUndoneTooLate(t *testing.T) {
	t.Parallel()
	r, write := managedAnew(t, authorizationTeams)
	ids := logged(as(r, "owner"), "Train", "Taxi")
	lead := as(r, "lead")
	for team, status := range map[string]int{`{"finance": "member"}`: http.StatusForbidden, `"hr"`: http.StatusNotFound} {
		write(authorizationTeams)
		lead.Post("/expenses/selected", selection("category", ids, "value", "Travel "+expense.NewID(), "confirm", "yes")).Check(t, http.StatusSeeOther)
		undo := undoOf(t, lead.Get("/team/finance").Body)
		write(strings.Replace(authorizationTeams, `"lead@example.com": {"finance": "lead"}`, `"lead@example.com": `+team, 1))
		lead.Post(undo, nil).Check(t, status)
		as(r, "auditor").Get("/team/finance").Check(t, http.StatusOK, "Travel ")
	}
}
