package main

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/weburl"
)

const rightRevocation = `{"sub_id":{"format":"email","email":"` + finance + `"}}`

// revoke sends a revocation request. The header is as for send.
func revoke(b *browser, token, body string, fields ...string) *reply {
	b.T.Helper()
	fields = append([]string{"Authorization", "Bearer " + token, "Content-Type", "application/json"}, fields...)
	return b.SendBody(http.MethodPost, universalLogoutPath, strings.NewReader(body), fields...)
}

func universalAttacks() []remoteAttack {
	body := func(text string) func(*browser, string) *reply {
		return func(b *browser, token string) *reply { return revoke(b, token, text) }
	}
	header := func(fields ...string) func(*browser, string) *reply {
		return func(b *browser, token string) *reply { return revoke(b, token, rightRevocation, fields...) }
	}
	rows := append(signedAttacks(), []remoteAttack{
		{name: "typ is missing", header: func(h map[string]any) { delete(h, "typ") }},
		{name: "typ is JWT", header: func(h map[string]any) { h["typ"] = "JWT" }},
		{name: "typ is that of a Logout Token", header: func(h map[string]any) { h["typ"] = "logout+jwt" }},
		{name: "aud is the client", claims: func(c map[string]any) { c["aud"] = c["sub"] }},
		{name: "aud is the base URL", claims: func(c map[string]any) { c["aud"] = weburl.Origin(c["aud"].(string)) }},
		{name: "aud with a slash", claims: func(c map[string]any) { c["aud"] = c["aud"].(string) + "/" }},
		{name: "sub is missing", claims: claimGone("sub")},
		{name: "iss is on another host", claims: claimIs("iss", "https://issuer.example.com")},
		{name: "no Authorization", send: func(b *browser, _ string) *reply {
			return b.SendBody("POST", universalLogoutPath, strings.NewReader(rightRevocation), "Content-Type", "application/json")
		}},
		{name: "Basic", send: func(b *browser, token string) *reply {
			return revoke(b, "", rightRevocation, "Authorization", "Basic "+token)
		}},
		{name: "token in the query", send: func(b *browser, token string) *reply {
			return b.SendBody("POST", universalLogoutPath+"?access_token="+token, strings.NewReader(rightRevocation), "Content-Type", "application/json")
		}},
		{name: "a bad body without a token", send: func(b *browser, _ string) *reply {
			return b.SendBody("POST", universalLogoutPath, strings.NewReader("{"), "Content-Type", "application/json")
		}},
	}...)
	for i := range rows {
		rows[i].status = http.StatusUnauthorized
	}
	rows = append(rows, []remoteAttack{
		{name: "sub is another application", status: 403, claims: claimIs("sub", "other")},
		{name: "from another site's page", status: 403, send: header("Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")},
		{name: "of another issuer's person", status: 404, send: body(`{"sub_id":{"format":"iss_sub","iss":"https://evil.example","sub":"` + devidp.SamplePeople()[3].Subject + `"}}`)},
		{name: "of nobody", status: 404, send: body(`{"sub_id":{"format":"email","email":"nobody@example.com"}}`)},
		{name: "by GET", status: 405, send: func(b *browser, token string) *reply {
			return b.SendBody("GET", universalLogoutPath, strings.NewReader(""), "Authorization", "Bearer "+token)
		}},
	}...)
	bodies := map[string]string{
		"body is empty": "", "body is null": "null", "body is an array": "[" + rightRevocation + "]", "body is truncated": rightRevocation[:20],
		"data behind the body": rightRevocation + "{}", "sub_id is missing": `{}`, "sub_id is a text": `{"sub_id":"` + finance + `"}`,
		"sub_id twice":                `{"sub_id":{"format":"email","email":"x@example.com"},"sub_id":{"format":"email","email":"` + finance + `"}}`,
		"sub_id in another case":      strings.Replace(rightRevocation, "sub_id", "SUB_ID", 1),
		"sub_id and subject":          strings.Replace(rightRevocation, "{", `{"subject":{"format":"email","email":"x@example.com"},`, 1),
		"another member":              strings.Replace(rightRevocation, "{", `{"all":true,`, 1),
		"format is missing":           `{"sub_id":{"email":"` + finance + `"}}`,
		"format is unknown":           `{"sub_id":{"format":"phone_number","phone_number":"+12065550100"}}`,
		"format is opaque":            `{"sub_id":{"format":"opaque","id":"` + finance + `"}}`,
		"format is in another case":   `{"sub_id":{"format":"Email","email":"` + finance + `"}}`,
		"email is missing":            `{"sub_id":{"format":"email"}}`,
		"email is empty":              `{"sub_id":{"format":"email","email":""}}`,
		"email is white space":        `{"sub_id":{"format":"email","email":"  "}}`,
		"email is an array":           `{"sub_id":{"format":"email","email":["` + finance + `"]}}`,
		"email with a NUL":            `{"sub_id":{"format":"email","email":"a\u0000@example.com"}}`,
		"email is endless":            `{"sub_id":{"format":"email","email":"` + strings.Repeat("a", 255) + `"}}`,
		"email beside sub":            `{"sub_id":{"format":"email","email":"` + finance + `","sub":"x"}}`,
		"iss is missing from the ID":  `{"sub_id":{"format":"iss_sub","sub":"x"}}`,
		"sub is missing from the ID":  `{"sub_id":{"format":"iss_sub","iss":"x"}}`,
		"sub is no printable ASCII":   `{"sub_id":{"format":"iss_sub","iss":"x","sub":"\u0000"}}`,
		"sub is a number":             `{"sub_id":{"format":"iss_sub","iss":"x","sub":1}}`,
		"iss_sub beside email":        `{"sub_id":{"format":"iss_sub","iss":"x","sub":"x","email":"x"}}`,
		"body is longer than 64 KB":   rightRevocation + strings.Repeat(" ", web.MaxBody),
		"aliases, of which one is ok": `{"sub_id":{"format":"aliases","identifiers":[{"format":"email","email":"` + finance + `"}]}}`,
	}
	for name, text := range bodies {
		rows = append(rows, remoteAttack{name: name, status: 400, send: body(text)})
	}
	return append(rows,
		remoteAttack{name: "body is a form", status: 400, send: header("Content-Type", "application/x-www-form-urlencoded")},
		remoteAttack{name: "body of no type", status: 400, send: header("Content-Type", "")})
}

