// Package digest makes keys that say nothing of the texts that they stand for, and that
// are the same only for the same texts (SHA-256, FIPS 180-4).
package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// Of returns the same key for the same texts, and only for those.
func Of(texts ...string) string {
	sum := Sum(texts...)
	var key [2 * sha256.Size]byte
	hex.Encode(key[:], sum[:])
	return string(key[:])
}

// Sum returns the key as bytes, of which a map keeps half as many.
func Sum(texts ...string) [sha256.Size]byte {
	// Short texts, of which each request has some, take no memory but the key.
	var room [128]byte
	whole := room[:0]
	for _, text := range texts {
		whole = append(append(strconv.AppendInt(whole, int64(len(text)), 10), ':'), text...)
	}
	return sha256.Sum256(whole)
}
