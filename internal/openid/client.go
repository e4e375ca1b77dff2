package openid

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"expense-dashboard/internal/secret"
)

const (
	// callbackPath is the path of the redirect URI.
	CallbackPath = "/authorization-code/callback"
	// signInTimeout bounds all calls to the provider for one sign-in together.
	SignInTimeout = 10 * time.Second
	// refreshInterval is how often the metadata and keys are fetched again.
	refreshInterval = 15 * time.Minute
	// maxRetryInterval is the longest wait between two attempts to reach a
	// provider or a database that has not answered yet.
	maxRetryInterval = 30 * time.Second
)

// oidcClient speaks to the provider: it knows no session and no page.
type Client struct {
	Issuer, ClientID string
	ClientSecret     secret.Text
	Scopes           []string
	RedirectURL      string
	PostLogoutURL    string
	Client           *http.Client
	Log              *slog.Logger
	Now              func() time.Time

	Provider atomic.Pointer[Provider] // nil until discovery has succeeded
}

// identity is who signed in, as the provider tells it.
type identity struct {
	Subject, ProviderSID, Name, Email string
	Unverified                        bool
	Methods                           string
}

// signInFailure names, for the log and for whoever words the page, why a
// sign-in failed.
type Reason string

const (
	NoPendingLogin      Reason = "no_pending_login"     // the browser's side: no cookie, stale, tampered
	MalformedCallback   Reason = "malformed_callback"   // the browser's side: parameters missing or repeated
	ForeignIssuer       Reason = "foreign_issuer"       // the browser's side: iss is not ours
	CodeRefused         Reason = "code_refused"         // the provider knows no such code (any more)
	AccessDenied        Reason = "access_denied"        // the provider refused the user
	NotAssigned         Reason = "not_assigned"         // the same, for want of an assignment to the app
	NoAccessPolicy      Reason = "no_access_policy"     // the same, for want of a policy of the authorization server
	ConsentRequired     Reason = "consent_required"     // the user did not agree, or was not asked
	ProviderBusy        Reason = "provider_busy"        // 429
	ProviderUnreachable Reason = "provider_unreachable" // no connection, or 5xx
	ProviderTimeout     Reason = "provider_timeout"     // no answer in signInTimeout
	ProviderRefused     Reason = "provider_refused"     // the provider refused this application
	InvalidClient       Reason = "invalid_client"       // the same, for its ID or secret
	InvalidScope        Reason = "invalid_scope"        // the same, for a scope
	DpopRequired        Reason = "dpop_required"        // the same, for want of a proof of possession
	ClockOff            Reason = "clock_off"            // the provider's clock and ours disagree
	EmailMissing        Reason = "email_missing"        // the provider tells no address
	EmailUnverified     Reason = "email_unverified"     // signed in all the same, on no team
	BadAnswer           Reason = "bad_answer"           // an answer that must not be believed
	DatabaseUnavailable Reason = "database_unavailable" // the session cannot be recorded
)

// signInError is a failed sign-in. Its cause is for the log only.
type SignInError struct {
	Failure    Reason
	RetryAfter time.Duration // zero unless waiting helps
	Err        error
}

func (e *SignInError) Error() string { return fmt.Sprintf("sign in: %s: %v", e.Failure, e.Err) }

func (e *SignInError) Unwrap() error { return e.Err }

// formOrigins lists the origins that a form of ours may lead to by redirects:
// those of the provider and of the post-logout URL. Chromium applies the
// form-action directive to every one of them.
func (a *Client) FormOrigins() []string {
	targets := []string{a.Issuer, a.PostLogoutURL}
	if p := a.Provider.Load(); p != nil {
		targets = append(targets, p.endpoint.AuthURL, p.EndSessionEndpoint)
	}
	var origins []string
	for _, target := range targets {
		u, err := url.Parse(target)
		if err != nil || u.Host == "" {
			continue
		}
		origin := u.Scheme + "://" + u.Host
		if strings.HasPrefix(u.Host, "[") {
			// A policy's grammar has no IPv6 address (CSP Level 3, 2.3.1).
			origin = u.Scheme + ":"
		}
		if !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}

func (a *Client) Oauth2Config(p *Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: a.ClientID, ClientSecret: string(a.ClientSecret),
		Endpoint: p.endpoint, RedirectURL: a.RedirectURL, Scopes: a.Scopes,
	}
}

// authResponse is the query of an authorization response.
type authResponse struct{ State, Code, Iss, Error, Description string }

// parseAuthResponse reads a query in which no parameter may be repeated
// (RFC 6749, 3.1) and which must hold a state and either a code or an error.
func ParseAuthResponse(rawQuery string) (authResponse, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return authResponse{}, errors.New("the query is malformed")
	}
	for _, name := range []string{"state", "code", "iss", "error", "error_description"} {
		if len(query[name]) > 1 {
			return authResponse{}, errors.New(name + " is repeated")
		}
	}
	response := authResponse{query.Get("state"), query.Get("code"), query.Get("iss"), query.Get("error"), query.Get("error_description")}
	switch {
	case response.State == "":
		return authResponse{}, errors.New("state is missing")
	case response.Code == "" && response.Error == "":
		return authResponse{}, errors.New("code and error are both missing")
	case query.Has("iss") && response.Iss == "":
		return authResponse{}, errors.New("iss is empty")
	}
	return response, nil
}

