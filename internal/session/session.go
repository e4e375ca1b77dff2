package session

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"expense-dashboard/internal/cache"
	"expense-dashboard/internal/secret"
)

// Session is what a signed-in person's browser keeps for us, encrypted: who
// they are and since when. What they may see is decided on every request.
type Session struct {
	ID          string // random, new at each sign-in
	Issuer      string // the host that vouches for the subject; empty in a cookie of an older program
	Subject     string // sub of the ID Token
	ProviderSID string // sid of the ID Token; empty if it has none
	Name        string
	Email       string
	Unverified  bool   // the provider said that Email is not verified
	BegunBy     string // digest of the state of the sign-in that began it
	Methods     string // how they proved it, as openid.MethodName knows them, joined by spaces; may be empty
	Groups      string // those that the teams file knew at sign-in, each behind a NUL; see GroupNames
	SignedInAt  time.Time
	// AuthTime is when the person proved who they are to the provider, by our clock;
	// zero where the provider does not say. ACR says how; it may be empty.
	AuthTime time.Time
	ACR      string
	// CheckedAt is when the provider last said that the person is still there. Grace
	// says that it could not be asked then, once.
	CheckedAt  time.Time
	Grace      bool
	EndsAt     time.Time // whatever happens, and whatever is configured later
	SeenAt     time.Time // last request, to the precision of Store.Touch
	IdleEndsAt time.Time // without another request, and whatever is configured later
}

// maxGroups is how many bytes of names of groups a session keeps, so that it fits in
// a cookie.
const maxGroups = 1200

// SetGroups keeps names of groups, as many as a cookie has room for, and reports
// whether that is all.
func (s *Session) SetGroups(names []string) (all bool) {
	s.Groups = ""
	for _, name := range names {
		if len(s.Groups)+1+len(name) > maxGroups {
			return false
		}
		s.Groups += "\x00" + name
	}
	return true
}

// GroupNames returns the groups that the session keeps.
func (s *Session) GroupNames() []string {
	if s.Groups == "" {
		return nil
	}
	return strings.Split(s.Groups[1:], "\x00")
}

// Config is what a Store is made of.
type Config struct {
	Secrets     []secret.Text // the first signs, all are read
	Secure      bool          // the site is on https
	IdleTimeout time.Duration // a session ends that long after its last request
	MaxAge      time.Duration // and that long after its sign-in
	Now         func() time.Time
	Records     *Records
}

// Store keeps sessions in gorilla cookie sessions: the profile in one small
// cookie, and the ID Token, which only sign-out needs, in cookies that are sent
// only there.
type Store struct {
	config      Config
	profile     *sessions.CookieStore
	profileName string
	idToken     *SplitCookie
	// opened holds what cookies say that were opened before, by their value: to
	// open one takes longer than the rest of a page. It is authentic for as long as
	// the secrets are ours, and whether it still counts is asked on each request.
	opened *cache.Cache[string, Session]
}

const (
	// maxOpened bounds what is kept of opened cookies, in bytes.
	maxOpened = 1 << 20
	// openedCost is about what a session and its place in a cache take beside its
	// texts.
	openedCost = 400
)

// clockJump is how far a machine's clock may jump, and come back, so that nobody
// is signed out who was signed in before. It is more than the clocks of two
// copies of the program may ever differ.
const clockJump = 2 * time.Hour

// LogoutPath is where sign-out lives, and the only path that the ID Token's
// cookies are sent to.
const LogoutPath = "/logout"

// cookieName is the session's cookie. Another program on the same host may have a
// cookie with a plainer name, since the ports of a host share cookies.
const cookieName = "expense_session"

// New returns the store of a site's sessions.
func New(config Config) (*Store, error) {
	// EndsAt is the limit; a cookie can still be read when a clock jumped beyond it.
	profile, err := NewCookieStore(config.Secrets, "session", config.Secure, config.MaxAge+clockJump)
	if err != nil {
		return nil, err
	}
	idToken, err := NewSplitCookie(config.Secrets, "id_token", config.Secure, LogoutPath, config.MaxAge)
	if err != nil {
		return nil, err
	}
	return &Store{
		config: config, profile: profile, profileName: CookieName(cookieName, config.Secure, "/"), idToken: idToken,
		opened: cache.New[string, Session](maxOpened),
	}, nil
}

