package openid

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"expense-dashboard/internal/devidp"
)

func TestParseClaims(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, data string
		members    string // in order; "refused" if the data is no object
	}{
		{"empty object", `{}`, ""},
		{"white space around", " \n{ \"a\" : 1 }\t\n", "a"},
		{"names of other case are others", `{"sub":"a","SUB":"b","Sub":"c"}`, "SUB Sub sub"},
		{"nested duplicates are not ours", `{"a":{"b":1,"b":2}}`, "a"},
		{"empty name", `{"":1}`, ""},
		{"the same name twice", `{"sub":"a","sub":"b"}`, "refused"},
		{"the same name and value twice", `{"sub":"a","sub":"a"}`, "refused"},
		{"the same name, once escaped", `{"sub":"a","s\u0075b":"b"}`, "refused"},
		{"data behind", `{"a":1}{}`, "refused"},
		{"a brace behind", `{"a":1}}`, "refused"},
		{"NUL behind", "{\"a\":1}\x00", "refused"},
		{"array", `[]`, "refused"},
		{"null", `null`, "refused"},
		{"text", `"a"`, "refused"},
		{"nothing", ``, "refused"},
		{"truncated in a name", `{"a`, "refused"},
		{"truncated behind a name", `{"a":`, "refused"},
		{"truncated behind a value", `{"a":1`, "refused"},
		{"comma at the end", `{"a":1,}`, "refused"},
		{"no comma", `{"a":1 "b":2}`, "refused"},
		{"no colon", `{"a" 1}`, "refused"},
		{"name without quotes", `{a:1}`, "refused"},
		{"number as a name", `{1:1}`, "refused"},
		{"comment", `{/**/}`, "refused"},
		{"byte order mark", "\ufeff{}", "refused"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, err := parseClaims([]byte(test.data))
			got := strings.Join(slices.Sorted(maps.Keys(c)), " ")
			if err != nil {
				got = "refused"
			}
			if got != test.members {
				t.Errorf("%s has the members %q, want %q (%v)", test.data, got, test.members, err)
			}
		})
	}
}