// check refuses a response of another issuer (RFC 9207, 2.4) and one that
// tells an error (OpenID Connect Core 1.0, 3.1.2.6), with or without a code.
func (response authResponse) Check(p *Provider) error {
	if response.Iss != p.issuer && (response.Iss != "" || p.sendsIss) {
		return &SignInError{Failure: ForeignIssuer, Err: errors.New("iss of the authorization response is not the issuer")}
	}
	if response.Error == "" {
		return nil
	}
	code := response.Error
	if !oauthErrorCode.MatchString(code) {
		code = "(malformed)"
	}
	failure := &SignInError{
		Failure: refusalOf(code, response.Description), Err: errors.New("authorization response with error " + code),
	}
	if failure.Failure == ProviderUnreachable {
		failure.RetryAfter = maxRetryInterval
	}
	return failure
}

// completeLogin exchanges the code, verifies what comes for it and returns who
// signed in. Its errors are *signInError.
func (a *Client) CompleteLogin(ctx context.Context, p *Provider, code, verifier, nonce string) (identity, string, error) {
	token, err := a.Exchange(ctx, p, code, verifier)
	if err != nil {
		return identity{}, "", providerFailure(ctx, "exchange code", err)
	}
	rawIDToken, ok := token.Extra("id_token").(string)
	if !ok {
		return identity{}, "", &SignInError{Failure: BadAnswer, Err: errors.New("token answer without an ID Token")}
	}
	idToken, err := p.verifyIDToken(ctx, rawIDToken, token.AccessToken, a.ClientID, nonce)
	if err != nil {
		return identity{}, "", providerFailure(ctx, "verify ID Token", err)
	}
	userInfo, err := a.userInfo(ctx, p, idToken, token.AccessToken)
	if err != nil {
		return identity{}, "", providerFailure(ctx, "fetch UserInfo", err)
	}
	person, err := identify(idToken, userInfo)
	if err != nil {
		return identity{}, "", providerFailure(ctx, "identify", err)
	}
	return person, rawIDToken, nil
}

// exchange trades the code for tokens, with one request (RFC 6749, 4.1.3 and
// 5.1; RFC 7636, 4.5).
func (a *Client) Exchange(ctx context.Context, p *Provider, code, verifier string) (*oauth2.Token, error) {
	token, err := a.Oauth2Config(p).Exchange(oidc.ClientContext(ctx, a.Client), code, oauth2.VerifierOption(verifier))
	var retrieve *oauth2.RetrieveError
	if errors.As(err, &retrieve) {
		// Its text holds the body.
		return nil, errors.New("status 200 with an error")
	}
	if err != nil {
		return nil, err
	}
	if kind, _ := token.Extra("token_type").(string); !strings.EqualFold(kind, "Bearer") {
		return nil, errors.New("token_type is not Bearer")
	}
	if exact, _ := token.Extra("access_token").(string); exact != token.AccessToken {
		return nil, errors.New("access_token is ambiguous")
	}
	return token, nil
}

// userInfo fetches the claims that the ID Token lacks (OpenID Connect Core
// 1.0, 5.3), or returns none if it lacks none or the provider has no UserInfo
// endpoint. Claims of another subject are refused.
func (a *Client) userInfo(ctx context.Context, p *Provider, idToken Claims, accessToken string) (Claims, error) {
	thin := !idToken.Has("email") || !idToken.Has("name") || !idToken.Has("email_verified")
	if !thin || p.userInfoEndpoint == "" {
		return nil, nil
	}
	userInfo, err := GetClaims(ctx, a.Client, p.userInfoEndpoint, accessToken)
	if err != nil {
		return nil, err
	}
	subject, err := idToken.Text("sub")
	if err != nil {
		return nil, err
	}
	if sub, err := userInfo.Text("sub"); err != nil || sub != subject {
		return nil, errors.New("sub is not the ID Token's")
	}
	return userInfo, nil
}

const (
	MaxAddressLength = 254 // bytes (RFC 5321, 4.5.3.1.3, less the angle brackets)
	maxNameLength    = 200 // characters
)

// identify reads who signed in, from the ID Token first and from UserInfo
// where that says nothing. An address is needed, since it decides which teams
// a person is on; a name is not.
func identify(idToken, userInfo Claims) (identity, error) {
	subject, err1 := idToken.Text("sub")
	email, err2 := firstText("email", idToken, userInfo)
	name, err3 := firstText("name", idToken, userInfo)
	sid, err4 := idToken.optionalText("sid")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return identity{}, err
	}
	if !isProviderSID(sid) {
		return identity{}, errors.New("sid is too long or holds a control character")
	}
	email = strings.TrimSpace(email)
	if email == "" {
		return identity{}, errNoEmail
	}
	if len(email) > MaxAddressLength || !utf8.ValidString(email) || strings.ContainsFunc(email, unicode.IsControl) {
		return identity{}, errors.New("email is no address")
	}
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, name))
	if characters := []rune(name); len(characters) > maxNameLength {
		name = string(characters[:maxNameLength])
	}
	return identity{
		Subject: subject, ProviderSID: sid, Email: email, Name: cmp.Or(name, email),
		Unverified: unverified(idToken) || unverified(userInfo), Methods: methods(idToken),
	}, nil
}

