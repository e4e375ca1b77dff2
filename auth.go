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
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/metrics"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/openid/claims"
	"expense-dashboard/internal/openid/token"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/signin"
	"expense-dashboard/internal/store/sessions"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/weburl"
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
	directory *team.File
	policy    signInPolicy
	log       *slog.Logger
	now       func() time.Time
}

// signInPolicy is what a company asks of sign-ins beyond that they are right.
type signInPolicy struct {
	prompt       string        // sent with every sign-in but a recheck; empty for none
	recheck      time.Duration // after which the provider is asked again; zero for never
	stepUpMaxAge time.Duration // that a proof may have for what is gated by fresh; zero for any
	stepUpACR    []string      // by one of which it has to be; empty for any
}

// login handles GET /login: it begins a sign-in in the browser and sends it to the
// provider's authorization endpoint (OpenID Connect Core 1.0, 3.1.2.1). It takes
// return_to and login_hint, and from the provider iss and target_link_uri (OpenID
// Connect Core 1.0, 4).
func (a *authenticator) login(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if iss, given := query["iss"]; given && (len(iss) != 1 || !token.IsOrgIssuer(iss[0], a.client.Issuer())) {
		return &openid.SignInError{Failure: openid.ForeignIssuer, Err: errors.New("login started for another issuer")}
	}
	request := signin.Request{ReturnTo: signin.LocalPath(cmp.Or(query.Get("return_to"), a.localTarget(query.Get("target_link_uri"))))}
	var options []oauth2.AuthCodeOption
	if hint := query.Get("login_hint"); hint != "" && len(hint) <= claims.MaxAddressLength {
		options = append(options, oauth2.SetAuthURLParam("login_hint", hint))
	}
	target, err := a.begin(w, r, request, options...)
	if err != nil {
		return err
	}
	web.SeeOther(w, target)
	return nil
}

