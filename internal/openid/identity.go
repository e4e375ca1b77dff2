package openid

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Identity is who signed in, as the provider tells it.
type Identity struct {
	Subject     string // sub, which is unique at the issuer
	ProviderSID string // sid; empty if there is none
	Name        string // name or, without one, the address
	Email       string
	Unverified  bool   // the provider says that the address is not verified
	Methods     string // those of amr that MethodName knows, joined by spaces
}

const (
	// MaxAddressLength is how many bytes an address may have (RFC 5321,
	// 4.5.3.1.3, less the angle brackets).
	MaxAddressLength = 254
	maxNameLength    = 200 // characters
)

// Identify reads who signed in, from the ID Token first and from UserInfo
// where that says nothing. An address is needed, since it decides which teams
// a person is on; a name is not. Its errors are *SignInError.
func Identify(idToken, userInfo Claims) (Identity, error) {
	identity, err := identify(idToken, userInfo)
	if err != nil {
		return Identity{}, providerFailure(context.Background(), "identify", err)
	}
	return identity, nil
}

func identify(idToken, userInfo Claims) (Identity, error) {
	subject, err1 := idToken.Text("sub")
	email, err2 := firstText("email", idToken, userInfo)
	name, err3 := firstText("name", idToken, userInfo)
	sid, err4 := idToken.optionalText("sid")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return Identity{}, err
	}
	if !isProviderSID(sid) {
		return Identity{}, errors.New("sid is too long or holds a control character")
	}
	email = strings.TrimSpace(email)
	if email == "" {
		return Identity{}, errNoEmail
	}
	if len(email) > MaxAddressLength || !utf8.ValidString(email) || strings.ContainsFunc(email, unicode.IsControl) {
		return Identity{}, errors.New("email is no address")
	}
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, name))
	if characters := []rune(name); len(characters) > maxNameLength {
		name = string(characters[:maxNameLength])
	}
	return Identity{
		Subject: subject, ProviderSID: sid, Email: email, Name: cmp.Or(name, email),
		Unverified: unverified(idToken) || unverified(userInfo), Methods: methods(idToken),
	}, nil
}

// methods returns those of an ID Token's amr claim (OpenID Connect Core 1.0, 2)
// that methodName knows. It only tells people how they signed in, so what else
// may stand there does not matter.
func methods(idToken Claims) string {
	values, err := idToken.texts("amr")
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

var errNoEmail = errors.New("email is missing")

func firstText(name string, sources ...Claims) (string, error) {
	for _, c := range sources {
		if value, err := c.optionalText(name); value != "" || err != nil {
			return value, err
		}
	}
	return "", nil
}

// unverified reports whether the provider says so: email_verified is there and
// is anything but true. Okta leaves it out where it has nothing to say.
func unverified(c Claims) bool { return c.Has("email_verified") && !c.isTrue("email_verified") }
