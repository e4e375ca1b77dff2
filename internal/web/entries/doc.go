// Package entries is what people do to expenses: they log one, change, delete and
// restore it, decide about it, and do the same to several at once.
//
// Whose form it is, and whether its sender may do that, is asked before anything is
// written. A form counts once; one that was opened on an older version shows what
// somebody else made of the expense; and one with a mistake comes back as it was typed.
//
// Start reading at Entries.LogExpense, then at Entries.ChangeExpense. Several at once
// begin at Entries.ChangeSelected, decisions at Entries.Approve.
package entries

import (
	"log/slog"
	"time"

	"expense-dashboard/internal/store"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// Entries is the forms of expenses and what they do. New makes it.
type Entries struct {
	*web.Site
	directory *team.File
	store     *store.Store
	pages     *page.Pages
	log       *slog.Logger
	now       func() time.Time
}

// New makes the forms of a site that was made of c.
func New(site *web.Site, c web.Config) *Entries {
	return &Entries{Site: site, directory: c.Directory, store: c.Store, pages: site.Pages(), log: c.Log, now: c.Now}
}
