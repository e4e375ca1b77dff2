package devidp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// idToken returns the signed ID Token of a grant (OpenID Connect Core 1.0,
// 3.1.3.6).
func (p *Provider) idToken(granted grant) (string, error) {
	faults := p.currentFaults()
	claims := p.idTokenClaims(granted)
	if faults.Claims != nil {
		faults.Claims(claims)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	if faults.Payload != nil {
		payload = faults.Payload(payload)
	}
	key := p.currentKey()
	header := map[string]any{"alg": key.alg, "kid": key.id}
	if faults.Header != nil {
		faults.Header(header)
	}
	signed, err := signWith(key, header, payload)
	if err != nil {
		return "", err
	}
	if faults.IDToken != nil {
		signed = faults.IDToken(signed)
	}
	return signed, nil
}

func (p *Provider) idTokenClaims(granted grant) map[string]any {
	now := p.config.Now()
	claims := map[string]any{
		"ver":       1,
		"iss":       p.issuer,
		"sub":       granted.person.Subject,
		"aud":       p.config.ClientID,
		"iat":       now.Unix(),
		"exp":       now.Add(tokenLifetime).Unix(),
		"auth_time": granted.authTime.Unix(),
		"sid":       granted.sid,
		"at_hash":   leftHalfOfHash(granted.accessToken, p.config.SigningAlg),
		"jti":       "ID." + rand.Text(),
		"idp":       "00odevelopment000000",
		"amr":       []string{"pwd"},
	}
	if granted.nonce != "" {
		claims["nonce"] = granted.nonce
	}
	if p.config.FullIDTokens {
		maps.Copy(claims, scopeClaims(granted.person, granted.scopes))
	}
	if p.config.Groups == "id_token" {
		claims["groups"] = granted.person.Groups
	}
	if p.config.ACR != "" {
		claims["acr"] = "urn:okta:loa:1fa:any"
		if slices.Contains(granted.acrValues, p.config.ACR) {
			claims["acr"] = p.config.ACR
		}
	}
	if p.config.IDTokenPadding > 0 {
		claims["groups"] = randomGroups(p.config.IDTokenPadding)
	}
	return claims
}

// leftHalfOfHash is what at_hash holds: half of the hash that the algorithm signs by
// (OpenID Connect Core 1.0, 3.1.3.6).
func leftHalfOfHash(text, alg string) string {
	sum := sha256.New()
	if alg == string(jose.EdDSA) {
		sum = sha512.New()
	}
	sum.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:sum.Size()/2])
}

// scopeClaims returns the claims that scopes ask for (OpenID Connect Core 1.0, 5.4).
func scopeClaims(person Person, scopes []string) map[string]any {
	claims := map[string]any{}
	if slices.Contains(scopes, "profile") {
		if person.Name != "" {
			claims["name"] = person.Name
		}
		if person.Email != "" {
			claims["preferred_username"] = person.Email
		}
	}
	if slices.Contains(scopes, "email") && person.Email != "" {
		claims["email"] = person.Email
		if person.EmailVerified != nil {
			claims["email_verified"] = *person.EmailVerified
		}
	}
	return claims
}

// randomGroups returns names that take at least size bytes of JSON, and less
// than 23 more.
func randomGroups(size int) []string {
	const groupSize = len(`"00g12345678901234567",`)
	var groups []string
	for range (size + groupSize - 1) / groupSize {
		groups = append(groups, "00g"+rand.Text()[:17])
	}
	return groups
}

// userInfo handles GET and POST /oauth2/default/v1/userinfo (OpenID Connect Core
// 1.0, 5.3).
func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request) {
	scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		w.Header().Set("WWW-Authenticate", `Bearer realm="devidp"`)
		writeJSON(w, http.StatusUnauthorized, map[string]any{})
		return
	}
	p.mu.Lock()
	access, ok := p.accessTokens[bearer]
	p.mu.Unlock()
	if !ok || !p.config.Now().Before(access.expires) {
		w.Header().Set("WWW-Authenticate",
			`Bearer realm="devidp", error="invalid_token", error_description="The access token is invalid."`)
		writeJSON(w, http.StatusUnauthorized, map[string]any{})
		return
	}
	claims := scopeClaims(access.person, access.scopes)
	claims["sub"] = access.person.Subject
	if p.config.Groups == "userinfo" {
		claims["groups"] = access.person.Groups
	}
	if change := p.currentFaults().UserInfo; change != nil {
		change(claims)
	}
	writeJSON(w, http.StatusOK, claims)
}
