package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/weburl"
)

// groupTeams is a teams file in which groups say who sees what.
const groupTeams = `{
	"teams": [{"id": "finance", "label": "Finance"}, {"id": "hr", "label": "HR"}],
	"members": {"sarah.morgan@task-vantage.com": "hr"},
	"groups": {"Expenses Finance": "finance", "Expenses HR": "hr", "Expenses Admins": "admin"}
}`

func teamsFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "teams.json")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Groups decide what somebody sees, beside the address, and only where they are told
// in the right place and form.
func TestGroups(t *testing.T) {
	t.Parallel()
	idToken := func(name string, value any) devidp.Faults {
		return devidp.Faults{Claims: func(c map[string]any) { c[name] = value }}
	}
	for _, test := range []struct {
		name    string
		groups  string // where devidp tells them
		email   string
		env     map[string]string
		faults  devidp.Faults
		status  int // of the callback
		finance int // of Finance's page
		admin   int // of the sessions' page
	}{
		{"in the ID Token", "id_token", finance, nil, devidp.Faults{}, 303, 200, 404},
		{"in UserInfo", "userinfo", finance, nil, devidp.Faults{}, 303, 200, 404},
		{"an administrator's", "userinfo", admin, nil, devidp.Faults{}, 303, 200, 200},
		{"nowhere", "", finance, nil, devidp.Faults{}, 303, 404, 404},
		{"the address counts beside them", "", hr, nil, devidp.Faults{}, 303, 404, 404},
		{"one text in place of an array", "", finance, nil, idToken("groups", "Expenses Finance"), 303, 200, 404},
		{"under another claim", "", finance, map[string]string{"OKTA_GROUPS_CLAIM": "roles"}, idToken("roles", []string{"Expenses Finance"}), 303, 200, 404},
		{"of no use in the file", "", finance, nil, idToken("groups", []string{"Everyone", "Expenses"}), 303, 404, 404},
		{"thousands", "", finance, nil, idToken("groups", manyGroups()), 303, 200, 404},

		{"forged: in UserInfo, though the ID Token tells others", "id_token", finance, nil, devidp.Faults{UserInfo: func(c map[string]any) { c["groups"] = []string{"Expenses Admins"} }}, 303, 200, 404},
		{"forged: an empty array in the ID Token, others in UserInfo", "userinfo", admin, nil, idToken("groups", []string{}), 303, 404, 404},
		{"forged: under a name of another case", "", finance, nil, idToken("Groups", []string{"Expenses Admins"}), 303, 404, 404},
		{"forged: in another case", "", finance, nil, idToken("groups", []string{"expenses admins", " Expenses Admins", "Expenses Admins "}), 303, 404, 404},
		{"forged: beside the claim that counts", "", finance, map[string]string{"OKTA_GROUPS_CLAIM": "roles"}, idToken("groups", []string{"Expenses Admins"}), 303, 404, 404},
		{"forged: in the token answer", "", finance, nil, devidp.Faults{Token: func(c map[string]any) { c["groups"] = []string{"Expenses Admins"} }}, 303, 404, 404},
		{"forged: joined", "", finance, nil, idToken("groups", []string{"Everyone,Expenses Admins", "Everyone\x00Expenses Admins"}), 303, 404, 404},
		{"an object", "", finance, nil, idToken("groups", map[string]any{"Expenses Admins": true}), 502, 303, 303},
		{"an array with a number", "", finance, nil, idToken("groups", []any{"Expenses Finance", 1}), 502, 303, 303},
		{"a number", "", finance, nil, idToken("groups", 1), 502, 303, 303},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"TEAMS_FILE": teamsFile(t, groupTeams)}
			for name, value := range test.env {
				env[name] = value
			}
			r := startSite(t, setup{env: env, provider: devidp.Config{Groups: test.groups}, faults: test.faults})
			b := r.Browser()
			b.Get(b.BeginSignIn(test.email).String()).Check(t, test.status)
			b.Get("/team/finance").Check(t, test.finance)
			b.Get("/sessions").Check(t, test.admin)
		})
	}
}