func TestUniversalLogoutAttacks(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{env: logoutEnv()})
	victim, server := r.Browser(), r.Browser()
	victim.SignIn(finance)
	for _, a := range universalAttacks() {
		t.Run(a.name, func(t *testing.T) {
			r.Provider.SetFaults(a.faults())
			token, err := r.Provider.RevocationToken(r.BaseURL + universalLogoutPath)
			if err != nil {
				t.Fatal(err)
			}
			if a.send == nil {
				a.send = func(b *browser, token string) *reply { return revoke(b, token, rightRevocation) }
			}
			page := a.send(server, token)
			page.Check(t, a.status)
			if challenge := page.Header.Get("WWW-Authenticate"); (a.status == 401) != strings.Contains(challenge, "invalid_token") {
				t.Errorf("WWW-Authenticate = %q", challenge)
			}
			if page.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control = %q", page.Header.Get("Cache-Control"))
			}
			if len(token) > 20 && (strings.Contains(r.Log.String(), token) || strings.Contains(page.Body, token)) {
				t.Error("the log or the answer holds the token")
			}
			if !r.IsSignedIn(victim) {
				t.Fatal("the victim is signed out")
			}
		})
	}
}

// What Okta's documents allow.
func TestUniversalLogoutVariants(t *testing.T) {
	t.Parallel()
	subject := apptest.SubjectOf(t, finance)
	orgIssuer := func(c map[string]any) { c["iss"] = weburl.Origin(c["iss"].(string)) }
	for name, test := range map[string]struct {
		claims func(map[string]any)
		body   string // ISSUER and ORG stand for the issuer and its origin
		fields []string
	}{
		"email":                             {body: rightRevocation},
		"email under subject":               {body: strings.Replace(rightRevocation, "sub_id", "subject", 1)},
		"email in capitals":                 {body: strings.Replace(rightRevocation, finance, strings.ToUpper(finance), 1)},
		"iss_sub":                           {body: `{"sub_id":{"format":"iss_sub","iss":"ISSUER","sub":"` + subject + `"}}`},
		"iss_sub of the org":                {body: `{"sub_id":{"format":"iss_sub","iss":"ORG","sub":"` + subject + `"}}`},
		"iss is the org":                    {body: rightRevocation, claims: orgIssuer},
		"media type with its character set": {body: rightRevocation, fields: []string{"Content-Type", "application/json; charset=utf-8"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{env: logoutEnv(), faults: devidp.Faults{LogoutClaims: test.claims}})
			desk, phone, other := r.Browser(), r.Browser(), r.Browser()
			desk.SignIn(finance)
			phone.SignIn(finance)
			other.SignIn(hr)
			token, err := r.Provider.RevocationToken(r.BaseURL + universalLogoutPath)
			if err != nil {
				t.Fatal(err)
			}
			body := strings.NewReplacer("ISSUER", r.Provider.Issuer(), "ORG", weburl.Origin(r.Provider.Issuer())).Replace(test.body)
			answer := revoke(other, token, body, test.fields...)
			if answer.Check(t, http.StatusNoContent); answer.Body != "" || answer.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("the answer is %q with %v", answer.Body, answer.Header)
			}
			if r.IsSignedIn(desk) || r.IsSignedIn(phone) || !r.IsSignedIn(other) {
				t.Error("the wrong sessions have ended")
			}
			if !strings.Contains(r.Log.String(), "event=universal_logout") {
				t.Error("the logout is not in the log")
			}
			revoke(other, token, body).Check(t, http.StatusUnauthorized) // once is enough
		})
	}
}

