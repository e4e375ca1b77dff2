package openid

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"expense-dashboard/internal/openid/claims"
)

func pemOf(t *testing.T, kind string, private any) string {
	t.Helper()
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: encoded}))
}

func jwkOf(t *testing.T, key any) string {
	t.Helper()
	encoded, err := (&jose.JSONWebKey{Key: key}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

func TestOpenClientKey(t *testing.T) {
	t.Parallel()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, content, alg string
		problem            string
	}{
		{"RSA in PKCS#8", pemOf(t, "PRIVATE KEY", signingKey()), "RS256", ""},
		{"RSA in PKCS#1", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(signingKey())})), "RS256", ""},
		{"P-256 in PKCS#8", pemOf(t, "PRIVATE KEY", curve), "ES256", ""},
		{"P-256 in SEC 1", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})), "ES256", ""},
		{"a JWK", "\ufeff " + jwkOf(t, curve) + "\n", "ES256", ""},
		{"a short RSA key", pemOf(t, "PRIVATE KEY", newKey(1024)), "", "1024 bits"},
		{"P-384", pemOf(t, "PRIVATE KEY", wide), "", "P-256"},
		{"a public JWK", jwkOf(t, &curve.PublicKey), "", "not a private"},
		{"a symmetric JWK", jwkOf(t, []byte("canary canary canary canary")), "", "not a JWK"},
		{"a key with a password", pemOf(t, "ENCRYPTED PRIVATE KEY", curve), "", "needs a password"},
		{"a certificate", pemOf(t, "CERTIFICATE", curve), "", "no private key"},
		{"broken PEM", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("canary")})), "", "malformed"},
		{"broken JSON", `{"kty":"canary"`, "", "not a JWK"},
		{"a text", "canary", "", "neither PEM nor a JWK"},
		{"nothing", "", "", "neither PEM nor a JWK"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			key, err := OpenClientKey(file)
			if test.problem != "" {
				if err == nil || !strings.Contains(err.Error(), test.problem) || strings.Contains(err.Error(), "canary") {
					t.Errorf("the key is %v, %v", key, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var public map[string]string
			if err := json.Unmarshal([]byte(key.PublicJWK()), &public); err != nil || public["alg"] != test.alg || public["kid"] == "" || public["d"] != "" {
				t.Errorf("the public key is %s, %v", key.PublicJWK(), err)
			}
		})
	}
	if key, err := OpenClientKey(""); key != nil || err != nil {
		t.Errorf("no file is the key %v, %v", key, err)
	}
	if _, err := OpenClientKey(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a file that is not there is a key")
	}
}

// A key is named by its thumbprint (RFC 7638), which is always the same.
func TestClientKeyID(t *testing.T) {
	t.Parallel()
	first, err1 := newClientKey(signingKey())
	again, err2 := newClientKey(signingKey())
	if err1 != nil || err2 != nil || first.PublicJWK() != again.PublicJWK() || len(first.key.KeyID) != 43 {
		t.Errorf("the key is named %q, then %q", first.key.KeyID, again.key.KeyID)
	}
}

func TestClientAuthMethod(t *testing.T) {
	t.Parallel()
	key, err := newClientKey(signingKey())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, metadata, asked string
		key                   *ClientKey
		want, problem         string
	}{
		{"a secret, and the metadata is silent", `{}`, "", nil, ClientSecretBasic, ""},
		{"a secret, and both ways", `{"token_endpoint_auth_methods_supported":["client_secret_post","client_secret_basic"]}`, "", nil, ClientSecretBasic, ""},
		{"a secret, and post alone", `{"token_endpoint_auth_methods_supported":["client_secret_post"]}`, "", nil, ClientSecretPost, ""},
		{"a secret, and keys alone", `{"token_endpoint_auth_methods_supported":["private_key_jwt"]}`, "", nil, "", "neither client_secret_basic"},
		{"a key, and the metadata is silent", `{}`, "", key, PrivateKeyJWT, ""},
		{"a key, and secrets alone", `{"token_endpoint_auth_methods_supported":["client_secret_basic"]}`, "", key, "", "does not hold private_key_jwt"},
		{"a key of another algorithm", `{"token_endpoint_auth_signing_alg_values_supported":["ES256"]}`, "", key, "", "does not hold RS256"},
		{"post is asked for", `{}`, ClientSecretPost, nil, ClientSecretPost, ""},
		{"post is asked for beside a key", `{}`, ClientSecretPost, key, ClientSecretPost, ""},
		{"what is asked for is not there", `{"token_endpoint_auth_methods_supported":["client_secret_basic"]}`, ClientSecretPost, nil, "", "which OKTA_CLIENT_AUTH names"},
		{"a key is asked for and there is none", `{}`, PrivateKeyJWT, nil, "", "OKTA_PRIVATE_KEY_FILE"},
	} {
		metadata, err := claims.Parse([]byte(test.metadata))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ClientAuthMethod(metadata, test.asked, test.key)
		if test.problem == "" && (err != nil || got != test.want) || test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)) {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
	}
}
