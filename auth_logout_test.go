package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/openid/claims"
	"expense-dashboard/internal/openid/token"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/storetest"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/weburl"
)

// A remoteAttack is a logout request of the provider's with one thing changed.
// Whatever the change, nobody is signed out by it.
type remoteAttack struct {
	name    string
	claims  func(claims map[string]any)
	payload func([]byte) []byte
	header  func(header map[string]any)
	token   func(signed string) string
	send    func(b *browser, token string) *reply // in place of the usual request
	status  int                                   // zero is the usual refusal
}

// claimGone leaves a claim out, claimIs sets it.
func claimGone(name string) func(map[string]any) { return func(c map[string]any) { delete(c, name) } }

func claimIs(name string, value any) func(map[string]any) {
	return func(c map[string]any) { c[name] = value }
}

// claimAgo sets a date so long before now.
func claimAgo(name string, d time.Duration) func(map[string]any) {
	return func(c map[string]any) { c[name] = time.Now().Add(-d).Unix() }
}

func replaceIn(old, replacement string) func([]byte) []byte {
	return func(p []byte) []byte {
		changed := strings.Replace(string(p), old, replacement, 1)
		if changed == string(p) {
			panic("nothing to replace: " + old)
		}
		return []byte(changed)
	}
}

// signedAttacks are changes of a JWT that no kind of logout request survives.
func signedAttacks() []remoteAttack {
	rows := []remoteAttack{
		{name: "iss is missing", claims: claimGone("iss")},
		{name: "iss is another", claims: claimIs("iss", "https://evil.example")},
		{name: "iss is null", claims: claimIs("iss", nil)},
		{name: "iss in an array", claims: func(c map[string]any) { c["iss"] = []any{c["iss"]} }},
		{name: "iss with a slash", claims: func(c map[string]any) { c["iss"] = c["iss"].(string) + "/" }},
		{name: "iss under a name of another case", payload: replaceIn(`"iss"`, `"ISS"`)},
		{name: "aud is missing", claims: claimGone("aud")},
		{name: "aud is another", claims: claimIs("aud", "other")},
		{name: "aud is empty", claims: claimIs("aud", []string{})},
		{name: "aud has another beside it", claims: func(c map[string]any) { c["aud"] = []any{c["aud"], "other"} }},
		{name: "aud under a name of another case", payload: replaceIn(`"aud"`, `"Aud"`)},
		{name: "aud twice", payload: replaceIn(`"aud"`, `"aud":"other","aud"`)},
		{name: "iat is missing", claims: claimGone("iat")},
		{name: "iat is a text", claims: claimIs("iat", "1700000000")},
		{name: "iat ten minutes ago", claims: claimAgo("iat", 10*time.Minute)},
		{name: "iat in ten minutes", claims: claimAgo("iat", -10*time.Minute)},
		{name: "exp is missing", claims: claimGone("exp")},
		{name: "exp a second ago", claims: claimAgo("exp", time.Second)},
		{name: "exp is null", claims: claimIs("exp", nil)},
		{name: "nbf in ten minutes", claims: claimAgo("nbf", -10*time.Minute)},
		{name: "jti is missing", claims: claimGone("jti")},
		{name: "jti is empty", claims: claimIs("jti", "")},
		{name: "jti is a number", claims: claimIs("jti", 1)},
		{name: "jti is endless", claims: claimIs("jti", strings.Repeat("j", claims.MaxTokenText+1))},
		{name: "payload is no object", payload: func([]byte) []byte { return []byte(`[]`) }},
		{name: "payload is truncated", payload: func(p []byte) []byte { return p[:len(p)-1] }},
		{name: "payload with data behind it", payload: func(p []byte) []byte { return append(p, "{}"...) }},
		{name: "alg none", header: func(h map[string]any) { h["alg"] = "none" }},
		{name: "alg None", header: func(h map[string]any) { h["alg"] = "None" }},
		{name: "alg HS256 with the public key", header: func(h map[string]any) { h["alg"] = "HS256" }},
		{name: "alg RS512", header: func(h map[string]any) { h["alg"] = "RS512" }},
		{name: "alg PS256", header: func(h map[string]any) { h["alg"] = "PS256" }},
		{name: "alg is missing", header: func(h map[string]any) { delete(h, "alg") }},
		{name: "kid of no key", header: func(h map[string]any) { h["kid"] = "none" }},
		{name: "crit", header: func(h map[string]any) { h["crit"], h["exp"] = []string{"exp"}, 1 }},
		{name: "typ is at+jwt", header: func(h map[string]any) { h["typ"] = "at+jwt" }},
		{name: "typ is a number", header: func(h map[string]any) { h["typ"] = 1 }},
		{name: "signature is another's", token: foreignSignature},
		{name: "signature is cut off", token: func(s string) string { return s[:strings.LastIndex(s, ".")+1] }},
		{name: "signature is changed", token: func(s string) string { return s[:len(s)-10] + flipMiddle(s[len(s)-10:]) }},
		{name: "two parts", token: func(s string) string { return s[:strings.LastIndex(s, ".")] }},
		{name: "four parts", token: func(s string) string { return s + ".e30" }},
		{name: "JSON serialization", token: func(s string) string {
			parts := strings.Split(s, ".")
			text, _ := json.Marshal(map[string]string{"protected": parts[0], "payload": parts[1], "signature": parts[2]})
			return string(text)
		}},
		{name: "token is empty", token: func(string) string { return "" }},
		{name: "token is endless", token: func(s string) string { return s + strings.Repeat("A", token.MaxLogoutToken) }},
	}
	return rows
}

