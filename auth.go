package main

import (
	"cmp"
	"context"
	"crypto/rand"
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

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/metrics"
	"expense-dashboard/internal/secret"
	"expense-dashboard/internal/store"
)

const (
	// callbackPath is the path of the redirect URI.
	callbackPath = "/authorization-code/callback"
	// signInTimeout bounds all calls to the provider for one sign-in together.
	signInTimeout = 10 * time.Second
	// refreshInterval is how often the metadata and keys are fetched again.
	refreshInterval = 15 * time.Minute
	// maxRetryInterval is the longest wait between two attempts to reach a
	// provider or a database that has not answered yet.
	maxRetryInterval = 30 * time.Second
)

// authenticator signs people in and out with an OpenID provider: the
// authorization code flow (OpenID Connect Core 1.0, 3.1) with PKCE (RFC 7636),
// and RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0).
type authenticator struct {
	*oidcClient
	pending   *pendingLogins
	callbacks *callbacks
	sessions  *sessionStore
}

// oidcClient speaks to the provider: it knows no session and no page.
type oidcClient struct {
	issuer, clientID string
	clientSecret     secret.Text
	scopes           []string
	redirectURL      string
	postLogoutURL    string
	client           *http.Client
	log              *slog.Logger
	now              func() time.Time

	provider atomic.Pointer[provider] // nil until discovery has succeeded
}

// identity is who signed in, as the provider tells it.
type identity struct {
	Subject, ProviderSID, Name, Email string
	Unverified                        bool
	Methods                           string
}

// signInFailure names, for the log and for whoever words the page, why a
// sign-in failed.
type signInFailure string

const (
	noPendingLogin      signInFailure = "no_pending_login"     // the browser's side: no cookie, stale, tampered
	malformedCallback   signInFailure = "malformed_callback"   // the browser's side: parameters missing or repeated
	foreignIssuer       signInFailure = "foreign_issuer"       // the browser's side: iss is not ours
	codeRefused         signInFailure = "code_refused"         // the provider knows no such code (any more)
	accessDenied        signInFailure = "access_denied"        // the provider refused the user
	notAssigned         signInFailure = "not_assigned"         // the same, for want of an assignment to the app
	noAccessPolicy      signInFailure = "no_access_policy"     // the same, for want of a policy of the authorization server
	consentRequired     signInFailure = "consent_required"     // the user did not agree, or was not asked
	providerBusy        signInFailure = "provider_busy"        // 429
	providerUnreachable signInFailure = "provider_unreachable" // no connection, or 5xx
	providerTimeout     signInFailure = "provider_timeout"     // no answer in signInTimeout
	providerRefused     signInFailure = "provider_refused"     // the provider refused this application
	invalidClient       signInFailure = "invalid_client"       // the same, for its ID or secret
	invalidScope        signInFailure = "invalid_scope"        // the same, for a scope
	dpopRequired        signInFailure = "dpop_required"        // the same, for want of a proof of possession
	clockOff            signInFailure = "clock_off"            // the provider's clock and ours disagree
	emailMissing        signInFailure = "email_missing"        // the provider tells no address
	emailUnverified     signInFailure = "email_unverified"     // signed in all the same, on no team
	badAnswer           signInFailure = "bad_answer"           // an answer that must not be believed
	databaseUnavailable signInFailure = "database_unavailable" // the session cannot be recorded
)

// signInError is a failed sign-in. Its cause is for the log only.
type signInError struct {
	Failure    signInFailure
	RetryAfter time.Duration // zero unless waiting helps
	Err        error
}

func (e *signInError) Error() string { return fmt.Sprintf("sign in: %s: %v", e.Failure, e.Err) }

func (e *signInError) Unwrap() error { return e.Err }

