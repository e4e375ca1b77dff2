package devidp

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	appURL       = "http://localhost:3000"
	callbackURL  = appURL + "/authorization-code/callback"
	hannah       = "hannah.smith@task-vantage.com"
	grace        = "grace.li@task-vantage.com"
	codeVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

// testKey spares each test the making of a key.
var testKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// start serves a provider until the test ends.
func start(t *testing.T, config Config) *Provider {
	t.Helper()
	key, err := testKey()
	if err != nil {
		t.Fatal(err)
	}
	config.SigningKey = key
	config.RedirectURIs = append(config.RedirectURIs, callbackURL)
	config.PostLogoutRedirectURIs = append(config.PostLogoutRedirectURIs, appURL)
	p, err := Start("127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now().Truncate(time.Second)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// newBrowser keeps cookies and shows redirects instead of following them.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// authorizeURL is a right authentication request, with changes: a nil value
// takes a parameter away.
func authorizeURL(p *Provider, changes url.Values) string {
	hash := sha256.Sum256([]byte(codeVerifier))
	query := url.Values{
		"client_id":             {p.ClientID()},
		"redirect_uri":          {callbackURL},
		"response_type":         {"code"},
		"scope":                 {"openid profile email"},
		"state":                 {"the-state"},
		"nonce":                 {"the-nonce"},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(hash[:])},
		"code_challenge_method": {"S256"},
	}
	maps.Copy(query, changes)
	return p.Issuer() + "/v1/authorize?" + query.Encode()
}

// do sends a request and returns the response with its body.
func do(t *testing.T, client *http.Client, req *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func get(t *testing.T, client *http.Client, address string) (*http.Response, string) {
	t.Helper()
	return do(t, client, newRequest(t, http.MethodGet, address, nil))
}

func post(t *testing.T, client *http.Client, address string, form url.Values) (*http.Response, string) {
	t.Helper()
	return do(t, client, newRequest(t, http.MethodPost, address, form))
}

func newRequest(t *testing.T, method, address string, form url.Values) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req
}

// callback returns the query of a redirect to the app's callback.
func callback(t *testing.T, res *http.Response) url.Values {
	t.Helper()
	query, ok := strings.CutPrefix(res.Header.Get("Location"), callbackURL+"?")
	if res.StatusCode != http.StatusSeeOther || !ok {
		t.Fatalf("got %s to %q, want a redirect to the callback", res.Status, res.Header.Get("Location"))
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// signIn answers the sign-in page and returns the authorization code.
func signIn(t *testing.T, client *http.Client, p *Provider, email string, changes url.Values) string {
	t.Helper()
	res, _ := post(t, client, authorizeURL(p, changes), url.Values{"email": {email}})
	response := callback(t, res)
	if response.Get("code") == "" {
		t.Fatalf("got %v, want a code", response)
	}
	return response.Get("code")
}

// tokenForm is a right token request by client_secret_post.
func tokenForm(p *Provider, code string) url.Values {
	return url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code},
		"redirect_uri":  {callbackURL},
		"code_verifier": {codeVerifier},
		"client_id":     {p.ClientID()},
		"client_secret": {p.ClientSecret()},
	}
}

// tokenResponse is a token response of either kind.
type tokenResponse struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
	IDToken     string `json:"id_token"`
	Error       string `json:"error"`
}

func decode[T any](t *testing.T, body string) T {
	t.Helper()
	var value T
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return value
}

// exchange redeems a code, which has to work.
func exchange(t *testing.T, p *Provider, code string) tokenResponse {
	t.Helper()
	res, body := post(t, http.DefaultClient, p.Issuer()+"/v1/token", tokenForm(p, code))
	if res.StatusCode != http.StatusOK {
		t.Fatalf("got %s %s, want a token response", res.Status, body)
	}
	return decode[tokenResponse](t, body)
}