// begin makes a sign-in in the browser and returns where at the provider to send it:
// with a state that has to come back, the challenge of a code verifier (RFC 7636,
// 4.3) and a nonce that has to stand in the ID Token. An error knows where the
// sign-in wanted to go.
func (a *authenticator) begin(w http.ResponseWriter, r *http.Request, request signin.Request, options ...oauth2.AuthCodeOption) (string, error) {
	p := a.client.Provider()
	if p == nil {
		return "", web.BoundFor(request.ReturnTo, openid.ErrNoProvider())
	}
	login, err := a.pending.Begin(w, r, request)
	if err != nil {
		return "", fmt.Errorf("begin sign-in: %w", err)
	}
	options = append(options, oauth2.S256ChallengeOption(login.CodeVerifier), oidc.Nonce(login.Nonce))
	if a.policy.prompt != "" && request.Purpose != signin.Recheck {
		options = append(options, oauth2.SetAuthURLParam("prompt", a.policy.prompt))
	}
	target, err := a.client.AuthorizationURL(r.Context(), p, login.State, options...)
	return target, web.BoundFor(request.ReturnTo, err)
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
// whatever session the browser has as it was, but a failed recheck may put the next
// one off or end the session. Where there is nothing to sign in with, by the back
// button or in a stale tab, and the browser has a session already, it goes on with
// that.
func (a *authenticator) callback(w http.ResponseWriter, r *http.Request) error {
	response, err := openid.ParseAuthResponse(r.URL.RawQuery)
	if err != nil {
		return &openid.SignInError{Failure: openid.MalformedCallback, Err: err}
	}
	login, err := a.pending.Take(r, response.State)
	if err == nil && a.callbacks.IsUsed(login, a.now()) {
		err = signin.ErrUsedLogin
	}
	current := a.sessions.Load(r)
	if current != nil && (err != nil || current.BegunBy == digest.Of(login.State)) {
		web.SeeOther(w, signin.LocalPath(login.ReturnTo))
		return nil
	}
	if err != nil {
		return web.BoundFor(login.ReturnTo, &openid.SignInError{Failure: openid.NoPendingLogin, Err: err})
	}
	if login.Purpose != "" {
		return a.renewal(w, r, login, response, current)
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
		logging.AuditWarning(r.Context(), a.log, logging.EventEmailUnverified, outcome.Person.Subject, "not_verified", "fix", a.client.Fix(openid.EmailUnverified))
	}
	return nil
}

// signIn completes a login and begins its session, once for all requests with
// the same callback; r is the first of them.
func (a *authenticator) signIn(ctx context.Context, login signin.Login, response openid.AuthResponse, r *http.Request) signin.Outcome {
	// Taken before the exchange, so that a logout which overtakes it counts.
	begun := a.now()
	who, rawIDToken, err := a.identify(ctx, login, response)
	if err != nil {
		return signin.Outcome{Err: err}
	}
	var person session.Session
	a.describe(r, &person, login, who, begun)
	if person, err = a.sessions.Begin(ctx, person, begun, r.UserAgent()); err != nil {
		failure := &openid.SignInError{Failure: openid.DatabaseUnavailable, RetryAfter: 5 * time.Second, Err: fmt.Errorf("begin session: %w", err)}
		return signin.Outcome{Err: failure}
	}
	logging.Audit(a.log, r, logging.EventSignIn, person.Subject, "callback")
	return signin.Outcome{Person: person, RawIDToken: rawIDToken}
}

// identify completes a login: the code for tokens, the ID Token checked, its nonce
// among the rest, and who it is about, with UserInfo where it says too little. The
// ID Token as it came is for signing out; it is "" where it is too long for that.
func (a *authenticator) identify(ctx context.Context, login signin.Login, response openid.AuthResponse) (who openid.Identity, rawIDToken string, err error) {
	p := a.client.Provider()
	if p == nil {
		return who, "", openid.ErrNoProvider()
	}
	if err := response.Check(p); err != nil {
		return who, "", err
	}
	token, err := a.client.Exchange(ctx, p, response.Code, login.CodeVerifier)
	if err != nil {
		return who, "", err
	}
	rawIDToken, idToken, err := a.client.VerifyIDToken(ctx, p, token, login.Nonce)
	if err != nil {
		return who, "", err
	}
	needsGroups := len(a.directory.Current().Groups()) > 0
	userInfo, err := a.client.UserInfo(ctx, p, idToken, token.AccessToken, needsGroups)
	if errors.Is(err, openid.ErrUserInfoRefused) {
		subject, _ := idToken.Text("sub")
		logging.AuditWarning(ctx, a.log, logging.EventUserInfoRefused, subject, "refused", "error", err)
		err = nil
	}
	if err != nil {
		return who, "", err
	}
	if who, err = a.client.Identify(idToken, userInfo, needsGroups); err != nil {
		return who, "", err
	}
	if login.Purpose == signin.StepUp {
		err = who.CheckFresh(a.policy.stepUpMaxAge, a.policy.stepUpACR)
	}
	if len(rawIDToken) > maxEndSessionURL {
		rawIDToken = ""
	}
	return who, rawIDToken, err
}

// describe says in a session who has signed in. Of the groups only those count that
// the teams file names.
func (a *authenticator) describe(r *http.Request, person *session.Session, login signin.Login, who openid.Identity, at time.Time) {
	person.Issuer, person.Subject, person.ProviderSID = a.client.IssuerHost(), who.Subject, who.ProviderSID
	person.Name, person.Email, person.Unverified, person.Methods = who.Name, who.Email, who.Unverified, who.Methods
	person.BegunBy, person.CheckedAt, person.Grace = digest.Of(login.State), at, false
	person.ACR, person.AuthTime = who.ACR, time.Time{}
	if who.HasAuthAge {
		person.AuthTime = at.Add(-who.AuthAge)
	}
	known := a.directory.Current().Groups()
	named := slices.DeleteFunc(slices.Clone(who.Groups), func(name string) bool { _, ok := known[name]; return !ok })
	slices.Sort(named)
	if !person.SetGroups(slices.Compact(named)) {
		// The last ones give nothing.
		logging.AuditWarning(r.Context(), a.log, logging.EventGroupsDropped, who.Subject, "too_many")
	}
}

// isDue reports whether the provider has to be asked again whether a person is still
// there.
func (a *authenticator) isDue(person *session.Session) bool {
	return a.policy.recheck > 0 && a.now().Sub(person.CheckedAt) >= a.policy.recheck
}

// isFresh reports whether a person has proved who they are recently enough, and well
// enough, for what a step-up guards.
func (a *authenticator) isFresh(person *session.Session) bool {
	if a.policy.stepUpMaxAge == 0 {
		return true
	}
	return a.now().Sub(person.AuthTime) < a.policy.stepUpMaxAge &&
		(len(a.policy.stepUpACR) == 0 || slices.Contains(a.policy.stepUpACR, person.ACR))
}

// beginRenewal is begin for a session that is there: a recheck asks the provider
// without asking the person (OpenID Connect Core 1.0, 3.1.2.1, prompt=none), a
// step-up wants them to prove again who they are.
func (a *authenticator) beginRenewal(w http.ResponseWriter, r *http.Request, person *session.Session, purpose signin.Purpose, returnTo string) (string, error) {
	options := []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("login_hint", person.Email)}
	if purpose == signin.Recheck {
		options = append(options, oauth2.SetAuthURLParam("prompt", "none"))
	} else {
		options = append(options, oauth2.SetAuthURLParam("max_age", strconv.Itoa(session.Seconds(a.policy.stepUpMaxAge))))
		if len(a.policy.stepUpACR) > 0 {
			options = append(options, oauth2.SetAuthURLParam("acr_values", strings.Join(a.policy.stepUpACR, " ")))
		}
	}
	return a.begin(w, r, signin.Request{ReturnTo: signin.LocalPath(returnTo), Purpose: purpose, Session: digest.Of(person.ID)}, options...)
}

