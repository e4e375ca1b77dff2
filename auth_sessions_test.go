package main

import (
	"context"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/config"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/secret"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/signin"
	storepkg "expense-dashboard/internal/store"
	"expense-dashboard/internal/store/sessions"
	"expense-dashboard/internal/storetest"
	"expense-dashboard/internal/team"
)

func TestLongIDToken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		padding int // of the ID Token's claims; base64 adds a third
		hinted  bool
	}{
		{"short", 0, true},
		{"2.6 KB", 1500, true},
		{"longer than an address may be", 3000, false},
		{"12 KB", 8500, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var rawIDToken string
			// Only one sign-in happens, before anything reads rawIDToken.
			keep := func(response map[string]any) { rawIDToken = response["id_token"].(string) }
			r := startSite(t, setup{provider: devidp.Config{IDTokenPadding: test.padding}, faults: devidp.Faults{Token: keep}})
			b := r.Browser()
			b.SignIn(finance)
			b.Get("/team/finance").Check(t, http.StatusOK, "$2,780.00")
			logout := b.Post("/logout", nil)
			logout.Check(t, http.StatusOK)
			if size := len(logout.Location()); size > 4000 {
				t.Errorf("the address to sign out with has %d bytes", size)
			}
			target, err := url.Parse(logout.Location())
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if test.hinted {
				want = rawIDToken
			}
			if got := target.Query().Get("id_token_hint"); got != want {
				t.Errorf("id_token_hint is %d bytes and another than the ID Token of %d", len(got), len(rawIDToken))
			}
			if query := target.Query(); query.Get("client_id") != r.Provider.ClientID() || query.Get("logout_hint") != finance {
				t.Errorf("sign-out says neither whose session it is nor who asks: %v", query)
			}
			if left := slices.Sorted(maps.Keys(b.Cookies())); !slices.Equal(left, []string{loginCookie(b), "signed_out", "writer"}) {
				t.Errorf("cookies are left: %v", left)
			}
		})
	}
}

// Who has signed out is told so by the home page, once; and nobody else reads what
// was told to somebody.
func TestSignOutIsTold(t *testing.T) {
	t.Parallel()
	const told = "You are signed out."
	for _, test := range []struct {
		name string
		out  func(b *browser) *apptest.Reply // signs out and returns the home page
	}{
		{"the button", func(b *browser) *apptest.Reply { return b.Follow(b.Post("/logout", nil)) }},
		{"the address", func(b *browser) *apptest.Reply { return b.Visit("/logout") }},
		{"the button of a page that is out of date", func(b *browser) *apptest.Reply {
			b.Follow(b.Post("/logout", nil))
			return b.Follow(b.Post("/logout", nil))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{})
			b := r.Browser()
			b.Get("/").Check(t, http.StatusOK, "!"+told)
			b.SignIn(finance)
			// What this tells Carol Lee waits for a page of hers.
			b.Post("/profile/sessions/end-others", nil).Check(t, http.StatusSeeOther)
			b.Get("/").Check(t, http.StatusOK, "Welcome, Carol", "!"+told)
			test.out(b).Check(t, http.StatusOK, "<h1>Welcome</h1>", told, "!Ended 0")
			b.Get("/").Check(t, http.StatusOK, "!"+told, "!Ended 0")
		})
	}
}

// The ID Token's cookies go to the sign-out route alone.
func TestIDTokenStaysAwayFromPages(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	for path, want := range map[string]int{"/": 3, "/dashboard": 3, "/team/finance": 3, "/logout": 4, "/logoutx": 3} {
		target, err := url.Parse(r.BaseURL + path)
		if err != nil {
			t.Fatal(err)
		}
		cookies := slices.DeleteFunc(b.Client.Jar.Cookies(target), func(c *http.Cookie) bool { return c.Name == "devidp_session" })
		if len(cookies) != want {
			t.Errorf("%d cookies go to %s, want %d", len(cookies), path, want)
		}
	}
}

func TestCookieAttributes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name            string
		https           bool
		session, prefix string
	}{
		{"https", true, "__Host-expense_session", "__Secure-id_token_"},
		{"http on loopback", false, "expense_session", "id_token_"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{https: test.https})
			b := r.Browser()
			begun := b.Get("/login")
			r2 := b.Get(b.Post(begun.Location(), url.Values{"email": {finance}}).Location())
			r2.Check(t, http.StatusSeeOther)
			var names []string
			for _, line := range append(begun.Header["Set-Cookie"], r2.Header["Set-Cookie"]...) {
				cookie, err := http.ParseSetCookie(line)
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, cookie.Name)
				if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Secure != test.https || cookie.Domain != "" {
					t.Errorf("%s lacks an attribute: %s", cookie.Name, line)
				}
				if wantPath := map[bool]string{true: "/logout", false: "/"}[strings.HasPrefix(cookie.Name, test.prefix)]; cookie.Path != wantPath {
					t.Errorf("%s has the path %s, want %s", cookie.Name, cookie.Path, wantPath)
				}
			}
			if !slices.Contains(names, test.session) || !slices.Contains(names, test.prefix+"0") {
				t.Errorf("cookies %q lack %s or %s0", names, test.session, test.prefix)
			}
			if strings.HasPrefix(names[0], "__Host-login_") != test.https {
				t.Errorf("pending login in %s", names[0])
			}
		})
	}
}

func TestSessionSurvivesRestartAndRotation(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	tests := []struct {
		name, secrets string
		status        int
	}{
		{"same secret", apptest.SessionSecret, 200},
		{"secret is the second", otherSecret + "," + apptest.SessionSecret, 200},
		{"secret is the first of two", apptest.SessionSecret + "," + otherSecret, 200},
		{"secret is gone", otherSecret, 303},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			again := startProgram(t, setup{env: map[string]string{"SESSION_SECRET": test.secrets}})
			visitor := again.Browser()
			for name, value := range b.Cookies() {
				visitor.SetCookie(name, value)
			}
			page := visitor.Get("/dashboard")
			page.Check(t, test.status)
			if test.status == http.StatusOK {
				page.Check(t, http.StatusOK, "Carol Lee", "/team/finance")
				return
			}
		})
	}
}