// foreignSignature signs with a key that is not the provider's.
func foreignSignature(signed string) string {
	parts := strings.Split(signed, ".")
	other, err := devidp.Sign(apptest.NewKey(2048), map[string]any{"alg": "RS256"}, []byte(`{}`))
	if err != nil {
		panic(err)
	}
	return parts[0] + "." + parts[1] + other[strings.LastIndex(other, "."):]
}

func (a remoteAttack) faults() devidp.Faults {
	return devidp.Faults{LogoutClaims: a.claims, LogoutPayload: a.payload, LogoutHeader: a.header, LogoutToken: a.token}
}

func backChannelAttacks() []remoteAttack {
	event := func(value any) func(map[string]any) {
		return claimIs("events", map[string]any{token.BackChannelEvent: value})
	}
	post := func(fields ...string) func(*browser, string) *reply {
		return func(b *browser, token string) *reply {
			return b.Post(backChannelLogoutPath, url.Values{"logout_token": {token}}, fields...)
		}
	}
	return append(signedAttacks(), []remoteAttack{
		{name: "iss is the origin of the issuer", claims: func(c map[string]any) { c["iss"] = weburl.Origin(c["iss"].(string)) }},
		{name: "typ is that of a revocation", header: func(h map[string]any) { h["typ"] = token.RevocationType }},
		{name: "nonce is there", claims: claimIs("nonce", "nonce")},
		{name: "nonce is null", claims: claimIs("nonce", nil)},
		{name: "sub and sid are missing", claims: func(c map[string]any) { delete(c, "sub"); delete(c, "sid") }},
		{name: "sub and sid are empty", claims: func(c map[string]any) { c["sub"], c["sid"] = "", "" }},
		{name: "sub is a number", claims: claimIs("sub", 1)},
		{name: "sub is endless", claims: claimIs("sub", strings.Repeat("s", 256))},
		{name: "sid is an object", claims: claimIs("sid", map[string]any{})},
		{name: "sid is endless", claims: claimIs("sid", strings.Repeat("s", 256))},
		{name: "sid with a control character", claims: claimIs("sid", "a\x00b")},
		{name: "events is missing", claims: claimGone("events")},
		{name: "events is a text", claims: claimIs("events", token.BackChannelEvent)},
		{name: "events is an array", claims: claimIs("events", []string{token.BackChannelEvent})},
		{name: "events is empty", claims: claimIs("events", map[string]any{})},
		{name: "events is another", claims: claimIs("events", map[string]any{"http://schemas.openid.net/event/frontchannel-logout": map[string]any{}})},
		{name: "event is a text", claims: event("{}")},
		{name: "event is null", claims: event(nil)},
		{name: "event is an array", claims: event([]any{})},
		{name: "event under a name of another case", payload: replaceIn("backchannel-logout", "BackChannel-Logout")},
		{name: "two tokens", send: func(b *browser, token string) *reply {
			return b.Post(backChannelLogoutPath, url.Values{"logout_token": {token, token}})
		}},
		{name: "token in the query", send: func(b *browser, token string) *reply {
			return b.Post(backChannelLogoutPath+"?logout_token="+token, url.Values{})
		}},
		{name: "token as JSON", send: post("Content-Type", "application/json")},
		{name: "form is malformed", send: func(b *browser, token string) *reply {
			return b.Post(backChannelLogoutPath, url.Values{"logout_token": {token}}, "Content-Type", "application/x-www-form-urlencoded; x")
		}},
		{name: "form is huge", send: func(b *browser, token string) *reply {
			return b.Post(backChannelLogoutPath, url.Values{"a": {strings.Repeat("x", web.MaxBody)}, "logout_token": {token}})
		}},
		{name: "from another site's page", status: 403, send: post("Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")},
		{name: "by GET", status: 405, send: func(b *browser, token string) *reply {
			return b.Get(backChannelLogoutPath + "?logout_token=" + token)
		}},
	}...)
}