func manyGroups() []string {
	groups := []string{"Expenses Finance"}
	for i := range 3000 {
		groups = append(groups, fmt.Sprintf("A group that nothing here names %d", i))
	}
	return groups
}

// A change of groups counts at the next sign-in, and a provider is not asked for what
// no rule needs.
func TestGroupsCountAtTheNextSignIn(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{env: map[string]string{"TEAMS_FILE": teamsFile(t, groupTeams)}, provider: devidp.Config{Groups: "id_token", FullIDTokens: true}})
	b := r.Browser()
	b.SignIn(finance)
	b.Get("/team/finance").Check(t, http.StatusOK)
	b.Get("/profile").Check(t, http.StatusOK, "Expenses Finance", "!Everyone")
	r.Provider.SetFaults(devidp.Faults{Claims: func(c map[string]any) { c["groups"] = []string{"Expenses HR"} }})
	b.Get("/team/finance").Check(t, http.StatusOK)
	b.Visit("/login")
	b.Get("/team/finance").Check(t, http.StatusNotFound)
	b.Get("/team/hr").Check(t, http.StatusOK)
	if got := r.Provider.Count("userinfo"); got != 0 {
		t.Errorf("UserInfo was asked %d times for what the ID Token says", got)
	}
}

func TestEmailClaim(t *testing.T) {
	t.Parallel()
	env := map[string]string{"OKTA_EMAIL_CLAIM": "upn"}
	claims := devidp.Faults{UserInfo: func(c map[string]any) {
		c["upn"], c["email"], c["email_verified"] = finance, admin, false
	}}
	r := startSite(t, setup{env: env, faults: claims})
	b := r.Browser()
	b.Get(b.BeginSignIn(hr).String()).Check(t, http.StatusSeeOther)
	b.Get("/team/finance").Check(t, http.StatusOK)
	b.Get("/profile").Check(t, http.StatusOK, finance, "!"+admin, "!not verified")
	missing := startSite(t, setup{env: env})
	b = missing.Browser()
	b.Get(b.BeginSignIn(finance).String()).Check(t, http.StatusBadGateway, "Okta does not tell us your email address", "upn")
}

func TestPrompt(t *testing.T) {
	t.Parallel()
	for _, prompt := range []string{"", "login", "select_account"} {
		r := startSite(t, setup{env: map[string]string{"OKTA_PROMPT": prompt}})
		r.Browser().SignIn(finance)
		if got := r.Provider.Requests("authorize")[0].Query.Get("prompt"); got != prompt {
			t.Errorf("prompt is %q, want %q", got, prompt)
		}
	}
}