// renewal ends a recheck or a step-up of the browser's session, which stays the same
// where the provider's answer is about the same person. Where the provider has to ask
// the person first, an ordinary sign-in follows; another person ends the session.
func (a *authenticator) renewal(w http.ResponseWriter, r *http.Request, login signin.Login, response openid.AuthResponse, current *session.Session) error {
	if current == nil || digest.Of(current.ID) != login.Session {
		web.SeeOther(w, signin.LocalPath(login.ReturnTo))
		return nil
	}
	if p := a.client.Provider(); p != nil && login.Purpose == signin.Recheck && response.NeedsPerson(p) {
		target, err := a.begin(w, r, signin.Request{ReturnTo: login.ReturnTo})
		if err == nil {
			web.SeeOther(w, target)
		}
		return err
	}
	outcome := a.callbacks.Do(r.Context(), login, a.now(), func(ctx context.Context) signin.Outcome {
		return a.renew(ctx, login, response, r, *current)
	})
	var failed *openid.SignInError
	switch {
	case errors.Is(outcome.Err, errAnotherPerson):
		a.sessions.End(w, r)
		a.endOne(r, current, "another_person", logging.EventSessionEnded)
		web.SeeOther(w, "/login?"+url.Values{"return_to": {login.ReturnTo}}.Encode())
		return nil
	case login.Purpose == signin.Recheck && errors.As(outcome.Err, &failed) && failed.IsPassing() && !current.Grace:
		if err := a.postpone(w, r, current, failed); err != nil {
			return err
		}
	case outcome.Err != nil:
		return web.BoundFor(login.ReturnTo, outcome.Err)
	default:
		if err := a.give(w, r, login, outcome); err != nil {
			return err
		}
	}
	web.SeeOther(w, signin.LocalPath(login.ReturnTo))
	return nil
}

