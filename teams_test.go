package main

import (
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/storetest"
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
	"POST /team/{id}/expenses/{expense}/undo":    "200 404 303 403 404 404 403 403 404", // of what the owner changed

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
	"GET /logout/frontchannel":         "400 400 400 400 400 400 400 400 400",
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
		if strings.HasSuffix(path, "/undo") {
			owner.Post(e.Path(), apptest.With(form, "item", "Other "+expense.NewID())).Check(t, http.StatusSeeOther)
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
	administrator.Get("/team/hr/expenses/new").Check(t, http.StatusForbidden, "You cannot log expenses here", "!can be changed by")
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

// TestPeoplePage joins somebody who was known by a name to the person they are, and
// parts them again: what was logged by the name is theirs to change in between.
func TestPeoplePage(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		r, _ := startCopies(t, databaseURL, 2)
		boss, b := r.Browser(), r.Browser()
		boss.SignIn(admin)
		b.SignIn(finance)
		e := boss.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "person", "C. Lee"))
		change := apptest.With(apptest.With(apptest.ExpenseForm(), "version", "1"), "item", "Mine")
		b.Post(e.Path(), change).Check(t, http.StatusForbidden)

		page := boss.Get("/people")
		page.Check(t, http.StatusOK, "C. Lee", "no address is known", finance)
		named := regexp.MustCompile(`C\. Lee[\s\S]*?(/people/[0-9]+)/join`).FindStringSubmatch(page.Body)[1]
		boss.Post(named+"/join", url.Values{"into": {"nobody@example.com"}}).Check(t, http.StatusUnprocessableEntity, "Nobody is known by this address", `value="nobody@example.com"`)
		for _, wrong := range []string{"@", "a@", "a,b@c", "<b@c>"} {
			boss.Post(named+"/join", url.Values{"into": {wrong}}).Check(t, http.StatusUnprocessableEntity, "This is not an email address: it ", `value="`+html.EscapeString(wrong)+`"`)
		}
		boss.Post(named+"/part", nil).Check(t, http.StatusUnprocessableEntity, "joined to nobody")
		boss.Post(named+"/join", url.Values{"into": {finance}}).Check(t, http.StatusSeeOther)
		boss.Get("/people").Check(t, http.StatusOK, "Joined to Carol Lee", named+"/part")
		b.Post(e.Path(), change).Check(t, http.StatusSeeOther)
		b.Get("/team/finance?person=me").Check(t, http.StatusOK, "Mine", "!C. Lee")

		boss.Post(named+"/part", nil).Check(t, http.StatusSeeOther)
		b.Post(e.Path(), apptest.With(change, "version", "2")).Check(t, http.StatusForbidden)
		b.Post(named+"/join", url.Values{"into": {finance}}).Check(t, http.StatusNotFound)
	})
}

// TestCategoriesPage renames, merges and retires categories, closes the list, and wants
// forms and imports to hold to it.
func TestCategoriesPage(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	owner, boss := as(r, "owner"), as(r, "admin")
	boss.Get("/categories").Check(t, http.StatusOK, "no categories yet")
	for _, name := range []string{"Travel", "Trips"} {
		owner.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "category", name))
	}
	pathOf := func(name string) string {
		t.Helper()
		found := regexp.MustCompile(`action="(/categories/[0-9]+)/[a-z]+"[^\n]*aria-label="[^"]* ` + name + `"`).FindStringSubmatch(boss.Get("/categories").Body)
		if found == nil {
			t.Fatalf("no category %s in %s", name, boss.Get("/categories").Text())
		}
		return found[1]
	}
	trips := pathOf("Trips")
	boss.Post(trips+"/rename", url.Values{"name": {" "}}).Check(t, http.StatusUnprocessableEntity)
	boss.Post(trips+"/rename", url.Values{"name": {"travel"}}).Check(t, http.StatusSeeOther)
	boss.Get("/categories").Check(t, http.StatusOK, "Merged into travel", "another name of Travel", trips+"/undo")
	owner.Get("/team/finance?category=Travel").Check(t, http.StatusOK, "All 2 that match")
	boss.Post(trips+"/undo", nil).Check(t, http.StatusSeeOther)
	owner.Get("/team/finance?category=Travel").Check(t, http.StatusOK, "All 1 that match")
	boss.Post(trips+"/undo", nil).Check(t, http.StatusUnprocessableEntity, "nothing to undo")
	boss.Post("/categories/999/rename", url.Values{"name": {"X"}}).Check(t, http.StatusNotFound)

	boss.Post(trips+"/retire", nil).Check(t, http.StatusSeeOther)
	owner.Get("/team/finance/expenses/new").Check(t, http.StatusOK, `<option value="Travel">`, `!<option value="Trips">`)
	owner.Post("/team/finance/expenses", apptest.With(apptest.ExpenseForm(), "category", "Trips")).Check(t, http.StatusUnprocessableEntity, "This category is no longer used")

	boss.Post("/categories", url.Values{"closed": {"maybe"}}).Check(t, http.StatusBadRequest)
	boss.Post("/categories", url.Values{"closed": {"yes"}}).Check(t, http.StatusSeeOther)
	boss.Get("/categories").Check(t, http.StatusOK, "Only the categories of this list", "Allow new categories")
	owner.Post("/team/finance/expenses", apptest.With(apptest.ExpenseForm(), "category", "Yachts")).Check(t, http.StatusUnprocessableEntity, "Choose a category from the list")
	file := boss.Get("/expenses.csv").Body
	boss.Import(file).Check(t, http.StatusSeeOther) // what has a retired one keeps it
	row := ",2026-01-02,finance,owner@example.com,Boat,Yachts,1.00,\r\n"
	head := "id,date,team,person,item,category,amount,note\r\n"
	for category, why := range map[string]string{"Yachts": "Choose a category from the list", "Trips": "no longer used"} {
		preview := boss.Import(head + strings.Replace(row, "Yachts", category, 1)).Location()
		boss.Get(preview).Check(t, http.StatusOK, why)
		boss.Post(preview, nil).Check(t, http.StatusUnprocessableEntity)
	}
	if done := boss.Import(head + strings.Replace(row, "Yachts", "TRAVEL", 1)).Location(); !strings.HasSuffix(done, "/expenses") {
		t.Errorf("a right file leads to %s", done)
	}
	as(r, "lead").Post("/team/finance/budget", url.Values{"amount": {"5"}, "category": {"Yachts"}}).Check(t, http.StatusUnprocessableEntity, "Choose a category from the list")
}

