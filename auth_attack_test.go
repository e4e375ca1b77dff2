package main

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/openid"
)

// An attack is a sign-in with one thing changed. Whatever the change, there
// must be no session of it, no second token request, and nothing in the page or
// the log that the provider or the browser sent in confidence.
type attack struct {
	name     string
	setup    setup
	faults   devidp.Faults
	callback func(query url.Values) // changes the parameters that the browser comes back with
	raw      func(query string) string
	cookies  func(b *apptest.Browser, r *rig, query url.Values) // changes the browser's cookies before it comes back

	status     int
	reason     openid.Reason
	token      int    // requests that the provider sees
	userInfo   int    // requests that the provider sees, or anyNumber
	retryAfter string // header of the answer
	log        string // must be in the log
}

// anyNumber is a count that does not matter.
const anyNumber = -1

// upstreamText stands in bodies that the provider sends and nobody may see.
const upstreamText = "upstream-canary-5e1f"

// An attackGroup is a part of the catalogue, with how many rows it has at least.
type attackGroup struct {
	name    string
	attacks []attack
	atLeast int
}

func attackGroups() []attackGroup {
	return []attackGroup{
		{"callback", callbackAttacks(), 43},
		{"token answer", tokenAttacks(), 56},
		{"ID Token claims", claimAttacks(), 125},
		{"ID Token signature", signatureAttacks(), 52},
		{"keys", keyAttacks(), 7},
		{"algorithms", algorithmAttacks(), 16},
		{"UserInfo", userInfoAttacks(), 50},
	}
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	for _, group := range attackGroups() {
		for _, a := range group.attacks {
			t.Run(group.name+"/"+a.name, func(t *testing.T) {
				t.Parallel()
				a.run(t)
			})
		}
	}
}

// TestAttackCatalogue says how many rows each group has, and that none has lost
// any and none has two of one name.
func TestAttackCatalogue(t *testing.T) {
	t.Parallel()
	total := 0
	check := func(name string, rows []string, atLeast int) {
		sorted := slices.Sorted(slices.Values(rows))
		if distinct := slices.Compact(sorted); len(distinct) != len(rows) {
			t.Errorf("%s: %d rows have %d names", name, len(rows), len(distinct))
		}
		if len(rows) < atLeast {
			t.Errorf("%s: %d rows, there were %d", name, len(rows), atLeast)
		}
		total += len(rows)
		t.Logf("%-24s %3d rows", name, len(rows))
	}
	for _, g := range attackGroups() {
		check(g.name, namesOf(g.attacks, func(a attack) string { return a.name }), g.atLeast)
	}
	check("discovery, lasting", namesOf(lastingFaults(), func(f discoveryFaultTest) string { return f.name }), 104)
	check("discovery, passing", namesOf(passingFaults(), func(f discoveryFaultTest) string { return f.name }), 6)
	check("back-channel logout", namesOf(backChannelAttacks(), func(a remoteAttack) string { return a.name }), 72)
	check("universal logout", namesOf(universalAttacks(), func(a remoteAttack) string { return a.name }), 93)
	check("conformance suite", namesOf(modules(), func(m module) string { return m.plan + " " + m.name }), 32)
	check("what must work", namesOf(unusualSignIns(), func(a attack) string { return a.name }), 31)
	t.Logf("%-24s %3d rows", "all", total)
}

func namesOf[T any](rows []T, name func(T) string) []string {
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = name(row)
	}
	return names
}

// run attacks a guest, and then someone who is signed in.
func (a attack) run(t *testing.T) {
	r := startSite(t, a.setup)
	guest, member := r.Browser(), r.Browser()
	member.SignIn(finance)
	for _, b := range []*apptest.Browser{guest, member} {
		before := withoutLogins(b.Cookies())
		canaries := &canaries{}
		r.Provider.SetFaults(canaries.watch(a.faults))
		r.Provider.ResetRequests()
		page := a.carryOut(t, r, b)
		if b == member && a.reason == openid.NoPendingLogin {
			goesOnQuietly(t, r, page)
		} else {
			a.checkAnswer(t, r, page)
		}
		canaries.check(t, r, page)
		after := withoutLogins(b.Cookies())
		if !maps.Equal(after, before) {
			t.Errorf("the browser's session was %d cookies and is now other %d", len(before), len(after))
		}
	}
	r.Provider.SetFaults(devidp.Faults{})
	guest.Get("/dashboard").Check(t, http.StatusSeeOther)
	member.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee", "/team/finance", "!/team/hr")
}

// withoutLogins leaves out a browser's secret for sign-ins.
func withoutLogins(cookies map[string]string) map[string]string {
	maps.DeleteFunc(cookies, func(name, _ string) bool { return strings.HasPrefix(name, "login_") })
	return cookies
}

// goesOnQuietly asserts that a callback which nobody can sign in with leads
// somebody who is signed in to a page, and asks the provider nothing.
func goesOnQuietly(t *testing.T, r *rig, page *apptest.Reply) {
	t.Helper()
	page.Check(t, http.StatusSeeOther)
	if got := page.Header.Get("Location"); got != "/dashboard" {
		t.Errorf("the callback leads to %q", got)
	}
	if got := r.Provider.Count("token"); got != 0 {
		t.Errorf("%d token requests", got)
	}
}

// carryOut signs in as an administrator and returns the answer to the callback.
func (a attack) carryOut(t *testing.T, r *rig, b *apptest.Browser) *apptest.Reply {
	t.Helper()
	callback := b.BeginSignIn(admin)
	query := callback.Query()
	if a.cookies != nil {
		a.cookies(b, r, query)
	}
	if a.callback != nil {
		a.callback(query)
		callback.RawQuery = query.Encode()
	}
	if a.raw != nil {
		callback.RawQuery = a.raw(callback.RawQuery)
	}
	return b.Get(callback.String())
}

func (a attack) checkAnswer(t *testing.T, r *rig, page *apptest.Reply) {
	t.Helper()
	page.Check(t, a.status)
	if got := page.Header.Get("Retry-After"); got != a.retryAfter {
		t.Errorf("Retry-After = %q, want %q", got, a.retryAfter)
	}
	if page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control = %q", page.Header.Get("Cache-Control"))
	}
	for endpoint, want := range map[string]int{"token": a.token, "userinfo": a.userInfo} {
		if got := r.Provider.Count(endpoint); got != want && want != anyNumber {
			t.Errorf("%d requests to %s, want %d", got, endpoint, want)
		}
	}
	reference := strings.TrimSuffix(strings.TrimPrefix(referenceText.FindString(page.Body), "<code>"), "</code>")
	line := failureLine(r.Log.String(), reference)
	if reference == "" || !strings.Contains(line, "reason="+string(a.reason)) || !strings.Contains(line, a.log) {
		t.Errorf("reference %q, reason %s and %q are not in one line of the log, but: %s", reference, a.reason, a.log, line)
	}
}

// failureLine is the one line of a log that tells why a sign-in failed.
func failureLine(log, reference string) string {
	for line := range strings.Lines(log) {
		if strings.Contains(line, "event=sign_in_failed") && strings.Contains(line, "ref="+reference) {
			return line
		}
	}
	return ""
}

// canaries are the texts of one sign-in that must be seen nowhere.
type canaries struct {
	mu    sync.Mutex
	texts []string
}

func (c *canaries) add(texts ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range texts {
		if len(text) >= 16 {
			c.texts = append(c.texts, text)
		}
	}
}

// watch lets the faults pass and keeps the tokens that are handed out.
func (c *canaries) watch(faults devidp.Faults) devidp.Faults {
	token := faults.Token
	faults.Token = func(response map[string]any) {
		note := func() {
			accessToken, _ := response["access_token"].(string)
			idToken, _ := response["id_token"].(string)
			c.add(accessToken, idToken)
			c.add(strings.Split(idToken, ".")...)
		}
		note()
		if token != nil {
			token(response)
			note()
		}
	}
	return faults
}

