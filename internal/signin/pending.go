package signin

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/secret"
	"expense-dashboard/internal/session"
)

// Login is a sign-in that has been begun: what was sent to the provider
// and has to come back, and what never leaves this browser and us.
type Login struct {
	State        string
	Nonce        string
	CodeVerifier string // RFC 7636, 4.1
	ReturnTo     string // local path to go to once signed in
	Begun        time.Time
}

const (
	// PendingMaxAge is how long a person may take to sign in.
	PendingMaxAge = 10 * time.Minute
	// pendingMemory is how long the browser keeps where a sign-in that took too
	// long wanted to go, for a stale tab of somebody who signed in elsewhere.
	pendingMemory = time.Hour
	// MaxPending is how many sign-ins a browser may have begun at once.
	MaxPending = 5
	// maxReturnTo is the longest path that fits in a cookie beside the rest.
	maxReturnTo = 1500
)

// Pending keeps each pending login in an encrypted cookie of its own,
// named after its state, so that two tabs can both finish.
type Pending struct {
	store  *sessions.CookieStore
	prefix string
	now    func() time.Time
}

// NewPending returns where pending logins are kept.
func NewPending(secrets []secret.Text, secure bool, now func() time.Time) (*Pending, error) {
	store, err := session.NewCookieStore(secrets, "pending login", secure, pendingMemory)
	if err != nil {
		return nil, err
	}
	return &Pending{store: store, prefix: session.CookieName("login", secure, "/") + "_", now: now}, nil
}

// Name is the cookie of the pending login with that state, which it does not
// tell.
func (p *Pending) Name(state string) string {
	sum := sha256.Sum256([]byte(state))
	return p.prefix + base64.RawURLEncoding.EncodeToString(sum[:12])
}

// Put keeps a pending login and drops the oldest above maxPending.
func (p *Pending) Put(w http.ResponseWriter, r *http.Request, login Login) error {
	p.prune(w, r)
	cookie := sessions.NewSession(p.store, p.Name(login.State))
	cookie.Options = p.store.Options
	cookie.Values = map[any]any{
		"state": login.State, "nonce": login.Nonce, "code_verifier": login.CodeVerifier,
		"return_to": login.ReturnTo, "begun": strconv.FormatInt(p.now().UnixMilli(), 10),
	}
	return p.store.Save(r, w, cookie)
}

// prune makes room for one more pending login.
func (p *Pending) prune(w http.ResponseWriter, r *http.Request) {
	type pending struct {
		name  string
		begun time.Time // zero, and so the oldest, if the cookie cannot be read
	}
	var all []pending
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, p.prefix) {
			login, _ := p.read(r, c.Name)
			all = append(all, pending{c.Name, login.Begun})
		}
	}
	slices.SortFunc(all, func(a, b pending) int { return cmp.Or(b.begun.Compare(a.begun), cmp.Compare(a.name, b.name)) })
	for _, old := range all[min(len(all), MaxPending-1):] {
		session.Forget(w, old.name, p.store.Options)
	}
}

// Take returns the pending login that state belongs to and removes it from the
// browser, for no pending login is used twice. With an error it is good for
// nothing but its ReturnTo.
func (p *Pending) Take(w http.ResponseWriter, r *http.Request, state string) (Login, error) {
	name := p.Name(state)
	if _, err := r.Cookie(name); err != nil {
		return Login{}, errors.New("no cookie of a pending login with this state")
	}
	session.Forget(w, name, p.store.Options)
	login, err := p.read(r, name)
	if err != nil {
		return Login{}, err
	}
	if !openid.Equal(login.State, state) || login.Nonce == "" || login.CodeVerifier == "" {
		return Login{}, errors.New("the pending login has another state")
	}
	if p.now().Sub(login.Begun) > PendingMaxAge {
		return Login{ReturnTo: login.ReturnTo}, errors.New("the pending login is too old")
	}
	return login, nil
}

func (p *Pending) read(r *http.Request, name string) (Login, error) {
	cookie, err := p.store.New(r, name)
	if err != nil || cookie.IsNew {
		return Login{}, errors.New("the pending login is too old or was not made here")
	}
	text := func(name string) string { value, _ := cookie.Values[name].(string); return value }
	begun, err := strconv.ParseInt(text("begun"), 10, 64)
	if err != nil {
		return Login{}, err
	}
	return Login{
		State: text("state"), Nonce: text("nonce"), CodeVerifier: text("code_verifier"),
		ReturnTo: text("return_to"), Begun: time.UnixMilli(begun),
	}, nil
}

// LocalPath returns where to go after sign-in: the path and query asked for,
// if a browser can only take it for a page of ours, else the dashboard.
func LocalPath(returnTo string) string {
	const standard = "/dashboard"
	u, err := url.Parse(returnTo)
	switch {
	case err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "",
		len(returnTo) > maxReturnTo,
		!strings.HasPrefix(returnTo, "/") || strings.HasPrefix(returnTo, "//"),
		strings.ContainsFunc(returnTo, func(r rune) bool { return r <= 0x20 || r >= 0x7f || r == '\\' }),
		strings.HasPrefix(u.Path, "//"), strings.Contains(u.Path, `\`),
		u.Path == "/login", u.Path == session.LogoutPath, u.Path == openid.CallbackPath:
		return standard
	}
	return returnTo
}
