package openid

import (
	"context"
	"time"
)

const (
	// probeMemory is how long the answer to Reachable holds, and probePatience how long
	// it is waited for.
	probeMemory   = 5 * time.Second
	probePatience = 3 * time.Second
)

// A probe asks once whether the provider answers, for all who want to know.
type probe struct {
	begun   time.Time
	done    chan struct{} // closed when answers is there
	answers bool
}

// Reachable reports whether the provider answers: what it is asked for is its
// discovery document, at most once in probeMemory. Who waits may leave by ctx, and is
// told no; the others wait on.
func (c *Client) Reachable(ctx context.Context) bool {
	p := c.joinProbe(ctx)
	select {
	case <-p.done:
		return p.answers
	case <-ctx.Done():
		return false
	}
}

// joinProbe returns the probe that is under way or whose answer still holds, which is
// new if there was none. It goes on when whoever began it goes away.
func (c *Client) joinProbe(ctx context.Context) *probe {
	c.probing.Lock()
	defer c.probing.Unlock()
	now := c.config.Now()
	if c.probe != nil && (c.probe.isUnderWay() || now.Sub(c.probe.begun).Abs() < probeMemory) {
		return c.probe
	}
	p := &probe{begun: now, done: make(chan struct{})}
	c.probe = p
	go func() {
		defer close(p.done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probePatience)
		defer cancel()
		_, err := c.Discover(ctx)
		p.answers = err == nil
	}()
	return p
}

func (p *probe) isUnderWay() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}
