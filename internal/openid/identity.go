package openid

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"expense-dashboard/internal/openid/claims"
)

// Identity is who signed in, as the provider tells it.
type Identity struct {
	Subject     string // sub, which is unique at the issuer
	ProviderSID string // sid; empty if there is none
	Name        string // name or, without one, the address
	Email       string
	Unverified  bool   // the provider says that the address is not verified
	Methods     string // those of amr that MethodName knows, joined by spaces
	Groups      []string
	ACR         string // acr; empty if there is none
	// AuthAge is how long before this sign-in the person proved who they are; it
	// counts where HasAuthAge.
	AuthAge    time.Duration
	HasAuthAge bool
}

// maxNameLength is how many characters of a name are kept.
const maxNameLength = 200

// Identify reads who signed in, from the ID Token first and from UserInfo
// where that says nothing. An address is needed, since it decides which teams
// a person is on; a name is not. Groups are read where they are needed: then they
// are texts, or the sign-in is refused. Its errors are *SignInError.
func (c *Client) Identify(idToken, userInfo claims.Claims, needsGroups bool) (Identity, error) {
	identity, err := identify(idToken, userInfo, c.config.EmailClaim)
	if err == nil && needsGroups {
		identity.Groups, err = groups(c.config.GroupsClaim, idToken, userInfo)
	}
	if err != nil {
		return Identity{}, providerFailure(context.Background(), "identify", err)
	}
	return identity, nil
}

// groups returns the groups of the first source that says anything about them.
func groups(claim string, sources ...claims.Claims) ([]string, error) {
	for _, c := range sources {
		if raw, ok := c[claim]; ok && string(raw) != "null" && string(raw) != `""` {
			return c.Texts(claim)
		}
	}
	return nil, nil
}

func identify(idToken, userInfo claims.Claims, addressClaim string) (Identity, error) {
	subject, err1 := idToken.Text("sub")
	email, err2 := firstText(addressClaim, idToken, userInfo)
	name, err3 := firstText("name", idToken, userInfo)
	sid, err4 := idToken.OptionalText("sid")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return Identity{}, err
	}
	if !claims.IsProviderSID(sid) {
		return Identity{}, errors.New("sid is too long or holds a control character")
	}
	email = strings.TrimSpace(email)
	if email == "" {
		return Identity{}, fmt.Errorf("%s: %w", addressClaim, errNoEmail)
	}
	if !claims.IsAddress(email) {
		return Identity{}, errors.New(addressClaim + " is no address")
	}
	age, known := authAge(idToken)
	return Identity{
		Subject: subject, ProviderSID: sid, Email: email, Name: cmp.Or(plainName(name), email),
		Unverified: addressClaim == emailClaim && (unverified(idToken) || unverified(userInfo)), Methods: methods(idToken),
		ACR: acrOf(idToken), AuthAge: age, HasAuthAge: known,
	}, nil
}

// plainName returns a name without control characters and no longer than
// maxNameLength.
func plainName(name string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, name))
	if characters := []rune(name); len(characters) > maxNameLength {
		name = string(characters[:maxNameLength])
	}
	return name
}

// authAge is how long before the ID Token was issued the person proved who they are
// (OpenID Connect Core 1.0, 2), both by the provider's clock. It is not known where
// auth_time is missing or no date.
func authAge(idToken claims.Claims) (age time.Duration, known bool) {
	authTime, err1 := idToken.Date("auth_time")
	iat, err2 := idToken.Date("iat")
	if err := errors.Join(err1, err2); err != nil {
		return 0, false
	}
	return max(0, iat.Sub(authTime)), true
}

// acrOf returns the acr claim, or "" where it is nothing that can be kept: then no
// step-up is met by it.
func acrOf(idToken claims.Claims) string {
	acr, err := idToken.OptionalText("acr")
	if err != nil || !claims.IsProviderSID(acr) {
		return ""
	}
	return acr
}

// freshTolerance is how much older than asked a proof may be when its ID Token is
// issued: the code takes its time.
const freshTolerance = time.Minute

// CheckFresh refuses a sign-in that does not prove what a step-up asked for: that
// the person proved who they are no longer ago than maxAge (OpenID Connect Core 1.0,
// 3.1.3.7, rule 13) and, unless acrValues is empty, by one of these (rule 12). Its
// errors are *SignInError.
func (who Identity) CheckFresh(maxAge time.Duration, acrValues []string) error {
	refused := func(text string) error { return &SignInError{Failure: BadAnswer, Err: errors.New(text)} }
	switch {
	case !who.HasAuthAge:
		return refused("auth_time is missing, though max_age was asked for")
	case who.AuthAge > maxAge+freshTolerance:
		return refused(fmt.Sprintf("auth_time was %s before, which is longer than was asked for", who.AuthAge.Round(time.Second)))
	case len(acrValues) > 0 && !slices.Contains(acrValues, who.ACR):
		return refused("acr is none of those that were asked for")
	}
	return nil
}

// methods returns those of an ID Token's amr claim (OpenID Connect Core 1.0, 2)
// that MethodName knows. It only tells people how they signed in, so what else
// may stand there does not matter.
func methods(idToken claims.Claims) string {
	values, err := idToken.Texts("amr")
	if err != nil {
		return ""
	}
	known := slices.DeleteFunc(values, func(value string) bool { return MethodName(value) == "" })
	slices.Sort(known)
	return strings.Join(slices.Compact(known), " ")
}

// MethodName says an authentication method (RFC 8176, 2, and those that Okta
// adds) in words, or returns nothing for one that is not known.
func MethodName(amr string) string {
	switch amr {
	case "pwd":
		return "a password"
	case "pin":
		return "a PIN"
	case "otp":
		return "a one-time code"
	case "sms":
		return "a text message"
	case "tel":
		return "a phone call"
	case "hwk":
		return "a key in hardware"
	case "swk", "pop":
		return "a key in software"
	case "fpt":
		return "a fingerprint"
	case "face":
		return "face recognition"
	case "bio":
		return "a biometric"
	case "kba":
		return "a security question"
	case "sc":
		return "a smart card"
	case "wia":
		return "Windows"
	case "user":
		return "a test of presence"
	case "mfa":
		return "more than one factor"
	}
	return ""
}

var errNoEmail = errors.New("the address is missing")

func firstText(name string, sources ...claims.Claims) (string, error) {
	for _, c := range sources {
		if value, err := c.OptionalText(name); value != "" || err != nil {
			return value, err
		}
	}
	return "", nil
}

// unverified reports whether the provider says so: email_verified is there and
// is anything but true. Okta leaves it out where it has nothing to say.
func unverified(c claims.Claims) bool { return c.Has("email_verified") && !c.IsTrue("email_verified") }
