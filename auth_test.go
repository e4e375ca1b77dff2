package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/signin"
	"expense-dashboard/internal/weburl"
)

// sampleTotals are what the sample's teams spent, by team ID.
func sampleTotals() map[string]string {
	return map[string]string{
		"finance": "$2,780.00", "hr": "$3,400.00", "legal": "$3,820.00",
		"marketing": "$2,200.00", "dev-advocacy": "$2,450.00",
	}
}

var referenceText = regexp.MustCompile(`<code>[A-Z2-7]{10}</code>`)

// withoutReference is a reply that two errors of the same kind share.
func withoutReference(r *reply) string {
	header := r.Header.Clone()
	header.Del("Date")
	return fmt.Sprint(r.Status, header, referenceText.ReplaceAllString(r.Body, "<code></code>"))
}

func TestPeopleSeeExactlyTheirTeams(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	tests := []struct {
		email, name string
		teams       []string
	}{
		{admin, "Hannah Smith", slices.Collect(maps.Keys(sampleTotals()))},
		{legal, "Grace Li", []string{"legal"}},
		{devAdvocacy, "Frank Wilson", []string{"dev-advocacy"}},
		{finance, "Carol Lee", []string{"finance"}},
		{marketing, "Alice Johnson", []string{"marketing"}},
		{hr, "Sarah Morgan", []string{"hr"}},
		{teamless, "Noah Brown", nil},
		{"frank.wilson@task-vantage.com", "Frank Wilson", []string{"dev-advocacy"}},
		{"Carol.Lee@Task-Vantage.com", "Carol Lee", []string{"finance"}},
		{"eve.stranger@example.com", "Eve Stranger", nil},
	}
	for _, test := range tests {
		t.Run(test.email, func(t *testing.T) {
			t.Parallel()
			b := r.Browser()
			dashboard := b.SignIn(test.email)
			dashboard.Check(t, http.StatusOK, test.name)
			if got := strings.Contains(dashboard.Body, "not part of any teams"); got != (test.teams == nil) {
				t.Errorf("the dashboard says that there are no teams: %v", got)
			}
			unknown := withoutReference(b.Get("/team/unknown"))
			for id, total := range sampleTotals() {
				page := b.Get("/team/" + id)
				if slices.Contains(test.teams, id) {
					page.Check(t, http.StatusOK, total)
					dashboard.Check(t, http.StatusOK, `href="/team/`+id+`"`)
					continue
				}
				dashboard.Check(t, http.StatusOK, "!/team/"+id)
				page.Check(t, http.StatusNotFound, "!"+total)
				if withoutReference(page) != unknown {
					t.Errorf("the page of %s does not look like that of no team at all", id)
				}
			}
		})
	}
}

func TestPagesByVisitor(t *testing.T) {
	t.Parallel()
	verified := startSite(t, setup{})
	unverified := startSite(t, setup{faults: devidp.Faults{UserInfo: func(c map[string]any) { c["email_verified"] = false }}})
	visitors := []*browser{verified.Browser(), verified.Browser(), verified.Browser(), verified.Browser(), unverified.Browser()}
	for i, email := range []string{"", finance, hr, admin, finance} {
		if email != "" {
			visitors[i].SignIn(email)
		}
	}
	pages := []struct {
		path   string
		status [5]int // for anonymous, a member of finance, of hr, an admin, unverified
	}{
		{"/", [5]int{200, 200, 200, 200, 200}},
		{"/dashboard", [5]int{303, 200, 200, 200, 200}},
		{"/profile", [5]int{303, 200, 200, 200, 200}},
		{"/team/finance", [5]int{303, 200, 404, 200, 404}},
		{"/team/hr", [5]int{303, 404, 200, 200, 404}},
		{"/team/unknown", [5]int{303, 404, 404, 404, 404}},
		{"/team/Finance", [5]int{303, 404, 404, 404, 404}},
		{"/team/finance%00", [5]int{303, 404, 404, 404, 404}},
		{"/team/%2e%2e", [5]int{303, 404, 404, 404, 404}},
		{"/team/", [5]int{404, 404, 404, 404, 404}},
		{"/team/finance/", [5]int{404, 404, 404, 404, 404}},
		{"/login", [5]int{303, 303, 303, 303, 303}},
		{"/authorization-code/callback", [5]int{400, 400, 400, 400, 400}},
		{"/healthz", [5]int{200, 200, 200, 200, 200}},
		{"/readyz", [5]int{200, 200, 200, 200, 200}},
		{"/static/style.css", [5]int{200, 200, 200, 200, 200}},
		{"/static/", [5]int{404, 404, 404, 404, 404}},
		{"/unknown", [5]int{404, 404, 404, 404, 404}},
	}
	for _, page := range pages {
		for i, who := range []string{"anonymous", "member", "other team", "admin", "unverified"} {
			t.Run(page.path+" "+who, func(t *testing.T) {
				r := visitors[i].Get(page.path)
				r.Check(t, page.status[i])
				if r.Status == http.StatusSeeOther && page.path != "/login" {
					if want := "/login?return_to=" + url.QueryEscape(page.path); r.Header.Get("Location") != want {
						t.Errorf("Location = %s, want %s", r.Header.Get("Location"), want)
					}
				}
				if !strings.HasPrefix(page.path, "/static/s") && r.Header.Get("Cache-Control") != "no-store" {
					t.Errorf("Cache-Control = %q", r.Header.Get("Cache-Control"))
				}
			})
		}
	}
}

