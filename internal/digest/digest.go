// Package digest makes one key of several texts: the same for the same texts in the same
// order, and only for those (SHA-256, FIPS 180-4). Each text goes in with its length, so
// that "ab" and "c" are not "a" and "bc".
//
// A key stands for texts that are too long or not to be kept where it is: the ID of a
// session in the database, a form that was sent, the state of all teams. Nobody gets back
// from it to a text that cannot be guessed. It has no key of its own, so that whoever knows
// the texts can make it: it proves nothing, and is no way to keep passwords. Start reading
// at Of.
package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// Of returns the same key for the same texts, and only for those.
func Of(texts ...string) string {
	// Short texts, of which each request has some, take no memory but the key.
	var room [128]byte
	whole := room[:0]
	for _, text := range texts {
		whole = append(append(strconv.AppendInt(whole, int64(len(text)), 10), ':'), text...)
	}
	sum := sha256.Sum256(whole)
	var key [2 * sha256.Size]byte
	hex.Encode(key[:], sum[:])
	return string(key[:])
}
