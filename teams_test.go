package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/expense"
)

// authorizationTeams gives each role of the table its person, and hr one of its
// own.
const authorizationTeams = `{
  "approval": true,
  "teams": [{"id": "finance", "label": "Finance"}, {"id": "hr", "label": "HR"}],
  "members": {
    "owner@example.com": "finance",
    "member@example.com": "finance",
    "other@example.com": "hr",
    "lead@example.com": {"finance": "lead"},
    "other.lead@example.com": {"finance": "member", "hr": "lead"},
    "auditor@example.com": "auditor",
    "admin@example.com": "admin"
  }
}`

// authorizationRoles are the columns of the table. The expense that a path names
// is one of finance, and the owner's.
var authorizationRoles = []string{"guest", "on no team", "owner", "member", "other", "lead", "other.lead", "auditor", "admin"}

// authorization is every route with the status for each role. A form of somebody
// who is not signed in gets 200: the page that goes on to signing in.
var authorization = map[string]string{
	//                                            guest none owner member other lead other.lead auditor admin
	"GET /{$}":       "200 200 200 200 200 200 200 200 200",
	"GET /dashboard": "303 200 200 200 200 200 200 200 200",
	"GET /profile":   "303 200 200 200 200 200 200 200 200",

	"GET /team/{id}":                             "303 404 200 200 404 200 200 200 200",
	"GET /team/{id}/expenses.csv":                "303 404 200 200 404 200 200 200 200",
	"GET /team/{id}/expenses.json":               "303 404 200 200 404 200 200 200 200",
	"GET /team/{id}/expenses/new":                "303 404 200 200 404 200 200 403 200",
	"POST /team/{id}/expenses":                   "200 404 303 303 404 303 303 403 303",
	"GET /team/{id}/expenses/{expense}":          "303 404 200 200 404 200 200 200 200",
	"POST /team/{id}/expenses/{expense}":         "200 404 303 403 404 303 403 403 303",
	"POST /team/{id}/expenses/{expense}/delete":  "200 404 303 403 404 303 403 403 303",
	"POST /team/{id}/expenses/{expense}/restore": "200 404 303 404 404 303 404 404 303",

	"GET /team/{id}/budget":                        "303 404 200 200 404 200 200 200 200",
	"POST /team/{id}/budget":                       "200 404 403 403 404 303 403 403 303",
	"POST /team/{id}/expenses/{expense}/approve":   "200 404 403 403 404 303 403 403 303",
	"POST /team/{id}/expenses/{expense}/send-back": "200 404 403 403 404 303 403 403 303",

	"GET /expenses":                     "303 200 200 200 200 200 200 200 200",
	"GET /expenses.csv":                 "303 200 200 200 200 200 200 200 200",
	"GET /expenses.json":                "303 200 200 200 200 200 200 200 200",
	"GET /expenses/new":                 "303 403 303 303 303 303 200 403 200",
	"POST /expenses/selected":           "200 404 303 403 404 303 403 403 303",
	"POST /expenses/selected/{id}/undo": "200 404 404 404 404 404 404 404 404", // of nobody

	"GET /activity":         "303 404 404 404 404 200 200 200 200",
	"GET /activity.csv":     "303 404 404 404 404 200 200 200 200",
	"GET /expenses/import":  "303 404 404 404 404 404 404 404 200",
	"POST /expenses/import": "200 404 404 404 404 404 404 404 422",

	"GET /categories":              "303 404 404 404 404 404 404 404 200",
	"POST /categories":             "200 404 404 404 404 404 404 404 400", // neither closed nor open
	"POST /categories/{id}/rename": "200 404 404 404 404 404 404 404 422", // to nothing
	"POST /categories/{id}/retire": "200 404 404 404 404 404 404 404 303",
	"POST /categories/{id}/undo":   "200 404 404 404 404 404 404 404 303",

	"GET /people":                        "303 404 404 404 404 404 404 404 200",
	"POST /people/{id}/join":             "200 404 404 404 404 404 404 404 422", // to nobody
	"POST /people/{id}/part":             "200 404 404 404 404 404 404 404 422", // from nobody
	"GET /expenses/import/sample.csv":    "303 404 404 404 404 404 404 404 200",
	"GET /expenses/import/{id}":          "303 404 404 404 404 404 404 404 404", // of nobody
	"POST /expenses/import/{id}":         "200 404 404 404 404 404 404 404 404",
	"POST /expenses/import/{id}/discard": "200 404 404 404 404 404 404 404 404",
	"POST /expenses/import/{id}/undo":    "200 404 404 404 404 404 404 404 404",

	"GET /sessions":                     "303 404 404 404 404 404 404 404 200",
	"POST /sessions/{id}/end":           "200 404 404 404 404 404 404 404 303",
	"POST /sessions/end":                "200 404 404 404 404 404 404 404 303",
	"POST /profile/sessions/{id}/end":   "200 404 404 404 404 404 404 404 404", // of somebody else
	"POST /profile/sessions/end-others": "200 303 303 303 303 303 303 303 303",

	"GET /login":                       "303 303 303 303 303 303 303 303 303",
	"GET /authorization-code/callback": "400 400 400 400 400 400 400 400 400",
	"GET /logout":                      "303 303 303 303 303 303 303 303 303",
	"POST /logout":                     "303 200 200 200 200 200 200 200 200",
	"POST /logout/backchannel":         "400 400 400 400 400 400 400 400 400",
	"POST /logout/universal":           "401 401 401 401 401 401 401 401 401",
	"GET /healthz":                     "200 200 200 200 200 200 200 200 200",
	"GET /readyz":                      "200 200 200 200 200 200 200 200 200",
	"GET /static/":                     "404 404 404 404 404 404 404 404 404",
}

