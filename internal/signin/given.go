package signin

import (
	"sync"
	"time"

	"expense-dashboard/internal/session"
)

const (
	// givenMemory is how long it is remembered that a browser was given a session.
	givenMemory = time.Minute
	// maxGiven bounds how many are remembered at once.
	maxGiven = 5000
)

// Given remembers for a moment which browser was given which session: one that
// comes back from the provider again, without that session, keeps no cookies and
// would go round for ever.
type Given struct {
	mu        sync.Mutex
	byBrowser map[string]givenSession // by Login.Browser
}

type givenSession struct {
	at     time.Time
	person session.Session
	fades  *time.Timer // when it is forgotten
}

// NewGiven returns one that remembers nothing yet.
func NewGiven() *Given { return &Given{byBrowser: map[string]givenSession{}} }

// Note remembers that the browser of a login was given a session.
func (g *Given) Note(login Login, person session.Session, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.byBrowser) >= maxGiven {
		return
	}
	browser := login.Browser
	if before, ok := g.byBrowser[browser]; ok {
		before.fades.Stop()
	}
	fades := time.AfterFunc(givenMemory, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.byBrowser[browser].at.Equal(now) {
			delete(g.byBrowser, browser)
		}
	})
	g.byBrowser[browser] = givenSession{now, person, fades}
}

// Before returns the session that the browser of a login was given before that
// login was begun, and a moment ago; or nil.
func (g *Given) Before(login Login, now time.Time) *session.Session {
	g.mu.Lock()
	defer g.mu.Unlock()
	given, ok := g.byBrowser[login.Browser]
	if !ok || !given.at.Before(login.Begun) || now.Sub(given.at).Abs() > givenMemory {
		return nil
	}
	return &given.person
}
