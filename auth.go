package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/metrics"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/signin"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
)

// authenticator signs people in and out with an OpenID provider: the
// authorization code flow (OpenID Connect Core 1.0, 3.1) with PKCE (RFC 7636),
// RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0), and the logout
// requests of the provider's servers.
type authenticator struct {
	baseURL   string
	client    *openid.Client
	pending   *signin.Pending
	callbacks *signin.Callbacks
	given     *signin.Given
	sessions  *session.Store
	log       *slog.Logger
	now       func() time.Time
}

// login handles GET /login: it begins a sign-in in the browser and sends it to the
// provider's authorization endpoint (OpenID Connect Core 1.0, 3.1.2.1). It takes
// return_to and login_hint, and from the provider iss and target_link_uri (OpenID
// Connect Core 1.0, 4).
func (a *authenticator) login(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if iss, given := query["iss"]; given && (len(iss) != 1 || !openid.IsOrgIssuer(iss[0], a.client.Issuer())) {
		return &openid.SignInError{Failure: openid.ForeignIssuer, Err: errors.New("login started for another issuer")}
	}
	request := signin.Request{ReturnTo: signin.LocalPath(cmp.Or(query.Get("return_to"), a.localTarget(query.Get("target_link_uri"))))}
	p := a.client.Provider()
	if p == nil {
		return web.BoundFor(request.ReturnTo, openid.ErrNoProvider())
	}
	login, err := a.pending.Begin(w, r, request)
	if err != nil {
		return fmt.Errorf("begin sign-in: %w", err)
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(login.CodeVerifier), oidc.Nonce(login.Nonce)}
	if hint := query.Get("login_hint"); hint != "" && len(hint) <= openid.MaxAddressLength {
		options = append(options, oauth2.SetAuthURLParam("login_hint", hint))
	}
	web.SeeOther(w, a.client.AuthURL(p, login.State, options...))
	return nil
}

// localTarget returns the path and query of an address of this site, or "".
func (a *authenticator) localTarget(address string) string {
	target, err := url.Parse(address)
	if err != nil || target.User != nil || target.Opaque != "" || !strings.EqualFold(target.Scheme+"://"+target.Host, a.baseURL) {
		return ""
	}
	return target.RequestURI()
}

// callback handles GET /authorization-code/callback: the authorization
// response (OpenID Connect Core 1.0, 3.1.2.5 to 3.1.3.8). A failure leaves
// whatever session the browser has as it was. Where there is nothing to sign in
// with, by the back button or in a stale tab, and the browser has a session
// already, it goes on with that.
func (a *authenticator) callback(w http.ResponseWriter, r *http.Request) error {
	response, err := openid.ParseAuthResponse(r.URL.RawQuery)
	if err != nil {
		return &openid.SignInError{Failure: openid.MalformedCallback, Err: err}
	}
	login, err := a.pending.Take(r, response.State)
	if err == nil && a.callbacks.IsUsed(login, a.now()) {
		err = signin.ErrUsedLogin
	}
	if err != nil && a.sessions.Load(r) != nil {
		web.SeeOther(w, signin.LocalPath(login.ReturnTo))
		return nil
	}
	if err != nil {
		return web.BoundFor(login.ReturnTo, &openid.SignInError{Failure: openid.NoPendingLogin, Err: err})
	}
	if person := a.sessions.Load(r); person != nil && person.BegunBy == digest.Of(login.State) {
		web.SeeOther(w, signin.LocalPath(login.ReturnTo))
		return nil
	}
	if a.dropsCookies(r, login) {
		return &openid.SignInError{Failure: openid.CookiesDropped, Err: errors.New("the browser has not kept the session that it was given")}
	}
	outcome := a.callbacks.Do(r.Context(), login, a.now(), func(ctx context.Context) signin.Outcome {
		return a.signIn(ctx, login, response, r)
	})
	if outcome.Err != nil {
		return web.BoundFor(login.ReturnTo, outcome.Err)
	}
	if ended, _ := a.sessions.Records().IsEnded(r.Context(), &outcome.Person); ended {
		return web.BoundFor(login.ReturnTo, &openid.SignInError{Failure: openid.NoPendingLogin, Err: signin.ErrUsedLogin})
	}
	if err := a.give(w, r, login, outcome); err != nil {
		return err
	}
	web.SeeOther(w, signin.LocalPath(login.ReturnTo))
	return nil
}

// dropsCookies reports whether the browser of a login was given a session just
// before, and does not have it although it counts.
func (a *authenticator) dropsCookies(r *http.Request, login signin.Login) bool {
	before := a.given.Before(login, a.now())
	if before == nil || a.sessions.HasCookie(r) || !a.sessions.IsAlive(before) {
		return false
	}
	ended, err := a.sessions.Records().IsEnded(r.Context(), before)
	return !ended && err == nil
}

