package main

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
)

// maxBody is how many bytes of a request's body are read.
const maxBody = 64 << 10

// site is what a browser sees: pages for people, and a few answers for
// programs.
type site struct {
	baseURL string
	proxies []netip.Prefix // believed to tell the client's address, for the log
	// backChannelLogout and universalLogout say which logout requests of the
	// provider's servers are taken.
	backChannelLogout, universalLogout bool

	auth      *openid.Client
	sessions  *session.Store
	directory *teampkg.File
	store     *store.Store
	notices   *notices
	drafts    *session.SplitCookie
	exports   chan struct{} // has room for those that may run at once
	pages     *pages
	summaries *cache.Cache[string, expense.Summary] // by revision and filter
	log       *slog.Logger
	accessLog *logging.AccessLog
	now       func() time.Time
	metrics   *metrics.Metrics             // nil where nobody asks for them
	headers   *atomic.Pointer[madeHeaders] // of every answer
}

// handler is an http.Handler that leaves its error to site.fail.
type handler func(w http.ResponseWriter, r *http.Request) error

// app is the site with its gates.
type app struct {
	*site
	signIn *authenticator
}

// routes is the whole map of the site.
func (s *app) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h handler) { mux.Handle(pattern, s.handle(h)) }

	handle("GET /{$}", s.home)
	handle("GET /dashboard", s.signedIn(s.dashboard))
	handle("GET /profile", s.signedIn(s.profile))

	handle("GET /team/{id}", s.onTeam(s.teamExpenses))
	handle("GET /team/{id}/expenses.csv", s.onTeam(s.exportCSV))
	handle("GET /team/{id}/expenses.json", s.onTeam(s.exportJSON))
	handle("GET /team/{id}/expenses/new", s.onTeam(s.newExpense))
	handle("POST /team/{id}/expenses", s.onTeam(s.keeping(s.logExpense)))
	handle("GET /team/{id}/expenses/{expense}", s.onTeam(s.expense))
	handle("POST /team/{id}/expenses/{expense}", s.onTeam(s.keeping(s.changeExpense)))
	handle("POST /team/{id}/expenses/{expense}/delete", s.onTeam(s.deleteExpense))
	handle("POST /team/{id}/expenses/{expense}/restore", s.onTeam(s.restoreExpense))

	handle("GET /expenses", s.forAdmins(s.allExpenses))
	handle("GET /expenses.csv", s.forAdmins(s.exportCSV))
	handle("GET /expenses.json", s.forAdmins(s.exportJSON))
	handle("GET "+importPath, s.forAdmins(s.importForm))
	handle("POST "+importPath, s.forAdmins(s.importFile))

	s.sessionRoutes(handle)

	handle("GET /login", failedSignIns(s.metrics, s.signIn.login))
	handle("GET "+openid.CallbackPath, failedSignIns(s.metrics, s.signIn.callback))
	handle("POST "+session.LogoutPath, s.logout)
	handle("GET "+session.LogoutPath, s.logoutByLink)
	for path, allow := range map[string]string{"/login": "GET", openid.CallbackPath: "GET", session.LogoutPath: "GET, POST"} {
		// These change something, so HEAD does not stand in for GET.
		handle("HEAD "+path, methodNotAllowed(allow))
		handle(path, methodNotAllowed(allow))
	}

	handle("GET /healthz", s.healthz)
	handle("GET /readyz", s.readyz)
	mux.Handle("GET /static/", s.pages.staticFiles(s.handle(func(http.ResponseWriter, *http.Request) error { return expense.ErrNotFound })))

	return s.logged(s.secured(s.sameOrigin(s.known(mux))))
}

// handle adapts a handler to http.Handler. An answer that has begun and cannot
// be finished is cut off, so that nobody takes it for whole.
func (s *site) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		if a, ok := w.(*answer); ok && a.status != 0 {
			s.log.WarnContext(r.Context(), "answer cut off", "error", err)
			panic(http.ErrAbortHandler)
		}
		s.fail(w, r, err)
	})
}

// known answers what the mux has no handler for with our own error pages.
func (s *site) known(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		unknown, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		probe := headerProbe{}
		unknown.ServeHTTP(probe, r)
		if allow := http.Header(probe).Get("Allow"); allow != "" {
			s.fail(w, r, &methodError{Allow: allow})
			return
		}
		s.fail(w, r, expense.ErrNotFound)
	})
}

// headerProbe is an http.ResponseWriter that keeps only the header.
type headerProbe http.Header

func (p headerProbe) Header() http.Header { return http.Header(p) }

func (p headerProbe) Write(data []byte) (int, error) { return len(data), nil }

func (p headerProbe) WriteHeader(int) {}

func methodNotAllowed(allow string) handler {
	return func(http.ResponseWriter, *http.Request) error { return &methodError{Allow: allow} }
}

// seeOther redirects without a body, since a target may hold an ID Token and
// no page may.
func seeOther(w http.ResponseWriter, target string) {
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}

// page is the part of a view that all pages share; person is nil for a guest.
func (s *site) page(person *session.Session, title string) page {
	if person == nil {
		return page{Title: title}
	}
	return page{Title: title, SignedIn: true, Name: person.Name}
}

