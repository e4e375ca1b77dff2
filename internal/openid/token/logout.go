package token

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/openid/claims"
	"expense-dashboard/internal/weburl"
)

const (
	// MaxLogoutToken is how many bytes the token of a logout request may have.
	MaxLogoutToken = 16 << 10
	// BackChannelEvent is the member of events that makes a JWT a Logout Token.
	BackChannelEvent = "http://schemas.openid.net/event/backchannel-logout"
	// RevocationType is the typ of the JWT that Okta authenticates with.
	RevocationType = "global-token-revocation+jwt"
)

// verifySigned returns the claims of a JWT of one of these types that one of the
// provider's keys signed, with the pinned algorithm. Nothing of the claims has
// been checked.
func (k *Keys) verifySigned(ctx context.Context, rawToken string, types ...string) (claims.Claims, error) {
	if len(rawToken) > MaxLogoutToken {
		return nil, fmt.Errorf("the token is longer than %d bytes", MaxLogoutToken)
	}
	if err := errors.Join(checkHeader(rawToken, k.alg), checkType(rawToken, types...)); err != nil {
		return nil, err
	}
	payload, err := k.VerifySignature(ctx, rawToken)
	if err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	return claims.Parse(payload)
}

// checkType refuses a JWT of another type than these (RFC 8725, 3.11), of which
// "" stands for one that names none.
func checkType(rawToken string, types ...string) error {
	encoded, _, _ := strings.Cut(rawToken, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return errors.New("the header is not base64url")
	}
	header, err := claims.Parse(decoded)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	typ, err := header.Text("typ")
	if err != nil && header.Has("typ") {
		return err
	}
	if !slices.ContainsFunc(types, func(name string) bool { return strings.EqualFold(typ, name) }) {
		return errors.New("typ is not " + types[len(types)-1])
	}
	return nil
}

// usedTokenOf identifies a token by its jti. It can be forgotten when its iat is
// too old for checkTimes.
func usedTokenOf(c claims.Claims, kind string) (Use, error) {
	jti, err1 := c.Text("jti")
	iat, err2 := c.Date("iat")
	if err := errors.Join(err1, err2); err != nil {
		return Use{}, err
	}
	if utf8.RuneCountInString(jti) > claims.MaxTokenText {
		return Use{}, fmt.Errorf("jti is longer than %d characters", claims.MaxTokenText)
	}
	return Use{ID: digest.Of(kind, jti), Expires: iat.Add(MaxClockSkew + time.Minute)}, nil
}

// LogoutToken is a Logout Token (OpenID Connect Back-Channel Logout 1.0, 2.4)
// that has passed every check. Subject or ProviderSID may be empty, not both.
type LogoutToken struct {
	Subject, ProviderSID string
	Used                 Use
}

// VerifyLogoutToken validates a Logout Token by OpenID Connect Back-Channel
// Logout 1.0, 2.6, as strictly as an ID Token. That its jti has not come before
// is for the database to tell.
func (k *Keys) VerifyLogoutToken(ctx context.Context, rawToken, clientID string) (LogoutToken, error) {
	// Section 2.4 recommends the explicit type, and for old providers' sake
	// allows none.
	c, err := k.verifySigned(ctx, rawToken, "", "JWT", "logout+jwt")
	if err != nil {
		return LogoutToken{}, err
	}
	return checkLogoutToken(c, k.issuer, clientID, k.now())
}

// checkLogoutToken is section 2.6, from its step 3 on.
func checkLogoutToken(c claims.Claims, issuer, clientID string, now time.Time) (LogoutToken, error) {
	used, err := usedTokenOf(c, "logout token")
	sub, err1 := c.OptionalText("sub")
	sid, err2 := c.OptionalText("sid")
	if err := errors.Join(checkIssuer(c, issuer), checkAudience(c, clientID), checkTimes(c, now), checkLogoutEvent(c), err, err1, err2); err != nil {
		return LogoutToken{}, err
	}
	switch {
	case c.Has("nonce"):
		return LogoutToken{}, errors.New("nonce is there, which is an ID Token's")
	case sub == "" && sid == "":
		return LogoutToken{}, errors.New("sub and sid are both missing")
	case sub != "" && checkSubject(c) != nil:
		return LogoutToken{}, checkSubject(c)
	case !claims.IsProviderSID(sid):
		return LogoutToken{}, errors.New("sid is too long or holds a control character")
	}
	return LogoutToken{Subject: sub, ProviderSID: sid, Used: used}, nil
}

