package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
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
	"expense-dashboard/internal/web"
)

// authenticator signs people in and out with an OpenID provider: the
// authorization code flow (OpenID Connect Core 1.0, 3.1) with PKCE (RFC 7636),
// and RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0).
type authenticator struct {
	*openid.Client
	pending   *signin.Pending
	callbacks *signin.Callbacks
	sessions  *session.Store
}

// login handles GET /login: it remembers a pending login in the browser and
// sends it to the provider's authorization endpoint (OpenID Connect Core 1.0,
// 3.1.2.1).
func (a *authenticator) login(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if iss, given := query["iss"]; given && !slices.Equal(iss, []string{a.Issuer}) {
		return &openid.SignInError{Failure: openid.ForeignIssuer, Err: errors.New("login started for another issuer")}
	}
	p := a.Provider.Load()
	if p == nil {
		return openid.ErrNoProvider()
	}
	login := signin.Login{
		State: rand.Text(), Nonce: rand.Text(), CodeVerifier: oauth2.GenerateVerifier(),
		ReturnTo: signin.LocalPath(query.Get("return_to")),
	}
	if err := a.pending.Put(w, r, login); err != nil {
		return fmt.Errorf("keep pending login: %w", err)
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(login.CodeVerifier), oidc.Nonce(login.Nonce)}
	if hint := query.Get("login_hint"); hint != "" && len(hint) <= openid.MaxAddressLength {
		options = append(options, oauth2.SetAuthURLParam("login_hint", hint))
	}
	web.SeeOther(w, a.Oauth2Config(p).AuthCodeURL(login.State, options...))
	return nil
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
	login, err := a.pending.Take(w, r, response.State)
	if err == nil && a.callbacks.IsUsed(login, a.Now()) {
		err = signin.ErrUsedLogin
	}
	if err != nil && a.sessions.Load(w, r) != nil {
		web.SeeOther(w, signin.LocalPath(cmp.Or(login.ReturnTo, a.callbacks.ReturnTo(response.State))))
		return nil
	}
	if err != nil {
		return &openid.SignInError{Failure: openid.NoPendingLogin, Err: err}
	}
	p := a.Provider.Load()
	if p == nil {
		return openid.ErrNoProvider()
	}
	if err := response.Check(p); err != nil {
		return err
	}
	outcome := a.callbacks.Do(r.Context(), login, a.Now(), func(ctx context.Context) signin.Outcome {
		return a.signIn(ctx, p, login, response.Code, r)
	})
	if outcome.Err != nil {
		return outcome.Err
	}
	before := a.sessions.Read(w, r)
	if err := a.sessions.Give(w, r, outcome.Person, outcome.RawIDToken); err != nil {
		return fmt.Errorf("give session: %w", err)
	}
	if before != nil && before.ID != outcome.Person.ID {
		a.endOne(r, before, "replaced", logging.EventSessionEnded)
	}
	if outcome.Person.Unverified {
		a.Log.WarnContext(r.Context(), "on no team: the address is not verified", "event", string(openid.EmailUnverified), "sub", outcome.Person.Subject, "mend", a.Mend(openid.EmailUnverified))
	}
	web.SeeOther(w, signin.LocalPath(login.ReturnTo))
	return nil
}

// signIn completes a login and begins its session, once for all requests with
// the same callback; r is the first of them.
func (a *authenticator) signIn(ctx context.Context, p *openid.Provider, login signin.Login, code string, r *http.Request) signin.Outcome {
	// Taken before the exchange, so that a logout which overtakes it counts.
	begun := a.Now()
	who, rawIDToken, err := a.CompleteLogin(ctx, p, code, login.CodeVerifier, login.Nonce)
	if err != nil {
		return signin.Outcome{Err: err}
	}
	person, err := a.sessions.Begin(ctx, session.Session{Subject: who.Subject, ProviderSID: who.ProviderSID, Name: who.Name, Email: who.Email, Unverified: who.Unverified, Methods: who.Methods}, begun, r.UserAgent())
	if err != nil {
		failure := &openid.SignInError{Failure: openid.DatabaseUnavailable, RetryAfter: 5 * time.Second, Err: fmt.Errorf("begin session: %w", err)}
		return signin.Outcome{Err: failure}
	}
	logging.Audit(a.Log, r, logging.EventSignIn, person.Subject, "callback")
	if len(rawIDToken) > session.CookiePart*session.MaxCookieParts {
		// No cookie takes it, so there is no use in remembering it.
		rawIDToken = ""
	}
	return signin.Outcome{Person: person, RawIDToken: rawIDToken}
}

// endOne ends one session, on this copy at once and on the others when the
// database has it.
func (a *authenticator) endOne(r *http.Request, person *session.Session, reason, event string) {
	err := a.sessions.Records.End(r.Context(), []store.Ending{session.EndingOf(digest.Of(person.ID), person.EndsAt)}, reason, a.Now())
	if err != nil {
		a.Log.WarnContext(r.Context(), "end of a session not recorded yet", "sub", person.Subject, "error", err)
	}
	logging.Audit(a.Log, r, event, person.Subject, reason)
}

// logout ends the session here, whatever state the provider and the database
// are in, and returns where to send the browser: the provider's end-session
// endpoint (OpenID Connect RP-Initiated Logout 1.0, 2), or, where there is none,
// straight to the post-logout URL. Without a session there is nothing to end at
// the provider either.
func (a *authenticator) logout(w http.ResponseWriter, r *http.Request) (next string) {
	person := a.sessions.Read(w, r)
	a.sessions.End(w, r)
	if person == nil {
		return "/"
	}
	if ended, _ := a.sessions.Records.IsEnded(r.Context(), person); ended {
		return "/"
	}
	a.endOne(r, person, "asked", logging.EventSignOut)
	p := a.Provider.Load()
	if p == nil || p.EndSessionEndpoint == "" {
		return a.PostLogoutURL
	}
	query := url.Values{"client_id": {a.ClientID}, "post_logout_redirect_uri": {a.PostLogoutURL}}
	if rawIDToken := a.sessions.IdToken.Load(r, person.ID); rawIDToken != "" {
		query.Set("id_token_hint", rawIDToken)
	}
	separator := "?"
	if strings.Contains(p.EndSessionEndpoint, "?") {
		separator = "&"
	}
	return p.EndSessionEndpoint + separator + query.Encode()
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
		person, err := s.sessions.Find(w, r)
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
			web.SeeOther(w, "/login?"+url.Values{"return_to": {returnTo}}.Encode())
			return nil
		}
		logging.InfoOf(r).Subject = person.Subject
		if err := s.sessions.Touch(w, r, person); err != nil {
			return err
		}
		return h(w, r, person)
	}
}

// logout handles POST /logout.
func (s *app) logout(w http.ResponseWriter, r *http.Request) error {
	web.SeeOther(w, s.signIn.logout(w, r))
	return nil
}

// logoutByLink handles GET /logout. A link on another site signs nobody out;
// it leads to a page that asks.
func (s *app) logoutByLink(w http.ResponseWriter, r *http.Request) error {
	if s.fromElsewhere(r) {
		return s.AskSignOut(w, r)
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
