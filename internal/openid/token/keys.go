package token

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"expense-dashboard/internal/openid/claims"
)

// DefaultSigningAlg is the algorithm of ID Tokens that a client gets which
// registers nothing else (OpenID Connect Core 1.0, 3.1.3.7, rule 7), and what Okta
// uses.
const DefaultSigningAlg = jose.RS256

const (
	// MinKeyBits is the smallest RSA key whose signatures count (RFC 7518, 3.3).
	MinKeyBits = 2048
	// KeyFetchBurst is how many fetches tokens with an unknown key can cause one
	// after the other, and KeyFetchInterval how long it takes until one more can.
	KeyFetchBurst    = 3
	KeyFetchInterval = 20 * time.Second
)

// Keys holds the provider's signing keys (OpenID Connect Core 1.0, 10.1) and
// implements oidc.KeySet. Unlike go-oidc's own, one malformed key does not hide the
// others, a withdrawn key is forgotten at the next refresh, and a flood of unknown
// keys costs the provider a few requests a minute. A token with an unknown key
// waits for the fetch that is under way, whoever began it; who needs a known key
// waits for nothing.
type Keys struct {
	issuer string                  // whose they are
	alg    jose.SignatureAlgorithm // the only one that counts
	now    func() time.Time
	get    func(context.Context) (claims.Claims, error) // the document of the keys, as it is now

	mu       sync.Mutex
	keys     []jose.JSONWebKey
	fetching *keyFetch // nil unless one is under way
	failed   error     // of the last fetch; nil if it brought keys
	budget   fetchBudget
}

// NewKeys returns an issuer's keys, of which none is known yet. alg is the one by which
// it signs: RS256, PS256, ES256 or EdDSA; no key is good enough for another one. get
// fetches the document that holds them (RFC 7517, 5), and itself sees to it that it ends.
func NewKeys(issuer, alg string, now func() time.Time, get func(context.Context) (claims.Claims, error)) *Keys {
	return &Keys{issuer: issuer, alg: jose.SignatureAlgorithm(alg), now: now, get: get}
}

// keyFetch is a fetch of the keys, for all who wait for it.
type keyFetch struct {
	done chan struct{} // closed when err is there
	err  error
}

// fetchBudget bounds the fetches that tokens cause: KeyFetchBurst of them, and one
// more each KeyFetchInterval.
type fetchBudget struct {
	spent int
	since time.Time // when one of those spent is given back next, less KeyFetchInterval
}

// take reports whether a fetch may begin now, and spends it.
func (b *fetchBudget) take(now time.Time) bool {
	// A clock that was set back must not hold up fetches for as long.
	for b.spent > 0 && now.Sub(b.since).Abs() >= KeyFetchInterval {
		b.spent--
		b.since = b.since.Add(KeyFetchInterval)
	}
	if b.spent == KeyFetchBurst {
		return false
	}
	if b.spent == 0 {
		b.since = now
	}
	b.spent++
	return true
}

// Refresh replaces the keys by those the provider publishes now. On an error the
// known ones stay.
func (k *Keys) Refresh(ctx context.Context) error {
	k.mu.Lock()
	fetch := k.joinLocked()
	k.mu.Unlock()
	return fetch.wait(ctx)
}

// joinLocked returns the fetch that is under way, which is new if there was none.
// It goes on when whoever began it goes away, for as long as get may take.
func (k *Keys) joinLocked() *keyFetch {
	if k.fetching != nil {
		return k.fetching
	}
	fetch := &keyFetch{done: make(chan struct{})}
	k.fetching = fetch
	go func() {
		keys, err := k.fetch(context.Background())
		k.mu.Lock()
		defer k.mu.Unlock()
		if err == nil {
			k.keys = keys
		}
		fetch.err, k.failed, k.fetching = err, err, nil
		close(fetch.done)
	}()
	return fetch
}

func (f *keyFetch) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Count is how many keys are known.
func (k *Keys) Count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.keys)
}

func (k *Keys) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	document, err := k.get(ctx)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	var members []json.RawMessage
	if err := json.Unmarshal(document["keys"], &members); err != nil {
		return nil, errors.New("fetch keys: no array of keys in the answer")
	}
	var keys []jose.JSONWebKey
	for _, member := range members {
		if key, ok := parseKey(member, k.alg); ok {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("fetch keys: no usable signing key for %s among them", k.alg)
	}
	return keys, nil
}

