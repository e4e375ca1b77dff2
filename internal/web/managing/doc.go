// Package managing is the pages of what leads and administrators set for others: a
// team's budgets, the categories, and who of the people in the records is the same.
//
// No page here is about one expense. What was done wrong can be undone, and a budget
// that somebody else has changed meanwhile is not overwritten.
//
// Start reading at Managing.Budget; Managing.Categories and Managing.People are of the
// same form.
package managing

import (
	"log/slog"

	"expense-dashboard/internal/store"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// Managing is the pages of what is set for others. New makes it.
type Managing struct {
	*web.Site
	store *store.Store
	pages *page.Pages
	log   *slog.Logger
}

// New makes the pages of a site that was made of c.
func New(site *web.Site, c web.Config) *Managing {
	return &Managing{Site: site, store: c.Store, pages: site.Pages(), log: c.Log}
}