func TestClaimTypes(t *testing.T) {
	t.Parallel()
	const refused = "refused"
	tests := []struct{ value, text, optional, texts, date, isTrue string }{
		{`"a"`, "a", "a", "[a]", refused, "false"},
		{`""`, refused, "", refused, refused, "false"},
		{`null`, refused, "", refused, refused, "false"},
		{`true`, refused, refused, refused, refused, "true"},
		{`"true"`, "true", "true", "[true]", refused, "false"},
		{`1`, refused, refused, refused, "1", "false"},
		{`1.5`, refused, refused, refused, "1.5", "false"},
		{`0`, refused, refused, refused, "0", "false"},
		{`-1`, refused, refused, refused, refused, "false"},
		{`1e300`, refused, refused, refused, refused, "false"},
		{`1e999`, refused, refused, refused, refused, "false"},
		{`"1"`, "1", "1", "[1]", refused, "false"},
		{`[]`, refused, refused, "[]", refused, "false"},
		{`["a","b"]`, refused, refused, "[a b]", refused, "false"},
		{`["a",null]`, refused, refused, refused, refused, "false"},
		{`["a",1]`, refused, refused, refused, refused, "false"},
		{`[["a"]]`, refused, refused, refused, refused, "false"},
		{`{}`, refused, refused, refused, refused, "false"},
		{"", refused, "", refused, refused, "false"}, // missing
	}
	word := func(value any, err error) string {
		if err != nil {
			return refused
		}
		return fmt.Sprint(value)
	}
	for _, test := range tests {
		data := `{"x":` + test.value + `,"X":"wrong","y":true}`
		if test.value == "" {
			data = `{"X":"wrong","Ｘ":true}`
		}
		c, err := parseClaims([]byte(data))
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		date, dateErr := c.date("x")
		texts, textsErr := c.texts("x")
		got := []string{
			word(c.Text("x")), word(c.optionalText("x")), word(texts, textsErr),
			word(float64(date.UnixMilli())/1000, dateErr), fmt.Sprint(c.isTrue("x")),
		}
		if want := []string{test.text, test.optional, test.texts, test.date, test.isTrue}; !slices.Equal(got, want) {
			t.Errorf("%s is read as %q, want %q", test.value, got, want)
		}
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, idToken, userInfo string
		person                  Identity // zero if refused
	}{
		{"all in the ID Token", `{"sub":"1","email":"a@example.com","name":"Ann"}`, `{}`, Identity{Subject: "1", Email: "a@example.com", Name: "Ann"}},
		{"all in UserInfo", `{"sub":"1"}`, `{"email":"a@example.com","name":"Ann"}`, Identity{Subject: "1", Email: "a@example.com", Name: "Ann"}},
		{"the ID Token wins", `{"sub":"1","email":"a@example.com","name":"Ann"}`, `{"email":"b@example.com","name":"Bob"}`, Identity{Subject: "1", Email: "a@example.com", Name: "Ann"}},
		{"no name", `{"sub":"1","email":"a@example.com"}`, `{}`, Identity{Subject: "1", Email: "a@example.com", Name: "a@example.com"}},
		{"blanks around", `{"sub":"1","email":" a@example.com\t","name":" Ann "}`, `{}`, Identity{Subject: "1", Email: "a@example.com", Name: "Ann"}},
		{"control characters in the name", `{"sub":"1","email":"a@example.com","name":"A\u0000n\u001bn"}`, `{}`, Identity{Subject: "1", Email: "a@example.com", Name: "A n n"}},
		{"long name", `{"sub":"1","email":"a@example.com","name":"` + strings.Repeat("ü", 300) + `"}`, `{}`, Identity{Subject: "1", Email: "a@example.com", Name: strings.Repeat("ü", 200)}},
		{"not verified in UserInfo alone", `{"sub":"1","email":"a@example.com","email_verified":true}`, `{"email_verified":false}`, Identity{Subject: "1", Email: "a@example.com", Name: "a@example.com", Unverified: true}},
		{"not verified in the ID Token alone", `{"sub":"1","email":"a@example.com","email_verified":false}`, `{"email_verified":true}`, Identity{Subject: "1", Email: "a@example.com", Name: "a@example.com", Unverified: true}},
		{"no email", `{"sub":"1","name":"Ann"}`, `{}`, Identity{}},
		{"blank email", `{"sub":"1","email":"  "}`, `{"email":"a@example.com"}`, Identity{}},
		{"no sub", `{"email":"a@example.com"}`, `{"sub":"1"}`, Identity{}},
		{"email is a number", `{"sub":"1","email":1}`, `{"email":"a@example.com"}`, Identity{}},
		{"name is a number", `{"sub":"1","email":"a@example.com","name":1}`, `{}`, Identity{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			idToken, err1 := parseClaims([]byte(test.idToken))
			userInfo, err2 := parseClaims([]byte(test.userInfo))
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			person, err := identify(idToken, userInfo, emailClaim)
			if !reflect.DeepEqual(person, test.person) || (err != nil) != reflect.DeepEqual(test.person, Identity{}) {
				t.Errorf("identify = %+v, %v; want %+v", person, err, test.person)
			}
		})
	}
}

func FuzzParseClaims(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"a":2}`, `{"a":"b"}x`, `[1]`, `{"iss":"x","ISS":"y"}`, `{"a":{"b":[null,1e9]}}`, "{\"\\u0000\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseClaims(data)
		if err != nil {
			if c != nil {
				t.Errorf("%q: %v with %v", data, err, c)
			}
			return
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal(data, &all); err != nil || len(all) != len(c) {
			t.Fatalf("%q has %d members, encoding/json reads %d, %v", data, len(c), len(all), err)
		}
		for name := range c {
			// No value may make an accessor panic.
			_, _ = c.Text(name)
			_, _ = c.optionalText(name)
			_, _ = c.texts(name)
			_, _ = c.date(name)
			c.isTrue(name)
		}
	})
}

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
	p := &Provider{issuer: issuer, keys: newFixedKeys(now)}
	f.Fuzz(func(t *testing.T, payload []byte) {
		rawIDToken, err := devidp.Sign(signingKey(), map[string]any{"alg": "RS256"}, payload)
		if err != nil {
			t.Fatal(err)
		}
		c, err := p.verifyIDToken(context.Background(), rawIDToken, "access token", client, nonce)
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
func newFixedKeys(now int64) *keySet {
	at := time.Unix(now, 0)
	return &keySet{
		keys: []jose.JSONWebKey{{Key: &signingKey().PublicKey}},
		now:  func() time.Time { return at }, alg: DefaultSigningAlg, budget: fetchBudget{spent: KeyFetchBurst, since: at},
	}
}
