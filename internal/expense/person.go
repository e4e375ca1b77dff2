package expense

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Person is somebody of whom expenses speak. Who has signed in is known by the
// subject of the ID Token; before that, by an address or by nothing but a name.
type Person struct {
	ID      int64
	Issuer  string    // the host that vouches for the subject; empty before the first sign-in
	Address string    // as last told; empty where it is not known
	Name    string    // as last told
	SeenAt  time.Time // of the last sign-in, in UTC; zero before the first
	Joined  int64     // the person that an administrator says this is; zero for none
	Count   int64     // of the expenses that stand and that name this person
	Total   Money     // of these
}

// PersonError is why people can be neither joined nor parted. Its text is a sentence
// for whoever asked for it.
type PersonError struct{ Text string }

// Error implements error.
func (e *PersonError) Error() string { return "people: " + e.Text }

// MaxAddress is the most bytes of an email address (RFC 5321, 4.5.3.1.3, less the angle
// brackets).
const MaxAddress = 254

// AddressProblem says what keeps a text from being an email address, to go on with after
// “it”, or nothing. What stands in quotation marks and an IP address in brackets (RFC 5322,
// 3.4.1) are addresses that nobody is known by.
func AddressProblem(text string) string {
	at := strings.LastIndexByte(text, '@')
	unread := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError }
	switch {
	case at < 0 || isBlank(strings.Trim(text[:at], "@")) || isBlank(text[at+1:]):
		return "needs an @ with something on both sides"
	case strings.ContainsFunc(text, unread):
		return "holds white space, a control character or one that cannot be read"
	case strings.ContainsAny(text, `,:;"\()<>[]`):
		return "holds a comma, a colon, a semicolon, a quotation mark, a backslash or a bracket"
	case len(text) > MaxAddress:
		return fmt.Sprintf("has %d bytes, and may have %d", len(text), MaxAddress)
	}
	return ""
}

// IsAddress reports whether a text names somebody by an email address.
func IsAddress(text string) bool { return AddressProblem(text) == "" }

// PersonProblem is AddressProblem of a text that names a person. One with an @ and no
// space is meant for an address; each other one is a name.
func PersonProblem(text string) string {
	if !strings.Contains(text, "@") || strings.Contains(text, " ") {
		return ""
	}
	return AddressProblem(text)
}

// CategoryKey returns the form of a category by which it is one whatever its case
// and its runs of spaces.
func CategoryKey(label string) string {
	words := strings.FieldsFunc(Fold(label), func(r rune) bool { return r == ' ' || r == '\u00a0' })
	return strings.Join(words, " ")
}
