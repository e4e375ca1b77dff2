package secret

// secret is a value that must never be seen. However it is formatted or
// logged, it shows as [redacted].
type Text string

func (Text) String() string { return "[redacted]" }

func (Text) GoString() string { return "[redacted]" }

func (Text) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }
