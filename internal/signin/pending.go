package signin

import (
	"cmp"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/openid/token"
	"expense-dashboard/internal/secret"
	"expense-dashboard/internal/session"
)

// Login is a sign-in that has been begun: what was sent to the provider and has to
// come back, and what never leaves this browser and us.
type Login struct {
	State        string
	Nonce        string
	CodeVerifier string // RFC 7636, 4.1
	Begun        time.Time
	Request
	// Browser tells the browsers that begin sign-ins apart, without what is secret
	// of them.
	Browser string
}

// Request is what somebody wants of a sign-in.
type Request struct {
	ReturnTo string `json:"r"` // local path to go to once signed in
	// Purpose is empty for an ordinary sign-in. The others renew a session: Session is
	// the digest of its ID.
	Purpose Purpose `json:"p,omitempty"`
	Session string  `json:"s,omitempty"`
}

// Purpose is what a sign-in is for.
type Purpose string

const (
	// Recheck asks whether somebody is still there, without asking them.
	Recheck Purpose = "recheck"
	// StepUp asks somebody to prove once more who they are.
	StepUp Purpose = "step-up"
)

const (
	// PendingMaxAge is how long a person may take to sign in.
	PendingMaxAge = 10 * time.Minute
	// browserMaxAge is how long a browser keeps its secret after the last sign-in
	// that it has begun.
	browserMaxAge = time.Hour
	// MaxBrowserSecrets is how many secrets a browser may have got, by tabs that it
	// opened at once before it had any.
	MaxBrowserSecrets = 40
	// maxForgotten bounds how many of a browser's secrets one answer drops.
	maxForgotten = 20
	// maxReturnTo is the longest path that a state carries.
	maxReturnTo = 1500
)

// Pending keeps pending logins, any number in one browser, and nothing of them on
// this side. A browser has a secret, in a small cookie. A state is sealed with a key
// of ours: when the login was begun, where it wants to go and which secret belongs
// to it. The nonce and the code verifier are derived from state, secret and key, so
// that only that browser's callback can be completed, and only by us.
type Pending struct {
	keys   []stateKey // the first seals, all open
	prefix string     // of the cookies' names
	secure bool
	now    func() time.Time
}

// NewPending returns pending logins whose keys are derived from the secrets: the
// first makes new ones, all are read.
func NewPending(secrets []secret.Text, secure bool, now func() time.Time) (*Pending, error) {
	p := &Pending{prefix: session.CookieName("login", secure, "/") + "_", secure: secure, now: now}
	for _, s := range secrets {
		key, err := newStateKey(s)
		if err != nil {
			return nil, err
		}
		p.keys = append(p.keys, key)
	}
	return p, nil
}

// Begin makes a login and gives the browser a secret if it has none yet.
func (p *Pending) Begin(w http.ResponseWriter, r *http.Request, request Request) (Login, error) {
	browser := p.browserSecret(w, r)
	sealed := sealedLogin{Browser: browserID(browser), Begun: p.now(), Request: request}
	state, err := p.keys[0].seal(sealed)
	if err != nil {
		return Login{}, err
	}
	return p.keys[0].login(state, browser, sealed), nil
}

// browserSecret returns the secret of the browser, which is new if it had none, and
// has the browser keep it for another while.
func (p *Pending) browserSecret(w http.ResponseWriter, r *http.Request) string {
	sent := session.SentWith(r, p.prefix, MaxBrowserSecrets+maxForgotten)
	browser := ""
	for _, cookie := range sent {
		if p.prefix+browserID(cookie[1]) == cookie[0] {
			browser = cookie[1]
			break
		}
	}
	browser = cmp.Or(browser, rand.Text())
	name := p.prefix + browserID(browser)
	p.setCookie(w, name, browser, session.Seconds(browserMaxAge))
	for _, cookie := range sent[min(len(sent), MaxBrowserSecrets):] {
		if cookie[0] != name {
			p.setCookie(w, cookie[0], "", -1)
		}
	}
	return browser
}

func (p *Pending) setCookie(w http.ResponseWriter, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge, Secure: p.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// browserID names a browser's secret and does not tell it. It ends the name of the
// secret's cookie.
func browserID(browser string) string {
	sum := sha256.Sum256([]byte("browser " + browser))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// Take returns the login that a state of an authorization response belongs to. With
// an error it is good for nothing but its ReturnTo, which is "" where the state was
// not made here.
func (p *Pending) Take(r *http.Request, state string) (Login, error) {
	for _, key := range p.keys {
		sealed, err := key.open(state)
		if err != nil {
			continue
		}
		returnTo := Login{Request: Request{ReturnTo: sealed.ReturnTo}}
		browser, _ := session.Sent(r, p.prefix+sealed.Browser)
		if !token.Equal(browserID(browser), sealed.Browser) || browser == "" {
			return returnTo, errors.New("the sign-in was not begun in this browser")
		}
		if age := p.now().Sub(sealed.Begun); age > PendingMaxAge || age < -PendingMaxAge {
			return returnTo, errors.New("the sign-in was begun too long ago")
		}
		return key.login(state, browser, sealed), nil
	}
	return Login{}, errors.New("the state was not made here")
}

// login derives what belongs to a state in a browser.
func (k stateKey) login(state, browser string, sealed sealedLogin) Login {
	return Login{
		State: state, Nonce: k.derive("nonce", browser, state), CodeVerifier: k.derive("code verifier", browser, state),
		Begun: sealed.Begun, Request: sealed.Request, Browser: sealed.Browser,
	}
}

// derive returns 43 characters of base64url, which is what RFC 7636, 4.1 asks of a
// code verifier at least. Only who knows the key and the browser's secret can.
func (k stateKey) derive(purpose, browser, state string) string {
	mac := hmac.New(sha256.New, k.derivation)
	// None of these holds a NUL.
	mac.Write([]byte(purpose + "\x00" + browser + "\x00" + state))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// deriveKey makes a key of 32 bytes for one purpose.
func deriveKey(s secret.Text, purpose string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, []byte(s), nil, "expense-dashboard pending login "+purpose, 32)
	if err != nil {
		return nil, fmt.Errorf("derive keys from SESSION_SECRET: %w", err)
	}
	return key, nil
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
		strings.HasPrefix(u.Path, "//"), strings.Contains(u.Path, `\`):
		return standard
	}
	// A browser resolves . and .. before it goes there.
	switch seen := path.Clean(u.Path); {
	case seen == "/login", seen == openid.CallbackPath, seen == session.LogoutPath, strings.HasPrefix(seen, session.LogoutPath+"/"):
		return standard
	}
	return returnTo
}
