package main

import (
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const hostile = `"><script>alert('1')</script><b onclick=x style=y>&`

// A pageState is a page as a person can see it.
type pageState struct {
	name  string
	page  string
	view  any
	title string
	want  []string // in the page, as HTML
	not   []string // in no place of the page
}

// pageStates holds each page in each of its states.
var pageStates = []pageState{
	{
		"home of a guest", "home",
		homeView{},
		"Expense Dashboard",
		[]string{`<a class="button" href="/login">Sign in</a>`, "log expenses and manage your team’s spending on the dashboard"},
		[]string{"Sign out", `<nav`, `"/dashboard"`},
	},
	{
		"home signed in", "home",
		homeView{page{SignedIn: true, Name: "Carol Lee"}},
		"Expense Dashboard",
		[]string{"<h1>Welcome, Carol Lee</h1>", `href="/dashboard">Go to dashboard</a>`, `href="/" aria-current="page"`, `<form method="post" action="/logout">`},
		[]string{"Sign in<"},
	},
	{
		"home without a name", "home",
		homeView{page{SignedIn: true}},
		"Expense Dashboard",
		[]string{"<h1>Welcome</h1>"},
		nil,
	},
	{
		"dashboard", "dashboard",
		dashboardView{page: page{"Dashboard", true, "Hannah Smith"}, Teams: []Team{{"hr", "HR"}, {"dev-advocacy", "Dev Advocacy"}}},
		"Dashboard · Expense Dashboard",
		[]string{"Hannah Smith", "Your teams</h2>", `<a href="/team/hr">HR</a>`, `<a href="/team/dev-advocacy">Dev Advocacy</a>`, `href="/dashboard" aria-current="page"`},
		[]string{"You are not part", "not verified"},
	},
	{
		"dashboard without a team", "dashboard",
		dashboardView{page: page{"Dashboard", true, "Nora"}, Email: "nora@example.com"},
		"Dashboard · Expense Dashboard",
		[]string{"You are not part of any teams yet.", "administrator", "nora@example.com"},
		[]string{"not verified", "/team/"},
	},
	{
		"dashboard, address not verified", "dashboard",
		dashboardView{page: page{"Dashboard", true, "Nora"}, Email: "nora@example.com", Unverified: true},
		"Dashboard · Expense Dashboard",
		[]string{"Okta has not verified", "nora@example.com", "sign in again"},
		[]string{"You are not part", "/team/"},
	},
	{
		"team", "team",
		teamView{page{"Finance", true, "Carol Lee"}, Team{"finance", "Finance"}, []Expense{
			{"finance", "Alice Johnson", "Product Launch Campaign", 120000},
			{"finance", "Bob Smith", "Promotional Material", 45000},
			{"finance", "Carol Lee", "Team Lunch", 18000},
			{"finance", "David Kim", "Event Booth", 95000},
		}, 278000},
		"Finance · Expense Dashboard",
		[]string{"<h1>Finance</h1>", "<caption>", `<td>Alice Johnson</td><td>Product Launch Campaign</td><td class="number">$1,200.00</td>`, `<tfoot>`, `<td class="number">$2,780.00</td>`},
		[]string{"No expenses yet."},
	},
	{
		"team without expenses", "team",
		teamView{page: page{"Finance", true, "Carol Lee"}, Team: Team{"finance", "Finance"}},
		"Finance · Expense Dashboard",
		[]string{"<h1>Finance</h1>", "No expenses yet."},
		[]string{"<table", "$0.00"},
	},
	{
		"profile of a member", "profile",
		profileView{
			page: page{"Profile", true, "Carol Lee"}, Email: "carol.lee@example.com", Teams: []Team{{"finance", "Finance"}},
			SignedInAt:  time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
			EndsAt:      time.Date(2026, 3, 1, 22, 0, 0, 0, time.FixedZone("", 3600)),
			IdleTimeout: time.Hour, Now: time.Date(2026, 3, 1, 9, 1, 30, 0, time.UTC),
		},
		"Profile · Expense Dashboard",
		[]string{"Carol Lee", "carol.lee@example.com", `<a href="/team/finance">Finance</a>`, `<time datetime="2026-03-01T21:00:00Z">1 March 2026, 21:00 UTC</time>`, `<time datetime="2026-03-01T09:00:00Z">`, "in 11 hours 58 minutes, or after 1 hour without a visit", `href="/profile" aria-current="page"`},
		[]string{"Administrator", "not verified"},
	},
	{
		"profile of an admin", "profile",
		profileView{
			page: page{"Profile", true, "Hannah Smith"}, Email: "hannah.smith@example.com", Admin: true,
			Teams: []Team{{"finance", "Finance"}, {"hr", "HR"}}, IdleTimeout: time.Hour,
		},
		"Profile · Expense Dashboard",
		[]string{"Administrator", "all teams", "/team/hr"},
		[]string{"None"},
	},
	{
		"profile, address not verified", "profile",
		profileView{page: page{"Profile", true, ""}, Email: "nora@example.com", Unverified: true, IdleTimeout: time.Hour},
		"Profile · Expense Dashboard",
		[]string{"Okta has not verified", "Okta gave no name", "None"},
		[]string{"/team/"},
	},
	{
		"error with an action", "error",
		errorView{Heading: "Sign-in took too long", Message: "Too much time went by.", Next: "Start again.", Reference: "K7QX", ActionLabel: "Sign in again", ActionURL: "/login"},
		"Sign-in took too long · Expense Dashboard",
		[]string{"<h1>Sign-in took too long</h1>", "Too much time went by.", "Start again.", "<code>K7QX</code>", `href="/login">Sign in again</a>`},
		[]string{"Sign out"},
	},
	{
		"error with nothing but a message", "error",
		errorView{page: page{SignedIn: true}, Heading: "Page not found", Message: "There is no page here."},
		"Page not found · Expense Dashboard",
		[]string{"<h1>Page not found</h1>", "Sign out"},
		[]string{"reference", `class="button"`},
	},
	{
		"sign-out question", "signout",
		signOutView{page{"Sign out?", true, "Carol Lee"}},
		"Sign out? · Expense Dashboard",
		[]string{"<h1>Sign out?</h1>", `<form method="post" action="/logout"><button class="button">`, `<a href="/">`},
		nil,
	},
	{
		"hostile dashboard", "dashboard",
		dashboardView{page: page{hostile, true, hostile}, Email: hostile, Teams: []Team{{hostile, hostile}}},
		hostile + " · Expense Dashboard",
		[]string{html.EscapeString("</script>")},
		nil,
	},
	{
		"hostile address without a team", "dashboard",
		dashboardView{page: page{"Dashboard", true, hostile}, Email: hostile},
		"Dashboard · Expense Dashboard", nil, nil,
	},
	{
		"hostile team", "team",
		teamView{page{hostile, true, hostile}, Team{hostile, hostile}, []Expense{{hostile, hostile, hostile, -1}}, -1},
		hostile + " · Expense Dashboard", nil, nil,
	},
	{
		"hostile profile", "profile",
		profileView{page: page{"Profile", true, hostile}, Email: hostile, Unverified: true, Teams: []Team{{hostile, hostile}}},
		"Profile · Expense Dashboard", nil, nil,
	},
	{
		"hostile error", "error",
		errorView{page{}, hostile, hostile, hostile, hostile, hostile, "javascript:alert(1)"},
		hostile + " · Expense Dashboard", nil,
		[]string{"javascript:"},
	},
}

func newTestPages(t *testing.T) *pages {
	t.Helper()
	p, err := newPages()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRender(t *testing.T) {
	p := newTestPages(t)
	for _, tt := range pageStates {
		t.Run(tt.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			if err := p.render(rec, http.StatusTeapot, tt.page, tt.view); err != nil {
				t.Fatal(err)
			}
			body := rec.Body.String()
			if rec.Code != http.StatusTeapot {
				t.Errorf("status = %d, want the one given", rec.Code)
			}
			if got := rec.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
				t.Errorf("Content-Type = %q", got)
			}
			if got := rec.Header().Get("Content-Length"); got != strconv.Itoa(len(body)) {
				t.Errorf("Content-Length = %s, want %d", got, len(body))
			}
			_, title, _ := strings.Cut(body, "<title>")
			title, _, _ = strings.Cut(title, "</title>")
			if got := html.UnescapeString(title); got != tt.title {
				t.Errorf("title = %q, want %q", got, tt.title)
			}
			for _, s := range tt.want {
				if !strings.Contains(body, s) {
					t.Errorf("page lacks %q:\n%s", s, body)
				}
			}
			for _, s := range tt.not {
				if strings.Contains(body, s) {
					t.Errorf("page holds %q:\n%s", s, body)
				}
			}
		})
	}
}

