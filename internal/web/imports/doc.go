// Package imports is the pages on which an administrator brings in a file of expenses:
// sends it, sees what would become of it, answers what it leaves open, confirms it and
// takes it back.
//
// It reads no file itself and writes no expense: package importing does. Nothing is
// imported that was not shown first.
//
// Start reading at Imports.ImportFile, then at Imports.ConfirmImport. What a preview
// asks is in preview.go.
package imports

import (
	"expense-dashboard/internal/importing"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// Imports is the pages of files on their way in. New makes it.
type Imports struct {
	*web.Site
	directory *team.File
	importer  *importing.Importer
	fresh     func(*session.Session) bool
	pages     *page.Pages
}

// New makes the pages of a site that was made of c.
func New(site *web.Site, c web.Config) *Imports {
	return &Imports{Site: site, directory: c.Directory, importer: c.Importer, fresh: c.Fresh, pages: site.Pages()}
}
