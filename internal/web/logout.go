package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/store"
)

const (
	BackChannelLogoutPath = "/logout/backchannel"
	UniversalLogoutPath   = "/logout/universal"
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

// BackChannelLogoutRequest handles POST /logout/backchannel (OpenID Connect
// Back-Channel Logout 1.0, 2.5): 200 where the sessions are over, also where
// there were none, and 400 for everything else (2.8).
func (s *Site) BackChannelLogoutRequest(w http.ResponseWriter, r *http.Request) error {
	token, err := s.endByLogoutToken(r)
	if err != nil {
		return s.refuseRemote(w, r, logging.EventBackChannelLogout, err)
	}
	reason := "sub"
	if token.ProviderSID != "" {
		reason = "sid"
	}
	logging.Audit(s.log, r, logging.EventBackChannelLogout, token.Subject, reason)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Site) endByLogoutToken(r *http.Request) (openid.LogoutToken, error) {
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
	p := s.auth.Provider.Load()
	if p == nil {
		return openid.LogoutToken{}, openid.ErrNoProvider()
	}
	token, err := p.VerifyLogoutToken(r.Context(), tokens[0], s.auth.ClientID)
	if err != nil {
		return refused("invalid_request", err)
	}
	// With a sid it is that one session, and sub only says whose.
	kind, key := store.EndSubject, token.Subject
	if token.ProviderSID != "" {
		kind, key = store.EndSID, token.ProviderSID
	}
	if _, err := s.endRemotely(r, kind, key, logging.EventBackChannelLogout, store.UsedToken(token.Used)); err != nil {
		if errors.Is(err, store.ErrReplayed) {
			return refused("invalid_request", err)
		}
		return refused("logout_failed", err)
	}
	return token, nil
}

// endRemotely ends all sessions of a key and returns how many are known of.
func (s *Site) endRemotely(r *http.Request, kind store.EndKind, key, why string, used store.UsedToken) (int64, error) {
	now, records := s.now(), s.sessions.Records
	e, count, err := records.EndingOfAll(r.Context(), kind, key, now, s.sessions.MaxAge)
	if err != nil {
		return 0, err
	}
	return count, records.EndByToken(r.Context(), e, why, now, used)
}

// UniversalLogoutRequest handles POST /logout/universal, by which Okta ends all
// sessions of a person (draft-parecki-oauth-global-token-revocation). The
// statuses are those of Okta's guide "Build Universal Logout for your app": 204
// the sessions are over; 400 the request is malformed or names the person in a
// way that is not understood; 401 the bearer token is missing or not believed;
// 403 it is Okta's, and for another application; 404 nobody like that has a
// session, ended or not, whose time is not over; 422 the sessions cannot be
// ended now. A body that is too long is 400.
func (s *Site) UniversalLogoutRequest(w http.ResponseWriter, r *http.Request) error {
	subject, err := s.endByRevocation(r)
	if err != nil {
		return s.refuseRemote(w, r, logging.EventUniversalLogout, err)
	}
	reason := "iss_sub"
	if subject.Address != "" {
		reason = "email"
	}
	logging.Audit(s.log, r, logging.EventUniversalLogout, subject.Subject, reason, "address", subject.Address)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Site) endByRevocation(r *http.Request) (openid.RevocationSubject, error) {
	refused := func(status int, code string, err error) (openid.RevocationSubject, error) {
		return openid.RevocationSubject{}, &remoteError{status, code, err}
	}
	// The guide asks for authentication before anything of the body counts.
	used, err := s.authenticateRevocation(r)
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
		kind, key = store.EndAddress, subject.Address
	} else if !openid.IsOrgIssuer(subject.Iss, s.auth.Issuer) {
		return refused(http.StatusNotFound, "not_found", errors.New("iss of the subject is another issuer"))
	}
	count, err := s.endRemotely(r, kind, key, logging.EventUniversalLogout, used)
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
func (s *Site) authenticateRevocation(r *http.Request) (store.UsedToken, error) {
	scheme, rawToken, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if len(r.Header.Values("Authorization")) != 1 || !strings.EqualFold(scheme, "Bearer") {
		return store.UsedToken{}, &remoteError{http.StatusUnauthorized, "invalid_token", errors.New("no bearer token")}
	}
	p := s.auth.Provider.Load()
	if p == nil {
		return store.UsedToken{}, openid.ErrNoProvider()
	}
	used, err := p.VerifyRevocation(r.Context(), rawToken, s.baseURL+UniversalLogoutPath, s.auth.ClientID)
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
func (s *Site) refuseRemote(w http.ResponseWriter, r *http.Request, event string, err error) error {
	var refusal *remoteError
	if !errors.As(err, &refusal) {
		return err
	}
	logging.Audit(s.log, r, event, "", "refused", "status", refusal.Status, "error", refusal)
	w.Header().Set("Content-Type", "application/json")
	if slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden}, refusal.Status) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="Expense Dashboard", error="`+refusal.Code+`"`)
	}
	w.WriteHeader(refusal.Status)
	return json.NewEncoder(w).Encode(map[string]string{"error": refusal.Code, "reference": logging.ReferenceOf(r)})
}
