package openid

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"expense-dashboard/internal/loopback"
	"expense-dashboard/internal/metrics"
	"expense-dashboard/internal/openid/claims"
	"expense-dashboard/internal/openid/token"
	"expense-dashboard/internal/weburl"
)

// MaxProviderBody is how many bytes of an answer of the provider are read.
const MaxProviderBody = 1 << 20

// Provider is what discovery told of the OpenID provider: its endpoints, and
// the keys that verify its ID Tokens. It is never changed once made.
type Provider struct {
	issuer             string
	endpoint           oauth2.Endpoint
	pushEndpoint       string // empty unless requests have to be pushed
	authMethod         string // one of PrivateKeyJWT, ClientSecretBasic and ClientSecretPost
	userInfoEndpoint   string // empty if the provider has none
	endSessionEndpoint string // empty if the provider has none
	// sendsIss says that every authorization response carries iss (RFC 9207, 3).
	sendsIss bool
	jwksURI  string // where the keys are
	keys     *token.Keys
}

// EndSessionEndpoint is where a browser ends its session at the provider (OpenID
// Connect RP-Initiated Logout 1.0, 2), or "" if the provider has none.
func (p *Provider) EndSessionEndpoint() string { return p.endSessionEndpoint }

// RefreshKeys fetches the signing keys and returns how many can be used.
func (p *Provider) RefreshKeys(ctx context.Context) (usable int, err error) {
	if err := p.keys.Refresh(ctx); err != nil {
		return 0, err
	}
	return p.keys.Count(), nil
}

// DiscoveryError is a fault of the provider's metadata. A lasting one does not
// heal by waiting; Fix says what most likely does.
type DiscoveryError struct {
	Lasting bool
	Fix     string
	Err     error
}

func (e *DiscoveryError) Error() string { return e.Err.Error() }

func (e *DiscoveryError) Unwrap() error { return e.Err }

// Discover fetches and checks the provider's metadata (OpenID Connect
// Discovery 1.0, 4). Its errors are *DiscoveryError.
func (c *Client) Discover(ctx context.Context) (*Provider, error) {
	client, issuer := c.config.HTTP, c.config.Issuer
	discovered, err := oidc.NewProvider(oidc.ClientContext(ctx, client), issuer)
	if err != nil {
		return nil, DiscoveryFault(err)
	}
	var raw json.RawMessage
	if err := discovered.Claims(&raw); err != nil {
		return nil, DiscoveryFault(err)
	}
	metadata, err := claims.Parse(raw)
	if err != nil {
		return nil, DiscoveryFault(err)
	}
	p, err := newProvider(metadata, c.config)
	if err != nil {
		return nil, &DiscoveryError{Lasting: true, Err: err, Fix: "check that OKTA_ISSUER names an OpenID provider for web applications"}
	}
	jwksURI, err := EndpointURL(metadata, "jwks_uri", issuer)
	if err != nil {
		return nil, &DiscoveryError{Lasting: true, Err: err, Fix: "check that OKTA_ISSUER names an OpenID provider"}
	}
	p.jwksURI = jwksURI
	p.keys = token.NewKeys(issuer, c.config.SigningAlg, c.config.Now, func(ctx context.Context) (claims.Claims, error) {
		ctx, cancel := context.WithTimeout(ctx, SignInTimeout)
		defer cancel()
		return GetClaims(ctx, client, jwksURI, "")
	})
	return p, nil
}

// newProvider reads the metadata that sign-in and sign-out need.
func newProvider(metadata claims.Claims, config Config) (*Provider, error) {
	issuer := config.Issuer
	if named, err := metadata.Text("issuer"); err != nil || named != issuer {
		return nil, errors.New("issuer is not the one that was asked")
	}
	authURL, err1 := EndpointURL(metadata, "authorization_endpoint", issuer)
	tokenURL, err2 := EndpointURL(metadata, "token_endpoint", issuer)
	userInfo, err3 := OptionalEndpointURL(metadata, "userinfo_endpoint", issuer)
	endSession, err4 := OptionalEndpointURL(metadata, "end_session_endpoint", issuer)
	authMethod, err5 := ClientAuthMethod(metadata, config.ClientAuth, config.ClientKey)
	push, err8 := pushEndpoint(metadata, issuer)
	err6 := Supports(metadata, "code_challenge_methods_supported", "S256")
	err7 := SupportsAlg(metadata, config.SigningAlg)
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7, err8); err != nil {
		return nil, err
	}
	return &Provider{
		issuer:             issuer,
		endpoint:           oauth2.Endpoint{AuthURL: authURL, TokenURL: tokenURL, AuthStyle: authStyle(authMethod)},
		authMethod:         authMethod,
		pushEndpoint:       push,
		userInfoEndpoint:   userInfo,
		endSessionEndpoint: endSession,
		sendsIss:           metadata.IsTrue("authorization_response_iss_parameter_supported"),
	}, nil
}