func TestProfileAsJSON(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	page := b.Get("/profile", "Accept", "application/json")
	page.Check(t, http.StatusOK, `"name":"Carol Lee"`, `"email":"carol.lee@task-vantage.com"`, `"teams":[{"id":"finance","label":"Finance"}]`, `"admin":false`)
	if got := page.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type = %q", got)
	}
}

// The profile says why somebody sees what they see, and how they signed in.
func TestProfileSaysWhy(t *testing.T) {
	t.Parallel()
	amr := func(value any) devidp.Faults {
		return devidp.Faults{Claims: func(c map[string]any) {
			c["amr"] = value
			if value == absent {
				delete(c, "amr")
			}
		}}
	}
	for _, test := range []struct {
		name, email string
		faults      devidp.Faults
		want        []string
	}{
		{"a member", "Carol.Lee@Task-Vantage.com", devidp.Faults{}, []string{"carol.lee@task-vantage.com", html.EscapeString(`"carol.lee@task-vantage.com": "finance"`), "of the built-in sample", "with a password</dd>"}},
		{"nobody", "eve@example.com", devidp.Faults{}, []string{"the built-in sample names neither this address nor a group of yours"}},
		{"two methods, one of them twice, and one that is not known", finance, amr([]string{"otp", upstreamText, "pwd", "pwd", "mfa"}), []string{"with more than one factor, a one-time code, a password</dd>", "!" + upstreamText}},
		{"methods that are no texts", finance, amr([]int{1}), []string{"!with a password"}},
		{"no methods", finance, amr(absent), []string{"!with a password"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{faults: test.faults})
			b := r.Browser()
			b.SignIn(test.email)
			b.Get("/profile").Check(t, http.StatusOK, append(test.want, "Signed in by</dt><dd>"+strings.TrimPrefix(strings.TrimSuffix(r.Provider.Issuer(), "/oauth2/default"), "http://"))...)
		})
	}
}

// What a sign-in costs the provider, and what it is asked.
func TestSignInRequests(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		full     bool
		userInfo int
	}{{"thin ID Token", false, 1}, {"full ID Token", true, 0}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{provider: devidp.Config{FullIDTokens: test.full}})
			r.Provider.ResetRequests()
			r.Browser().SignIn(finance).Check(t, http.StatusOK, "Carol Lee", "/team/finance")
			for endpoint, want := range map[string]int{"token": 1, "userinfo": test.userInfo, "openid-configuration": 0, "keys": 0} {
				if got := r.Provider.Count(endpoint); got != want {
					t.Errorf("%d requests to %s, want %d", got, endpoint, want)
				}
			}
		})
	}
}