// TestBudget sets budgets and goes over them, as a lead, a member and an auditor see it.
func TestBudget(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	owner, lead, auditor, boss := as(r, "owner"), as(r, "lead"), as(r, "auditor"), as(r, "admin")
	month, named := time.Now().Format("2006-01"), time.Now().Format("Jan 2006")
	today := func(amount string) url.Values {
		return apptest.With(apptest.With(apptest.With(apptest.ExpenseForm(), "date", time.Now().Format(time.DateOnly)), "amount", amount), "category", "Travel")
	}
	lead.Get("/team/finance/budget").Check(t, http.StatusOK, "There is no budget for this month.", "Set the budget", `name="version" value="0"`)
	owner.Get("/team/finance/budget").Check(t, http.StatusOK, "There is no budget for this month.", "!Set the budget")
	owner.Get("/team/finance").Check(t, http.StatusOK, "!budget")
	lead.Post("/team/finance/budget", url.Values{"amount": {"100.00"}, "version": {"0"}}).Check(t, http.StatusSeeOther)
	boss.Post("/team/finance/budget", url.Values{"amount": {"50.00"}, "version": {"0"}}).Check(t, http.StatusConflict, "Somebody else has set a budget in the meantime", `value="50.00"`, `name="version" value="1"`)
	boss.Post("/team/finance/budget", url.Values{"amount": {"50.00"}, "category": {"travel"}, "version": {"1"}, "month": {month}}).Check(t, http.StatusSeeOther)
	owner.Post("/team/finance/expenses", today("40.00")).Check(t, http.StatusSeeOther)
	owner.Get("/team/finance").Check(t, http.StatusOK, "Logged: ", "!This is over", "$60.00 left")
	owner.Post("/team/finance/expenses", today("80.00")).Check(t, http.StatusSeeOther)
	owner.Get("/team/finance").Check(t, http.StatusOK, "This is over the budget of Finance for "+named+" by $20.00.", "for Travel for "+named+" by $70.00.", "over by $20.00")
	owner.Get("/dashboard").Check(t, http.StatusOK, "over by $20.00")
	auditor.Get("/dashboard").Check(t, http.StatusOK, "over by $20.00")
	auditor.Get("/team/finance/budget").Check(t, http.StatusOK, "over by $20.00", "set $100.00 a month", "!Set the budget")
	want := `{"month":"` + month + `","budgets":[{"category":"","amount":"100.00","spent":"120.00","left":"-20.00"},{"category":"Travel","amount":"50.00","spent":"120.00","left":"-70.00"}]}`
	if got := auditor.Get("/team/finance/budget", "Accept", "application/json").Body; strings.TrimSpace(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	auditor.Get("/team/finance/budget?month=1999-12").Check(t, http.StatusBadRequest, "Enter a month from 2000-01 to 2099-12.", "!year-month")
	auditor.Get("/team/finance/budget?week=1").Check(t, http.StatusBadRequest)
	lead.Post("/team/finance/budget", url.Values{"amount": {""}, "version": {"2"}}).Check(t, http.StatusSeeOther)
	lead.Get("/team/finance/budget").Check(t, http.StatusOK, "The budget has ended", "ended the budget", "!In all:")
}

// TestBudgetsAbused sends budgets that must change nothing.
func TestBudgetsAbused(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	people := map[string]*browser{}
	for _, role := range []string{"owner", "lead", "auditor", "other", "other.lead"} {
		people[role] = as(r, role)
	}
	for _, test := range []struct {
		name, role string
		form       url.Values
		status     int
	}{
		{"a member", "owner", url.Values{"amount": {"1"}}, 403},
		{"an auditor", "auditor", url.Values{"amount": {"1"}}, 403},
		{"a lead of another team", "other.lead", url.Values{"amount": {"1"}}, 403},
		{"a member of another team", "other", url.Values{"amount": {"1"}}, 404},
		{"below zero", "lead", url.Values{"amount": {"-1.00"}}, 422},
		{"nothing at all", "lead", url.Values{"amount": {"0"}}, 422},
		{"no amount", "lead", url.Values{"amount": {"much"}}, 422},
		{"no month", "lead", url.Values{"amount": {"1"}, "month": {"2026-13"}}, 422},
		{"a long category", "lead", url.Values{"amount": {"1"}, "category": {strings.Repeat("x", 51)}}, 422},
		{"a version that is none", "lead", url.Values{"amount": {"1"}, "version": {"x"}}, 400},
		{"a version to come", "lead", url.Values{"amount": {"1"}, "version": {"4"}}, 409},
	} {
		t.Run(test.name, func(t *testing.T) {
			people[test.role].Post("/team/finance/budget", test.form).Check(t, test.status)
		})
	}
	people["lead"].Get("/team/finance/budget").Check(t, http.StatusOK, "There is no budget for this month.", "!>History<")
}

// managed starts a site with the people of the authorization table, without expenses.
func managed(t *testing.T, teams string) *rig {
	t.Helper()
	r, _ := managedAnew(t, teams)
	return r
}

// managedAnew is managed, and returns what gives the site another teams file.
func managedAnew(t *testing.T, teams string) (r *rig, write func(teams string)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "teams.json")
	write = func(teams string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(teams), 0o600); err != nil {
			t.Fatal(err)
		}
		if r != nil {
			r.site.directory.Reload()
		}
	}
	write(teams)
	r = startSite(t, setup{env: map[string]string{"TEAMS_FILE": file, "SAMPLE_DATA": "false"}})
	return r, write
}

