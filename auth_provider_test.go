package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/openid/token"
	"expense-dashboard/internal/session"
)

// A discoveryFaultTest is a provider with one thing wrong in its metadata.
type discoveryFaultTest struct {
	name   string
	faults devidp.Faults
}

// metadata sets one member of the discovery document; absent leaves it out.
func metadata(name string, value any) devidp.Faults {
	return devidp.Faults{Discovery: func(members map[string]any) {
		members[name] = value
		if value == absent {
			delete(members, name)
		}
	}}
}

func lastingFaults() []discoveryFaultTest {
	const endpoint = "openid-configuration"
	changedIssuer := func(change func(string) string) devidp.Faults {
		return devidp.Faults{Discovery: func(m map[string]any) { m["issuer"] = change(m["issuer"].(string)) }}
	}
	tests := []discoveryFaultTest{
		{"issuer is another", metadata("issuer", "https://evil.example")},
		{"issuer is missing", metadata("issuer", absent)},
		{"issuer is a number", metadata("issuer", 1)},
		{"issuer with a trailing slash", changedIssuer(func(v string) string { return v + "/" })},
		{"issuer in capitals", changedIssuer(strings.ToUpper)},
		{"issuer under another case", devidp.Faults{Discovery: func(m map[string]any) { m["Issuer"] = m["issuer"]; delete(m, "issuer") }}},
		{"PKCE without S256", metadata("code_challenge_methods_supported", []string{"plain"})},
		{"no RS256", metadata("id_token_signing_alg_values_supported", []string{"ES256"})},

		{"no client authentication with a secret", metadata("token_endpoint_auth_methods_supported", []string{"private_key_jwt"})},
		{"status 404", answerWith(endpoint, 404, upstreamText)},
		{"status 401", answerWith(endpoint, 401, upstreamText)},
		{"status 204", answerWith(endpoint, 204, "")},
		{"empty body", answerWith(endpoint, 200, "")},
		{"a page", answerWith(endpoint, 200, "<html>"+upstreamText, "Content-Type", "text/html")},
		{"an array", answerWith(endpoint, 200, "[]")},
		{"truncated JSON", answerWith(endpoint, 200, `{"issuer":"`+upstreamText)},
		{"two objects", answerWith(endpoint, 200, `{}{}`)},
		{"an object with nothing in it", answerWith(endpoint, 200, `{}`)},
		{"huge", answerWith(endpoint, 200, huge())},
		{"endless", intercept(endpoint, endless)},
	}
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri"} {
		tests = append(tests, discoveryFaultTest{name + " is missing", metadata(name, absent)},
			discoveryFaultTest{name + " is empty", metadata(name, "")}, discoveryFaultTest{name + " is null", metadata(name, nil)})
	}
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"} {
		for _, value := range []string{
			"/oauth2/v1/x", "//127.0.0.1/x", "x", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://idp.example.com/x",
			"http://127.0.0.1.example.com/x", "https://user:pass@idp.example.com/x", "https:///x", "https://idp.example.com/x#fragment", "https://idp.example.com/ x", `https:\\idp.example.com\x`,
		} {
			tests = append(tests, discoveryFaultTest{name + " is " + value, metadata(name, value)})
		}
		tests = append(tests, discoveryFaultTest{name + " is a number", metadata(name, 1)}, discoveryFaultTest{name + " is an array", metadata(name, []string{"https://idp.example.com"})})
	}
	return tests
}

// A lasting fault ends the program with status 1, and says how to fix it.
func TestLastingDiscoveryFaults(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	t.Cleanup(elsewhere.Close)
	tests := append(lastingFaults(), discoveryFaultTest{"redirect to another host", intercept("openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusFound)
	})})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := setup{faults: test.faults}
			r := newRig(t, "http://localhost:3000", s)
			err := serve(t.Context(), r.variables(s), r.Log)
			var fault *openid.DiscoveryError
			if !errors.As(err, &fault) || !fault.Lasting {
				t.Fatalf("run = %v, want a lasting fault of discovery", err)
			}
			if status := report(err, r.Log); status != 1 {
				t.Errorf("exit status %d, want 1", status)
			}
			if log := r.Log.String(); !strings.Contains(log, "Likely fix: ") || strings.Contains(log, upstreamText) {
				t.Errorf("the program says: %s", log)
			}
		})
	}
}

func passingFaults() []discoveryFaultTest {
	const endpoint = "openid-configuration"
	return []discoveryFaultTest{
		{"status 500", answerWith(endpoint, 500, upstreamText)},
		{"status 502", answerWith(endpoint, 502, upstreamText)},
		{"status 503 with Retry-After", answerWith(endpoint, 503, upstreamText, "Retry-After", "1")},
		{"status 429", answerWith(endpoint, 429, upstreamText)},
		{"connection cut off before the answer", intercept(endpoint, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })},
		{"connection cut off in the body", intercept(endpoint, cutOff)},
	}
}

// With a passing fault the program serves, says so, and needs no restart. A
// provider that refuses connections or hangs has tests of its own.
func TestPassingDiscoveryFaults(t *testing.T) {
	t.Parallel()
	for _, test := range passingFaults() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := startProgram(t, setup{faults: test.faults})
			checkUnreached(t, r)
			r.Provider.SetFaults(devidp.Faults{})
			waitUntilReady(r)
			r.Browser().SignIn(finance)
			if strings.Contains(r.Log.String(), upstreamText) {
				t.Errorf("the log holds the provider's text: %s", r.Log)
			}
		})
	}
}