// give puts the session that a sign-in has begun into the browser, and ends the one
// that it had before.
func (a *authenticator) give(w http.ResponseWriter, r *http.Request, login signin.Login, outcome signin.Outcome) error {
	before := a.sessions.Read(r)
	if err := a.sessions.Give(w, r, outcome.Person, outcome.RawIDToken); err != nil {
		return fmt.Errorf("give session: %w", err)
	}
	a.given.Note(login, outcome.Person, a.now())
	if before != nil && before.ID != outcome.Person.ID {
		a.endOne(r, before, "replaced", logging.EventSessionEnded)
	}
	if outcome.Person.Unverified {
		a.log.WarnContext(r.Context(), "on no team: the address is not verified", "event", string(openid.EmailUnverified), "sub", outcome.Person.Subject, "mend", a.client.Mend(openid.EmailUnverified))
	}
	return nil
}

// signIn completes a login and begins its session, once for all requests with
// the same callback; r is the first of them.
func (a *authenticator) signIn(ctx context.Context, login signin.Login, response openid.AuthResponse, r *http.Request) signin.Outcome {
	p := a.client.Provider()
	if p == nil {
		return signin.Outcome{Err: openid.ErrNoProvider()}
	}
	if err := response.Check(p); err != nil {
		return signin.Outcome{Err: err}
	}
	// Taken before the exchange, so that a logout which overtakes it counts.
	begun := a.now()
	token, err := a.client.Exchange(ctx, p, response.Code, login.CodeVerifier)
	if err != nil {
		return signin.Outcome{Err: err}
	}
	rawIDToken, idToken, err := a.client.VerifyIDToken(ctx, p, token, login.Nonce)
	if err != nil {
		return signin.Outcome{Err: err}
	}
	userInfo, err := a.client.UserInfo(ctx, p, idToken, token.AccessToken)
	if err != nil {
		return signin.Outcome{Err: err}
	}
	who, err := openid.Identify(idToken, userInfo)
	if err != nil {
		return signin.Outcome{Err: err}
	}
	person, err := a.sessions.Begin(ctx, session.Session{Issuer: a.client.IssuerHost(), Subject: who.Subject, ProviderSID: who.ProviderSID, Name: who.Name, Email: who.Email, Unverified: who.Unverified, Methods: who.Methods, BegunBy: digest.Of(login.State)}, begun, r.UserAgent())
	if err != nil {
		failure := &openid.SignInError{Failure: openid.DatabaseUnavailable, RetryAfter: 5 * time.Second, Err: fmt.Errorf("begin session: %w", err)}
		return signin.Outcome{Err: failure}
	}
	logging.Audit(a.log, r, logging.EventSignIn, person.Subject, "callback")
	if len(rawIDToken) > maxEndSessionURL {
		// No request to sign out takes it, so there is no use in keeping it.
		rawIDToken = ""
	}
	return signin.Outcome{Person: person, RawIDToken: rawIDToken}
}

// endOne ends one session, on this copy at once and on the others when the
// database has it.
func (a *authenticator) endOne(r *http.Request, person *session.Session, reason, event string) {
	err := a.sessions.Records().End(r.Context(), []store.Ending{session.EndingOf(digest.Of(person.ID), person.EndsAt)}, reason, a.now())
	if err != nil {
		a.log.WarnContext(r.Context(), "end of a session not recorded yet", "sub", person.Subject, "error", err)
	}
	logging.Audit(a.log, r, event, person.Subject, reason)
}

// logout ends the session here, whatever state the provider and the database
// are in, and returns where to send the browser: the provider's end-session
// endpoint, or, where there is none, straight to the post-logout URL. Without a
// session there is nothing to end at the provider either.
func (a *authenticator) logout(w http.ResponseWriter, r *http.Request) (next string) {
	person := a.sessions.Read(r)
	a.sessions.End(w, r)
	if person == nil {
		return "/"
	}
	if ended, _ := a.sessions.Records().IsEnded(r.Context(), person); ended {
		return "/"
	}
	a.endOne(r, person, "asked", logging.EventSignOut)
	p := a.client.Provider()
	if p == nil || p.EndSessionEndpoint() == "" {
		return a.client.PostLogoutURL()
	}
	return a.endSessionURL(p.EndSessionEndpoint(), person.Email, a.sessions.IDToken(r, person))
}

// maxEndSessionURL is the longest address that a browser is sent to sign out with:
// providers and proxies refuse longer ones.
const maxEndSessionURL = 4000