func TestBackChannelLogoutAttacks(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{env: logoutEnv()})
	victim, server := r.Browser(), r.Browser()
	victim.SignIn(finance)
	for _, a := range backChannelAttacks() {
		t.Run(a.name, func(t *testing.T) {
			r.Provider.SetFaults(a.faults())
			token, err := r.Provider.LogoutToken(apptest.SubjectOf(t, finance), providerSID(t, r, victim))
			if err != nil {
				t.Fatal(err)
			}
			if a.send == nil {
				a.send = func(b *browser, token string) *reply {
					return b.Post(backChannelLogoutPath, url.Values{"logout_token": {token}})
				}
			}
			before := len(r.Log.String())
			page := a.send(server, token)
			if a.status == 0 {
				page.Check(t, http.StatusBadRequest, `"error":"invalid_request"`)
				if log := r.Log.String()[before:]; !strings.Contains(log, "event=backchannel_logout") || !strings.Contains(log, "reason=refused") {
					t.Errorf("the refusal is not in the log: %s", log)
				}
			} else {
				page.Check(t, a.status)
			}
			failedQuietly(t, r, page, token, victim)
		})
	}
}

// failedQuietly asserts that an attack with a token ended nobody's session, that its
// answer is kept nowhere, and that neither it nor the log holds the token.
func failedQuietly(t *testing.T, r *rig, page *reply, token string, victim *browser) {
	t.Helper()
	if page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control = %q", page.Header.Get("Cache-Control"))
	}
	if len(token) > 20 && (strings.Contains(r.Log.String(), token) || strings.Contains(page.Body, token)) {
		t.Error("the log or the answer holds the token")
	}
	if !r.IsSignedIn(victim) {
		t.Fatal("the victim is signed out")
	}
}

// What varies between providers and is right all the same.
func TestBackChannelLogoutVariants(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string]devidp.Faults{
		"as it is":             {},
		"typ is missing":       {LogoutHeader: func(h map[string]any) { delete(h, "typ") }},
		"typ is JWT":           {LogoutHeader: func(h map[string]any) { h["typ"] = "JWT" }},
		"typ in capitals":      {LogoutHeader: func(h map[string]any) { h["typ"] = "LOGOUT+JWT" }},
		"aud in an array":      {LogoutClaims: func(c map[string]any) { c["aud"] = []any{c["aud"]} }},
		"sid alone":            {LogoutClaims: claimGone("sub")},
		"sub alone":            {LogoutClaims: claimGone("sid")},
		"another event beside": {LogoutClaims: func(c map[string]any) { c["events"].(map[string]any)["urn:other"] = map[string]any{} }},
		"unknown claims":       {LogoutClaims: claimIs("trace", 1)},
		"two minutes ahead":    {LogoutClaims: claimAgo("iat", -2*time.Minute)},
		"kid is missing":       {LogoutHeader: func(h map[string]any) { delete(h, "kid") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{env: logoutEnv(), faults: faults})
			b := r.Browser()
			b.SignIn(finance)
			answer, err := r.Provider.BackChannelLogout(r.BaseURL+backChannelLogoutPath, apptest.SubjectOf(t, finance), providerSID(t, r, b))
			if err != nil || answer.Status != http.StatusOK || answer.Body != "" || answer.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("the answer is %+v, %v", answer, err)
			}
			if r.IsSignedIn(b) {
				t.Error("the session goes on")
			}
			if log := r.Log.String(); !strings.Contains(log, "event=backchannel_logout") {
				t.Error("the logout is not in the log")
			}
		})
	}
}