// methods returns those of an ID Token's amr claim (OpenID Connect Core 1.0, 2)
// that methodName knows. It only tells people how they signed in, so what else
// may stand there does not matter.
func methods(idToken Claims) string {
	values, err := idToken.texts("amr")
	if err != nil {
		return ""
	}
	known := slices.DeleteFunc(values, func(value string) bool { return MethodName(value) == "" })
	slices.Sort(known)
	return strings.Join(slices.Compact(known), " ")
}

// methodName says an authentication method (RFC 8176, 2, and those that Okta
// adds) in words, or returns nothing for one that is not known.
func MethodName(amr string) string {
	switch amr {
	case "pwd":
		return "a password"
	case "pin":
		return "a PIN"
	case "otp":
		return "a one-time code"
	case "sms":
		return "a text message"
	case "tel":
		return "a phone call"
	case "hwk":
		return "a key in hardware"
	case "swk", "pop":
		return "a key in software"
	case "fpt":
		return "a fingerprint"
	case "face":
		return "face recognition"
	case "bio":
		return "a biometric"
	case "kba":
		return "a security question"
	case "sc":
		return "a smart card"
	case "wia":
		return "Windows"
	case "user":
		return "a test of presence"
	case "mfa":
		return "more than one factor"
	}
	return ""
}

var errNoEmail = errors.New("email is missing")

func firstText(name string, sources ...Claims) (string, error) {
	for _, c := range sources {
		if value, err := c.optionalText(name); value != "" || err != nil {
			return value, err
		}
	}
	return "", nil
}

// unverified reports whether the provider says so: email_verified is there and
// is anything but true. Okta leaves it out where it has nothing to say.
func unverified(c Claims) bool { return c.Has("email_verified") && !c.isTrue("email_verified") }

// providerFailure says what an error of a call to the provider means for the
// sign-in.
func providerFailure(ctx context.Context, step string, err error) *SignInError {
	failure := &SignInError{Failure: BadAnswer, Err: fmt.Errorf("%s: %w", step, err)}
	var status *StatusError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), isTimeout(err):
		failure.Failure = ProviderTimeout
	case errors.As(err, &status) && status.Code == http.StatusTooManyRequests:
		failure.Failure, failure.RetryAfter = ProviderBusy, cmp.Or(status.RetryAfter, maxRetryInterval)
	case errors.As(err, &status) && status.passing():
		failure.Failure, failure.RetryAfter = ProviderUnreachable, cmp.Or(status.RetryAfter, maxRetryInterval)
	case errors.As(err, &status) && status.OAuthError != "":
		failure.Failure = status.Refusal
		if failure.Failure == ProviderUnreachable {
			failure.RetryAfter = maxRetryInterval
		}
	case errors.Is(err, errNoEmail):
		failure.Failure = EmailMissing
	case errors.Is(err, errClock):
		failure.Failure = ClockOff
	case isUnreachable(err):
		failure.Failure, failure.RetryAfter = ProviderUnreachable, maxRetryInterval
	}
	return failure
}

func ErrNoProvider() *SignInError {
	return &SignInError{Failure: ProviderUnreachable, RetryAfter: maxRetryInterval, Err: errors.New("the provider has not been discovered yet")}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// isUnreachable reports whether err is a connection's and not an answer's.
func isUnreachable(err error) bool {
	var network *net.OpError
	return errors.As(err, &network) || isTimeout(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// connect discovers the provider. Its error is a *discoveryError.
func (a *Client) Connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, SignInTimeout)
	defer cancel()
	p, err := Discover(ctx, a.Client, a.Issuer, a.Now)
	if err != nil {
		return err
	}
	if known := a.Provider.Load(); known != nil && known.Keys.source == p.Keys.source {
		p.Keys = known.Keys
	}
	if err := p.Keys.Refresh(ctx); err != nil {
		// Not fatal: the first sign-in asks again.
		a.Log.WarnContext(ctx, "signing keys not fetched", "error", err)
	}
	a.Provider.Store(p)
	return nil
}

// keepConnected discovers the provider until that succeeds and from then on
// refreshes what is known of it, until ctx is done. No fault of the provider's
// ends it or takes away what is known.
func (a *Client) KeepConnected(ctx context.Context) {
	wait := time.Second
	for {
		interval := refreshInterval
		if a.Provider.Load() == nil {
			interval = wait
			wait = min(2*wait, maxRetryInterval)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
		if err := a.Connect(ctx); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "provider not discovered", "event", "discovery_failed", "error", err, "mend", MendOf(err))
		}
	}
}

// mendOf returns what most likely mends a fault of discovery, or "".
func MendOf(err error) string {
	var fault *DiscoveryError
	if errors.As(err, &fault) {
		return fault.Mend
	}
	return ""
}
