package devidp

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// maxAssertionLifetime is how far ahead exp of an assertion may be, as at Okta.
const maxAssertionLifetime = time.Hour

// checkAssertion checks private_key_jwt (RFC 7523, 3; OpenID Connect Core 1.0, 9).
// Each assertion is good for one request.
func (p *Provider) checkAssertion(r *http.Request) error {
	if _, _, basic := r.BasicAuth(); basic || r.PostForm.Has("client_secret") {
		return oauthError{"invalid_client", "The client has to authenticate with private_key_jwt."}
	}
	if r.PostForm.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return oauthError{"invalid_client", "The client_assertion_type is invalid."}
	}
	signed, err := jose.ParseSignedCompact(r.PostForm.Get("client_assertion"), []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return oauthError{"invalid_client", "The client_assertion is not a JWT signed with RS256 or ES256."}
	}
	payload, err := signed.Verify(p.config.ClientKey)
	if err != nil {
		return oauthError{"invalid_client", "The client_assertion signature is invalid."}
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		ID       string `json:"jti"`
		Expires  int64  `json:"exp"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return oauthError{"invalid_client", "The client_assertion claims are malformed."}
	}
	now, expires := p.config.Now(), time.Unix(claims.Expires, 0)
	switch {
	case claims.Issuer != p.config.ClientID || claims.Subject != p.config.ClientID:
		return oauthError{"invalid_client", "The client_assertion is for another client."}
	case claims.Audience != p.origin()+r.URL.Path:
		return oauthError{"invalid_client", "The audience of the client_assertion is not this endpoint."}
	case !now.Before(expires) || expires.Sub(now) > maxAssertionLifetime:
		return oauthError{"invalid_client", "The client_assertion has expired, or does so too late."}
	case claims.ID == "":
		return oauthError{"invalid_client", "The client_assertion has no jti."}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, used := p.assertions[claims.ID]; used {
		return oauthError{"invalid_client", "The client_assertion has been used before."}
	}
	p.assertions[claims.ID] = expires
	return nil
}