// TestAuthorization asks for every route as every role.
func TestAuthorization(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "teams.json")
	if err := os.WriteFile(file, []byte(authorizationTeams), 0o600); err != nil {
		t.Fatal(err)
	}
	env := logoutEnv()
	env["TEAMS_FILE"] = file
	r := startSite(t, setup{env: env})
	for path, methods := range r.site.table() {
		for method := range methods {
			if _, ok := authorization[method+" "+path]; !ok {
				t.Errorf("the table has no row for %s %s", method, path)
			}
		}
	}
	people := cast{r, map[string]*browser{}}
	for route, row := range authorization {
		statuses := strings.Fields(row)
		for i, role := range authorizationRoles {
			want, err := strconv.Atoi(statuses[i])
			if err != nil {
				t.Fatal(err)
			}
			got := people.request(t, role, route)
			if strings.Contains(route, "/log") || strings.Contains(route, "sessions") {
				// It may have ended the session.
				delete(people.browsers, role)
			}
			if got.Status != want {
				t.Errorf("%s as %s = %d, want %d: %s", route, role, got.Status, want, got.Text())
			} else if role == "guest" && strings.HasPrefix(route, "POST ") && want == http.StatusOK && !strings.Contains(got.Body, `href="/login?return_to=`) {
				t.Errorf("%s as a guest is answered with %s", route, got.Text())
			}
		}
	}
}

// cast is people of every role at a site, each with a browser.
type cast struct {
	*rig
	browsers map[string]*browser
}

// as returns the browser of somebody of a role.
func (c cast) as(role string) *browser {
	b := c.browsers[role]
	if b != nil {
		return b
	}
	b = c.Browser()
	switch role {
	case "guest":
	case "on no team":
		b.SignIn("nobody@example.com")
	default:
		b.SignIn(role + "@example.com")
	}
	c.browsers[role] = b
	return b
}