// checkUnreached asserts what the program does without its provider.
func checkUnreached(t *testing.T, r *rig) {
	t.Helper()
	b := r.Browser()
	b.Get("/healthz").Check(t, http.StatusOK)
	b.Get("/readyz").Check(t, http.StatusServiceUnavailable)
	b.Get("/").Check(t, http.StatusOK, "Sign in")
	login := b.Get("/login")
	login.Check(t, http.StatusServiceUnavailable, "Okta cannot be reached")
	if login.Header.Get("Retry-After") == "" || len(b.Cookies()) > 0 {
		t.Errorf("/login answers with %v", login.Header)
	}
}

func waitUntilReady(r *rig) {
	b := r.Browser()
	for b.Get("/readyz").Status != http.StatusOK {
		time.Sleep(50 * time.Millisecond)
	}
}

func TestProviderThatRefusesConnections(t *testing.T) {
	t.Parallel()
	addr := apptest.FreeAddr(t)
	r := startProgram(t, setup{env: map[string]string{
		"OKTA_ISSUER": "http://" + addr + "/oauth2/default", "OKTA_CLIENT_ID": "client", "OKTA_CLIENT_SECRET": "the secret of the client",
	}})
	checkUnreached(t, r)
	late, err := devidp.Start(addr, devidp.Config{
		ClientID: "client", ClientSecret: "the secret of the client", SigningKey: apptest.SigningKey(), RedirectURIs: []string{r.BaseURL + openid.CallbackPath},
	})
	if err != nil {
		t.Skipf("somebody else took the port meanwhile: %v", err)
	}
	t.Cleanup(func() { late.Close() })
	waitUntilReady(r)
	r.Browser().SignIn(finance)
}

func TestProviderThatHangs(t *testing.T) {
	t.Parallel()
	for name, beginning := range map[string]string{"before the answer": "", "in the middle of it": `{"`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{unreached: true, clientTimeout: 200 * time.Millisecond, faults: intercept("openid-configuration", hang(beginning))})
			var fault *openid.DiscoveryError
			if err := r.site.signIn.client.Connect(t.Context()); !errors.As(err, &fault) || fault.Lasting {
				t.Errorf("connect = %v, want a passing fault", err)
			}
			checkUnreached(t, r)
		})
	}
}

// All calls of one sign-in together take ten seconds at most.
func TestSignInDeadline(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	t.Parallel()
	r := startSite(t, setup{})
	var slept atomic.Int32
	r.Provider.SetFaults(devidp.Faults{
		Token: func(map[string]any) { time.Sleep(openid.SignInTimeout * 6 / 10); slept.Add(1) },
		UserInfo: func(map[string]any) {
			time.Sleep(openid.SignInTimeout * 6 / 10)
			slept.Add(1)
		},
	})
	b := r.Browser()
	b.Get(b.BeginSignIn(finance).String()).Check(t, http.StatusGatewayTimeout, "Okta did not answer in time")
	if got := slept.Load(); got != 1 {
		t.Errorf("%d calls had ended, want the token request alone", got)
	}
	b.Get("/dashboard").Check(t, http.StatusSeeOther)
}

// No fault of the provider's ends a program that serves, nor its sessions.
func TestProviderGoesAway(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b, guest := r.Browser(), r.Browser()
	b.SignIn(finance)
	callback := guest.BeginSignIn(hr)
	r.Provider.Close()
	if err := r.site.signIn.client.Connect(t.Context()); err == nil {
		t.Error("connect succeeds without a provider")
	}
	b.Get("/team/finance").Check(t, http.StatusOK, "$2,780.00")
	guest.Get("/readyz").Check(t, http.StatusOK)
	page := guest.Get(callback.String())
	page.Check(t, http.StatusServiceUnavailable)
	if page.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// A refresh that brings worse metadata does not take the place of the good.
func TestRefreshKeepsWhatIsGood(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	for _, faults := range []devidp.Faults{metadata("token_endpoint", "http://evil.example/"), metadata("issuer", "https://evil.example"), answerWith("openid-configuration", 404, "")} {
		r.Provider.SetFaults(faults)
		if err := r.site.signIn.client.Connect(t.Context()); err == nil {
			t.Error("connect believes a bad answer")
		}
		r.Browser().SignIn(finance)
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	old := r.Provider.SigningKey()
	if err := r.Provider.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	// The keys were fetched a moment ago, at the start.
	r.Browser().SignIn(finance)
	if got := r.Provider.Count("keys"); got != 2 {
		t.Errorf("keys were fetched %d times, want once at the start and once for the new key", got)
	}
	r.Provider.WithdrawOldKeys()
	if err := r.site.signIn.client.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Provider.SetFaults(resigned(old, map[string]any{"kid": thumbprint(t, old.Public())}))
	b := r.Browser()
	b.Get(b.BeginSignIn(finance).String()).Check(t, http.StatusBadGateway)
	r.Provider.SetFaults(devidp.Faults{})
	r.Browser().SignIn(finance)
}

// Sign-ins that come together after a rotation wait for one fetch of the keys.
func TestKeyRotationWithManySignInsAtOnce(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	if err := r.Provider.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	const many = 8
	var exchanged sync.WaitGroup
	exchanged.Add(many)
	r.Provider.SetFaults(devidp.Faults{
		// Nobody gets an ID Token before everybody is about to.
		Token: func(map[string]any) { exchanged.Done(); exchanged.Wait() },
		Keys: func(keys []map[string]any) []map[string]any {
			time.Sleep(50 * time.Millisecond)
			return keys
		},
	})
	callbacks, browsers := make([]string, many), make([]*apptest.Browser, many)
	for i := range browsers {
		browsers[i] = r.Browser()
		callbacks[i] = browsers[i].BeginSignIn(finance).String()
	}
	var together sync.WaitGroup
	for i, b := range browsers {
		together.Go(func() { b.Get(callbacks[i]).Check(t, http.StatusSeeOther) })
	}
	together.Wait()
	if got := r.Provider.Count("keys"); got < 2 || got > 1+token.KeyFetchBurst {
		t.Errorf("keys were fetched %d times", got)
	}
}

func thumbprint(t *testing.T, public any) string {
	t.Helper()
	sum, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return encoded(string(sum))
}

func TestFloodOfUnknownKeys(t *testing.T) {
	t.Parallel()
	clock := apptest.NewClock()
	r := startSite(t, setup{clock: clock})
	var number atomic.Int32
	r.Provider.SetFaults(devidp.Faults{IDToken: func(signed string) string {
		return resign(signed, apptest.SigningKey(), map[string]any{"kid": fmt.Sprint("unknown ", number.Add(1))})
	}})
	flood := func() {
		for range 5 {
			b := r.Browser()
			b.Get(b.BeginSignIn(finance).String()).Check(t, http.StatusBadGateway)
		}
	}
	const atStart = 1
	for _, step := range []struct {
		passes time.Duration
		want   int
	}{
		{0, token.KeyFetchBurst},
		{token.KeyFetchInterval - time.Millisecond, token.KeyFetchBurst},
		{time.Millisecond, token.KeyFetchBurst + 1},
		{token.KeyFetchInterval / 2, token.KeyFetchBurst + 1},
		{token.KeyFetchInterval / 2, token.KeyFetchBurst + 2},
		{time.Hour, 2*token.KeyFetchBurst + 2},
	} {
		clock.Advance(step.passes)
		flood()
		if got := r.Provider.Count("keys") - atStart; got != step.want {
			t.Errorf("%s later keys were fetched %d times, want %d", step.passes, got, step.want)
		}
	}
	r.Provider.SetFaults(devidp.Faults{})
	r.Browser().SignIn(finance)
}

func TestKeyEndpointDownWhileCachedKeysServe(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string]devidp.Faults{
		"status 503": answerWith("keys", 503, upstreamText), "no keys": answerWith("keys", 200, `{"keys":[]}`), "keys null": answerWith("keys", 200, `{"keys":null}`),
		"a page": answerWith("keys", 200, "<html>"), "huge": answerWith("keys", 200, huge()), "keys is an object": answerWith("keys", 200, `{"keys":{}}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{})
			r.Provider.SetFaults(faults)
			if err := r.site.signIn.client.Connect(t.Context()); err != nil {
				t.Errorf("connect = %v", err)
			}
			r.Browser().SignIn(finance)
		})
	}
}

// A key endpoint that is down at the start is asked again by the first sign-in.
func TestKeyEndpointDownAtTheStart(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{faults: answerWith("keys", 503, upstreamText)})
	b := r.Browser()
	page := b.Get(b.BeginSignIn(finance).String())
	if page.Check(t, http.StatusServiceUnavailable); page.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	r.Provider.SetFaults(devidp.Faults{})
	r.Browser().SignIn(finance)
}

// As long as no key is known, sign-ins ask for them a few times a minute and no more,
// and whoever runs the site reads why nobody can sign in.
func TestFloodWhileNoKeyIsKnown(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{clock: apptest.NewClock(), faults: answerWith("keys", 503, upstreamText)})
	for range 3 * token.KeyFetchBurst {
		b := r.Browser()
		b.Get(b.BeginSignIn(finance).String()).Check(t, http.StatusServiceUnavailable, "Okta cannot be reached")
	}
	if got := r.Provider.Count("keys"); got != 1+token.KeyFetchBurst {
		t.Errorf("keys were fetched %d times, want once at the start and %d times more", got, token.KeyFetchBurst)
	}
}

// Somebody's token with an unknown key must not hold up everybody else.
func TestHangingKeyEndpointHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	asked, release := make(chan struct{}), make(chan struct{})
	faults := intercept("keys", func(http.ResponseWriter, *http.Request) { close(asked); <-release })
	faults.IDToken = func(signed string) string {
		return resign(signed, apptest.SigningKey(), map[string]any{"kid": "unknown"})
	}
	r.Provider.SetFaults(faults)
	slow := r.Browser()
	callback := slow.BeginSignIn(hr).String()
	var waiting sync.WaitGroup
	var ended atomic.Bool
	waiting.Go(func() {
		slow.Get(callback)
		ended.Store(true)
	})
	<-asked
	r.Provider.SetFaults(devidp.Faults{})
	b := r.Browser()
	b.Get(b.BeginSignIn(finance).String()).Check(t, http.StatusSeeOther)
	if ended.Load() {
		t.Error("a sign-in with a known key waited for the keys that another asked for")
	}
	close(release)
	waiting.Wait()
}

// A failedSignIn is one that Okta does not grant, or that cannot be believed.
type failedSignIn struct {
	name   string
	faults devidp.Faults
	status int
	reason openid.Reason
	page   string // what the person reads
	fix    string // what the log says to change, and the page on loopback; empty for nothing
}

// authorizeError is an authorization response with an error, as Okta words it.
func authorizeError(code, description string) devidp.Faults {
	return devidp.Faults{Authorize: func(response url.Values) {
		response.Del("code")
		response.Set("error", code)
		response.Set("error_description", description)
	}}
}

// tokenError is a token answer with an error, as Okta words it.
func tokenError(status int, code, description string) devidp.Faults {
	return answerWith("token", status, fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, description))
}

func refusals() []failedSignIn {
	const assign = "> Assignments > Assign: add the person or one of their groups"
	notClaimed := devidp.Faults{UserInfo: func(c map[string]any) { delete(c, "email") }}
	issued := func(ago time.Duration) devidp.Faults {
		return devidp.Faults{Claims: func(c map[string]any) { c["iat"] = time.Now().Add(-ago).Unix() }}
	}
	limited := answerWith("token", 429, `{"errorCode":"E0000047","errorSummary":"API call exceeded rate limit due to too many requests."}`,
		"Date", "Sun, 22 Nov 2026 10:00:00 GMT", "X-Rate-Limit-Reset", fmt.Sprint(time.Date(2026, 11, 22, 10, 0, 42, 0, time.UTC).Unix()))
	return []failedSignIn{
		{"user not assigned", authorizeError("access_denied", "User is not assigned to the client application."), 403, openid.NotAssigned, "Okta says that you are not assigned to this app.", assign},
		{"no access policy", authorizeError("access_denied", "Policy evaluation failed for this request, please check the policy configurations."), 403, openid.NoAccessPolicy, "Okta has no access policy that lets you into this app.", "Authorization Servers > default > Access Policies: add a policy"},
		{"no access policy, told at the token endpoint", tokenError(400, "access_denied", "Policy evaluation failed for this request, please check the policy configurations."), 502, openid.NoAccessPolicy, "Okta has no access policy", "> Access Policies: add a policy"},
		{"denied in words that are not known", authorizeError("access_denied", upstreamText), 403, openid.AccessDenied, "Okta did not let you in: you refused, or you may not use this app.", "Reports > System Log"},
		{"description with more than the known words", authorizeError("access_denied", "User is not assigned to the client application. "+upstreamText), 403, openid.AccessDenied, "Okta did not let you in", "Reports > System Log"},
		{"consent required", authorizeError("consent_required", upstreamText), 403, openid.ConsentRequired, "Okta needs your consent", "> General > User Consent"},
		{"wrong secret", tokenError(401, "invalid_client", "The client secret supplied for a confidential client is invalid."), 502, openid.InvalidClient, "Okta does not know this application", "> General > Client Credentials: it has to exist and be active"},
		{"unknown scope", authorizeError("invalid_scope", "One or more scopes are not configured for the authorization server resource."), 502, openid.InvalidScope, "not set up to give it", "> default > Scopes: it has to list each of openid profile email"},
		{"DPoP required", tokenError(400, "invalid_dpop_proof", "The DPoP proof JWT header is missing."), 502, openid.DpopRequired, "proof of possession (DPoP)", "clear Require Demonstrating Proof of Possession (DPoP)"},
		{"grant type not allowed", authorizeError("unauthorized_client", upstreamText), 502, openid.ProviderRefused, "Okta refused this application, not you", "Reports > System Log"},
		{"rate limited", limited, 429, openid.ProviderBusy, "Try again in 42 seconds, after ", "Reports > Rate Limits"},
		{"our clock ten minutes behind", issued(-10 * time.Minute), 502, openid.ClockOff, "The clocks of Okta and of this site disagree", "timedatectl set-ntp true"},
		{"our clock ten minutes ahead", issued(10 * time.Minute), 502, openid.ClockOff, "The clocks of Okta and of this site disagree", "timedatectl set-ntp true"},
		{"email missing", notClaimed, 502, openid.EmailMissing, "Okta does not tell us your email address", "Profile: fill in Primary email"},
		{"code expired", tokenError(400, "invalid_grant", "The authorization code is invalid or has expired."), 400, openid.CodeRefused, "Okta no longer accepts this sign-in", ""},
	}
}

// Who cannot sign in reads why, who runs the site reads in the log what to
// change, and both find one another by a reference. Where they are one and the
// same, which is on loopback, the page has all of it.
func TestRefusalsAreExplained(t *testing.T) {
	t.Parallel()
	for _, row := range refusals() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{})
			r.Provider.SetFaults(row.faults)
			b := r.Browser()
			page := b.Get(b.BeginSignIn(finance).String())
			page.Check(t, row.status, html.EscapeString(row.page), html.EscapeString(row.fix), "!"+upstreamText)
			if shown := strings.Contains(page.Body, "For you who run this site"); shown != (row.fix != "") {
				t.Errorf("the page shows a fix: %v", shown)
			}
			reference := strings.TrimSuffix(strings.TrimPrefix(referenceText.FindString(page.Body), "<code>"), "</code>")
			line := failureLine(r.Log.String(), reference)
			if !strings.Contains(line, "reason="+string(row.reason)) || !strings.Contains(line, row.fix) || strings.Contains(line, "fix=") != (row.fix != "") {
				t.Errorf("the log line of %s lacks %s or %q: %s", reference, row.reason, row.fix, line)
			}
			if strings.Contains(r.Log.String(), upstreamText) {
				t.Error("the log holds the provider's own words")
			}
			away := r.copy(t, setup{env: map[string]string{"APP_BASE_URL": "https://expenses.example.com", "SAMPLE_DATA": "false"}})
			elsewhere := httptest.NewRecorder()
			away.Fail(elsewhere, httptest.NewRequest(http.MethodGet, openid.CallbackPath, nil), &openid.SignInError{Failure: row.reason})
			if body := elsewhere.Body.String(); strings.Contains(body, "For you who run this site") || (row.fix != "" && strings.Contains(body, html.EscapeString(row.fix))) {
				t.Errorf("the page shows the fix where it is not on loopback: %s", body)
			}
		})
	}
}

func TestUnverifiedAddressIsExplained(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{faults: devidp.Faults{UserInfo: func(c map[string]any) { c["email_verified"] = false }}})
	b := r.Browser()
	const fix = "have the person confirm it"
	b.SignIn(finance).Check(t, http.StatusOK, "Your email address is not verified.", finance, fix)
	b.Get("/profile").Check(t, http.StatusOK, "Your email address is not verified.", fix)
	if log := r.Log.String(); !strings.Contains(log, "event=email_unverified") || !strings.Contains(log, fix) {
		t.Errorf("the log does not say what to change: %s", log)
	}
}

var flapFor = flag.Duration("flap", 20*time.Second, "how long the provider flaps in TestFlappingProvider")

// TestFlappingProvider changes what is wrong with the provider all the time
// while two people work and three sign in, again and again.
func TestFlappingProvider(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as -flap says")
	}
	t.Parallel()
	r := startProgram(t, setup{})
	workers := []*browser{r.Browser(), r.Browser()}
	workers[0].SignIn(admin)
	workers[1].SignIn(finance)
	ctx, cancel := context.WithTimeout(t.Context(), *flapFor)
	defer cancel()
	var rounds, in, out atomic.Int32
	var people sync.WaitGroup
	people.Go(func() { flap(ctx, r.Provider) })
	for _, b := range workers {
		people.Go(func() {
			for ; ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
				for _, path := range []string{"/dashboard", "/team/finance", "/profile", "/readyz", "/healthz"} {
					b.Get(path).Check(t, http.StatusOK)
				}
				rounds.Add(1)
			}
		})
	}
	for range 3 {
		people.Go(func() {
			for ; ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
				if signsInOrIsTold(t, r) {
					in.Add(1)
				} else {
					out.Add(1)
				}
			}
		})
	}
	people.Wait()
	t.Logf("%d rounds of work, %d sign-ins, %d that failed", rounds.Load(), in.Load(), out.Load())
	if rounds.Load() == 0 || in.Load() == 0 || out.Load() == 0 {
		t.Error("that shows nothing")
	}
	r.Browser().SignIn(hr)
}

// flap changes what the provider's endpoints answer until ctx is done, and
// fixes them then. Nothing hangs for longer than its turn.
func flap(ctx context.Context, provider *devidp.Provider) {
	defer provider.SetFaults(devidp.Faults{})
	for turn := 0; ctx.Err() == nil; turn++ {
		over, end := context.WithTimeout(ctx, 300*time.Millisecond)
		handlers := []http.HandlerFunc{
			nil,
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
			nil,
			func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"`)
				_ = http.NewResponseController(w).Flush()
				<-over.Done()
				panic(http.ErrAbortHandler)
			},
			nil,
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusServiceUnavailable)
			},
		}
		handler := handlers[turn%len(handlers)]
		provider.SetFaults(devidp.Faults{Intercept: func(endpoint string) http.HandlerFunc {
			if slices.Contains([]string{"token", "userinfo", "keys", "openid-configuration"}, endpoint) {
				return handler
			}
			return nil
		}})
		<-over.Done()
		end()
	}
}

