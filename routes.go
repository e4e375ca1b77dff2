package main

import (
	"net/http"
	"slices"
	"strings"

	"expense-dashboard/internal/importing"
	"expense-dashboard/internal/metrics"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/entries"
	"expense-dashboard/internal/web/imports"
	"expense-dashboard/internal/web/managing"
	"expense-dashboard/internal/web/sessions"
	"expense-dashboard/internal/web/spending"
)

// app is the site, and what its gates ask.
type app struct {
	*web.Site
	*spending.Spending
	*entries.Entries
	*imports.Imports
	*managing.Managing
	*sessions.Sessions
	baseURL   string
	signIn    *authenticator
	sessions  *session.Store
	directory *team.File
	store     *store.Store
	importer  *importing.Importer
	metrics   *metrics.Metrics
	// These say which logout requests of the provider's are taken.
	backChannelLogout, universalLogout, frontChannelLogout bool
}

// table is the whole map of the site: the handler of each route by its path and
// its method.
func (s *app) table() map[string]map[string]web.Handler {
	paths := map[string]map[string]web.Handler{}
	handle := func(pattern string, h web.Handler) {
		method, path, _ := strings.Cut(pattern, " ")
		if paths[path] == nil {
			paths[path] = map[string]web.Handler{}
		}
		paths[path][method] = h
	}

	handle("GET /{$}", s.Home)
	handle("GET /dashboard", s.forEverybody(s.Dashboard))
	handle("GET /profile", s.signedIn(s.Profile))

	handle("GET /team/{id}", s.onTeam(s.TeamExpenses))
	handle("GET /team/{id}/expenses.csv", s.onTeam(s.ExportCSV))
	handle("GET /team/{id}/expenses.json", s.onTeam(s.ExportJSON))
	handle("GET /team/{id}/expenses/new", s.forLoggers(s.NewExpense))
	handle("POST /team/{id}/expenses", s.forLoggers(s.Keeping(s.LogExpense)))
	handle("GET /team/{id}/expenses/{expense}", s.onTeam(s.Expense))
	handle("POST /team/{id}/expenses/{expense}", s.onTeam(s.Keeping(s.ChangeExpense)))
	handle("POST /team/{id}/expenses/{expense}/delete", s.onTeam(s.DeleteExpense))
	handle("POST /team/{id}/expenses/{expense}/restore", s.onTeam(s.RestoreExpense))
	handle("POST /team/{id}/expenses/{expense}/undo", s.onTeam(s.UndoChange))

	handle("GET /team/{id}/budget", s.onTeam(s.Budget))
	handle("POST /team/{id}/budget", s.onTeam(s.SetBudget))
	handle("POST /team/{id}/expenses/{expense}/approve", s.onTeam(s.Approve))
	handle("POST /team/{id}/expenses/{expense}/send-back", s.onTeam(s.SendBack))

	handle("GET /expenses", s.forEverybody(s.AllExpenses))
	handle("GET /expenses.csv", s.forEverybody(s.ExportCSV))
	handle("GET /expenses.json", s.forEverybody(s.ExportJSON))
	handle("GET /expenses/new", s.forEverybody(s.NewForAnyTeam))
	handle("POST "+entries.SelectedPath, s.forEverybody(s.ChangeSelected))
	handle("POST "+entries.SelectedPath+"/{id}/undo", s.forEverybody(s.UndoSelected))
	handle("GET "+spending.ActivityPath, s.forOverseers(s.Activity))
	handle("GET "+spending.ActivityPath+".csv", s.forOverseers(s.ActivityCSV))

	s.adminRoutes(handle)
	s.sessionRoutes(handle)

	handle("GET /login", failedSignIns(s.metrics, s.signIn.login))
	handle("GET "+openid.CallbackPath, failedSignIns(s.metrics, s.signIn.callback))
	handle("POST "+session.LogoutPath, s.logout)
	handle("GET "+session.LogoutPath, s.logoutByLink)

	handle("GET /healthz", s.Healthz)
	handle("GET /readyz", s.Readyz)
	handle("GET /static/", s.StaticFiles)
	return paths
}

// routes answers by the table. Each path is one pattern of the mux, and answers
// the methods that it has not got with 405; whatever the table has not got at
// all is 404.
func (s *app) routes() http.Handler {
	mux := http.NewServeMux()
	for path, methods := range s.table() {
		mux.Handle(path, s.byMethod(strings.TrimSuffix(path, "{$}"), methods))
	}
	unknown := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Pattern = "" // it is no route
		s.Handle(s.NotFound).ServeHTTP(w, r)
	})
	mux.Handle("/", unknown)
	return s.Logged(s.Secured(s.SameOrigin(asteriskless(mux, unknown))))
}

