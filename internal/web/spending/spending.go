// Package spending shows what was spent: the dashboard, the lists of a team and of all,
// the same as files, and who did what.
//
// Nothing here writes. A list is asked for by an address that says all of it, and what
// is not understood of one is an error; it is rendered once for each state of what it
// shows, and its sums are kept with the revision that they are of.
//
// Start reading at Spending.TeamExpenses, the page that people open most, and then at
// Spending.Dashboard. A file streams: see Spending.ExportCSV.
package spending

import (
	"time"

	"expense-dashboard/internal/cache"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// Spending is the pages of what was spent. New makes it.
type Spending struct {
	*web.Site
	auth      *openid.Client
	directory *team.File
	store     *store.Store
	pages     *page.Pages
	exports   *exportPlaces
	summaries *cache.Cache[string, expense.Summary] // by revision and filter
	zone      *time.Location
}

// New makes the pages of a site that was made of c.
func New(site *web.Site, c web.Config) *Spending {
	return &Spending{
		Site: site, auth: c.Auth, directory: c.Directory, store: c.Store, pages: site.Pages(),
		exports: newExportPlaces(), summaries: cache.New[string, expense.Summary](maxSummaries), zone: c.Zone,
	}
}