// After SESSION_RECHECK the next page asks the provider, who asks nobody.
func TestRecheck(t *testing.T) {
	t.Parallel()
	const period = 15 * time.Minute
	set := func(t *testing.T, s setup) (*rig, *apptest.Browser, *apptest.Clock) {
		t.Helper()
		s.clock = apptest.NewClock()
		s.env = map[string]string{"SESSION_RECHECK": "15m", "OKTA_PROMPT": "login", "TEAMS_FILE": teamsFile(t, groupTeams)}
		s.provider.Groups = "id_token"
		r := startSite(t, s)
		b := r.Browser()
		b.SignIn(finance)
		return r, b, s.clock
	}
	t.Run("still there, in other groups", func(t *testing.T) {
		t.Parallel()
		r, b, clock := set(t, setup{})
		before := sessionID(t, r, b)
		clock.Advance(period - time.Second)
		b.Get("/team/finance").Check(t, http.StatusOK)
		clock.Advance(time.Second)
		b.Get("/profile", "Accept", "application/json").Check(t, http.StatusUnauthorized, "Confirm that it is you", "!not signed in")
		b.Get("/profile", "Sec-Fetch-Mode", "cors").Check(t, http.StatusUnauthorized)
		r.Provider.SetFaults(devidp.Faults{Claims: func(c map[string]any) { c["groups"] = []string{"Expenses HR"} }})
		page := b.Get("/team/hr?q=a")
		page.Check(t, http.StatusSeeOther)
		asked, err := url.Parse(page.Location())
		if err != nil || asked.Query().Get("prompt") != "none" || asked.Query().Get("nonce") == "" {
			t.Fatalf("the recheck asks %v, %v", asked, err)
		}
		if page = b.Follow(page); page.URL.RequestURI() != "/team/hr?q=a" {
			t.Errorf("the recheck ends at %s", page.URL)
		}
		page.Check(t, http.StatusOK)
		b.Get("/team/finance").Check(t, http.StatusNotFound)
		if after := sessionID(t, r, b); after != before || len(listed(t, r)) != 1 {
			t.Errorf("the session was %s and is %s, of %d", before, after, len(listed(t, r)))
		}
	})
	t.Run("a form goes on by a page", func(t *testing.T) {
		t.Parallel()
		r, b, clock := set(t, setup{})
		clock.Advance(period)
		page := b.Post("/team/finance/expenses", url.Values{"item": {"A lunch that waits"}, "amount": {"12"}, "date": {"2026-01-02"}, "category": {"Meals"}})
		page.Check(t, http.StatusOK, "One moment")
		if !strings.HasPrefix(page.Header.Get("Refresh"), "0; url="+r.Provider.Issuer()) || page.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("the answer is %v", page.Header)
		}
		b.Follow(page).Check(t, http.StatusOK, "A lunch that waits")
	})
	t.Run("signed out at the provider", func(t *testing.T) {
		t.Parallel()
		r, b, clock := set(t, setup{})
		b.Client.Jar.SetCookies(mustParse(t, r.Provider.Issuer()), []*http.Cookie{{Name: "devidp_session", Path: "/", MaxAge: -1}})
		clock.Advance(period)
		page := b.Visit("/team/finance")
		page.Check(t, http.StatusOK, "Development sign-in")
		b.Choose(page, finance).Check(t, http.StatusOK)
		// Nobody gets past it.
		clock.Advance(period)
		r.Provider.SetFaults(authorizeError("access_denied", "User is not assigned to the client application."))
		for range 2 {
			b.Visit("/team/finance").Check(t, http.StatusForbidden, "not assigned")
		}
	})
	t.Run("another person at the provider", func(t *testing.T) {
		t.Parallel()
		r, b, clock := set(t, setup{provider: devidp.Config{FullIDTokens: true}})
		clock.Advance(period)
		r.Provider.SetFaults(devidp.Faults{Claims: func(c map[string]any) { c["sub"] = apptest.SubjectOf(t, admin) }})
		back := b.Get(b.Get(b.Get("/team/finance").Location()).Location())
		if back.Check(t, http.StatusSeeOther); back.Header.Get("Location") != "/login?return_to=%2Fteam%2Ffinance" {
			t.Errorf("the recheck leads to %s", back.Header.Get("Location"))
		}
		if found := listed(t, r); len(found) != 0 || b.Cookies()["expense_session"] != "" {
			t.Errorf("the session goes on though the provider has another person's: %v", found)
		}
		if !strings.Contains(r.Log.String(), "another_person") {
			t.Error("the log does not say why the session ended")
		}
	})
	t.Run("the provider is away", func(t *testing.T) {
		t.Parallel()
		r, b, clock := set(t, setup{})
		r.Provider.SetFaults(answerWith("openid-configuration", 503, upstreamText))
		clock.Advance(period)
		b.Get("/team/finance").Check(t, http.StatusOK)
		clock.Advance(period - time.Second)
		b.Get("/team/finance").Check(t, http.StatusOK)
		if got := strings.Count(r.Log.String(), "event=recheck_postponed"); got != 1 {
			t.Errorf("%d lines of a recheck that was put off", got)
		}
		clock.Advance(time.Second)
		b.Get("/team/finance").Check(t, http.StatusServiceUnavailable)
		r.Provider.SetFaults(devidp.Faults{})
		clock.Advance(10 * time.Second)
		b.Visit("/team/finance").Check(t, http.StatusOK, "Finance")
	})
	t.Run("the token endpoint is away", func(t *testing.T) {
		t.Parallel()
		r, b, clock := set(t, setup{})
		r.Provider.SetFaults(answerWith("token", 503, upstreamText))
		clock.Advance(period)
		b.Visit("/team/finance").Check(t, http.StatusOK)
		clock.Advance(period)
		b.Visit("/team/finance").Check(t, http.StatusServiceUnavailable)
	})
}