// EndpointURL returns an absolute https URL of the metadata; http is allowed
// only between an issuer and an endpoint that are both on loopback.
func EndpointURL(metadata claims.Claims, name, issuer string) (string, error) {
	value, err := metadata.Text(name)
	if err != nil {
		return "", err
	}
	u, problem := weburl.Check(value)
	if problem != "" {
		return "", fmt.Errorf("%s %s", name, problem)
	}
	if u.Fragment != "" {
		return "", fmt.Errorf("%s has a fragment", name)
	}
	if from, err := url.Parse(issuer); u.Scheme == "http" && (err != nil || !loopback.Host(from.Hostname())) {
		return "", fmt.Errorf("%s is not https", name)
	}
	return value, nil
}

// OptionalEndpointURL is EndpointURL for a member that may be missing, null or
// empty: then it returns "".
func OptionalEndpointURL(metadata claims.Claims, name, issuer string) (string, error) {
	if value, err := metadata.OptionalText(name); value == "" || err != nil {
		return "", err
	}
	return EndpointURL(metadata, name, issuer)
}

// pushEndpoint is where authorization requests have to be pushed to, or "" where they
// need not be (RFC 9126, 5).
func pushEndpoint(metadata claims.Claims, issuer string) (string, error) {
	if !metadata.IsTrue("require_pushed_authorization_requests") {
		return "", nil
	}
	return EndpointURL(metadata, "pushed_authorization_request_endpoint", issuer)
}

// Supports returns an error if the metadata has a list of that name without
// the value. A provider that publishes no list may support anything.
func Supports(metadata claims.Claims, name, value string) error {
	if !metadata.Has(name) {
		return nil
	}
	if values, err := metadata.Texts(name); err != nil || !slices.Contains(values, value) {
		return fmt.Errorf("%s does not hold %s", name, value)
	}
	return nil
}

// SupportsAlg is Supports for the algorithm of ID Tokens.
func SupportsAlg(metadata claims.Claims, alg string) error {
	if err := Supports(metadata, "id_token_signing_alg_values_supported", alg); err != nil {
		return fmt.Errorf("%w, which OKTA_ID_TOKEN_ALG names", err)
	}
	return nil
}

// DiscoveryFault tells a passing fault of a discovery request (refused, timed
// out, DNS, 5xx, 429) from a lasting one.
func DiscoveryFault(err error) *DiscoveryError {
	var status *StatusError
	var mismatch *oidc.IssuerMismatchError
	var other *NotJSONError
	var certificate *tls.CertificateVerificationError
	lasting := &DiscoveryError{Lasting: true, Err: err}
	switch {
	case errors.As(err, &mismatch):
		lasting.Err = errors.New("the discovery document names another issuer")
		lasting.Fix = fmt.Sprintf("set OKTA_ISSUER to the issuer it names, %.200q, if that is yours; a trailing slash counts", mismatch.Discovered)
	case errors.As(err, &certificate):
		lasting.Fix = "check the host of OKTA_ISSUER and this machine's clock and trusted certificates"
	case errors.As(err, &status) && status.passing():
		return &DiscoveryError{Err: err}
	case errors.As(err, &status) && status.Code == http.StatusNotFound:
		lasting.Fix = "check OKTA_ISSUER: the issuer of an authorization server ends with its ID, as in https://dev-123456.okta.com/oauth2/default; Okta shows it under Security > API"
	case errors.As(err, &status), errors.Is(err, errOversized):
		lasting.Fix = "check that OKTA_ISSUER is the issuer itself and not another address of it"
	case isUnreachable(err):
		return &DiscoveryError{Err: err}
	case errors.Is(err, http.ErrSchemeMismatch):
		lasting.Err = errors.New("the host of OKTA_ISSUER answers in http without TLS, where the issuer is https")
		lasting.Fix = "check the port of OKTA_ISSUER: it is one for plain http"
	case errors.As(err, &other):
		lasting.Err = fmt.Errorf("the answer is not a discovery document: %w", other)
		lasting.Fix = other.fix()
	default:
		lasting.Err = errors.New("the answer is not a discovery document")
		lasting.Fix = "check that OKTA_ISSUER is the issuer and not a page of your Okta org"
	}
	return lasting
}