// signsInOrIsTold signs somebody in. Where that fails, they must have no
// session, and be told by one of the statuses for a provider that is away.
func signsInOrIsTold(t *testing.T, r *rig) bool {
	b := r.Browser()
	page := b.Get(b.BeginSignIn(hr).String())
	switch page.Status {
	case http.StatusSeeOther:
		b.Get("/dashboard").Check(t, http.StatusOK, "/team/hr")
		return true
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if page.Header.Get("Retry-After") == "" {
			t.Errorf("status %d without Retry-After", page.Status)
		}
	default:
		t.Errorf("a sign-in fails with %d: %s", page.Status, page.Text())
	}
	b.Get("/dashboard").Check(t, http.StatusSeeOther)
	return false
}

// clientKeyFile keeps a private key in a file of the test's own.
func clientKeyFile(t *testing.T, private any) string {
	t.Helper()
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "client-key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// The client proves with its key who it is, anew in each request: an assertion that
// somebody has seen is no good to them.
func TestPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for alg, key := range map[string]crypto.Signer{"RS256": apptest.SigningKey(), "ES256": curve} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{
				env:      map[string]string{"OKTA_PRIVATE_KEY_FILE": clientKeyFile(t, key), "OKTA_CLIENT_SECRET": ""},
				provider: devidp.Config{ClientKey: key.Public()},
			})
			for range 3 {
				r.Browser().SignIn(finance)
			}
			seen := map[string]bool{}
			for _, request := range r.Provider.Requests("token") {
				if request.Form.Has("client_secret") || request.Header.Get("Authorization") != "" {
					t.Errorf("a secret is sent too: %v", request.Form)
				}
				seen[assertionID(t, request.Form.Get("client_assertion"), alg, key.Public(), r)] = true
			}
			if len(seen) != 3 {
				t.Errorf("3 requests have %d different jti", len(seen))
			}
			replayed := url.Values{
				"grant_type": {"authorization_code"}, "code": {"x"}, "redirect_uri": {"x"}, "code_verifier": {"x"},
				"client_assertion_type": {r.Provider.Requests("token")[0].Form.Get("client_assertion_type")},
				"client_assertion":      {r.Provider.Requests("token")[0].Form.Get("client_assertion")},
			}
			r.Browser().Post(r.Provider.Issuer()+"/v1/token", replayed).Check(t, http.StatusUnauthorized, "invalid_client", "used before")
		})
	}
}