// Whoever goes away while the provider is asked whether it is there puts no recheck
// off, nor makes another one fail.
func TestRecheckOfWhoGoesAway(t *testing.T) {
	t.Parallel()
	clock := apptest.NewClock()
	r := startSite(t, setup{clock: clock, env: map[string]string{"SESSION_RECHECK": "15m"}})
	b := r.Browser()
	b.SignIn(finance)
	arrived, release := make(chan struct{}), make(chan struct{})
	r.Provider.SetFaults(devidp.Faults{Intercept: func(endpoint string) http.HandlerFunc {
		if endpoint == "openid-configuration" {
			close(arrived)
			<-release
		}
		return nil
	}})
	clock.Advance(15 * time.Minute)
	ctx, leave := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.BaseURL+"/team/finance", nil)
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	client := r.Twin(b).Client
	go func() {
		response, err := client.Do(request)
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
	for !strings.Contains(r.Log.String(), "path=/team/finance") && t.Context().Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if log := r.Log.String(); strings.Contains(log, "recheck_postponed") || !strings.Contains(log, "path=/team/finance status=499") {
		t.Errorf("the recheck of whoever went away is put off: %s", log)
	}
	close(release)
	if page := b.Get("/team/finance"); page.Status != http.StatusSeeOther || mustParse(t, page.Location()).Query().Get("prompt") != "none" {
		t.Errorf("the next recheck gets %d %s", page.Status, page.Location())
	}
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// What matters most needs a proof that is not old, and only the provider's word
// counts for it.
func TestStepUp(t *testing.T) {
	t.Parallel()
	const loa = "urn:okta:loa:2fa:any"
	env := map[string]string{"STEP_UP_MAX_AGE": "5m", "STEP_UP_ACR_VALUES": loa}
	for _, test := range []struct {
		name   string
		faults devidp.Faults // of the step-up
		status int           // where it ends
		ends   bool          // whether the form works then
	}{
		{"proved", devidp.Faults{}, 200, true},
		{"auth_time is stale", devidp.Faults{Claims: func(c map[string]any) { c["auth_time"] = c["iat"].(int64) - 3600 }}, 502, false},
		{"auth_time is missing", claim("auth_time", absent), 502, false},
		{"auth_time is a text", claim("auth_time", "now"), 502, false},
		{"acr is another", claim("acr", "urn:okta:loa:1fa:any"), 502, false},
		{"acr is missing", claim("acr", absent), 502, false},
		{"acr is an array", claim("acr", []string{loa}), 502, false},
		{"acr only in UserInfo", devidp.Faults{Claims: func(c map[string]any) { delete(c, "acr") }, UserInfo: func(c map[string]any) { c["acr"] = loa }}, 502, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := apptest.NewClock()
			r := startSite(t, setup{clock: clock, env: env, provider: devidp.Config{ACR: loa}})
			boss, other := r.Browser(), r.Browser()
			other.SignIn(finance)
			boss.SignIn(admin)
			end := func() *apptest.Reply {
				return boss.Post("/sessions/end", url.Values{"sub": {apptest.SubjectOf(t, finance)}})
			}
			page := end()
			page.Check(t, http.StatusOK, "Confirm that it is you")
			asked := mustParse(t, page.Location()).Query()
			if asked.Get("max_age") != "300" || asked.Get("acr_values") != loa {
				t.Errorf("the step-up asks %v", asked)
			}
			if !r.IsSignedIn(other) {
				t.Fatal("the form worked without a step-up")
			}
			clock.Advance(6 * time.Minute)
			r.Provider.SetFaults(test.faults)
			boss.Choose(boss.Follow(end()), admin).Check(t, test.status)
			r.Provider.SetFaults(devidp.Faults{})
			if answer := end(); (answer.Status == http.StatusSeeOther) != test.ends || r.IsSignedIn(other) == test.ends {
				t.Errorf("after the step-up the form gets %d, and the other is signed in: %v", answer.Status, r.IsSignedIn(other))
			}
			boss.Get("/dashboard").Check(t, http.StatusOK)
		})
	}
}