// request asks for a route of which every name stands for something that is
// there, made by the owner of an expense and found by an administrator.
func (c cast) request(t *testing.T, role, route string) *reply {
	t.Helper()
	b := c.as(role)
	method, path, _ := strings.Cut(strings.TrimSuffix(route, "{$}"), " ")
	form := url.Values{}
	if method == http.MethodPost {
		form = apptest.ExpenseForm()
	}
	if strings.Contains(path, "{expense}") {
		owner := c.as("owner")
		e := owner.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "item", "Item "+expense.NewID()))
		form.Set("version", "1")
		form.Set("reason", "The receipt is missing.")
		if strings.HasSuffix(path, "/restore") {
			owner.Post(e.Path()+"/delete", form).Check(t, http.StatusSeeOther)
			form.Set("version", "2")
		}
		path = strings.Replace(path, "{expense}", e.ID, 1)
	}
	if path == "/expenses/selected" {
		e := c.as("owner").LogExpense("finance", apptest.With(apptest.ExpenseForm(), "item", "Item "+expense.NewID()))
		form = url.Values{"expense": {e.ID}, "action": {"delete"}, "confirm": {"yes"}}
	}
	if method == http.MethodPost && strings.HasSuffix(path, "/budget") {
		administrator := c.as("admin")
		form.Set("version", regexp.MustCompile(`name="version" value="([0-9]+)"`).FindStringSubmatch(administrator.Get("/team/finance/budget").Body)[1])
	}
	if strings.Contains(path, "sessions/") {
		c.Browser().SignIn("victim@example.com")
		administrator := c.as("admin")
		page := administrator.Get("/sessions?q=victim").Body
		end := regexp.MustCompile(`/sessions/([0-9a-f]+)/end`).FindStringSubmatch(page)
		subject := regexp.MustCompile(`name="sub" value="([^"]+)"`).FindStringSubmatch(page)
		form = url.Values{"sub": {subject[1]}}
		path = strings.Replace(path, "{id}", end[1], 1)
	}
	if strings.Contains(path, "people/") {
		administrator := c.as("admin")
		join := regexp.MustCompile(`/people/([0-9]+)/join`).FindStringSubmatch(administrator.Get("/people").Body)
		path = strings.Replace(path, "{id}", join[1], 1)
	}
	if strings.Contains(path, "categories/") {
		path = strings.Replace(path, "{id}", c.usedCategory(t, strings.HasSuffix(path, "/undo")), 1)
	}
	path = strings.Replace(path, "{id}", "finance", 1)
	return b.Send(method, path, form)
}

// usedCategory returns the number of a category that an expense has, which may be
// retired.
func (c cast) usedCategory(t *testing.T, retired bool) string {
	t.Helper()
	administrator := c.as("admin")
	name := "Category " + expense.NewID()
	administrator.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "category", name))
	id := regexp.MustCompile(`/categories/([0-9]+)/retire">[^\n]*aria-label="Retire ` + name).FindStringSubmatch(administrator.Get("/categories").Body)[1]
	if retired {
		administrator.Post("/categories/"+id+"/retire", nil).Check(t, http.StatusSeeOther)
	}
	return id
}