// as returns a browser in which somebody of the authorization table is signed in.
func as(r *rig, role string) *browser {
	b := r.Browser()
	b.SignIn(role + "@example.com")
	return b
}

// TestDecisionsAbused sends decisions that must change nothing.
func TestDecisionsAbused(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	people := map[string]*browser{}
	for _, role := range []string{"owner", "member", "lead", "auditor", "admin", "other.lead"} {
		people[role] = as(r, role)
	}
	item := func() url.Values { return apptest.With(apptest.ExpenseForm(), "item", "Item "+expense.NewID()) }
	theirs := people["owner"].LogExpense("finance", item())
	leads := people["lead"].LogExpense("finance", item())
	forOwner := people["lead"].LogExpense("finance", apptest.With(item(), "person", "owner@example.com"))
	foreign := people["admin"].LogExpense("hr", item())
	marked := regexp.MustCompile(`name="submission" value="([^"]+)"`).FindStringSubmatch(people["lead"].Get(theirs.Path()).Body)
	if marked == nil {
		t.Fatal("the lead's form carries no submission")
	}
	ofLead := url.Values{"version": {"1"}, "submission": {marked[1]}}
	tests := []struct {
		name, role, path string
		form             url.Values
		status           int
	}{
		{"their own", "lead", leads.Path() + "/approve", url.Values{"version": {"1"}}, 403},
		{"logged for somebody else", "lead", forOwner.Path() + "/approve", url.Values{"version": {"1"}}, 403},
		{"spent by them, logged by a lead", "owner", forOwner.Path() + "/approve", url.Values{"version": {"1"}}, 403},
		{"their own, though an administrator", "admin", foreign.Path() + "/approve", url.Values{"version": {"1"}}, 403},
		{"a hostile member", "member", theirs.Path() + "/approve", url.Values{"version": {"1"}}, 403},
		{"an auditor", "auditor", theirs.Path() + "/send-back", url.Values{"version": {"1"}, "reason": {"no"}}, 403},
		{"an auditor by a lead's form", "auditor", theirs.Path() + "/approve", ofLead, 403},
		{"an auditor changes by a lead's form", "auditor", theirs.Path(), ofLead, 403},
		{"an auditor deletes by a lead's form", "auditor", theirs.Path() + "/delete", ofLead, 403},
		{"an administrator by a lead's form", "admin", theirs.Path() + "/approve", ofLead, 409},
		{"a lead of another team", "other.lead", theirs.Path() + "/approve", url.Values{"version": {"1"}}, 403},
		{"an expense under another team", "lead", strings.Replace(foreign.Path(), "/hr/", "/finance/", 1) + "/approve", url.Values{"version": {"1"}}, 404},
		{"no such expense", "lead", "/team/finance/expenses/" + expense.NewID() + "/approve", url.Values{"version": {"1"}}, 404},
		{"without a version", "lead", theirs.Path() + "/approve", nil, 400},
		{"a version that is none", "lead", theirs.Path() + "/approve", url.Values{"version": {"one"}}, 400},
		{"a version to come", "lead", theirs.Path() + "/approve", url.Values{"version": {"7"}}, 409},
		{"sent back without a reason", "lead", theirs.Path() + "/send-back", url.Values{"version": {"1"}, "reason": {" "}}, 422},
		{"sent back with a long reason", "lead", theirs.Path() + "/send-back", url.Values{"version": {"1"}, "reason": {strings.Repeat("x", 501)}}, 422},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			people[test.role].Post(test.path, test.form).Check(t, test.status)
		})
	}
	if all := people["auditor"].Get("/expenses.csv").Body; strings.Contains(all, ",approved") || strings.Contains(all, ",sent-back") || strings.Count(all, ",logged\r\n") != 4 {
		t.Errorf("something was decided: %s", all)
	}
}

