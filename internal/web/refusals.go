package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"expense-dashboard/internal/duration"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/session"
)

// boundError is a failed sign-in that wanted to go somewhere.
type boundError struct {
	returnTo string
	err      error
}

func (e *boundError) Error() string { return e.err.Error() }

func (e *boundError) Unwrap() error { return e.err }

// BoundFor adds to an error of a sign-in the local path that it wanted to go to, so
// that the next one goes there too.
func BoundFor(returnTo string, err error) error {
	if err == nil || returnTo == "" {
		return err
	}
	return &boundError{returnTo, err}
}

// explainSignIn words a failed sign-in; whole is the error that it is in.
func (s *Site) explainSignIn(err *openid.SignInError, whole error) failure {
	f := failure{
		Heading: "You are not signed in", ActionLabel: "Sign in again", ActionURL: "/login",
		Fix: s.auth.Fix(err.Failure), RetryAfter: err.RetryAfter,
	}
	var bound *boundError
	if errors.As(whole, &bound) {
		f.ActionURL = "/login?" + url.Values{"return_to": {bound.returnTo}}.Encode()
	}
	switch err.Failure {
	case openid.NoPendingLogin, openid.MalformedCallback, openid.ForeignIssuer, openid.CodeRefused, openid.CookiesDropped:
		f.Status = http.StatusBadRequest
		f.Message, f.Next = s.explainBrowser(err.Failure)
	case openid.AccessDenied, openid.NotAssigned, openid.NoAccessPolicy, openid.ConsentRequired:
		f.Status = http.StatusForbidden
		f.Message, f.Next = explainRefusal(err.Failure)
		var answer *openid.StatusError
		if errors.As(err, &answer) {
			// It is this application that the token endpoint refused.
			f.Status = http.StatusBadGateway
		}
	case openid.ProviderBusy, openid.DatabaseUnavailable, openid.ProviderUnreachable, openid.ProviderTimeout:
		f.ActionLabel = "Try again"
		f.Status, f.Message, f.Next = s.explainAway(err)
	default:
		f.Status = http.StatusBadGateway
		f.Message, f.Next = explainSetup(err.Failure)
	}
	return f
}

// explainAway words what waiting helps against.
func (s *Site) explainAway(err *openid.SignInError) (status int, message, next string) {
	switch err.Failure {
	case openid.ProviderBusy:
		return http.StatusTooManyRequests, "Okta has had too many requests and asks us to wait.",
			fmt.Sprintf("Try again in %s, after %s. Whoever is signed in already stays signed in.",
				inSeconds(err.RetryAfter), s.now().Add(err.RetryAfter).In(s.zone).Format("15:04:05 MST"))
	case openid.DatabaseUnavailable:
		return http.StatusServiceUnavailable, "Your sign-in cannot be recorded right now, and without that nobody is let in.",
			"Try again in a moment. Whoever is signed in already stays signed in."
	case openid.ProviderTimeout:
		return http.StatusGatewayTimeout, "Okta did not answer in time.", "Try again in a minute."
	}
	return http.StatusServiceUnavailable, "Okta cannot be reached right now.", "Try again in a minute. Whoever is signed in already stays signed in."
}

// explainBrowser words what went wrong on the browser's side.
func (s *Site) explainBrowser(reason openid.Reason) (message, next string) {
	switch reason {
	case openid.NoPendingLogin:
		return "This sign-in was not started in this browser, took longer than 10 minutes, or has been used already.",
			"Sign in again. If this page comes back, your browser keeps no cookies for this site: allow cookies, and open the site at " + s.baseURL + "."
	case openid.CookiesDropped:
		return "You have signed in, but your browser does not keep this site's cookies, so it cannot show who you are.",
			"Allow cookies for " + s.baseURL + ", open the site at that very address, and sign in again. A private window or an extension may be what drops them."
	case openid.MalformedCallback:
		return "The address that your browser came back with is incomplete or has been changed.", "Sign in again."
	case openid.ForeignIssuer:
		return "That sign-in belongs to another Okta organization than the one this site trusts.", "Sign in again from here."
	}
	return "Okta no longer accepts this sign-in: it took too long, or it has been used already.", "Sign in again."
}

// explainRefusal words that Okta did not let somebody in.
func explainRefusal(reason openid.Reason) (message, next string) {
	switch reason {
	case openid.NotAssigned:
		return "Okta says that you are not assigned to this app.", "Ask your Okta administrator to assign you to it, then sign in again."
	case openid.NoAccessPolicy:
		return "Okta has no access policy that lets you into this app.", "Ask your Okta administrator to add one that covers you and the app."
	case openid.ConsentRequired:
		return "Okta needs your consent before it tells this app who you are, and did not get it.", "Sign in again and agree. If Okta does not ask you, ask your Okta administrator."
	}
	return "Okta did not let you in: you refused, or you may not use this app.", "If you should have access, ask your Okta administrator."
}

// explainSetup words what whoever runs the site has to fix.
func explainSetup(reason openid.Reason) (message, next string) {
	const tell = "You can do nothing about it: tell whoever runs this site."
	switch reason {
	case openid.InvalidClient:
		return "Okta does not know this application by the ID and secret that it was given.", tell
	case openid.InvalidScope:
		return "This application asks Okta for something that Okta is not set up to give it.", tell
	case openid.DpopRequired:
		return "Okta asks this application for a proof of possession (DPoP), which it does not use.", tell
	case openid.ClockOff:
		return "The clocks of Okta and of this site disagree, so the sign-in could not be trusted.", tell
	case openid.EmailMissing:
		return "Okta does not tell us your email address, by which we know your teams.", "Ask your Okta administrator to add an email address to your profile, then sign in again."
	case openid.ProviderRefused:
		return "Okta refused this application, not you: something is set up wrong between the two.", tell
	}
	return "Okta's answer could not be verified, so it was not accepted.", "Try again. If it happens again, tell whoever runs this site."
}

// inSeconds says how long to wait, rounded up to a whole second.
func inSeconds(d time.Duration) string {
	switch n := session.Seconds(d); {
	case n == 1:
		return "1 second"
	case n < 120:
		return fmt.Sprintf("%d seconds", n)
	}
	return duration.InWords(d + time.Minute - 1)
}
