package openid

import (
	"errors"
	"net/url"
)

// AuthResponse is the query of an authorization response (RFC 6749, 4.1.2).
type AuthResponse struct{ State, Code, Iss, Error, Description string }

// ParseAuthResponse reads a query in which no parameter may be repeated
// (RFC 6749, 3.1) and which must hold a state and either a code or an error. No error quotes it.
func ParseAuthResponse(rawQuery string) (AuthResponse, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return AuthResponse{}, errors.New("the query is malformed")
	}
	for _, name := range []string{"state", "code", "iss", "error", "error_description"} {
		if len(query[name]) > 1 {
			return AuthResponse{}, errors.New(name + " is repeated")
		}
	}
	response := AuthResponse{query.Get("state"), query.Get("code"), query.Get("iss"), query.Get("error"), query.Get("error_description")}
	switch {
	case response.State == "":
		return AuthResponse{}, errors.New("state is missing")
	case response.Code == "" && response.Error == "":
		return AuthResponse{}, errors.New("code and error are both missing")
	case query.Has("iss") && response.Iss == "":
		return AuthResponse{}, errors.New("iss is empty")
	}
	return response, nil
}

// NeedsPerson reports whether a response of this provider to prompt=none says that
// it has to ask the person first (OpenID Connect Core 1.0, 3.1.2.6).
func (response AuthResponse) NeedsPerson(p *Provider) bool {
	if !response.isOf(p) {
		return false
	}
	switch response.Error {
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return true
	}
	return false
}

// isOf reports whether a response says that it is this issuer's, if it has to say
// (RFC 9207, 2.4).
func (response AuthResponse) isOf(p *Provider) bool {
	return response.Iss == p.issuer || response.Iss == "" && !p.sendsIss
}

// Check refuses a response of another issuer (RFC 9207, 2.4) and one that
// tells an error (OpenID Connect Core 1.0, 3.1.2.6), with or without a code. Its
// errors are *SignInError.
func (response AuthResponse) Check(p *Provider) error {
	if !response.isOf(p) {
		return &SignInError{Failure: ForeignIssuer, Err: errors.New("iss of the authorization response is not the issuer")}
	}
	if response.Error == "" {
		return nil
	}
	code := response.Error
	if !oauthErrorCode.MatchString(code) {
		code = "(malformed)"
	}
	failure := &SignInError{
		Failure: refusalOf(code, response.Description), Err: errors.New("authorization response with error " + code),
	}
	if failure.Failure == ProviderUnreachable {
		failure.RetryAfter = maxRetryInterval
	}
	return failure
}