var (
	idAttr     = regexp.MustCompile(`\sid="([^"]*)"`)
	inlineAttr = regexp.MustCompile(`(?i)<[a-z][^>]*\s(style|on[a-z]+)\s*=`)
)

// TestPagesAreWellMade checks what holds of every page: one heading of the
// first level, ids that occur once, landmarks, and nothing that the content
// security policy forbids.
func TestPagesAreWellMade(t *testing.T) {
	p := newTestPages(t)
	for _, tt := range pageStates {
		t.Run(tt.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			if err := p.render(rec, http.StatusOK, tt.page, tt.view); err != nil {
				t.Fatal(err)
			}
			body := rec.Body.String()
			for _, tag := range []string{"<html lang=\"en\">", "<h1>", "<header>", "<main ", "<footer>", `href="#content"`, `id="content"`} {
				if n := strings.Count(body, tag); n != 1 {
					t.Errorf("%s occurs %d times, want once", tag, n)
				}
			}
			for _, bad := range []string{"<script", "<style", "javascript:", "data:", "http:", "https:"} {
				if strings.Contains(strings.ToLower(body), bad) {
					t.Errorf("page holds %q:\n%s", bad, body)
				}
			}
			if m := inlineAttr.FindString(body); m != "" {
				t.Errorf("page holds an inline style or script: %s", m)
			}
			seen := map[string]bool{}
			for _, m := range idAttr.FindAllStringSubmatch(body, -1) {
				if seen[m[1]] {
					t.Errorf("id %q occurs twice", m[1])
				}
				seen[m[1]] = true
			}
			if n := strings.Count(body, `aria-current="page"`); n > 1 {
				t.Errorf("%d pages are marked as the current one", n)
			}
		})
	}
}