// errAnotherPerson is an answer of the provider's about another subject than that of
// the session it was asked about.
var errAnotherPerson = errors.New("the provider's session is another person's")

// renew completes a login that renews a session. Where the person has another session
// at the provider by now, it is a new sign-in, for the provider's logout requests
// will name that one.
func (a *authenticator) renew(ctx context.Context, login signin.Login, response openid.AuthResponse, r *http.Request, person session.Session) signin.Outcome {
	at := a.now()
	who, rawIDToken, err := a.identify(ctx, login, response)
	if err != nil {
		return signin.Outcome{Err: err}
	}
	if who.Subject != person.Subject {
		return signin.Outcome{Err: errAnotherPerson}
	}
	moved := who.ProviderSID != person.ProviderSID
	a.describe(r, &person, login, who, at)
	if moved {
		if person, err = a.sessions.Begin(ctx, person, at, r.UserAgent()); err != nil {
			return signin.Outcome{Err: &openid.SignInError{Failure: openid.DatabaseUnavailable, RetryAfter: 5 * time.Second, Err: fmt.Errorf("begin session: %w", err)}}
		}
	}
	logging.Audit(a.log, r, logging.EventSignIn, person.Subject, string(login.Purpose))
	return signin.Outcome{Person: person, RawIDToken: rawIDToken}
}

// postpone lets a session be for one more period whose recheck the provider cannot
// answer.
func (a *authenticator) postpone(w http.ResponseWriter, r *http.Request, person *session.Session, failed *openid.SignInError) error {
	person.CheckedAt, person.Grace = a.now(), true
	logging.AuditWarning(r.Context(), a.log, logging.EventRecheckPostponed, person.Subject, string(failed.Failure), "error", failed)
	return a.sessions.Save(w, r, person)
}

// endOne ends one session, on this copy at once and on the others when the
// database has it.
func (a *authenticator) endOne(r *http.Request, person *session.Session, reason, event string) {
	err := a.sessions.Records().End(r.Context(), []sessions.Ending{session.EndingOf(digest.Of(person.ID), person.EndsAt)}, reason, a.now())
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
				heading := "Sign in first"
				if s.sessions.HasCookie(r) {
					heading = "Your session has ended"
				}
				return s.Onward(w, r, heading, login)
			}
			web.SeeOther(w, login)
			return nil
		}
		logging.InfoOf(r).Subject = person.Subject
		s.Remember(w, r, person)
		if err := s.sessions.Touch(w, r, person); err != nil {
			return err
		}
		if s.signIn.isDue(person) {
			if away, err := s.recheck(w, r, person); away || err != nil {
				return err
			}
		}
		return h(w, r, person)
	}
}

// recheck asks the provider, by the browser, whether a person is still there. It
// reports away where the browser goes there; where the provider cannot be reached,
// the request is answered as ever, once.
func (s *app) recheck(w http.ResponseWriter, r *http.Request, person *session.Session) (away bool, err error) {
	if !web.AcceptsPage(r) {
		return false, web.ErrUnconfirmed
	}
	if !s.signIn.client.Reachable(r.Context()) {
		if err := r.Context().Err(); err != nil {
			return false, fmt.Errorf("ask whether the provider is there: %w", err)
		}
		away := openid.ErrNoProvider()
		away.Err = errors.New("the provider does not answer now")
		if person.Grace {
			return false, away
		}
		return false, s.signIn.postpone(w, r, person, away)
	}
	return true, s.renew(w, r, person, signin.Recheck, "One moment")
}

// renew sends the browser of a person to the provider and back.
func (s *app) renew(w http.ResponseWriter, r *http.Request, person *session.Session, purpose signin.Purpose, heading string) error {
	returnTo, err := s.ReturnTo(w, r)
	if err != nil {
		return err
	}
	target, err := s.signIn.beginRenewal(w, r, person, purpose, returnTo)
	if err != nil {
		return err
	}
	return s.Leave(w, r, heading, target)
}

