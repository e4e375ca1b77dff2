package main

import (
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/openid/token"
	"expense-dashboard/internal/session"
)

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
