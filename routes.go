package main

import (
	"net/http"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/web"
)

// app is the site with its gates.
type app struct {
	*web.Site
	signIn *authenticator
}

// routes is the whole map of the site.
func (s *app) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h web.Handler) { mux.Handle(pattern, s.Handle(h)) }

	handle("GET /{$}", s.Home)
	handle("GET /dashboard", s.signedIn(s.Dashboard))
	handle("GET /profile", s.signedIn(s.Profile))

	handle("GET /team/{id}", s.onTeam(s.TeamExpenses))
	handle("GET /team/{id}/expenses.csv", s.onTeam(s.ExportCSV))
	handle("GET /team/{id}/expenses.json", s.onTeam(s.ExportJSON))
	handle("GET /team/{id}/expenses/new", s.onTeam(s.NewExpense))
	handle("POST /team/{id}/expenses", s.onTeam(s.Keeping(s.LogExpense)))
	handle("GET /team/{id}/expenses/{expense}", s.onTeam(s.Expense))
	handle("POST /team/{id}/expenses/{expense}", s.onTeam(s.Keeping(s.ChangeExpense)))
	handle("POST /team/{id}/expenses/{expense}/delete", s.onTeam(s.DeleteExpense))
	handle("POST /team/{id}/expenses/{expense}/restore", s.onTeam(s.RestoreExpense))

	handle("GET /expenses", s.forAdmins(s.AllExpenses))
	handle("GET /expenses.csv", s.forAdmins(s.ExportCSV))
	handle("GET /expenses.json", s.forAdmins(s.ExportJSON))
	handle("GET "+web.ImportPath, s.forAdmins(s.ImportForm))
	handle("POST "+web.ImportPath, s.forAdmins(s.ImportFile))

	s.sessionRoutes(handle)

	handle("GET /login", failedSignIns(s.Metrics, s.signIn.login))
	handle("GET "+openid.CallbackPath, failedSignIns(s.Metrics, s.signIn.callback))
	handle("POST "+session.LogoutPath, s.logout)
	handle("GET "+session.LogoutPath, s.logoutByLink)
	for path, allow := range map[string]string{"/login": "GET", openid.CallbackPath: "GET", session.LogoutPath: "GET, POST"} {
		// These change something, so HEAD does not stand in for GET.
		handle("HEAD "+path, web.MethodNotAllowed(allow))
		handle(path, web.MethodNotAllowed(allow))
	}

	handle("GET /healthz", s.Healthz)
	handle("GET /readyz", s.Readyz)
	mux.Handle("GET /static/", s.Pages.StaticFiles(s.Handle(func(http.ResponseWriter, *http.Request) error { return expense.ErrNotFound })))

	return s.Logged(s.Secured(s.SameOrigin(s.Known(mux))))
}

// sessionRoutes adds the routes about sessions. Those for the provider's servers
// are there only where they are turned on.
func (s *app) sessionRoutes(handle func(pattern string, h web.Handler)) {
	handle("POST /profile/sessions/{id}/end", s.signedIn(s.EndOwnSession))
	handle("POST /profile/sessions/end-others", s.signedIn(s.EndOwnOthers))
	handle("GET "+web.SessionsPath, s.forAdmins(s.AllSessions))
	handle("POST "+web.SessionsPath+"/{id}/end", s.forAdmins(s.EndSession))
	handle("POST "+web.SessionsPath+"/end", s.forAdmins(s.EndPerson))
	if s.BackChannelLogout {
		handle("POST "+web.BackChannelLogoutPath, s.BackChannelLogoutRequest)
	}
	if s.UniversalLogout {
		handle("POST "+web.UniversalLogoutPath, s.UniversalLogoutRequest)
	}
}