// TestFormerTeam takes a team out of the teams file. Who reads all teams still
// finds its expenses, in every list and every sum, and an administrator changes
// them; everybody else finds nothing.
func TestFormerTeam(t *testing.T) {
	t.Parallel()
	r, write := managedAnew(t, authorizationTeams)
	member, auditor, administrator := r.Browser(), r.Browser(), r.Browser()
	member.SignIn("other@example.com")
	auditor.SignIn("auditor@example.com")
	administrator.SignIn("admin@example.com")
	e := member.LogExpense("hr", apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Team offsite"), "amount", "1000.00"))
	administrator.LogExpense("finance", apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Event booth"), "amount", "200.00"))

	write(`{"teams": [{"id": "finance", "label": "Finance"}],
		"members": {"other@example.com": "finance", "auditor@example.com": "auditor", "admin@example.com": "admin"}}`)
	const label = "hr (no longer a team)"
	for name, b := range map[string]*browser{"auditor": auditor, "administrator": administrator} {
		t.Run(name, func(t *testing.T) {
			b.T = t
			b.Get("/team/hr").Check(t, http.StatusOK, label, "Team offsite", "$1,000.00", "!/team/hr/expenses/new")
			b.Get("/expenses").Check(t, http.StatusOK, label, "Team offsite", "$1,200.00")
			b.Get("/dashboard").Check(t, http.StatusOK, label, `href="/team/hr"`, "$1,200.00")
			b.Get(e.Path()).Check(t, http.StatusOK, label)
			if all := b.Exported("/expenses.json"); all.Total != "1200.00" || all.Count != 2 {
				t.Errorf("the export holds %d expenses of %s", all.Count, all.Total)
			}
			if of := b.Exported("/team/hr/expenses.json"); of.Total != "1000.00" {
				t.Errorf("the export of the team holds %s", of.Total)
			}
			b.Get("/team/nowhere").Check(t, http.StatusNotFound)
		})
	}
	for _, target := range []string{"/team/hr", "/team/hr/expenses.csv", e.Path()} {
		member.Get(target).Check(t, http.StatusNotFound)
	}
	form := func(version int, fields ...string) url.Values {
		f := apptest.With(apptest.ExpenseForm(), "version", strconv.Itoa(version))
		for i := 0; i < len(fields); i += 2 {
			f.Set(fields[i], fields[i+1])
		}
		return f
	}
	auditor.Post(e.Path(), form(1)).Check(t, http.StatusForbidden)
	administrator.Get("/team/hr/expenses/new").Check(t, http.StatusForbidden)
	administrator.Post(e.Path(), form(1, "item", "Offsite", "amount", "900.00")).Check(t, http.StatusSeeOther)
	administrator.Post(e.Path(), form(2, "team", "nowhere")).Check(t, http.StatusUnprocessableEntity, "Choose a team")
	member.Get("/team/finance").Check(t, http.StatusOK, "!Offsite")
	administrator.Post(e.Path(), form(2, "item", "Offsite", "amount", "900.00", "team", "finance")).Check(t, http.StatusSeeOther)
	member.Get("/team/finance").Check(t, http.StatusOK, "Offsite", "$1,100.00")
	administrator.Get("/team/hr").Check(t, http.StatusNotFound)
	administrator.Get("/dashboard").Check(t, http.StatusOK, "!"+label)
}

// TestActivityOfOnesTeams asks who did what as people who may know it of all teams, of
// one, or of none.
func TestActivityOfOnesTeams(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "teams.json")
	if err := os.WriteFile(file, []byte(authorizationTeams), 0o600); err != nil {
		t.Fatal(err)
	}
	r := startSite(t, setup{env: map[string]string{"TEAMS_FILE": file}})
	owner := r.Browser()
	owner.SignIn("owner@example.com")
	owner.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "item", "Balloons"))
	lead, foreign, auditor := r.Browser(), r.Browser(), r.Browser()
	lead.SignIn("lead@example.com")
	foreign.SignIn("other.lead@example.com")
	auditor.SignIn("auditor@example.com")

	lead.Get("/activity").Check(t, http.StatusOK, "Balloons", "owner@example.com", "!Conference Travel")
	lead.Get("/activity.csv?person=owner%40example.com&kind=created").Check(t, http.StatusOK, "at,actor,kind,team,expense,item,changes\r\n", ",owner@example.com,created,finance,", ",Balloons,\r\n")
	lead.Get("/activity?kind=deleted").Check(t, http.StatusOK, "Nothing matches")
	lead.Get("/activity?team=hr").Check(t, http.StatusNotFound)
	lead.Get("/activity?to=2020-01-01").Check(t, http.StatusOK, "Nothing matches")
	lead.Get("/activity?kind=burnt&person=Ann").Check(t, http.StatusBadRequest, "Error: ", `value="Ann"`, "The kind is one of")
	lead.Get("/activity.csv?kind=burnt").Check(t, http.StatusBadRequest)
	foreign.Get("/activity").Check(t, http.StatusOK, "Conference Travel", "!Balloons")
	foreign.Get("/activity?team=finance").Check(t, http.StatusNotFound)
	foreign.Get("/activity.csv?person=owner%40example.com").Check(t, http.StatusOK, "!Balloons")
	auditor.Get("/activity").Check(t, http.StatusOK, "Balloons", "Conference Travel", "HR")
	auditor.Get("/activity?team=hr").Check(t, http.StatusOK, "Conference Travel", "!Balloons")
}