// A session written with an old secret lives on under the new one.
func TestRotationRenewsCookies(t *testing.T) {
	t.Parallel()
	clock := apptest.NewClock()
	old := startSite(t, setup{clock: clock})
	both := startSite(t, setup{clock: clock, env: map[string]string{"SESSION_SECRET": otherSecret + "," + apptest.SessionSecret}})
	after := startSite(t, setup{clock: clock, env: map[string]string{"SESSION_SECRET": otherSecret}})
	b := old.Browser()
	b.SignIn(finance)
	clock.Advance(30 * time.Minute)
	for _, r := range []*rig{both, after} {
		b.Home = r.BaseURL
		b.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
	}
}

func TestSessionLimits(t *testing.T) {
	t.Parallel()
	env := map[string]string{"SESSION_IDLE_TIMEOUT": "1h", "SESSION_MAX_AGE": "12h"}
	tests := []struct {
		name    string
		visits  []time.Duration // since sign-in
		at      time.Duration   // since sign-in
		present bool
	}{
		{"just within the idle limit", nil, time.Hour - time.Millisecond, true},
		{"at the idle limit", nil, time.Hour, false},
		{"long after the idle limit", nil, 3 * time.Hour, false},
		{"a visit moves the idle limit", []time.Duration{50 * time.Minute}, 109 * time.Minute, true},
		{"a visit moves the idle limit by itself", []time.Duration{50 * time.Minute}, 110 * time.Minute, false},
		{"just within the absolute limit", everyHalfHour(12 * time.Hour), 12*time.Hour - time.Millisecond, true},
		{"at the absolute limit", everyHalfHour(12 * time.Hour), 12 * time.Hour, false},
		{"long after the absolute limit", everyHalfHour(12 * time.Hour), 14 * time.Hour, false},
		{"a clock set back a little", nil, -time.Minute, true},
		{"a clock set back an hour", nil, -time.Hour, true},
		{"a clock set back a day", nil, -24 * time.Hour, false},
		{"a visit by a clock an hour ahead, which is right again", []time.Duration{59 * time.Minute}, time.Minute, true},
		{"the same, and an hour of rest", []time.Duration{59 * time.Minute, time.Minute}, 61 * time.Minute, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := apptest.NewClock()
			r := startSite(t, setup{clock: clock, env: env})
			b := r.Browser()
			b.SignIn(finance)
			begun := clock.Now()
			for _, visit := range test.visits {
				clock.Set(begun.Add(visit))
				b.Get("/dashboard").Check(t, http.StatusOK)
			}
			clock.Set(begun.Add(test.at))
			want := http.StatusSeeOther
			if test.present {
				want = http.StatusOK
			}
			b.Get("/dashboard").Check(t, want)
		})
	}
}

// While the clock is more than the idle limit ahead nobody is signed in, and when
// it is right again everybody is who was before, whatever happened meanwhile.
func TestClockJumpsAheadAndBack(t *testing.T) {
	t.Parallel()
	clock := apptest.NewClock()
	r := startSite(t, setup{clock: clock, env: map[string]string{"SESSION_MAX_AGE": "2h"}})
	away, busy, ended, stolen := r.Browser(), r.Browser(), r.Browser(), r.Browser()
	for _, b := range []*browser{away, busy, ended} {
		b.SignIn(finance)
	}
	stolen.SetCookie("expense_session", ended.Cookies()["expense_session"])
	ended.Post("/logout", nil)
	clock.Advance(61 * time.Minute)
	busy.Get("/dashboard").Check(t, http.StatusSeeOther)
	// A sign-in tidies up what is over by the clock that is ahead.
	clock.Advance(time.Hour)
	r.Browser().SignIn(marketing)
	clock.Advance(-121 * time.Minute)
	for _, b := range []*browser{away, busy} {
		b.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
	}
	again := r.copy(t, setup{clock: clock})
	for name, routes := range map[string]http.Handler{"this copy": r.site.routes(), "a copy that starts": again.routes()} {
		request, answer := httptest.NewRequest("GET", "/dashboard", nil), httptest.NewRecorder()
		request.AddCookie(&http.Cookie{Name: "expense_session", Value: stolen.Cookies()["expense_session"]})
		if routes.ServeHTTP(answer, request); answer.Code != http.StatusSeeOther {
			t.Errorf("on %s the session that was ended gets %d", name, answer.Code)
		}
	}
}

// What was over by the setting of its time stays over by another.
func TestLongerIdleTimeoutRevivesNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, before, after string
		rest                time.Duration
		want                int
	}{
		{"a longer one revives nothing", "1h", "8h", 61 * time.Minute, http.StatusSeeOther},
		{"a longer one leaves what stands", "1h", "8h", 59 * time.Minute, http.StatusOK},
		{"a shorter one counts at once", "8h", "1h", 61 * time.Minute, http.StatusSeeOther},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := apptest.NewClock()
			first := startSite(t, setup{clock: clock, env: map[string]string{"SESSION_IDLE_TIMEOUT": test.before}})
			second := startSite(t, setup{clock: clock, env: map[string]string{"SESSION_IDLE_TIMEOUT": test.after}})
			b := first.Browser()
			b.SignIn(finance)
			clock.Advance(test.rest)
			b.Home = second.BaseURL
			b.Get("/dashboard").Check(t, test.want)
		})
	}
}

func everyHalfHour(until time.Duration) (visits []time.Duration) {
	for at := 30 * time.Minute; at < until; at += 30 * time.Minute {
		visits = append(visits, at)
	}
	return visits
}