func TestAuthorizationRequest(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	var states, nonces, challenges []string
	for range 3 {
		login := b.Get("/login?return_to=/profile&login_hint=a%26b@example.com&iss=" + url.QueryEscape(r.Provider.Issuer()) +
			"&redirect_uri=https://evil.example&scope=everything&state=mine&prompt=none&client_id=other")
		login.Check(t, http.StatusSeeOther)
		if login.Body != "" {
			t.Errorf("the redirect has a body: %q", login.Body)
		}
		target, query, _ := strings.Cut(login.Location(), "?")
		if want := r.Provider.Issuer() + "/v1/authorize"; target != want {
			t.Errorf("the browser is sent to %s, want %s", target, want)
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		states, nonces, challenges = append(states, values.Get("state")), append(nonces, values.Get("nonce")), append(challenges, values.Get("code_challenge"))
		for _, name := range []string{"state", "nonce", "code_challenge"} {
			if len(values.Get(name)) < 22 {
				t.Errorf("%s = %q is too short to be unguessable", name, values.Get(name))
			}
			values.Del(name)
		}
		want := url.Values{
			"response_type": {"code"}, "client_id": {r.Provider.ClientID()}, "scope": {"openid profile email"}, "code_challenge_method": {"S256"},
			"redirect_uri": {r.BaseURL + "/authorization-code/callback"}, "login_hint": {"a&b@example.com"},
		}
		if values.Encode() != want.Encode() {
			t.Errorf("authorization request with %s, want %s", values.Encode(), want.Encode())
		}
	}
	for _, values := range [][]string{states, nonces, challenges} {
		if slices.Sort(values); len(slices.Compact(values)) != 3 {
			t.Error("two attempts share a value that must be fresh")
		}
	}
}

func TestLoginOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	issuer := url.QueryEscape(r.Provider.Issuer())
	for _, query := range []string{"iss=https://evil.example", "iss=", "iss=" + issuer + "%2F", "iss=" + issuer + "&iss=" + issuer} {
		b := r.Browser()
		b.Get("/login?"+query).Check(t, http.StatusBadRequest)
		if len(b.Cookies()) > 0 {
			t.Errorf("%s leaves cookies: %v", query, b.Cookies())
		}
	}
}

// RFC 6749, 2.3.1: the client's credentials are form-encoded in the header.
func TestOddClientCredentials(t *testing.T) {
	t.Parallel()
	const id, secret = "client id:with+100%&=/ä", `s"e'c$r\e:t+ %41&=;ß€`
	t.Run("basic", func(t *testing.T) {
		t.Parallel()
		r := startSite(t, setup{provider: devidp.Config{ClientID: id, ClientSecret: secret}})
		r.Browser().SignIn(finance)
		encoded := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
		if got := r.Provider.Requests("token")[0].Header.Get("Authorization"); got != "Basic "+encoded {
			t.Errorf("Authorization = %q, want %q", got, "Basic "+encoded)
		}
	})
	t.Run("post", func(t *testing.T) {
		t.Parallel()
		onlyPost := func(metadata map[string]any) {
			metadata["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
		}
		r := startSite(t, setup{provider: devidp.Config{ClientID: id, ClientSecret: secret}, faults: devidp.Faults{Discovery: onlyPost}})
		r.Browser().SignIn(finance)
		request := r.Provider.Requests("token")[0]
		if request.Header.Get("Authorization") != "" || request.Form.Get("client_secret") != secret {
			t.Errorf("credentials are not sent in the body alone: %v %v", request.Header, request.Form)
		}
	})
}

func TestDeepLinkSurvivesSignIn(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	for _, target := range []string{"/team/finance", "/profile?a=1&b=%2F%26", "/team/unknown", "/"} {
		b := r.Browser()
		b.Get("/login?return_to=" + url.QueryEscape(target))
		page := b.Choose(b.Visit("/login?return_to="+url.QueryEscape(target)), finance)
		if got := page.URL.RequestURI(); got != target {
			t.Errorf("sign-in for %s ends at %s", target, got)
		}
	}
	b := r.Browser()
	page := b.Choose(b.Visit("/team/finance"), finance)
	if page.Check(t, http.StatusOK, "$2,780.00"); page.URL.Path != "/team/finance" {
		t.Errorf("sign-in for the team page ends at %s", page.URL)
	}
}

func TestOtherSitesAreNoDeepLinks(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	for _, target := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "/%5Cevil.example", "javascript:alert(1)", "/login", "/logout", openid.CallbackPath} {
		b := r.Browser()
		page := b.Choose(b.Visit("/login?return_to="+url.QueryEscape(target)), finance)
		if page.URL.Path != "/dashboard" || page.URL.Host != strings.TrimPrefix(r.BaseURL, "http://") {
			t.Errorf("sign-in for %s ends at %s", target, page.URL)
		}
	}
}

func TestTwoTabsBothFinish(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	first := b.Visit("/team/finance")
	second := b.Visit("/profile")
	if page := b.Choose(second, finance); page.URL.Path != "/profile" {
		t.Errorf("the second tab ends at %s", page.URL)
	}
	if page := b.Choose(first, finance); page.URL.Path != "/team/finance" {
		t.Errorf("the first tab ends at %s", page.URL)
	}
}

