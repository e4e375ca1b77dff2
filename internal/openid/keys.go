package openid

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// SigningAlg is the one algorithm that an ID Token may be signed with: what a
// client gets that registers nothing else (OpenID Connect Core 1.0, 3.1.3.7,
// rule 7), and what Okta uses.
const SigningAlg = jose.RS256

const (
	// minKeyBits is the smallest RSA key whose signatures count (RFC 7518, 3.3).
	minKeyBits = 2048
	// KeyFetchInterval is the least time between two fetches that tokens with
	// an unknown key can cause.
	KeyFetchInterval = 30 * time.Second
)

// keySet holds the provider's signing keys (OpenID Connect Core 1.0, 10.1) and
// implements oidc.KeySet. Unlike go-oidc's own, a flood of unknown key IDs
// costs the provider one request in KeyFetchInterval, one malformed key does
// not hide the others, and a withdrawn key is forgotten at the next refresh.
type keySet struct {
	source string // jwks_uri
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	fetched time.Time // when the keys were last asked for, with or without success
}

// Refresh replaces the keys by those the provider publishes now. On an error
// the known ones stay. Nobody who needs only a known key waits for it.
func (s *keySet) Refresh(ctx context.Context) error {
	s.mu.Lock()
	s.fetched = s.now()
	s.mu.Unlock()
	keys, err := s.fetch(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.keys = keys
	s.mu.Unlock()
	return nil
}

// count is how many keys are known.
func (s *keySet) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.keys)
}

func (s *keySet) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	document, err := GetClaims(ctx, s.client, s.source, "")
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	var members []json.RawMessage
	if err := json.Unmarshal(document["keys"], &members); err != nil {
		return nil, errors.New("fetch keys: no array of keys in the answer")
	}
	var keys []jose.JSONWebKey
	for _, member := range members {
		if key, ok := parseKey(member); ok {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("fetch keys: no usable RSA signing key among them")
	}
	return keys, nil
}

// parseKey reads a public RSA key for signatures; any other is not ok.
func parseKey(member []byte) (key jose.JSONWebKey, ok bool) {
	if err := key.UnmarshalJSON(member); err != nil {
		return key, false
	}
	public, isRSA := key.Key.(*rsa.PublicKey)
	return key, isRSA && public.N.BitLen() >= minKeyBits &&
		(key.Use == "" || key.Use == "sig") && (key.Algorithm == "" || key.Algorithm == string(SigningAlg))
}

// VerifySignature returns the payload of a compact JWS that one of the
// provider's keys signed. It implements oidc.KeySet.
func (s *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(jwt, []jose.SignatureAlgorithm{SigningAlg})
	if err != nil {
		return nil, errors.New("not a compact JWS signed with " + string(SigningAlg))
	}
	if payload, ok := s.verify(jws); ok {
		return payload, nil
	}
	if !s.mayFetch() {
		return nil, errors.New("no known key made the signature, and the keys were fetched just now")
	}
	if err := s.Refresh(ctx); err != nil {
		return nil, err
	}
	if payload, ok := s.verify(jws); ok {
		return payload, nil
	}
	return nil, errors.New("no key of the provider made the signature")
}

// mayFetch claims the one fetch of KeyFetchInterval. Where no key is known
// there is nothing to lose by another.
func (s *keySet) mayFetch() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if len(s.keys) > 0 && now.Sub(s.fetched) < KeyFetchInterval {
		return false
	}
	s.fetched = now
	return true
}

// verify tries the key that the token names or, if it names none, all.
func (s *keySet) verify(jws *jose.JSONWebSignature) (payload []byte, ok bool) {
	s.mu.Lock()
	keys := s.keys
	s.mu.Unlock()
	for _, key := range keys {
		if id := jws.Signatures[0].Header.KeyID; id != "" && id != key.KeyID {
			continue
		}
		if payload, err := jws.Verify(key.Key); err == nil {
			return payload, true
		}
	}
	return nil, false
}
