package main

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"expense-dashboard/internal/duration"
)

// refusalOf says what an error code of the provider means (RFC 6749, 4.1.2.1
// and 5.2; OpenID Connect Core 1.0, 3.1.2.6; RFC 9449, 5). Of Okta's
// description only the texts known here count, and none is kept.
func refusalOf(code, description string) signInFailure {
	switch code {
	case "access_denied":
		switch strings.TrimSuffix(description, ".") {
		case "User is not assigned to the client application":
			return notAssigned
		case "Policy evaluation failed for this request, please check the policy configurations":
			return noAccessPolicy
		}
		return accessDenied
	case "login_required", "interaction_required", "account_selection_required":
		return accessDenied
	case "consent_required":
		return consentRequired
	case "temporarily_unavailable", "server_error":
		return providerUnreachable
	case "invalid_grant":
		return codeRefused
	case "invalid_client":
		return invalidClient
	case "invalid_scope":
		return invalidScope
	case "invalid_dpop_proof", "use_dpop_nonce":
		return dpopRequired
	}
	return providerRefused
}

// explainSignIn words a failed sign-in.
func (s *site) explainSignIn(err *signInError) failure {
	f := failure{
		Heading: "You are not signed in", ActionLabel: "Sign in again", ActionURL: "/login",
		Mend: s.auth.mend(err.Failure), RetryAfter: err.RetryAfter,
	}
	switch err.Failure {
	case noPendingLogin, malformedCallback, foreignIssuer, codeRefused:
		f.Status = http.StatusBadRequest
		f.Message, f.Next = s.explainBrowser(err.Failure)
	case accessDenied, notAssigned, noAccessPolicy, consentRequired:
		f.Status = http.StatusForbidden
		f.Message, f.Next = explainRefusal(err.Failure)
	case providerBusy:
		f.Status = http.StatusTooManyRequests
		f.Message = "Okta has had too many requests and asks us to wait."
		f.Next = fmt.Sprintf("Try again in %s, after %s UTC. Whoever is signed in already stays signed in.",
			inSeconds(err.RetryAfter), s.now().Add(err.RetryAfter).UTC().Format(time.TimeOnly))
	case databaseUnavailable:
		f.Status = http.StatusServiceUnavailable
		f.Message = "Your sign-in cannot be recorded right now, and without that nobody is let in."
		f.Next = "Try again in a moment. Whoever is signed in already stays signed in."
	case providerUnreachable:
		f.Status = http.StatusServiceUnavailable
		f.Message = "Okta cannot be reached right now."
		f.Next = "Try again in a minute. Whoever is signed in already stays signed in."
	case providerTimeout:
		f.Status = http.StatusGatewayTimeout
		f.Message = "Okta did not answer in time."
		f.Next = "Try again in a minute."
	default:
		f.Status = http.StatusBadGateway
		f.Message, f.Next = explainSetup(err.Failure)
	}
	return f
}

// explainBrowser words what went wrong on the browser's side.
func (s *site) explainBrowser(reason signInFailure) (message, next string) {
	switch reason {
	case noPendingLogin:
		return "This sign-in was not begun in this browser, took longer than 10 minutes, or has been used already.",
			"Sign in again. If this page comes back, your browser keeps no cookies for this site: allow cookies, and open the site at " + s.baseURL + "."
	case malformedCallback:
		return "The address that your browser came back with is incomplete or has been changed.", "Sign in again."
	case foreignIssuer:
		return "That sign-in belongs to another Okta organization than the one this site trusts.", "Sign in again from here."
	}
	return "Okta no longer accepts this sign-in: it took too long, or it has been used already.", "Sign in again."
}