// TestApproval takes an expense through its decisions in the pages of all who see it.
func TestApproval(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	owner, lead, boss := as(r, "owner"), as(r, "lead"), as(r, "admin")
	e := owner.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "item", "Train"))
	lead.Get("/dashboard").Check(t, http.StatusOK, "One expense waits for your decision", "status=logged")
	// What a filter is offered from has the sums by status too: it is kept for the page.
	boss.Get("/team/finance?q=plane").Check(t, http.StatusOK, "Nothing matches")
	boss.Get("/team/finance").Check(t, http.StatusOK, ">Logged: 1</a>")
	owner.Get("/dashboard").Check(t, http.StatusOK, "!your decision")
	owner.Get(e.Path()).Check(t, http.StatusOK, "Status: <strong>Logged</strong>", "!Send back")
	lead.Get(e.Path()).Check(t, http.StatusOK, "Approve", "Send back")
	lead.Post(e.Path()+"/send-back", url.Values{"version": {"1"}, "reason": {"The receipt is missing."}}).Check(t, http.StatusSeeOther)
	lead.Get("/team/finance").Check(t, http.StatusOK, "Sent back: ", "Train")
	lead.Get("/dashboard").Check(t, http.StatusOK, "!your decision")
	owner.Get(e.Path()).Check(t, http.StatusOK, "Sent back", "sent it back", "The receipt is missing.")
	boss.Post(e.Path()+"/approve", url.Values{"version": {"1"}}).Check(t, http.StatusConflict, "Somebody else changed this expense in the meantime")
	owner.Post(e.Path(), apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Train, second class"), "version", "2")).Check(t, http.StatusSeeOther)
	boss.Get("/dashboard").Check(t, http.StatusOK, "One expense waits for your decision")
	boss.Post(e.Path()+"/approve", url.Values{"version": {"3"}}).Check(t, http.StatusSeeOther)
	boss.Post(e.Path()+"/approve", url.Values{"version": {"3"}}).Check(t, http.StatusSeeOther)
	lead.Post(e.Path()+"/approve", url.Values{"version": {"3"}}).Check(t, http.StatusConflict)
	owner.Get("/team/finance?status=approved").Check(t, http.StatusOK, "Train, second class")
	owner.Get("/team/finance?status=logged").Check(t, http.StatusOK, "Nothing matches")
	owner.Get("/team/finance?status=burnt").Check(t, http.StatusBadRequest, "The status is logged, approved or sent-back")
	for _, path := range []string{"/team/finance/expenses.csv", "/expenses.csv?status=approved"} {
		owner.Get(path).Check(t, http.StatusOK, "version,owner,status\r\n", ",approved\r\n")
	}
	owner.Get("/expenses.json").Check(t, http.StatusOK, `"status":"approved"`)
	lead.Get("/activity?kind=approved").Check(t, http.StatusOK, "Train, second class")
	// A file decides nothing, and what it changes asks again.
	file := strings.Replace(boss.Get("/team/finance/expenses.csv").Body, "second class", "first class", 1)
	boss.Import(strings.Replace(file, ",approved", ",sent-back", 1)).Check(t, http.StatusSeeOther)
	owner.Get("/expenses.json").Check(t, http.StatusOK, "first class", `"status":"logged"`)
}

// TestApprovalOfOneTeam wants somebody who decides for one of their teams to be led to
// that one, and no status beside expenses of those that have none.
func TestApprovalOfOneTeam(t *testing.T) {
	t.Parallel()
	r := managed(t, strings.Replace(authorizationTeams, `"approval": true,`, `"approval": ["hr"],`, 1))
	for role, team := range map[string]string{"owner": "finance", "other": "hr"} {
		as(r, role).LogExpense(team, apptest.With(apptest.ExpenseForm(), "item", "Train of "+team))
	}
	lead := as(r, "other.lead")
	lead.Get("/dashboard").Check(t, http.StatusOK, `<a href="/expenses?status=logged&amp;team=hr">One expense waits for your decision</a>`)
	lead.Get("/expenses?q=hr").Check(t, http.StatusOK, "Train of hr", `<td role="cell">Logged</td>`)
	lead.Get("/expenses?q=finance").Check(t, http.StatusOK, "Train of finance", `<td role="cell"></td>`, `!<td role="cell">Logged</td>`)
	for _, b := range []*browser{lead, as(r, "auditor")} {
		b.Get("/expenses").Check(t, http.StatusOK, "Train of finance", "Train of hr", ">Logged: 1</a>")
		b.Get("/expenses?status=logged").Check(t, http.StatusOK, "Train of hr", "!Train of finance")
		b.Get("/expenses?status=logged&team=finance").Check(t, http.StatusOK, "Nothing matches")
		b.Get("/expenses.csv?status=logged").Check(t, http.StatusOK, "Train of hr", "!Train of finance")
	}
}