// verifiedClaims checks an ID Token's signature with the published keys.
func verifiedClaims(t *testing.T, p *Provider, idToken string) map[string]any {
	t.Helper()
	signed, err := jose.ParseSignedCompact(idToken, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	_, body := get(t, http.DefaultClient, p.Issuer()+"/v1/keys")
	payload, err := signed.Verify(decode[jose.JSONWebKeySet](t, body))
	if err != nil {
		t.Fatal(err)
	}
	return decode[map[string]any](t, string(payload))
}

func userInfo(t *testing.T, p *Provider, method, bearer string) (*http.Response, map[string]any) {
	t.Helper()
	req := newRequest(t, method, p.Issuer()+"/v1/userinfo", nil)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, body := do(t, http.DefaultClient, req)
	return res, decode[map[string]any](t, body)
}

func TestStartRefusesAddress(t *testing.T) {
	for _, addr := range []string{
		":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", "localhost.example.com:0", "127.0.0.1.example.com:0",
		"[::ffff:127.0.0.1]:0", "127.1:0", "127.0.0.1", "",
	} {
		t.Run(addr, func(t *testing.T) {
			p, err := Start(addr, Config{})
			if err == nil {
				t.Errorf("serves %s", p.Issuer())
				p.Close()
			}
		})
	}
}

func TestStartLocalhost(t *testing.T) {
	key, err := testKey()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start("localhost:0", Config{SigningKey: key})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if !strings.HasPrefix(p.Issuer(), "http://localhost:") {
		t.Errorf("issuer is %s", p.Issuer())
	}
	if res, _ := get(t, http.DefaultClient, p.Issuer()+"/.well-known/openid-configuration"); res.StatusCode != http.StatusOK {
		t.Errorf("discovery answers %s", res.Status)
	}
}

func TestDiscovery(t *testing.T) {
	p := start(t, Config{})
	res, body := get(t, http.DefaultClient, p.Issuer()+"/.well-known/openid-configuration")
	if got := res.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type is %q", got)
	}
	metadata := decode[map[string]any](t, body)
	for name, want := range map[string]string{
		"issuer":                 p.Issuer(),
		"authorization_endpoint": p.Issuer() + "/v1/authorize",
		"token_endpoint":         p.Issuer() + "/v1/token",
		"userinfo_endpoint":      p.Issuer() + "/v1/userinfo",
		"jwks_uri":               p.Issuer() + "/v1/keys",
		"end_session_endpoint":   p.Issuer() + "/v1/logout",
	} {
		if metadata[name] != want {
			t.Errorf("%s is %v, want %s", name, metadata[name], want)
		}
	}
	if methods, _ := metadata["code_challenge_methods_supported"].([]any); !slices.Equal(methods, []any{"S256"}) {
		t.Errorf("code_challenge_methods_supported is %v", methods)
	}
}

func TestSignInFlow(t *testing.T) {
	profileClaims := []string{"name", "preferred_username", "email", "email_verified"}
	for _, test := range []struct {
		name       string
		config     Config
		scope      string
		inIDToken  []string
		inUserInfo []string
	}{
		{"thin", Config{}, "openid profile email", nil, profileClaims},
		{"full", Config{FullIDTokens: true}, "openid profile email", profileClaims, profileClaims},
		{"only openid", Config{FullIDTokens: true}, "openid", nil, nil},
		{"only email", Config{FullIDTokens: true}, "openid email", profileClaims[2:], profileClaims[2:]},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := newClock()
			now := clock.Now()
			test.config.Now = clock.Now
			p := start(t, test.config)
			tokens := exchange(t, p, signIn(t, newBrowser(t), p, hannah, url.Values{"scope": {test.scope}}))
			if tokens.TokenType != "Bearer" || tokens.ExpiresIn != 3600 || tokens.Scope != test.scope {
				t.Errorf("token response is %+v", tokens)
			}
			claims := verifiedClaims(t, p, tokens.IDToken)
			accessHash := sha256.Sum256([]byte(tokens.AccessToken))
			for name, want := range map[string]any{
				"iss": p.Issuer(), "sub": subject(hannah), "aud": p.ClientID(), "nonce": "the-nonce", "ver": 1.0,
				"iat": float64(now.Unix()), "auth_time": float64(now.Unix()), "exp": float64(now.Unix() + 3600),
				"at_hash": base64.RawURLEncoding.EncodeToString(accessHash[:16]),
			} {
				if claims[name] != want {
					t.Errorf("%s is %v, want %v", name, claims[name], want)
				}
			}
			checkProfileClaims(t, "ID Token", claims, test.inIDToken)
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				_, claims := userInfo(t, p, method, tokens.AccessToken)
				if claims["sub"] != subject(hannah) {
					t.Errorf("UserInfo's sub is %v", claims["sub"])
				}
				checkProfileClaims(t, "UserInfo", claims, test.inUserInfo)
			}
		})
	}
}

