package devidp

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestSignInPage(t *testing.T) {
	p := start(t, Config{RedirectURIs: []string{"http://[::1]:3000/callback"}})
	res, body := get(t, newBrowser(t), authorizeURL(p, nil))
	if res.StatusCode != http.StatusOK {
		t.Fatalf("got %s", res.Status)
	}
	for _, person := range SamplePeople() {
		if !strings.Contains(body, `value="`+person.Subject+`"`) || !strings.Contains(body, person.Name) {
			t.Errorf("no button for %s", person.Name)
		}
	}
	if strings.Contains(body, "suggested") {
		t.Error("suggests somebody without a login_hint")
	}
	policy := res.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "form-action 'self' http: "+appURL) || strings.Contains(policy, "unsafe") {
		t.Errorf("Content-Security-Policy is %q", policy)
	}
	res, body = get(t, newBrowser(t), p.Issuer()+"/style.css")
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/css") || body == "" {
		t.Errorf("the style sheet is %s, %s", res.Status, res.Header.Get("Content-Type"))
	}
}

func TestEachPersonSignsIn(t *testing.T) {
	p := start(t, Config{FullIDTokens: true})
	for _, person := range SamplePeople() {
		t.Run(person.Name, func(t *testing.T) {
			res, _ := post(t, newBrowser(t), authorizeURL(p, nil), url.Values{"subject": {person.Subject}})
			claims := verifiedClaims(t, p, exchange(t, p, callback(t, res).Get("code")).IDToken)
			if claims["email"] != person.Email || claims["name"] != person.Name || claims["sub"] != person.Subject {
				t.Errorf("claims are %v", claims)
			}
		})
	}
}

func TestTypedAddress(t *testing.T) {
	p := start(t, Config{FullIDTokens: true})
	for typed, want := range map[string]struct{ name, email string }{
		"ann.van-lee+x@example.com": {"Ann Van Lee", "ann.van-lee+x@example.com"},
		" zoë@example.com ":         {"Zoë", "zoë@example.com"},
		"+@example.com":             {"+@example.com", "+@example.com"},
		"Grace.Li@task-vantage.com": {"Grace Li", "Grace.Li@task-vantage.com"},
	} {
		t.Run(typed, func(t *testing.T) {
			claims := verifiedClaims(t, p, exchange(t, p, signIn(t, newBrowser(t), p, typed, nil)).IDToken)
			if claims["name"] != want.name || claims["email"] != want.email || claims["sub"] == subject(grace) {
				t.Errorf("claims are %v", claims)
			}
		})
	}
	for _, typed := range []string{"", "ann", "@example.com", "a@b@c", "Ann <ann@example.com>", "ann@example.com\nx", strings.Repeat("a", 250) + "@b.com"} {
		t.Run("refused "+typed, func(t *testing.T) {
			res, body := post(t, newBrowser(t), authorizeURL(p, nil), url.Values{"email": {typed}})
			if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "Enter an email address") || len(res.Cookies()) > 0 {
				t.Errorf("got %s", res.Status)
			}
		})
	}
}

func TestRefuse(t *testing.T) {
	p := start(t, Config{})
	res, _ := post(t, newBrowser(t), authorizeURL(p, nil), url.Values{"refuse": {"yes"}})
	response := callback(t, res)
	if response.Get("error") != "access_denied" || response.Get("state") != "the-state" || response.Has("code") {
		t.Errorf("got %v", response)
	}
}

func TestCrossSiteSignIn(t *testing.T) {
	p := start(t, Config{})
	req := newRequest(t, http.MethodPost, authorizeURL(p, nil), url.Values{"email": {hannah}})
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if res, _ := do(t, newBrowser(t), req); res.StatusCode != http.StatusForbidden || len(res.Cookies()) > 0 {
		t.Errorf("got %s", res.Status)
	}
}