// assertionID checks an assertion as RFC 7523, 3 says and returns its jti.
func assertionID(t *testing.T, assertion, alg string, public crypto.PublicKey, r *rig) string {
	t.Helper()
	signed, err := jose.ParseSignedCompact(assertion, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := signed.Verify(public)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	if claims["iss"] != r.Provider.ClientID() || claims["sub"] != r.Provider.ClientID() || claims["aud"] != r.Provider.Issuer()+"/v1/token" ||
		signed.Signatures[0].Header.KeyID != thumbprint(t, public) {
		t.Errorf("the assertion says %v under %v", claims, signed.Signatures[0].Header)
	}
	id, _ := claims["jti"].(string)
	return id
}

// Another key than the registered one is refused, and the log says what to change.
func TestPrivateKeyJWTOfAnotherKey(t *testing.T) {
	t.Parallel()
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := startSite(t, setup{
		env:      map[string]string{"OKTA_PRIVATE_KEY_FILE": clientKeyFile(t, other), "OKTA_CLIENT_SECRET": ""},
		provider: devidp.Config{ClientKey: apptest.SigningKey().Public()},
	})
	b := r.Browser()
	b.Get(b.BeginSignIn(finance).String()).Check(t, http.StatusBadGateway, "Okta does not know this application", "Public key / Private key")
	if log := r.Log.String(); !strings.Contains(log, "reason=invalid_client") {
		t.Errorf("the log says %s", log)
	}
}

func TestClientSecretPost(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{env: map[string]string{"OKTA_CLIENT_AUTH": "client_secret_post"}})
	r.Browser().SignIn(finance)
	request := r.Provider.Requests("token")[0]
	if request.Form.Get("client_secret") != r.Provider.ClientSecret() || request.Header.Get("Authorization") != "" {
		t.Errorf("the token request is %v, %v", request.Form, request.Header)
	}
}