// An old cookie must not bring back what was extended, nor a new one go beyond
// the absolute limit in the browser.
func TestMaxAgeOfTheCookieShrinks(t *testing.T) {
	t.Parallel()
	clock := apptest.NewClock()
	r := startSite(t, setup{clock: clock, env: map[string]string{"SESSION_IDLE_TIMEOUT": "12h", "SESSION_MAX_AGE": "12h"}})
	b := r.Browser()
	b.SignIn(finance)
	clock.Advance(11 * time.Hour)
	page := b.Get("/dashboard")
	page.Check(t, http.StatusOK)
	cookie, err := http.ParseSetCookie(page.Header.Get("Set-Cookie"))
	if err != nil || cookie.MaxAge != 3600 {
		t.Errorf("an hour before the end the cookie is %v, %v; want a Max-Age of 3600", cookie, err)
	}
}

func TestPendingLoginEnds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		age  time.Duration
		kept bool
	}{{0, true}, {signin.PendingMaxAge - time.Second, true}, {signin.PendingMaxAge + 2*time.Second, false}, {24 * time.Hour, false}} {
		synctest.Test(t, func(t *testing.T) {
			logins, err := signin.NewPending([]secret.Text{apptest.SessionSecret}, false, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/login", nil)
			begun, err := logins.Begin(w, r, signin.Request{ReturnTo: "/profile"})
			if err != nil {
				t.Fatal(err)
			}
			for _, cookie := range w.Result().Cookies() {
				r.AddCookie(cookie)
			}
			time.Sleep(test.age)
			login, err := logins.Take(r, begun.State)
			if (err == nil) != test.kept {
				t.Fatalf("after %s: %v", test.age, err)
			}
			if test.kept && !login.Begun.Equal(begun.Begun) || test.kept && (login.Nonce != begun.Nonce || login.CodeVerifier != begun.CodeVerifier) || login.ReturnTo != "/profile" {
				t.Errorf("after %s the login is %+v", test.age, login)
			}
		})
	}
}

// A cookie that cannot be read is an anonymous visitor's, and stays: only a
// sign-in and a sign-out change it.
func TestUnreadableSession(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	pending := b.BeginSignIn(finance)
	secret := b.Cookies()[loginCookie(b)]
	b.Get(pending.String())
	good, idToken := b.Cookies()["expense_session"], b.Cookies()["id_token_0"]
	foreign := startSite(t, setup{env: map[string]string{"SESSION_SECRET": otherSecret}}).Browser()
	foreign.SignIn(finance)
	for name, value := range map[string]string{
		"empty": "", "text": "x", "base64": "AAAA", "cut short": good[:len(good)-1], "changed": flipMiddle(good), "doubled": good + good,
		"of another secret": foreign.Cookies()["expense_session"], "of a pending login": secret, "of an ID Token": idToken,
		"very long": strings.Repeat("A", 5000), "odd characters": "%00!#$&'()*+",
	} {
		t.Run(name, func(t *testing.T) {
			visitor := r.Browser()
			for path, status := range map[string]int{"/": 200, "/dashboard": 303, "/team/finance": 303, "/unknown": 404} {
				page := visitor.Get(path, "Cookie", "expense_session="+value)
				page.Check(t, status, "!Carol")
				// It would clear what another tab has been given meanwhile.
				if got := page.Header.Get("Set-Cookie"); got != "" {
					t.Errorf("%s answers with the cookie %q", path, got)
				}
			}
			visitor.Get("/profile", "Cookie", "expense_session="+value, "Accept", "application/json").Check(t, http.StatusUnauthorized)
		})
	}
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	logout := b.Post("/logout", nil)
	logout.Check(t, http.StatusOK, "Signing out", `href="`+html.EscapeString(logout.Location())+`"`)
	if logout.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control = %q", logout.Header.Get("Cache-Control"))
	}
	target, err := url.Parse(logout.Location())
	if err != nil {
		t.Fatal(err)
	}
	query := target.Query()
	if query.Get("client_id") != r.Provider.ClientID() || query.Get("post_logout_redirect_uri") != r.BaseURL || strings.Count(query.Get("id_token_hint"), ".") != 2 || query.Get("logout_hint") != finance || len(query) != 4 {
		t.Errorf("the end-session endpoint is asked with %v", query)
	}
	home := b.Follow(logout)
	if home.Check(t, http.StatusOK, "Sign in", "!Carol"); home.URL.String() != r.BaseURL {
		t.Errorf("sign-out ends at %s, want %s", home.URL, r.BaseURL)
	}
	if page := b.Visit("/team/finance"); !strings.Contains(page.Body, "Development sign-in") {
		t.Errorf("the old page does not ask to sign in again, but shows %s", page.URL)
	}
	again := b.Post("/logout", nil)
	if again.Check(t, http.StatusSeeOther); again.Header.Get("Location") != "/" {
		t.Errorf("sign-out without a session leads to %s", again.Header.Get("Location"))
	}
	if log := r.Log.String(); strings.Contains(log, query.Get("id_token_hint")) || !strings.Contains(log, "event=sign_out") {
		t.Error("the log holds the ID Token, or no sign-out")
	}
}

