package web

import (
	"errors"
	"io/fs"
	"log/slog"
	rand "math/rand/v2"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/importing"
	"expense-dashboard/internal/metrics"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/secret"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web/internal/page"
)

// How many bytes the body of a request may have: MaxForm that of a form, MaxUpload
// that of a form with a file, which may have 40 MB, and MaxBody that of any other.
const (
	MaxForm   = 1 << 20
	MaxUpload = 40<<20 + 64<<10
	MaxBody   = 64 << 10
)

// Where the pages are that errors and forms lead to.
const (
	// ImportPath is where files are brought in, and below it each of them.
	ImportPath = "/expenses/import"
	// SessionsPath is where administrators see who is signed in.
	SessionsPath = "/sessions"
	// PeoplePath is where administrators see who is who.
	PeoplePath = "/people"
)

// Config is what a Site is made of, and the pages on top of it: plain values, and the
// parts that they ask.
type Config struct {
	BaseURL   string              // the origin that browsers use
	Secrets   []secret.Text       // of its cookies, the first of which encrypts
	Proxies   []netip.Prefix      // believed to tell the client's address, for the log
	Templates fs.FS               // with the folder templates
	Static    fs.FS               // with the folder static
	KeptPages int                 // how many bytes of rendered pages are kept; zero keeps none
	Auth      *openid.Client      // what is known of the provider
	Sessions  *session.Store      // who is signed in
	Directory *team.File          // who belongs where
	Store     *store.Store        // the expenses
	Importer  *importing.Importer // of files of expenses
	// Fresh reports whether somebody has proved recently enough who they are to
	// do what matters most.
	Fresh    func(*session.Session) bool
	Log      *slog.Logger     // of what happens
	Metrics  *metrics.Metrics // nil where nobody asks for them
	Now      func() time.Time // the time
	Zone     *time.Location   // of what is today and in which month it is
	Stopping func() bool      // whether the program is about to end
}

// KeptPages is how many bytes of rendered pages a site usually keeps.
const KeptPages = 2 << 20

// Site is what a browser sees: pages for people, and a few answers for
// programs. New makes it.
type Site struct {
	baseURL   string
	proxies   []netip.Prefix
	auth      *openid.Client
	sessions  *session.Store
	directory *team.File
	store     *store.Store
	notices   *notices
	drafts    *session.SplitCookie
	pages     *page.Pages
	log       *slog.Logger
	now       func() time.Time
	zone      *time.Location
	metrics   *metrics.Metrics
	headers   http.Header // of every answer
	stopping  func() bool
	begun     time.Time // when the site was made
}

// New makes a site. The error is that of templates which cannot be parsed, or
// of secrets that are none.
func New(c Config) (*Site, error) {
	secure := strings.HasPrefix(c.BaseURL, "https:")
	notices, err1 := newNotices(c.Secrets, secure)
	drafts, err2 := session.NewSplitCookie(c.Secrets, "draft", secure, "/team", draftMaxAge)
	pages, err3 := page.New(c.Templates, c.Static, c.Store.Currency(), c.Zone, c.KeptPages)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return &Site{
		baseURL: c.BaseURL, proxies: c.Proxies, auth: c.Auth, sessions: c.Sessions, directory: c.Directory, store: c.Store,
		notices: notices, drafts: drafts, pages: pages,
		log: c.Log, now: c.Now, zone: c.Zone, metrics: c.Metrics, headers: securityHeaders(c.BaseURL),
		stopping: c.Stopping, begun: c.Now(),
	}, nil
}

// Handler is an http.Handler that leaves its error to Site.Fail.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Handle adapts a handler to http.Handler. An answer that has begun and cannot
// be finished is cut off, so that nobody takes it for whole.
func (s *Site) Handle(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		a, _ := w.(*answer)
		begun := a != nil && a.status != 0
		switch {
		// Who was too slow is still there to be told so.
		case a != nil && (r.Context().Err() != nil && !errors.Is(err, errTooSlow) || errors.Is(err, ErrGone)):
			a.status = statusGone
			s.log.InfoContext(r.Context(), "the client went away", "status", statusGone, "error", err)
		case begun:
			s.log.WarnContext(r.Context(), "answer cut off", "error", err)
		}
		if begun {
			panic(http.ErrAbortHandler)
		}
		if a != nil && a.status == statusGone {
			return
		}
		s.Fail(w, r, err)
	})
}

// NotFound answers what no route is for.
func (s *Site) NotFound(http.ResponseWriter, *http.Request) error { return expense.ErrNotFound }

// MethodNotAllowed answers a method that a path does not take; allow names those
// that it does (RFC 9110, 15.5.6).
func MethodNotAllowed(allow string) Handler {
	return func(http.ResponseWriter, *http.Request) error { return &methodError{Allow: allow} }
}

// SeeOther redirects without a body, since a target may hold an ID Token and
// no page may.
func SeeOther(w http.ResponseWriter, target string) {
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}

// Pages renders what the site shows.
func (s *Site) Pages() *page.Pages { return s.pages }

// Page is the part of a view that all pages share; person is nil for a guest.
func (s *Site) Page(person *session.Session, title string) page.Page {
	if person == nil {
		return page.Page{Title: title}
	}
	shared := page.Page{Title: title, SignedIn: true, Name: person.Name}
	switch teams := s.Access(person).Logs(); len(teams) {
	case 0:
	case 1:
		shared.LogURL = "/team/" + teams[0].ID + "/expenses/new"
	default:
		shared.LogURL = "/expenses/new"
	}
	return shared
}

// Access returns what a person may see, by the directory as it is now.
func (s *Site) Access(person *session.Session) team.Access {
	return access(s.directory.Current(), person)
}

func access(directory *team.Directory, person *session.Session) team.Access {
	if person.Unverified {
		return team.Access{}
	}
	return directory.Access(person.Email, person.GroupNames())
}

// Home handles GET /.
func (s *Site) Home(w http.ResponseWriter, r *http.Request) error {
	person := s.sessions.Load(r)
	if person != nil {
		if err := s.sessions.Touch(w, r, person); err != nil {
			return err
		}
	}
	shared, teamless := s.Page(person, ""), false
	if person != nil {
		access := s.Access(person)
		teamless = len(access.Teams) == 0 && !access.ReadsAll()
	}
	if person == nil && s.notices.takeSignOut(w, r) {
		return s.pages.Render(w, r, http.StatusOK, "home", page.HomeView{Page: shared, Notice: &page.Notice{Text: "You are signed out."}})
	}
	key := page.ContentKey{Page: "home", SignedIn: shared.SignedIn, Name: shared.Name, LogURL: shared.LogURL, Teamless: teamless}
	return s.pages.Show(w, r, shared, key, func() (any, error) { return page.HomeView{Page: shared, Teamless: teamless}, nil })
}

// newReference returns the short text that ties an error page to its log line.
// It is no secret.
func newReference() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	random := rand.Uint64()
	var text [10]byte
	for i := range text {
		text[i] = letters[random%32]
		random /= 32
	}
	return string(text[:])
}

// AskSignOut answers with the page that asks before it signs out.
func (s *Site) AskSignOut(w http.ResponseWriter, r *http.Request) error {
	return s.pages.Render(w, r, http.StatusOK, "signout", page.SignOutView{Page: s.Page(s.sessions.Load(r), "Sign out")})
}

// StaticFiles handles GET /static/.
func (s *Site) StaticFiles(w http.ResponseWriter, r *http.Request) error {
	if !s.pages.Static(w, r) {
		return expense.ErrNotFound
	}
	return nil
}
