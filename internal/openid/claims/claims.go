// Package claims reads what the provider says: JSON objects, by the exact names of
// their members. A metadata document, an ID Token's payload and a key are such.
//
// It is strict where encoding/json is kind: a name that occurs twice is an error, and
// so is anything behind the object; what is missing, and what is of another type, is
// never an empty value. No error of it quotes what was read. What a claim means is for
// whoever asks for it.
//
// Start reading at Parse, and then at Claims.Text.
package claims

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Claims are the members of a JSON object that the provider sent, by their
// exact names. (encoding/json, and go-oidc with it, would let "EMAIL" stand in
// for "email" and the last of two equal names win.)
type Claims map[string]json.RawMessage

// Parse decodes one JSON object. A name that occurs twice is an error
// (RFC 7519, 4), as is anything behind the object. No error text quotes data.
func Parse(data []byte) (Claims, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	c := Claims{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, errors.New("malformed JSON object")
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, errors.New("malformed JSON object")
		}
		if _, twice := c[name.(string)]; twice {
			return nil, errors.New("a member occurs twice")
		}
		c[name.(string)] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, errors.New("malformed JSON object")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data behind the JSON object")
	}
	return c, nil
}

// Has reports whether there is a member of that name, whatever its value.
func (c Claims) Has(name string) bool {
	_, ok := c[name]
	return ok
}

// Text returns a member that must be a string with at least one character.
func (c Claims) Text(name string) (string, error) {
	raw, ok := c[name]
	if !ok {
		return "", fmt.Errorf("%s is missing", name)
	}
	var value string
	if raw[0] != '"' || json.Unmarshal(raw, &value) != nil {
		return "", fmt.Errorf("%s is not a string", name)
	}
	if value == "" {
		return "", fmt.Errorf("%s is empty", name)
	}
	return value, nil
}

// OptionalText returns a string member, or "" where it is missing, null or
// empty, which OpenID Connect Core 1.0, 5.3.2 asks providers to leave out.
func (c Claims) OptionalText(name string) (string, error) {
	if raw, ok := c[name]; !ok || string(raw) == "null" || string(raw) == `""` {
		return "", nil
	}
	return c.Text(name)
}

// Texts returns a member that is a string or an array of strings.
func (c Claims) Texts(name string) ([]string, error) {
	if raw, ok := c[name]; ok && raw[0] == '[' {
		var values []*string
		if err := json.Unmarshal(raw, &values); err != nil {
			return nil, fmt.Errorf("%s is not an array of strings", name)
		}
		texts := make([]string, len(values))
		for i, value := range values {
			if value == nil {
				return nil, fmt.Errorf("%s is not an array of strings", name)
			}
			texts[i] = *value
		}
		return texts, nil
	}
	value, err := c.Text(name)
	if err != nil {
		return nil, err
	}
	return []string{value}, nil
}

// Date returns a NumericDate (RFC 7519, 2): seconds since 1970, which may have
// a fraction.
func (c Claims) Date(name string) (time.Time, error) {
	raw, ok := c[name]
	if !ok {
		return time.Time{}, fmt.Errorf("%s is missing", name)
	}
	var seconds float64
	if raw[0] == 'n' || json.Unmarshal(raw, &seconds) != nil || seconds < 0 || seconds > 1<<40 {
		return time.Time{}, fmt.Errorf("%s is not a date in seconds", name)
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), nil
}

// IsTrue reports whether the member is the JSON value true and nothing like it.
func (c Claims) IsTrue(name string) bool { return string(c[name]) == "true" }