// A module is one of the OpenID Foundation's conformance suite for relying
// parties, by its official name, and what is run in its place here.
type module struct {
	plan, name string
	run        func(t *testing.T)
	// unfit says why the module cannot be passed as it is defined; run then
	// shows what happens instead. Empty for one that applies.
	unfit string
}

const (
	basicPlan       = "oidcc-client-basic-certification-test-plan"
	configPlan      = "oidcc-client-config-certification-test-plan"
	rpLogoutPlan    = "oidcc-client-rp-initiated-logout-rp-basic"
	backChannelPlan = "oidcc-client-back-channel-logout-rp-basic"
	thirdPartyPlan  = "oidcc-client-test-3rd-party-init-login-test-plan"
)

// TestConformanceModules runs what each module of the plans asks of a relying
// party that uses the code flow.
func TestConformanceModules(t *testing.T) {
	t.Parallel()
	for _, m := range modules() {
		t.Run(m.plan+"/"+m.name, func(t *testing.T) {
			t.Parallel()
			if m.unfit != "" {
				t.Log("does not apply:", m.unfit)
			}
			m.run(t)
		})
	}
}

func modules() []module {
	const unsigned = "it asks for unsigned ID Tokens to be accepted; they are refused, and the suite skips it for such a relying party"
	const noState = "it asks for a state at the end-session endpoint, which is optional; none is sent, since nothing happens at the post-logout URL"
	sigNone := refuses(badToken(header(map[string]any{"alg": "none"})))
	return []module{
		{basicPlan, "oidcc-client-test", signsIn(attack{}), ""},
		{basicPlan, "oidcc-client-test-invalid-iss", refuses(badToken(claim("iss", "https://evil.example"))), ""},
		{basicPlan, "oidcc-client-test-missing-sub", refuses(badToken(claim("sub", absent))), ""},
		{basicPlan, "oidcc-client-test-invalid-aud", refuses(badToken(claim("aud", "another client"))), ""},
		{basicPlan, "oidcc-client-test-missing-iat", refuses(badToken(claim("iat", absent))), ""},
		{basicPlan, "oidcc-client-test-kid-absent-single-jwks", signsIn(withoutKeyIDs()), ""},
		{basicPlan, "oidcc-client-test-kid-absent-multiple-jwks", signsIn(withoutKeyIDs(apptest.NewKey(2048), apptest.NewKey(2048))), ""},
		{basicPlan, "oidcc-client-test-idtoken-sig-rs256", signsIn(attack{faults: header(map[string]any{"alg": "RS256"})}), ""},
		{basicPlan, "oidcc-client-test-idtoken-sig-none", sigNone, unsigned},
		{basicPlan, "oidcc-client-test-invalid-sig-rs256", refuses(badToken(resigned(apptest.NewKey(2048), nil))), ""},
		{basicPlan, "oidcc-client-test-userinfo-invalid-sub", refuses(foreignUserInfo()), ""},
		{basicPlan, "oidcc-client-test-nonce-invalid", refuses(badToken(claim("nonce", "another nonce"))), ""},
		{basicPlan, "oidcc-client-test-scope-userinfo-claims", asksForScopes, ""},
		{basicPlan, "oidcc-client-test-client-secret-basic", authenticatesInTheHeader, ""},

		{configPlan, "oidcc-client-test-discovery-openid-config", asksOnce("openid-configuration"), ""},
		{configPlan, "oidcc-client-test-discovery-jwks-uri-keys", asksOnce("keys"), ""},
		{configPlan, "oidcc-client-test-discovery-issuer-mismatch", anotherIssuerIsLasting, ""},
		{configPlan, "oidcc-client-test-idtoken-sig-none", sigNone, unsigned},
		{configPlan, "oidcc-client-test-signing-key-rotation-just-before-signing", rotatesKeys(0), ""},
		{configPlan, "oidcc-client-test-signing-key-rotation", rotatesKeys(1), ""},

		{rpLogoutPlan, "oidcc-client-test-rp-init-logout", signsOut(""), ""},
		{rpLogoutPlan, "oidcc-client-test-rp-init-logout-other-state", signsOut("?state=another"), noState},
		{rpLogoutPlan, "oidcc-client-test-rp-init-logout-no-state", signsOut(""), noState},

		{backChannelPlan, "oidcc-client-test-rp-backchannel-rpinitlogout", endsRemotely(remoteAttack{}, http.StatusOK), ""},
		{backChannelPlan, "oidcc-client-test-rp-backchannel-rpinitlogout-alg-none", endsRemotely(remoteAttack{header: func(h map[string]any) { h["alg"] = "none" }}, http.StatusBadRequest), ""},
		{backChannelPlan, "oidcc-client-test-rp-backchannel-rpinitlogout-no-event", endsRemotely(remoteAttack{claims: claimGone("events")}, http.StatusBadRequest), ""},
		{backChannelPlan, "oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce", endsRemotely(remoteAttack{claims: claimIs("nonce", "nonce")}, http.StatusBadRequest), ""},
		{backChannelPlan, "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg", endsRemotely(remoteAttack{header: func(h map[string]any) { h["alg"] = "RS512" }}, http.StatusBadRequest), ""},
		{backChannelPlan, "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud", endsRemotely(remoteAttack{claims: claimIs("aud", "another client")}, http.StatusBadRequest), ""},
		{backChannelPlan, "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event", endsRemotely(remoteAttack{claims: claimIs("events", map[string]any{"http://schemas.openid.net/event/another": map[string]any{}})}, http.StatusBadRequest), ""},
		{backChannelPlan, "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss", endsRemotely(remoteAttack{claims: claimIs("iss", "https://evil.example")}, http.StatusBadRequest), ""},

		{thirdPartyPlan, "oidcc-client-test-3rd-party-init-login", startsElsewhere, ""},
	}
}