// Records knows which sessions there are and which were ended before their time.
func (s *Store) Records() *Records { return s.config.Records }

// IdleTimeout is how long after its last request a session ends.
func (s *Store) IdleTimeout() time.Duration { return s.config.IdleTimeout }

// MaxAge is how long after its sign-in a session ends, whatever happens.
func (s *Store) MaxAge() time.Duration { return s.config.MaxAge }

// IDToken returns the ID Token that a session began with, as it was encoded, or
// "" where the browser keeps none. Only requests below LogoutPath carry it.
func (s *Store) IDToken(r *http.Request, person *Session) string {
	return s.idToken.Load(r, person.ID)
}

// Begin makes a session for a person whose sign-in came back from the provider
// at a time. On an error there is none.
func (s *Store) Begin(ctx context.Context, person Session, at time.Time, userAgent string) (Session, error) {
	person.ID = rand.Text()
	person.SignedInAt = at
	person.EndsAt = person.SignedInAt.Add(s.config.MaxAge)
	person.CheckedAt = at
	person.SeenAt, person.IdleEndsAt = at, at.Add(s.config.IdleTimeout)
	return person, s.config.Records.begin(ctx, &person, userAgent)
}

// Give puts a session that has begun into a browser, in place of any that it
// had.
func (s *Store) Give(w http.ResponseWriter, r *http.Request, person Session, rawIDToken string) error {
	if err := s.Save(w, r, &person); err != nil {
		return err
	}
	// One that is too long is left out: sign-out works without the hint.
	_, err := s.idToken.Save(w, r, person.ID, rawIDToken)
	return err
}

// Load returns the session of a request, or nil where there is none or nobody
// can tell.
func (s *Store) Load(r *http.Request) *Session {
	person, _ := s.Find(r)
	return person
}

// Find returns the session of a request, or nil. A session that was ended is an
// anonymous visitor's. The error is that of a database that has not served since
// the start, so that nobody can tell.
func (s *Store) Find(r *http.Request) (*Session, error) {
	person := s.Read(r)
	if person == nil {
		return nil, nil
	}
	ended, err := s.config.Records.IsEnded(r.Context(), person)
	if ended || err != nil {
		return nil, err
	}
	return person, nil
}

// HasCookie reports whether a request carries a session's cookie, whatever it is
// worth.
func (s *Store) HasCookie(r *http.Request) bool {
	_, ok := Sent(r, s.profileName)
	return ok
}

// Read returns the session that a request's cookie holds, ended or not, or nil.
// A cookie that cannot be read or whose time is over is an anonymous visitor's. It
// stays in the browser: an answer that came late would clear in its place what
// another tab has been given meanwhile.
func (s *Store) Read(r *http.Request) *Session {
	sent, ok := Sent(r, s.profileName)
	if !ok {
		return nil
	}
	person, ok := s.opened.Get(sent)
	if !ok {
		values, ok := Open(s.profile, r, s.profileName)
		if !ok {
			return nil
		}
		opened, err := parseSession(values)
		if err != nil {
			return nil
		}
		person = *opened
		s.opened.Put(strings.Clone(sent), person, openedCost+2*len(sent))
	}
	if !s.IsAlive(&person) {
		return nil
	}
	return &person
}

// IsAlive reports whether no limit of a session has passed: neither those that it
// was begun with nor those that are configured now. A sign-in further in the future
// than clocks jump is nobody's; a last request in the future is that of a clock
// that has come back.
func (s *Store) IsAlive(person *Session) bool {
	now := s.config.Now()
	return now.Before(person.EndsAt) && now.Before(person.SignedInAt.Add(s.config.MaxAge)) &&
		now.Before(person.IdleEndsAt) && now.Before(person.SeenAt.Add(s.config.IdleTimeout)) &&
		person.SignedInAt.Sub(now) <= clockJump
}

