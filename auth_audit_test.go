package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/openid"
)

// Nothing that a proxy, or somebody who plays one, says changes where anything
// leads to, even where the operator trusts it for the log.
func TestForwardedHeadersAreNotBelieved(t *testing.T) {
	t.Parallel()
	for _, trusted := range []string{"", "127.0.0.1"} {
		r := startSite(t, setup{env: map[string]string{"TRUSTED_PROXIES": trusted}})
		page := r.Browser().Get("/login",
			"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https", "X-Forwarded-Port", "444", "X-Forwarded-Prefix", "/evil",
			"Forwarded", "for=192.0.2.1;host=evil.example;proto=https", "X-Real-IP", "192.0.2.1", "X-Forwarded-For", "198.51.100.7")
		page.Check(t, http.StatusSeeOther)
		target, err := url.Parse(page.Location())
		if err != nil || target.Query().Get("redirect_uri") != r.BaseURL+openid.CallbackPath {
			t.Errorf("redirect_uri = %q, %v", target.Query().Get("redirect_uri"), err)
		}
		if header := fmt.Sprint(page.Header); strings.Contains(header, "evil") || strings.Contains(header, "Strict-Transport") {
			t.Errorf("the answer believes it: %s", header)
		}
		if got := strings.Contains(r.Log.String(), "addr=198.51.100.7"); got != (trusted != "") {
			t.Errorf("trusting %q, the log has the address: %v", trusted, got)
		}
		if strings.Contains(r.Log.String(), "192.0.2.1") {
			t.Error("the log has an address of another header")
		}
	}
}

// Each event is one line with its person, address, reference and reason.
func TestAuditEvents(t *testing.T) {
	t.Parallel()
	env := logoutEnv()
	env["LOG_FORMAT"] = "json"
	r := startSite(t, setup{env: env})
	b, boss := r.Browser(), r.Browser()
	subject := apptest.SubjectOf(t, finance)
	b.SignIn(finance)                                        // sign_in
	b.Get("/team/hr").Check(t, 404)                          // denied
	b.Get("/sessions").Check(t, 404)                         // denied
	b.Post("/logout", nil, "Origin", "https://evil.example") // denied
	b.Post("/logout", nil)                                   // sign_out
	r.Browser().Get(openid.CallbackPath + "?state=x&code=y") // sign_in_failed
	b.Visit("/dashboard").Check(t, 200)                      // sign_in
	boss.SignIn(admin)
	boss.Post("/sessions/end", url.Values{"sub": {subject}}) // session_ended
	for range 2 {
		if _, err := r.Provider.BackChannelLogout(r.BaseURL+backChannelLogoutPath, subject, ""); err != nil { // backchannel_logout
			t.Fatal(err)
		}
		if _, err := r.Provider.GlobalTokenRevocation(r.BaseURL+universalLogoutPath, map[string]any{"format": "iss_sub", "iss": r.Provider.Issuer(), "sub": subject}); err != nil { // universal_logout
			t.Fatal(err)
		}
		r.Provider.SetFaults(devidp.Faults{LogoutClaims: claimIs("iss", "other")})
	}
	reasons := map[string][]string{}
	for line := range strings.Lines(r.Log.String()) {
		var entry struct{ Event, Sub, Addr, Ref, Reason *string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if entry.Event == nil {
			continue
		}
		if entry.Sub == nil || entry.Addr == nil || entry.Ref == nil || entry.Reason == nil || *entry.Addr == "" || *entry.Ref == "" || *entry.Reason == "" {
			t.Errorf("something is missing in %s", line)
			continue
		}
		if *entry.Sub == "" && !slices.Contains([]string{"no_pending_login", "refused", "cross_site"}, *entry.Reason) {
			t.Errorf("nobody did it: %s", line)
		}
		reasons[*entry.Event] = append(reasons[*entry.Event], *entry.Reason)
	}
	want := map[string][]string{
		"sign_in": {"callback", "callback", "callback"}, "sign_in_failed": {"no_pending_login"}, "sign_out": {"asked"},
		"session_ended": {"administrator_all"}, "denied": {"not_on_the_team", "not_an_administrator", "cross_site"},
		"backchannel_logout": {"sub", "refused"}, "universal_logout": {"iss_sub", "refused"},
	}
	if fmt.Sprint(reasons) != fmt.Sprint(want) {
		t.Errorf("the events are\n%v, want\n%v", reasons, want)
	}
}

// Whatever a request holds, it writes no line of its own into the log, and adds
// nothing to another.
func TestLogLinesCannotBeForged(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			env := logoutEnv()
			env["LOG_FORMAT"], env["TRUSTED_PROXIES"] = format, "127.0.0.1"
			r := startSite(t, setup{env: env, faults: devidp.Faults{LogoutClaims: claimIs("iss", "a\n{\"event\":\"forged\"}\nevent=forged ")}})
			b := r.Browser()
			b.SignIn(finance)
			const forged = "\n{\"event\":\"forged\"}\ntime=2026-01-01T00:00:00Z level=INFO msg=x event=forged\r\n\u2028\x1b[2K"
			escaped := url.PathEscape(forged)
			lines := strings.Count(r.Log.String(), "\n")
			requests := 0
			for _, path := range []string{
				"/" + escaped, "/team/" + escaped, "/team/finance/expenses/" + escaped, "/sessions/" + escaped,
				"/login?return_to=" + escaped + "&login_hint=" + escaped, "/login?iss=" + escaped,
				openid.CallbackPath + "?state=" + escaped + "&code=" + escaped, openid.CallbackPath + "?state=x&error=" + escaped,
				"/team/finance?sort=" + escaped, "/sessions?q=" + escaped,
			} {
				b.Get(path, "User-Agent", "x\" event=forged y=\"", "X-Forwarded-For", "x event=forged", "Referer", "event=forged")
				requests++
			}
			b.Post("/sessions/"+escaped+"/end", url.Values{"sub": {forged}})
			b.Post("/profile/sessions/"+escaped+"/end", url.Values{"sub": {forged}})
			b.Post(backChannelLogoutPath, url.Values{"logout_token": {forged}})
			revoke(b, "x", forged)
			if _, err := r.Provider.BackChannelLogout(r.BaseURL+backChannelLogoutPath, "x", ""); err != nil {
				t.Fatal(err)
			}
			requests += 5
			checkLog(t, format, r.Log.String())
			// A request has its own line, and one at most for why it failed or what it did;
			// the last two of the sign-in before may still be on their way.
			if added := strings.Count(r.Log.String(), "\n") - lines; added < requests || added > 2*requests+2 {
				t.Errorf("%d requests add %d lines", requests, added)
			}
		})
	}
}

func checkLog(t *testing.T, format, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		if format == "json" {
			var entry map[string]any
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry["event"] == "forged" {
				t.Errorf("forged: %q, %v", line, err)
			}
			continue
		}
		if !strings.HasPrefix(line, "time="+time.Now().Format("2006-")) || strings.ContainsAny(line, "\r\x1b\u2028") {
			t.Errorf("forged: %q", line)
		}
		// Outside of quotes nothing of it may stand.
		outside, quoted := "", false
		for i, c := range line {
			if c == '"' && line[max(i-1, 0)] != '\\' {
				quoted = !quoted
			}
			if !quoted {
				outside += string(c)
			}
		}
		if strings.Contains(outside, "event=forged") {
			t.Errorf("forged: %q", line)
		}
	}
}
