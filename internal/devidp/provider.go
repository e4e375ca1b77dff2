// Package devidp is an OpenID provider for development and tests: real OpenID
// Connect with the paths and habits of an Okta custom authorization server,
// for one client, without passwords, on loopback only.
//
// Everything lives in memory and ends with the provider. Faults can be switched
// on while it runs, and it remembers what it was asked.
package devidp

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// basePath is the path of the issuer, that of Okta's "default" custom
// authorization server.
const basePath = "/oauth2/default"

// Config says how a provider behaves. Its zero value is a provider without a
// registered redirect URI, which therefore signs nobody in.
type Config struct {
	// ClientID and ClientSecret are the credentials of the only client. Empty
	// ones are made at random.
	ClientID, ClientSecret string
	// ClientKey is the public key that the client is registered with, RSA or P-256:
	// then it has to authenticate by private_key_jwt (RFC 7523), and no secret is any
	// good. Nil means the secret.
	ClientKey crypto.PublicKey
	// RedirectURIs and PostLogoutRedirectURIs are compared byte for byte.
	RedirectURIs, PostLogoutRedirectURIs []string
	// People are offered on the sign-in page. Nil means SamplePeople.
	People []Person
	// FullIDTokens puts the profile and email claims into the ID Token. Without
	// it only UserInfo has them, as at Okta.
	FullIDTokens bool
	// IDTokenPadding is the size in bytes of a "groups" claim that makes ID
	// Tokens longer. Base64 adds a third to it. Zero leaves the claim out.
	IDTokenPadding int
	// Groups says where the groups of people are told: "id_token", "userinfo" or
	// nowhere, which is "".
	Groups string
	// RequirePushedRequests refuses authorization requests that were not pushed
	// (RFC 9126).
	RequirePushedRequests bool
	// ACR is the claim acr of a sign-in for which one of these is asked for by
	// acr_values, and of every other "urn:okta:loa:1fa:any". Empty leaves the claim
	// out.
	ACR string
	// ResponseIssuer adds "iss" to authorization responses (RFC 9207), which an
	// Okta org does not by default.
	ResponseIssuer bool
	// SigningAlg is the algorithm of all that is signed: RS256, PS256, ES256 or
	// EdDSA. Empty means RS256.
	SigningAlg string
	// SigningKey is the first key that signs, and fits SigningAlg. Nil means a new
	// one, for RSA of 2048 bits.
	SigningKey crypto.Signer
	// Now tells the time. Nil means time.Now.
	Now func() time.Time
}

// Provider is a running OpenID provider. Its methods are safe for concurrent use.
type Provider struct {
	config      Config
	issuer      string
	pagePolicy  string
	pages       *template.Template
	crossOrigin http.CrossOriginProtection
	server      *http.Server

	mu           sync.Mutex
	keys         []signingKey // the last one signs
	sessions     map[string]session
	grants       map[string]*grant // by authorization code
	accessTokens map[string]accessToken
	faults       Faults
	requests     map[string][]Request // by endpoint
	counts       map[string]int       // by endpoint
	assertions   map[string]time.Time // used ones: until when, by jti
	pushed       map[string]pushedRequest
}

// Start serves a provider on addr, such as "127.0.0.1:0", until Close. It
// refuses a host that is not loopback: 127.0.0.0/8, ::1 or localhost.
func Start(addr string, config Config) (*Provider, error) {
	host, err := loopbackHost(addr)
	if err != nil {
		return nil, err
	}
	p := &Provider{
		config:       withDefaults(config),
		sessions:     map[string]session{},
		grants:       map[string]*grant{},
		accessTokens: map[string]accessToken{},
		requests:     map[string][]Request{},
		counts:       map[string]int{},
		assertions:   map[string]time.Time{},
		pushed:       map[string]pushedRequest{},
	}
	if p.pages, err = parsePages(); err != nil {
		return nil, err
	}
	p.pagePolicy = pagePolicy(config.RedirectURIs)
	if p.config.SigningKey == nil {
		err = p.RotateKeys()
	} else {
		err = p.addKey(p.config.SigningKey)
	}
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	bound := listener.Addr().(*net.TCPAddr)
	if !bound.IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("%s is not a loopback address here", host), listener.Close())
	}
	p.issuer = "http://" + net.JoinHostPort(host, fmt.Sprint(bound.Port)) + basePath
	p.server = &http.Server{
		Handler:           p.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
	}
	// Serve always ends with an error: after Close it has nothing to say, and
	// before it every client sees that the provider is gone.
	go func() { _ = p.server.Serve(listener) }()
	return p, nil
}

