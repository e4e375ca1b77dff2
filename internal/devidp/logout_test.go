package devidp

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestLogout(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			p := start(t, Config{})
			browser := newBrowser(t)
			tokens := exchange(t, p, signIn(t, browser, p, hannah, nil))
			parameters := url.Values{
				"id_token_hint":            {tokens.IDToken},
				"client_id":                {p.ClientID()},
				"post_logout_redirect_uri": {appURL},
				"state":                    {"a b"},
			}
			address, form := p.Issuer()+"/v1/logout", parameters
			if method == http.MethodGet {
				address, form = address+"?"+parameters.Encode(), nil
			}
			res, _ := do(t, browser, newRequest(t, method, address, form))
			if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != appURL+"?state=a+b" {
				t.Errorf("got %s to %q", res.Status, got)
			}
			if res, _ := get(t, browser, authorizeURL(p, nil)); res.StatusCode != http.StatusOK {
				t.Errorf("the next sign-in answers %s, want the page", res.Status)
			}
		})
	}
}

// TestLogoutOfCopiedCookie shows that the session is over, not only its cookie.
func TestLogoutOfCopiedCookie(t *testing.T) {
	p := start(t, Config{})
	browser := newBrowser(t)
	res, _ := post(t, browser, authorizeURL(p, nil), url.Values{"email": {hannah}})
	copied := res.Cookies()[0]
	tokens := exchange(t, p, callback(t, res).Get("code"))
	res, body := get(t, browser, p.Issuer()+"/v1/logout?id_token_hint="+tokens.IDToken)
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "You are signed out") {
		t.Errorf("got %s %s", res.Status, body)
	}
	req := newRequest(t, http.MethodGet, authorizeURL(p, nil), nil)
	req.AddCookie(copied)
	if res, _ := do(t, newBrowser(t), req); res.StatusCode != http.StatusOK {
		t.Errorf("the copied cookie gets %s, want the page", res.Status)
	}
}

func TestLogoutRefuses(t *testing.T) {
	p := start(t, Config{})
	other := start(t, Config{ClientID: p.ClientID()})
	browser := newBrowser(t)
	tokens := exchange(t, p, signIn(t, browser, p, hannah, nil))
	foreign := exchange(t, other, signIn(t, newBrowser(t), other, hannah, nil))
	for name, parameters := range map[string]url.Values{
		"no hint":                {"post_logout_redirect_uri": {appURL}},
		"hint is no JWT":         {"id_token_hint": {"nonsense"}},
		"hint of another issuer": {"id_token_hint": {foreign.IDToken}},
		"tampered hint":          {"id_token_hint": {tokens.IDToken[:len(tokens.IDToken)-4] + "AAAA"}},
		"another client":         {"id_token_hint": {tokens.IDToken}, "client_id": {"other"}},
		"unregistered URI":       {"id_token_hint": {tokens.IDToken}, "post_logout_redirect_uri": {"https://evil.example"}},
		"URI with a slash more":  {"id_token_hint": {tokens.IDToken}, "post_logout_redirect_uri": {appURL + "/"}},
		"empty URI":              {"id_token_hint": {tokens.IDToken}, "post_logout_redirect_uri": {""}},
		"URI twice":              {"id_token_hint": {tokens.IDToken}, "post_logout_redirect_uri": {appURL, appURL}},
	} {
		t.Run(name, func(t *testing.T) {
			res, _ := get(t, browser, p.Issuer()+"/v1/logout?"+parameters.Encode())
			if res.StatusCode != http.StatusBadRequest || res.Header.Get("Location") != "" {
				t.Errorf("got %s to %q", res.Status, res.Header.Get("Location"))
			}
			if res, _ := get(t, browser, authorizeURL(p, nil)); res.StatusCode != http.StatusSeeOther {
				t.Errorf("the session has ended: %s", res.Status)
			}
		})
	}
}

func TestLogoutWithOldHint(t *testing.T) {
	p := start(t, Config{Now: func() time.Time { return time.Now().Add(-48 * time.Hour) }})
	tokens := exchange(t, p, signIn(t, newBrowser(t), p, hannah, nil))
	if err := p.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	p.WithdrawOldKeys()
	query := url.Values{"id_token_hint": {tokens.IDToken}, "post_logout_redirect_uri": {appURL}}
	res, _ := get(t, newBrowser(t), p.Issuer()+"/v1/logout?"+query.Encode())
	if got := res.Header.Get("Location"); got != appURL {
		t.Errorf("got %s to %q", res.Status, got)
	}
}
