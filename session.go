package main

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
)

// session is what a signed-in person's browser keeps for us, encrypted: who
// they are and since when. What they may see is decided on every request.
type session struct {
	ID         string // random, new at each sign-in
	Subject    string // sub of the ID Token
	Name       string
	Email      string
	Unverified bool // the provider said that Email is not verified
	SignedInAt time.Time
	SeenAt     time.Time // last request, to the precision of sessionStore.touch
}

// sessionStore keeps sessions in gorilla cookie sessions: the profile in one
// small cookie, and the ID Token, which only sign-out needs, in cookies that
// are sent only there.
type sessionStore struct {
	profile, idToken         *sessions.CookieStore
	profileName, idTokenName string
	idle, maxAge             time.Duration
	now                      func() time.Time
}

// logoutPath is where sign-out lives, and the only path that the ID Token's
// cookies are sent to.
const logoutPath = "/logout"

const (
	// idTokenPart is how many bytes of an ID Token go into one cookie: encrypted
	// and encoded twice by securecookie, with its attributes, they stay below
	// the 4,096 bytes that browsers keep.
	idTokenPart = 2000
	// maxIDTokenParts bounds what a browser has to send to sign out.
	maxIDTokenParts = 10
)

func newSessionStore(secrets []secret, secure bool, idle, maxAge time.Duration, now func() time.Time) (*sessionStore, error) {
	profile, err := newCookieStore(secrets, "session", secure, maxAge)
	if err != nil {
		return nil, err
	}
	idToken, err := newCookieStore(secrets, "ID token", secure, maxAge)
	if err != nil {
		return nil, err
	}
	idToken.Options.Path = logoutPath
	return &sessionStore{
		profile: profile, profileName: cookieName("session", secure, "/"),
		idToken: idToken, idTokenName: cookieName("id_token", secure, logoutPath),
		idle: idle, maxAge: maxAge, now: now,
	}, nil
}

// newCookieStore returns a gorilla store whose cookies are encrypted and
// authenticated with keys derived from the secrets for one purpose. It reads
// them for maxAge and not longer, whatever the browser does.
func newCookieStore(secrets []secret, purpose string, secure bool, maxAge time.Duration) (*sessions.CookieStore, error) {
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
	store.MaxAge(seconds(maxAge))
	for _, codec := range store.Codecs {
		codec.(*securecookie.SecureCookie).SetSerializer(textValues{})
	}
	return store, nil
}

// cookieName adds the prefix that lets a browser protect a cookie against
// other hosts of the domain (RFC 6265bis, 4.1.3). Safari refuses these over
// http, also on loopback, so they go with https only.
func cookieName(name string, secure bool, path string) string {
	switch {
	case !secure:
		return name
	case path == "/":
		return "__Host-" + name
	default:
		return "__Secure-" + name
	}
}

// seconds rounds up, because a Max-Age of 0 would mean no bound at all.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// start makes a session for a person who has just signed in, in place of any
// that the browser had.
func (s *sessionStore) start(w http.ResponseWriter, r *http.Request, person session, rawIDToken string) error {
	person.ID = rand.Text()
	person.SignedInAt = s.now()
	if err := s.save(w, r, &person); err != nil {
		return err
	}
	return s.saveIDToken(w, r, person.ID, rawIDToken)
}

// load returns the session of a request, or nil. A cookie that cannot be read
// or whose time is over is an anonymous visitor's, and is cleared.
func (s *sessionStore) load(w http.ResponseWriter, r *http.Request) *session {
	cookie, err := s.profile.New(r, s.profileName)
	if err != nil {
		forget(w, s.profileName, s.profile.Options)
		return nil
	}
	if cookie.IsNew {
		return nil
	}
	person, err := parseSession(cookie.Values)
	if err != nil || !s.alive(person) {
		forget(w, s.profileName, s.profile.Options)
		return nil
	}
	return person
}

// alive reports whether neither limit has passed. Times in the future are a
// clock's error that no limit must hang on.
func (s *sessionStore) alive(person *session) bool {
	now := s.now()
	age, quiet := now.Sub(person.SignedInAt), now.Sub(person.SeenAt)
	return age < s.maxAge && quiet < s.idle && age > -maxClockSkew && quiet > -maxClockSkew
}