// TestSumsFollowTheTeamsFile wants sums that are kept to go with the teams file that they
// were made by.
func TestSumsFollowTheTeamsFile(t *testing.T) {
	t.Parallel()
	without := strings.Replace(authorizationTeams, `"approval": true,`, `"approval": false,`, 1)
	r, write := managedAnew(t, without)
	lead := as(r, "lead")
	for i := range expense.PageSize + 1 {
		lead.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "item", "Train "+strconv.Itoa(i)))
	}
	for range 2 {
		lead.Get("/team/finance?sort=item").Check(t, http.StatusOK, "!>Logged: 51</a>")
		write(authorizationTeams)
		lead.Get("/team/finance?sort=item").Check(t, http.StatusOK, ">Logged: 51</a>")
		write(without)
	}
}

// TestWithoutApproval wants nothing of it to be seen where it is off.
func TestWithoutApproval(t *testing.T) {
	t.Parallel()
	r := managed(t, strings.Replace(authorizationTeams, `"approval": true,`, `"approval": ["hr"],`, 1))
	owner, lead, boss := as(r, "owner"), as(r, "lead"), as(r, "admin")
	e := owner.LogExpense("finance", apptest.ExpenseForm())
	lead.Post(e.Path()+"/approve", url.Values{"version": {"1"}}).Check(t, http.StatusNotFound)
	lead.Get("/dashboard").Check(t, http.StatusOK, "!your decision")
	lead.Get(e.Path()).Check(t, http.StatusOK, "!Approve", "!Status")
	for _, page := range []string{"/team/finance", "/expenses"} {
		lead.Get(page).Check(t, http.StatusOK, "!Status", `!name="status"`)
		lead.Get(page+"?status=logged").Check(t, http.StatusBadRequest, "!approved")
		lead.Get(page+".csv").Check(t, map[string]int{"/expenses": 200, "/team/finance": 404}[page], "!status")
	}
	boss.Get("/expenses.csv").Check(t, http.StatusOK, "owner,status\r\n", ",owner@example.com,\r\n")
	boss.Get("/team/finance/expenses.json").Check(t, http.StatusOK, "!status")
}

// selection is the form of something that is done to several expenses.
func selection(action string, ids []string, fields ...string) url.Values {
	form := url.Values{"action": {action}, "expense": ids}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return form
}

