package devidp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

const (
	codeLifetime  = time.Minute
	tokenLifetime = time.Hour // of access tokens and ID Tokens
)

// grant is what an authorization code stands for.
type grant struct {
	authRequest
	session
	issued      time.Time
	used        bool
	accessToken string // once the code is used
}

// accessToken is what an access token stands for.
type accessToken struct {
	person  Person
	scopes  []string
	expires time.Time
}

// token handles POST /oauth2/default/v1/token.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	response, err := p.exchange(r)
	var problem oauthError
	switch {
	case err == nil:
		if change := p.currentFaults().Token; change != nil {
			change(response)
		}
		writeJSON(w, http.StatusOK, response)
	case errors.As(err, &problem):
		status := http.StatusBadRequest
		if problem.code == "invalid_client" {
			status = http.StatusUnauthorized
			w.Header().Set("WWW-Authenticate", `Basic realm="devidp"`)
		}
		writeJSON(w, status, map[string]any{"error": problem.code, "error_description": problem.description})
	default:
		writeJSON(w, http.StatusInternalServerError,
			map[string]any{"error": "server_error", "error_description": err.Error()})
	}
}

// exchange answers a token request with a token response (OpenID Connect Core
// 1.0, 3.1.3.3), an oauthError, or an error of the provider's own.
func (p *Provider) exchange(r *http.Request) (map[string]any, error) {
	if err := r.ParseForm(); err != nil || isRepeated(r.PostForm) {
		return nil, oauthError{"invalid_request", "The form is malformed, or a parameter is there more than once."}
	}
	if err := p.authenticateClient(r); err != nil {
		return nil, err
	}
	form := r.PostForm
	switch {
	case form.Get("grant_type") == "":
		return nil, oauthError{"invalid_request", "The 'grant_type' parameter is required."}
	case form.Get("grant_type") != "authorization_code":
		return nil, oauthError{"unsupported_grant_type", "The 'grant_type' parameter must be 'authorization_code'."}
	case form.Get("code") == "" || form.Get("redirect_uri") == "" || form.Get("code_verifier") == "":
		return nil, oauthError{"invalid_request", "The parameters 'code', 'redirect_uri' and 'code_verifier' are required."}
	}
	granted, err := p.redeem(form)
	if err != nil {
		return nil, err
	}
	idToken, err := p.idToken(granted)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"token_type":   "Bearer",
		"expires_in":   int(tokenLifetime / time.Second),
		"access_token": granted.accessToken,
		"scope":        strings.Join(granted.scopes, " "),
		"id_token":     idToken,
	}, nil
}

// authenticateClient checks client_secret_basic or client_secret_post (RFC 6749,
// 2.3.1), of which a request may use only one.
func (p *Provider) authenticateClient(r *http.Request) error {
	if p.config.ClientKey != nil {
		return p.checkAssertion(r)
	}
	id, secret, basic := r.BasicAuth()
	switch {
	case basic && r.PostForm.Has("client_secret"):
		return oauthError{"invalid_request", "Only one way of client authentication may be used."}
	case basic:
		var idErr, secretErr error
		id, idErr = url.QueryUnescape(id)
		secret, secretErr = url.QueryUnescape(secret)
		if idErr != nil || secretErr != nil {
			return oauthError{"invalid_client", "The client credentials are not form-encoded."}
		}
		if r.PostForm.Has("client_id") && r.PostForm.Get("client_id") != id {
			return oauthError{"invalid_request", "The 'client_id' parameter is not that of the credentials."}
		}
	default:
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if !isEqual(id, p.config.ClientID) || !isEqual(secret, p.config.ClientSecret) {
		return oauthError{"invalid_client", "The client id or the client secret is wrong."}
	}
	return nil
}

func isEqual(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// codeVerifierPattern is a code verifier (RFC 7636, 4.1).
var codeVerifierPattern = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// redeem uses up a code, whatever comes of it, and makes its access token. A
// code that comes a second time revokes that token (RFC 6749, 4.1.2).
func (p *Provider) redeem(form url.Values) (grant, error) {
	hash := sha256.Sum256([]byte(form.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(hash[:])
	now := p.config.Now()

	p.mu.Lock()
	defer p.mu.Unlock()
	granted, ok := p.grants[form.Get("code")]
	if !ok {
		return grant{}, oauthError{"invalid_grant", "The authorization code is invalid or has expired."}
	}
	if granted.used {
		delete(p.accessTokens, granted.accessToken)
		return grant{}, oauthError{"invalid_grant", "The authorization code is invalid or has expired."}
	}
	granted.used = true
	switch {
	case !now.Before(granted.issued.Add(codeLifetime)):
		return grant{}, oauthError{"invalid_grant", "The authorization code is invalid or has expired."}
	case form.Get("redirect_uri") != granted.redirectURI:
		return grant{}, oauthError{"invalid_grant", "The 'redirect_uri' does not match the one of the authorization request."}
	case !codeVerifierPattern.MatchString(form.Get("code_verifier")) || !isEqual(challenge, granted.codeChallenge):
		return grant{}, oauthError{"invalid_grant", "PKCE verification failed."}
	}
	granted.accessToken = rand.Text()
	p.accessTokens[granted.accessToken] = accessToken{
		person: granted.person, scopes: granted.scopes, expires: now.Add(tokenLifetime),
	}
	return *granted, nil
}

// forgetOld drops what can have no effect any more. A used code is kept as long
// as the access token that its replay revokes. The caller holds the lock.
func (p *Provider) forgetOld(now time.Time) {
	maps.DeleteFunc(p.sessions, func(_ string, s session) bool { return now.After(s.authTime.Add(sessionLifetime)) })
	maps.DeleteFunc(p.grants, func(_ string, g *grant) bool { return now.After(g.issued.Add(codeLifetime + tokenLifetime)) })
	maps.DeleteFunc(p.assertions, func(_ string, until time.Time) bool { return now.After(until) })
	maps.DeleteFunc(p.accessTokens, func(_ string, t accessToken) bool { return now.After(t.expires) })
}
