package devidp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// signingKey signs ID Tokens. A withdrawn one is no longer published, but what
// it signed is still taken as an id_token_hint.
type signingKey struct {
	private   crypto.Signer
	alg       string
	id        string
	withdrawn bool
}

func (k signingKey) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: k.alg, Use: "sig"}
}

// RotateKeys makes a new key that signs from now on. The keys before it stay
// published until WithdrawOldKeys.
func (p *Provider) RotateKeys() error {
	private, err := newSigningKey(p.config.SigningAlg)
	if err != nil {
		return fmt.Errorf("make signing key: %w", err)
	}
	return p.addKey(private)
}

// newSigningKey makes a key for an algorithm of Config.SigningAlg.
func newSigningKey(alg string) (crypto.Signer, error) {
	switch jose.SignatureAlgorithm(alg) {
	case jose.RS256, jose.PS256:
		return rsa.GenerateKey(rand.Reader, 2048)
	case jose.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	default:
		return nil, fmt.Errorf("%q is not RS256, PS256, ES256 or EdDSA", alg)
	}
}

func (p *Provider) addKey(private crypto.Signer) error {
	public := jose.JSONWebKey{Key: private.Public()}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return fmt.Errorf("name signing key: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(p.keys, signingKey{private: private, alg: p.config.SigningAlg, id: base64.RawURLEncoding.EncodeToString(thumbprint)})
	return nil
}

// WithdrawOldKeys publishes only the key that signs.
func (p *Provider) WithdrawOldKeys() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.keys[:len(p.keys)-1] {
		p.keys[i].withdrawn = true
	}
}

// SigningKey returns the key that signs.
func (p *Provider) SigningKey() crypto.Signer {
	return p.currentKey().private
}

func (p *Provider) currentKey() signingKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys[len(p.keys)-1]
}

// allKeys returns every key that ever signed.
func (p *Provider) allKeys() []signingKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.keys)
}

// jwks handles GET /oauth2/default/v1/keys.
func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) {
	published := []map[string]any{}
	for _, key := range p.allKeys() {
		if key.withdrawn {
			continue
		}
		members, err := asMap(key.public())
		if err != nil {
			http.Error(w, "A key cannot be published.", http.StatusInternalServerError)
			return
		}
		published = append(published, members)
	}
	if change := p.currentFaults().Keys; change != nil {
		published = change(published)
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": published})
}

func asMap(key jose.JSONWebKey) (map[string]any, error) {
	encoded, err := key.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	var members map[string]any
	if err := json.Unmarshal(encoded, &members); err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	return members, nil
}

// Sign returns payload as a compact JWS, signed with the current key. Members of
// header are added to "alg" (Config.SigningAlg) and "kid", or take their place; a nil one
// takes them away.
//
// An "alg" of the HMAC family is keyed with the public key in PEM, which is what
// an attacker knows. Otherwise Sign is the function Sign.
func (p *Provider) Sign(header map[string]any, payload []byte) (string, error) {
	key := p.currentKey()
	full := map[string]any{"alg": key.alg, "kid": key.id}
	for name, value := range header {
		if value == nil {
			delete(full, name)
		} else {
			full[name] = value
		}
	}
	return signWith(key, full, payload)
}

func signWith(key signingKey, header map[string]any, payload []byte) (string, error) {
	if alg, _ := header["alg"].(string); strings.HasPrefix(alg, "HS") {
		public, err := x509.MarshalPKIXPublicKey(key.private.Public())
		if err != nil {
			return "", fmt.Errorf("encode public key: %w", err)
		}
		return Sign(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), header, payload)
	}
	return Sign(key.private, header, payload)
}

// Sign returns payload as a compact JWS under exactly this header, with a key
// that fits its "alg": *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey, or
// []byte for HMAC. With "alg" none there is no signature. With an "alg" that is
// missing or unknown an RSA key signs as for RS256.
func Sign(key any, header map[string]any, payload []byte) (string, error) {
	alg, _ := header["alg"].(string)
	if !slices.Contains(signatureAlgorithms(), jose.SignatureAlgorithm(alg)) {
		return signOdd(key, header, payload)
	}
	options := &jose.SignerOptions{}
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: key}, options)
	if err != nil {
		return "", fmt.Errorf("prepare signature: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return signed.CompactSerialize()
}

func signatureAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.HS256, jose.HS384, jose.HS512, jose.EdDSA,
	}
}

// signOdd makes by hand the JWS that a library rightly does not.
func signOdd(key any, header map[string]any, payload []byte) (string, error) {
	protected, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("encode header: %w", err)
	}
	input := base64.RawURLEncoding.EncodeToString(protected) + "." + base64.RawURLEncoding.EncodeToString(payload)
	if header["alg"] == "none" {
		return input + ".", nil
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return "", errors.New("sign with an unknown alg: the key is not an RSA key")
	}
	hash := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, hash[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