// parseKey reads a public key that signs with an algorithm; any other is not ok.
// Only the members that make the key and say what it is for are looked at: what
// else stands beside them, such as a certificate, makes a good key no worse.
func parseKey(member []byte, alg jose.SignatureAlgorithm) (key jose.JSONWebKey, ok bool) {
	c, err := claims.Parse(member)
	if err != nil || !isForSignatures(c, alg) {
		return key, false
	}
	essential := map[string]string{}
	for _, name := range keyMembers(alg) {
		value, err := c.Text(name)
		if err != nil {
			return key, false
		}
		if name != "kty" && name != "crv" {
			value = base64Variants.Replace(value)
		}
		essential[name] = value
	}
	encoded, err := json.Marshal(essential)
	if err != nil || key.UnmarshalJSON(encoded) != nil {
		return jose.JSONWebKey{}, false
	}
	if key.KeyID, err = c.OptionalText("kid"); err != nil {
		return jose.JSONWebKey{}, false
	}
	return key, isStrongEnough(key.Key, alg)
}

// base64Variants turns what some providers write into the base64url without
// padding that RFC 7518, 2 wants. The value is the same.
var base64Variants = strings.NewReplacer("=", "", "+", "-", "/", "_")

// keyMembers are the members that make a public key for an algorithm (RFC 7518, 6.2
// and 6.3; RFC 8037, 2).
func keyMembers(alg jose.SignatureAlgorithm) []string {
	switch alg {
	case jose.ES256:
		return []string{"kty", "crv", "x", "y"}
	case jose.EdDSA:
		return []string{"kty", "crv", "x"}
	default:
		return []string{"kty", "n", "e"}
	}
}

// isForSignatures reports whether a key's own members allow signatures with an
// algorithm (RFC 7517, 4.2 to 4.4).
func isForSignatures(c claims.Claims, alg jose.SignatureAlgorithm) bool {
	use, err1 := c.OptionalText("use")
	named, err2 := c.OptionalText("alg")
	if err1 != nil || err2 != nil || (use != "" && use != "sig") {
		return false
	}
	// RFC 9864 gives EdDSA with this curve a name of its own.
	if named != "" && named != string(alg) && (alg != jose.EdDSA || named != "Ed25519") {
		return false
	}
	if !c.Has("key_ops") {
		return true
	}
	operations, err := c.Texts("key_ops")
	return err == nil && slices.Contains(operations, "verify")
}

func isStrongEnough(key any, alg jose.SignatureAlgorithm) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return (alg == jose.RS256 || alg == jose.PS256) && key.N.BitLen() >= MinKeyBits
	case *ecdsa.PublicKey:
		return alg == jose.ES256 && key.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return alg == jose.EdDSA
	default:
		return false
	}
}

// VerifySignature returns the payload of a compact JWS that one of the
// provider's keys signed. It implements oidc.KeySet.
func (k *Keys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(jwt, []jose.SignatureAlgorithm{k.alg})
	if err != nil {
		return nil, errors.New("not a compact JWS signed with " + string(k.alg))
	}
	if payload, ok := k.verify(jws); ok {
		return payload, nil
	}
	fetch, err := k.fetchForToken()
	if err != nil {
		return nil, err
	}
	if err := fetch.wait(ctx); err != nil {
		return nil, err
	}
	if payload, ok := k.verify(jws); ok {
		return payload, nil
	}
	return nil, errors.New("no key of the provider made the signature")
}

// fetchForToken returns the fetch that a token with an unknown key waits for: the
// one under way, or a new one as long as there are not too many.
func (k *Keys) fetchForToken() (*keyFetch, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fetching == nil && !k.budget.take(k.now()) {
		if len(k.keys) == 0 && k.failed != nil {
			return nil, k.failed
		}
		return nil, errors.New("no known key made the signature, and the keys were fetched just now")
	}
	return k.joinLocked(), nil
}

// verify tries the key that the token names or, if it names none, all.
func (k *Keys) verify(jws *jose.JSONWebSignature) (payload []byte, ok bool) {
	k.mu.Lock()
	keys := k.keys
	k.mu.Unlock()
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
