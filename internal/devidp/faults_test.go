package devidp

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

func TestFaultsInIDToken(t *testing.T) {
	p := start(t, Config{})
	p.SetFaults(Faults{
		Claims:  func(claims map[string]any) { claims["aud"] = []string{"other"}; delete(claims, "nonce") },
		Payload: func(payload []byte) []byte { return bytes.Replace(payload, []byte("{"), []byte(`{"SUB":"x",`), 1) },
		Header:  func(header map[string]any) { header["typ"] = "at+jwt"; header["odd"] = 1 },
	})
	token := exchange(t, p, signIn(t, newBrowser(t), p, hannah, nil)).IDToken
	if header := tokenHeader(t, token); header["odd"] != 1.0 || header["typ"] != "at+jwt" {
		t.Errorf("header is %v", header)
	}
	claims := verifiedClaims(t, p, token)
	if _, there := claims["nonce"]; there || claims["SUB"] != "x" || claims["sub"] != subject(hannah) {
		t.Errorf("claims are %v", claims)
	}
	if audience, _ := claims["aud"].([]any); len(audience) != 1 || audience[0] != "other" {
		t.Errorf("aud is %v", claims["aud"])
	}

	p.SetFaults(Faults{Header: func(header map[string]any) { header["alg"] = "none"; delete(header, "kid") }})
	token = exchange(t, p, signIn(t, newBrowser(t), p, hannah, nil)).IDToken
	if _, there := tokenHeader(t, token)["kid"]; there || !strings.HasSuffix(token, ".") {
		t.Errorf("the ID Token is signed, or names a key: %s", token)
	}
	p.SetFaults(Faults{IDToken: func(string) string { return "last word" }})
	if token := exchange(t, p, signIn(t, newBrowser(t), p, hannah, nil)).IDToken; token != "last word" {
		t.Errorf("the ID Token is %s", token)
	}
	p.SetFaults(Faults{})
	verifiedClaims(t, p, exchange(t, p, signIn(t, newBrowser(t), p, hannah, nil)).IDToken)
}

func TestFaultsInAnswers(t *testing.T) {
	p := start(t, Config{})
	p.SetFaults(Faults{
		Discovery: func(metadata map[string]any) { metadata["issuer"] = "https://evil.example" },
		Token:     func(response map[string]any) { response["token_type"] = "mac" },
		UserInfo:  func(claims map[string]any) { claims["sub"] = "somebody else" },
		Keys: func(keys []map[string]any) []map[string]any {
			return append([]map[string]any{{"kty": "odd"}}, keys...)
		},
	})
	_, body := get(t, http.DefaultClient, p.Issuer()+"/.well-known/openid-configuration")
	if got := decode[map[string]any](t, body)["issuer"]; got != "https://evil.example" {
		t.Errorf("issuer is %v", got)
	}
	tokens := exchange(t, p, signIn(t, newBrowser(t), p, hannah, nil))
	if tokens.TokenType != "mac" {
		t.Errorf("token_type is %s", tokens.TokenType)
	}
	if _, claims := userInfo(t, p, http.MethodGet, tokens.AccessToken); claims["sub"] != "somebody else" {
		t.Errorf("UserInfo is %v", claims)
	}
	_, body = get(t, http.DefaultClient, p.Issuer()+"/v1/keys")
	if keys := decode[struct{ Keys []map[string]any }](t, body).Keys; len(keys) != 2 || keys[0]["kty"] != "odd" || keys[1]["kty"] != "RSA" {
		t.Errorf("keys are %v", keys)
	}
}

func TestFaultInAuthorizationResponse(t *testing.T) {
	p := start(t, Config{})
	p.SetFaults(Faults{Authorize: func(response url.Values) { response.Set("state", "another") }})
	for _, form := range []url.Values{{"email": {hannah}}, {"refuse": {"yes"}}} {
		res, _ := post(t, newBrowser(t), authorizeURL(p, nil), form)
		if got := callback(t, res).Get("state"); got != "another" {
			t.Errorf("state is %q", got)
		}
	}
}

func TestIntercept(t *testing.T) {
	p := start(t, Config{})
	paths := map[string]string{
		"openid-configuration": "/.well-known/openid-configuration", "authorize": "/v1/authorize", "token": "/v1/token",
		"userinfo": "/v1/userinfo", "keys": "/v1/keys", "logout": "/v1/logout",
	}
	for broken := range paths {
		p.SetFaults(Faults{Intercept: func(endpoint string) http.HandlerFunc {
			if endpoint != broken {
				return nil
			}
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }
		}})
		for endpoint, path := range paths {
			res, _ := get(t, newBrowser(t), p.Issuer()+path)
			if (res.StatusCode == http.StatusTeapot) != (endpoint == broken) {
				t.Errorf("with %s broken %s answers %s", broken, endpoint, res.Status)
			}
		}
	}
}

// TestInterceptHanging shows that a handler may hang for as long as its client
// waits, and that it can read the form.
func TestInterceptHanging(t *testing.T) {
	p := start(t, Config{})
	arrived, gone := make(chan string, 1), make(chan struct{})
	p.SetFaults(Faults{Intercept: func(string) http.HandlerFunc {
		return func(_ http.ResponseWriter, r *http.Request) {
			arrived <- r.PostFormValue("code")
			<-r.Context().Done()
			close(gone)
		}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	req := newRequest(t, http.MethodPost, p.Issuer()+"/v1/token", url.Values{"code": {"the-code"}}).WithContext(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		if res, err := http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
			t.Error("got an answer")
		}
	})
	if code := <-arrived; code != "the-code" {
		t.Errorf("the handler read code %q", code)
	}
	cancel()
	<-gone
	group.Wait()
}

func TestRequests(t *testing.T) {
	p := start(t, Config{})
	code := signIn(t, newBrowser(t), p, hannah, nil)
	exchange(t, p, code)
	if p.Count("authorize") != 1 || p.Count("token") != 1 || p.Count("userinfo") != 0 {
		t.Errorf("counts are %d, %d, %d", p.Count("authorize"), p.Count("token"), p.Count("userinfo"))
	}
	authorize, token := p.Requests("authorize")[0], p.Requests("token")[0]
	if authorize.Method != http.MethodPost || authorize.Query.Get("nonce") != "the-nonce" || authorize.Form.Get("email") != hannah {
		t.Errorf("authorize saw %v", authorize)
	}
	if token.Form.Get("code") != code || token.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || len(token.Query) > 0 {
		t.Errorf("token saw %v", token)
	}
	p.ResetRequests()
	if p.Count("token") != 0 || len(p.Requests("token")) != 0 {
		t.Error("requests are still there")
	}
}

func TestRequestsAreBounded(t *testing.T) {
	p := start(t, Config{})
	for range maxRequests + 1 {
		get(t, http.DefaultClient, p.Issuer()+"/v1/token")
	}
	if p.Count("token") != maxRequests+1 || len(p.Requests("token")) != maxRequests {
		t.Errorf("counts %d, remembers %d", p.Count("token"), len(p.Requests("token")))
	}
	large := url.Values{"code": {strings.Repeat("x", maxBody)}}
	if res, _ := post(t, http.DefaultClient, p.Issuer()+"/v1/token", large); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a large body gets %s", res.Status)
	}
}