func withDefaults(config Config) Config {
	config.ClientID = cmp.Or(config.ClientID, "0oa"+rand.Text()[:17])
	config.SigningAlg = cmp.Or(config.SigningAlg, string(jose.RS256))
	config.ClientSecret = cmp.Or(config.ClientSecret, rand.Text()+rand.Text())
	if config.People == nil {
		config.People = SamplePeople()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return config
}

// loopbackHost returns the host of addr, or an error where it is not loopback.
func loopbackHost(addr string) (string, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("address %q is not HOST:PORT: %w", addr, err)
	}
	ip, err := netip.ParseAddr(host)
	isLoopback := err == nil && (ip.Is4() && ip.IsLoopback() || ip == netip.IPv6Loopback())
	if host != "localhost" && !isLoopback {
		return "", fmt.Errorf("address %q is not loopback: use 127.0.0.1, [::1] or localhost", addr)
	}
	return host, nil
}

// routes is the whole map of the provider.
func (p *Provider) routes() http.Handler {
	const get, head, post = http.MethodGet, http.MethodHead, http.MethodPost
	mux := http.NewServeMux()
	for path, handler := range map[string]http.HandlerFunc{
		"/.well-known/openid-configuration": p.endpoint("openid-configuration", p.discovery, get, head),
		"/v1/authorize":                     p.endpoint("authorize", p.authorize, get, post),
		"/v1/par":                           p.endpoint("par", p.push, post),
		"/v1/token":                         p.endpoint("token", p.token, post),
		"/v1/userinfo":                      p.endpoint("userinfo", p.userInfo, get, post),
		"/v1/keys":                          p.endpoint("keys", p.jwks, get, head),
		"/v1/logout":                        p.endpoint("logout", p.logout, get, post),
	} {
		mux.HandleFunc(basePath+path, handler)
	}
	mux.HandleFunc("GET "+stylePath, p.style)
	return mux
}

// endpoint remembers each request to the endpoint name, lets Faults.Intercept
// take it over, and passes it to handle where its method is one of methods.
func (p *Provider) endpoint(name string, handle http.HandlerFunc, methods ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := p.record(name, w, r); err != nil {
			http.Error(w, "The request cannot be read.", http.StatusBadRequest)
			return
		}
		if intercept := p.currentFaults().Intercept; intercept != nil {
			if handler := intercept(name); handler != nil {
				handler(w, r)
				return
			}
		}
		if !slices.Contains(methods, r.Method) {
			w.Header()["Allow"] = methods
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		handle(w, r)
	}
}

// Issuer returns the Issuer Identifier, http://HOST:PORT/oauth2/default.
func (p *Provider) Issuer() string { return p.issuer }

// origin is where the provider serves, http://HOST:PORT.
func (p *Provider) origin() string { return strings.TrimSuffix(p.issuer, basePath) }

// ClientID returns the client's identifier.
func (p *Provider) ClientID() string { return p.config.ClientID }

// ClientSecret returns the client's secret.
func (p *Provider) ClientSecret() string { return p.config.ClientSecret }

// Close ends the provider and every connection to it.
func (p *Provider) Close() error { return p.server.Close() }

// oauthError is an error of RFC 6749 or of a specification built on it: in an
// authorization response, or in a token error response.
type oauthError struct {
	code        string
	description string
}

func (e oauthError) Error() string { return e.code + ": " + e.description }

// writeJSON answers with value, which is not to be stored anywhere.
func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "The answer cannot be written as JSON.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The client may be gone, which concerns nobody else.
	_, _ = w.Write(body)
}
