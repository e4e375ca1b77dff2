package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/sessions"

	"expense-dashboard/internal/cache"
	"expense-dashboard/internal/secret"
)

// session is what a signed-in person's browser keeps for us, encrypted: who
// they are and since when. What they may see is decided on every request.
type session struct {
	ID          string // random, new at each sign-in
	Subject     string // sub of the ID Token
	ProviderSID string // sid of the ID Token; empty if it has none
	Name        string
	Email       string
	Unverified  bool   // the provider said that Email is not verified
	Methods     string // how they proved it, as in methodName and joined by spaces; may be empty
	SignedInAt  time.Time
	EndsAt      time.Time // whatever happens, and whatever is configured later
	SeenAt      time.Time // last request, to the precision of sessionStore.touch
}

// sessionStore keeps sessions in gorilla cookie sessions: the profile in one
// small cookie, and the ID Token, which only sign-out needs, in cookies that
// are sent only there.
type sessionStore struct {
	profile      *sessions.CookieStore
	profileName  string
	idToken      *splitCookie
	records      *sessionRecords
	idle, maxAge time.Duration
	now          func() time.Time
	// opened holds what cookies say that were opened before, by their value: to
	// open one takes longer than the rest of a page. It is authentic for as long as
	// the secrets are ours, and whether it still counts is asked on each request.
	opened *cache.Cache[string, session]
}

const (
	// maxOpened bounds what is kept of opened cookies, in bytes.
	maxOpened = 1 << 20
	// openedCost is about what a session and its place in a cache take beside its
	// texts.
	openedCost = 400
)

// clockTolerance is how far the clocks of two copies of the program may differ.
const clockTolerance = 5 * time.Minute

// logoutPath is where sign-out lives, and the only path that the ID Token's
// cookies are sent to.
const logoutPath = "/logout"

func newSessionStore(secrets []secret.Text, secure bool, idle, maxAge time.Duration, now func() time.Time) (*sessionStore, error) {
	profile, err := newCookieStore(secrets, "session", secure, maxAge)
	if err != nil {
		return nil, err
	}
	idToken, err := newSplitCookie(secrets, "id_token", secure, logoutPath, maxAge)
	if err != nil {
		return nil, err
	}
	return &sessionStore{
		profile: profile, profileName: cookieName("session", secure, "/"), idToken: idToken,
		idle: idle, maxAge: maxAge, now: now, opened: cache.New[string, session](maxOpened),
	}, nil
}

// begin makes a session for a person whose sign-in came back from the provider
// at a time. On an error there is none.
func (s *sessionStore) begin(ctx context.Context, person session, at time.Time, userAgent string) (session, error) {
	person.ID = rand.Text()
	person.SignedInAt = at
	person.EndsAt = person.SignedInAt.Add(s.maxAge)
	return person, s.records.begin(ctx, &person, userAgent)
}

// give puts a session that has begun into a browser, in place of any that it
// had.
func (s *sessionStore) give(w http.ResponseWriter, r *http.Request, person session, rawIDToken string) error {
	if err := s.save(w, r, &person); err != nil {
		return err
	}
	// One that is too long is left out: sign-out works without the hint.
	_, err := s.idToken.save(w, r, person.ID, rawIDToken)
	return err
}

// load returns the session of a request, or nil where there is none or nobody
// can tell.
func (s *sessionStore) load(w http.ResponseWriter, r *http.Request) *session {
	person, _ := s.find(w, r)
	return person
}

// find returns the session of a request, or nil. A session that was ended is an
// anonymous visitor's, and its cookie is cleared. The error is that of a
// database that has not served since the start, so that nobody can tell.
func (s *sessionStore) find(w http.ResponseWriter, r *http.Request) (*session, error) {
	person := s.read(w, r)
	if person == nil {
		return nil, nil
	}
	ended, err := s.records.isEnded(r.Context(), person)
	if ended {
		forget(w, s.profileName, s.profile.Options)
	}
	if ended || err != nil {
		return nil, err
	}
	return person, nil
}

// read returns the session that a request's cookie holds, ended or not, or nil.
// A cookie that cannot be read or whose time is over is an anonymous visitor's,
// and is cleared.
func (s *sessionStore) read(w http.ResponseWriter, r *http.Request) *session {
	sent, err := r.Cookie(s.profileName)
	if err != nil {
		return nil
	}
	person, ok := s.opened.Get(sent.Value)
	if !ok {
		cookie, err := s.profile.New(r, s.profileName)
		if err != nil {
			forget(w, s.profileName, s.profile.Options)
			return nil
		}
		opened, err := parseSession(cookie.Values)
		if err != nil {
			forget(w, s.profileName, s.profile.Options)
			return nil
		}
		person = *opened
		s.opened.Put(sent.Value, person, openedCost+2*len(sent.Value))
	}
	if !s.alive(&person) {
		forget(w, s.profileName, s.profile.Options)
		return nil
	}
	return &person
}

// alive reports whether neither limit has passed. Times in the future are a
// clock's error that no limit must hang on.
func (s *sessionStore) alive(person *session) bool {
	now := s.now()
	age, quiet := now.Sub(person.SignedInAt), now.Sub(person.SeenAt)
	return age < s.maxAge && now.Before(person.EndsAt) && quiet < s.idle && age > -clockTolerance && quiet > -clockTolerance
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
	options.MaxAge = seconds(person.EndsAt.Sub(person.SeenAt))
	cookie.Options = &options
	cookie.Values = map[any]any{
		"id": person.ID, "sub": person.Subject, "sid": person.ProviderSID, "name": person.Name, "email": person.Email,
		"unverified": strconv.FormatBool(person.Unverified), "amr": person.Methods,
		"signed_in": strconv.FormatInt(person.SignedInAt.UnixMilli(), 10),
		"ends":      strconv.FormatInt(person.EndsAt.UnixMilli(), 10),
		"seen":      strconv.FormatInt(person.SeenAt.UnixMilli(), 10),
	}
	return s.profile.Save(r, w, cookie)
}

func parseSession(values map[any]any) (*session, error) {
	text := func(name string) string { value, _ := values[name].(string); return value }
	signedIn, err1 := strconv.ParseInt(text("signed_in"), 10, 64)
	seen, err2 := strconv.ParseInt(text("seen"), 10, 64)
	unverified, err3 := strconv.ParseBool(text("unverified"))
	ends, err4 := strconv.ParseInt(text("ends"), 10, 64)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	person := &session{
		ID: text("id"), Subject: text("sub"), ProviderSID: text("sid"), Name: text("name"), Email: text("email"), Unverified: unverified, Methods: text("amr"),
		SignedInAt: time.UnixMilli(signedIn), EndsAt: time.UnixMilli(ends), SeenAt: time.UnixMilli(seen),
	}
	if person.ID == "" || person.Subject == "" {
		return nil, errors.New("session without an ID or a subject")
	}
	return person, nil
}

// end removes the session and its ID Token from the browser.
func (s *sessionStore) end(w http.ResponseWriter, r *http.Request) {
	forget(w, s.profileName, s.profile.Options)
	s.idToken.forget(w, r)
}