func TestRenderWritesNothingAfterAnError(t *testing.T) {
	p := newTestPages(t)
	for _, tt := range []struct {
		name string
		page string
		view any
	}{
		{"no such page", "nowhere", homeView{}},
		{"the layout alone", "layout", homeView{}},
		{"view of another page", "team", homeView{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			if err := p.render(rec, http.StatusOK, tt.page, tt.view); err == nil {
				t.Error("render gave no error")
			}
			if rec.Body.Len() > 0 || len(rec.Header()) > 0 {
				t.Errorf("wrote %v %q", rec.Header(), rec.Body)
			}
		})
	}
}

func TestInWords(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{-time.Hour, "less than a minute"},
		{0, "less than a minute"},
		{59 * time.Second, "less than a minute"},
		{time.Minute, "1 minute"},
		{119 * time.Second, "1 minute"},
		{45 * time.Minute, "45 minutes"},
		{time.Hour, "1 hour"},
		{time.Hour + time.Minute, "1 hour 1 minute"},
		{11*time.Hour + 58*time.Minute + 30*time.Second, "11 hours 58 minutes"},
		{24 * time.Hour, "1 day"},
		{24*time.Hour + 59*time.Minute, "1 day"},
		{49*time.Hour + 59*time.Minute, "2 days 1 hour"},
		{30 * 24 * time.Hour, "30 days"},
	} {
		t.Run(tt.d.String(), func(t *testing.T) {
			if got := inWords(tt.d); got != tt.want {
				t.Errorf("inWords(%v) = %q, want %q", tt.d, got, tt.want)
			}
		})
	}
}