// checkLogoutEvent is step 5: events is an object with the member of a logout,
// which is an object too.
func checkLogoutEvent(c claims.Claims) error {
	events, err := claims.Parse(c["events"])
	if err != nil {
		return errors.New("events is missing or no object")
	}
	if _, err := claims.Parse(events[BackChannelEvent]); err != nil {
		return errors.New("events is not that of a logout")
	}
	return nil
}

// ErrOtherApp is a request that Okta has signed for another application.
var ErrOtherApp = errors.New("sub is another application")

// VerifyRevocation authenticates a global token revocation request by the JWT
// that Okta sends as its bearer token. The rules are those of Okta's guide
// "Build Universal Logout for your app" and of RFC 8725: typ is exactly
// global-token-revocation+jwt; aud is the URL of the endpoint; sub is the
// client_id of the application, and any other is ErrOtherApp; jti is there; exp
// is 5 minutes ahead and nbf 5 minutes back, which checkTimes allows.
//
// For iss the guide names the URL of the Okta org, and in the same breath the
// issuer of ID Tokens. These differ where a custom authorization server issues
// them, so either is taken; the signature must be the issuer's in both cases.
func (k *Keys) VerifyRevocation(ctx context.Context, rawToken, endpoint, clientID string) (Use, error) {
	c, err := k.verifySigned(ctx, rawToken, RevocationType)
	if err != nil {
		return Use{}, err
	}
	used, err := usedTokenOf(c, "revocation")
	if err := errors.Join(checkOrgIssuer(c, k.issuer), checkAudience(c, endpoint), checkTimes(c, k.now()), err); err != nil {
		return Use{}, err
	}
	sub, err := c.Text("sub")
	if err == nil && sub != clientID {
		err = ErrOtherApp
	}
	return used, err
}

// checkOrgIssuer is checkIssuer that takes the issuer's origin too.
func checkOrgIssuer(c claims.Claims, issuer string) error {
	if iss, err := c.Text("iss"); err == nil && IsOrgIssuer(iss, issuer) {
		return nil
	}
	return checkIssuer(c, issuer)
}

// IsOrgIssuer reports whether iss is the issuer or the Okta org that it belongs
// to, which is its origin.
func IsOrgIssuer(iss, issuer string) bool { return iss == issuer || iss == weburl.Origin(issuer) }

// RevocationSubject says whose sessions a global token revocation request ends.
type RevocationSubject struct {
	Address      string // as it was sent; empty where a subject is named
	Iss, Subject string
}

// ParseRevocation reads the body of a global token revocation request: a JSON
// object with a Subject Identifier (RFC 9493, 3.2.2 and 3.2.3) of the format
// email or iss_sub. draft-parecki-oauth-global-token-revocation calls it sub_id,
// Okta's guide in its examples subject; either is taken, one of them.
func ParseRevocation(body []byte) (RevocationSubject, error) {
	request, err := claims.Parse(body)
	if err != nil {
		return RevocationSubject{}, err
	}
	name := "sub_id"
	if request.Has("subject") {
		name = "subject"
	}
	if len(request) != 1 || !request.Has(name) {
		return RevocationSubject{}, errors.New("the request is not sub_id alone")
	}
	id, err := claims.Parse(request[name])
	if err != nil {
		return RevocationSubject{}, fmt.Errorf("%s: %w", name, err)
	}
	switch format, _ := id.Text("format"); format {
	case "email":
		address, err := id.Text("email")
		address = strings.TrimSpace(address)
		if err != nil || len(id) != 2 || !claims.IsAddress(address) {
			return RevocationSubject{}, errors.New("email is missing or is no address, or is not alone")
		}
		return RevocationSubject{Address: address}, nil
	case "iss_sub":
		iss, err1 := id.Text("iss")
		subject, err2 := id.Text("sub")
		if err := errors.Join(err1, err2, checkSubject(id)); err != nil || len(id) != 3 {
			return RevocationSubject{}, errors.Join(errors.New("not iss and sub alone"), err)
		}
		return RevocationSubject{Iss: iss, Subject: subject}, nil
	default:
		return RevocationSubject{}, errors.New("format is neither email nor iss_sub")
	}
}

// Use identifies a token that counts once, until it can be forgotten.
type Use struct {
	ID      string
	Expires time.Time
}