func signsIn(a attack) func(*testing.T) { return func(t *testing.T) { a.works(t) } }

func refuses(a attack) func(*testing.T) { return a.run }

// badToken is a sign-in whose ID Token is refused before UserInfo is asked.
func badToken(faults devidp.Faults) attack {
	return attack{faults: faults, status: http.StatusBadGateway, reason: openid.BadAnswer, token: 1}
}

func foreignUserInfo() attack {
	another := devidp.Faults{UserInfo: func(claims map[string]any) { claims["sub"] = "00uSomebodyElse" }}
	return attack{faults: another, status: http.StatusBadGateway, reason: openid.BadAnswer, token: 1, userInfo: 1}
}

// withoutKeyIDs signs without a kid and publishes the key without one, behind
// other keys.
func withoutKeyIDs(others ...*rsa.PrivateKey) attack {
	faults := header(map[string]any{"kid": nil})
	faults.Keys = func(keys []map[string]any) []map[string]any {
		var published []map[string]any
		for _, other := range others {
			published = addKey(jose.JSONWebKey{Key: other.Public(), Use: "sig", Algorithm: "RS256"})(published)
		}
		for _, key := range keys {
			delete(key, "kid")
			published = append(published, key)
		}
		return published
	}
	return attack{setup: setup{faults: devidp.Faults{Keys: faults.Keys}}, faults: faults}
}

