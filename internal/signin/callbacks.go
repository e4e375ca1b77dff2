package signin

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/session"
)

const (
	// callbackMemory is how long the outcome of a callback is remembered.
	callbackMemory = time.Minute
	// usedMemory is how long it is remembered that a pending login was used: no
	// shorter than its cookie is good.
	usedMemory = PendingMaxAge + time.Minute
	// maxCallbacks bounds how many are remembered at once.
	maxCallbacks = 5000
)

// errPanicked is a sign-in whose code panicked.
var errPanicked = errors.New("panic")

// ErrUsedLogin is a pending login that somebody signed in with before.
var ErrUsedLogin = errors.New("the pending login has been used already")

// Callbacks lets the same callback, sent many times at once, cost one token
// request: whoever comes while it is under way, or within callbackMemory, gets
// the same outcome; whoever comes later has used the pending login up. It shares
// within this process only; elsewhere the provider refuses the code that it has
// seen.
type Callbacks struct {
	mu      sync.Mutex
	byState map[string]*callbackCall
}

// callbackCall is a callback under way or done. What is left of it after
// callbackMemory has ErrUsedLogin for an outcome.
type callbackCall struct {
	begun   time.Time
	done    chan struct{} // closed when outcome is there
	outcome Outcome
	fades   *time.Timer // when less of it is remembered, or nothing
}

// usedCall is what is left of a call.
func usedCall(begun time.Time) *callbackCall {
	done := make(chan struct{})
	close(done)
	return &callbackCall{begun: begun, done: done, outcome: Outcome{Err: &openid.SignInError{Failure: openid.NoPendingLogin, Err: ErrUsedLogin}}}
}

// Outcome is what came of a callback: a session that has begun, or an
// error.
type Outcome struct {
	Person     session.Session
	RawIDToken string
	Err        error
}

// NewCallbacks returns one that remembers nothing yet.
func NewCallbacks() *Callbacks { return &Callbacks{byState: map[string]*callbackCall{}} }

// Do returns the outcome of fn, which runs once for a pending login. It has
// openid.SignInTimeout, and goes on when the browser that came first goes away; ctx
// ends only the waiting.
func (c *Callbacks) Do(ctx context.Context, login Login, now time.Time, fn func(context.Context) Outcome) Outcome {
	call, isFirst := c.join(login, now)
	if isFirst {
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), openid.SignInTimeout)
		go func() {
			defer cancel()
			defer close(call.done)
			defer func() {
				// No handler's recovery reaches here.
				if cause := recover(); cause != nil {
					call.outcome = Outcome{Err: fmt.Errorf("%w: %v: %s", errPanicked, cause, debug.Stack())}
				}
			}()
			call.outcome = fn(detached)
		}()
	}
	select {
	case <-call.done:
		return call.outcome
	case <-ctx.Done():
		return Outcome{Err: ctx.Err()}
	}
}

// IsUsed reports whether a pending login was used so long ago that its outcome is
// no longer shared.
func (c *Callbacks) IsUsed(login Login, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	call, ok := c.byState[login.State]
	return ok && now.Sub(call.begun) > callbackMemory
}

// join returns the call of a pending login, which is new if it is the first.
func (c *Callbacks) join(login Login, now time.Time) (call *callbackCall, isFirst bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if call, ok := c.byState[login.State]; ok {
		if now.Sub(call.begun) > callbackMemory {
			call = usedCall(call.begun)
		}
		return call, false
	}
	if len(c.byState) >= maxCallbacks {
		c.dropOldestLocked()
	}
	// The state is a part of the request's address, which may be long.
	state := strings.Clone(login.State)
	call = &callbackCall{begun: now, done: make(chan struct{})}
	c.byState[state] = call
	call.fades = time.AfterFunc(callbackMemory, func() {
		left := usedCall(now)
		left.fades = time.AfterFunc(usedMemory-callbackMemory, func() { c.replace(state, left, nil) })
		c.replace(state, call, left)
	})
	return call, true
}

// replace puts what is left of a call in its place, or nothing, unless the call was
// dropped. Whoever waits for it still gets its outcome.
func (c *Callbacks) replace(state string, call, left *callbackCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.byState[state] != call:
	case left == nil:
		delete(c.byState, state)
	default:
		c.byState[state] = left
	}
}

// dropOldestLocked makes room. Whoever waits for the call that is dropped still
// gets its outcome.
func (c *Callbacks) dropOldestLocked() {
	var oldest string
	for state, call := range c.byState {
		if known, ok := c.byState[oldest]; !ok || call.begun.Before(known.begun) {
			oldest = state
		}
	}
	c.byState[oldest].fades.Stop()
	delete(c.byState, oldest)
}
