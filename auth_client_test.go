package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
)

// clientKeyFile keeps a private key in a file of the test's own.
func clientKeyFile(t *testing.T, private any) string {
	t.Helper()
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "client-key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// The client proves with its key who it is, anew in each request: an assertion that
// somebody has seen is no good to them.
func TestPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for alg, key := range map[string]crypto.Signer{"RS256": apptest.SigningKey(), "ES256": curve} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			r := startSite(t, setup{
				env:      map[string]string{"OKTA_PRIVATE_KEY_FILE": clientKeyFile(t, key), "OKTA_CLIENT_SECRET": ""},
				provider: devidp.Config{ClientKey: key.Public()},
			})
			for range 3 {
				r.Browser().SignIn(finance)
			}
			seen := map[string]bool{}
			for _, request := range r.Provider.Requests("token") {
				if request.Form.Has("client_secret") || request.Header.Get("Authorization") != "" {
					t.Errorf("a secret is sent too: %v", request.Form)
				}
				seen[assertionID(t, request.Form.Get("client_assertion"), alg, key.Public(), r)] = true
			}
			if len(seen) != 3 {
				t.Errorf("3 requests have %d different jti", len(seen))
			}
			replayed := url.Values{
				"grant_type": {"authorization_code"}, "code": {"x"}, "redirect_uri": {"x"}, "code_verifier": {"x"},
				"client_assertion_type": {r.Provider.Requests("token")[0].Form.Get("client_assertion_type")},
				"client_assertion":      {r.Provider.Requests("token")[0].Form.Get("client_assertion")},
			}
			r.Browser().Post(r.Provider.Issuer()+"/v1/token", replayed).Check(t, http.StatusUnauthorized, "invalid_client", "used before")
		})
	}
}

// assertionID checks an assertion as RFC 7523, 3 says and returns its jti.
func assertionID(t *testing.T, assertion, alg string, public crypto.PublicKey, r *rig) string {
	t.Helper()
	signed, err := jose.ParseSignedCompact(assertion, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := signed.Verify(public)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	if claims["iss"] != r.Provider.ClientID() || claims["sub"] != r.Provider.ClientID() || claims["aud"] != r.Provider.Issuer()+"/v1/token" ||
		signed.Signatures[0].Header.KeyID != thumbprint(t, public) {
		t.Errorf("the assertion says %v under %v", claims, signed.Signatures[0].Header)
	}
	id, _ := claims["jti"].(string)
	return id
}

// Another key than the registered one is refused, and the log says what to change.
func TestPrivateKeyJWTOfAnotherKey(t *testing.T) {
	t.Parallel()
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := startSite(t, setup{
		env:      map[string]string{"OKTA_PRIVATE_KEY_FILE": clientKeyFile(t, other), "OKTA_CLIENT_SECRET": ""},
		provider: devidp.Config{ClientKey: apptest.SigningKey().Public()},
	})
	b := r.Browser()
	b.Get(b.BeginSignIn(finance).String()).Check(t, http.StatusBadGateway, "Okta does not know this application", "Public key / Private key")
	if log := r.Log.String(); !strings.Contains(log, "reason=invalid_client") {
		t.Errorf("the log says %s", log)
	}
}

func TestClientSecretPost(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{env: map[string]string{"OKTA_CLIENT_AUTH": "client_secret_post"}})
	r.Browser().SignIn(finance)
	request := r.Provider.Requests("token")[0]
	if request.Form.Get("client_secret") != r.Provider.ClientSecret() || request.Header.Get("Authorization") != "" {
		t.Errorf("the token request is %v, %v", request.Form, request.Header)
	}
}
