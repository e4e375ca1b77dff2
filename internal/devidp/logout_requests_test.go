package devidp

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// decoded returns the header and the claims of a compact JWS.
func decoded(t *testing.T, signed string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(signed, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no compact JWS", signed)
	}
	for i, part := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, part); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

func TestLogoutRequests(t *testing.T) {
	p, err := Start("127.0.0.1:0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	var body, contentType, authorization string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		body, contentType, authorization = string(text), r.Header.Get("Content-Type"), r.Header.Get("Authorization")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	}))
	t.Cleanup(app.Close)

	answer, err := p.BackChannelLogout(app.URL, "person", "session")
	if err != nil || answer.Status != http.StatusTeapot || answer.Body != "short and stout" {
		t.Errorf("the answer is %+v, %v", answer, err)
	}
	token, ok := strings.CutPrefix(body, "logout_token=")
	if !ok || contentType != "application/x-www-form-urlencoded" || authorization != "" {
		t.Errorf("the request is %q of type %q with %q", body, contentType, authorization)
	}
	header, claims := decoded(t, token)
	if header["typ"] != "logout+jwt" || claims["sub"] != "person" || claims["sid"] != "session" || claims["aud"] != p.ClientID() ||
		claims["iss"] != p.Issuer() || claims["jti"] == "" || claims["events"].(map[string]any)["http://schemas.openid.net/event/backchannel-logout"] == nil {
		t.Errorf("the Logout Token is %v %v", header, claims)
	}

	p.SetFaults(Faults{LogoutClaims: func(c map[string]any) { c["extra"] = true }, LogoutHeader: func(h map[string]any) { h["kid"] = "other" }})
	if _, err := p.GlobalTokenRevocation(app.URL, map[string]any{"format": "email", "email": "a@example.com"}); err != nil {
		t.Fatal(err)
	}
	token, ok = strings.CutPrefix(authorization, "Bearer ")
	if !ok || contentType != "application/json" || body != `{"sub_id":{"email":"a@example.com","format":"email"}}` {
		t.Errorf("the request is %q of type %q with %q", body, contentType, authorization)
	}
	header, claims = decoded(t, token)
	if header["typ"] != "global-token-revocation+jwt" || header["kid"] != "other" || claims["sub"] != p.ClientID() || claims["aud"] != app.URL || claims["extra"] != true {
		t.Errorf("the token is %v %v", header, claims)
	}
}