// Sign-out works here whatever the provider can do.
func TestSignOutWithoutTheProvider(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		faults devidp.Faults
	}{
		{"no end-session endpoint", devidp.Faults{Discovery: func(m map[string]any) { delete(m, "end_session_endpoint") }}},
		{"empty end-session endpoint", devidp.Faults{Discovery: func(m map[string]any) { m["end_session_endpoint"] = "" }}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{faults: test.faults, env: map[string]string{"POST_LOGOUT_URL": "https://www.example.com/bye?a=%2F"}})
			b := r.Browser()
			b.SignIn(finance)
			if got := b.Post("/logout", nil).Location(); got != "https://www.example.com/bye?a=%2F" {
				t.Errorf("sign-out leads to %s", got)
			}
			b.Get("/dashboard").Check(t, http.StatusSeeOther)
		})
	}
	t.Run("provider is gone", func(t *testing.T) {
		t.Parallel()
		r := startSite(t, setup{})
		b := r.Browser()
		b.SignIn(finance)
		r.Provider.Close()
		b.Post("/logout", nil).Check(t, http.StatusOK)
		b.Get("/dashboard").Check(t, http.StatusSeeOther)
	})
}

func TestEndSessionEndpointWithAQuery(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{faults: devidp.Faults{Discovery: func(m map[string]any) {
		m["end_session_endpoint"] = m["end_session_endpoint"].(string) + "?tenant=a%2Fb"
	}}})
	b := r.Browser()
	b.SignIn(finance)
	target, err := url.Parse(b.Post("/logout", nil).Location())
	if err != nil || target.Query().Get("tenant") != "a/b" || target.Query().Get("client_id") != r.Provider.ClientID() {
		t.Errorf("sign-out leads to %v, %v", target, err)
	}
}