// Touch notes that the person was here, in memory always. It writes the cookie only when the
// last note is a twentieth of the idle limit or a minute old, so a session may
// end that much early; or when the note is from the future, which a clock that
// jumped and came back leaves.
func (s *Store) Touch(w http.ResponseWriter, r *http.Request, person *Session) error {
	now := s.config.Now()
	s.config.Records.note(person, now)
	quiet := now.Sub(person.SeenAt)
	if quiet >= 0 && quiet < min(s.config.IdleTimeout/20, time.Minute) {
		return nil
	}
	return s.Save(w, r, person)
}

// Save puts a session into the browser as it is now, which notes that the person was
// here.
func (s *Store) Save(w http.ResponseWriter, r *http.Request, person *Session) error {
	person.SeenAt = s.config.Now()
	person.IdleEndsAt = person.SeenAt.Add(s.config.IdleTimeout)
	cookie := sessions.NewSession(s.profile, s.profileName)
	options := *s.profile.Options
	options.MaxAge = Seconds(person.EndsAt.Sub(person.SeenAt))
	cookie.Options = &options
	cookie.Values = valuesOf(person)
	return s.profile.Save(r, w, cookie)
}

// valuesOf is what a cookie holds of a session; parseSession reads it.
func valuesOf(person *Session) map[any]any {
	return map[any]any{
		"id": person.ID, "iss": person.Issuer, "sub": person.Subject, "sid": person.ProviderSID, "name": person.Name, "email": person.Email,
		"unverified": strconv.FormatBool(person.Unverified), "amr": person.Methods, "begun_by": person.BegunBy,
		"signed_in": strconv.FormatInt(person.SignedInAt.UnixMilli(), 10),
		"ends":      strconv.FormatInt(person.EndsAt.UnixMilli(), 10),
		"seen":      strconv.FormatInt(person.SeenAt.UnixMilli(), 10),
		"groups":    person.Groups, "acr": person.ACR,
		"auth_time": milliseconds(person.AuthTime), "checked": milliseconds(person.CheckedAt), "grace": strconv.FormatBool(person.Grace),
		"idle_ends": strconv.FormatInt(person.IdleEndsAt.UnixMilli(), 10),
	}
}

// milliseconds writes a time, or nothing for the zero one.
func milliseconds(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return strconv.FormatInt(at.UnixMilli(), 10)
}

// timeOf reads what milliseconds wrote.
func timeOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(n), err
}

// parseSession reads what a cookie of Store holds. A value that is missing and
// that a session cannot be without is an error.
func parseSession(values map[any]any) (*Session, error) {
	text := func(name string) string { value, _ := values[name].(string); return value }
	signedIn, err1 := strconv.ParseInt(text("signed_in"), 10, 64)
	seen, err2 := strconv.ParseInt(text("seen"), 10, 64)
	unverified, err3 := strconv.ParseBool(text("unverified"))
	ends, err4 := strconv.ParseInt(text("ends"), 10, 64)
	idleEnds, err5 := strconv.ParseInt(text("idle_ends"), 10, 64)
	authTime, err6 := timeOf(text("auth_time"))
	checked, err7 := timeOf(text("checked"))
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		return nil, err
	}
	person := &Session{
		ID: text("id"), Issuer: text("iss"), Subject: text("sub"), ProviderSID: text("sid"), Name: text("name"), Email: text("email"), Unverified: unverified, Methods: text("amr"), BegunBy: text("begun_by"),
		SignedInAt: time.UnixMilli(signedIn), EndsAt: time.UnixMilli(ends), SeenAt: time.UnixMilli(seen), IdleEndsAt: time.UnixMilli(idleEnds),
		Groups: text("groups"), AuthTime: authTime, ACR: text("acr"), CheckedAt: checked, Grace: text("grace") == "true",
	}
	if person.CheckedAt.IsZero() {
		person.CheckedAt = person.SignedInAt
	}
	if person.ID == "" || person.Subject == "" {
		return nil, errors.New("session without an ID or a subject")
	}
	return person, nil
}

// End removes the session and its ID Token from the browser.
func (s *Store) End(w http.ResponseWriter, r *http.Request) {
	Forget(w, s.profileName, s.profile.Options)
	s.idToken.Forget(w, r)
}