func TestSingleSignOn(t *testing.T) {
	clock := newClock()
	p := start(t, Config{Now: clock.Now})
	browser := newBrowser(t)
	res, _ := post(t, browser, authorizeURL(p, nil), url.Values{"email": {hannah}})
	if cookie := res.Cookies()[0]; !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Errorf("cookie is %s", cookie)
	}
	authTime := float64(clock.Now().Unix())
	clock.Add(time.Minute)
	for _, test := range []struct {
		name    string
		changes url.Values
		asks    bool
	}{
		{"nothing", nil, false},
		{"prompt=none", url.Values{"prompt": {"none"}}, false},
		{"login_hint", url.Values{"login_hint": {grace}}, false},
		{"max_age not reached", url.Values{"max_age": {"61"}}, false},
		{"max_age passed", url.Values{"max_age": {"59"}}, true},
		{"max_age=0", url.Values{"max_age": {"0"}}, true},
		{"prompt=login", url.Values{"prompt": {"login"}}, true},
		{"prompt=select_account consent", url.Values{"prompt": {"select_account consent"}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, _ := get(t, browser, authorizeURL(p, test.changes))
			if test.asks {
				if res.StatusCode != http.StatusOK {
					t.Fatalf("got %s, want the page", res.Status)
				}
				return
			}
			claims := verifiedClaims(t, p, exchange(t, p, callback(t, res).Get("code")).IDToken)
			if claims["sub"] != subject(hannah) || claims["auth_time"] != authTime {
				t.Errorf("claims are %v", claims)
			}
		})
	}
}

func TestLoginRequired(t *testing.T) {
	clock := newClock()
	p := start(t, Config{Now: clock.Now})
	browser := newBrowser(t)
	loginRequired := func(when string, changes url.Values) {
		t.Helper()
		res, _ := get(t, browser, authorizeURL(p, changes))
		if response := callback(t, res); response.Get("error") != "login_required" || response.Has("code") {
			t.Errorf("%s: got %v", when, response)
		}
	}
	loginRequired("without a session", url.Values{"prompt": {"none"}})
	signIn(t, browser, p, hannah, nil)
	clock.Add(time.Minute)
	loginRequired("with max_age passed", url.Values{"prompt": {"none"}, "max_age": {"59"}})
	clock.Add(sessionLifetime)
	loginRequired("with a session that is over", url.Values{"prompt": {"none"}})
}

func TestSignInAsSomebodyElse(t *testing.T) {
	p := start(t, Config{})
	browser := newBrowser(t)
	signIn(t, browser, p, hannah, nil)
	signIn(t, browser, p, grace, url.Values{"prompt": {"login"}})
	res, _ := get(t, browser, authorizeURL(p, nil))
	claims := verifiedClaims(t, p, exchange(t, p, callback(t, res).Get("code")).IDToken)
	if claims["sub"] != subject(grace) {
		t.Errorf("claims are %v", claims)
	}
}

func TestLoginHint(t *testing.T) {
	p := start(t, Config{})
	_, body := get(t, newBrowser(t), authorizeURL(p, url.Values{"login_hint": {grace}}))
	if strings.Count(body, "suggested by the app") != 1 || !strings.Contains(body, `value="`+subject(grace)+`" class="hinted"`) {
		t.Error("does not mark the person")
	}
	_, body = get(t, newBrowser(t), authorizeURL(p, url.Values{"login_hint": {`"><script>@example.com`}}))
	if !strings.Contains(body, `value="&#34;&gt;&lt;script&gt;@example.com"`) {
		t.Error("does not fill in the address")
	}
}

// TestAuthorizeErrorPages shows what must never be redirected.
func TestAuthorizeErrorPages(t *testing.T) {
	p := start(t, Config{})
	for name, changes := range map[string]url.Values{
		"no client_id":             {"client_id": nil},
		"another client_id":        {"client_id": {"other"}},
		"client_id twice":          {"client_id": {p.ClientID(), p.ClientID()}},
		"no redirect_uri":          {"redirect_uri": nil},
		"unregistered":             {"redirect_uri": {"https://evil.example/authorization-code/callback"}},
		"registered, with a slash": {"redirect_uri": {callbackURL + "/"}},
		"registered, with a query": {"redirect_uri": {callbackURL + "?x=y"}},
		"redirect_uri twice":       {"redirect_uri": {callbackURL, callbackURL}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				res, _ := do(t, newBrowser(t), newRequest(t, method, authorizeURL(p, changes), url.Values{"email": {hannah}}))
				if res.StatusCode != http.StatusBadRequest || res.Header.Get("Location") != "" || len(res.Cookies()) > 0 {
					t.Errorf("%s answers %s to %q", method, res.Status, res.Header.Get("Location"))
				}
			}
		})
	}
}

