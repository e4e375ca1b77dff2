package web

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	rand "math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"expense-dashboard/internal/cache"
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

// MaxForm is how many bytes the body of a form may have, and MaxBody that of any
// other request.
const (
	MaxForm = 1 << 20
	MaxBody = 64 << 10
)

// Config is what a Site is made of: plain values, and the parts that it asks.
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
const KeptPages = 5 << 20

// Site is what a browser sees: pages for people, and a few answers for
// programs. New makes it.
type Site struct {
	baseURL   string
	proxies   []netip.Prefix
	auth      *openid.Client
	sessions  *session.Store
	directory *team.File
	store     *store.Store
	importer  *importing.Importer
	fresh     func(*session.Session) bool
	notices   *notices
	drafts    *session.SplitCookie
	exports   *exportPlaces
	pages     *page.Pages
	summaries *cache.Cache[string, expense.Summary] // by revision and filter
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
		baseURL: c.BaseURL, proxies: c.Proxies, auth: c.Auth, sessions: c.Sessions, directory: c.Directory, store: c.Store, importer: c.Importer, fresh: c.Fresh,
		notices: notices, drafts: drafts, exports: newExportPlaces(), pages: pages,
		summaries: cache.New[string, expense.Summary](maxSummaries),
		log:       c.Log, now: c.Now, zone: c.Zone, metrics: c.Metrics, headers: securityHeaders(c.BaseURL),
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
		case a != nil && (r.Context().Err() != nil && !errors.Is(err, errTooSlow) || errors.Is(err, errGone)):
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

// page is the part of a view that all pages share; person is nil for a guest.
func (s *Site) page(person *session.Session, title string) page.Page {
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
	if person.Unverified {
		return team.Access{}
	}
	return s.directory.Current().Access(person.Email, person.GroupNames())
}

// Home handles GET /.
func (s *Site) Home(w http.ResponseWriter, r *http.Request) error {
	person := s.sessions.Load(r)
	if person != nil {
		if err := s.sessions.Touch(w, r, person); err != nil {
			return err
		}
	}
	shared := s.page(person, "")
	if person == nil && s.notices.takeSignOut(w, r) {
		return s.pages.Render(w, r, http.StatusOK, "home", page.HomeView{Page: shared, Notice: &page.Notice{Text: "You are signed out."}})
	}
	key := page.ContentKey{Page: "home", SignedIn: shared.SignedIn, Name: shared.Name, LogURL: shared.LogURL}
	return s.pages.Show(w, r, shared, key, func() (any, error) { return page.HomeView{Page: shared}, nil })
}

// profileJSON is the profile for programs.
type profileJSON struct {
	Name          string     `json:"name"`
	Email         string     `json:"email"`
	EmailVerified bool       `json:"email_verified"` // false only where Okta says so
	Admin         bool       `json:"admin"`
	Teams         []teamJSON `json:"teams"`
	SignedInAt    time.Time  `json:"signed_in_at"`
	EndsAt        time.Time  `json:"session_ends_at"`
}

type teamJSON struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

// Profile handles GET /profile, as a page or as JSON.
func (s *Site) Profile(w http.ResponseWriter, r *http.Request, person *session.Session) error {
	access, ends := s.Access(person), person.EndsAt
	w.Header().Set("Vary", "Accept")
	if prefersJSON(r) {
		teams := make([]teamJSON, len(access.Teams))
		for i, t := range access.Teams {
			teams[i] = teamJSON(t)
		}
		w.Header().Set("Content-Type", "application/json")
		return json.NewEncoder(w).Encode(profileJSON{
			Name: person.Name, Email: person.Email, EmailVerified: !person.Unverified,
			Admin: access.Admin, Teams: teams, SignedInAt: person.SignedInAt.UTC(), EndsAt: ends.UTC(),
		})
	}
	lines, err := s.ownSessions(r, person)
	if err != nil {
		return err
	}
	view := s.profileView(person, access)
	view.Notice, view.Sessions = s.notices.take(w, r), lines
	return s.pages.Render(w, r, http.StatusOK, "profile", view)
}

// profileView answers "why do I see this?".
func (s *Site) profileView(person *session.Session, access team.Access) page.ProfileView {
	view := page.ProfileView{
		Submission: newSubmission(person.Subject),
		Page:       s.page(person, "Profile"), Email: person.Email, Unverified: person.Unverified, Fix: s.forOperator(s.auth.Fix(openid.EmailUnverified)),
		Admin: access.Admin, Auditor: access.Auditor, Teams: access.Teams, Address: team.NormalizeAddress(person.Email), RuleFile: s.directory.Name(),
		SignedInAt: person.SignedInAt, EndsAt: person.EndsAt, IdleTimeout: s.sessions.IdleTimeout(), Now: s.now(),
	}
	if !person.Unverified {
		view.Rules = s.directory.Current().Rules(person.Email, person.GroupNames())
	}
	if issuer, err := url.Parse(s.auth.Issuer()); err == nil {
		view.Issuer = issuer.Host
	}
	for method := range strings.FieldsSeq(person.Methods) {
		view.Methods = append(view.Methods, openid.MethodName(method))
	}
	return view
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
	return s.pages.Render(w, r, http.StatusOK, "signout", page.SignOutView{Page: s.page(s.sessions.Load(r), "Sign out")})
}

// StaticFiles handles GET /static/.
func (s *Site) StaticFiles(w http.ResponseWriter, r *http.Request) error {
	if !s.pages.Static(w, r) {
		return expense.ErrNotFound
	}
	return nil
}
