package token

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// members are those of a public key as a provider publishes it.
func members(t *testing.T, public any) map[string]any {
	t.Helper()
	encoded, err := (&jose.JSONWebKey{Key: public, KeyID: "kid"}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var key map[string]any
	if err := json.Unmarshal(encoded, &key); err != nil {
		t.Fatal(err)
	}
	return key
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey := members(t, &signingKey().PublicKey)
	modulus := rsaKey["n"].(string)
	for _, test := range []struct {
		name string
		key  map[string]any
		add  map[string]any // nil takes a member away
		alg  jose.SignatureAlgorithm
		want bool
	}{
		{"RSA", rsaKey, nil, jose.RS256, true},
		{"RSA for PS256", rsaKey, nil, jose.PS256, true},
		{"RSA that says for what", rsaKey, map[string]any{"use": "sig", "alg": "RS256", "key_ops": []string{"verify"}}, jose.RS256, true},
		{"x5t that is no hash", rsaKey, map[string]any{"x5t": "odd", "x5t#S256": "odd"}, jose.RS256, true},
		{"x5c that is no certificate", rsaKey, map[string]any{"x5c": []string{"odd"}}, jose.RS256, true},
		{"x5c that is empty", rsaKey, map[string]any{"x5c": []string{}}, jose.RS256, true},
		{"x5u that is no address", rsaKey, map[string]any{"x5u": "::"}, jose.RS256, true},
		{"crv beside RSA", rsaKey, map[string]any{"crv": "P-256"}, jose.RS256, true},
		{"a modulus with padding", rsaKey, map[string]any{"n": modulus + "=="}, jose.RS256, true},
		{"an exponent with padding", rsaKey, map[string]any{"e": "AQAB===="}, jose.RS256, true},
		{"members that are null", rsaKey, map[string]any{"use": json.RawMessage("null"), "alg": json.RawMessage("null")}, jose.RS256, true},
		{"P-256", members(t, &curve.PublicKey), nil, jose.ES256, true},
		{"Ed25519", members(t, edwards), nil, jose.EdDSA, true},
		{"Ed25519 by its new name", members(t, edwards), map[string]any{"alg": "Ed25519"}, jose.EdDSA, true},
		{"no kid", rsaKey, map[string]any{"kid": nil}, jose.RS256, true},

		{"for encryption", rsaKey, map[string]any{"use": "enc"}, jose.RS256, false},
		{"for encryption by key_ops", rsaKey, map[string]any{"key_ops": []string{"encrypt"}}, jose.RS256, false},
		{"of another algorithm", rsaKey, map[string]any{"alg": "RS512"}, jose.RS256, false},
		{"of PS256 for RS256", rsaKey, map[string]any{"alg": "PS256"}, jose.RS256, false},
		{"RSA for ES256", rsaKey, nil, jose.ES256, false},
		{"P-256 for RS256", members(t, &curve.PublicKey), nil, jose.RS256, false},
		{"P-256 for EdDSA", members(t, &curve.PublicKey), nil, jose.EdDSA, false},
		{"P-384", members(t, &wide.PublicKey), nil, jose.ES256, false},
		{"off the curve", members(t, &curve.PublicKey), map[string]any{"x": "AAAA"}, jose.ES256, false},
		{"1,024 bits", members(t, &newKey(1024).PublicKey), nil, jose.RS256, false},
		{"no modulus", rsaKey, map[string]any{"n": nil}, jose.RS256, false},
		{"a modulus that is a number", rsaKey, map[string]any{"n": 1}, jose.RS256, false},
		{"kid is a number", rsaKey, map[string]any{"kid": 1}, jose.RS256, false},
		{"use is a number", rsaKey, map[string]any{"use": 1}, jose.RS256, false},
		{"symmetric", map[string]any{"kty": "oct", "k": "AAAA"}, nil, jose.RS256, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key := maps.Clone(test.key)
			maps.Copy(key, test.add)
			maps.DeleteFunc(key, func(_ string, value any) bool { return value == nil })
			encoded, err := json.Marshal(key)
			if err != nil {
				t.Fatal(err)
			}
			parsed, ok := parseKey(encoded, test.alg)
			if ok != test.want {
				t.Errorf("parseKey(%s) = %v, %v", encoded, parsed, ok)
			}
		})
	}
}

func TestFetchBudget(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	var b fetchBudget
	take := func(want bool) {
		t.Helper()
		if got := b.take(now); got != want {
			t.Errorf("at %s, %+v: %v", now, b, got)
		}
	}
	for range KeyFetchBurst {
		take(true)
	}
	take(false)
	now = now.Add(KeyFetchInterval)
	take(true)
	take(false)
	now = now.Add(-time.Hour) // the clock was wrong
	take(true)
	now = now.Add(24 * time.Hour)
	for range KeyFetchBurst {
		take(true)
	}
	take(false)
}
