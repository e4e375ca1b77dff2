// Package sessions shows who is signed in: to everybody their profile, with why they see
// what they see and where else they are signed in, and to administrators everybody's
// sessions. Both can end them.
//
// It begins no session and knows no cookie: package session does, and a sign-in is none
// of its business. What only a browser says of itself is never shown.
//
// Start reading at Sessions.Profile, then at Sessions.AllSessions.
package sessions

import (
	"log/slog"
	"time"

	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// Sessions is the pages of who is signed in. New makes it.
type Sessions struct {
	*web.Site
	auth      *openid.Client
	sessions  *session.Store
	directory *team.File
	store     *store.Store
	pages     *page.Pages
	log       *slog.Logger
	now       func() time.Time
}

// New makes the pages of a site that was made of c.
func New(site *web.Site, c web.Config) *Sessions {
	return &Sessions{
		Site: site, auth: c.Auth, sessions: c.Sessions, directory: c.Directory, store: c.Store, pages: site.Pages(), log: c.Log, now: c.Now,
	}
}
