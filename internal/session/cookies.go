package session

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"expense-dashboard/internal/secret"
)

// NewCookieStore returns a gorilla store whose cookies are encrypted and
// authenticated with keys derived from the secrets for one purpose. It reads
// them for maxAge and not longer, whatever the browser does.
func NewCookieStore(secrets []secret.Text, purpose string, secure bool, maxAge time.Duration) (*sessions.CookieStore, error) {
	var keyPairs [][]byte
	for _, s := range secrets {
		for _, use := range []string{"authentication", "encryption"} {
			key, err := hkdf.Key(sha256.New, []byte(s), nil, "expense-dashboard "+purpose+" "+use, 32)
			if err != nil {
				return nil, fmt.Errorf("derive keys from SESSION_SECRET: %w", err)
			}
			keyPairs = append(keyPairs, key)
		}
	}
	store := sessions.NewCookieStore(keyPairs...)
	store.Options = &sessions.Options{Path: "/", Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	store.MaxAge(Seconds(maxAge))
	for _, codec := range store.Codecs {
		codec.(*securecookie.SecureCookie).SetSerializer(textValues{})
	}
	return store, nil
}

// CookieName adds the prefix that lets a browser protect a cookie against
// other hosts of the domain (RFC 6265bis, 4.1.3). Safari refuses these over
// http, also on loopback, so they go with https only.
func CookieName(name string, secure bool, path string) string {
	switch {
	case !secure:
		return name
	case path == "/":
		return "__Host-" + name
	default:
		return "__Secure-" + name
	}
}

// Seconds rounds up, because a Max-Age of 0 would mean no bound at all.
func Seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// Forget tells the browser to drop a cookie.
func Forget(w http.ResponseWriter, name string, options *sessions.Options) {
	o := *options
	o.MaxAge = -1
	http.SetCookie(w, sessions.NewCookie(name, "", &o))
}

// Sent returns the value of a cookie that a request carries (RFC 6265, 4.2.1): the
// first of that name. It reads the header once and copies nothing of it, so that
// thousands of other cookies cost next to nothing. Who keeps the value keeps all of the
// header, unless it is cloned.
func Sent(r *http.Request, name string) (value string, ok bool) {
	for cookieName, value := range sentCookies(r) {
		if cookieName == name {
			return value, true
		}
	}
	return "", false
}

// SentWith returns the names and values of the cookies whose name begins with a
// prefix: of the first so many.
func SentWith(r *http.Request, prefix string, limit int) [][2]string {
	var found [][2]string
	for name, value := range sentCookies(r) {
		if len(found) == limit {
			break
		}
		if strings.HasPrefix(name, prefix) {
			found = append(found, [2]string{name, value})
		}
	}
	return found
}

func sentCookies(r *http.Request) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, header := range r.Header["Cookie"] {
			for pair := range strings.SplitSeq(header, ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
				if !yield(name, value) {
					return
				}
			}
		}
	}
}

// Open returns what a cookie of a store holds, or ok is false where the request has
// none, or one that is too old or was not made here.
func Open(store *sessions.CookieStore, r *http.Request, name string) (values map[any]any, ok bool) {
	value, ok := Sent(r, name)
	if !ok {
		return nil, false
	}
	err := securecookie.DecodeMulti(name, value, &values, store.Codecs...)
	return values, err == nil
}

// SplitCookie keeps a text that may be longer than one cookie can be, in as
// many as it needs, each encrypted, and sent only below one path.
type SplitCookie struct {
	store *sessions.CookieStore
	name  string
}

const (
	// CookiePart is how many bytes of a text go into one cookie: encrypted and
	// encoded twice by securecookie, with its name and attributes, they stay
	// below the 4,096 bytes that browsers keep.
	CookiePart = 2000
	// MaxCookieParts bounds what a browser has to send.
	MaxCookieParts = 10
)

// NewSplitCookie returns a cookie that is split. Its name is that of its first
// parts, which end with their number.
func NewSplitCookie(secrets []secret.Text, name string, secure bool, path string, maxAge time.Duration) (*SplitCookie, error) {
	store, err := NewCookieStore(secrets, name, secure, maxAge)
	if err != nil {
		return nil, err
	}
	store.Options.Path = path
	return &SplitCookie{store: store, name: CookieName(name, secure, path) + "_"}, nil
}

// Save keeps a text under a key. It reports false, and keeps nothing, if the
// text is longer than CookiePart times MaxCookieParts.
func (c *SplitCookie) Save(w http.ResponseWriter, r *http.Request, key, text string) (kept bool, err error) {
	count := (len(text) + CookiePart - 1) / CookiePart
	if count > MaxCookieParts {
		return false, nil
	}
	for i := range count {
		cookie := sessions.NewSession(c.store, c.name+strconv.Itoa(i))
		cookie.Options = c.store.Options
		cookie.Values = map[any]any{
			"key": key, "count": strconv.Itoa(count),
			"part": text[i*CookiePart : min((i+1)*CookiePart, len(text))],
		}
		if err := c.store.Save(r, w, cookie); err != nil {
			return false, err
		}
	}
	return true, nil
}

// Load puts the text of a key together again, or returns "" if a part is
// missing, another key's or not ours.
func (c *SplitCookie) Load(r *http.Request, key string) string {
	var text strings.Builder
	for i, count := 0, 1; i < count; i++ {
		values, ok := Open(c.store, r, c.name+strconv.Itoa(i))
		if !ok || values["key"] != key {
			return ""
		}
		number, _ := values["count"].(string)
		part, _ := values["part"].(string)
		var err error
		if count, err = strconv.Atoi(number); err != nil || count > MaxCookieParts {
			return ""
		}
		text.WriteString(part)
	}
	return text.String()
}

// Forget removes the parts that the browser sent.
func (c *SplitCookie) Forget(w http.ResponseWriter, r *http.Request) {
	for _, cookie := range SentWith(r, c.name, MaxCookieParts) {
		Forget(w, cookie[0], c.store.Options)
	}
}

// textValues is the securecookie.Serializer of our cookies: names and values
// of a gorilla session, all strings, each behind its length as a uvarint.
// encoding/gob would take more time than everything else of a page.
type textValues struct{}

// Serialize implements securecookie.Serializer.
func (textValues) Serialize(src any) ([]byte, error) {
	values, ok := src.(map[any]any)
	if !ok {
		return nil, fmt.Errorf("serialize %T: not session values", src)
	}
	var data []byte
	for name, value := range values {
		for _, v := range []any{name, value} {
			text, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("serialize %T: not a string", v)
			}
			data = append(binary.AppendUvarint(data, uint64(len(text))), text...)
		}
	}
	return data, nil
}

// Deserialize implements securecookie.Serializer.
func (textValues) Deserialize(data []byte, dst any) error {
	values, ok := dst.(*map[any]any)
	if !ok {
		return fmt.Errorf("deserialize into %T: not session values", dst)
	}
	*values = map[any]any{}
	for len(data) > 0 {
		var pair [2]string
		for i := range pair {
			length, n := binary.Uvarint(data)
			if n <= 0 || length > uint64(len(data)-n) {
				return errors.New("deserialize: truncated session values")
			}
			pair[i], data = string(data[n:n+int(length)]), data[n+int(length):]
		}
		(*values)[pair[0]] = pair[1]
	}
	return nil
}
