package devidp

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTokenErrors is a right token request with one thing changed.
func TestTokenErrors(t *testing.T) {
	p := start(t, Config{})
	for _, test := range []struct {
		name   string
		change func(form url.Values)
		status int
		want   string
	}{
		{"wrong secret", func(f url.Values) { f.Set("client_secret", "wrong") }, 401, "invalid_client"},
		{"no secret", func(f url.Values) { f.Del("client_secret") }, 401, "invalid_client"},
		{"another client", func(f url.Values) { f.Set("client_id", "other") }, 401, "invalid_client"},
		{"no grant type", func(f url.Values) { f.Del("grant_type") }, 400, "invalid_request"},
		{"another grant type", func(f url.Values) { f.Set("grant_type", "password") }, 400, "unsupported_grant_type"},
		{"no code", func(f url.Values) { f.Del("code") }, 400, "invalid_request"},
		{"unknown code", func(f url.Values) { f.Set("code", "unknown") }, 400, "invalid_grant"},
		{"code twice", func(f url.Values) { f.Add("code", f.Get("code")) }, 400, "invalid_request"},
		{"no redirect URI", func(f url.Values) { f.Del("redirect_uri") }, 400, "invalid_request"},
		{"another redirect URI", func(f url.Values) { f.Set("redirect_uri", appURL) }, 400, "invalid_grant"},
		{"no verifier", func(f url.Values) { f.Del("code_verifier") }, 400, "invalid_request"},
		{"wrong verifier", func(f url.Values) { f.Set("code_verifier", strings.ToLower(codeVerifier)) }, 400, "invalid_grant"},
	} {
		t.Run(test.name, func(t *testing.T) {
			form := tokenForm(p, signIn(t, newBrowser(t), p, hannah, nil))
			test.change(form)
			res, body := post(t, http.DefaultClient, p.Issuer()+"/v1/token", form)
			if got := decode[tokenResponse](t, body); res.StatusCode != test.status || got.Error != test.want || got.IDToken != "" {
				t.Errorf("got %s %s, want %d %s", res.Status, body, test.status, test.want)
			}
			if (res.Header.Get("WWW-Authenticate") != "") != (test.status == http.StatusUnauthorized) {
				t.Errorf("WWW-Authenticate is %q", res.Header.Get("WWW-Authenticate"))
			}
			if got := res.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control is %q", got)
			}
		})
	}
}

func TestShortVerifier(t *testing.T) {
	p := start(t, Config{})
	// The challenge of the verifier "short" (RFC 7636 asks for 43 characters).
	changes := url.Values{"code_challenge": {"-bAHi131ltLqGQEMABu9AJ5lHeLFfo-341XzHrnT9zk"}}
	form := tokenForm(p, signIn(t, newBrowser(t), p, hannah, changes))
	form.Set("code_verifier", "short")
	if res, body := post(t, http.DefaultClient, p.Issuer()+"/v1/token", form); res.StatusCode != 400 || !strings.Contains(body, "PKCE") {
		t.Errorf("got %s %s", res.Status, body)
	}
}

func TestClientSecretBasic(t *testing.T) {
	const id, secret = "client:1 +%", "a+b %/:ü&="
	p := start(t, Config{ClientID: id, ClientSecret: secret})
	escapedID, escapedSecret := url.QueryEscape(id), url.QueryEscape(secret)
	for _, test := range []struct {
		name       string
		id, secret string
		more       url.Values
		status     int
	}{
		{"right", escapedID, escapedSecret, nil, 200},
		{"with client_id", escapedID, escapedSecret, url.Values{"client_id": {id}}, 200},
		{"with another client_id", escapedID, escapedSecret, url.Values{"client_id": {"other"}}, 400},
		{"and client_secret_post", escapedID, escapedSecret, url.Values{"client_id": {id}, "client_secret": {secret}}, 400},
		{"not form-encoded", id, secret, nil, 401},
		{"wrong secret", escapedID, "wrong", nil, 401},
		{"no secret", escapedID, "", nil, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			form := tokenForm(p, signIn(t, newBrowser(t), p, hannah, nil))
			form.Del("client_id")
			form.Del("client_secret")
			for name, value := range test.more {
				form[name] = value
			}
			req := newRequest(t, http.MethodPost, p.Issuer()+"/v1/token", form)
			// Not SetBasicAuth of the raw credentials: RFC 6749, 2.3.1.
			req.SetBasicAuth(test.id, test.secret)
			if res, body := do(t, http.DefaultClient, req); res.StatusCode != test.status {
				t.Errorf("got %s %s, want %d", res.Status, body, test.status)
			}
		})
	}
}

func TestTokenRequestInQuery(t *testing.T) {
	p := start(t, Config{})
	query := tokenForm(p, signIn(t, newBrowser(t), p, hannah, nil)).Encode()
	if res, body := post(t, http.DefaultClient, p.Issuer()+"/v1/token?"+query, url.Values{}); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("got %s %s", res.Status, body)
	}
}

func TestCodeReplay(t *testing.T) {
	p := start(t, Config{})
	code := signIn(t, newBrowser(t), p, hannah, nil)
	tokens := exchange(t, p, code)
	if res, _ := userInfo(t, p, http.MethodGet, tokens.AccessToken); res.StatusCode != http.StatusOK {
		t.Fatalf("UserInfo answers %s", res.Status)
	}
	res, body := post(t, http.DefaultClient, p.Issuer()+"/v1/token", tokenForm(p, code))
	if res.StatusCode != http.StatusBadRequest || decode[tokenResponse](t, body).Error != "invalid_grant" {
		t.Errorf("the replay got %s %s", res.Status, body)
	}
	if res, _ := userInfo(t, p, http.MethodGet, tokens.AccessToken); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("after the replay UserInfo answers %s", res.Status)
	}
}

func TestCodeReplayAtOnce(t *testing.T) {
	p := start(t, Config{})
	form := tokenForm(p, signIn(t, newBrowser(t), p, hannah, nil))
	var group sync.WaitGroup
	var mu sync.Mutex
	granted := 0
	for range 8 {
		group.Go(func() {
			res, err := http.PostForm(p.Issuer()+"/v1/token", form)
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			if res.StatusCode == http.StatusOK {
				granted++
			}
		})
	}
	group.Wait()
	if granted != 1 {
		t.Errorf("one code gave %d token responses", granted)
	}
}

func TestCodeExpires(t *testing.T) {
	for age, want := range map[time.Duration]int{59 * time.Second: 200, 60 * time.Second: 400} {
		t.Run(age.String(), func(t *testing.T) {
			clock := newClock()
			p := start(t, Config{Now: clock.Now})
			code := signIn(t, newBrowser(t), p, hannah, nil)
			clock.Add(age)
			if res, body := post(t, http.DefaultClient, p.Issuer()+"/v1/token", tokenForm(p, code)); res.StatusCode != want {
				t.Errorf("got %s %s, want %d", res.Status, body, want)
			}
		})
	}
}