// asteriskless leaves OPTIONS * (RFC 9110, 9.3.7) to unknown, for which the mux
// has an answer of its own that is not a page of ours.
func asteriskless(mux *http.ServeMux, unknown http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI == "*" {
			unknown.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// adminRoutes adds the routes for administrators alone.
func (s *app) adminRoutes(handle func(pattern string, h web.Handler)) {
	handle("GET "+web.ImportPath, s.forAdmins(s.ImportForm))
	handle("POST "+web.ImportPath, s.forAdmins(s.ImportFile))
	handle("GET "+web.ImportPath+"/sample.csv", s.forAdmins(s.ImportSample))
	handle("GET "+web.ImportPath+"/{id}", s.forAdmins(s.ImportPreview))
	handle("POST "+web.ImportPath+"/{id}", s.forAdmins(s.fresh(s.ConfirmImport)))
	handle("POST "+web.ImportPath+"/{id}/discard", s.forAdmins(s.DiscardImport))
	handle("POST "+web.ImportPath+"/{id}/undo", s.forAdmins(s.UndoImport))

	handle("GET "+managing.CategoriesPath, s.forAdmins(s.Categories))
	handle("POST "+managing.CategoriesPath, s.forAdmins(s.CloseCategories))
	handle("POST "+managing.CategoriesPath+"/{id}/rename", s.forAdmins(s.RenameCategory))
	handle("POST "+managing.CategoriesPath+"/{id}/retire", s.forAdmins(s.RetireCategory))
	handle("POST "+managing.CategoriesPath+"/{id}/undo", s.forAdmins(s.UndoCategory))

	handle("GET "+web.PeoplePath, s.forAdmins(s.People))
	handle("POST "+web.PeoplePath+"/{id}/join", s.forAdmins(s.fresh(s.JoinPerson)))
	handle("POST "+web.PeoplePath+"/{id}/part", s.forAdmins(s.PartPerson))
}

// sessionRoutes adds the routes about sessions. Those for the provider's servers
// are there only where they are turned on.
func (s *app) sessionRoutes(handle func(pattern string, h web.Handler)) {
	handle("POST /profile/sessions/{id}/end", s.signedIn(s.EndOwnSession))
	handle("POST /profile/sessions/end-others", s.signedIn(s.EndOwnOthers))
	handle("GET "+web.SessionsPath, s.forAdmins(s.AllSessions))
	handle("POST "+web.SessionsPath+"/{id}/end", s.forAdmins(s.fresh(s.EndSession)))
	handle("POST "+web.SessionsPath+"/end", s.forAdmins(s.fresh(s.EndPerson)))
	if s.backChannelLogout {
		handle("POST "+backChannelLogoutPath, s.signIn.backChannelLogout)
	}
	if s.universalLogout {
		handle("POST "+universalLogoutPath, s.signIn.universalLogout)
	}
	if s.frontChannelLogout {
		handle("GET "+frontChannelLogoutPath, s.signIn.frontChannelLogout)
	}
}

// byMethod answers a path by the method of the request, with the route as the
// request's pattern. HEAD is answered as GET, but where a GET changes something. A
// person who goes by GET to where a form posts is led to the form.
// (A pattern of the mux with the method would clash: GET of one expense with any
// method of the form for a new one.)
func (s *app) byMethod(path string, methods map[string]web.Handler) http.Handler {
	if get, ok := methods[http.MethodGet]; ok && !slices.Contains([]string{"/login", openid.CallbackPath, session.LogoutPath}, path) {
		methods[http.MethodHead] = get
	}
	var allow []string
	handlers := map[string]http.Handler{}
	for method, h := range methods {
		allow = append(allow, method)
		handlers[method] = s.Handle(h)
	}
	slices.Sort(allow)
	refused := s.Handle(web.MethodNotAllowed(strings.Join(allow, ", ")))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, ok := handlers[r.Method]
		if page := web.FormPage(r.URL.EscapedPath()); !ok && r.Method == http.MethodGet && page != "" && web.AcceptsPage(r) {
			r.Pattern = path
			web.SeeOther(w, page)
			return
		}
		if !ok {
			r.Pattern = path
			refused.ServeHTTP(w, r)
			return
		}
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		r.Pattern = method + " " + path
		h.ServeHTTP(w, r)
	})
}