// fresh is a handler for people who have proved recently who they are. Others do it
// now, and come back to the page of the form.
func (s *app) fresh(h visitor) visitor {
	return func(w http.ResponseWriter, r *http.Request, v web.Visit) error {
		if s.signIn.isFresh(v.Person) {
			return h(w, r, v)
		}
		if !web.AcceptsPage(r) {
			return web.ErrUnconfirmed
		}
		return s.renew(w, r, v.Person, signin.StepUp, "Confirm that it is you")
	}
}

// logout handles POST /logout.
func (s *app) logout(w http.ResponseWriter, r *http.Request) error {
	next := s.signIn.logout(w, r)
	s.NoteSignOut(w)
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
	next := s.signIn.logout(w, r)
	s.NoteSignOut(w)
	web.SeeOther(w, next)
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
	Status     int
	Code       string
	RetryAfter time.Duration // zero unless waiting helps
	Err        error
}

func (e *remoteError) Error() string { return e.Code + ": " + e.Err.Error() }

func (e *remoteError) Unwrap() error { return e.Err }

// noProvider refuses a logout request before discovery has succeeded: its signature
// cannot be told from another.
func noProvider() error {
	none := openid.ErrNoProvider()
	return &remoteError{Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", RetryAfter: none.RetryAfter, Err: none.Err}
}

// backChannelLogout handles POST /logout/backchannel (OpenID Connect
// Back-Channel Logout 1.0, 2.5): 200 where the sessions are over, also where
// there were none; 503 before the provider has been reached; and 400 where the
// request is refused or the sessions cannot be ended now (2.8).
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

func (a *authenticator) endByLogoutToken(r *http.Request) (token.LogoutToken, error) {
	refused := func(code string, err error) (token.LogoutToken, error) {
		return token.LogoutToken{}, &remoteError{Status: http.StatusBadRequest, Code: code, Err: err}
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
		return token.LogoutToken{}, noProvider()
	}
	token, err := a.client.VerifyLogoutToken(r.Context(), p, tokens[0])
	if err != nil {
		return refused("invalid_request", err)
	}
	// With a sid it is that one session, and sub only says whose.
	kind, key := sessions.EndSubject, token.Subject
	if token.ProviderSID != "" {
		kind, key = sessions.EndSID, token.ProviderSID
	}
	if _, err := a.endRemotely(r, kind, key, logging.EventBackChannelLogout, sessions.UsedToken(token.Used)); err != nil {
		if errors.Is(err, sessions.ErrReplayed) {
			return refused("invalid_request", err)
		}
		return refused("logout_failed", err)
	}
	return token, nil
}

// endRemotely ends all sessions of a key and returns how many are known of.
func (a *authenticator) endRemotely(r *http.Request, kind sessions.EndKind, key, why string, used sessions.UsedToken) (int64, error) {
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
// ended now; 503 the provider has not been reached since the start. A body that is too long
// is 400.
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

func (a *authenticator) endByRevocation(r *http.Request) (token.RevocationSubject, error) {
	refused := func(status int, code string, err error) (token.RevocationSubject, error) {
		return token.RevocationSubject{}, &remoteError{Status: status, Code: code, Err: err}
	}
	// The guide asks for authentication before anything of the body counts.
	used, err := a.authenticateRevocation(r)
	if err != nil {
		return token.RevocationSubject{}, err
	}
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		return refused(http.StatusBadRequest, "invalid_request", errors.New("the body is not application/json"))
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return refused(http.StatusBadRequest, "invalid_request", errors.New("the body cannot be read or is too long"))
	}
	subject, err := token.ParseRevocation(body)
	if err != nil {
		return refused(http.StatusBadRequest, "invalid_request", err)
	}
	kind, key := sessions.EndSubject, subject.Subject
	if subject.Address != "" {
		kind, key = sessions.EndAddress, team.NormalizeAddress(subject.Address)
	} else if !token.IsOrgIssuer(subject.Iss, a.client.Issuer()) {
		return refused(http.StatusNotFound, "not_found", errors.New("iss of the subject is another issuer"))
	}
	count, err := a.endRemotely(r, kind, key, logging.EventUniversalLogout, used)
	switch {
	case errors.Is(err, sessions.ErrReplayed):
		return refused(http.StatusUnauthorized, "invalid_token", err)
	case err != nil:
		return refused(http.StatusUnprocessableEntity, "logout_failed", err)
	case count == 0:
		return refused(http.StatusNotFound, "not_found", errors.New("nobody like that is known"))
	}
	return subject, nil
}

// authenticateRevocation verifies the bearer token (RFC 6750, 2.1).
func (a *authenticator) authenticateRevocation(r *http.Request) (sessions.UsedToken, error) {
	scheme, rawToken, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if len(r.Header.Values("Authorization")) != 1 || !strings.EqualFold(scheme, "Bearer") {
		return sessions.UsedToken{}, &remoteError{Status: http.StatusUnauthorized, Code: "invalid_token", Err: errors.New("no bearer token")}
	}
	p := a.client.Provider()
	if p == nil {
		return sessions.UsedToken{}, noProvider()
	}
	used, err := a.client.VerifyRevocation(r.Context(), p, rawToken, a.baseURL+universalLogoutPath)
	if errors.Is(err, token.ErrOtherApp) {
		return sessions.UsedToken{}, &remoteError{Status: http.StatusForbidden, Code: "insufficient_scope", Err: err}
	}
	if err != nil {
		return sessions.UsedToken{}, &remoteError{Status: http.StatusUnauthorized, Code: "invalid_token", Err: err}
	}
	return sessions.UsedToken(used), nil
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
	if refusal.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(session.Seconds(refusal.RetryAfter)))
	}
	if slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden}, refusal.Status) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="Expense Dashboard", error="`+refusal.Code+`"`)
	}
	w.WriteHeader(refusal.Status)
	return json.NewEncoder(w).Encode(map[string]string{"error": refusal.Code, "reference": logging.ReferenceOf(r)})
}

const frontChannelLogoutPath = "/logout/frontchannel"

// frontChannelLogout handles GET /logout/frontchannel, which the provider's page
// loads into a frame that nobody sees (OpenID Connect Front-Channel Logout 1.0, 2).
// It goes by the records of sessions and needs no cookie, which a browser would not
// send there. 400 is for an issuer that is missing or not ours and for a session that
// is not named, 200 for the rest.
func (a *authenticator) frontChannelLogout(w http.ResponseWriter, r *http.Request) error {
	status, err := a.endByFrame(r)
	if err != nil {
		return err
	}
	// This one answer may stand in a frame, of the provider's.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors "+weburl.Origin(a.client.Issuer()))
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	return nil
}

func (a *authenticator) endByFrame(r *http.Request) (status int, err error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	iss, sid := query["iss"], query["sid"]
	if err != nil || len(iss) != 1 || !token.IsOrgIssuer(iss[0], a.client.Issuer()) || len(sid) != 1 || !claims.IsProviderSID(sid[0]) || sid[0] == "" {
		logging.Audit(a.log, r, logging.EventFrontChannelLogout, "", "refused")
		return http.StatusBadRequest, nil
	}
	if r.Method == http.MethodHead {
		return http.StatusOK, nil
	}
	e, count, err := a.sessions.Records().EndingOfAll(r.Context(), sessions.EndSID, sid[0], a.now(), a.sessions.MaxAge())
	if err != nil || count == 0 {
		// Anybody can send this: what is unknown is not worth a record.
		return http.StatusOK, err
	}
	logging.Audit(a.log, r, logging.EventFrontChannelLogout, "", "sid")
	return http.StatusOK, a.sessions.Records().End(r.Context(), []sessions.Ending{e}, logging.EventFrontChannelLogout, a.now())
}
