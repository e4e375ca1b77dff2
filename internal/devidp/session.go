package devidp

import (
	"crypto/rand"
	"net/http"
	"time"
)

// sessionCookie has a name of its own, because cookies of one host are shared
// between its ports.
const sessionCookie = "devidp_session"

// sessionLifetime is how long a browser stays signed in at the provider.
const sessionLifetime = 12 * time.Hour

// session is a browser's sign-in at the provider, by which later ones need no page.
type session struct {
	person   Person
	authTime time.Time
	sid      string // Session ID (OpenID Connect Back-Channel Logout 1.0, 1.2)
}

// currentSession returns the browser's session, if it has one that is not over.
func (p *Provider) currentSession(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	current, ok := p.sessions[cookie.Value]
	return current, ok && p.config.Now().Before(current.authTime.Add(sessionLifetime))
}

// startSession signs person in, in a new session that takes the place of the
// browser's last one.
func (p *Provider) startSession(w http.ResponseWriter, r *http.Request, person Person) session {
	p.endSession(w, r)
	id := rand.Text()
	started := session{person: person, authTime: p.config.Now(), sid: "idx" + rand.Text()}
	p.mu.Lock()
	p.sessions[id] = started
	p.mu.Unlock()
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return started
}

// endSession signs the browser out.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return
	}
	p.mu.Lock()
	delete(p.sessions, cookie.Value)
	p.mu.Unlock()
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