// check looks for every canary in an answer and the log.
func (c *canaries) check(t *testing.T, r *rig, page *apptest.Reply) {
	t.Helper()
	c.add(upstreamText, r.Provider.ClientSecret())
	for _, request := range r.Provider.Requests("authorize") {
		c.add(request.Query.Get("state"), request.Query.Get("nonce"), request.Query.Get("code_challenge"))
	}
	for _, request := range r.Provider.Requests("token") {
		c.add(request.Form.Get("code"), request.Form.Get("code_verifier"))
	}
	c.add(page.URL.Query().Get("code"), page.URL.Query().Get("state"))
	header := page.Header.Clone()
	header.Del("Set-Cookie") // encrypted
	shown, log := page.Body+fmt.Sprint(header), r.Log.String()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range c.texts {
		if strings.Contains(shown, text) {
			t.Errorf("the answer holds %.60q", text)
		}
		if strings.Contains(log, text) {
			t.Errorf("the log holds %.60q", text)
		}
	}
}

func set(name string, values ...string) func(url.Values) {
	return func(query url.Values) { query[name] = values }
}

func callbackAttacks() []attack {
	const issuerAnnounced = true
	announced := setup{provider: devidp.Config{ResponseIssuer: issuerAnnounced}}
	rows := []attack{
		{name: "state is missing", callback: set("state"), reason: openid.MalformedCallback},
		{name: "state is empty", callback: set("state", ""), reason: openid.MalformedCallback},
		{name: "state is in padded base64", callback: func(q url.Values) { q.Set("state", q.Get("state")+"=") }, reason: openid.NoPendingLogin},
		{name: "state is changed in the middle", callback: func(q url.Values) { q.Set("state", flipMiddle(q.Get("state"))) }, reason: openid.NoPendingLogin},
		{name: "state is another", callback: set("state", strings.Repeat("A", 26)), reason: openid.NoPendingLogin},
		{name: "state is off by one character", callback: func(q url.Values) { q.Set("state", q.Get("state")[1:]) }, reason: openid.NoPendingLogin},
		{name: "state in another case", callback: func(q url.Values) { q.Set("state", strings.ToLower(q.Get("state"))) }, reason: openid.NoPendingLogin},
		{name: "state with a space", callback: func(q url.Values) { q.Set("state", q.Get("state")+" ") }, reason: openid.NoPendingLogin},
		{name: "state twice", callback: func(q url.Values) { q.Add("state", q.Get("state")) }, reason: openid.MalformedCallback},
		{name: "state under a name of another case", callback: func(q url.Values) { q["State"] = q["state"]; q.Del("state") }, reason: openid.MalformedCallback},
		{name: "code is missing", callback: set("code"), reason: openid.MalformedCallback},
		{name: "code is empty", callback: set("code", ""), reason: openid.MalformedCallback},
		{name: "code twice", callback: func(q url.Values) { q.Add("code", q.Get("code")) }, reason: openid.MalformedCallback},
		{name: "code of nobody", callback: set("code", "not-a-code-of-the-provider"), reason: openid.CodeRefused, token: 1},
		{name: "iss is another", callback: set("iss", "https://evil.example"), reason: openid.ForeignIssuer},
		{name: "iss is empty", callback: set("iss", ""), reason: openid.MalformedCallback},
		{name: "iss is missing though announced", setup: announced, callback: set("iss"), reason: openid.ForeignIssuer},
		{name: "iss is another though announced", setup: announced, callback: set("iss", "https://evil.example"), reason: openid.ForeignIssuer},
		{name: "iss with a trailing slash", setup: announced, callback: func(q url.Values) { q.Set("iss", q.Get("iss")+"/") }, reason: openid.ForeignIssuer},
		{name: "iss twice", setup: announced, callback: func(q url.Values) { q.Add("iss", q.Get("iss")) }, reason: openid.MalformedCallback},
		{name: "error twice", callback: set("error", "access_denied", "access_denied"), reason: openid.MalformedCallback},
		{name: "query is malformed", raw: func(query string) string { return query + "&%zz=1" }, reason: openid.MalformedCallback},
		{name: "query with semicolons", raw: func(query string) string { return strings.ReplaceAll(query, "&", ";") }, reason: openid.MalformedCallback},
		{name: "query is empty", raw: func(string) string { return "" }, reason: openid.MalformedCallback},
		{name: "query is huge", raw: func(query string) string { return query + strings.Repeat("&x=y", 8000) + "&code=1" }, reason: openid.MalformedCallback},
		{name: "browser has no cookie", cookies: dropPending, reason: openid.NoPendingLogin},
		{name: "cookie is empty", cookies: replacePending(func(string) string { return "" }), reason: openid.NoPendingLogin},
		{name: "cookie is cut short", cookies: replacePending(func(v string) string { return v[:len(v)-1] }), reason: openid.NoPendingLogin},
		{name: "cookie is changed in the middle", cookies: replacePending(flipMiddle), reason: openid.NoPendingLogin},
		{name: "cookie is another attempt's", cookies: swapPending, reason: openid.NoPendingLogin},
		{name: "cookie is of another secret", cookies: foreignPending, callback: func(url.Values) {}, reason: openid.NoPendingLogin},
		{name: "begun in another browser", cookies: func(_ *apptest.Browser, r *rig, query url.Values) {
			maps.Copy(query, r.Browser().BeginSignIn(admin).Query())
		}, callback: func(url.Values) {}, reason: openid.NoPendingLogin},
	}
	for i := range rows {
		rows[i].status = http.StatusBadRequest
	}
	return append(rows, errorAttacks()...)
}

// errorAttacks are authorization responses with an error.
func errorAttacks() []attack {
	errorIs := func(code string) func(url.Values) {
		return func(q url.Values) {
			q.Del("code")
			q.Set("error", code)
			q.Set("error_description", upstreamText)
			q.Set("error_uri", "https://evil.example/"+upstreamText)
		}
	}
	return []attack{
		{name: "error access_denied", callback: errorIs("access_denied"), status: 403, reason: openid.AccessDenied},
		{name: "error login_required", callback: errorIs("login_required"), status: 403, reason: openid.AccessDenied},
		{name: "error beside a good code", callback: set("error", "access_denied"), status: 403, reason: openid.AccessDenied},
		{name: "error server_error", callback: errorIs("server_error"), status: 503, reason: openid.ProviderUnreachable, retryAfter: "30"},
		{name: "error temporarily_unavailable", callback: errorIs("temporarily_unavailable"), status: 503, reason: openid.ProviderUnreachable, retryAfter: "30"},
		{name: "error invalid_scope", callback: errorIs("invalid_scope"), status: 502, reason: openid.InvalidScope, log: "invalid_scope"},
		{name: "error of no specification", callback: errorIs("odd"), status: 502, reason: openid.ProviderRefused},
		{name: "error that forges a log line", callback: errorIs("x\nlevel=INFO msg=" + upstreamText), status: 502, reason: openid.ProviderRefused, log: "(malformed)"},
		{name: "error that is markup", callback: errorIs("<script>" + upstreamText + "</script>"), status: 502, reason: openid.ProviderRefused},
		{name: "error without state", callback: func(q url.Values) { errorIs("access_denied")(q); q.Del("state") }, status: 400, reason: openid.MalformedCallback},
		{name: "error of another state", callback: func(q url.Values) { errorIs("access_denied")(q); q.Set("state", "other") }, status: 400, reason: openid.NoPendingLogin},
	}
}

// loginCookie is the name of the one cookie of a browser that has begun sign-ins.
func loginCookie(b *apptest.Browser) string {
	b.T.Helper()
	found := ""
	for name := range b.Cookies() {
		if strings.HasPrefix(name, "login_") {
			if found != "" {
				b.T.Fatal("the browser has two secrets")
			}
			found = name
		}
	}
	if found == "" {
		b.T.Fatal("the browser has begun no sign-in")
	}
	return found
}

func dropPending(b *apptest.Browser, r *rig, query url.Values) {
	home, err := url.Parse(b.Home)
	if err != nil {
		b.T.Fatal(err)
	}
	b.Client.Jar.SetCookies(home, []*http.Cookie{{Name: loginCookie(b), Path: "/", MaxAge: -1}})
}

func replacePending(change func(value string) string) func(*apptest.Browser, *rig, url.Values) {
	return func(b *apptest.Browser, r *rig, query url.Values) {
		name := loginCookie(b)
		b.SetCookie(name, change(b.Cookies()[name]))
	}
}

func flipMiddle(value string) string {
	middle := len(value) / 2
	other := "A"
	if value[middle] == 'A' {
		other = "B"
	}
	return value[:middle] + other + value[middle+1:]
}

// swapPending puts another attempt's cookie under the name of this one's.
func swapPending(b *apptest.Browser, r *rig, query url.Values) {
	other := r.Browser()
	other.BeginSignIn(admin)
	b.SetCookie(loginCookie(b), other.Cookies()[loginCookie(other)])
}

// foreignPending makes the cookie as a program with another secret would.
func foreignPending(b *apptest.Browser, r *rig, query url.Values) {
	foreign := startSite(r.T, setup{env: map[string]string{"SESSION_SECRET": otherSecret}})
	other := foreign.Browser()
	maps.Copy(query, other.BeginSignIn(admin).Query())
	b.SetCookie(loginCookie(other), other.Cookies()[loginCookie(other)])
}

// answerWith takes the place of an endpoint. The header is as for send.
func answerWith(endpoint string, status int, body string, fields ...string) devidp.Faults {
	return intercept(endpoint, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(fields); i += 2 {
			w.Header().Set(fields[i], fields[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func intercept(endpoint string, handler http.HandlerFunc) devidp.Faults {
	return devidp.Faults{Intercept: func(name string) http.HandlerFunc {
		if name != endpoint {
			return nil
		}
		return handler
	}}
}

// hang answers with the beginning of a body, and nothing more until the client
// goes away.
func hang(beginning string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if beginning != "" {
			_, _ = io.WriteString(w, beginning)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}
}

// endless sends a body that never ends.
func endless(w http.ResponseWriter, _ *http.Request) {
	for {
		if _, err := io.WriteString(w, strings.Repeat(" ", 32<<10)); err != nil {
			return
		}
	}
}

// cutOff announces a body and closes the connection in the middle of it.
func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"`+upstreamText)
}

// huge is a JSON object that is longer than what is read.
func huge() string { return `{"x":"` + strings.Repeat("x", openid.MaxProviderBody) + `"}` }

func oauthFailure(code string) string {
	return `{"error":"` + code + `","error_description":"` + upstreamText + `"}`
}

// brokenAnswers are failures that any endpoint of the provider may answer with.
func brokenAnswers(endpoint string) []attack {
	const html = "<html>" + upstreamText
	short := setup{clientTimeout: 500 * time.Millisecond}
	return []attack{
		{name: "status 204", faults: answerWith(endpoint, 204, ""), status: 502, reason: openid.BadAnswer},
		{name: "status 201 with an object", faults: answerWith(endpoint, 201, `{}`), status: 502, reason: openid.BadAnswer},
		{name: "status 400 with a page", faults: answerWith(endpoint, 400, html), status: 502, reason: openid.BadAnswer},
		{name: "status 403", faults: answerWith(endpoint, 403, html), status: 502, reason: openid.BadAnswer, log: "status 403"},
		{name: "status 404", faults: answerWith(endpoint, 404, html), status: 502, reason: openid.BadAnswer},
		{name: "status 429", faults: answerWith(endpoint, 429, html), status: 429, reason: openid.ProviderBusy, retryAfter: "30", log: `level=WARN msg="sign-in failed" status=429`},
		{name: "status 429 with Retry-After", faults: answerWith(endpoint, 429, html, "Retry-After", "7"), status: 429, reason: openid.ProviderBusy, retryAfter: "7"},
		{name: "status 429 with a huge Retry-After", faults: answerWith(endpoint, 429, html, "Retry-After", "99999999"), status: 429, reason: openid.ProviderBusy, retryAfter: "3600"},
		{name: "status 429 with an odd Retry-After", faults: answerWith(endpoint, 429, html, "Retry-After", upstreamText), status: 429, reason: openid.ProviderBusy, retryAfter: "30"},
		{name: "status 500", faults: answerWith(endpoint, 500, html), status: 503, reason: openid.ProviderUnreachable, retryAfter: "30"},
		{name: "status 502", faults: answerWith(endpoint, 502, html), status: 503, reason: openid.ProviderUnreachable, retryAfter: "30"},
		{name: "status 503 with Retry-After", faults: answerWith(endpoint, 503, html, "Retry-After", "9"), status: 503, reason: openid.ProviderUnreachable, retryAfter: "9"},
		{name: "empty body", faults: answerWith(endpoint, 200, ""), status: 502, reason: openid.BadAnswer},
		{name: "a page", faults: answerWith(endpoint, 200, html, "Content-Type", "text/html"), status: 502, reason: openid.BadAnswer},
		{name: "an array", faults: answerWith(endpoint, 200, `[{}]`), status: 502, reason: openid.BadAnswer},
		{name: "null", faults: answerWith(endpoint, 200, `null`), status: 502, reason: openid.BadAnswer},
		{name: "truncated JSON", faults: answerWith(endpoint, 200, `{"sub":"`+upstreamText), status: 502, reason: openid.BadAnswer},
		{name: "two objects", faults: answerWith(endpoint, 200, `{}{}`), status: 502, reason: openid.BadAnswer},
		{name: "a member twice", faults: answerWith(endpoint, 200, `{"sub":"a","sub":"b"}`), status: 502, reason: openid.BadAnswer},
		{name: "a form", faults: answerWith(endpoint, 200, "access_token=a&token_type=Bearer&id_token=b", "Content-Type", "application/x-www-form-urlencoded"), status: 502, reason: openid.BadAnswer},
		{name: "huge", faults: answerWith(endpoint, 200, huge()), status: 502, reason: openid.BadAnswer},
		{name: "endless", faults: intercept(endpoint, endless), status: 502, reason: openid.BadAnswer},
		{name: "connection cut off in the body", faults: intercept(endpoint, cutOff), status: 503, reason: openid.ProviderUnreachable, retryAfter: "30"},
		{name: "connection cut off before the answer", faults: intercept(endpoint, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), status: 503, reason: openid.ProviderUnreachable, retryAfter: "30"},
		{name: "hangs before the answer", setup: short, faults: intercept(endpoint, hang("")), status: 504, reason: openid.ProviderTimeout},
		{name: "hangs in the middle of the body", setup: short, faults: intercept(endpoint, hang(`{"`)), status: 504, reason: openid.ProviderTimeout},
	}
}

// redirects are answers that lead a request elsewhere. Nobody may follow: the
// endpoint elsewhere counts as the one that is attacked, whose count would rise.
func redirects(endpoint string) []attack {
	var rows []attack
	for _, status := range []int{301, 302, 303, 307, 308} {
		rows = append(rows, attack{
			name: fmt.Sprintf("redirect %d", status), status: 502, reason: openid.BadAnswer,
			faults: intercept(endpoint, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, r.URL.Path, status)
			}),
		})
	}
	return rows
}

func tokenAttacks() []attack {
	with := func(name string, value any) devidp.Faults {
		return devidp.Faults{Token: func(response map[string]any) { response[name] = value }}
	}
	without := func(name string) devidp.Faults {
		return devidp.Faults{Token: func(response map[string]any) { delete(response, name) }}
	}
	renamed := func(name, other string) devidp.Faults {
		return devidp.Faults{Token: func(response map[string]any) { response[other] = response[name]; delete(response, name) }}
	}
	rows := []attack{
		{name: "error invalid_grant", faults: answerWith("token", 400, oauthFailure("invalid_grant")), status: 400, reason: openid.CodeRefused},
		{name: "error invalid_client", faults: answerWith("token", 401, oauthFailure("invalid_client")), status: 502, reason: openid.InvalidClient, log: "invalid_client"},
		{name: "error unauthorized_client", faults: answerWith("token", 400, oauthFailure("unauthorized_client")), status: 502, reason: openid.ProviderRefused},
		{name: "error that forges a log line", faults: answerWith("token", 400, oauthFailure(`x\nlevel=INFO msg=`+upstreamText)), status: 502, reason: openid.BadAnswer},
		{name: "status 200 with an error", faults: answerWith("token", 200, oauthFailure("invalid_grant")), status: 502, reason: openid.BadAnswer},
		{name: "error beside good tokens", faults: with("error", "invalid_grant"), status: 502, reason: openid.BadAnswer},
		{name: "token_type is missing", faults: without("token_type"), status: 502, reason: openid.BadAnswer},
		{name: "token_type is empty", faults: with("token_type", ""), status: 502, reason: openid.BadAnswer},
		{name: "token_type is another", faults: with("token_type", "DPoP"), status: 502, reason: openid.BadAnswer},
		{name: "token_type is a number", faults: with("token_type", 1), status: 502, reason: openid.BadAnswer},
		{name: "token_type under another case", faults: renamed("token_type", "Token_Type"), status: 502, reason: openid.BadAnswer},
		{name: "access_token is missing", faults: without("access_token"), status: 502, reason: openid.BadAnswer},
		{name: "access_token is empty", faults: with("access_token", ""), status: 502, reason: openid.BadAnswer},
		{name: "access_token is null", faults: with("access_token", nil), status: 502, reason: openid.BadAnswer},
		{name: "access_token is a number", faults: with("access_token", 1), status: 502, reason: openid.BadAnswer},
		{name: "access_token under another case", faults: renamed("access_token", "Access_Token"), status: 502, reason: openid.BadAnswer},
		{name: "access_token beside one that folds to it", faults: with("acceſs_token", "odd-access-token-canary"), status: 502, reason: openid.BadAnswer},
		{name: "access_token is another's than at_hash says", faults: with("access_token", "odd-access-token-canary"), status: 502, reason: openid.BadAnswer},
		{name: "id_token is missing", faults: without("id_token"), status: 502, reason: openid.BadAnswer},
		{name: "id_token is empty", faults: with("id_token", ""), status: 502, reason: openid.BadAnswer},
		{name: "id_token is null", faults: with("id_token", nil), status: 502, reason: openid.BadAnswer},
		{name: "id_token is an array", faults: with("id_token", []string{"a.b.c"}), status: 502, reason: openid.BadAnswer},
		{name: "id_token under another case", faults: renamed("id_token", "ID_TOKEN"), status: 502, reason: openid.BadAnswer},
		{name: "expires_in is no number", faults: with("expires_in", "soon"), status: 502, reason: openid.BadAnswer},
		{name: "good answer as text/plain", faults: textPlain(), status: 502, reason: openid.BadAnswer},
	}
	rows = slices.Concat(rows, brokenAnswers("token"), redirects("token"))
	for i := range rows {
		rows[i].token = 1
	}
	return rows
}

// textPlain answers in the shape of a form, hidden in a JSON object.
func textPlain() devidp.Faults {
	return answerWith("token", 200, `{"x":"&access_token=a&token_type=Bearer&id_token=a.b.c&"}`, "Content-Type", "text/plain")
}

// claim sets one claim of the ID Token; with absent it is left out.
func claim(name string, value any) devidp.Faults {
	return devidp.Faults{Claims: func(claims map[string]any) {
		claims[name] = value
		if value == absent {
			delete(claims, name)
		}
	}}
}

// absent is the value of a claim that is left out.
const absent = "\x00absent"

// claimAttacks are refused before UserInfo is asked.
func claimAttacks() []attack {
	var rows []attack
	add := func(name string, faults devidp.Faults) {
		rows = append(rows, attack{name: name, faults: faults, status: 502, reason: openid.BadAnswer, token: 1})
	}
	// Each claim that an ID Token must have.
	for _, name := range []string{"iss", "sub", "aud", "exp", "iat", "nonce"} {
		add(name+" is missing", claim(name, absent))
		add(name+" is null", claim(name, nil))
		add(name+" is empty", claim(name, ""))
		add(name+" is true", claim(name, true))
		add(name+" is an object", claim(name, map[string]any{}))
		add(name+" is an empty array", claim(name, []string{}))
		add(name+" under a name in capitals", rename(name, strings.ToUpper(name)))
		add(name+" under a name with one capital", rename(name, strings.ToUpper(name[:1])+name[1:]))
		add(name+" twice, the same", devidp.Faults{Payload: twice(name, "")})
		add(name+" twice, another first", devidp.Faults{Payload: twice(name, `"other"`)})
	}
	for _, name := range []string{"iss", "sub", "aud", "nonce"} {
		add(name+" is a number", claim(name, 1))
	}
	for _, name := range []string{"iss", "sub", "nonce"} {
		add(name+" is an array", devidp.Faults{Claims: func(c map[string]any) { c[name] = []any{c[name]} }})
	}
	for _, name := range []string{"exp", "iat"} {
		add(name+" is a text", devidp.Faults{Claims: func(c map[string]any) { c[name] = fmt.Sprint(c[name]) }})
		add(name+" is negative", claim(name, -1))
		add(name+" is 0", claim(name, 0))
		rows[len(rows)-1].reason = openid.ClockOff
		add(name+" is beyond all dates", claim(name, json.RawMessage("1e300")))
		add(name+" is in milliseconds", devidp.Faults{Claims: func(c map[string]any) { c[name] = c[name].(int64) * 1000 }})
	}
	return slices.Concat(rows, valueAttacks(), skewAttacks())
}

func rename(name, other string) devidp.Faults {
	return devidp.Faults{Claims: func(claims map[string]any) { claims[other] = claims[name]; delete(claims, name) }}
}

// twice puts a claim before itself, with a value or, if that is empty, its own.
func twice(name, value string) func([]byte) []byte {
	return func(payload []byte) []byte {
		var claims map[string]json.RawMessage
		if err := json.Unmarshal(payload, &claims); err != nil {
			panic(err)
		}
		if value == "" {
			value = string(claims[name])
		}
		return append([]byte(`{"`+name+`":`+value+`,`), payload[1:]...)
	}
}

// valueAttacks are ID Tokens whose claims have the right type and a value that
// is off, some by a little.
func valueAttacks() []attack {
	change := func(name string, f func(string) any) devidp.Faults {
		return devidp.Faults{Claims: func(claims map[string]any) { claims[name] = f(claims[name].(string)) }}
	}
	rows := []attack{
		{name: "iss is another", faults: claim("iss", "https://evil.example")},
		{name: "iss with a trailing slash", faults: change("iss", func(v string) any { return v + "/" })},
		{name: "iss in capitals", faults: change("iss", func(v string) any { return strings.ToUpper(v) })},
		{name: "iss is a prefix", faults: change("iss", func(v string) any { return v[:len(v)-1] })},
		{name: "iss with a space", faults: change("iss", func(v string) any { return v + " " })},
		{name: "iss with a scheme of its own", faults: change("iss", func(v string) any { return strings.Replace(v, "http:", "https:", 1) })},
		{name: "aud is another", faults: claim("aud", "another client")},
		{name: "aud in another case", faults: change("aud", func(v string) any { return strings.ToUpper(v) })},
		{name: "aud with a suffix", faults: change("aud", func(v string) any { return v + "x" })},
		{name: "aud lists another", faults: claim("aud", []string{"another client"})},
		{name: "aud lists another beside us", faults: change("aud", func(v string) any { return []string{v, "another client"} })},
		{name: "aud lists us last", faults: change("aud", func(v string) any { return []string{"another client", v} })},
		{name: "aud lists us twice", faults: change("aud", func(v string) any { return []string{v, v} })},
		{name: "aud lists null beside us", faults: change("aud", func(v string) any { return []any{v, nil} })},
		{name: "aud lists a number beside us", faults: change("aud", func(v string) any { return []any{v, 1} })},
		{name: "azp is another", faults: claim("azp", "another client")},
		{name: "azp is null", faults: claim("azp", nil)},
		{name: "azp is empty", faults: claim("azp", "")},
		{name: "azp is an array", faults: claim("azp", []string{"another client"})},
		{name: "nonce is another", faults: claim("nonce", strings.Repeat("A", 26))},
		{name: "nonce with a space", faults: change("nonce", func(v string) any { return v + " " })},
		{name: "nonce in another case", faults: change("nonce", func(v string) any { return strings.ToLower(v) })},
		{name: "nonce is a prefix", faults: change("nonce", func(v string) any { return v[:len(v)-1] })},
		{name: "at_hash is another", faults: claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
		{name: "at_hash is empty", faults: claim("at_hash", "")},
		{name: "at_hash is null", faults: claim("at_hash", nil)},
		{name: "at_hash is padded", faults: change("at_hash", func(v string) any { return v + "==" })},
		{name: "at_hash twice", faults: devidp.Faults{Payload: twice("at_hash", "")}},
		{name: "sub is too long", faults: claim("sub", strings.Repeat("x", 256))},
		{name: "sub with a line break", faults: claim("sub", "00u\nlevel=INFO")},
		{name: "sub with NUL", faults: claim("sub", "00u\x00")},
		{name: "sub is not ASCII", faults: claim("sub", "00ü")},
		{name: "email is a number", faults: claim("email", 1)},
		{name: "email is an array", faults: claim("email", []string{admin})},
		{name: "email with a line break", faults: claim("email", "a@example.com\nb")},
		{name: "email is too long", faults: claim("email", strings.Repeat("a", 250)+"@example.com")},
		{name: "email twice", faults: devidp.Faults{Payload: twice("email", `"`+admin+`"`)}},
		{name: "name is an object", faults: claim("name", map[string]any{})},
		{name: "payload is an array", faults: devidp.Faults{Payload: func([]byte) []byte { return []byte("[]") }}},
		{name: "payload is no JSON", faults: devidp.Faults{Payload: func([]byte) []byte { return []byte(upstreamText) }}},
		{name: "payload is truncated", faults: devidp.Faults{Payload: func(p []byte) []byte { return p[:len(p)-1] }}},
		{name: "payload with data behind it", faults: devidp.Faults{Payload: func(p []byte) []byte { return append(p, "{}"...) }}},
	}
	for i := range rows {
		rows[i].status, rows[i].reason, rows[i].token = 502, openid.BadAnswer, 1
		// Who somebody is is decided once everything is known.
		if name, _, _ := strings.Cut(rows[i].name, " "); name == "email" || name == "name" {
			rows[i].setup.provider.FullIDTokens = true
		}
	}
	return rows
}

// skewAttacks are ID Tokens of a clock that is too far off ours. Two minutes
// are in TestWhatMustWork.
func skewAttacks() []attack {
	in := func(name string, d time.Duration) devidp.Faults {
		return devidp.Faults{Claims: func(claims map[string]any) { claims[name] = time.Now().Add(d).Unix() }}
	}
	rows := []attack{
		{name: "issued ten minutes ahead of our clock", reason: openid.ClockOff, faults: in("iat", 10*time.Minute+time.Second), log: "iat is 10m"},
		{name: "issued ten minutes behind our clock", reason: openid.ClockOff, faults: in("iat", -10*time.Minute), log: "iat is -10m"},
		{name: "not valid for ten minutes", reason: openid.ClockOff, faults: in("nbf", 10*time.Minute+time.Second), log: "nbf is 10m"},
		{name: "nbf is a text", faults: claim("nbf", "0")},
		{name: "expired a second ago", reason: openid.ClockOff, faults: in("exp", -time.Second), log: "exp was "},
		{name: "expired an hour ago", reason: openid.ClockOff, faults: in("exp", -time.Hour), log: "exp was 1h0m"},
	}
	for i := range rows {
		rows[i].status, rows[i].reason, rows[i].token = 502, cmp.Or(rows[i].reason, openid.BadAnswer), 1
	}
	return rows
}

// resigned replaces an ID Token by one with the same claims, signed anew. Nil
// members of the header are left out of it.
func resigned(key any, header map[string]any) devidp.Faults {
	return devidp.Faults{IDToken: func(signed string) string { return resign(signed, key, header) }}
}

func resign(signed string, key any, header map[string]any) string {
	parts := strings.Split(signed, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		panic(err)
	}
	full := map[string]any{}
	original, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(original, &full) != nil {
		panic("header of the provider's ID Token")
	}
	maps.Copy(full, header)
	maps.DeleteFunc(full, func(_ string, value any) bool { return value == nil })
	again, err := devidp.Sign(key, full, payload)
	if err != nil {
		panic(err)
	}
	return again
}

// reshaped replaces an ID Token by another text made of its three parts.
func reshaped(f func(header, payload, signature string) string) devidp.Faults {
	return devidp.Faults{IDToken: func(signed string) string {
		parts := strings.Split(signed, ".")
		return f(parts[0], parts[1], parts[2])
	}}
}

func header(members map[string]any) devidp.Faults { return resigned(apptest.SigningKey(), members) }

func encoded(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func signatureAttacks() []attack {
	key, other := apptest.SigningKey(), apptest.NewKey(2048)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	attackersJWK := jose.JSONWebKey{Key: &other.PublicKey, KeyID: "attacker", Use: "sig", Algorithm: "RS256"}
	rows := []attack{
		{name: "alg none", faults: header(map[string]any{"alg": "none"})},
		{name: "alg none with the signature left", faults: reshaped(func(_, p, s string) string { return encoded(`{"alg":"none"}`) + "." + p + "." + s })},
		{name: "alg None", faults: header(map[string]any{"alg": "None"})},
		{name: "alg nOnE", faults: header(map[string]any{"alg": "nOnE"})},
		{name: "alg empty", faults: header(map[string]any{"alg": ""})},
		{name: "alg missing", faults: header(map[string]any{"alg": nil})},
		{name: "alg in small letters", faults: header(map[string]any{"alg": "rs256"})},
		{name: "alg is an array", faults: header(map[string]any{"alg": []string{"RS256"}})},
		{name: "alg under another case", faults: header(map[string]any{"alg": nil, "ALG": "RS256"})},
		{name: "alg twice", faults: reshaped(func(_, p, s string) string { return encoded(`{"alg":"none","alg":"RS256"}`) + "." + p + "." + s })},
		{name: "HS256 with the public key in PEM", faults: resigned(publicPEM, map[string]any{"alg": "HS256"})},
		{name: "HS256 with the public key in DER", faults: resigned(public, map[string]any{"alg": "HS256"})},
		{name: "HS256 with the client secret", setup: setup{provider: devidp.Config{ClientSecret: apptest.SessionSecret}}, faults: resigned([]byte(apptest.SessionSecret), map[string]any{"alg": "HS256"})},
		{name: "RS384", faults: header(map[string]any{"alg": "RS384"})},
		{name: "RS512", faults: header(map[string]any{"alg": "RS512"})},
		{name: "PS256", faults: header(map[string]any{"alg": "PS256"})},
		{name: "ES256", faults: resigned(curve, map[string]any{"alg": "ES256"})},
		{name: "another key", faults: resigned(other, nil)},
		{name: "another key without kid", faults: resigned(other, map[string]any{"kid": nil})},
		{name: "another key, embedded as jwk", faults: resigned(other, map[string]any{"jwk": attackersJWK, "kid": "attacker"})},
		{name: "another key, embedded as jwk without kid", faults: resigned(other, map[string]any{"jwk": attackersJWK, "kid": nil})},
		{name: "another key, named by jku", faults: resigned(other, map[string]any{"jku": "https://evil.example/keys", "kid": "attacker"})},
		{name: "another key, named by x5u", faults: resigned(other, map[string]any{"x5u": "https://evil.example/cert", "kid": "attacker"})},
		{name: "kid is a path", faults: header(map[string]any{"kid": "../../../../dev/null"})},
		{name: "kid is empty and the key another", faults: resigned(other, map[string]any{"kid": ""})},
		{name: "kid is a number", faults: reshaped(func(_, p, s string) string { return encoded(`{"alg":"RS256","kid":1}`) + "." + p + "." + s })},
		{name: "typ of an access token", faults: header(map[string]any{"typ": "at+jwt"})},
		{name: "typ of a logout token", faults: header(map[string]any{"typ": "logout+jwt"})},
		{name: "typ of a global token revocation", faults: header(map[string]any{"typ": "global-token-revocation+jwt"})},
		{name: "typ is empty", faults: header(map[string]any{"typ": ""})},
		{name: "typ is a number", faults: header(map[string]any{"typ": 1})},
		{name: "crit", faults: header(map[string]any{"crit": []string{"exp"}, "exp": 1})},
		{name: "crit is empty", faults: header(map[string]any{"crit": []string{}})},
		{name: "crit of an unencoded payload", faults: reshaped(func(_, p, s string) string {
			return encoded(`{"alg":"RS256","b64":false,"crit":["b64"]}`) + "." + p + "." + s
		})},
		{name: "signature is missing", faults: reshaped(func(h, p, _ string) string { return h + "." + p + "." })},
		{name: "signature is left out", faults: reshaped(func(h, p, _ string) string { return h + "." + p })},
		{name: "signature is changed", faults: reshaped(func(h, p, s string) string { return h + "." + p + "." + flipMiddle(s) })},
		{name: "signature is truncated", faults: reshaped(func(h, p, s string) string { return h + "." + p + "." + s[:len(s)-4] })},
		{name: "payload is changed", faults: reshaped(func(h, p, s string) string { return h + "." + flipMiddle(p) + "." + s })},
		{name: "payload is empty", faults: reshaped(func(h, _, s string) string { return h + ".." + s })},
		{name: "header is empty", faults: reshaped(func(_, p, s string) string { return "." + p + "." + s })},
		{name: "header is padded", faults: reshaped(func(h, p, s string) string { return h + "=." + p + "." + s })},
		{name: "header is no JSON", faults: reshaped(func(_, p, s string) string { return encoded("x") + "." + p + "." + s })},
		{name: "a part too many", faults: reshaped(func(h, p, s string) string { return h + "." + p + "." + s + "." })},
		{name: "encrypted, five parts", faults: reshaped(func(h, p, s string) string { return h + ".." + p + "." + s + "." + s })},
		{name: "a space before it", faults: reshaped(func(h, p, s string) string { return " " + h + "." + p + "." + s })},
		{name: "a line break behind it", faults: reshaped(func(h, p, s string) string { return h + "." + p + "." + s + "\n" })},
		{name: "a space behind it", faults: reshaped(func(h, p, s string) string { return h + "." + p + "." + s + " " })},
		{name: "a line break inside", faults: reshaped(func(h, p, s string) string { return h + "." + p[:8] + "\r\n" + p[8:] + "." + s })},
		{name: "JSON serialization, flattened", faults: reshaped(func(h, p, s string) string {
			return `{"payload":"` + p + `","protected":"` + h + `","signature":"` + s + `"}`
		})},
		{name: "JSON serialization, general", faults: reshaped(func(h, p, s string) string {
			return `{"payload":"` + p + `","signatures":[{"protected":"` + h + `","signature":"` + s + `"}]}`
		})},
		{name: "not a token at all", faults: devidp.Faults{IDToken: func(string) string { return upstreamText }}},
	}
	for i := range rows {
		rows[i].status, rows[i].reason, rows[i].token = 502, openid.BadAnswer, 1
	}
	return rows
}

// keyAttacks are ID Tokens signed with a key that the provider publishes, but
// not for this. The key is among those that were fetched at the start.
func keyAttacks() []attack {
	weak, strong := apptest.NewKey(1024), apptest.NewKey(2048)
	publish := func(name string, key jose.JSONWebKey, signer any, alg string) attack {
		key.KeyID = "odd"
		published := devidp.Faults{Keys: addKey(key)}
		faults := resigned(signer, map[string]any{"kid": "odd", "alg": alg})
		faults.Keys = published.Keys
		return attack{name: name, setup: setup{faults: published}, faults: faults, status: 502, reason: openid.BadAnswer, token: 1}
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return []attack{
		publish("key for encryption", jose.JSONWebKey{Key: &strong.PublicKey, Use: "enc", Algorithm: "RS256"}, strong, "RS256"),
		publish("key of an unknown use", jose.JSONWebKey{Key: &strong.PublicKey, Use: "tls"}, strong, "RS256"),
		publish("key for another algorithm", jose.JSONWebKey{Key: &strong.PublicKey, Use: "sig", Algorithm: "RS512"}, strong, "RS256"),
		publish("key for key encryption", jose.JSONWebKey{Key: &strong.PublicKey, Algorithm: "RSA-OAEP"}, strong, "RS256"),
		publish("key of 1024 bits", jose.JSONWebKey{Key: &weak.PublicKey, Use: "sig", Algorithm: "RS256"}, weak, "RS256"),
		publish("elliptic key with its own algorithm", jose.JSONWebKey{Key: &curve.PublicKey, Use: "sig", Algorithm: "ES256"}, curve, "ES256"),
		publish("symmetric key", jose.JSONWebKey{Key: []byte(apptest.SessionSecret), Use: "sig", Algorithm: "HS256"}, []byte(apptest.SessionSecret), "HS256"),
	}
}

// algorithmAttacks are ID Tokens by another algorithm than the one that
// OKTA_ID_TOKEN_ALG names. The key of each is among those that are published.
func algorithmAttacks() []attack {
	rsaKey := apptest.SigningKey()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	signers := map[string]crypto.Signer{"RS256": rsaKey, "PS256": rsaKey, "ES256": curve, "EdDSA": edwards}
	var rows []attack
	add := func(pinned, alg string, key any) {
		public := jose.JSONWebKey{Key: signers[pinned].Public(), KeyID: "other"}
		if signer, ok := key.(crypto.Signer); ok {
			public.Key = signer.Public()
		}
		faults := resigned(key, map[string]any{"alg": alg, "kid": "other"})
		faults.Keys = addKey(public)
		rows = append(rows, attack{
			name:   fmt.Sprintf("%s where %s is pinned", alg, pinned),
			setup:  setup{env: map[string]string{"OKTA_ID_TOKEN_ALG": pinned}, provider: devidp.Config{SigningAlg: pinned, SigningKey: signers[pinned]}, faults: devidp.Faults{Keys: addKey(public)}},
			faults: faults, status: 502, reason: openid.BadAnswer, token: 1, log: "alg is " + alg + " and not " + pinned + ", which OKTA_ID_TOKEN_ALG names",
		})
	}
	for _, pinned := range slices.Sorted(maps.Keys(signers)) {
		for _, alg := range slices.Sorted(maps.Keys(signers)) {
			if alg != pinned {
				add(pinned, alg, signers[alg])
			}
		}
		encodedKey, err := x509.MarshalPKIXPublicKey(signers[pinned].Public())
		if err != nil {
			panic(err)
		}
		add(pinned, "HS256", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: encodedKey}))
	}
	return rows
}

// addKey publishes a key beside the provider's own.
func addKey(key jose.JSONWebKey) func([]map[string]any) []map[string]any {
	data, err := key.MarshalJSON()
	if err != nil {
		panic(err)
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil {
		panic(err)
	}
	return func(keys []map[string]any) []map[string]any { return append(keys, members) }
}

func userInfoAttacks() []attack {
	with := func(name string, value any) devidp.Faults {
		return devidp.Faults{UserInfo: func(claims map[string]any) {
			claims[name] = value
			if value == absent {
				delete(claims, name)
			}
		}}
	}
	rows := []attack{
		{name: "sub is another", faults: with("sub", "00uSomebodyElse")},
		{name: "sub is missing", faults: with("sub", absent)},
		{name: "sub is null", faults: with("sub", nil)},
		{name: "sub is empty", faults: with("sub", "")},
		{name: "sub is a number", faults: with("sub", 1)},
		{name: "sub in another case", faults: devidp.Faults{UserInfo: func(c map[string]any) { c["sub"] = strings.ToUpper(c["sub"].(string)) }}},
		{name: "sub under another case", faults: devidp.Faults{UserInfo: func(c map[string]any) { c["SUB"] = c["sub"]; delete(c, "sub") }}},
		{name: "email is missing", reason: openid.EmailMissing, faults: with("email", absent)},
		{name: "email is empty", reason: openid.EmailMissing, faults: with("email", "")},
		{name: "email is blank", reason: openid.EmailMissing, faults: with("email", "  ")},
		{name: "email is a number", faults: with("email", 1)},
		{name: "email is an array", faults: with("email", []string{admin})},
		{name: "email with NUL", faults: with("email", "a\x00@example.com")},
		{name: "email with a line break", faults: with("email", "a@example.com\r\nb")},
		{name: "email is too long", faults: with("email", strings.Repeat("a", 250)+"@example.com")},
		{name: "email under another case", reason: openid.EmailMissing, faults: devidp.Faults{UserInfo: func(c map[string]any) { c["EMAIL"] = c["email"]; delete(c, "email") }}},
		{name: "name is a number", faults: with("name", 1)},
		{name: "signed", faults: answerWith("userinfo", 200, encoded(`{"alg":"RS256"}`)+"."+encoded(`{"sub":"`+upstreamText+`"}`)+".c2ln", "Content-Type", "application/jwt")},
		{name: "status 401", faults: answerWith("userinfo", 401, `{}`, "WWW-Authenticate", `Bearer error="invalid_token"`)},
	}
	for i := range rows {
		rows[i].status, rows[i].reason = 502, cmp.Or(rows[i].reason, openid.BadAnswer)
	}
	rows = slices.Concat(rows, brokenAnswers("userinfo"), redirects("userinfo"))
	for i := range rows {
		rows[i].token, rows[i].userInfo = 1, 1
		if rows[i].name == "connection cut off before the answer" {
			// net/http repeats a GET that a kept connection died of.
			rows[i].userInfo = anyNumber
		}
	}
	return rows
}

// unusualSignIns are what the table of attacks must not refuse: sign-ins that
// are unusual and right.
func unusualSignIns() []attack {
	skewed := func(d time.Duration) setup {
		return setup{provider: devidp.Config{Now: func() time.Time { return time.Now().Add(d) }}}
	}
	return []attack{
		{name: "nothing changed"},
		{name: "provider's clock two minutes ahead", setup: skewed(2 * time.Minute)},
		{name: "provider's clock two minutes behind", setup: skewed(-2 * time.Minute)},
		{name: "typ JWT", faults: header(map[string]any{"typ": "JWT"})},
		{name: "typ jwt", faults: header(map[string]any{"typ": "jwt"})},
		{name: "no kid", faults: header(map[string]any{"kid": nil})},
		{name: "aud is an array of us alone", faults: devidp.Faults{Claims: func(c map[string]any) { c["aud"] = []any{c["aud"]} }}},
		{name: "azp is us", faults: devidp.Faults{Claims: func(c map[string]any) { c["azp"] = c["aud"] }}},
		{name: "no at_hash", faults: claim("at_hash", absent)},
		{name: "dates with a fraction", faults: devidp.Faults{Claims: func(c map[string]any) { c["iat"] = float64(c["iat"].(int64)) + 0.25 }}},
		{name: "sub of 255 characters in UserInfo and ID Token", faults: devidp.Faults{
			Claims:   func(c map[string]any) { c["sub"] = strings.Repeat("x", 255) },
			UserInfo: func(c map[string]any) { c["sub"] = strings.Repeat("x", 255) },
		}},
		{name: "claims that nobody knows", faults: claim("https://example.com/x", []any{1, nil, map[string]any{}})},
		{name: "token_type in small letters", faults: devidp.Faults{Token: func(r map[string]any) { r["token_type"] = "bearer" }}},
		{name: "members that nobody knows in the token answer", faults: devidp.Faults{Token: func(r map[string]any) { r["refresh_token"], r["x"] = "r", nil }}},
		{name: "parameters that nobody knows in the callback", callback: set("session_state", "a", "b")},
		{name: "iss that was not announced", callback: func(q url.Values) {}, cookies: func(_ *apptest.Browser, r *rig, q url.Values) { q.Set("iss", r.Provider.Issuer()) }},
		{name: "iss that was announced", setup: setup{provider: devidp.Config{ResponseIssuer: true}}},
		{name: "email in the ID Token alone", setup: setup{provider: devidp.Config{FullIDTokens: true}}, faults: devidp.Faults{UserInfo: func(c map[string]any) { clear(c) }}},
		{name: "email null in the ID Token", faults: claim("email", nil)},
		{name: "malformed key among good ones", setup: setup{faults: devidp.Faults{Keys: func(keys []map[string]any) []map[string]any {
			return append([]map[string]any{{"kty": "RSA", "n": 1}, {"kty": "odd"}, nil}, keys...)
		}}}},
		{name: "key without use and alg", setup: setup{faults: devidp.Faults{Keys: func(keys []map[string]any) []map[string]any {
			delete(keys[0], "use")
			delete(keys[0], "alg")
			return keys
		}}}},
		{name: "UserInfo refuses with 401", setup: fullIDTokens(), faults: refusedUserInfo(401)},
		{name: "UserInfo refuses with 403", setup: fullIDTokens(), faults: refusedUserInfo(403)},
		{name: "UserInfo is not there", setup: fullIDTokens(), faults: refusedUserInfo(404)},
		{name: "key with a certificate that is none", setup: setup{faults: devidp.Faults{Keys: func(keys []map[string]any) []map[string]any {
			keys[0]["x5c"], keys[0]["x5t"], keys[0]["crv"] = []string{"odd"}, "odd", "P-256"
			return keys
		}}}},
		{name: "key with padding", setup: setup{faults: devidp.Faults{Keys: func(keys []map[string]any) []map[string]any {
			keys[0]["n"] = keys[0]["n"].(string) + "=="
			return keys
		}}}},
		{name: "signed with PS256", setup: pinnedTo("PS256")},
		{name: "signed with ES256", setup: pinnedTo("ES256")},
		{name: "signed with EdDSA", setup: pinnedTo("EdDSA")},
		{name: "keys are not asked for again", faults: answerWith("keys", 503, "")},
		{name: "metadata is not asked for again", faults: answerWith("openid-configuration", 503, "")},
	}
}

func fullIDTokens() setup { return setup{provider: devidp.Config{FullIDTokens: true}} }

// refusedUserInfo is a provider whose ID Tokens have all but email_verified and whose
// UserInfo endpoint lets nobody in.
func refusedUserInfo(status int) devidp.Faults {
	faults := answerWith("userinfo", status, "<html>"+upstreamText)
	faults.Claims = func(claims map[string]any) { delete(claims, "email_verified") }
	return faults
}

// pinnedTo is a provider and a site that agree upon an algorithm.
func pinnedTo(alg string) setup {
	return setup{env: map[string]string{"OKTA_ID_TOKEN_ALG": alg}, provider: devidp.Config{SigningAlg: alg}}
}

func TestWhatMustWork(t *testing.T) {
	t.Parallel()
	for _, test := range unusualSignIns() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.works(t)
		})
	}
}

// works signs in, with what the row changes, and returns where that happened.
func (a attack) works(t *testing.T) *rig {
	t.Helper()
	r := startSite(t, a.setup)
	canaries := &canaries{}
	r.Provider.SetFaults(canaries.watch(a.faults))
	b := r.Browser()
	page := a.carryOut(t, r, b)
	page.Check(t, http.StatusSeeOther)
	canaries.check(t, r, page)
	b.Get("/dashboard").Check(t, http.StatusOK, "Hannah Smith", "/team/finance", "/team/hr")
	if got := r.Provider.Count("token"); got != 1 {
		t.Errorf("%d token requests, want 1", got)
	}
	return r
}

// Nothing that a proxy, or somebody who plays one, says changes where anything
// leads to, even where the operator trusts it for the log.
func TestForwardedHeadersAreNotBelieved(t *testing.T) {
	t.Parallel()
	for _, trusted := range []string{"", "127.0.0.1"} {
		r := startSite(t, setup{env: map[string]string{"TRUSTED_PROXIES": trusted}})
		page := r.Browser().Get("/login",
			"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https", "X-Forwarded-Port", "444", "X-Forwarded-Prefix", "/evil",
			"Forwarded", "for=192.0.2.1;host=evil.example;proto=https", "X-Real-IP", "192.0.2.1", "X-Forwarded-For", "198.51.100.7")
		page.Check(t, http.StatusSeeOther)
		target, err := url.Parse(page.Location())
		if err != nil || target.Query().Get("redirect_uri") != r.BaseURL+openid.CallbackPath {
			t.Errorf("redirect_uri = %q, %v", target.Query().Get("redirect_uri"), err)
		}
		if header := fmt.Sprint(page.Header); strings.Contains(header, "evil") || strings.Contains(header, "Strict-Transport") {
			t.Errorf("the answer believes it: %s", header)
		}
		if got := strings.Contains(r.Log.String(), "addr=198.51.100.7"); got != (trusted != "") {
			t.Errorf("trusting %q, the log has the address: %v", trusted, got)
		}
		if strings.Contains(r.Log.String(), "192.0.2.1") {
			t.Error("the log has an address of another header")
		}
	}
}

// Each event is one line with its person, address, reference and reason.
func TestAuditEvents(t *testing.T) {
	t.Parallel()
	env := logoutEnv()
	env["LOG_FORMAT"] = "json"
	r := startSite(t, setup{env: env})
	b, boss := r.Browser(), r.Browser()
	subject := apptest.SubjectOf(t, finance)
	b.SignIn(finance)                                        // sign_in
	b.Get("/team/hr").Check(t, 404)                          // denied
	b.Get("/sessions").Check(t, 404)                         // denied
	b.Post("/logout", nil, "Origin", "https://evil.example") // denied
	b.Post("/logout", nil)                                   // sign_out
	r.Browser().Get(openid.CallbackPath + "?state=x&code=y") // sign_in_failed
	b.Visit("/dashboard").Check(t, 200)                      // sign_in
	boss.SignIn(admin)
	boss.Post("/sessions/end", url.Values{"sub": {subject}}) // session_ended
	for range 2 {
		if _, err := r.Provider.BackChannelLogout(r.BaseURL+backChannelLogoutPath, subject, ""); err != nil { // backchannel_logout
			t.Fatal(err)
		}
		if _, err := r.Provider.GlobalTokenRevocation(r.BaseURL+universalLogoutPath, map[string]any{"format": "iss_sub", "iss": r.Provider.Issuer(), "sub": subject}); err != nil { // universal_logout
			t.Fatal(err)
		}
		r.Provider.SetFaults(devidp.Faults{LogoutClaims: claimIs("iss", "other")})
	}
	b.Get(frontChannelLogoutPath) // front_channel_logout
	reasons := auditReasons(t, r.Log.String())
	want := map[string][]string{
		"sign_in": {"callback", "callback", "callback"}, "sign_in_failed": {"no_pending_login"}, "sign_out": {"asked"},
		"session_ended": {"administrator_all"}, "denied": {"not_on_the_team", "not_an_administrator", "cross_site"},
		"backchannel_logout": {"sub", "refused"}, "universal_logout": {"iss_sub", "refused"},
		"front_channel_logout": {"refused"},
	}
	if fmt.Sprint(reasons) != fmt.Sprint(want) {
		t.Errorf("the events are\n%v, want\n%v", reasons, want)
	}
}

// What somebody may have to look at is an event of its request like any other.
func TestAuditWarnings(t *testing.T) {
	t.Parallel()
	many, rules := []string{}, []string{}
	for i := range 100 {
		many = append(many, fmt.Sprintf("A group that the teams file names %d", i))
		rules = append(rules, fmt.Sprintf("%q: %q", many[i], "finance"))
	}
	crowded := `{"teams": [{"id": "finance", "label": "Finance"}], "members": {}, "groups": {` + strings.Join(rules, ",") + `}}`
	refused := fullIDTokens()
	refused.faults = refusedUserInfo(http.StatusForbidden)
	for _, test := range []struct {
		event, reason string
		setup         setup
		faults        devidp.Faults // after the sign-in
	}{
		{"email_unverified", "not_verified", setup{faults: devidp.Faults{UserInfo: func(c map[string]any) { c["email_verified"] = false }}}, devidp.Faults{}},
		{"groups_dropped", "too_many", setup{env: map[string]string{"TEAMS_FILE": teamsFile(t, crowded)}, faults: devidp.Faults{Claims: func(c map[string]any) { c["groups"] = many }}}, devidp.Faults{}},
		{"userinfo_refused", "refused", refused, devidp.Faults{}},
		{"recheck_postponed", "provider_unreachable", setup{}, answerWith("openid-configuration", 503, upstreamText)},
		{"recheck_postponed", "provider_busy", setup{}, answerWith("token", 429, upstreamText)},
	} {
		t.Run(test.event+" "+test.reason, func(t *testing.T) {
			t.Parallel()
			s := test.setup
			env := map[string]string{"LOG_FORMAT": "json", "SESSION_RECHECK": "15m"}
			maps.Copy(env, s.env)
			s.env, s.clock = env, apptest.NewClock()
			r := startSite(t, s)
			b := r.Browser()
			b.SignIn(finance)
			r.Provider.SetFaults(test.faults)
			if test.event == "recheck_postponed" {
				s.clock.Advance(15 * time.Minute)
				b.Visit("/profile").Check(t, http.StatusOK)
			}
			if got := auditReasons(t, r.Log.String())[test.event]; !slices.Equal(got, []string{test.reason}) {
				t.Errorf("the reasons are %q, want %q, in %s", got, test.reason, r.Log)
			}
			for line := range strings.Lines(r.Log.String()) {
				if strings.Contains(line, test.event) && !strings.Contains(line, `"level":"WARN"`) {
					t.Errorf("nobody is warned by %s", line)
				}
			}
		})
	}
}

// auditReasons returns the reasons of each event, of a log in JSON. An event that lacks
// something is an error.
func auditReasons(t *testing.T, log string) map[string][]string {
	t.Helper()
	reasons := map[string][]string{}
	for line := range strings.Lines(log) {
		var entry struct{ Event, Sub, Addr, Ref, Reason *string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if entry.Event == nil {
			continue
		}
		if entry.Sub == nil || entry.Addr == nil || entry.Ref == nil || entry.Reason == nil || *entry.Addr == "" || *entry.Ref == "" || *entry.Reason == "" {
			t.Errorf("something is missing in %s", line)
			continue
		}
		if *entry.Sub == "" && !slices.Contains([]string{"no_pending_login", "refused", "cross_site"}, *entry.Reason) {
			t.Errorf("nobody did it: %s", line)
		}
		reasons[*entry.Event] = append(reasons[*entry.Event], *entry.Reason)
	}
	return reasons
}

// Whatever a request holds, it writes no line of its own into the log, and adds
// nothing to another.
func TestLogLinesCannotBeForged(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			env := logoutEnv()
			env["LOG_FORMAT"], env["TRUSTED_PROXIES"] = format, "127.0.0.1"
			r := startSite(t, setup{env: env, faults: devidp.Faults{LogoutClaims: claimIs("iss", "a\n{\"event\":\"forged\"}\nevent=forged ")}})
			b := r.Browser()
			b.SignIn(finance)
			const forged = "\n{\"event\":\"forged\"}\ntime=2026-01-01T00:00:00Z level=INFO msg=x event=forged\r\n\u2028\x1b[2K"
			escaped := url.PathEscape(forged)
			lines := strings.Count(r.Log.String(), "\n")
			requests := 0
			for _, path := range []string{
				"/" + escaped, "/team/" + escaped, "/team/finance/expenses/" + escaped, "/sessions/" + escaped,
				"/login?return_to=" + escaped + "&login_hint=" + escaped, "/login?iss=" + escaped,
				openid.CallbackPath + "?state=" + escaped + "&code=" + escaped, openid.CallbackPath + "?state=x&error=" + escaped,
				"/team/finance?sort=" + escaped, "/sessions?q=" + escaped,
			} {
				b.Get(path, "User-Agent", "x\" event=forged y=\"", "X-Forwarded-For", "x event=forged", "Referer", "event=forged")
				requests++
			}
			b.Post("/sessions/"+escaped+"/end", url.Values{"sub": {forged}})
			b.Post("/profile/sessions/"+escaped+"/end", url.Values{"sub": {forged}})
			b.Post(backChannelLogoutPath, url.Values{"logout_token": {forged}})
			revoke(b, "x", forged)
			if _, err := r.Provider.BackChannelLogout(r.BaseURL+backChannelLogoutPath, "x", ""); err != nil {
				t.Fatal(err)
			}
			requests += 5
			checkLog(t, format, r.Log.String())
			// A request has its own line, and one at most for why it failed or what it did;
			// the last two of the sign-in before may still be on their way.
			if added := strings.Count(r.Log.String(), "\n") - lines; added < requests || added > 2*requests+2 {
				t.Errorf("%d requests add %d lines", requests, added)
			}
		})
	}
}

func checkLog(t *testing.T, format, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		if format == "json" {
			var entry map[string]any
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry["event"] == "forged" {
				t.Errorf("forged: %q, %v", line, err)
			}
			continue
		}
		if !strings.HasPrefix(line, "time="+time.Now().Format("2006-")) || strings.ContainsAny(line, "\r\x1b\u2028") {
			t.Errorf("forged: %q", line)
		}
		// Outside of quotes nothing of it may stand.
		outside, quoted := "", false
		for i, c := range line {
			if c == '"' && line[max(i-1, 0)] != '\\' {
				quoted = !quoted
			}
			if !quoted {
				outside += string(c)
			}
		}
		if strings.Contains(outside, "event=forged") {
			t.Errorf("forged: %q", line)
		}
	}
}