// getStatic asks for a static file of a site whose 404 page says "our own".
func getStatic(p *pages, target string, header http.Header) *httptest.ResponseRecorder {
	notFound := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "our own", http.StatusNotFound)
	})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
	r.Header = header
	rec := httptest.NewRecorder()
	p.staticFiles(notFound).ServeHTTP(rec, r)
	return rec
}

func TestStaticFiles(t *testing.T) {
	p := newTestPages(t)
	const (
		short     = "public, max-age=300"
		immutable = "public, max-age=31536000, immutable"
	)
	style, err := p.staticURL("style.css")
	if err != nil {
		t.Fatal(err)
	}
	icon, err := p.staticURL("favicon.svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, target, contentType, caching string }{
		{"style as linked", style, "text/css; charset=utf-8", immutable},
		{"icon as linked", icon, "image/svg+xml", immutable},
		{"no version", "/static/style.css", "text/css; charset=utf-8", short},
		{"other version", "/static/style.css?v=0", "text/css; charset=utf-8", short},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := getStatic(p, tt.target, nil)
			if rec.Code != http.StatusOK || rec.Body.Len() == 0 {
				t.Fatalf("status %d with %d bytes", rec.Code, rec.Body.Len())
			}
			if got := rec.Header().Get("Content-Type"); got != tt.contentType {
				t.Errorf("Content-Type = %q, want %q", got, tt.contentType)
			}
			if got := rec.Header().Get("Cache-Control"); got != tt.caching {
				t.Errorf("Cache-Control = %q, want %q", got, tt.caching)
			}
			etag := rec.Header().Get("ETag")
			again := getStatic(p, tt.target, http.Header{"If-None-Match": {etag}})
			if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
				t.Errorf("with If-None-Match %s: status %d with %d bytes, want an empty 304", etag, again.Code, again.Body.Len())
			}
			changed := getStatic(p, tt.target, http.Header{"If-None-Match": {`"0"`}})
			if changed.Code != http.StatusOK {
				t.Errorf("with another ETag: status %d, want 200", changed.Code)
			}
		})
	}
}

func TestStaticRefusesWhatIsNoFile(t *testing.T) {
	p := newTestPages(t)
	for _, target := range []string{
		"/static/", "/static", "/static/.", "/static/..", "/static/none.css", "/static/style.css/",
		"/static//style.css", "/static/../pages.go", "/static/../static/style.css", "/static/../templates/home.html",
		"/static/templates/home.html", "/static/static/style.css", "/static/STYLE.CSS", "/static/style.css\x00", "/static/..\\pages.go", "style.css/..",
	} {
		t.Run(target, func(t *testing.T) {
			rec := getStatic(p, target, nil)
			if rec.Code != http.StatusNotFound || !strings.Contains(rec.Body.String(), "our own") {
				t.Errorf("status %d %q, want the site's 404", rec.Code, rec.Body)
			}
			if rec.Header().Get("ETag") != "" || strings.Contains(rec.Header().Get("Cache-Control"), "public") {
				t.Errorf("a 404 that may be kept: %v", rec.Header())
			}
		})
	}
}

// TestStyleFetchesNothing keeps the stylesheet within the content security
// policy, which allows no fonts, no data URLs and no other origin.
func TestStyleFetchesNothing(t *testing.T) {
	body := getStatic(newTestPages(t), "/static/style.css", nil).Body.String()
	for _, bad := range []string{"url(", "@import", "data:", "http"} {
		if strings.Contains(body, bad) {
			t.Errorf("style.css holds %q", bad)
		}
	}
	if len(body) > 10<<10 {
		t.Errorf("style.css has %d bytes, want at most 10 KB", len(body))
	}
}

// TestEveryPageIsShown fails when a page is added without a state here.
func TestEveryPageIsShown(t *testing.T) {
	for name := range newTestPages(t).templates {
		if !slices.ContainsFunc(pageStates, func(s pageState) bool { return s.page == name }) {
			t.Errorf("page %s has no state in pageStates", name)
		}
	}
}