// login handles GET /login: it remembers a pending login in the browser and
// sends it to the provider's authorization endpoint (OpenID Connect Core 1.0,
// 3.1.2.1).
func (a *authenticator) login(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if iss, given := query["iss"]; given && !slices.Equal(iss, []string{a.issuer}) {
		return &signInError{Failure: foreignIssuer, Err: errors.New("login started for another issuer")}
	}
	p := a.provider.Load()
	if p == nil {
		return errNoProvider()
	}
	login := pendingLogin{
		State: rand.Text(), Nonce: rand.Text(), CodeVerifier: oauth2.GenerateVerifier(),
		ReturnTo: localPath(query.Get("return_to")),
	}
	if err := a.pending.put(w, r, login); err != nil {
		return fmt.Errorf("keep pending login: %w", err)
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(login.CodeVerifier), oidc.Nonce(login.Nonce)}
	if hint := query.Get("login_hint"); hint != "" && len(hint) <= maxAddressLength {
		options = append(options, oauth2.SetAuthURLParam("login_hint", hint))
	}
	seeOther(w, a.oauth2Config(p).AuthCodeURL(login.State, options...))
	return nil
}

// callback handles GET /authorization-code/callback: the authorization
// response (OpenID Connect Core 1.0, 3.1.2.5 to 3.1.3.8). A failure leaves
// whatever session the browser has as it was. Where there is nothing to sign in
// with, by the back button or in a stale tab, and the browser has a session
// already, it goes on with that.
func (a *authenticator) callback(w http.ResponseWriter, r *http.Request) error {
	response, err := parseAuthResponse(r.URL.RawQuery)
	if err != nil {
		return &signInError{Failure: malformedCallback, Err: err}
	}
	login, err := a.pending.take(w, r, response.State)
	if err == nil && a.callbacks.isUsed(login, a.now()) {
		err = errUsedLogin
	}
	if err != nil && a.sessions.load(w, r) != nil {
		seeOther(w, localPath(cmp.Or(login.ReturnTo, a.callbacks.returnTo(response.State))))
		return nil
	}
	if err != nil {
		return &signInError{Failure: noPendingLogin, Err: err}
	}
	p := a.provider.Load()
	if p == nil {
		return errNoProvider()
	}
	if err := response.check(p); err != nil {
		return err
	}
	outcome := a.callbacks.do(r.Context(), login, a.now(), func(ctx context.Context) callbackOutcome {
		return a.signIn(ctx, p, login, response.Code, r)
	})
	if outcome.err != nil {
		return outcome.err
	}
	before := a.sessions.read(w, r)
	if err := a.sessions.give(w, r, outcome.person, outcome.rawIDToken); err != nil {
		return fmt.Errorf("give session: %w", err)
	}
	if before != nil && before.ID != outcome.person.ID {
		a.endOne(r, before, "replaced", logging.EventSessionEnded)
	}
	if outcome.person.Unverified {
		a.log.WarnContext(r.Context(), "on no team: the address is not verified", "event", string(emailUnverified), "sub", outcome.person.Subject, "mend", a.mend(emailUnverified))
	}
	seeOther(w, localPath(login.ReturnTo))
	return nil
}

// signIn completes a login and begins its session, once for all requests with
// the same callback; r is the first of them.
func (a *authenticator) signIn(ctx context.Context, p *provider, login pendingLogin, code string, r *http.Request) callbackOutcome {
	// Taken before the exchange, so that a logout which overtakes it counts.
	begun := a.now()
	who, rawIDToken, err := a.completeLogin(ctx, p, code, login.CodeVerifier, login.Nonce)
	if err != nil {
		return callbackOutcome{err: err}
	}
	person, err := a.sessions.begin(ctx, session{Subject: who.Subject, ProviderSID: who.ProviderSID, Name: who.Name, Email: who.Email, Unverified: who.Unverified, Methods: who.Methods}, begun, r.UserAgent())
	if err != nil {
		failure := &signInError{Failure: databaseUnavailable, RetryAfter: 5 * time.Second, Err: fmt.Errorf("begin session: %w", err)}
		return callbackOutcome{err: failure}
	}
	logging.Audit(a.log, r, logging.EventSignIn, person.Subject, "callback")
	if len(rawIDToken) > cookiePart*maxCookieParts {
		// No cookie takes it, so there is no use in remembering it.
		rawIDToken = ""
	}
	return callbackOutcome{person: person, rawIDToken: rawIDToken}
}

