package openid

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"expense-dashboard/internal/openid/token"
)

// Reason names, for the log and for whoever words the page, why a
// sign-in failed.
type Reason string

// The reasons of failed sign-ins. EmailUnverified alone fails none.
const (
	NoPendingLogin      Reason = "no_pending_login"     // the browser's side: no cookie, stale, tampered
	MalformedCallback   Reason = "malformed_callback"   // the browser's side: parameters missing or repeated
	ForeignIssuer       Reason = "foreign_issuer"       // the browser's side: iss is not ours
	CookiesDropped      Reason = "cookies_dropped"      // the browser's side: it keeps no session
	CodeRefused         Reason = "code_refused"         // the provider knows no such code (any more)
	AccessDenied        Reason = "access_denied"        // the provider refused the user
	NotAssigned         Reason = "not_assigned"         // the same, for want of an assignment to the app
	NoAccessPolicy      Reason = "no_access_policy"     // the same, for want of a policy of the authorization server
	ConsentRequired     Reason = "consent_required"     // the user did not agree, or was not asked
	ProviderBusy        Reason = "provider_busy"        // 429
	ProviderUnreachable Reason = "provider_unreachable" // no connection, or 5xx
	ProviderTimeout     Reason = "provider_timeout"     // no answer in SignInTimeout
	ProviderRefused     Reason = "provider_refused"     // the provider refused this application
	InvalidClient       Reason = "invalid_client"       // the same, for its ID or secret
	InvalidScope        Reason = "invalid_scope"        // the same, for a scope
	DpopRequired        Reason = "dpop_required"        // the same, for want of a proof of possession
	ClockOff            Reason = "clock_off"            // the provider's clock and ours disagree
	EmailMissing        Reason = "email_missing"        // the provider tells no address
	EmailUnverified     Reason = "email_unverified"     // signed in all the same, on no team
	BadAnswer           Reason = "bad_answer"           // an answer that must not be believed
	DatabaseUnavailable Reason = "database_unavailable" // the session cannot be recorded
)

// SignInError is a failed sign-in. Its cause is for the log only.
type SignInError struct {
	Failure    Reason
	RetryAfter time.Duration // zero unless waiting helps
	Err        error
}

func (e *SignInError) Error() string { return fmt.Sprintf("sign in: %s: %v", e.Failure, e.Err) }

// IsPassing reports whether the provider could not be asked, and waiting helps.
func (e *SignInError) IsPassing() bool {
	return e.Failure == ProviderUnreachable || e.Failure == ProviderTimeout || e.Failure == ProviderBusy
}

func (e *SignInError) Unwrap() error { return e.Err }

// providerFailure says what an error of a call to the provider means for the
// sign-in.
func providerFailure(ctx context.Context, step string, err error) *SignInError {
	failure := &SignInError{Failure: BadAnswer, Err: fmt.Errorf("%s: %w", step, err)}
	var status *StatusError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), isTimeout(err):
		failure.Failure = ProviderTimeout
	case errors.As(err, &status) && status.Code == http.StatusTooManyRequests:
		failure.Failure, failure.RetryAfter = ProviderBusy, cmp.Or(status.RetryAfter, maxRetryInterval)
	case errors.As(err, &status) && status.passing():
		failure.Failure, failure.RetryAfter = ProviderUnreachable, cmp.Or(status.RetryAfter, maxRetryInterval)
	case errors.As(err, &status) && status.OAuthError != "":
		failure.Failure = status.Refusal
		if failure.Failure == ProviderUnreachable {
			failure.RetryAfter = maxRetryInterval
		}
	case errors.Is(err, errNoEmail):
		failure.Failure = EmailMissing
	case errors.Is(err, token.ErrClock):
		failure.Failure = ClockOff
	case isUnreachable(err):
		failure.Failure, failure.RetryAfter = ProviderUnreachable, maxRetryInterval
	}
	return failure
}

// ErrNoProvider is a sign-in before discovery has succeeded.
func ErrNoProvider() *SignInError {
	return &SignInError{Failure: ProviderUnreachable, RetryAfter: maxRetryInterval, Err: errors.New("the provider has not been discovered yet")}
}

// FixOf returns what most likely fixes a fault of discovery, or "".
func FixOf(err error) string {
	var fault *DiscoveryError
	if errors.As(err, &fault) {
		return fault.Fix
	}
	return ""
}