// Tabs that are restored together finish in any order, whether the browser had a
// secret before or gets one by each, and what it sends stays small.
func TestManyTabsAtOnce(t *testing.T) {
	t.Parallel()
	for name, together := range map[string]bool{"one after the other": false, "all at once": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{})
			b := r.Browser()
			home, err := url.Parse(r.BaseURL)
			if err != nil {
				t.Fatal(err)
			}
			const tabs = 40
			paths, callbacks := make([]string, tabs), make([]string, tabs)
			for i := range tabs {
				tab := b
				if together {
					// It asks before the browser has the answers to the others.
					tab = r.Browser()
				}
				paths[i] = fmt.Sprintf("/team/finance?q=%d", i)
				login := tab.Get("/login?return_to=" + url.QueryEscape(paths[i]))
				if i == 0 {
					b.Post(login.Location(), url.Values{"email": {finance}})
				}
				callbacks[i] = login.Location()
				b.Client.Jar.SetCookies(home, tab.Client.Jar.Cookies(home))
			}
			for _, i := range mathrand.Perm(tabs) {
				callback := b.Get(callbacks[i]).Location()
				size := len(callback) + len(b.CookieHeader())
				if size > 8<<10 {
					t.Fatalf("tab %d comes back with %d bytes", i, size)
				}
				page := b.Get(callback)
				if page.Check(t, http.StatusSeeOther); page.Header.Get("Location") != paths[i] {
					t.Errorf("tab %d ends at %s, want %s", i, page.Header.Get("Location"), paths[i])
				}
			}
			if got := r.Provider.Count("token"); got != tabs {
				t.Errorf("%d token requests, want one for each tab", got)
			}
		})
	}
}

// Thousands of cookies that are not ours cost little and are not answered one by one.
func TestJunkCookies(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	var junk strings.Builder
	for i := range 2900 {
		fmt.Fprintf(&junk, "login_%d=x; ", i)
	}
	b := r.Browser()
	login := b.Get("/login", "Cookie", junk.String())
	login.Check(t, http.StatusSeeOther)
	if got := len(login.Header["Set-Cookie"]); got > 30 {
		t.Errorf("the answer sets %d cookies", got)
	}
	for _, path := range []string{"/", "/dashboard", "/logout", openid.CallbackPath + "?state=a&code=b"} {
		if page := b.Get(path, "Cookie", junk.String()); len(page.Header["Set-Cookie"]) > 30 || page.Status >= 500 {
			t.Errorf("%s = %d with %d cookies", path, page.Status, len(page.Header["Set-Cookie"]))
		}
	}
}

// A start from Okta's dashboard names the issuer or its org, and may name a page.
func TestStartFromTheProvidersDashboard(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	org := weburl.Origin(r.Provider.Issuer())
	for _, test := range []struct {
		name   string
		query  url.Values
		status int
		path   string // where the sign-in ends
	}{
		{"our issuer", url.Values{"iss": {r.Provider.Issuer()}}, 303, "/dashboard"},
		{"the org", url.Values{"iss": {org}}, 303, "/dashboard"},
		{"the org and a page of ours", url.Values{"iss": {org}, "target_link_uri": {r.BaseURL + "/team/finance?sort=amount"}}, 303, "/team/finance?sort=amount"},
		{"our home page", url.Values{"target_link_uri": {r.BaseURL}}, 303, "/"},
		{"a page and where to return to", url.Values{"target_link_uri": {r.BaseURL + "/profile"}, "return_to": {"/team/finance"}}, 303, "/team/finance"},
		{"a page elsewhere", url.Values{"iss": {org}, "target_link_uri": {"https://evil.example/team/finance"}}, 303, "/dashboard"},
		{"a page on a site that begins like ours", url.Values{"target_link_uri": {r.BaseURL + ".evil.example/"}}, 303, "/dashboard"},
		{"a page with a user", url.Values{"target_link_uri": {strings.Replace(r.BaseURL, "://", "://evil@", 1) + "/profile"}}, 303, "/dashboard"},
		{"a page that begins with two slashes", url.Values{"target_link_uri": {r.BaseURL + "//evil.example"}}, 303, "/dashboard"},
		{"the org with a slash", url.Values{"iss": {org + "/"}}, 400, ""},
		{"another server of the org", url.Values{"iss": {org + "/oauth2/other"}}, 400, ""},
		{"another org", url.Values{"iss": {"https://evil.example"}}, 400, ""},
		{"an empty issuer", url.Values{"iss": {""}}, 400, ""},
		{"two issuers", url.Values{"iss": {org, org}}, 400, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := r.Browser()
			login := b.Get("/login?" + test.query.Encode())
			if login.Check(t, test.status); test.status != http.StatusSeeOther {
				return
			}
			callback := b.Post(login.Location(), url.Values{"email": {finance}}).Location()
			if got := b.Get(callback).Header.Get("Location"); got != test.path {
				t.Errorf("the sign-in ends at %q, want %q", got, test.path)
			}
		})
	}
}

