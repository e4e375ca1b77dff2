package main

import (
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
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