// endOne ends one session, on this copy at once and on the others when the
// database has it.
func (a *authenticator) endOne(r *http.Request, person *session, reason, event string) {
	err := a.sessions.records.end(r.Context(), []store.Ending{endingOf(digest.Of(person.ID), person.EndsAt)}, reason, a.now())
	if err != nil {
		a.log.WarnContext(r.Context(), "end of a session not recorded yet", "sub", person.Subject, "error", err)
	}
	logging.Audit(a.log, r, event, person.Subject, reason)
}

// logout ends the session here, whatever state the provider and the database
// are in, and returns where to send the browser: the provider's end-session
// endpoint (OpenID Connect RP-Initiated Logout 1.0, 2), or, where there is none,
// straight to the post-logout URL. Without a session there is nothing to end at
// the provider either.
func (a *authenticator) logout(w http.ResponseWriter, r *http.Request) (next string) {
	person := a.sessions.read(w, r)
	a.sessions.end(w, r)
	if person == nil {
		return "/"
	}
	if ended, _ := a.sessions.records.isEnded(r.Context(), person); ended {
		return "/"
	}
	a.endOne(r, person, "asked", logging.EventSignOut)
	p := a.provider.Load()
	if p == nil || p.endSessionEndpoint == "" {
		return a.postLogoutURL
	}
	query := url.Values{"client_id": {a.clientID}, "post_logout_redirect_uri": {a.postLogoutURL}}
	if rawIDToken := a.sessions.idToken.load(r, person.ID); rawIDToken != "" {
		query.Set("id_token_hint", rawIDToken)
	}
	separator := "?"
	if strings.Contains(p.endSessionEndpoint, "?") {
		separator = "&"
	}
	return p.endSessionEndpoint + separator + query.Encode()
}