// Where a sign-in wanted to go outlives a failure: the button of the page leads there.
func TestDeepLinksSurviveFailures(t *testing.T) {
	t.Parallel()
	const deep = "/team/finance?q=lunch"
	const link = `href="/login?return_to=%2Fteam%2Ffinance%3Fq%3Dlunch"`
	for _, test := range []struct {
		name   string
		faults devidp.Faults
		waits  time.Duration
		status int
		button string
	}{
		{"took too long", devidp.Faults{}, signin.PendingMaxAge + time.Second, 400, "Sign in again"},
		{"refused", authorizeError("access_denied", ""), 0, 403, "Sign in again"},
		{"code refused", tokenError(400, "invalid_grant", ""), 0, 400, "Sign in again"},
		{"Okta is away", answerWith("token", 503, ""), 0, 503, "Try again"},
		{"Okta is busy", answerWith("token", 429, ""), 0, 429, "Try again"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := apptest.NewClock()
			r := startSite(t, setup{clock: clock, faults: test.faults})
			b := r.Browser()
			login := b.Get("/login?return_to=" + url.QueryEscape(deep))
			callback := b.Post(login.Location(), url.Values{"email": {finance}}).Location()
			clock.Advance(test.waits)
			b.Get(callback).Check(t, test.status, link+">"+test.button+"<")
			other := r.Browser()
			other.Get(callback).Check(t, http.StatusBadRequest, link)
		})
	}
	t.Run("Okta has never been reached", func(t *testing.T) {
		t.Parallel()
		r := startSite(t, setup{unreached: true})
		r.Browser().Get("/login?return_to="+url.QueryEscape(deep)).Check(t, http.StatusServiceUnavailable, link+">Try again<")
	})
}

// forgetfulJar is a browser's that keeps every cookie but the session's.
type forgetfulJar struct{ http.CookieJar }

func (j forgetfulJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.CookieJar.SetCookies(u, slices.DeleteFunc(cookies, func(c *http.Cookie) bool { return c.Name == "expense_session" }))
}

// A browser that drops the session's cookie and keeps the login's does not go round
// for ever.
func TestBrowserThatDropsTheSession(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.Client.Jar = forgetfulJar{b.Client.Jar}
	page := b.Choose(b.Visit("/dashboard"), finance)
	page.Check(t, http.StatusBadRequest, "your browser does not keep this site&#39;s cookies", "Allow cookies")
	if got := r.Provider.Count("authorize"); got != 3 { // the page, its answer, and once more
		t.Errorf("the browser went to the provider %d times", got)
	}
	// Whoever is signed out at once, and signs in again, is no such browser.
	other, boss := r.Browser(), r.Browser()
	other.SignIn(finance)
	other.Follow(other.Post("/logout", nil))
	other.SignIn(finance)
	boss.SignIn(admin)
	boss.Post("/sessions/end", url.Values{"sub": {apptest.SubjectOf(t, finance)}})
	other.Client.Jar.SetCookies(other.Get("/").URL, []*http.Cookie{{Name: "expense_session", Path: "/", MaxAge: -1}})
	other.Visit("/dashboard").Check(t, http.StatusOK, "Carol Lee")
}

// Many tabs restored at once, or an impatient double click.
func TestSameCallbackManyTimesAtOnce(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	callback := b.BeginSignIn(finance)
	home, err := url.Parse(r.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	pending := b.Client.Jar.Cookies(home)
	var together sync.WaitGroup
	for range 8 {
		together.Go(func() {
			tab := r.Browser()
			tab.Client.Jar.SetCookies(home, pending)
			tab.Get(callback.String())
		})
	}
	together.Wait()
	if got := r.Provider.Count("token"); got != 1 {
		t.Errorf("%d token requests for one code, want 1", got)
	}
}

// The back button, or a page restored from the history.
func TestSameCallbackOnceMore(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	callback := b.BeginSignIn(finance).String()
	b.Get(callback).Check(t, http.StatusSeeOther)
	before := b.Cookies()
	again := b.Get(callback)
	again.Check(t, http.StatusSeeOther)
	if again.Header.Get("Location") != "/dashboard" {
		t.Errorf("the same callback again leads to %q", again.Header.Get("Location"))
	}
	if got := r.Provider.Count("token"); got != 1 || !maps.Equal(before, b.Cookies()) {
		t.Errorf("%d token requests, cookies %v; want 1 and %v", got, b.Cookies(), before)
	}
	b.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
}

func TestTeamsFileChangeTakesEffectOnTheNextRequest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "teams.json")
	write := func(member string) {
		text := `{"teams":[{"id":"finance","label":"Finance"},{"id":"hr","label":"HR"}],"members":{"` + finance + `":` + member + `}}`
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`"finance"`)
	r := startSite(t, setup{env: map[string]string{"TEAMS_FILE": path}})
	b := r.Browser()
	b.SignIn(finance)
	steps := []struct {
		member      string
		finance, hr int
	}{
		{`"finance"`, 200, 404},
		{`"hr"`, 404, 200},
		{`["finance","hr"]`, 200, 200},
		{`"no such team"`, 200, 200},
		{`"admin"`, 200, 200},
		{`[]`, 404, 404},
	}
	for _, step := range steps {
		write(step.member)
		r.site.directory.Reload()
		b.Get("/team/finance").Check(t, step.finance)
		b.Get("/team/hr").Check(t, step.hr)
	}
}

