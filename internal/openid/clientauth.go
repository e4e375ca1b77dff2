package openid

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"expense-dashboard/internal/openid/claims"
	"expense-dashboard/internal/openid/token"
)

// The ways in which a client authenticates at the endpoints of the provider (OpenID
// Connect Core 1.0, 9).
const (
	PrivateKeyJWT     = "private_key_jwt"
	ClientSecretBasic = "client_secret_basic"
	ClientSecretPost  = "client_secret_post"
)

// ClientKey is the key that a client authenticates with in place of a secret.
type ClientKey struct {
	key jose.JSONWebKey // private, with its thumbprint as KeyID
	alg jose.SignatureAlgorithm
}

const (
	// maxKeyFile is how many bytes the file of a key may have.
	maxKeyFile = 64 << 10
	// assertionLifetime is how long an assertion can be used; Okta takes an hour at
	// most.
	assertionLifetime = 5 * time.Minute
)

// OpenClientKey reads the file of a private key, in PEM or as a JWK (RFC 7517): RSA
// of 2,048 bits or more, which signs by RS256, or P-256, which signs by ES256. An
// empty path is no key, and no error. No error quotes the file.
func OpenClientKey(path string) (*ClientKey, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("names a file that cannot be read: %w", err)
	}
	if len(data) > maxKeyFile {
		return nil, errors.New("names a file that is too long for a key")
	}
	private, err := parsePrivateKey(bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	if err != nil {
		return nil, err
	}
	return newClientKey(private)
}

func parsePrivateKey(data []byte) (any, error) {
	if bytes.HasPrefix(data, []byte("{")) {
		var key jose.JSONWebKey
		if err := json.Unmarshal(data, &key); err != nil || !key.Valid() {
			return nil, errors.New("names a file that is not a JWK")
		}
		return key.Key, nil
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("names a file that is neither PEM nor a JWK")
	}
	var private any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		private, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		private, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		private, err = x509.ParseECPrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("names a key that needs a password: keep it without one, readable for this program only")
	default:
		return nil, errors.New("names a PEM file that holds no private key")
	}
	if err != nil {
		return nil, errors.New("names a PEM file whose key is malformed or needs a password")
	}
	return private, nil
}

func newClientKey(private any) (*ClientKey, error) {
	k := &ClientKey{key: jose.JSONWebKey{Key: private, Use: "sig"}}
	switch private := private.(type) {
	case *rsa.PrivateKey:
		if private.N.BitLen() < token.MinKeyBits {
			return nil, fmt.Errorf("names an RSA key of %d bits: it needs %d or more", private.N.BitLen(), token.MinKeyBits)
		}
		k.alg = jose.RS256
	case *ecdsa.PrivateKey:
		if private.Curve != elliptic.P256() {
			return nil, errors.New("names an elliptic key that is not of the curve P-256")
		}
		k.alg = jose.ES256
	default:
		return nil, errors.New("names a key that is not a private RSA or P-256 key")
	}
	k.key.Algorithm = string(k.alg)
	sum, err := k.key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, errors.New("names a key that has no thumbprint")
	}
	k.key.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	return k, nil
}

// PublicJWK returns the public key as a JWK, for the provider to know the client by.
// Its kid is the thumbprint of RFC 7638.
func (k *ClientKey) PublicJWK() string {
	encoded, err := k.key.Public().MarshalJSON()
	if err != nil {
		// newClientKey has taken its thumbprint.
		panic("a key that cannot be published: " + err.Error())
	}
	return string(encoded)
}

// assertion is a JWT by which a client proves to an endpoint who it is (RFC 7523, 3).
// Each has a jti of its own, so that none is good twice.
func (k *ClientKey) assertion(clientID, endpoint string, now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{
		"iss": clientID, "sub": clientID, "aud": endpoint, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(assertionLifetime).Unix(),
	})
	if err != nil {
		return "", fmt.Errorf("client assertion: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: k.key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("client assertion: %w", err)
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", fmt.Errorf("client assertion: %w", err)
	}
	return signed.CompactSerialize()
}

// ClientAuthMethod returns how a client authenticates with a provider of that
// metadata: as asked or, where nothing is asked, with its key if it has one, else by
// client_secret_basic, which holds where the metadata is silent (OpenID Connect
// Discovery 1.0, 3), else by client_secret_post. Never by two: the code would be sent
// twice.
func ClientAuthMethod(metadata claims.Claims, asked string, key *ClientKey) (string, error) {
	const name = "token_endpoint_auth_methods_supported"
	if asked == "" && key != nil {
		asked = PrivateKeyJWT
	}
	switch {
	case asked == PrivateKeyJWT && key != nil:
		return asked, errors.Join(Supports(metadata, name, asked), Supports(metadata, "token_endpoint_auth_signing_alg_values_supported", string(key.alg)))
	case asked == PrivateKeyJWT:
		return "", errors.New("private_key_jwt needs a key, which OKTA_PRIVATE_KEY_FILE names")
	case asked != "":
		if err := Supports(metadata, name, asked); err != nil {
			return "", fmt.Errorf("%w, which OKTA_CLIENT_AUTH names", err)
		}
		return asked, nil
	case Supports(metadata, name, ClientSecretBasic) == nil:
		return ClientSecretBasic, nil
	case Supports(metadata, name, ClientSecretPost) == nil:
		return ClientSecretPost, nil
	}
	return "", errors.New(name + " holds neither client_secret_basic nor client_secret_post")
}

// authStyle is how x/oauth2 sends what authenticates the client. An assertion goes
// beside client_id in the form.
func authStyle(method string) oauth2.AuthStyle {
	if method == ClientSecretBasic {
		return oauth2.AuthStyleInHeader
	}
	return oauth2.AuthStyleInParams
}

// assertionType is client_assertion_type for a JWT (RFC 7523, 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// clientAssertion returns what is added to a request to an endpoint where the client
// authenticates with its key: nothing where it does not.
func (c *Client) clientAssertion(p *Provider, endpoint string) (map[string]string, error) {
	if p.authMethod != PrivateKeyJWT {
		return nil, nil
	}
	assertion, err := c.config.ClientKey.assertion(c.config.ClientID, endpoint, c.config.Now())
	if err != nil {
		return nil, err
	}
	return map[string]string{"client_assertion_type": assertionType, "client_assertion": assertion}, nil
}
