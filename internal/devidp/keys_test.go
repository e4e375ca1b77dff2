package devidp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

func publishedKeys(t *testing.T, p *Provider) jose.JSONWebKeySet {
	t.Helper()
	_, body := get(t, http.DefaultClient, p.Issuer()+"/v1/keys")
	if strings.Contains(body, `"d"`) {
		t.Fatal("a private key is published")
	}
	return decode[jose.JSONWebKeySet](t, body)
}

func TestRotateKeys(t *testing.T) {
	p := start(t, Config{})
	old := exchange(t, p, signIn(t, newBrowser(t), p, hannah, nil)).IDToken
	oldKey := publishedKeys(t, p).Keys[0].KeyID
	if err := p.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	if keys := publishedKeys(t, p).Keys; len(keys) != 2 || keys[0].KeyID != oldKey || keys[1].KeyID == oldKey {
		t.Errorf("after the rotation the keys are %v", keys)
	}
	verifiedClaims(t, p, old)
	rotated := exchange(t, p, signIn(t, newBrowser(t), p, hannah, nil)).IDToken
	verifiedClaims(t, p, rotated)

	p.WithdrawOldKeys()
	keys := publishedKeys(t, p)
	if len(keys.Keys) != 1 || keys.Keys[0].KeyID == oldKey {
		t.Errorf("after the withdrawal the keys are %v", keys)
	}
	verifiedClaims(t, p, rotated)
	signed, err := jose.ParseSignedCompact(old, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signed.Verify(keys); err == nil {
		t.Error("the old ID Token still verifies")
	}
}

func TestSign(t *testing.T) {
	p := start(t, Config{})
	public, err := x509.MarshalPKIXPublicKey(p.SigningKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	hmacKey := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	for _, test := range []struct {
		alg string
		key any
	}{
		{"RS256", p.SigningKey().Public()},
		{"RS512", p.SigningKey().Public()},
		{"PS256", p.SigningKey().Public()},
		{"HS256", hmacKey},
	} {
		t.Run(test.alg, func(t *testing.T) {
			token, err := p.Sign(map[string]any{"alg": test.alg, "typ": "odd"}, []byte(`{"sub":1,"sub":2}`))
			if err != nil {
				t.Fatal(err)
			}
			signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(test.alg)})
			if err != nil {
				t.Fatal(err)
			}
			payload, err := signed.Verify(test.key)
			if err != nil || string(payload) != `{"sub":1,"sub":2}` {
				t.Errorf("payload %s, %v", payload, err)
			}
			if header := tokenHeader(t, token); header["typ"] != "odd" || header["kid"] == "" {
				t.Errorf("header is %v", header)
			}
		})
	}
}

func TestSignOddHeaders(t *testing.T) {
	p := start(t, Config{})
	for _, test := range []struct {
		name     string
		header   map[string]any
		want     map[string]any // nil: not there
		unsigned bool
	}{
		{"none", map[string]any{"alg": "none"}, map[string]any{"alg": "none"}, true},
		{"unknown alg", map[string]any{"alg": "RS1"}, map[string]any{"alg": "RS1"}, false},
		{"no alg", map[string]any{"alg": nil}, map[string]any{"alg": nil}, false},
		{"no kid", map[string]any{"kid": nil}, map[string]any{"alg": "RS256", "kid": nil}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			token, err := p.Sign(test.header, []byte(`{}`))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(token, ".") != 2 || strings.HasSuffix(token, ".") != test.unsigned {
				t.Errorf("token is %s", token)
			}
			header := tokenHeader(t, token)
			for name, want := range test.want {
				if got, there := header[name]; got != want || there != (want != nil) {
					t.Errorf("header is %v", header)
				}
			}
		})
	}
}

func TestSignWithAnotherKey(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	token, err := Sign(key, map[string]any{"alg": "ES256"}, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signed.Verify(&key.PublicKey); err != nil {
		t.Error(err)
	}
	if _, err := Sign(key, map[string]any{"alg": "RS256"}, []byte(`{}`)); err == nil {
		t.Error("an EC key signs as RSA")
	}
}

func tokenHeader(t *testing.T, token string) map[string]any {
	t.Helper()
	encoded, _, _ := strings.Cut(token, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	var header map[string]any
	if err := json.Unmarshal(decoded, &header); err != nil {
		t.Fatal(err)
	}
	return header
}