func TestBrowserWithoutCookiesIsToldSo(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.Client.Jar = nil
	page := b.Choose(b.Visit("/dashboard"), finance)
	page.Check(t, http.StatusBadRequest, "allow cookies", r.BaseURL)
	if len(b.Trail) > 3 || page.URL.Path != openid.CallbackPath {
		t.Errorf("the browser is sent around: %q", b.Trail)
	}
	if got := r.Provider.Count("token"); got != 0 {
		t.Errorf("%d token requests for nobody's sign-in", got)
	}
}

func TestEmailVerified(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		value    any // "missing" leaves the claim out
		verified bool
	}{
		{"missing", "missing", true},
		{"true", true, true},
		{"false", false, false},
		{"text true", "true", false},
		{"null", nil, false},
		{"0", 0, false},
		{"1", 1, false},
		{"object", map[string]any{}, false},
	}
	for _, full := range []bool{false, true} {
		for _, test := range tests {
			t.Run(fmt.Sprintf("%s, full ID Token %v", test.name, full), func(t *testing.T) {
				t.Parallel()
				change := func(claims map[string]any) {
					if claims["email"] == nil {
						return
					}
					claims["email_verified"] = test.value
					if test.value == "missing" {
						delete(claims, "email_verified")
					}
				}
				r := startSite(t, setup{provider: devidp.Config{FullIDTokens: full}, faults: devidp.Faults{Claims: change, UserInfo: change}})
				b := r.Browser()
				page := b.SignIn(admin)
				if test.verified {
					page.Check(t, http.StatusOK, "/team/finance", "!not verified")
					return
				}
				page.Check(t, http.StatusOK, "not verified", "!/team/")
				b.Get("/team/finance").Check(t, http.StatusNotFound)
				b.Get("/profile", "Accept", "application/json").Check(t, http.StatusOK, `"email_verified":false`, `"admin":false`, `"teams":[]`)
			})
		}
	}
}

