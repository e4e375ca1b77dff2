package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// hashOf returns the same key for the same texts, and only for those.
func Of(texts ...string) string {
	var whole []byte
	for _, text := range texts {
		whole = append(append(strconv.AppendInt(whole, int64(len(text)), 10), ':'), text...)
	}
	sum := sha256.Sum256(whole)
	return hex.EncodeToString(sum[:])
}