// checkProfileClaims checks that of Hannah's profile claims exactly want is there.
func checkProfileClaims(t *testing.T, where string, claims map[string]any, want []string) {
	t.Helper()
	for name, value := range map[string]any{
		"name": "Hannah Smith", "preferred_username": hannah, "email": hannah, "email_verified": true,
	} {
		if !slices.Contains(want, name) {
			value = nil
		}
		if claims[name] != value {
			t.Errorf("%s: %s is %v, want %v", where, name, claims[name], value)
		}
	}
}

func TestEmailVerified(t *testing.T) {
	for _, test := range []struct {
		name     string
		verified *bool
		want     any
	}{
		{"true", new(true), true},
		{"false", new(false), false},
		{"left out", nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := start(t, Config{
				FullIDTokens: true,
				People:       []Person{{Subject: "00u1", Name: "Ann", Email: "ann@example.com", EmailVerified: test.verified}},
			})
			tokens := exchange(t, p, signIn(t, newBrowser(t), p, "ann@example.com", nil))
			_, claims := userInfo(t, p, http.MethodGet, tokens.AccessToken)
			for where, got := range map[string]any{
				"ID Token": verifiedClaims(t, p, tokens.IDToken)["email_verified"],
				"UserInfo": claims["email_verified"],
			} {
				if got != test.want {
					t.Errorf("%s: email_verified is %v, want %v", where, got, test.want)
				}
			}
		})
	}
}

func TestIDTokenPadding(t *testing.T) {
	p := start(t, Config{IDTokenPadding: 6000})
	tokens := exchange(t, p, signIn(t, newBrowser(t), p, hannah, nil))
	if size := len(tokens.IDToken); size < 8000 || size > 9500 {
		t.Errorf("ID Token has %d bytes", size)
	}
	verifiedClaims(t, p, tokens.IDToken)
}

func TestUserInfoRefuses(t *testing.T) {
	clock := newClock()
	p := start(t, Config{Now: clock.Now})
	tokens := exchange(t, p, signIn(t, newBrowser(t), p, hannah, nil))
	clock.Add(time.Hour)
	for name, bearer := range map[string]string{"none": "", "unknown": "nonsense", "expired": tokens.AccessToken} {
		t.Run(name, func(t *testing.T) {
			res, claims := userInfo(t, p, http.MethodGet, bearer)
			if res.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer ") || len(claims) > 0 {
				t.Errorf("got %s, %v, %v", res.Status, res.Header, claims)
			}
		})
	}
}

func TestWrongMethod(t *testing.T) {
	p := start(t, Config{})
	for path, method := range map[string]string{
		"/v1/token": http.MethodGet, "/v1/authorize": http.MethodHead, "/v1/keys": http.MethodPost, "/v1/logout": http.MethodPut,
	} {
		res, _ := do(t, http.DefaultClient, newRequest(t, method, p.Issuer()+path, nil))
		if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") == "" {
			t.Errorf("%s %s answers %s", method, path, res.Status)
		}
	}
}