// ends returns when the session ends if there is no further request, and when
// it ends in any case.
func (s *sessionStore) ends(person *session) (idle, absolute time.Time) {
	absolute = person.SignedInAt.Add(s.maxAge)
	idle = person.SeenAt.Add(s.idle)
	if absolute.Before(idle) {
		idle = absolute
	}
	return idle, absolute
}

// touch notes that the person was here. It writes the cookie only when the
// last note is a twentieth of the idle limit or a minute old, so a session may
// end that much early, and never late.
func (s *sessionStore) touch(w http.ResponseWriter, r *http.Request, person *session) error {
	if s.now().Sub(person.SeenAt) < min(s.idle/20, time.Minute) {
		return nil
	}
	return s.save(w, r, person)
}

func (s *sessionStore) save(w http.ResponseWriter, r *http.Request, person *session) error {
	person.SeenAt = s.now()
	cookie := sessions.NewSession(s.profile, s.profileName)
	options := *s.profile.Options
	options.MaxAge = seconds(person.SignedInAt.Add(s.maxAge).Sub(person.SeenAt))
	cookie.Options = &options
	cookie.Values = map[any]any{
		"id": person.ID, "sub": person.Subject, "name": person.Name, "email": person.Email,
		"unverified": strconv.FormatBool(person.Unverified),
		"signed_in":  strconv.FormatInt(person.SignedInAt.UnixMilli(), 10),
		"seen":       strconv.FormatInt(person.SeenAt.UnixMilli(), 10),
	}
	return s.profile.Save(r, w, cookie)
}

func parseSession(values map[any]any) (*session, error) {
	text := func(name string) string { value, _ := values[name].(string); return value }
	signedIn, err1 := strconv.ParseInt(text("signed_in"), 10, 64)
	seen, err2 := strconv.ParseInt(text("seen"), 10, 64)
	unverified, err3 := strconv.ParseBool(text("unverified"))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	person := &session{
		ID: text("id"), Subject: text("sub"), Name: text("name"), Email: text("email"), Unverified: unverified,
		SignedInAt: time.UnixMilli(signedIn), SeenAt: time.UnixMilli(seen),
	}
	if person.ID == "" || person.Subject == "" {
		return nil, errors.New("session without an ID or a subject")
	}
	return person, nil
}

// saveIDToken spreads the ID Token over as many cookies as it needs. One that
// is too long for that is left out: sign-out works without the hint.
func (s *sessionStore) saveIDToken(w http.ResponseWriter, r *http.Request, sessionID, rawIDToken string) error {
	count := (len(rawIDToken) + idTokenPart - 1) / idTokenPart
	if count > maxIDTokenParts {
		return nil
	}
	for i := range count {
		part := rawIDToken[i*idTokenPart : min((i+1)*idTokenPart, len(rawIDToken))]
		cookie := sessions.NewSession(s.idToken, s.idTokenPartName(i))
		cookie.Options = s.idToken.Options
		cookie.Values = map[any]any{"session": sessionID, "count": strconv.Itoa(count), "part": part}
		if err := s.idToken.Save(r, w, cookie); err != nil {
			return err
		}
	}
	return nil
}

func (s *sessionStore) idTokenPartName(i int) string { return s.idTokenName + "_" + strconv.Itoa(i) }

// idTokenOf puts the ID Token of a session together again, or returns "" if a
// part is missing or another session's.
func (s *sessionStore) idTokenOf(r *http.Request, sessionID string) string {
	var rawIDToken strings.Builder
	for i, count := 0, 1; i < count; i++ {
		cookie, err := s.idToken.New(r, s.idTokenPartName(i))
		if err != nil || cookie.IsNew || cookie.Values["session"] != sessionID {
			return ""
		}
		number, _ := cookie.Values["count"].(string)
		part, _ := cookie.Values["part"].(string)
		if count, err = strconv.Atoi(number); err != nil {
			return ""
		}
		rawIDToken.WriteString(part)
	}
	return rawIDToken.String()
}

// end removes the session and its ID Token from the browser.
func (s *sessionStore) end(w http.ResponseWriter, r *http.Request) {
	forget(w, s.profileName, s.profile.Options)
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(cookie.Name, s.idTokenName+"_") {
			forget(w, cookie.Name, s.idToken.Options)
		}
	}
}

// forget tells the browser to drop a cookie.
func forget(w http.ResponseWriter, name string, options *sessions.Options) {
	o := *options
	o.MaxAge = -1
	http.SetCookie(w, sessions.NewCookie(name, "", &o))
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