// access returns what a person may see, by the directory as it is now.
func (s *site) access(person *session.Session) teampkg.Access {
	if person.Unverified {
		return teampkg.Access{}
	}
	return s.directory.Current().Access(person.Email)
}

// home handles GET /.
func (s *site) home(w http.ResponseWriter, r *http.Request) error {
	person := s.sessions.Load(w, r)
	if person != nil {
		if err := s.sessions.Touch(w, r, person); err != nil {
			return err
		}
	}
	shared := s.page(person, "")
	key := contentKey{page: "home", signedIn: shared.SignedIn, name: shared.Name}
	return s.pages.show(w, r, shared, key, func() (any, error) { return homeView{shared}, nil })
}

// dashboard handles GET /dashboard. An administrator's compares the teams.
func (s *site) dashboard(w http.ResponseWriter, r *http.Request, person *session.Session) error {
	access, shared := s.access(person), s.page(person, "Dashboard")
	key := contentKey{
		page: "dashboard", directory: s.directory.Current(), today: s.today(),
		admin: access.Admin, name: person.Name, email: person.Email, unverified: person.Unverified,
	}
	if access.Admin {
		known, err := s.revisions(r)
		if err != nil {
			return err
		}
		key.revision = known.Of("")
	}
	return s.pages.show(w, r, shared, key, func() (any, error) { return s.dashboardView(r, person, access, shared) })
}

func (s *site) dashboardView(r *http.Request, person *session.Session, access teampkg.Access, shared page) (any, error) {
	view := dashboardView{
		page: shared, Email: person.Email, Unverified: person.Unverified, Mend: s.forOperator(s.auth.Mend(openid.EmailUnverified)),
		Teams: access.Teams, Admin: access.Admin,
	}
	if !access.Admin {
		return view, nil
	}
	totals, err := s.store.Totals(r.Context(), s.today())
	view.Totals = teamLines(access.Teams, totals, s.pages.locales.of(r))
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
func (s *site) profile(w http.ResponseWriter, r *http.Request, person *session.Session) error {
	access, ends := s.access(person), person.EndsAt
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
	view.Notice, view.Sessions = s.notices.take(w, r), lines
	return s.pages.render(w, r, http.StatusOK, "profile", view)
}

// profileView answers "why do I see this?".
func (s *site) profileView(person *session.Session, access teampkg.Access) profileView {
	view := profileView{
		page: s.page(person, "Profile"), Email: person.Email, Unverified: person.Unverified, Mend: s.forOperator(s.auth.Mend(openid.EmailUnverified)),
		Admin: access.Admin, Teams: access.Teams, Address: teampkg.NormalizeAddress(person.Email), RuleFile: s.directory.Name(),
		SignedInAt: person.SignedInAt, EndsAt: person.EndsAt, IdleTimeout: s.sessions.Idle, Now: s.now(),
	}
	if !person.Unverified {
		view.Rule, _ = s.directory.Current().Rule(person.Email)
	}
	if issuer, err := url.Parse(s.auth.Issuer); err == nil {
		view.Issuer = issuer.Host
	}
	for method := range strings.FieldsSeq(person.Methods) {
		view.Methods = append(view.Methods, openid.MethodName(method))
	}
	return view
}

// healthz handles GET /healthz: the process serves.
func (s *site) healthz(w http.ResponseWriter, _ *http.Request) error {
	plain(w, http.StatusOK, "ok")
	return nil
}

// readyz handles GET /readyz: people can sign in and the database serves.
func (s *site) readyz(w http.ResponseWriter, r *http.Request) error {
	if s.auth.Provider.Load() == nil {
		plain(w, http.StatusServiceUnavailable, "the OpenID provider has not been reached yet")
		return nil
	}
	if err := s.store.Ping(r.Context()); err != nil {
		s.log.WarnContext(r.Context(), "database not ready", "error", err)
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
func (s *site) askSignOut(w http.ResponseWriter, r *http.Request) error {
	return s.pages.render(w, r, http.StatusOK, "signout", signOutView{s.page(s.sessions.Load(w, r), "Sign out")})
}

// forgetPages drops all rendered pages, so that the next ones are made anew.
func (s *site) forgetPages() { s.pages.forget() }

// sessionRoutes adds the routes about sessions. Those for the provider's servers
// are there only where they are turned on.
func (s *app) sessionRoutes(handle func(pattern string, h handler)) {
	handle("POST /profile/sessions/{id}/end", s.signedIn(s.endOwnSession))
	handle("POST /profile/sessions/end-others", s.signedIn(s.endOwnOthers))
	handle("GET "+sessionsPath, s.forAdmins(s.allSessions))
	handle("POST "+sessionsPath+"/{id}/end", s.forAdmins(s.endSession))
	handle("POST "+sessionsPath+"/end", s.forAdmins(s.endPerson))
	if s.backChannelLogout {
		handle("POST "+backChannelLogoutPath, s.backChannelLogoutRequest)
	}
	if s.universalLogout {
		handle("POST "+universalLogoutPath, s.universalLogoutRequest)
	}
}
