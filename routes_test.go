package main

import (
	"net/http"
	"strings"
	"testing"
)

// What the reader's language changes is what a page shows, marked as being in
// that language, and nothing that goes back to a program.
func TestPagesInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	german := []string{"Accept-Language", "de-DE,de;q=0.9,en;q=0.8"}
	page := b.Get("/team/finance", german...)
	page.Check(t, http.StatusOK, `<html lang="en">`, `<span lang="de">2.780,00`+"\u00a0"+`$</span>`, "!$2,780.00")
	if got := page.Header.Values("Vary"); strings.Join(got, ", ") != "Accept-Language" {
		t.Errorf("Vary = %q", got)
	}
	b.Get("/team/finance").Check(t, http.StatusOK, ">$2,780.00<", "!lang=\"de\"")
	for _, path := range []string{"/team/finance/expenses.csv", "/team/finance/expenses.json", "/team/finance/expenses/new"} {
		if plain, other := b.Get(path), b.Get(path, german...); path[len(path)-3:] != "new" && plain.Body != other.Body {
			t.Errorf("%s changes with the reader's language", path)
		} else if strings.Contains(other.Body, ",00") {
			t.Errorf("%s holds an amount with a comma", path)
		}
	}
	b.Get("/profile", append(german, "Accept", "application/json")...).Check(t, http.StatusOK, "!lang=")
}
