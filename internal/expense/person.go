package expense

import (
	"strings"
	"time"
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

// CategoryKey returns the form of a category by which it is one whatever its case
// and its runs of spaces.
func CategoryKey(label string) string {
	words := strings.FieldsFunc(Fold(label), func(r rune) bool { return r == ' ' || r == '\u00a0' })
	return strings.Join(words, " ")
}