// StatusError is an answer of the provider with a status other than 200. It
// keeps nothing of the body but a well-formed OAuth 2.0 error code.
type StatusError struct {
	Code       int
	RetryAfter time.Duration // zero if the provider did not say
	MediaType  string        // of the body, as mediaTypeOf names it; empty for JSON
	OAuthError string        // RFC 6749, 5.2; empty if there was none
	Refusal    Reason        // what OAuthError and its description mean
}

func (e *StatusError) Error() string {
	if e.OAuthError != "" {
		return fmt.Sprintf("status %d, error %s", e.Code, e.OAuthError)
	}
	if e.MediaType != "" {
		return fmt.Sprintf("status %d with %s", e.Code, e.MediaType)
	}
	return fmt.Sprintf("status %d", e.Code)
}

// passing reports whether waiting may help.
func (e *StatusError) passing() bool {
	return e.Code >= 500 || e.Code == http.StatusTooManyRequests || e.Code == http.StatusRequestTimeout || e.Code == http.StatusProxyAuthRequired
}

var errOversized = fmt.Errorf("the answer is longer than %d bytes", MaxProviderBody)

// HTTPOptions are what NewHTTPClient can be told; their zero value will do.
type HTTPOptions struct {
	Timeout time.Duration                             // of one call; zero is SignInTimeout
	Wrap    func(http.RoundTripper) http.RoundTripper // around the network; nil for nothing
	Metrics *metrics.Metrics                          // counts the calls; nil for nobody
}

// NewHTTPClient returns the HTTP client for every call to the provider. It
// follows no redirect, reads a bounded body and turns every status but 200
// into a *StatusError, so that nothing of a body gets into an error text.
func NewHTTPClient(options HTTPOptions) *http.Client {
	dialed := http.DefaultTransport.(*http.Transport).Clone()
	dialed.OnProxyConnectResponse = checkProxyAnswer
	var network http.RoundTripper = dialed
	if options.Wrap != nil {
		network = options.Wrap(network)
	}
	var transport http.RoundTripper = &providerTransport{network}
	if options.Metrics != nil {
		transport = &countedTransport{transport, options.Metrics}
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       cmp.Or(options.Timeout, SignInTimeout),
	}
}

type providerTransport struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t *providerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxProviderBody+1))
	response.Body.Close()
	switch {
	case err != nil:
		return nil, err
	case len(body) > MaxProviderBody:
		return nil, errOversized
	case response.StatusCode != http.StatusOK && !isPushAnswer(response):
		return nil, newStatusError(response, body)
	}
	if _, err := claims.Parse(body); err != nil {
		if mediaType := mediaTypeOf(response.Header); mediaType != "" {
			return nil, &NotJSONError{mediaType}
		}
		return nil, fmt.Errorf("answer of the provider: %w", err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// isPushAnswer reports whether an answer is that to a pushed request, which is created
// (RFC 9126, 2.2). To nothing else that is asked of a provider 201 is an answer.
func isPushAnswer(response *http.Response) bool {
	return response.StatusCode == http.StatusCreated && response.Request != nil && response.Request.Context().Value(pushing{}) != nil
}

// pushing marks the context of a pushed request.
type pushing struct{}

// oauthErrorCode matches the codes that are logged; RFC 6749 allows more
// characters than any registered code has.
var oauthErrorCode = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)

func newStatusError(response *http.Response, body []byte) *StatusError {
	e := &StatusError{Code: response.StatusCode, RetryAfter: waitOf(response), MediaType: mediaTypeOf(response.Header)}
	answer, err := claims.Parse(body)
	if err != nil {
		return e
	}
	if code, err := answer.Text("error"); err == nil && oauthErrorCode.MatchString(code) {
		description, _ := answer.OptionalText("error_description")
		e.OAuthError, e.Refusal = code, refusalOf(code, description)
	}
	return e
}

// waitOf is how long the provider asks to wait, up to an hour, or zero. Okta
// says instead of Retry-After when its limit of requests is reset, in seconds
// since 1970 by its own clock.
func waitOf(response *http.Response) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		wait = time.Duration(min(seconds, 3600)) * time.Second
	} else if reset, err := strconv.ParseInt(response.Header.Get("X-Rate-Limit-Reset"), 10, 64); err == nil && response.StatusCode == http.StatusTooManyRequests {
		now, err := http.ParseTime(response.Header.Get("Date"))
		if err != nil {
			now = time.Now()
		}
		wait = time.Unix(reset, 0).Sub(now)
	}
	return max(0, min(wait, time.Hour))
}

// GetClaims fetches a JSON object, with a bearer token if one is given
// (RFC 6750, 2.1).
func GetClaims(ctx context.Context, client *http.Client, endpoint, accessToken string) (claims.Claims, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	if accessToken != "" {
		r.Header.Set("Authorization", "Bearer "+accessToken)
	}
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return claims.Parse(body)
}
