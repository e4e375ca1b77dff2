package openid

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
)

// signingKey is the provider's key in every test: making one takes longer than
// a whole sign-in.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })

// upstreamText stands in bodies that the provider sends and nobody may see.
const upstreamText = "upstream-canary-5e1f"

const rightRevocation = `{"sub_id":{"format":"email","email":"` + finance + `"}}`

func newKey(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

// The sample's people, by where they belong.
const (
	admin       = "hannah.smith@task-vantage.com"
	legal       = "grace.li@task-vantage.com"
	devAdvocacy = "frank.wilson+@task-vantage.com"
	finance     = "carol.lee@task-vantage.com"
	marketing   = "alice.johnson@task-vantage.com"
	hr          = "sarah.morgan@task-vantage.com"
	teamless    = "noah.brown@task-vantage.com"
)