// endSessionURL is a logout request (OpenID Connect RP-Initiated Logout 1.0, 2).
// Where the ID Token would make it too long, client_id and logout_hint say instead
// whose session it is.
func (a *authenticator) endSessionURL(endpoint, address, rawIDToken string) string {
	query := url.Values{"client_id": {a.client.ClientID()}, "post_logout_redirect_uri": {a.client.PostLogoutURL()}, "logout_hint": {address}}
	separator := "?"
	if strings.Contains(endpoint, "?") {
		separator = "&"
	}
	short := endpoint + separator + query.Encode()
	if rawIDToken == "" {
		return short
	}
	query.Set("id_token_hint", rawIDToken)
	if whole := endpoint + separator + query.Encode(); len(whole) <= maxEndSessionURL {
		return whole
	}
	return short
}

// failedSignIns counts the failures of a step of sign-in.
func failedSignIns(m *metrics.Metrics, h web.Handler) web.Handler {
	if m == nil {
		return h
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		err := h(w, r)
		var failed *openid.SignInError
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
func (s *app) signedIn(h func(http.ResponseWriter, *http.Request, *session.Session) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		person, err := s.sessions.Find(r)
		if err != nil {
			return err
		}
		if person == nil {
			if !web.AcceptsPage(r) {
				return web.ErrNotSignedIn
			}
			returnTo, err := s.ReturnTo(w, r)
			if err != nil {
				return err
			}
			login := "/login?" + url.Values{"return_to": {returnTo}}.Encode()
			if s.FromOurPage(r) {
				return s.Onward(w, r, "Your session has ended", login)
			}
			web.SeeOther(w, login)
			return nil
		}
		logging.InfoOf(r).Subject = person.Subject
		s.Remember(w, r, person)
		if err := s.sessions.Touch(w, r, person); err != nil {
			return err
		}
		return h(w, r, person)
	}
}

// logout handles POST /logout.
func (s *app) logout(w http.ResponseWriter, r *http.Request) error {
	next := s.signIn.logout(w, r)
	if next == "/" {
		web.SeeOther(w, next)
		return nil
	}
	return s.Leave(w, r, "Signing out", next)
}

// logoutByLink handles GET /logout. A link on another site signs nobody out;
// it leads to a page that asks.
func (s *app) logoutByLink(w http.ResponseWriter, r *http.Request) error {
	if s.fromElsewhere(r) {
		return s.AskSignOut(w, r)
	}
	web.SeeOther(w, s.signIn.logout(w, r))
	return nil
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

const (
	backChannelLogoutPath = "/logout/backchannel"
	universalLogoutPath   = "/logout/universal"
)

// remoteError is a refused logout request of the provider's servers. Code and
// Err are for the log; the answer holds only the code.
type remoteError struct {
	Status int
	Code   string
	Err    error
}

func (e *remoteError) Error() string { return e.Code + ": " + e.Err.Error() }

func (e *remoteError) Unwrap() error { return e.Err }

// backChannelLogout handles POST /logout/backchannel (OpenID Connect
// Back-Channel Logout 1.0, 2.5): 200 where the sessions are over, also where
// there were none, and 400 for everything else (2.8).
func (a *authenticator) backChannelLogout(w http.ResponseWriter, r *http.Request) error {
	token, err := a.endByLogoutToken(r)
	if err != nil {
		return a.refuseRemote(w, r, logging.EventBackChannelLogout, err)
	}
	reason := "sub"
	if token.ProviderSID != "" {
		reason = "sid"
	}
	logging.Audit(a.log, r, logging.EventBackChannelLogout, token.Subject, reason)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (a *authenticator) endByLogoutToken(r *http.Request) (openid.LogoutToken, error) {
	refused := func(code string, err error) (openid.LogoutToken, error) {
		return openid.LogoutToken{}, &remoteError{http.StatusBadRequest, code, err}
	}
	if err := r.ParseForm(); err != nil {
		return refused("invalid_request", errors.New("the form cannot be read"))
	}
	tokens := r.PostForm["logout_token"]
	if len(tokens) != 1 {
		return refused("invalid_request", errors.New("logout_token is not there once"))
	}
	p := a.client.Provider()
	if p == nil {
		return openid.LogoutToken{}, openid.ErrNoProvider()
	}
	token, err := a.client.VerifyLogoutToken(r.Context(), p, tokens[0])
	if err != nil {
		return refused("invalid_request", err)
	}
	// With a sid it is that one session, and sub only says whose.
	kind, key := store.EndSubject, token.Subject
	if token.ProviderSID != "" {
		kind, key = store.EndSID, token.ProviderSID
	}
	if _, err := a.endRemotely(r, kind, key, logging.EventBackChannelLogout, store.UsedToken(token.Used)); err != nil {
		if errors.Is(err, store.ErrReplayed) {
			return refused("invalid_request", err)
		}
		return refused("logout_failed", err)
	}
	return token, nil
}

// endRemotely ends all sessions of a key and returns how many are known of.
func (a *authenticator) endRemotely(r *http.Request, kind store.EndKind, key, why string, used store.UsedToken) (int64, error) {
	now, records := a.now(), a.sessions.Records()
	e, count, err := records.EndingOfAll(r.Context(), kind, key, now, a.sessions.MaxAge())
	if err != nil {
		return 0, err
	}
	return count, records.EndByToken(r.Context(), e, why, now, used)
}

// universalLogout handles POST /logout/universal, by which Okta ends all
// sessions of a person (draft-parecki-oauth-global-token-revocation). The
// statuses are those of Okta's guide "Build Universal Logout for your app": 204
// the sessions are over; 400 the request is malformed or names the person in a
// way that is not understood; 401 the bearer token is missing or not believed;
// 403 it is Okta's, and for another application; 404 nobody like that has a
// session, ended or not, whose time is not over; 422 the sessions cannot be
// ended now. A body that is too long is 400.
func (a *authenticator) universalLogout(w http.ResponseWriter, r *http.Request) error {
	subject, err := a.endByRevocation(r)
	if err != nil {
		return a.refuseRemote(w, r, logging.EventUniversalLogout, err)
	}
	reason := "iss_sub"
	if subject.Address != "" {
		reason = "email"
	}
	logging.Audit(a.log, r, logging.EventUniversalLogout, subject.Subject, reason, "address", team.NormalizeAddress(subject.Address))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *authenticator) endByRevocation(r *http.Request) (openid.RevocationSubject, error) {
	refused := func(status int, code string, err error) (openid.RevocationSubject, error) {
		return openid.RevocationSubject{}, &remoteError{status, code, err}
	}
	// The guide asks for authentication before anything of the body counts.
	used, err := a.authenticateRevocation(r)
	if err != nil {
		return openid.RevocationSubject{}, err
	}
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		return refused(http.StatusBadRequest, "invalid_request", errors.New("the body is not application/json"))
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return refused(http.StatusBadRequest, "invalid_request", errors.New("the body cannot be read or is too long"))
	}
	subject, err := openid.ParseRevocation(body)
	if err != nil {
		return refused(http.StatusBadRequest, "invalid_request", err)
	}
	kind, key := store.EndSubject, subject.Subject
	if subject.Address != "" {
		kind, key = store.EndAddress, team.NormalizeAddress(subject.Address)
	} else if !openid.IsOrgIssuer(subject.Iss, a.client.Issuer()) {
		return refused(http.StatusNotFound, "not_found", errors.New("iss of the subject is another issuer"))
	}
	count, err := a.endRemotely(r, kind, key, logging.EventUniversalLogout, used)
	switch {
	case errors.Is(err, store.ErrReplayed):
		return refused(http.StatusUnauthorized, "invalid_token", err)
	case err != nil:
		return refused(http.StatusUnprocessableEntity, "logout_failed", err)
	case count == 0:
		return refused(http.StatusNotFound, "not_found", errors.New("nobody like that is known"))
	}
	return subject, nil
}

// authenticateRevocation verifies the bearer token (RFC 6750, 2.1).
func (a *authenticator) authenticateRevocation(r *http.Request) (store.UsedToken, error) {
	scheme, rawToken, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if len(r.Header.Values("Authorization")) != 1 || !strings.EqualFold(scheme, "Bearer") {
		return store.UsedToken{}, &remoteError{http.StatusUnauthorized, "invalid_token", errors.New("no bearer token")}
	}
	p := a.client.Provider()
	if p == nil {
		return store.UsedToken{}, openid.ErrNoProvider()
	}
	used, err := a.client.VerifyRevocation(r.Context(), p, rawToken, a.baseURL+universalLogoutPath)
	if errors.Is(err, openid.ErrOtherApp) {
		return store.UsedToken{}, &remoteError{http.StatusForbidden, "insufficient_scope", err}
	}
	if err != nil {
		return store.UsedToken{}, &remoteError{http.StatusUnauthorized, "invalid_token", err}
	}
	return store.UsedToken(used), nil
}

// refuseRemote answers a server, to which pages mean nothing, with the code of
// an error. Any error that is no *remoteError it returns.
func (a *authenticator) refuseRemote(w http.ResponseWriter, r *http.Request, event string, err error) error {
	var refusal *remoteError
	if !errors.As(err, &refusal) {
		return err
	}
	logging.Audit(a.log, r, event, "", "refused", "status", refusal.Status, "error", refusal)
	w.Header().Set("Content-Type", "application/json")
	if slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden}, refusal.Status) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="Expense Dashboard", error="`+refusal.Code+`"`)
	}
	w.WriteHeader(refusal.Status)
	return json.NewEncoder(w).Encode(map[string]string{"error": refusal.Code, "reference": logging.ReferenceOf(r)})
}
