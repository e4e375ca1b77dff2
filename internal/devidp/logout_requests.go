package devidp

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	logoutTokenLifetime = 2 * time.Minute
	// revocationLifetime is how far nbf and exp are from now, as Okta documents it.
	revocationLifetime = 5 * time.Minute
	// logoutRequestTimeout bounds a logout request and its answer.
	logoutRequestTimeout = 30 * time.Second
)

// Answer is what a logout request was answered with.
type Answer struct {
	Status int
	Header http.Header
	Body   string // its first 64 KB
}

// SIDs returns the sid of each session that a person has at the provider.
func (p *Provider) SIDs(subject string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var sids []string
	for _, s := range p.sessions {
		if s.person.Subject == subject {
			sids = append(sids, s.sid)
		}
	}
	return sids
}

// LogoutToken returns a signed Logout Token (OpenID Connect Back-Channel Logout
// 1.0, 2.4) of a person, of a session, or of both. An empty subject or sid is
// left out.
func (p *Provider) LogoutToken(subject, sid string) (string, error) {
	now := p.config.Now()
	claims := map[string]any{
		"iss":    p.issuer,
		"aud":    p.config.ClientID,
		"iat":    now.Unix(),
		"exp":    now.Add(logoutTokenLifetime).Unix(),
		"jti":    rand.Text(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	if subject != "" {
		claims["sub"] = subject
	}
	if sid != "" {
		claims["sid"] = sid
	}
	return p.signLogout("logout+jwt", claims)
}

// RevocationToken returns the signed JWT with which Okta authenticates a global
// token revocation request to endpoint.
func (p *Provider) RevocationToken(endpoint string) (string, error) {
	now := p.config.Now()
	return p.signLogout("global-token-revocation+jwt", map[string]any{
		"iss": p.issuer,
		"sub": p.config.ClientID,
		"aud": endpoint,
		"jti": rand.Text(),
		"iat": now.Unix(),
		"nbf": now.Add(-revocationLifetime).Unix(),
		"exp": now.Add(revocationLifetime).Unix(),
	})
}

// signLogout signs the claims of a logout request, as the faults change them.
func (p *Provider) signLogout(kind string, claims map[string]any) (string, error) {
	faults := p.currentFaults()
	if faults.LogoutClaims != nil {
		faults.LogoutClaims(claims)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	if faults.LogoutPayload != nil {
		payload = faults.LogoutPayload(payload)
	}
	key := p.currentKey()
	header := map[string]any{"alg": key.alg, "kid": key.id, "typ": kind}
	if faults.LogoutHeader != nil {
		faults.LogoutHeader(header)
	}
	signed, err := signWith(key, header, payload)
	if err == nil && faults.LogoutToken != nil {
		signed = faults.LogoutToken(signed)
	}
	return signed, err
}

// BackChannelLogout sends a logout request (OpenID Connect Back-Channel Logout
// 1.0, 2.5) about a person, a session, or both to endpoint.
func (p *Provider) BackChannelLogout(endpoint, subject, sid string) (Answer, error) {
	token, err := p.LogoutToken(subject, sid)
	if err != nil {
		return Answer{}, err
	}
	form := url.Values{"logout_token": {token}}
	return send(endpoint, "application/x-www-form-urlencoded", "", strings.NewReader(form.Encode()))
}

// GlobalTokenRevocation asks endpoint to end all sessions of the person whom
// subID names, such as {"format": "email", "email": "ann.lee@example.com"}
// (draft-parecki-oauth-global-token-revocation).
func (p *Provider) GlobalTokenRevocation(endpoint string, subID map[string]any) (Answer, error) {
	token, err := p.RevocationToken(endpoint)
	if err != nil {
		return Answer{}, err
	}
	body, err := json.Marshal(map[string]any{"sub_id": subID})
	if err != nil {
		return Answer{}, fmt.Errorf("encode request: %w", err)
	}
	return send(endpoint, "application/json", token, bytes.NewReader(body))
}

// send posts a body, with a bearer token if one is given.
func send(endpoint, contentType, bearer string, body io.Reader) (Answer, error) {
	r, err := http.NewRequest(http.MethodPost, endpoint, body)
	if err != nil {
		return Answer{}, fmt.Errorf("make request: %w", err)
	}
	r.Header.Set("Content-Type", contentType)
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	client := &http.Client{Timeout: logoutRequestTimeout}
	defer client.CloseIdleConnections()
	response, err := client.Do(r)
	if err != nil {
		return Answer{}, fmt.Errorf("send request: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return Answer{}, fmt.Errorf("read answer: %w", err)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: string(text)}, nil
}