// An anonymous visitor's request for a page of somebody's.
func TestNotSignedIn(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	tests := []struct {
		accept, mode string
		status       int
	}{
		{"", "", 303},
		{"text/html", "", 303},
		{"*/*", "", 303},
		{"text/*", "", 303},
		{"application/json, text/html;q=0.1", "", 303},
		{"text/html", "navigate", 303},
		{"application/json", "", 401},
		{"text/csv", "", 401},
		{"text/html;q=0, */*", "", 401},
		{"application/json", "navigate", 401},
		{"text/html", "cors", 401},
		{"*/*", "no-cors", 401},
		{"*/*", "same-origin", 401},
	}
	for _, test := range tests {
		t.Run(test.accept+" "+test.mode, func(t *testing.T) {
			page := r.Browser().Get("/dashboard", "Accept", test.accept, "Sec-Fetch-Mode", test.mode)
			page.Check(t, test.status)
			if page.Status == http.StatusUnauthorized && (page.Header.Get("Location") != "" || page.Header.Get("WWW-Authenticate") == "") {
				t.Errorf("401 with %v", page.Header)
			}
		})
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	callback := b.BeginSignIn(hr)
	before, provider := b.Cookies(), r.Provider.Count("token")
	tests := []struct{ method, target, allow string }{
		{"HEAD", "/login", "GET"},
		{"POST", "/login", "GET"},
		{"HEAD", callback.String(), "GET"},
		{"POST", callback.String(), "GET"},
		{"HEAD", "/logout", "GET, POST"},
		{"PUT", "/logout", "GET, POST"},
		{"DELETE", "/dashboard", "GET, HEAD"},
		{"POST", "/dashboard", "GET, HEAD"},
		{"POST", "/team/finance", "GET, HEAD"},
		{"POST", "/", "GET, HEAD"},
		{"POST", "/healthz", "GET, HEAD"},
	}
	for _, test := range tests {
		path, _, _ := strings.Cut(strings.TrimPrefix(test.target, r.BaseURL), "?")
		t.Run(test.method+" "+path, func(t *testing.T) {
			page := b.Send(test.method, test.target, nil)
			page.Check(t, http.StatusMethodNotAllowed)
			if got := page.Header.Get("Allow"); got != test.allow {
				t.Errorf("Allow = %q, want %q", got, test.allow)
			}
		})
	}
	if !maps.Equal(b.Cookies(), before) || r.Provider.Count("token") != provider {
		t.Error("a refused method has changed something")
	}
	b.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
	for _, path := range []string{"/", "/dashboard", "/profile", "/team/finance", "/healthz", "/static/style.css"} {
		if head := b.Send("HEAD", path, nil); head.Status != http.StatusOK || head.Body != "" {
			t.Errorf("HEAD %s = %d %q", path, head.Status, head.Body)
		}
	}
}

// The same callback many times at once is one sign-in: one token request, one
// session, and the same answer for everyone.
func TestCallbackManyTimesAtOnceIsOneSignIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		faults   devidp.Faults
		status   int
		sessions int
	}{
		{"success", devidp.Faults{}, http.StatusSeeOther, 1},
		{"refusal", answerWith("token", 400, `{"error":"invalid_grant"}`), http.StatusBadRequest, 0},
		{"fault of the provider", answerWith("token", 500, ""), http.StatusServiceUnavailable, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{})
			b := r.Browser()
			callback := b.BeginSignIn(finance)
			r.Provider.SetFaults(test.faults)
			var together sync.WaitGroup
			tabs := make([]*browser, 8)
			pages := make([]*reply, len(tabs))
			for i := range tabs {
				tabs[i] = r.Twin(b)
				together.Go(func() { pages[i] = tabs[i].Get(callback.String()) })
			}
			together.Wait()
			if got := r.Provider.Count("token"); got != 1 {
				t.Errorf("%d token requests for one code, want 1", got)
			}
			ids := map[string]bool{}
			for i, page := range pages {
				if page.Check(t, test.status); test.sessions == 1 {
					ids[sessionID(t, r, tabs[i])] = true
					tabs[i].Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
				}
			}
			if found := listed(t, r); len(ids) != test.sessions || len(found) != test.sessions {
				t.Errorf("%d sessions were given and %d recorded, want %d", len(ids), len(found), test.sessions)
			}
			for event, want := range map[string]int{"event=sign_in ": test.sessions} {
				if got := strings.Count(r.Log.String(), event); got != want {
					t.Errorf("%d lines with %s, want %d", got, event, want)
				}
			}
		})
	}
}

// The sign-in goes on when the browser that began it goes away, for those who
// wait for the same.
func TestFirstCallbackGoesAway(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	callback := b.BeginSignIn(finance)
	arrived, release := make(chan struct{}), make(chan struct{})
	r.Provider.SetFaults(devidp.Faults{Token: func(map[string]any) { close(arrived); <-release }})
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, callback.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	first := r.Twin(b)
	go func() {
		response, err := first.Client.Do(request)
		if err == nil {
			response.Body.Close()
		}
		gone <- err
	}()
	<-arrived
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Fatalf("the first browser got %v", err)
	}
	close(release)
	b.Get(callback.String()).Check(t, http.StatusSeeOther)
	b.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
	if got := r.Provider.Count("token"); got != 1 {
		t.Errorf("%d token requests, want 1", got)
	}
}

// A remembered outcome is no way back in: its session is the one that ended.
func TestCallbackAgainAfterSignOut(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	callback := b.BeginSignIn(finance)
	thief := r.Twin(b)
	b.Get(callback.String()).Check(t, http.StatusSeeOther)
	b.Post("/logout", nil)
	thief.Get(callback.String())
	if r.IsSignedIn(thief) {
		t.Error("the callback signs in again after the sign-out")
	}
}

