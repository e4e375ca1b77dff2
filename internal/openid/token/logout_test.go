package token

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/openid/claims"
)

// No claims that somebody makes up are a Logout Token, unless they say all that
// one must say.
func FuzzLogoutToken(f *testing.F) {
	const issuer, clientID = "https://issuer.example", "client"
	now := time.Unix(1_700_000_000, 0)
	good := `{"iss":"https://issuer.example","aud":"client","iat":1700000000,"exp":1700000120,"jti":"j","sub":"s","sid":"i","events":{"` + BackChannelEvent + `":{}}}`
	for _, seed := range []string{
		good, strings.Replace(good, `"jti"`, `"nonce":"n","jti"`, 1), strings.Replace(good, `"sub":"s",`, "", 1), strings.Replace(good, "{}", "null", 1),
		`{}`, `[]`, ``, `{"events":{}}`, `{"sub":"\u0000"}`, strings.Replace(good, "1700000120", "1e999", 1),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := claims.Parse(data)
		if err != nil {
			return
		}
		token, err := checkLogoutToken(c, issuer, clientID, now)
		if err != nil {
			if token != (LogoutToken{}) {
				t.Errorf("refused, and yet %+v", token)
			}
			return
		}
		var said struct {
			Iss, Jti, Sub, Sid string
			Nonce              any
			Events             map[string]map[string]any
		}
		if err := json.Unmarshal(data, &said); err != nil || said.Jti == "" {
			t.Skip("a name occurs in several cases")
		}
		if said.Iss != issuer || said.Events[BackChannelEvent] == nil || (token.Subject == "" && token.ProviderSID == "") || token.Used.ID == "" {
			t.Errorf("%s is a Logout Token: %+v", data, token)
		}
	})
}

const rightRevocation = `{"sub_id":{"format":"email","email":"carol.lee@task-vantage.com"}}`

func FuzzRevocation(f *testing.F) {
	for _, seed := range []string{
		rightRevocation, strings.Replace(rightRevocation, "sub_id", "subject", 1), `{"sub_id":{"format":"iss_sub","iss":"i","sub":"s"}}`,
		``, `{}`, `{"sub_id":null}`, `{"sub_id":{}}`, `{"sub_id":{"format":"email","email":"\u0000"}}`, `{"sub_id":{"format":"iss_sub","iss":"i","sub":""}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		subject, err := ParseRevocation(data)
		byAddress, bySubject := subject.Address != "", subject.Iss != "" && subject.Subject != ""
		if err == nil && byAddress == bySubject {
			t.Errorf("%s names %+v", data, subject)
		}
		if err != nil && subject != (RevocationSubject{}) {
			t.Errorf("%s is refused, and yet %+v", data, subject)
		}
		if strings.ContainsAny(subject.Address+subject.Subject, "\x00\n\r") || len(subject.Address) > claims.MaxAddressLength || len(subject.Subject) > 255 {
			t.Errorf("%s names %+q", data, subject)
		}
	})
}
