package main

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/openid"
)

// A failedSignIn is one that Okta does not grant, or that cannot be believed.
type failedSignIn struct {
	name   string
	faults devidp.Faults
	status int
	reason openid.Reason
	page   string // what the person reads
	fix    string // what the log says to change, and the page on loopback; empty for nothing
}

// authorizeError is an authorization response with an error, as Okta words it.
func authorizeError(code, description string) devidp.Faults {
	return devidp.Faults{Authorize: func(response url.Values) {
		response.Del("code")
		response.Set("error", code)
		response.Set("error_description", description)
	}}
}

// tokenError is a token answer with an error, as Okta words it.
func tokenError(status int, code, description string) devidp.Faults {
	return answerWith("token", status, fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, description))
}

func refusals() []failedSignIn {
	const assign = "> Assignments > Assign: add the person or one of their groups"
	notClaimed := devidp.Faults{UserInfo: func(c map[string]any) { delete(c, "email") }}
	issued := func(ago time.Duration) devidp.Faults {
		return devidp.Faults{Claims: func(c map[string]any) { c["iat"] = time.Now().Add(-ago).Unix() }}
	}
	limited := answerWith("token", 429, `{"errorCode":"E0000047","errorSummary":"API call exceeded rate limit due to too many requests."}`,
		"Date", "Sun, 22 Nov 2026 10:00:00 GMT", "X-Rate-Limit-Reset", fmt.Sprint(time.Date(2026, 11, 22, 10, 0, 42, 0, time.UTC).Unix()))
	return []failedSignIn{
		{"user not assigned", authorizeError("access_denied", "User is not assigned to the client application."), 403, openid.NotAssigned, "Okta says that you are not assigned to this app.", assign},
		{"no access policy", authorizeError("access_denied", "Policy evaluation failed for this request, please check the policy configurations."), 403, openid.NoAccessPolicy, "Okta has no access policy that lets you into this app.", "Authorization Servers > default > Access Policies: add a policy"},
		{"no access policy, told at the token endpoint", tokenError(400, "access_denied", "Policy evaluation failed for this request, please check the policy configurations."), 502, openid.NoAccessPolicy, "Okta has no access policy", "> Access Policies: add a policy"},
		{"denied in words that are not known", authorizeError("access_denied", upstreamText), 403, openid.AccessDenied, "Okta did not let you in: you refused, or you may not use this app.", "Reports > System Log"},
		{"description with more than the known words", authorizeError("access_denied", "User is not assigned to the client application. "+upstreamText), 403, openid.AccessDenied, "Okta did not let you in", "Reports > System Log"},
		{"consent required", authorizeError("consent_required", upstreamText), 403, openid.ConsentRequired, "Okta needs your consent", "> General > User Consent"},
		{"wrong secret", tokenError(401, "invalid_client", "The client secret supplied for a confidential client is invalid."), 502, openid.InvalidClient, "Okta does not know this application", "> General > Client Credentials: it has to exist and be active"},
		{"unknown scope", authorizeError("invalid_scope", "One or more scopes are not configured for the authorization server resource."), 502, openid.InvalidScope, "not set up to give it", "> default > Scopes: it has to list each of openid profile email"},
		{"DPoP required", tokenError(400, "invalid_dpop_proof", "The DPoP proof JWT header is missing."), 502, openid.DpopRequired, "proof of possession (DPoP)", "clear Require Demonstrating Proof of Possession (DPoP)"},
		{"grant type not allowed", authorizeError("unauthorized_client", upstreamText), 502, openid.ProviderRefused, "Okta refused this application, not you", "Reports > System Log"},
		{"rate limited", limited, 429, openid.ProviderBusy, "Try again in 42 seconds, after ", "Reports > Rate Limits"},
		{"our clock ten minutes behind", issued(-10 * time.Minute), 502, openid.ClockOff, "The clocks of Okta and of this site disagree", "timedatectl set-ntp true"},
		{"our clock ten minutes ahead", issued(10 * time.Minute), 502, openid.ClockOff, "The clocks of Okta and of this site disagree", "timedatectl set-ntp true"},
		{"email missing", notClaimed, 502, openid.EmailMissing, "Okta does not tell us your email address", "Profile: fill in Primary email"},
		{"code expired", tokenError(400, "invalid_grant", "The authorization code is invalid or has expired."), 400, openid.CodeRefused, "Okta no longer accepts this sign-in", ""},
	}
}

// Who cannot sign in reads why, who runs the site reads in the log what to
// change, and both find one another by a reference. Where they are one and the
// same, which is on loopback, the page has all of it.
func TestRefusalsAreExplained(t *testing.T) {
	t.Parallel()
	for _, row := range refusals() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{})
			r.Provider.SetFaults(row.faults)
			b := r.Browser()
			page := b.Get(b.BeginSignIn(finance).String())
			page.Check(t, row.status, html.EscapeString(row.page), html.EscapeString(row.fix), "!"+upstreamText)
			if shown := strings.Contains(page.Body, "For you who run this site"); shown != (row.fix != "") {
				t.Errorf("the page shows a fix: %v", shown)
			}
			reference := strings.TrimSuffix(strings.TrimPrefix(referenceText.FindString(page.Body), "<code>"), "</code>")
			line := failureLine(r.Log.String(), reference)
			if !strings.Contains(line, "reason="+string(row.reason)) || !strings.Contains(line, row.fix) || strings.Contains(line, "fix=") != (row.fix != "") {
				t.Errorf("the log line of %s lacks %s or %q: %s", reference, row.reason, row.fix, line)
			}
			if strings.Contains(r.Log.String(), upstreamText) {
				t.Error("the log holds the provider's own words")
			}
			away := r.copy(t, setup{env: map[string]string{"APP_BASE_URL": "https://expenses.example.com", "SAMPLE_DATA": "false"}})
			elsewhere := httptest.NewRecorder()
			away.Fail(elsewhere, httptest.NewRequest(http.MethodGet, openid.CallbackPath, nil), &openid.SignInError{Failure: row.reason})
			if body := elsewhere.Body.String(); strings.Contains(body, "For you who run this site") || (row.fix != "" && strings.Contains(body, html.EscapeString(row.fix))) {
				t.Errorf("the page shows the fix where it is not on loopback: %s", body)
			}
		})
	}
}

func TestUnverifiedAddressIsExplained(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{faults: devidp.Faults{UserInfo: func(c map[string]any) { c["email_verified"] = false }}})
	b := r.Browser()
	const fix = "have the person confirm it"
	b.SignIn(finance).Check(t, http.StatusOK, "Your email address is not verified.", finance, fix)
	b.Get("/profile").Check(t, http.StatusOK, "Your email address is not verified.", fix)
	if log := r.Log.String(); !strings.Contains(log, "event=email_unverified") || !strings.Contains(log, fix) {
		t.Errorf("the log does not say what to change: %s", log)
	}
}