// Callbacks that nobody can sign in with any more.
func TestStaleCallback(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(r *rig, b *browser, clock *clock, callback *url.URL)
		want   string // where somebody who is signed in goes
	}{
		{"back button or reload", func(*rig, *browser, *clock, *url.URL) {}, "/team/finance"},
		{"long after", func(r *rig, _ *browser, _ *clock, _ *url.URL) { r.site.signIn.callbacks = signin.NewCallbacks() }, "/team/finance"},
		{"of an unknown state", func(_ *rig, _ *browser, _ *clock, callback *url.URL) { callback.RawQuery = "state=unknown&code=code" }, "/dashboard"},
		{"of an error", func(_ *rig, _ *browser, _ *clock, callback *url.URL) {
			callback.RawQuery = "state=unknown&error=access_denied"
		}, "/dashboard"},
		{"of a sign-in that took too long", func(_ *rig, b *browser, clock *clock, callback *url.URL) {
			begun := b.Get("/login?return_to=/profile")
			*callback = *backFromProvider(b, begun)
			clock.Advance(signin.PendingMaxAge + time.Second)
		}, "/profile"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := apptest.NewClock()
			r := startSite(t, setup{clock: clock})
			b := r.Browser()
			login := b.Get("/login?return_to=/team/finance")
			callback, err := url.Parse(b.Post(login.Location(), url.Values{"email": {finance}}).Location())
			if err != nil {
				t.Fatal(err)
			}
			b.Get(callback.String()).Check(t, http.StatusSeeOther)
			test.change(r, b, clock, callback)
			before, tokens := b.Cookies()["expense_session"], r.Provider.Count("token")
			page := b.Get(callback.String())
			page.Check(t, http.StatusSeeOther)
			if got := page.Header.Get("Location"); got != test.want {
				t.Errorf("the callback leads to %q, want %q", got, test.want)
			}
			if b.Cookies()["expense_session"] != before || r.Provider.Count("token") != tokens {
				t.Error("the session has changed, or the provider was asked")
			}
			b.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
			r.Browser().Get(callback.String()).Check(t, http.StatusBadRequest)
			ended := r.Twin(b)
			b.Post("/logout", nil)
			ended.Get(callback.String()).Check(t, http.StatusBadRequest)
		})
	}
}

// backFromProvider is where the provider sends a browser, that is signed in there, back to.
func backFromProvider(b *browser, login *reply) *url.URL {
	b.T.Helper()
	callback, err := url.Parse(b.Get(login.Location()).Location())
	if err != nil || callback.Path != openid.CallbackPath {
		b.T.Fatalf("the provider leads to %v, %v", callback, err)
	}
	return callback
}

// A pending login counts once, however long its cookie is good: never is the
// provider asked twice with one code.
func TestPendingLoginCountsOnce(t *testing.T) {
	t.Parallel()
	clock := apptest.NewClock()
	r := startSite(t, setup{clock: clock})
	b := r.Browser()
	callback := b.BeginSignIn(finance)
	for range 10 {
		tab := r.Twin(b)
		if page := tab.Get(callback.String()); page.Status != http.StatusSeeOther && page.Status != http.StatusBadRequest {
			page.Check(t, http.StatusBadRequest)
		}
		clock.Advance(59 * time.Second)
	}
	if got := r.Provider.Count("token"); got != 1 || len(listed(t, r)) != 1 {
		t.Errorf("%d token requests and %d sessions, want 1 of each", got, len(listed(t, r)))
	}
}

// What a sign-in that fails leaves of a session and its record.
func TestFailedSignInTouchesNoSession(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	before, id := listed(t, r), sessionID(t, r, b)
	callback := b.BeginSignIn(admin)
	r.Provider.SetFaults(devidp.Faults{Claims: func(c map[string]any) { c["nonce"] = "other" }})
	b.Get(callback.String()).Check(t, http.StatusBadGateway)
	if after := listed(t, r); !slices.Equal(before, after) || sessionID(t, r, b) != id || !r.IsSignedIn(b) {
		t.Errorf("the sessions were %v and are %v", before, after)
	}
}

// sid is optional, and what cannot be kept of it is no sign-in.
func TestProviderSID(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sid    any
		status int
	}{
		"missing": {nil, 303}, "empty": {"", 303}, "plain": {"a sid", 303}, "longest": {strings.Repeat("s", 255), 303},
		"too long": {strings.Repeat("s", 256), 502}, "number": {1, 502}, "NUL": {"a\x00", 502}, "object": {map[string]any{}, 502},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{faults: devidp.Faults{Claims: func(c map[string]any) { c["sid"] = test.sid }}})
			b := r.Browser()
			b.Get(b.BeginSignIn(finance).String()).Check(t, test.status)
			if want, _ := test.sid.(string); test.status == 303 && listed(t, r)[0].ProviderSID != want {
				t.Errorf("sid is kept as %q", listed(t, r)[0].ProviderSID)
			}
		})
	}
}
