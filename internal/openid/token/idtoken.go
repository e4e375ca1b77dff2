package token

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"

	"expense-dashboard/internal/openid/claims"
)

// MaxClockSkew is how far the iat claim may be from our clock, either way. An
// ID Token comes straight from the token endpoint, so it is seconds old.
const MaxClockSkew = 5 * time.Minute

// VerifyIDToken checks an ID Token, which came beside that access token, by the first
// eleven rules of OpenID Connect Core 1.0, 3.1.3.7, and that its nonce is the one
// that the sign-in was begun with. It returns the claims. An error that is ErrClock
// says that one of the clocks is wrong.
//
// go-oidc verifies the signature, issuer and audience, but reads names of any
// case; so every claim is checked here, by its exact name.
// Rules 1 (encryption) and 8 (MAC algorithms) are met by never asking for either and
// refusing what comes unasked. Rules 12 (acr) and 13 (auth_time) are for a step-up,
// which alone asks for these: openid.Identity.CheckFresh.
func (k *Keys) VerifyIDToken(ctx context.Context, rawIDToken, accessToken, clientID, nonce string) (claims.Claims, error) {
	if err := errors.Join(checkHeader(rawIDToken, k.alg), checkType(rawIDToken, "", "JWT")); err != nil {
		return nil, err
	}
	keys := &tracedKeySet{keys: k}
	verifier := oidc.NewVerifier(k.issuer, keys, &oidc.Config{
		ClientID: clientID, SupportedSigningAlgs: []string{string(k.alg)}, SkipExpiryCheck: true,
	})
	idToken, err := verifier.Verify(ctx, rawIDToken)
	if keys.err != nil {
		return nil, fmt.Errorf("signature: %w", keys.err)
	}
	if err != nil {
		return nil, errors.New("its issuer, its audience or its encoding is wrong")
	}
	var payload json.RawMessage
	if err := idToken.Claims(&payload); err != nil {
		return nil, err
	}
	c, err := claims.Parse(payload)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		checkIssuer(c, k.issuer), checkAudience(c, clientID),
		checkNonce(c, nonce), checkSubject(c), checkAccessTokenHash(c, accessToken, k.alg),
	)
	if err == nil {
		// Last, so that a clock is blamed only for a token that is right otherwise.
		err = checkTimes(c, k.now())
	}
	return c, err
}

// tracedKeySet is an oidc.KeySet that keeps the error which go-oidc would
// flatten to text.
type tracedKeySet struct {
	keys *Keys
	err  error
}

func (t *tracedKeySet) VerifySignature(ctx context.Context, jwt string) (payload []byte, err error) {
	payload, t.err = t.keys.VerifySignature(ctx, jwt)
	return payload, t.err
}

// compactJWS is RFC 7515, 3.1: three parts in base64url.
var compactJWS = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

// checkHeader refuses what is not a compact JWS, an algorithm other than the
// pinned one (rule 7) and critical
// extensions (RFC 7515, 4.1.11), of which we understand none.
func checkHeader(rawIDToken string, pinned jose.SignatureAlgorithm) error {
	// encoding/base64 would skip line breaks.
	if !compactJWS.MatchString(rawIDToken) {
		return errors.New("the ID Token is not a compact JWS")
	}
	encoded, _, _ := strings.Cut(rawIDToken, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return errors.New("the ID Token's header is not base64url")
	}
	header, err := claims.Parse(decoded)
	if err != nil {
		return fmt.Errorf("the ID Token's header: %w", err)
	}
	if alg, err := header.Text("alg"); err != nil || alg != string(pinned) {
		return fmt.Errorf("alg is %s and not %s, which OKTA_ID_TOKEN_ALG names", algName(alg), pinned)
	}
	if header.Has("crit") {
		return errors.New("crit names extensions that are not understood")
	}
	return nil
}

// checkIssuer is rule 2: iss is exactly the issuer that was discovered.
func checkIssuer(c claims.Claims, issuer string) error {
	iss, err := c.Text("iss")
	if err == nil && iss != issuer {
		err = errors.New("iss is another issuer")
	}
	return err
}