// preview returns the form that a preview shows, as a browser sends it on.
func preview(t *testing.T, page string) url.Values {
	t.Helper()
	_, form, _ := strings.Cut(page, `action="/expenses/selected">`)
	form, _, _ = strings.Cut(form, "</form>")
	fields := url.Values{}
	for _, found := range regexp.MustCompile(`name="([a-z_]+)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
		fields.Add(found[1], strings.ReplaceAll(found[2], "&amp;", "&"))
	}
	return fields
}

// logged logs items for finance, and returns their ids.
func logged(b *browser, items ...string) []string {
	var ids []string
	for _, item := range items {
		ids = append(ids, b.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "item", item)).ID)
	}
	return ids
}

// undoOf returns where the undo of a page's notice goes.
func undoOf(t *testing.T, page string) string {
	t.Helper()
	found := regexp.MustCompile(`action="(/expenses/selected/[a-z2-7]{26}/undo)"`).FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no undo: %s", page)
	}
	return found[1]
}

// selectedSite is a site with expenses of several people, for forms that must change
// nothing.
type selectedSite struct {
	people                 map[string]*browser
	one, two, three, leads string // of finance, three of them the owner's
	foreign, gone          string // of hr, and deleted
	before                 string // all of them
}

func newSelectedSite(t *testing.T) *selectedSite {
	t.Helper()
	r := managed(t, authorizationTeams)
	s := &selectedSite{people: map[string]*browser{}}
	for _, role := range []string{"owner", "member", "lead", "auditor", "admin", "other.lead"} {
		s.people[role] = as(r, role)
	}
	log := func(role, team, category string) string {
		form := apptest.With(apptest.ExpenseForm(), "item", "Item "+expense.NewID())
		return s.people[role].LogExpense(team, apptest.With(form, "category", category)).ID
	}
	s.one, s.two, s.three, s.gone = log("owner", "finance", "Meals"), log("owner", "finance", "Yachts"), log("owner", "finance", "Meals"), log("owner", "finance", "Meals")
	s.leads, s.foreign = log("lead", "finance", "Meals"), log("admin", "hr", "Meals")
	s.people["owner"].Post("/team/finance/expenses/"+s.gone+"/delete", url.Values{"version": {"1"}}).Check(t, http.StatusSeeOther)
	yachts := regexp.MustCompile(`action="(/categories/[0-9]+)/retire"[^\n]*aria-label="Retire Yachts"`).FindStringSubmatch(s.people["admin"].Get("/categories").Body)[1]
	s.people["admin"].Post(yachts+"/retire", nil).Check(t, http.StatusSeeOther)
	s.before = s.people["admin"].Get("/expenses.csv").Body
	return s
}

// selectedAbuse is a form that must change nothing, and how it is answered.
type selectedAbuse struct {
	name, role string
	form       url.Values
	status     int
}

func (s *selectedSite) abuse(t *testing.T, tests []selectedAbuse) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.people[test.role].Post("/expenses/selected", test.form).Check(t, test.status)
		})
	}
	if after := s.people["admin"].Get("/expenses.csv").Body; after != s.before {
		t.Errorf("something was changed: %s\nand was %s", after, s.before)
	}
}

// TestSelectedByOthers sends forms of people who may not do that to each expense.
func TestSelectedByOthers(t *testing.T) {
	t.Parallel()
	s := newSelectedSite(t)
	both := []string{s.one, s.two}
	marked := preview(t, s.people["lead"].Post("/expenses/selected", selection("delete", both)).Body).Get("submission")
	s.abuse(t, []selectedAbuse{
		{"a hostile member deletes", "member", selection("delete", both, "confirm", "yes"), 403},
		{"a hostile member looks", "member", selection("delete", both), 403},
		{"a member's own and another's", "owner", selection("delete", []string{s.one, s.leads}, "confirm", "yes"), 403},
		{"a member moves their own", "owner", selection("move", both, "value", "hr", "confirm", "yes"), 403},
		{"a lead moves", "lead", selection("move", both, "value", "hr", "confirm", "yes"), 403},
		{"a member approves", "member", selection("approve", both, "confirm", "yes"), 403},
		{"an owner approves their own", "owner", selection("approve", both, "confirm", "yes"), 403},
		{"a lead's own among others", "lead", selection("approve", []string{s.one, s.leads}, "confirm", "yes"), 403},
		{"an administrator's own", "admin", selection("send-back", []string{s.one, s.foreign}, "reason", "no", "confirm", "yes"), 403},
		{"an auditor", "auditor", selection("category", both, "value", "Travel", "confirm", "yes"), 403},
		{"a lead of another team", "other.lead", selection("category", both, "value", "Travel", "confirm", "yes"), 403},
		{"an auditor by a lead's form", "auditor", selection("delete", both, "confirm", "yes", "submission", marked), 403},
		{"an administrator by a lead's form", "admin", selection("delete", both, "confirm", "yes", "submission", marked), 409},
		{"of a foreign team among others", "lead", selection("delete", []string{s.one, s.foreign}, "confirm", "yes"), 404},
		{"one that is not there", "lead", selection("delete", []string{s.one, expense.NewID()}, "confirm", "yes"), 404},
		{"an id that is none", "lead", selection("delete", []string{s.one, "x' OR 1=1"}, "confirm", "yes"), 404},
		{"a deleted one of somebody else", "member", selection("delete", []string{s.gone}, "confirm", "yes"), 404},
	})
}

// TestSelectedWrongly sends forms that are wrong, or late, or no more than looks.
func TestSelectedWrongly(t *testing.T) {
	t.Parallel()
	s := newSelectedSite(t)
	both, many := []string{s.one, s.two}, make([]string, expense.MaxSelected+1)
	for i := range many {
		many[i] = expense.NewID()
	}
	s.abuse(t, []selectedAbuse{
		{"a deleted one among others", "owner", selection("category", []string{s.one, s.gone}, "value", "Travel", "confirm", "yes"), 409},
		{"nothing but a deleted one, looked at", "owner", selection("delete", []string{s.gone}), 409},
		{"a version to come", "lead", selection("delete", []string{s.one}, "version", "7", "confirm", "yes"), 409},
		{"a version too few", "lead", selection("delete", both, "version", "1", "confirm", "yes"), 400},
		{"a version that is none", "lead", selection("delete", []string{s.one}, "version", "one", "confirm", "yes"), 400},
		{"none at all", "lead", selection("delete", nil, "confirm", "yes"), 422},
		{"too many", "lead", selection("delete", many, "confirm", "yes"), 422},
		{"an action that is none", "lead", selection("burn", both, "confirm", "yes"), 400},
		{"no action", "lead", url.Values{"expense": both, "confirm": {"yes"}}, 400},
		{"to no category", "lead", selection("category", both, "value", " ", "confirm", "yes"), 422},
		{"to a category too long", "lead", selection("category", both, "value", strings.Repeat("x", 51), "confirm", "yes"), 422},
		{"to a retired category", "lead", selection("category", both, "value", "yachts", "confirm", "yes"), 422},
		{"a category that is missing", "lead", selection("category", both, "confirm", "yes"), 422},
		{"to no team", "admin", selection("move", both, "value", "nowhere", "confirm", "yes"), 422},
		{"sent back without a reason", "lead", selection("send-back", both, "reason", " ", "confirm", "yes"), 422},
		{"sent back with a long reason", "lead", selection("send-back", both, "reason", strings.Repeat("x", 501), "confirm", "yes"), 422},
		{"asked for the reason", "lead", selection("send-back", both), 200},
		{"looked at", "lead", selection("approve", []string{s.one, s.two, s.three}), 200},
		{"confirmed by another word", "lead", selection("delete", both, "confirm", "on"), 200},
	})
	s.people["admin"].Post("/categories", url.Values{"closed": {"yes"}}).Check(t, http.StatusSeeOther)
	s.abuse(t, []selectedAbuse{{"to a category beside a closed list", "lead", selection("category", both, "value", "Boats", "confirm", "yes"), 422}})
}

// TestSelected takes several expenses through the pages, from their checkboxes to the
// undo.
func TestSelected(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	owner, member, lead, boss := as(r, "owner"), as(r, "member"), as(r, "lead"), as(r, "admin")
	ids := logged(owner, "Train", "Taxi", "Hotel")
	logged(lead, "Stamps")

	const box = `type="checkbox"`
	for _, list := range []string{"/team/finance", "/expenses"} {
		member.Get(list).Check(t, http.StatusOK, "!"+box, "!With the selected")
		as(r, "auditor").Get(list).Check(t, http.StatusOK, "!"+box)
		for b, count := range map[*browser]int{owner: 3, lead: 4, boss: 4} {
			page := b.Get(list + "?q=t").Body
			if got := strings.Count(page, box); got != count || strings.Contains(page, `value="move"`) != (b == boss) || strings.Contains(page, `value="approve"`) != (b != owner) {
				t.Errorf("%s has %d checkboxes, want %d: %s", list, got, count, page)
			}
		}
	}

	// A category, by the steps of a browser.
	asked := lead.Post("/expenses/selected", selection("category", ids, "return_to", "/team/finance?q=t"))
	asked.Check(t, http.StatusOK, "Change the category of 3 expenses", `<label for="value">Category`)
	form := preview(t, asked.Body)
	form.Set("value", "travel costs")
	shown := lead.Post("/expenses/selected", form)
	shown.Check(t, http.StatusOK, "category:", "travel costs")
	form = preview(t, shown.Body)
	if form.Get("confirm") != "yes" || !slices.Equal(form["expense"], ids) || len(form["version"]) != 3 {
		t.Fatalf("the preview sends on %v", form)
	}
	for range 2 { // a double click
		done := lead.Post("/expenses/selected", form)
		if done.Check(t, http.StatusSeeOther); !strings.HasSuffix(done.Location(), "/team/finance?q=t") {
			t.Errorf("it leads to %s", done.Location())
		}
	}
	told := lead.Get("/team/finance?q=t")
	told.Check(t, http.StatusOK, "Changed the category of 3 expenses to travel costs.", ">Undo</button>")
	other := url.Values{"action": form["action"], "expense": ids[:1], "value": {"Meals"}, "confirm": {"yes"}, "submission": form["submission"]}
	lead.Post("/expenses/selected", other).Check(t, http.StatusConflict, "This form was already sent", "Changed the category of 3 expenses to travel costs")
	lead.Get("/activity?kind=changed").Check(t, http.StatusOK, "Train", "Taxi", "Hotel")
	owner.Get("/team/finance/expenses/"+ids[0]).Check(t, http.StatusOK, "travel costs", "changed it")

	undo := undoOf(t, told.Body)
	for _, b := range []*browser{owner, member, boss} {
		b.Post(undo, nil).Check(t, http.StatusNotFound)
	}
	for range 2 {
		lead.Post(undo, nil).Check(t, http.StatusSeeOther)
		lead.Get("/team/finance").Check(t, http.StatusOK, "Undone: 3 expenses are as before.", "!travel costs")
	}
}

// TestSelectedMeanwhile lets others do something between the preview and its
// confirmation, and before the undo.
func TestSelectedMeanwhile(t *testing.T) {
	t.Parallel()
	r := managed(t, authorizationTeams)
	owner, lead, boss := as(r, "owner"), as(r, "lead"), as(r, "admin")
	ids := logged(owner, "Train", "Taxi", "Hotel")
	own := logged(lead, "Stamps")[0]

	// A stale preview changes nothing, and shows what is there now.
	form := preview(t, lead.Post("/expenses/selected", selection("approve", ids)).Body)
	owner.Post("/team/finance/expenses/"+ids[1], apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Bus"), "version", "1")).Check(t, http.StatusSeeOther)
	stale := lead.Post("/expenses/selected", form)
	stale.Check(t, http.StatusConflict, "Somebody has changed some of these in the meantime", "Bus", "changed in the meantime")
	lead.Get("/expenses.csv").Check(t, http.StatusOK, "!,approved")
	lead.Post("/expenses/selected", preview(t, stale.Body)).Check(t, http.StatusSeeOther)
	lead.Get("/team/finance?status=approved").Check(t, http.StatusOK, "Approved 3 expenses.", "Bus")

	// Nobody decides about their own: the others are gone on with.
	refused := lead.Post("/expenses/selected", selection("send-back", []string{ids[0], own}))
	refused.Check(t, http.StatusForbidden, "One of these is not yours to decide", "Stamps", "Go on without it")
	lead.Post("/expenses/selected", preview(t, refused.Body)).Check(t, http.StatusOK, "What needs to be changed")
	lead.Post("/expenses/selected", selection("send-back", []string{ids[0], own}), "Accept", "application/json").Check(t, http.StatusForbidden, "Not yours to decide")

	// Who decides about nothing is told who does, and so is who cannot move.
	owner.Post("/expenses/selected", selection("approve", ids)).Check(t, http.StatusForbidden, "Not yours to decide", "leads and administrators decide", "!change")
	owner.Post("/expenses/selected", selection("approve", ids), "Accept", "application/json").Check(t, http.StatusForbidden, "not decide about it", "!change")
	lead.Post("/expenses/selected", selection("move", ids, "value", "hr")).Check(t, http.StatusForbidden, "Not yours to move", "Only administrators can.", "!change")
	owner.Post("/team/finance/expenses/"+ids[0]+"/approve", url.Values{"version": {"2"}}).Check(t, http.StatusForbidden, "Not yours to decide", "leads and administrators decide", "!change")
	owner.Post("/team/finance/budget", url.Values{"amount": {"1"}}).Check(t, http.StatusForbidden, "Not yours to change", "budget of a team", "!owner")
	theirs := as(r, "other").LogExpense("hr", apptest.ExpenseForm())
	as(r, "other.lead").Post("/expenses/selected", selection("approve", []string{ids[0], theirs.ID})).Check(t, http.StatusForbidden, "One of these is not yours to decide", "leads and administrators decide", "!Nobody decides")

	// One that is deleted meanwhile is left out, and what is moved comes back.
	owner.Post("/team/finance/expenses/"+ids[2]+"/delete", url.Values{"version": {"2"}}).Check(t, http.StatusSeeOther)
	boss.Post("/expenses/selected", selection("move", ids, "value", "hr")).Check(t, http.StatusOK, "Move 2 expenses to HR", "team:", "was deleted in the meantime", "2 of them were already approved or sent back")
	boss.Post("/expenses/selected", selection("move", ids[:2], "value", "hr", "confirm", "yes")).Check(t, http.StatusSeeOther)
	lead.Get("/team/finance").Check(t, http.StatusOK, "!Bus")
	told := boss.Get("/expenses")
	told.Check(t, http.StatusOK, "Moved 2 expenses to HR.")
	undo := undoOf(t, told.Body)
	boss.Post("/team/hr/expenses/"+ids[0]+"/delete", url.Values{"version": {"3"}}).Check(t, http.StatusSeeOther)
	boss.Post(undo, nil).Check(t, http.StatusSeeOther)
	boss.Get("/expenses").Check(t, http.StatusOK, "Undone: 1 expense is as before.", "1 was kept, because somebody has changed it since.")
	lead.Get("/team/finance?status=approved").Check(t, http.StatusOK, "Bus")
	boss.Post("/expenses/selected", selection("delete", ids[1:2], "confirm", "yes")).Check(t, http.StatusSeeOther)
	undo = undoOf(t, boss.Get("/expenses").Body)
	boss.Post("/team/finance/expenses/"+ids[1]+"/restore", url.Values{"version": {"6"}}).Check(t, http.StatusSeeOther)
	boss.Post(undo, nil).Check(t, http.StatusConflict, "There is nothing to undo")

	// What is so already is not done again.
	boss.Post("/expenses/selected", selection("approve", ids[1:2])).Check(t, http.StatusOK, "needs no change", `!name="confirm"`)
	boss.Post("/expenses/selected", selection("approve", ids[1:2], "confirm", "yes")).Check(t, http.StatusSeeOther)
	boss.Get("/expenses").Check(t, http.StatusOK, "Nothing needed to be changed.", "!Undo")
	if page := boss.Get("/expenses/selected", "Accept", "text/html"); page.Status != http.StatusSeeOther || !strings.HasSuffix(page.Location(), "/expenses") {
		t.Errorf("the address alone is %d to %s", page.Status, page.Location())
	}
}

// TestSelectedWithoutApproval wants nothing of approval to be there where it is off.
func TestSelectedWithoutApproval(t *testing.T) {
	t.Parallel()
	r := managed(t, strings.Replace(authorizationTeams, `"approval": true,`, `"approval": ["hr"],`, 1))
	owner, lead, boss := as(r, "owner"), as(r, "lead"), as(r, "admin")
	e := owner.LogExpense("finance", apptest.ExpenseForm())
	other := as(r, "other").LogExpense("hr", apptest.ExpenseForm())
	lead.Get("/team/finance").Check(t, http.StatusOK, "With the selected", "!Approve", "!Send back")
	lead.Post("/expenses/selected", selection("approve", []string{e.ID}, "confirm", "yes")).Check(t, http.StatusNotFound)
	boss.Get("/expenses").Check(t, http.StatusOK, "Approve", "Send back")
	boss.Get("/team/finance").Check(t, http.StatusOK, "!Approve")
	boss.Post("/expenses/selected", selection("approve", []string{e.ID, other.ID}, "confirm", "yes")).Check(t, http.StatusForbidden, "not yours to decide", "Where expenses are approved")
	boss.Get("/expenses.csv").Check(t, http.StatusOK, "!,approved")
}

// TestSelectedUndoneTooLate takes a batch back as somebody who may no longer do that.
func TestSelectedUndoneTooLate(t *testing.T) {
	t.Parallel()
	r, write := managedAnew(t, authorizationTeams)
	ids := logged(as(r, "owner"), "Train", "Taxi")
	lead := as(r, "lead")
	for team, status := range map[string]int{`{"finance": "member"}`: http.StatusForbidden, `"hr"`: http.StatusNotFound} {
		write(authorizationTeams)
		lead.Post("/expenses/selected", selection("category", ids, "value", "Travel "+expense.NewID(), "confirm", "yes")).Check(t, http.StatusSeeOther)
		undo := undoOf(t, lead.Get("/team/finance").Body)
		write(strings.Replace(authorizationTeams, `"lead@example.com": {"finance": "lead"}`, `"lead@example.com": `+team, 1))
		lead.Post(undo, nil).Check(t, status)
		as(r, "auditor").Get("/team/finance").Check(t, http.StatusOK, "Travel ")
	}
}
