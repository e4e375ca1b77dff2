package web

import (
	"encoding/json"
	"log/slog"
	rand "math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"expense-dashboard/internal/cache"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/metrics"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/store"
	teampkg "expense-dashboard/internal/team"
	"expense-dashboard/internal/web/internal/page"
)

// maxBody is how many bytes of a request's body are read.
const MaxBody = 64 << 10

// site is what a browser sees: pages for people, and a few answers for
// programs.
type Site struct {
	BaseURL string
	Proxies []netip.Prefix // believed to tell the client's address, for the log
	// backChannelLogout and universalLogout say which logout requests of the
	// provider's servers are taken.
	BackChannelLogout, UniversalLogout bool

	Auth      *openid.Client
	Sessions  *session.Store
	Directory *teampkg.File
	Store     *store.Store
	Notices   *notices
	Drafts    *session.SplitCookie
	Exports   chan struct{} // has room for those that may run at once
	Pages     *page.Pages
	Summaries *cache.Cache[string, expense.Summary] // by revision and filter
	Log       *slog.Logger
	AccessLog *logging.AccessLog
	Now       func() time.Time
	Metrics   *metrics.Metrics             // nil where nobody asks for them
	Headers   *atomic.Pointer[MadeHeaders] // of every answer
}

// handler is an http.Handler that leaves its error to site.fail.
type Handler func(w http.ResponseWriter, r *http.Request) error

// handle adapts a handler to http.Handler. An answer that has begun and cannot
// be finished is cut off, so that nobody takes it for whole.
func (s *Site) Handle(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		if a, ok := w.(*answer); ok && a.status != 0 {
			s.Log.WarnContext(r.Context(), "answer cut off", "error", err)
			panic(http.ErrAbortHandler)
		}
		s.Fail(w, r, err)
	})
}

// known answers what the mux has no handler for with our own error pages.
func (s *Site) Known(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		unknown, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		probe := headerProbe{}
		unknown.ServeHTTP(probe, r)
		if allow := http.Header(probe).Get("Allow"); allow != "" {
			s.Fail(w, r, &methodError{Allow: allow})
			return
		}
		s.Fail(w, r, expense.ErrNotFound)
	})
}

// headerProbe is an http.ResponseWriter that keeps only the header.
type headerProbe http.Header

func (p headerProbe) Header() http.Header { return http.Header(p) }

func (p headerProbe) Write(data []byte) (int, error) { return len(data), nil }

func (p headerProbe) WriteHeader(int) {}

func MethodNotAllowed(allow string) Handler {
	return func(http.ResponseWriter, *http.Request) error { return &methodError{Allow: allow} }
}

// seeOther redirects without a body, since a target may hold an ID Token and
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
	return page.Page{Title: title, SignedIn: true, Name: person.Name}
}

// access returns what a person may see, by the directory as it is now.
func (s *Site) Access(person *session.Session) teampkg.Access {
	if person.Unverified {
		return teampkg.Access{}
	}
	return s.Directory.Current().Access(person.Email)
}

// home handles GET /.
func (s *Site) Home(w http.ResponseWriter, r *http.Request) error {
	person := s.Sessions.Load(w, r)
	if person != nil {
		if err := s.Sessions.Touch(w, r, person); err != nil {
			return err
		}
	}
	shared := s.page(person, "")
	key := page.ContentKey{Page: "home", SignedIn: shared.SignedIn, Name: shared.Name}
	return s.Pages.Show(w, r, shared, key, func() (any, error) { return page.HomeView{shared}, nil })
}

// dashboard handles GET /dashboard. An administrator's compares the teams.
func (s *Site) Dashboard(w http.ResponseWriter, r *http.Request, person *session.Session) error {
	access, shared := s.Access(person), s.page(person, "Dashboard")
	key := page.ContentKey{
		Page: "dashboard", Directory: s.Directory.Current(), Today: s.today(),
		Admin: access.Admin, Name: person.Name, Email: person.Email, Unverified: person.Unverified,
	}
	if access.Admin {
		known, err := s.revisions(r)
		if err != nil {
			return err
		}
		key.Revision = known.Of("")
	}
	return s.Pages.Show(w, r, shared, key, func() (any, error) { return s.dashboardView(r, person, access, shared) })
}

func (s *Site) dashboardView(r *http.Request, person *session.Session, access teampkg.Access, shared page.Page) (any, error) {
	view := page.DashboardView{
		Page: shared, Email: person.Email, Unverified: person.Unverified, Mend: s.forOperator(s.Auth.Mend(openid.EmailUnverified)),
		Teams: access.Teams, Admin: access.Admin,
	}
	if !access.Admin {
		return view, nil
	}
	totals, err := s.Store.Totals(r.Context(), s.today())
	view.Totals = teamLines(access.Teams, totals, s.Pages.Locales.Of(r))
	return view, err
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

// profile handles GET /profile, as a page or as JSON.
func (s *Site) Profile(w http.ResponseWriter, r *http.Request, person *session.Session) error {
	access, ends := s.Access(person), person.EndsAt
	w.Header().Set("Vary", "Accept")
	if prefersJSON(r) {
		teams := make([]teamJSON, len(access.Teams))
		for i, team := range access.Teams {
			teams[i] = teamJSON(team)
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
	view.Notice, view.Sessions = s.Notices.take(w, r), lines
	return s.Pages.Render(w, r, http.StatusOK, "profile", view)
}

// profileView answers "why do I see this?".
func (s *Site) profileView(person *session.Session, access teampkg.Access) page.ProfileView {
	view := page.ProfileView{
		Page: s.page(person, "Profile"), Email: person.Email, Unverified: person.Unverified, Mend: s.forOperator(s.Auth.Mend(openid.EmailUnverified)),
		Admin: access.Admin, Teams: access.Teams, Address: teampkg.NormalizeAddress(person.Email), RuleFile: s.Directory.Name(),
		SignedInAt: person.SignedInAt, EndsAt: person.EndsAt, IdleTimeout: s.Sessions.Idle, Now: s.Now(),
	}
	if !person.Unverified {
		view.Rule, _ = s.Directory.Current().Rule(person.Email)
	}
	if issuer, err := url.Parse(s.Auth.Issuer); err == nil {
		view.Issuer = issuer.Host
	}
	for method := range strings.FieldsSeq(person.Methods) {
		view.Methods = append(view.Methods, openid.MethodName(method))
	}
	return view
}

// healthz handles GET /healthz: the process serves.
func (s *Site) Healthz(w http.ResponseWriter, _ *http.Request) error {
	plain(w, http.StatusOK, "ok")
	return nil
}

// readyz handles GET /readyz: people can sign in and the database serves.
func (s *Site) Readyz(w http.ResponseWriter, r *http.Request) error {
	if s.Auth.Provider.Load() == nil {
		plain(w, http.StatusServiceUnavailable, "the OpenID provider has not been reached yet")
		return nil
	}
	if err := s.Store.Ping(r.Context()); err != nil {
		s.Log.WarnContext(r.Context(), "database not ready", "error", err)
		plain(w, http.StatusServiceUnavailable, "the database does not serve")
		return nil
	}
	plain(w, http.StatusOK, "ok")
	return nil
}

func plain(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(line + "\n"))
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

// askSignOut answers with the page that asks before it signs out.
func (s *Site) AskSignOut(w http.ResponseWriter, r *http.Request) error {
	return s.Pages.Render(w, r, http.StatusOK, "signout", page.SignOutView{s.page(s.Sessions.Load(w, r), "Sign out")})
}

// forgetPages drops all rendered pages, so that the next ones are made anew.
func (s *Site) ForgetPages() { s.Pages.Forget() }