// Each route that a step-up guards asks for one, and no other does.
func TestStepUpRoutes(t *testing.T) {
	t.Parallel()
	clock := apptest.NewClock()
	r := startSite(t, setup{clock: clock, env: map[string]string{"STEP_UP_MAX_AGE": "5m"}})
	b := r.Browser()
	b.SignIn(admin)
	clock.Advance(6 * time.Minute)
	for path, guarded := range map[string]bool{
		"/sessions/unknown/end": true, "/sessions/end": true, "/people/1/join": true, "/expenses/import/unknown": true,
		"/profile/sessions/end-others": false, "/expenses/import/unknown/discard": false,
	} {
		page := b.Post(path, url.Values{})
		if asks := page.Header.Get("Refresh") != ""; asks != guarded {
			t.Errorf("%s asks for a step-up: %v (status %d)", path, asks, page.Status)
		}
		other := b.Post(path, url.Values{}, "Accept", "application/json")
		if guarded {
			other.Check(t, http.StatusUnauthorized, "Confirm that it is you", "!not signed in")
		} else {
			other.Check(t, page.Status)
		}
	}
}

// Okta's page loads the address into a frame, without a cookie.
func TestFrontChannelLogout(t *testing.T) {
	t.Parallel()
	startSite(t, setup{}).Browser().Get("/logout/frontchannel?iss=a&sid=b").Check(t, http.StatusNotFound)
	r := startSite(t, setup{env: map[string]string{"FRONTCHANNEL_LOGOUT": "true"}})
	b := r.Browser()
	b.SignIn(finance)
	sid := listed(t, r)[0].ProviderSID
	issuer, org := r.Provider.Issuer(), weburl.Origin(r.Provider.Issuer())
	for _, test := range []struct {
		name   string
		query  url.Values
		status int
		ends   bool
	}{
		{"no issuer", url.Values{"sid": {sid}}, 400, false},
		{"another issuer", url.Values{"iss": {"https://evil.example"}, "sid": {sid}}, 400, false},
		{"two issuers", url.Values{"iss": {issuer, issuer}, "sid": {sid}}, 400, false},
		{"no session", url.Values{"iss": {issuer}}, 400, false},
		{"an empty session", url.Values{"iss": {issuer}, "sid": {""}}, 400, false},
		{"two sessions", url.Values{"iss": {issuer}, "sid": {sid, "other"}}, 400, false},
		{"a session of nobody", url.Values{"iss": {issuer}, "sid": {"unknown"}}, 200, false},
		{"the session", url.Values{"iss": {org}, "sid": {sid}}, 200, true},
		{"the session once more", url.Values{"iss": {issuer}, "sid": {sid}}, 200, true},
	} {
		frame := r.Browser()
		answer := frame.Get("/logout/frontchannel?"+test.query.Encode(), "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "iframe")
		if answer.Check(t, test.status); r.IsSignedIn(b) == test.ends {
			t.Errorf("%s: the session is there: %v", test.name, !test.ends)
		}
		if got := answer.Header.Get("Content-Security-Policy"); !strings.HasSuffix(got, "frame-ancestors "+org) || len(answer.Header["Set-Cookie"]) > 0 {
			t.Errorf("%s: the answer is %v", test.name, answer.Header)
		}
	}
	b.Send(http.MethodHead, "/logout/frontchannel?"+url.Values{"iss": {issuer}, "sid": {sid}}.Encode(), nil).Check(t, http.StatusOK)
	b.Send(http.MethodPost, "/logout/frontchannel", nil).Check(t, http.StatusMethodNotAllowed)
	if log := r.Log.String(); strings.Contains(log, "status=0") {
		t.Errorf("an answer is logged without its status: %s", log)
	}
	// An error is a page of ours, which nobody may frame.
	file := strings.TrimPrefix(r.Database, "sqlite:")
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	away := r.Browser().Get("/logout/frontchannel?" + url.Values{"iss": {issuer}, "sid": {sid}}.Encode())
	if away.Check(t, http.StatusServiceUnavailable); !strings.Contains(away.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") || away.Header.Get("Cross-Origin-Resource-Policy") != "same-origin" {
		t.Errorf("the page of an error may be framed: %v", away.Header)
	}
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	if got := b.Get("/").Header.Get("Content-Security-Policy"); !strings.Contains(got, "frame-ancestors 'none'") {
		t.Errorf("a page of ours may be framed: %s", got)
	}
}

// Where the provider wants requests pushed, the browser only carries a reference.
func TestPushedRequests(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{provider: devidp.Config{RequirePushedRequests: true}})
	b := r.Browser()
	b.SignIn(finance)
	seen := r.Provider.Requests("authorize")[0].Query
	if len(seen) != 2 || seen.Get("client_id") == "" || seen.Get("request_uri") == "" {
		t.Errorf("the browser carries %v", seen)
	}
	pushed := r.Provider.Requests("par")[0]
	if pushed.Form.Get("code_challenge_method") != "S256" || pushed.Form.Get("state") == "" || pushed.Form.Get("nonce") == "" || pushed.Header.Get("Authorization") == "" {
		t.Errorf("what is pushed is %v, %v", pushed.Form, pushed.Header)
	}
	for _, test := range []struct {
		name   string
		faults devidp.Faults
		status int
	}{
		{"refused", answerWith("par", 400, oauthFailure("invalid_request")), 502},
		{"busy", answerWith("par", 429, upstreamText), 429},
		{"away", answerWith("par", 503, upstreamText), 503},
		{"a page", answerWith("par", 201, "<html>"+upstreamText, "Content-Type", "text/html"), 502},
		{"without a reference", answerWith("par", 201, `{"expires_in":60}`), 502},
	} {
		r.Provider.SetFaults(test.faults)
		r.Browser().Get("/login").Check(t, test.status, "!"+upstreamText)
	}
	r.Provider.SetFaults(devidp.Faults{})
	r.Browser().SignIn(finance)
}

// Pushes that the provider does not answer are bounded: the rest is told to wait.
func TestPushesAreBounded(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{provider: devidp.Config{RequirePushedRequests: true}})
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	r.Provider.SetFaults(intercept("par", func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-release
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	const many = 16
	done := make(chan int, many)
	for range many {
		go func() { done <- r.Browser().Get("/login").Status }()
	}
	for range many {
		<-arrived
	}
	refused := r.Browser().Get("/login")
	if refused.Check(t, http.StatusTooManyRequests); refused.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	close(release)
	for range many {
		if status := <-done; status != http.StatusServiceUnavailable {
			t.Errorf("a push that was answered ends with %d", status)
		}
	}
}