// A Logout Token counts once, on all copies together and after a restart.
func TestReplayedLogoutToken(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		env := logoutEnv()
		env["DATABASE_URL"] = databaseURL
		r := startSite(t, setup{env: env})
		other := startCopy(t, r, setup{env: env})
		b := r.Browser()
		b.SignIn(finance)
		token, err := r.Provider.LogoutToken(apptest.SubjectOf(t, finance), "")
		if err != nil {
			t.Fatal(err)
		}
		form := url.Values{"logout_token": {token}}
		b.Post(backChannelLogoutPath, form).Check(t, http.StatusOK)
		b.Visit("/dashboard").Check(t, http.StatusOK, "Carol Lee")
		for _, copy := range []*rig{r, other, startCopy(t, r, setup{env: env})} {
			b.Post(copy.BaseURL+backChannelLogoutPath, form).Check(t, http.StatusBadRequest)
			time.Sleep(session.EndedWindow)
			if !copy.IsSignedIn(b) {
				t.Error("the replay ends the new session")
			}
		}
	})
}

func TestLogoutOfServersIsOffUnlessTurnedOn(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"", "false"} {
		r := startSite(t, setup{env: map[string]string{"BACKCHANNEL_LOGOUT": value, "UNIVERSAL_LOGOUT": value, "FRONTCHANNEL_LOGOUT": value}})
		b := r.Browser()
		b.SignIn(finance)
		answer, err := r.Provider.BackChannelLogout(r.BaseURL+backChannelLogoutPath, apptest.SubjectOf(t, finance), "")
		if err != nil || answer.Status != http.StatusNotFound {
			t.Errorf("the answer is %+v, %v", answer, err)
		}
		answer, err = r.Provider.GlobalTokenRevocation(r.BaseURL+universalLogoutPath, map[string]any{"format": "email", "email": finance})
		if err != nil || answer.Status != http.StatusNotFound {
			t.Errorf("the answer is %+v, %v", answer, err)
		}
		frame := url.Values{"iss": {r.Provider.Issuer()}, "sid": {providerSID(t, r, b)}}
		if b.Get(frontChannelLogoutPath+"?"+frame.Encode()).Check(t, http.StatusNotFound); !r.IsSignedIn(b) {
			t.Error("a request that is not turned on ends a session")
		}
	}
}

// Before the provider has been reached its signatures cannot be told from others.
func TestLogoutOfServersWithoutTheProvider(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{env: logoutEnv(), unreached: true})
	answer, err := r.Provider.BackChannelLogout(r.BaseURL+backChannelLogoutPath, "sub", "")
	if err != nil || answer.Status != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") != "30" {
		t.Errorf("the answer is %+v, %v", answer, err)
	}
	answer, err = r.Provider.GlobalTokenRevocation(r.BaseURL+universalLogoutPath, map[string]any{"format": "email", "email": finance})
	if err != nil || answer.Status != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") != "30" {
		t.Errorf("the answer is %+v, %v", answer, err)
	}
	// Nobody wanted to sign in.
	log := r.Log.String()
	if strings.Contains(log, "sign_in_failed") || !strings.Contains(log, "event=backchannel_logout") || !strings.Contains(log, "event=universal_logout") ||
		strings.Count(log, "reason=refused status=503") != 2 {
		t.Errorf("the log is %s", log)
	}
}

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
			failedQuietly(t, r, page, token, victim)
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
// within session.EndedWindow, and at SESSION_MAX_AGE at the latest where it does not.
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
