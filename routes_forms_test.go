package main

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
)

var (
	postedForm  = regexp.MustCompile(`(?s)<form [^>]*method="post"[^>]*>.*?</form>`)
	formAction  = regexp.MustCompile(`action="([^"]*)"`)
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// formOn is the form of a page whose action ends with a text: where it goes, and what
// stands in it unseen.
func formOn(t *testing.T, page *reply, action string) (target string, fields url.Values) {
	t.Helper()
	for _, form := range postedForm.FindAllString(page.Body, -1) {
		target = html.UnescapeString(formAction.FindStringSubmatch(form)[1])
		if !strings.HasSuffix(target, action) {
			continue
		}
		fields = url.Values{}
		for _, field := range hiddenField.FindAllStringSubmatch(form, -1) {
			fields.Add(field[1], html.UnescapeString(field[2]))
		}
		return target, fields
	}
	t.Fatalf("no form goes to %s on %s", action, page.Text())
	return "", nil
}

// TestFormsCountOnce sends the forms of pages twice, as an impatient finger does: the
// second time does nothing and is answered as the first.
func TestFormsCountOnce(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	boss := as(r, "admin")
	as(r, "other")
	boss.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "category", "Trips"))
	boss.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "category", "Travel"))
	twice := func(page *reply, action string, more url.Values, says string) {
		t.Helper()
		target, fields := formOn(t, page, action)
		for name, values := range more {
			fields[name] = values
		}
		for range 2 {
			answer := boss.Post(target, fields)
			answer.Check(t, http.StatusSeeOther)
			page = boss.Get(answer.Location())
		}
		page.Check(t, http.StatusOK, says)
	}
	// What was retired before the merge stays retired, however often that is undone.
	trips, fields := formOn(t, boss.Get("/categories"), "/rename")
	if !strings.Contains(boss.Get("/categories").Body, `aria-label="Rename Travel"`) {
		t.Fatal("no category is called Travel")
	}
	path := strings.TrimSuffix(trips, "/rename")
	boss.Post(path+"/retire", fields).Check(t, http.StatusSeeOther)
	other := "Trips"
	if strings.Contains(boss.Get("/categories").Body, `aria-label="Retire Travel"`) {
		other = "Travel"
	}
	fields.Set("name", other)
	twice(boss.Follow(boss.Post(path+"/rename", fields)), "/undo?done=merged", nil, "retired")

	twice(boss.Get("/team/finance/budget"), "/budget", url.Values{"amount": {"100.00"}}, "The budget is set")
	_, set := formOn(t, boss.Get("/team/finance/budget"), "/budget")
	if set.Get("version") != "1" {
		t.Errorf("the budget counts as version %s", set.Get("version"))
	}
	twice(boss.Get("/sessions?q=other%40"), "/end", nil, "That is over already.")
	as(r, "other")
	twice(boss.Get("/sessions?q=other%40"), "/sessions/end", nil, "That is over already.")
}

// TestFormsAreOfWhoOpenedThem wants the mark of who opened it in each form that writes,
// and refuses one that somebody else opened in the same browser.
func TestFormsAreOfWhoOpenedThem(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	boss, owner := as(r, "admin"), as(r, "owner")
	as(r, "admin")
	e := owner.LogExpense("finance", apptest.ExpenseForm())
	boss.Post("/team/finance/budget", url.Values{"amount": {"100.00"}, "version": {"0"}})
	preview := boss.Upload("date,team,person,item,category,amount\n" + time.Now().Format(time.DateOnly) + ",finance,Bob,Cab,Taxi,1.00\n").Location()
	deletion := boss.Follow(boss.Post(e.Path()+"/delete", url.Values{"version": {"1"}}))
	pages := map[string]*reply{
		"a notice": deletion, "sessions": boss.Get("/sessions"), "profile": boss.Get("/profile"), "people": boss.Get("/people"),
		"categories": boss.Get("/categories"), "budget": boss.Get("/team/finance/budget"), "preview": boss.Get(preview), "expense": boss.Get(e.Path()),
		"new": boss.Get("/team/finance/expenses/new"),
	}
	mallory := as(r, "other.lead")
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			forms := 0
			for _, form := range postedForm.FindAllString(page.Body, -1) {
				target := html.UnescapeString(formAction.FindStringSubmatch(form)[1])
				if target == "/logout" {
					continue
				}
				forms++
				if _, fields := formOn(t, page, target); fields.Get("submission") == "" {
					t.Errorf("the form to %s carries no submission", target)
				} else if answer := mallory.Post(target, fields); answer.Status < 400 {
					t.Errorf("the form to %s is taken from somebody else: %d", target, answer.Status)
				}
			}
			if forms == 0 {
				t.Errorf("no form is on the page: %s", page.Text())
			}
		})
	}
	_, fields := formOn(t, pages["profile"], "/end-others")
	mallory.Post("/profile/sessions/end-others", fields).Check(t, http.StatusConflict)
}
