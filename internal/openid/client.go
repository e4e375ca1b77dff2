package openid

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"expense-dashboard/internal/openid/claims"
	"expense-dashboard/internal/openid/token"
	"expense-dashboard/internal/secret"
)

const (
	// CallbackPath is the path of the redirect URI.
	CallbackPath = "/authorization-code/callback"
	// SignInTimeout bounds all calls to the provider for one sign-in together.
	SignInTimeout = 10 * time.Second
	// refreshInterval is how often the metadata and keys are fetched again.
	refreshInterval = 15 * time.Minute
	// maxRetryInterval is the longest wait between two attempts to reach a
	// provider that has not answered yet.
	maxRetryInterval = 30 * time.Second
)

// Config is what a Client is made of.
type Config struct {
	Issuer        string // as the provider names itself, byte for byte
	ClientID      string
	ClientSecret  secret.Text
	ClientKey     *ClientKey // takes the place of the secret; nil for none
	ClientAuth    string     // how the client authenticates; empty as ClientAuthMethod chooses
	Scopes        []string
	SigningAlg    string // of ID Tokens and logout tokens, RS256, PS256, ES256 or EdDSA; empty is token.DefaultSigningAlg
	EmailClaim    string // that holds the address; empty is "email"
	GroupsClaim   string // that holds the groups; empty is "groups"
	RedirectURL   string // the callback, absolute
	PostLogoutURL string
	HTTP          *http.Client // from NewHTTPClient
	Log           *slog.Logger
	Now           func() time.Time
}

// Client is the relying party of one provider. Its methods may be called at the
// same time.
type Client struct {
	config   Config
	provider atomic.Pointer[Provider] // nil until discovery has succeeded
	pushes   chan struct{}            // has room for those that may be under way

	probing sync.Mutex // of probe
	probe   *probe     // the last one of Reachable; nil before the first
}

// New returns a client that has not reached its provider yet: Connect does that.
func New(config Config) *Client {
	config.SigningAlg = cmp.Or(config.SigningAlg, string(token.DefaultSigningAlg))
	config.EmailClaim = cmp.Or(config.EmailClaim, emailClaim)
	config.GroupsClaim = cmp.Or(config.GroupsClaim, "groups")
	return &Client{config: config, pushes: make(chan struct{}, maxPushes)}
}

// Issuer is the issuer that the client trusts.
func (c *Client) Issuer() string { return c.config.Issuer }

// IssuerHost is the host of the issuer: Okta's org and custom authorization servers
// of one host give a person the same subject.
func (c *Client) IssuerHost() string {
	u, err := url.Parse(c.config.Issuer)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// ClientID is the client's identifier at the provider.
func (c *Client) ClientID() string { return c.config.ClientID }

// PostLogoutURL is where the provider sends a browser after sign-out.
func (c *Client) PostLogoutURL() string { return c.config.PostLogoutURL }

// Provider returns what is known of the provider, or nil before discovery has
// succeeded for the first time.
func (c *Client) Provider() *Provider { return c.provider.Load() }

func (c *Client) oauth2Config(p *Provider) *oauth2.Config {
	clientSecret := string(c.config.ClientSecret)
	if p.authMethod == PrivateKeyJWT {
		clientSecret = ""
	}
	return &oauth2.Config{
		ClientID: c.config.ClientID, ClientSecret: clientSecret,
		Endpoint: p.endpoint, RedirectURL: c.config.RedirectURL, Scopes: c.config.Scopes,
	}
}

// Exchange trades the code for tokens, with one request (RFC 6749, 4.1.3 and
// 5.1; RFC 7636, 4.5). Its errors are *SignInError.
func (c *Client) Exchange(ctx context.Context, p *Provider, code, verifier string) (*oauth2.Token, error) {
	options := []oauth2.AuthCodeOption{oauth2.VerifierOption(verifier)}
	assertion, err := c.clientAssertion(p, p.endpoint.TokenURL)
	if err != nil {
		return nil, providerFailure(ctx, "exchange code", err)
	}
	for name, value := range assertion {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	token, err := c.oauth2Config(p).Exchange(oidc.ClientContext(ctx, c.config.HTTP), code, options...)
	var retrieve *oauth2.RetrieveError
	if errors.As(err, &retrieve) {
		// Its text holds the body.
		err = errors.New("status 200 with an error")
	}
	if err == nil {
		err = checkTokenAnswer(token)
	}
	if err != nil {
		return nil, providerFailure(ctx, "exchange code", err)
	}
	return token, nil
}

// VerifyIDToken takes the ID Token out of a token answer and checks it, by the first
// eleven rules of OpenID Connect Core 1.0, 3.1.3.7, and that its nonce is the one
// that this sign-in was begun with. The other two are Identity.CheckFresh. It returns
// the token as it came and its claims. Its errors are *SignInError.
func (c *Client) VerifyIDToken(ctx context.Context, p *Provider, answer *oauth2.Token, nonce string) (rawIDToken string, idToken claims.Claims, err error) {
	rawIDToken, ok := answer.Extra("id_token").(string)
	if !ok {
		return "", nil, &SignInError{Failure: BadAnswer, Err: errors.New("token answer without an ID Token")}
	}
	idToken, err = p.keys.VerifyIDToken(ctx, rawIDToken, answer.AccessToken, c.config.ClientID, nonce)
	if err != nil {
		return "", nil, providerFailure(ctx, "verify ID Token", err)
	}
	return rawIDToken, idToken, nil
}

// VerifyLogoutToken validates a Logout Token, as token.Keys.VerifyLogoutToken says.
func (c *Client) VerifyLogoutToken(ctx context.Context, p *Provider, rawToken string) (token.LogoutToken, error) {
	return p.keys.VerifyLogoutToken(ctx, rawToken, c.config.ClientID)
}

// VerifyRevocation authenticates a global token revocation request to an endpoint of
// ours, as token.Keys.VerifyRevocation says.
func (c *Client) VerifyRevocation(ctx context.Context, p *Provider, rawToken, endpoint string) (token.Use, error) {
	return p.keys.VerifyRevocation(ctx, rawToken, endpoint, c.config.ClientID)
}

// checkTokenAnswer is what x/oauth2 leaves unchecked of RFC 6749, 5.1.
func checkTokenAnswer(token *oauth2.Token) error {
	if kind, _ := token.Extra("token_type").(string); !strings.EqualFold(kind, "Bearer") {
		return errors.New("token_type is not Bearer")
	}
	if exact, _ := token.Extra("access_token").(string); exact != token.AccessToken {
		return errors.New("access_token is ambiguous")
	}
	return nil
}

// emailClaim is the claim of OpenID Connect Core 1.0, 5.1, of which email_verified
// says whether it can be relied upon. No other claim has such a companion.
const emailClaim = "email"

// ErrUserInfoRefused is an endpoint that does not answer this application. It ends no
// sign-in, for the ID Token has a name and an address.
var ErrUserInfoRefused = errors.New("UserInfo refuses, going by the ID Token")

// UserInfo fetches the claims that the ID Token lacks (OpenID Connect Core
// 1.0, 5.3), groups among them where they are needed, or returns none if it lacks
// none or the provider has no UserInfo endpoint. Claims of another subject are refused.
// Its errors are *SignInError, but for ErrUserInfoRefused.
func (c *Client) UserInfo(ctx context.Context, p *Provider, idToken claims.Claims, accessToken string, needsGroups bool) (claims.Claims, error) {
	thin := !idToken.Has(c.config.EmailClaim) || !idToken.Has("name") || needsGroups && !idToken.Has(c.config.GroupsClaim) ||
		c.config.EmailClaim == emailClaim && !idToken.Has("email_verified")
	if !thin || p.userInfoEndpoint == "" {
		return nil, nil
	}
	userInfo, err := GetClaims(ctx, c.config.HTTP, p.userInfoEndpoint, accessToken)
	if isRefused(err) && isText(idToken, "name") && isText(idToken, c.config.EmailClaim) {
		return nil, fmt.Errorf("%w: %w", ErrUserInfoRefused, err)
	}
	if err == nil {
		err = checkSameSubject(idToken, userInfo)
	}
	if err != nil {
		return nil, providerFailure(ctx, "fetch UserInfo", err)
	}
	return userInfo, nil
}

// isText reports whether a claim is a string with at least one character.
func isText(c claims.Claims, name string) bool {
	_, err := c.Text(name)
	return err == nil
}

// isRefused reports whether err is an endpoint's that does not let us in or is not
// there.
func isRefused(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && (status.Code == http.StatusUnauthorized || status.Code == http.StatusForbidden || status.Code == http.StatusNotFound)
}

// checkSameSubject is OpenID Connect Core 1.0, 5.3.2: UserInfo is about the
// subject of the ID Token, exactly.
func checkSameSubject(idToken, userInfo claims.Claims) error {
	subject, err := idToken.Text("sub")
	if err != nil {
		return err
	}
	if sub, err := userInfo.Text("sub"); err != nil || sub != subject {
		return errors.New("sub is not the ID Token's")
	}
	return nil
}

// Connect discovers the provider. Its error is a *DiscoveryError.
func (c *Client) Connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, SignInTimeout)
	defer cancel()
	p, err := c.Discover(ctx)
	if err != nil {
		return err
	}
	if known := c.Provider(); known != nil && known.jwksURI == p.jwksURI {
		p.keys = known.keys
	}
	if err := p.keys.Refresh(ctx); err != nil {
		// Not fatal: the first sign-in asks again.
		c.config.Log.WarnContext(ctx, "signing keys not fetched", "error", err)
	}
	c.provider.Store(p)
	return nil
}

// Ready returns why nobody can sign in now, in plain words that show nothing of an
// answer, or nil.
func (c *Client) Ready() error {
	switch p := c.Provider(); {
	case p == nil:
		return errors.New("the OpenID provider has not been reached yet")
	case p.keys.Count() == 0:
		return errors.New("no usable key of the OpenID provider is known")
	}
	return nil
}

// EventDiscoveryFailed names in the log what Connect returned. It concerns no request.
const EventDiscoveryFailed = "discovery_failed"

// KeepConnected discovers the provider until people can sign in and from then on
// refreshes what is known of it, until ctx is done. No fault of the provider's
// ends it or takes away what is known.
func (c *Client) KeepConnected(ctx context.Context) {
	wait := time.Second
	for {
		interval := refreshInterval
		if c.Ready() != nil {
			interval = wait
			wait = min(2*wait, maxRetryInterval)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
		if err := c.Connect(ctx); err != nil && ctx.Err() == nil {
			c.config.Log.WarnContext(ctx, "provider not discovered", "event", EventDiscoveryFailed, "error", err, "fix", FixOf(err))
		}
	}
}