func asksForScopes(t *testing.T) {
	r := attack{}.works(t)
	if got := r.Provider.Requests("authorize")[0].Query.Get("scope"); got != "openid profile email" {
		t.Errorf("scope = %q", got)
	}
	if got := r.Provider.Count("userinfo"); got != 1 {
		t.Errorf("%d requests to UserInfo", got)
	}
}

func authenticatesInTheHeader(t *testing.T) {
	r := attack{}.works(t)
	request := r.Provider.Requests("token")[0]
	if !strings.HasPrefix(request.Header.Get("Authorization"), "Basic ") || request.Form.Has("client_secret") || request.Form.Has("client_id") {
		t.Error("the client authenticates otherwise than by client_secret_basic alone")
	}
}

func asksOnce(endpoint string) func(*testing.T) {
	return func(t *testing.T) {
		r := attack{}.works(t)
		if got := r.Provider.Count(endpoint); got != 1 {
			t.Errorf("%d requests to %s", got, endpoint)
		}
	}
}

func anotherIssuerIsLasting(t *testing.T) {
	s := setup{faults: metadata("issuer", "https://evil.example")}
	r := newRig(t, "http://localhost:3000", s)
	err := serve(t.Context(), r.variables(s), r.Log)
	if status := report(err, r.Log); status != 1 || !strings.Contains(r.Log.String(), "names another issuer") {
		t.Errorf("exit status %d: %s", status, r.Log)
	}
	if got := r.Provider.Count("keys"); got != 0 {
		t.Errorf("%d requests for keys", got)
	}
}

// rotatesKeys signs somebody in so many times, rotates the keys and signs in
// once more.
func rotatesKeys(before int) func(*testing.T) {
	return func(t *testing.T) {
		clock := apptest.NewClock()
		r := startSite(t, setup{clock: clock})
		for range before {
			r.Browser().SignIn(finance)
		}
		clock.Advance(token.KeyFetchInterval)
		if err := r.Provider.RotateKeys(); err != nil {
			t.Fatal(err)
		}
		r.Provider.WithdrawOldKeys()
		r.Browser().SignIn(finance)
	}
}

// signsOut signs out and comes back from the provider with a query.
func signsOut(query string) func(*testing.T) {
	return func(t *testing.T) {
		r := startSite(t, setup{env: logoutEnv()})
		b := r.Browser()
		b.SignIn(finance)
		b.Follow(b.Post(session.LogoutPath, nil)).Check(t, http.StatusOK, "Sign in", "!Carol")
		asked := r.Provider.Requests("logout")
		if len(asked) != 1 || asked[0].Query.Get("id_token_hint") == "" || asked[0].Query.Get("post_logout_redirect_uri") != r.BaseURL || asked[0].Query.Has("state") {
			t.Fatalf("the end-session endpoint has had %d requests, or not the right one", len(asked))
		}
		b.Get("/"+query).Check(t, http.StatusOK, "Sign in", "!Carol")
		b.Get("/dashboard").Check(t, http.StatusSeeOther)
	}
}

// endsRemotely signs out in one browser, upon which the provider sends a Logout
// Token for all of the person's sessions. Only the right one ends another.
func endsRemotely(a remoteAttack, status int) func(*testing.T) {
	return func(t *testing.T) {
		r := startSite(t, setup{env: logoutEnv()})
		desk, phone := r.Browser(), r.Browser()
		desk.SignIn(finance)
		phone.SignIn(finance)
		desk.Follow(desk.Post(session.LogoutPath, nil)).Check(t, http.StatusOK, "Sign in")
		r.Provider.SetFaults(a.faults())
		answer, err := r.Provider.BackChannelLogout(r.BaseURL+backChannelLogoutPath, apptest.SubjectOf(t, finance), "")
		if err != nil || answer.Status != status || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("the answer is %+v, %v", answer, err)
		}
		if r.IsSignedIn(desk) || r.IsSignedIn(phone) == (status == http.StatusOK) {
			t.Error("the wrong sessions have ended")
		}
	}
}

// startsElsewhere is a sign-in that begins at the provider, by a link to our
// initiate_login_uri (OpenID Connect Core 1.0, 4).
func startsElsewhere(t *testing.T) {
	r := startSite(t, setup{})
	b := r.Browser()
	link := "/login?" + url.Values{"iss": {r.Provider.Issuer()}, "login_hint": {finance}, "target_link_uri": {"https://evil.example/"}}.Encode()
	page := b.Choose(b.Follow(b.Get(link, "Sec-Fetch-Site", "cross-site", "Referer", r.Provider.Issuer())), finance)
	if page.Check(t, http.StatusOK, "Carol Lee"); page.URL.Path != "/dashboard" || !strings.HasPrefix(page.URL.String(), r.BaseURL) {
		t.Errorf("sign-in ends at %s", page.URL)
	}
}