func TestAuthorizeErrors(t *testing.T) {
	p := start(t, Config{})
	for _, test := range []struct {
		name    string
		changes url.Values
		want    string
	}{
		{"no response_type", url.Values{"response_type": nil}, "unsupported_response_type"},
		{"implicit", url.Values{"response_type": {"id_token"}}, "unsupported_response_type"},
		{"response_mode", url.Values{"response_mode": {"fragment"}}, "unsupported_response_mode"},
		{"no scope", url.Values{"scope": nil}, "invalid_scope"},
		{"no openid", url.Values{"scope": {"profile email"}}, "invalid_scope"},
		{"unknown scope", url.Values{"scope": {"openid payroll"}}, "invalid_scope"},
		{"no state", url.Values{"state": nil}, "invalid_request"},
		{"empty state", url.Values{"state": {""}}, "invalid_request"},
		{"state twice", url.Values{"state": {"a", "b"}}, "invalid_request"},
		{"nonce twice", url.Values{"nonce": {"a", "a"}}, "invalid_request"},
		{"no PKCE", url.Values{"code_challenge": nil, "code_challenge_method": nil}, "invalid_request"},
		{"plain PKCE", url.Values{"code_challenge": {codeVerifier}, "code_challenge_method": {"plain"}}, "invalid_request"},
		{"no challenge method", url.Values{"code_challenge_method": nil}, "invalid_request"},
		{"short challenge", url.Values{"code_challenge": {"short"}}, "invalid_request"},
		{"unknown prompt", url.Values{"prompt": {"sing"}}, "invalid_request"},
		{"prompt none and login", url.Values{"prompt": {"none login"}}, "invalid_request"},
		{"negative max_age", url.Values{"max_age": {"-1"}}, "invalid_request"},
		{"request object", url.Values{"request": {"e30.e30."}}, "request_not_supported"},
		{"request_uri", url.Values{"request_uri": {"https://example.com/r"}}, "request_uri_not_supported"},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantState := "the-state"
			if test.changes.Has("state") {
				wantState = ""
			}
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				res, _ := do(t, newBrowser(t), newRequest(t, method, authorizeURL(p, test.changes), url.Values{"email": {hannah}}))
				response := callback(t, res)
				if response.Get("error") != test.want || response.Get("error_description") == "" ||
					response.Has("code") || response.Get("state") != wantState {
					t.Errorf("%s answers %v, want %s", method, response, test.want)
				}
			}
		})
	}
}

func TestResponseIssuer(t *testing.T) {
	for _, on := range []bool{false, true} {
		p := start(t, Config{ResponseIssuer: on})
		want := ""
		if on {
			want = p.Issuer()
		}
		for _, form := range []url.Values{{"email": {hannah}}, {"refuse": {"yes"}}} {
			res, _ := post(t, newBrowser(t), authorizeURL(p, nil), form)
			if got := callback(t, res).Get("iss"); got != want {
				t.Errorf("on %v: iss is %q", on, got)
			}
		}
		_, body := get(t, http.DefaultClient, p.Issuer()+"/.well-known/openid-configuration")
		if strings.Contains(body, "authorization_response_iss_parameter_supported") != on {
			t.Errorf("on %v: discovery is %s", on, body)
		}
	}
}

func TestRedirectURIKeepsItsQuery(t *testing.T) {
	registered := appURL + "/callback?z=1&a=%7e"
	p := start(t, Config{RedirectURIs: []string{registered}})
	res, _ := post(t, newBrowser(t), authorizeURL(p, url.Values{"redirect_uri": {registered}}), url.Values{"refuse": {"yes"}})
	if got := res.Header.Get("Location"); !strings.HasPrefix(got, registered+"&error=access_denied&") {
		t.Errorf("Location is %q", got)
	}
}
