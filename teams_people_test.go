package main

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/storetest"
)

// TestPeoplePage joins somebody who was known by a name to the person they are, and
// parts them again: what was logged by the name is theirs to change in between.
func TestPeoplePage(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		r, _ := startCopies(t, databaseURL, 2)
		boss, b := r.Browser(), r.Browser()
		boss.SignIn(admin)
		b.SignIn(finance)
		e := boss.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "person", "C. Lee"))
		change := apptest.With(apptest.With(apptest.ExpenseForm(), "version", "1"), "item", "Mine")
		b.Post(e.Path(), change).Check(t, http.StatusForbidden)

		page := boss.Get("/people")
		page.Check(t, http.StatusOK, "C. Lee", "no address is known", finance)
		named := regexp.MustCompile(`C\. Lee[\s\S]*?(/people/[0-9]+)/join`).FindStringSubmatch(page.Body)[1]
		boss.Post(named+"/join", url.Values{"into": {"nobody@example.com"}}).Check(t, http.StatusUnprocessableEntity, "Nobody is known by this address")
		boss.Post(named+"/part", nil).Check(t, http.StatusUnprocessableEntity, "joined to nobody")
		boss.Post(named+"/join", url.Values{"into": {finance}}).Check(t, http.StatusSeeOther)
		boss.Get("/people").Check(t, http.StatusOK, "Joined to Carol Lee", named+"/part")
		b.Post(e.Path(), change).Check(t, http.StatusSeeOther)
		b.Get("/team/finance?person=me").Check(t, http.StatusOK, "Mine", "!C. Lee")

		boss.Post(named+"/part", nil).Check(t, http.StatusSeeOther)
		b.Post(e.Path(), apptest.With(change, "version", "2")).Check(t, http.StatusForbidden)
		b.Post(named+"/join", url.Values{"into": {finance}}).Check(t, http.StatusNotFound)
	})
}
