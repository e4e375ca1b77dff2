package openid

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
)

// signingKey is the key in every test: making one takes longer than
// a whole sign-in.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })

// upstreamText stands in bodies that the provider sends and nobody may see.
const upstreamText = "upstream-canary-5e1f"

func newKey(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}
