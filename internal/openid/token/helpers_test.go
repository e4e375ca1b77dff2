package token

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
)

// signingKey is the provider's key in every test: making one takes longer than
// a whole sign-in.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })

func newKey(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}
