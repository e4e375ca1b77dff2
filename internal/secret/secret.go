// Package secret holds values that must never be seen, so that no line of a log, no error
// and no JSON shows one by accident, whoever prints the struct in which it stands.
//
// Whoever needs the value itself says so: string(s) is the one way to it, and can be
// searched for. It protects against carelessness only: it encrypts nothing and wipes
// nothing from memory. What makes a good secret, and where it is read from, is config's;
// doctor warns of one that can be guessed. Start reading at Text.
package secret

// Text is a value that must never be seen. However it is formatted or
// logged, it shows as [redacted].
type Text string

// String implements fmt.Stringer.
func (Text) String() string { return "[redacted]" }

// GoString implements fmt.GoStringer, for %#v.
func (Text) GoString() string { return "[redacted]" }

// MarshalText implements encoding.TextMarshaler, which encoding/json and slog go by.
func (Text) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }
