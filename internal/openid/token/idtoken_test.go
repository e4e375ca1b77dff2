package token

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"expense-dashboard/internal/devidp"
)

// Whatever claims a provider signs, only those that are right in every point
// make a person.
func FuzzIDTokenClaims(f *testing.F) {
	const issuer, client, nonce, now = "https://idp.example.com", "client", "the nonce", 1_700_000_000
	good := fmt.Sprintf(`{"iss":%q,"sub":"1","aud":%q,"exp":%d,"iat":%d,"nonce":%q}`, issuer, client, now+60, now, nonce)
	for _, seed := range []string{
		good, `{}`, ``, `null`, strings.Replace(good, "iss", "ISS", 1), strings.Replace(good, `"aud":"client"`, `"aud":["client"]`, 1),
		strings.Replace(good, `"aud":"client"`, `"aud":["client","other"]`, 1), strings.Replace(good, "}", `,"nonce":"other"}`, 1),
		strings.Replace(good, "}", `,"azp":"other"}`, 1), strings.Replace(good, fmt.Sprint(now+60), "1e9", 1), good + good,
	} {
		f.Add([]byte(seed))
	}
	keys := newFixedKeys(issuer, now)
	f.Fuzz(func(t *testing.T, payload []byte) {
		rawIDToken, err := devidp.Sign(signingKey(), map[string]any{"alg": "RS256"}, payload)
		if err != nil {
			t.Fatal(err)
		}
		c, err := keys.VerifyIDToken(context.Background(), rawIDToken, "access token", client, nonce)
		if err != nil {
			return
		}
		var all map[string]any
		if err := json.Unmarshal(payload, &all); err != nil {
			t.Fatalf("%q is believed: %v", payload, err)
		}
		aud, isList := all["aud"].([]any)
		if isList && len(aud) == 1 {
			all["aud"] = aud[0]
		}
		exp, _ := all["exp"].(float64)
		sub, _ := all["sub"].(string)
		if all["iss"] != issuer || all["aud"] != client || all["nonce"] != nonce || exp <= now || sub == "" || len(c) != len(all) {
			t.Fatalf("%q is believed", payload)
		}
	})
}

// newFixedKeys holds signingKey alone, at a fixed time.
func newFixedKeys(issuer string, now int64) *Keys {
	at := time.Unix(now, 0)
	return &Keys{
		issuer: issuer, keys: []jose.JSONWebKey{{Key: &signingKey().PublicKey}},
		now: func() time.Time { return at }, alg: DefaultSigningAlg, budget: fetchBudget{spent: KeyFetchBurst, since: at},
	}
}