// Who may end a session by making a browser send a request.
func TestSignOutFromElsewhere(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method string
		fields       []string // of the header; BASE stands for the site's own origin
		status       int
		ends         bool
	}{
		{"link on the site", "GET", []string{"Sec-Fetch-Site", "same-origin"}, 303, true},
		{"typed into the address bar", "GET", []string{"Sec-Fetch-Site", "none"}, 303, true},
		{"old browser, address bar", "GET", nil, 303, true},
		{"old browser, link on the site", "GET", []string{"Referer", "BASE/profile"}, 303, true},
		{"link on another site", "GET", []string{"Sec-Fetch-Site", "cross-site"}, 200, false},
		{"link on a sibling site", "GET", []string{"Sec-Fetch-Site", "same-site"}, 200, false},
		{"unknown Sec-Fetch-Site", "GET", []string{"Sec-Fetch-Site", "odd"}, 200, false},
		{"picture on another site", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Accept", "image/*"}, 200, false},
		{"prefetch", "GET", []string{"Sec-Fetch-Site", "same-origin", "Sec-Purpose", "prefetch;prerender"}, 200, false},
		{"old browser, link on another site", "GET", []string{"Referer", "https://evil.example/"}, 200, false},
		{"old browser, link on a site that begins like ours", "GET", []string{"Referer", "BASE.evil.example/"}, 200, false},
		{"form on the site", "POST", []string{"Sec-Fetch-Site", "same-origin", "Origin", "BASE"}, 200, true},
		{"old browser, form on the site", "POST", []string{"Origin", "BASE"}, 200, true},
		{"form on another site", "POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403, false},
		{"form on a sibling site", "POST", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://evil.example"}, 403, false},
		{"form in a sandbox", "POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "null"}, 403, false},
		{"old browser, form on another site", "POST", []string{"Origin", "https://evil.example"}, 403, false},
		{"old browser, form in a sandbox", "POST", []string{"Origin", "null"}, 403, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{})
			b := r.Browser()
			b.SignIn(finance)
			fields := slices.Clone(test.fields)
			for i := range fields {
				fields[i] = strings.Replace(fields[i], "BASE", r.BaseURL, 1)
			}
			before := b.Cookies()
			page := b.Send(test.method, "/logout", nil, fields...)
			page.Check(t, test.status)
			if test.ends {
				b.Get("/dashboard").Check(t, http.StatusSeeOther)
				return
			}
			if page.Status == http.StatusOK {
				page.Check(t, http.StatusOK, "Sign out?", `<form method="post" action="/logout">`)
			}
			if !maps.Equal(before, b.Cookies()) {
				t.Error("cookies have changed")
			}
			b.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
		})
	}
}

// Ending one session ends none of the person's others.
func TestSignOutEndsOneSession(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	desk, phone := r.Browser(), r.Browser()
	desk.SignIn(finance)
	phone.SignIn(finance)
	phone.Post("/logout", nil)
	desk.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
}

// Parts of two sessions' ID Tokens are never put together.
func TestIDTokenOfAnotherSession(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{provider: devidp.Config{IDTokenPadding: 1300}})
	first, second := r.Browser(), r.Browser()
	first.SignIn(finance)
	second.SignIn(finance)
	mixed := first.Cookies()
	mixed["id_token_1"] = second.Cookies()["id_token_1"]
	var header []string
	for name, value := range mixed {
		header = append(header, name+"="+value)
	}
	logout := r.Browser().Get("/logout", "Cookie", strings.Join(header, "; "))
	if target := logout.Location(); strings.Contains(target, "id_token_hint") || !strings.Contains(target, "client_id") {
		t.Errorf("sign-out leads to %.200s", target)
	}
}

// No cookie that somebody makes up is a session, a pending login or an ID Token.
func FuzzCookies(f *testing.F) {
	for _, seed := range []string{"", "x", "AAAA", "MTcwMDAwMDAwMHxBQUFB", `"quoted"`, "a=b; expense_session=c", "\x00", "%7B", strings.Repeat("A", 5000)} {
		f.Add(seed)
	}
	store, err := session.New(session.Config{
		Secrets: []secret.Text{apptest.SessionSecret, otherSecret}, IdleTimeout: time.Hour, MaxAge: time.Hour, Now: time.Now,
	})
	if err != nil {
		f.Fatal(err)
	}
	logins, err := signin.NewPending([]secret.Text{apptest.SessionSecret, otherSecret}, false, time.Now)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest("GET", "/", nil)
		for _, name := range []string{"expense_session", "id_token_0", "login_AAAAAAAAAAAA"} {
			r.Header.Add("Cookie", name+"="+value)
		}
		if person := store.Load(r); person != nil {
			t.Errorf("a session of %+v", person)
		}
		if rawIDToken := store.IDToken(r, &session.Session{}); rawIDToken != "" {
			t.Errorf("an ID Token %q", rawIDToken)
		}
		if login, err := logins.Take(r, value); err == nil {
			t.Errorf("a pending login %+v", login)
		}
	})
}

// startCopy starts another copy of the program's site beside r, with the same
// base URL, database and provider. Cookies are good for both, and a browser
// goes to the copy where its home is the copy's.
func startCopy(t *testing.T, r *rig, s setup) *rig {
	t.Helper()
	cfg, err := config.Load(r.variables(s).Get)
	if err != nil {
		t.Fatal(err)
	}
	log := &apptest.Buffer{}
	logger := logging.New(cfg.LogFormat, cfg.LogLevel, log)
	directory, err := team.Open(cfg.TeamsFile, logger)
	if err != nil {
		t.Fatal(err)
	}
	store, err := storepkg.Open(cfg.DatabaseURL, logger, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if err := store.Start(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	again := &rig{Rig: &apptest.Rig{T: t, Provider: r.Provider, Transport: r.Transport, Log: log, Database: r.Database}}
	p := parts{directory: directory, store: store, log: logger, stopping: func() bool { return false }, now: time.Now}
	if s.clock != nil {
		p.now = s.clock.Now
	}
	if again.site, err = newSite(cfg, p); err != nil {
		t.Fatal(err)
	}
	if err := again.site.signIn.client.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(again.site.routes())
	t.Cleanup(server.Close)
	again.BaseURL = server.URL
	return again
}

// sessionID is the public name of the browser's session.
func sessionID(t *testing.T, r *rig, b *browser) string {
	t.Helper()
	request := httptest.NewRequest("GET", "/", nil)
	for name, value := range b.Cookies() {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	person := r.site.sessions.Read(request)
	if person == nil {
		t.Fatal("the browser has no session")
	}
	return digest.Of(person.ID)
}

func TestReplayedCookieIsDeadOnEveryCopy(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		s := setup{env: map[string]string{"DATABASE_URL": databaseURL}}
		r := startSite(t, s)
		other := startCopy(t, r, s)
		b, bystander := r.Browser(), r.Browser()
		b.SignIn(finance)
		bystander.SignIn(finance)
		thief := r.Twin(b)
		if !r.IsSignedIn(thief) || !other.IsSignedIn(thief) {
			t.Fatal("the cookie is no good before it is replayed")
		}
		b.Post("/logout", nil).Check(t, http.StatusOK)
		if r.IsSignedIn(r.Twin(thief)) {
			t.Error("the cookie is good where it was ended")
		}
		time.Sleep(session.EndedWindow)
		page := thief.Get(other.BaseURL + "/dashboard")
		page.Check(t, http.StatusSeeOther)
		// The answer may come later than one that brings another session.
		if set := page.Header.Values("Set-Cookie"); len(set) > 0 {
			t.Errorf("a refusal sets cookies: %q", set)
		}
		thief.Get(other.BaseURL+"/profile", "Accept", "application/json").Check(t, http.StatusUnauthorized)
		if restarted := startCopy(t, r, s); restarted.IsSignedIn(thief) {
			t.Error("the cookie is good again after a restart")
		} else if !restarted.IsSignedIn(bystander) || !r.IsSignedIn(bystander) || !other.IsSignedIn(bystander) {
			t.Error("another session of the same person has ended too")
		}
	})
}

// What ends which sessions: of two browsers of one person and one of another's.
func TestWhatEndsWhichSessions(t *testing.T) {
	t.Parallel()
	type situation struct {
		r                         *rig
		desk, phone, other, admin *browser
	}
	answers := func(status int, err error, want int) error {
		if err == nil && status != want {
			err = fmt.Errorf("status %d, want %d", status, want)
		}
		return err
	}
	subject := apptest.SubjectOf(t, finance)
	tests := []struct {
		name               string
		end                func(s situation) error
		desk, phone, other bool // who is still signed in
	}{
		{"sign-out", func(s situation) error { return answers(s.phone.Post("/logout", nil).Status, nil, 200) }, true, false, true},
		{"own other session", func(s situation) error {
			return answers(s.desk.Post("/profile/sessions/"+sessionID(t, s.r, s.phone)+"/end", nil).Status, nil, 303)
		}, true, false, true},
		{"own other sessions", func(s situation) error {
			return answers(s.desk.Post("/profile/sessions/end-others", nil).Status, nil, 303)
		}, true, false, true},
		{"somebody else's by the profile", func(s situation) error {
			return answers(s.other.Post("/profile/sessions/"+sessionID(t, s.r, s.phone)+"/end", nil).Status, nil, 404)
		}, true, true, true},
		{"one by an administrator", func(s situation) error {
			return answers(s.admin.Post("/sessions/"+sessionID(t, s.r, s.phone)+"/end", nil).Status, nil, 303)
		}, true, false, true},
		{"all by an administrator", func(s situation) error {
			return answers(s.admin.Post("/sessions/end", url.Values{"sub": {subject}}).Status, nil, 303)
		}, false, false, true},
		{"one by somebody who is none", func(s situation) error {
			return answers(s.other.Post("/sessions/"+sessionID(t, s.r, s.phone)+"/end", nil).Status, nil, 404)
		}, true, true, true},
		{"all by somebody who is none", func(s situation) error {
			return answers(s.other.Post("/sessions/end", url.Values{"sub": {subject}}).Status, nil, 404)
		}, true, true, true},
		{"nobody by an administrator", func(s situation) error {
			return answers(s.admin.Post("/sessions/end", url.Values{"sub": {""}}).Status, nil, 404)
		}, true, true, true},
		{"by another site", func(s situation) error {
			return answers(s.desk.Post("/profile/sessions/end-others", nil, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").Status, nil, 403)
		}, true, true, true},
		{"back-channel logout of a session", func(s situation) error {
			answer, err := s.r.Provider.BackChannelLogout(s.r.BaseURL+backChannelLogoutPath, "", providerSID(t, s.r, s.phone))
			return answers(answer.Status, err, 200)
		}, true, false, true},
		{"back-channel logout of a person's session", func(s situation) error {
			answer, err := s.r.Provider.BackChannelLogout(s.r.BaseURL+backChannelLogoutPath, subject, providerSID(t, s.r, s.phone))
			return answers(answer.Status, err, 200)
		}, true, false, true},
		{"back-channel logout of a person", func(s situation) error {
			answer, err := s.r.Provider.BackChannelLogout(s.r.BaseURL+backChannelLogoutPath, subject, "")
			return answers(answer.Status, err, 200)
		}, false, false, true},
		{"back-channel logout of nobody here", func(s situation) error {
			answer, err := s.r.Provider.BackChannelLogout(s.r.BaseURL+backChannelLogoutPath, "nobody", "nothing")
			return answers(answer.Status, err, 200)
		}, true, true, true},
		{"universal logout by address", func(s situation) error {
			answer, err := s.r.Provider.GlobalTokenRevocation(s.r.BaseURL+universalLogoutPath, map[string]any{"format": "email", "email": "Carol.Lee@task-vantage.COM"})
			return answers(answer.Status, err, 204)
		}, false, false, true},
		{"universal logout by subject", func(s situation) error {
			answer, err := s.r.Provider.GlobalTokenRevocation(s.r.BaseURL+universalLogoutPath, map[string]any{"format": "iss_sub", "iss": s.r.Provider.Issuer(), "sub": subject})
			return answers(answer.Status, err, 204)
		}, false, false, true},
		{"universal logout of nobody here", func(s situation) error {
			answer, err := s.r.Provider.GlobalTokenRevocation(s.r.BaseURL+universalLogoutPath, map[string]any{"format": "email", "email": "nobody@example.com"})
			return answers(answer.Status, err, 404)
		}, true, true, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := apptest.NewClock()
			r := startSite(t, setup{clock: clock, env: logoutEnv()})
			s := situation{r, r.Browser(), r.Browser(), r.Browser(), r.Browser()}
			for b, email := range map[*browser]string{s.desk: finance, s.phone: finance, s.other: hr, s.admin: admin} {
				b.SignIn(email)
			}
			clock.Advance(time.Second)
			if err := test.end(s); err != nil {
				t.Fatal(err)
			}
			for who, b := range map[string]*browser{"desk": s.desk, "phone": s.phone, "other": s.other} {
				if got, want := r.IsSignedIn(b), map[string]bool{"desk": test.desk, "phone": test.phone, "other": test.other}[who]; got != want {
					t.Errorf("%s is signed in: %v, want %v", who, got, want)
				}
			}
			// Whoever was signed out may come back.
			clock.Advance(time.Second)
			s.phone.Visit("/team/finance").Check(t, http.StatusOK)
			again := r.Browser()
			again.SignIn(finance)
			if !r.IsSignedIn(again) {
				t.Error("nobody can sign in again")
			}
		})
	}
}

func logoutEnv() map[string]string {
	return map[string]string{"BACKCHANNEL_LOGOUT": "true", "UNIVERSAL_LOGOUT": "true", "FRONTCHANNEL_LOGOUT": "true"}
}

// providerSID is the sid of the ID Token that the browser's session came from.
func providerSID(t *testing.T, r *rig, b *browser) string {
	t.Helper()
	found, err := r.site.store.Sessions(t.Context(), sessions.Query{IDHash: sessionID(t, r, b), Limit: 1}, r.site.signIn.now())
	if err != nil || len(found) != 1 || found[0].ProviderSID == "" {
		t.Fatalf("the session's record is %+v, %v", found, err)
	}
	return found[0].ProviderSID
}

func TestSigningInAgainReplacesTheBrowsersSession(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	before := r.Twin(b)
	b.Visit("/login").Check(t, http.StatusOK)
	if !r.IsSignedIn(b) || r.IsSignedIn(before) {
		t.Error("the session before is still good, or the new one is not")
	}
	if found := listed(t, r); len(found) != 1 {
		t.Errorf("%d sessions are listed, want 1", len(found))
	}
}

func listed(t *testing.T, r *rig) []sessions.Record {
	t.Helper()
	found, err := r.site.store.Sessions(t.Context(), sessions.Query{Limit: 1000}, r.site.signIn.now())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// When the database is away nobody new comes in, and everybody else stays as
// they are: those signed in as well as those signed out.
func TestSessionsWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	other := startCopy(t, r, setup{})
	stays, leaves, left, comes := r.Browser(), r.Browser(), r.Browser(), r.Browser()
	for _, b := range []*browser{stays, leaves, left} {
		b.SignIn(finance)
	}
	dead := r.Twin(left)
	left.Post("/logout", nil)
	callback := comes.BeginSignIn(finance)
	thief := r.Twin(leaves)

	file := strings.TrimPrefix(r.Database, "sqlite:")
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	refused := comes.Get(callback.String())
	refused.Check(t, http.StatusServiceUnavailable, "cannot be recorded")
	if _, has := comes.Cookies()["expense_session"]; has || refused.Header.Get("Retry-After") == "" {
		t.Errorf("a session began, or nobody is told to wait: %v", refused.Header)
	}
	time.Sleep(session.EndedWindow)
	if !r.IsSignedIn(stays) || r.IsSignedIn(dead) {
		t.Error("somebody signed in is not, or somebody signed out is")
	}
	stays.Get("/profile").Check(t, http.StatusOK, "Carol Lee")
	leaves.Post("/logout", nil).Check(t, http.StatusOK)
	if r.IsSignedIn(leaves) || r.IsSignedIn(r.Twin(thief)) {
		t.Error("sign-out does not work")
	}
	log := r.Log.String()
	if !strings.Contains(log, "not recorded yet") || strings.Count(log, "not refreshed") != 1 {
		t.Error("the log does not tell it, or tells it again and again")
	}

	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	time.Sleep(session.EndedWindow)
	for range 2 {
		// The first request may be the one that finds the database back.
		r.IsSignedIn(stays)
		time.Sleep(session.EndedWindow)
	}
	if other.IsSignedIn(thief) {
		t.Error("the other copy was never told of the sign-out")
	}
	comes.Visit("/dashboard").Check(t, http.StatusOK, "Carol Lee")
}

// Before the database has ever answered nobody knows who has ended their session.
func TestStartWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	file := strings.TrimPrefix(r.Database, "sqlite:")
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	again := startCopy(t, r, setup{})
	page := b.Get(again.BaseURL + "/dashboard")
	page.Check(t, http.StatusServiceUnavailable, "!Carol")
	b.Get(again.BaseURL+"/").Check(t, http.StatusOK, "!Carol")
	if _, kept := b.Cookies()["expense_session"]; !kept {
		t.Error("the session's cookie is taken away")
	}
}

// A session's end is fixed when it begins: an ending may be forgotten then.
func TestLongerMaxAgeRevivesNothing(t *testing.T) {
	t.Parallel()
	clock := apptest.NewClock()
	short := setup{clock: clock, env: map[string]string{"SESSION_MAX_AGE": "1h", "SESSION_IDLE_TIMEOUT": "100h"}}
	long := setup{clock: clock, env: map[string]string{"SESSION_MAX_AGE": "100h", "SESSION_IDLE_TIMEOUT": "100h"}}
	r := startSite(t, short)
	b := r.Browser()
	b.SignIn(finance)
	longer := startCopy(t, r, long)
	clock.Advance(time.Hour - time.Second)
	if !longer.IsSignedIn(b) {
		t.Error("the session ends early")
	}
	clock.Advance(time.Second)
	if longer.IsSignedIn(b) {
		t.Error("the session lives on")
	}
}

// Within session.EndedWindow requests ask the database nothing, and where one has to,
// the others wait for its answer and ask nothing themselves.
func TestEndedSessionsCostFewQueries(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	records := r.site.sessions.Records()
	set := func(asked time.Time, asking chan struct{}) {
		records.Mu.Lock()
		defer records.Mu.Unlock()
		records.Asked, records.Asking = asked, asking
	}
	set(time.Now().Add(time.Hour), nil)
	// Whoever asks from here on finds out.
	file := strings.TrimPrefix(r.Database, "sqlite:")
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		b.Get("/").Check(t, http.StatusOK, "Carol Lee")
	}
	asking := make(chan struct{})
	set(time.Time{}, asking)
	var together sync.WaitGroup
	for range 8 {
		together.Go(func() { records.Refresh(t.Context()) })
	}
	close(asking)
	together.Wait()
	records.Mu.Lock()
	defer records.Mu.Unlock()
	if records.Failing || records.Asking != asking {
		t.Error("the database was asked")
	}
}

func TestSessionPages(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	desk, phone, boss := r.Browser(), r.Browser(), r.Browser()
	desk.SignIn(finance)
	callback := phone.BeginSignIn(finance)
	phone.Get(callback.String(), "User-Agent", "Mozilla/5.0 (iPhone; <script>alert(1)</script>) Safari/604.1")
	boss.SignIn(admin)
	own := `action="/profile/sessions/` + sessionID(t, r, desk) + `/end"`
	others := `action="/profile/sessions/` + sessionID(t, r, phone) + `/end"`
	desk.Get("/profile").Check(t, http.StatusOK, "Where you are signed in", "Safari on iPhone", "This one", "last used", "End all others", others, "!"+own, "!alert(1)", "!/sessions\"")
	boss.Get("/profile").Check(t, http.StatusOK, `href="/sessions"`, "!"+others)
	boss.Get("/sessions").Check(t, http.StatusOK, "Carol Lee", finance, "Hannah Smith", "Safari on iPhone", "!alert(1)", "This one")
	boss.Get("/sessions?q=CAROL").Check(t, http.StatusOK, finance, "!"+admin, "Last used", "!Not known")
	boss.Get("/sessions?q=%25").Check(t, http.StatusOK, "Nobody with such an address is signed in.")
	boss.Get("/sessions?q=%22%3E%3Cscript%3E").Check(t, http.StatusOK, "!<script>")
	for _, after := range []string{"x", "1", "1.x", ".", "1." + strings.Repeat("G", 64)} {
		boss.Get("/sessions?after="+url.QueryEscape(after)).Check(t, http.StatusBadRequest)
	}
	for _, test := range []struct {
		path     string
		statuses [3]int // of an anonymous visitor, a member, an administrator
	}{
		{"/sessions", [3]int{303, 404, 200}},
		{"/sessions/end", [3]int{303, 303, 303}}, // to the page of its form
	} {
		for i, b := range []*browser{r.Browser(), desk, boss} {
			b.Get(test.path).Check(t, test.statuses[i])
		}
	}
	told := desk.Follow(desk.Post("/profile/sessions/"+sessionID(t, r, phone)+"/end", nil))
	told.Check(t, http.StatusOK, "Ended the session of Carol Lee: Safari on iPhone.", "!"+others, "!End all others")
	desk.Get("/profile").Check(t, http.StatusOK, "!Ended the session")
	desk.Post("/profile/sessions/"+strings.Repeat("a", 64)+"/end", nil).Check(t, http.StatusNotFound)
	boss.Follow(boss.Post("/sessions/end", url.Values{"sub": {apptest.SubjectOf(t, finance)}, "q": {"carol lee"}})).Check(t, http.StatusOK, "Ended all sessions of Carol Lee.", `value="carol lee"`, "!"+finance)
}

// What a copy of the program knows of the use of sessions outlives it, and no request
// writes it.
func TestLastUseOutlivesTheProgram(t *testing.T) {
	t.Parallel()
	clock := apptest.NewClock()
	r := startSite(t, setup{clock: clock})
	desk := r.Browser()
	desk.SignIn(finance)
	signedIn := clock.Now()
	clock.Advance(20 * time.Minute)
	desk.Get("/dashboard").Check(t, http.StatusOK)
	lastUsed := func() time.Time {
		found, err := r.site.store.Sessions(t.Context(), sessions.Query{Limit: 2}, clock.Now())
		if err != nil || len(found) != 1 {
			t.Fatalf("%d sessions, %v", len(found), err)
		}
		return found[0].LastUsed
	}
	if got := lastUsed(); got.After(signedIn) {
		t.Errorf("a request has written when it came: %v", got)
	}
	stopping, stop := context.WithCancel(t.Context())
	wait := r.site.keepUp(stopping)
	stop()
	clock.Advance(time.Minute)
	desk.Get("/dashboard").Check(t, http.StatusOK)
	wait()
	if got := lastUsed(); got.Before(signedIn.Add(21 * time.Minute)) {
		t.Errorf("last used %v after the end, want the request while it stopped", got)
	}
}

// Whoever has to sign in before ending a session comes back to the list.
func TestEndingASessionAfterSigningInAgain(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	for target, page := range map[string]string{
		"/profile/sessions/end-others": "/profile", "/profile/sessions/x/end": "/profile", "/sessions/x/end": "/sessions", "/sessions/end": "/sessions",
	} {
		want := r.BaseURL + "/login?return_to=" + url.QueryEscape(page)
		if got := r.Browser().Post(target, nil).Location(); got != want {
			t.Errorf("%s leads to %s, want %s", target, got, want)
		}
	}
}

func TestManySessionsArePagedThrough(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		r := startSite(t, setup{env: map[string]string{"DATABASE_URL": databaseURL}})
		boss := r.Browser()
		boss.SignIn(admin)
		const people = 2*sessions.PageSize + 30
		for i := range people {
			record := sessions.Record{
				IDHash: digest.Of(fmt.Sprint(i)), Subject: fmt.Sprint("sub", i), Address: fmt.Sprintf("person-%03d@example.com", i), Name: fmt.Sprint("Person ", i),
				SignedInAt: time.Now().Add(-time.Duration(i/3) * time.Second), ExpiresAt: time.Now().Add(time.Hour),
			}
			if err := r.site.store.AddSession(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
		seen, pages := map[string]int{}, 0
		for target := "/sessions?q=PERSON-"; target != ""; pages++ {
			page := boss.Get(target)
			page.Check(t, http.StatusOK)
			for i := range people {
				seen[fmt.Sprint(i)] += strings.Count(page.Body, fmt.Sprintf("person-%03d@example.com", i))
			}
			_, next, _ := strings.Cut(page.Body, `<p><a href="`)
			next, _, more := strings.Cut(next, `">Next page`)
			if target = ""; more {
				target = strings.ReplaceAll(next, "&amp;", "&")
			}
		}
		for i := range people {
			if seen[fmt.Sprint(i)] != 1 {
				t.Errorf("person %d is listed %d times", i, seen[fmt.Sprint(i)])
			}
		}
		if pages != 3 {
			t.Errorf("%d pages, want 3", pages)
		}
	})
}

// End all others ends all of them, however many there are.
func TestEndAllOthersOfVeryMany(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	for i := range 2*sessions.PageSize + 1 {
		record := sessions.Record{
			IDHash: digest.Of(fmt.Sprint(i)), Subject: apptest.SubjectOf(t, finance), Address: finance, Name: "Carol Lee",
			SignedInAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
		}
		if err := r.site.store.AddSession(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	b.Follow(b.Post("/profile/sessions/end-others", nil)).Check(t, http.StatusOK, "Ended 201 other sessions.")
	if found := listed(t, r); len(found) != 1 || found[0].IDHash != sessionID(t, r, b) {
		t.Errorf("%d sessions are left", len(found))
	}
}

// What a browser says of itself is kept within bounds and as valid text.
func TestOddUserAgents(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		r := startSite(t, setup{env: map[string]string{"DATABASE_URL": databaseURL}})
		for _, userAgent := range []string{"\xff\xfe\xc3", strings.Repeat("ä", 5000), strings.Repeat("\xff", 1000), "\t'; DROP TABLE sessions; --"} {
			b := r.Browser()
			callback := b.BeginSignIn(finance)
			b.Get(callback.String(), "User-Agent", userAgent).Check(t, http.StatusSeeOther)
		}
		for _, record := range listed(t, r) {
			if length := len([]rune(record.UserAgent)); length > session.MaxUserAgent || length == 0 {
				t.Errorf("a browser's name of %d characters is kept", length)
			}
		}
	})
}

// A database has no session's ID, so that who reads it can be nobody.
func TestTheDatabaseHoldsNoSecret(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	values := slices.Collect(maps.Values(b.Cookies()))
	if err := r.site.store.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(strings.TrimPrefix(r.Database, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range values {
		if strings.Contains(string(data), value) {
			t.Error("the database holds a cookie")
		}
	}
	request := httptest.NewRequest("GET", "/", nil)
	for name, value := range b.Cookies() {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if person := r.site.sessions.Read(request); strings.Contains(string(data), person.ID) || !strings.Contains(string(data), digest.Of(person.ID)) {
		t.Error("the database holds the session's ID, or not its hash")
	}
}