// explainRefusal words that Okta did not let somebody in.
func explainRefusal(reason signInFailure) (message, next string) {
	switch reason {
	case notAssigned:
		return "Okta says that you are not assigned to this app.", "Ask your Okta administrator to assign you to it, then sign in again."
	case noAccessPolicy:
		return "Okta has no access policy that lets you into this app.", "Ask your Okta administrator to add one that covers you and the app."
	case consentRequired:
		return "Okta needs your consent before it tells this app who you are, and did not get it.", "Sign in again and agree. If Okta does not ask you, ask your Okta administrator."
	}
	return "Okta did not let you in: you refused, or you may not use this app.", "If you should have access, ask your Okta administrator."
}

// explainSetup words what whoever runs the site has to mend.
func explainSetup(reason signInFailure) (message, next string) {
	const tell = "You can do nothing about it: tell whoever runs this site."
	switch reason {
	case invalidClient:
		return "Okta does not know this application by the ID and secret that it was given.", tell
	case invalidScope:
		return "This application asks Okta for something that Okta is not set up to tell it.", tell
	case dpopRequired:
		return "Okta asks this application for a proof of possession (DPoP), which it does not use.", tell
	case clockOff:
		return "The clocks of Okta and of this site disagree, so the sign-in could not be believed.", tell
	case emailMissing:
		return "Okta does not tell us your email address, by which we know your teams.", "Ask your Okta administrator to add an email address to your profile, then sign in again."
	case providerRefused:
		return "Okta refused this application, not you: something is set up wrong between the two.", tell
	}
	return "Okta's answer could not be verified, so it was not believed.", "Try again. If it happens again, tell whoever runs this site."
}

// inSeconds says how long to wait, rounded up to a whole second.
func inSeconds(d time.Duration) string {
	switch n := seconds(d); {
	case n == 1:
		return "1 second"
	case n < 120:
		return fmt.Sprintf("%d seconds", n)
	}
	return duration.InWords(d + time.Minute - 1)
}

// mend tells whoever runs the site what to change so that a sign-in does not
// fail like this again, for most by its place in Okta's Admin Console. It is
// empty where there is nothing to change.
func (a *oidcClient) mend(reason signInFailure) string {
	const systemLog = "Reports > System Log says which policy or rule refused, by the time of this line"
	app := fmt.Sprintf("Applications > Applications > the app with the client ID %s", a.clientID)
	server := "Security > API > Authorization Servers > " + path.Base(a.issuer)
	orgServer := !strings.Contains(a.issuer, "/oauth2/")
	switch reason {
	case notAssigned:
		return app + " > Assignments > Assign: add the person or one of their groups"
	case noAccessPolicy:
		return fmt.Sprintf("%s > Access Policies: add a policy that is assigned to the app with the client ID %s, and in it a rule with the grant type Authorization Code, these people and the scopes %s; both have to be active",
			server, a.clientID, strings.Join(a.scopes, " "))
	case consentRequired:
		return app + " > General > User Consent: clear Require consent, or let people agree when Okta asks"
	case accessDenied, providerRefused:
		return systemLog
	case invalidClient:
		return app + " > General > Client Credentials: it has to exist and be active, Client authentication has to be Client secret, and its secret has to be OKTA_CLIENT_SECRET, in single quotes in .env; then start the program again"
	case invalidScope:
		if orgServer {
			return "take out of OKTA_SCOPES what is not openid, profile or email, and start the program again"
		}
		return fmt.Sprintf("%s > Scopes: it has to list each of %s; or take the one that it lacks out of OKTA_SCOPES and start the program again", server, strings.Join(a.scopes, " "))
	case dpopRequired:
		return app + " > General > General Settings > Edit: clear Require Demonstrating Proof of Possession (DPoP) header in token requests"
	case providerBusy:
		return "Reports > Rate Limits shows which limit was reached and by what"
	case clockOff:
		return "set the clock of the machine that runs this program, on Linux with timedatectl set-ntp true"
	case emailMissing:
		return "Directory > People > the person > Profile: fill in Primary email; and OKTA_SCOPES has to hold email"
	case emailUnverified:
		return "Directory > People > the person > Profile: see that Primary email is right, and have the person confirm it by the link that Okta mails them"
	}
	return ""
}