// checkAudience is rules 3 to 5: aud is this client and nobody else, for we
// trust no other audience, and azp, if there is one, is this client too.
func checkAudience(c claims.Claims, clientID string) error {
	audience, err := c.Texts("aud")
	if err != nil {
		return err
	}
	if len(audience) != 1 || audience[0] != clientID {
		return errors.New("aud is not this client alone")
	}
	if azp, err := c.Text("azp"); c.Has("azp") && (err != nil || azp != clientID) {
		return errors.New("azp is another client")
	}
	return nil
}

// ErrClock is what the times of an ID Token that has just been made can only
// mean.
var ErrClock = errors.New("one of the clocks is wrong")

// checkTimes is rules 9 and 10: the token has not expired, and was issued
// about now.
func checkTimes(c claims.Claims, now time.Time) error {
	exp, err := c.Date("exp")
	if err != nil {
		return err
	}
	if !now.Before(exp) {
		return fmt.Errorf("exp was %s ago by our clock: %w", now.Sub(exp).Round(time.Second), ErrClock)
	}
	iat, err := c.Date("iat")
	if err != nil {
		return err
	}
	if skew := iat.Sub(now); skew.Abs() > MaxClockSkew {
		return fmt.Errorf("iat is %s off our clock, more than %s: %w", skew.Round(time.Second), MaxClockSkew, ErrClock)
	}
	if !c.Has("nbf") {
		return nil
	}
	nbf, err := c.Date("nbf")
	if err == nil && nbf.Sub(now) > MaxClockSkew {
		err = fmt.Errorf("nbf is %s ahead of our clock: %w", nbf.Sub(now).Round(time.Second), ErrClock)
	}
	return err
}

// checkNonce is rule 11: nonce is the one that this sign-in was begun with.
func checkNonce(c claims.Claims, nonce string) error {
	value, err := c.Text("nonce")
	if err == nil && !Equal(value, nonce) {
		err = errors.New("nonce is not the one that was sent")
	}
	return err
}

// checkSubject bounds sub as OpenID Connect Core 1.0, 2 does: 255 ASCII
// characters at most.
func checkSubject(c claims.Claims) error {
	sub, err := c.Text("sub")
	if err == nil && (len(sub) > 255 || strings.ContainsFunc(sub, func(r rune) bool { return r < 0x20 || r > 0x7e })) {
		err = errors.New("sub is not 1 to 255 printable ASCII characters")
	}
	return err
}

// checkAccessTokenHash is OpenID Connect Core 1.0, 3.1.3.8: at_hash, which is
// optional here, binds the access token to the ID Token.
func checkAccessTokenHash(c claims.Claims, accessToken string, alg jose.SignatureAlgorithm) error {
	if !c.Has("at_hash") {
		return nil
	}
	hash, err := c.Text("at_hash")
	if err != nil {
		return err
	}
	if !Equal(hash, leftHalfOfHash(accessToken, alg)) {
		return errors.New("at_hash is of another access token")
	}
	return nil
}

// leftHalfOfHash is the left half of the hash that an algorithm signs by (OpenID
// Connect Core 1.0, 3.1.3.6): SHA-512 for EdDSA (RFC 8032, 5.1), else SHA-256.
func leftHalfOfHash(text string, alg jose.SignatureAlgorithm) string {
	sum := sha256.New()
	if alg == jose.EdDSA {
		sum = sha512.New()
	}
	sum.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:sum.Size()/2])
}

// algName is the name of an algorithm that a token says it was signed with, where
// it is a registered one. Any other text is not repeated.
func algName(alg string) string {
	for _, known := range []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512,
		jose.EdDSA, jose.HS256, jose.HS384, jose.HS512, "none",
	} {
		if alg == string(known) {
			return alg
		}
	}
	return "something else"
}

// Equal compares in constant time; nothing equals an empty text.
func Equal(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