// Whom Okta disables loses access at once where it tells us so, on every copy
// within endedWindow, and at SESSION_MAX_AGE at the latest where it does not.
func TestSomebodyDisabledLosesAccess(t *testing.T) {
	t.Parallel()
	clock := apptest.NewClock()
	env := logoutEnv()
	env["SESSION_MAX_AGE"], env["SESSION_IDLE_TIMEOUT"] = "8h", "1h"
	s := setup{clock: clock, env: env}
	r := startSite(t, s)
	other := startCopy(t, r, s)
	told, untold := r.Browser(), r.Browser()
	told.SignIn(finance)
	untold.SignIn(hr)
	if !other.IsSignedIn(told) {
		t.Fatal("not signed in at the other copy")
	}
	answer, err := r.Provider.GlobalTokenRevocation(r.BaseURL+universalLogoutPath, map[string]any{"format": "email", "email": finance})
	if err != nil || answer.Status != http.StatusNoContent || r.IsSignedIn(r.Twin(told)) {
		t.Errorf("the answer is %+v, %v", answer, err)
	}
	time.Sleep(session.EndedWindow)
	if other.IsSignedIn(told) {
		t.Error("the other copy does not know")
	}
	for range 16 {
		if !r.IsSignedIn(untold) {
			t.Error("somebody who works all the time is signed out early")
		}
		clock.Advance(30 * time.Minute)
	}
	if r.IsSignedIn(untold) {
		t.Error("after 8 hours the session goes on")
	}
}

func TestUniversalLogoutWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{env: logoutEnv()})
	b := r.Browser()
	b.SignIn(finance)
	file := strings.TrimPrefix(r.Database, "sqlite:")
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	token, err := r.Provider.RevocationToken(r.BaseURL + universalLogoutPath)
	if err != nil {
		t.Fatal(err)
	}
	logoutToken, err := r.Provider.LogoutToken(apptest.SubjectOf(t, finance), "")
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"logout_token": {logoutToken}}
	revoke(b, token, rightRevocation).Check(t, http.StatusUnprocessableEntity, "logout_failed")
	b.Post(backChannelLogoutPath, form).Check(t, http.StatusBadRequest, "logout_failed")
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	// The same requests again are no replay.
	revoke(b, token, rightRevocation).Check(t, http.StatusNoContent)
	b.Post(backChannelLogoutPath, form).Check(t, http.StatusOK)
	if r.IsSignedIn(b) {
		t.Error("the session goes on")
	}
}
