package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"expense-dashboard/internal/apptest"
)

// TestCategoriesPage renames, merges and retires categories, closes the list, and wants
// forms and imports to hold to it.
func TestCategoriesPage(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	owner, boss := as(r, "owner"), as(r, "admin")
	boss.Get("/categories").Check(t, http.StatusOK, "no categories yet")
	for _, name := range []string{"Travel", "Trips"} {
		owner.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "category", name))
	}
	pathOf := func(name string) string {
		t.Helper()
		found := regexp.MustCompile(`action="(/categories/[0-9]+)/[a-z]+"[^\n]*aria-label="[^"]* ` + name + `"`).FindStringSubmatch(boss.Get("/categories").Body)
		if found == nil {
			t.Fatalf("no category %s in %s", name, boss.Get("/categories").Text())
		}
		return found[1]
	}
	trips := pathOf("Trips")
	boss.Post(trips+"/rename", url.Values{"name": {" "}}).Check(t, http.StatusUnprocessableEntity)
	boss.Post(trips+"/rename", url.Values{"name": {"travel"}}).Check(t, http.StatusSeeOther)
	boss.Get("/categories").Check(t, http.StatusOK, "Merged into travel", "another name of Travel", trips+"/undo")
	owner.Get("/team/finance?category=Travel").Check(t, http.StatusOK, "All 2 that match")
	boss.Post(trips+"/undo", nil).Check(t, http.StatusSeeOther)
	owner.Get("/team/finance?category=Travel").Check(t, http.StatusOK, "All 1 that match")
	boss.Post(trips+"/undo", nil).Check(t, http.StatusUnprocessableEntity, "nothing to undo")
	boss.Post("/categories/999/rename", url.Values{"name": {"X"}}).Check(t, http.StatusNotFound)

	boss.Post(trips+"/retire", nil).Check(t, http.StatusSeeOther)
	owner.Get("/team/finance/expenses/new").Check(t, http.StatusOK, `<option value="Travel">`, `!<option value="Trips">`)
	owner.Post("/team/finance/expenses", apptest.With(apptest.ExpenseForm(), "category", "Trips")).Check(t, http.StatusUnprocessableEntity, "This category is no longer used")

	boss.Post("/categories", url.Values{"closed": {"maybe"}}).Check(t, http.StatusBadRequest)
	boss.Post("/categories", url.Values{"closed": {"yes"}}).Check(t, http.StatusSeeOther)
	boss.Get("/categories").Check(t, http.StatusOK, "Only the categories of this list", "Allow new categories")
	owner.Post("/team/finance/expenses", apptest.With(apptest.ExpenseForm(), "category", "Yachts")).Check(t, http.StatusUnprocessableEntity, "Choose a category from the list")
	file := boss.Get("/expenses.csv").Body
	boss.Import(file).Check(t, http.StatusSeeOther) // what has a retired one keeps it
	row := ",2026-01-02,finance,owner@example.com,Boat,Yachts,1.00,\r\n"
	head := "id,date,team,person,item,category,amount,note\r\n"
	for category, why := range map[string]string{"Yachts": "Choose a category from the list", "Trips": "no longer used"} {
		preview := boss.Import(head + strings.Replace(row, "Yachts", category, 1)).Location()
		boss.Get(preview).Check(t, http.StatusOK, why)
		boss.Post(preview, nil).Check(t, http.StatusUnprocessableEntity)
	}
	if done := boss.Import(head + strings.Replace(row, "Yachts", "TRAVEL", 1)).Location(); !strings.HasSuffix(done, "/expenses") {
		t.Errorf("a right file leads to %s", done)
	}
	as(r, "lead").Post("/team/finance/budget", url.Values{"amount": {"5"}, "category": {"Yachts"}}).Check(t, http.StatusUnprocessableEntity, "Choose a category from the list")
}
