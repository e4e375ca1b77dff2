package claims

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxAddressLength is how many bytes an address may have (RFC 5321,
	// 4.5.3.1.3, less the angle brackets).
	MaxAddressLength = 254
	// MaxTokenText is how many characters jti and sid may have.
	MaxTokenText = 255
)

// IsAddress reports whether a text can be kept and compared as an address.
func IsAddress(text string) bool {
	return text != "" && len(text) <= MaxAddressLength && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// IsProviderSID reports whether a sid is short enough and plain enough to keep.
func IsProviderSID(sid string) bool {
	return utf8.RuneCountInString(sid) <= MaxTokenText && utf8.ValidString(sid) && !strings.ContainsFunc(sid, unicode.IsControl)
}