// formOrigins lists the origins that a form of ours may lead to by redirects:
// those of the provider and of the post-logout URL. Chromium applies the
// form-action directive to every one of them.
func (a *oidcClient) formOrigins() []string {
	targets := []string{a.issuer, a.postLogoutURL}
	if p := a.provider.Load(); p != nil {
		targets = append(targets, p.endpoint.AuthURL, p.endSessionEndpoint)
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

func (a *oidcClient) oauth2Config(p *provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: a.clientID, ClientSecret: string(a.clientSecret),
		Endpoint: p.endpoint, RedirectURL: a.redirectURL, Scopes: a.scopes,
	}
}

// authResponse is the query of an authorization response.
type authResponse struct{ State, Code, Iss, Error, Description string }

// parseAuthResponse reads a query in which no parameter may be repeated
// (RFC 6749, 3.1) and which must hold a state and either a code or an error.
func parseAuthResponse(rawQuery string) (authResponse, error) {
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
func (response authResponse) check(p *provider) error {
	if response.Iss != p.issuer && (response.Iss != "" || p.sendsIss) {
		return &signInError{Failure: foreignIssuer, Err: errors.New("iss of the authorization response is not the issuer")}
	}
	if response.Error == "" {
		return nil
	}
	code := response.Error
	if !oauthErrorCode.MatchString(code) {
		code = "(malformed)"
	}
	failure := &signInError{
		Failure: refusalOf(code, response.Description), Err: errors.New("authorization response with error " + code),
	}
	if failure.Failure == providerUnreachable {
		failure.RetryAfter = maxRetryInterval
	}
	return failure
}

// completeLogin exchanges the code, verifies what comes for it and returns who
// signed in. Its errors are *signInError.
func (a *oidcClient) completeLogin(ctx context.Context, p *provider, code, verifier, nonce string) (identity, string, error) {
	token, err := a.exchange(ctx, p, code, verifier)
	if err != nil {
		return identity{}, "", providerFailure(ctx, "exchange code", err)
	}
	rawIDToken, ok := token.Extra("id_token").(string)
	if !ok {
		return identity{}, "", &signInError{Failure: badAnswer, Err: errors.New("token answer without an ID Token")}
	}
	idToken, err := p.verifyIDToken(ctx, rawIDToken, token.AccessToken, a.clientID, nonce)
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
func (a *oidcClient) exchange(ctx context.Context, p *provider, code, verifier string) (*oauth2.Token, error) {
	token, err := a.oauth2Config(p).Exchange(oidc.ClientContext(ctx, a.client), code, oauth2.VerifierOption(verifier))
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
func (a *oidcClient) userInfo(ctx context.Context, p *provider, idToken claims, accessToken string) (claims, error) {
	thin := !idToken.has("email") || !idToken.has("name") || !idToken.has("email_verified")
	if !thin || p.userInfoEndpoint == "" {
		return nil, nil
	}
	userInfo, err := getClaims(ctx, a.client, p.userInfoEndpoint, accessToken)
	if err != nil {
		return nil, err
	}
	subject, err := idToken.text("sub")
	if err != nil {
		return nil, err
	}
	if sub, err := userInfo.text("sub"); err != nil || sub != subject {
		return nil, errors.New("sub is not the ID Token's")
	}
	return userInfo, nil
}

const (
	maxAddressLength = 254 // bytes (RFC 5321, 4.5.3.1.3, less the angle brackets)
	maxNameLength    = 200 // characters
)

// identify reads who signed in, from the ID Token first and from UserInfo
// where that says nothing. An address is needed, since it decides which teams
// a person is on; a name is not.
func identify(idToken, userInfo claims) (identity, error) {
	subject, err1 := idToken.text("sub")
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
	if len(email) > maxAddressLength || !utf8.ValidString(email) || strings.ContainsFunc(email, unicode.IsControl) {
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
func methods(idToken claims) string {
	values, err := idToken.texts("amr")
	if err != nil {
		return ""
	}
	known := slices.DeleteFunc(values, func(value string) bool { return methodName(value) == "" })
	slices.Sort(known)
	return strings.Join(slices.Compact(known), " ")
}

// methodName says an authentication method (RFC 8176, 2, and those that Okta
// adds) in words, or returns nothing for one that is not known.
func methodName(amr string) string {
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

func firstText(name string, sources ...claims) (string, error) {
	for _, c := range sources {
		if value, err := c.optionalText(name); value != "" || err != nil {
			return value, err
		}
	}
	return "", nil
}

// unverified reports whether the provider says so: email_verified is there and
// is anything but true. Okta leaves it out where it has nothing to say.
func unverified(c claims) bool { return c.has("email_verified") && !c.isTrue("email_verified") }

// providerFailure says what an error of a call to the provider means for the
// sign-in.
func providerFailure(ctx context.Context, step string, err error) *signInError {
	failure := &signInError{Failure: badAnswer, Err: fmt.Errorf("%s: %w", step, err)}
	var status *statusError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), isTimeout(err):
		failure.Failure = providerTimeout
	case errors.As(err, &status) && status.Code == http.StatusTooManyRequests:
		failure.Failure, failure.RetryAfter = providerBusy, cmp.Or(status.RetryAfter, maxRetryInterval)
	case errors.As(err, &status) && status.passing():
		failure.Failure, failure.RetryAfter = providerUnreachable, cmp.Or(status.RetryAfter, maxRetryInterval)
	case errors.As(err, &status) && status.OAuthError != "":
		failure.Failure = status.Refusal
		if failure.Failure == providerUnreachable {
			failure.RetryAfter = maxRetryInterval
		}
	case errors.Is(err, errNoEmail):
		failure.Failure = emailMissing
	case errors.Is(err, errClock):
		failure.Failure = clockOff
	case isUnreachable(err):
		failure.Failure, failure.RetryAfter = providerUnreachable, maxRetryInterval
	}
	return failure
}

func errNoProvider() *signInError {
	return &signInError{Failure: providerUnreachable, RetryAfter: maxRetryInterval, Err: errors.New("the provider has not been discovered yet")}
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
func (a *oidcClient) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, signInTimeout)
	defer cancel()
	p, err := discover(ctx, a.client, a.issuer, a.now)
	if err != nil {
		return err
	}
	if known := a.provider.Load(); known != nil && known.keys.source == p.keys.source {
		p.keys = known.keys
	}
	if err := p.keys.refresh(ctx); err != nil {
		// Not fatal: the first sign-in asks again.
		a.log.WarnContext(ctx, "signing keys not fetched", "error", err)
	}
	a.provider.Store(p)
	return nil
}

// keepConnected discovers the provider until that succeeds and from then on
// refreshes what is known of it, until ctx is done. No fault of the provider's
// ends it or takes away what is known.
func (a *oidcClient) keepConnected(ctx context.Context) {
	wait := time.Second
	for {
		interval := refreshInterval
		if a.provider.Load() == nil {
			interval = wait
			wait = min(2*wait, maxRetryInterval)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
		if err := a.connect(ctx); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "provider not discovered", "event", "discovery_failed", "error", err, "mend", mendOf(err))
		}
	}
}

// mendOf returns what most likely mends a fault of discovery, or "".
func mendOf(err error) string {
	var fault *discoveryError
	if errors.As(err, &fault) {
		return fault.Mend
	}
	return ""
}

// failedSignIns counts the failures of a step of sign-in.
func failedSignIns(m *metrics.Metrics, h handler) handler {
	if m == nil {
		return h
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		err := h(w, r)
		var failed *signInError
		switch {
		case errors.As(err, &failed):
			m.SignInFailed(string(failed.Failure))
		case err != nil:
			m.SignInFailed("error")
		}
		return err
	}
}

// signedIn is a handler for people who are signed in. A browser without a
// session is sent to sign in and comes back; any other client gets a 401.
func (s *app) signedIn(h func(http.ResponseWriter, *http.Request, *session) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		person, err := s.sessions.find(w, r)
		if err != nil {
			return err
		}
		if person == nil {
			if !acceptsPage(r) {
				return errNotSignedIn
			}
			returnTo, err := s.returnTo(w, r)
			if err != nil {
				return err
			}
			seeOther(w, "/login?"+url.Values{"return_to": {returnTo}}.Encode())
			return nil
		}
		logging.InfoOf(r).Subject = person.Subject
		if err := s.sessions.touch(w, r, person); err != nil {
			return err
		}
		return h(w, r, person)
	}
}

// logout handles POST /logout.
func (s *app) logout(w http.ResponseWriter, r *http.Request) error {
	seeOther(w, s.signIn.logout(w, r))
	return nil
}

// logoutByLink handles GET /logout. A link on another site signs nobody out;
// it leads to a page that asks.
func (s *app) logoutByLink(w http.ResponseWriter, r *http.Request) error {
	if s.fromElsewhere(r) {
		return s.askSignOut(w, r)
	}
	return s.logout(w, r)
}

// fromElsewhere reports whether a GET may have been caused by another site, or
// by no person at all. A browser too old for Sec-Fetch-Site still says where a
// link was.
func (s *app) fromElsewhere(r *http.Request) bool {
	if strings.Contains(r.Header.Get("Sec-Purpose")+r.Header.Get("Purpose"), "prefetch") {
		return true
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
		referer := r.Header.Get("Referer")
		return referer != "" && referer != s.baseURL && !strings.HasPrefix(referer, s.baseURL+"/")
	default:
		return true
	}
}
