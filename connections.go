package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"time"
)

// clientListener makes connections that ask the system for less than net/http
// asks them for.
type clientListener struct{ *net.TCPListener }

// Accept implements net.Listener.
func (l clientListener) Accept() (net.Conn, error) {
	accepted, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return &clientConn{TCPConn: accepted}, nil
}

// clientConn is a connection as net/http uses one: whoever answers its request
// writes to it and says by when, and nobody else.
type clientConn struct {
	*net.TCPConn
	held     *bytes.Buffer // takes what is written; nil where that goes to the client
	deadline time.Time
}

// clientConnKey is the context key of a request's *clientConn.
type clientConnKey struct{}

// withClientConn serves http.Server.ConnContext.
func withClientConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, clientConnKey{}, c)
}

const (
	// fitsHeader is how many bytes of a body net/http writes together with its
	// header, of which ours have up to two thousand.
	fitsHeader = 2 << 10
	// maxHeld bounds the bytes of an answer that are held.
	maxHeld = 256 << 10
	// deadlineSlack is how much earlier than it should a deadline may pass.
	deadlineSlack = time.Second
)

// writeWhole writes a body, whose length the header names, in one call of the
// system with the header. net/http by itself sends the first 4,096 bytes ahead,
// and a call takes longer than all that we do for a page.
func (p *pages) writeWhole(w http.ResponseWriter, r *http.Request, body []byte) {
	c, ok := r.Context().Value(clientConnKey{}).(*clientConn)
	if !ok || len(body) <= fitsHeader || len(body) > maxHeld {
		// A browser that has gone away needs no other answer.
		_, _ = w.Write(body)
		return
	}
	c.held = p.buffers.Get().(*bytes.Buffer)
	defer p.buffers.Put(c.held)
	c.held.Reset()
	_, _ = w.Write(body)
	_ = http.NewResponseController(w).Flush()
	whole := c.held.Bytes()
	c.held = nil
	if _, err := c.TCPConn.Write(whole); err != nil {
		// net/http does not know that its client still waits for the rest.
		_ = c.Close()
	}
}

// Write implements net.Conn.
func (c *clientConn) Write(data []byte) (int, error) {
	if c.held == nil {
		return c.TCPConn.Write(data)
	}
	return c.held.Write(data)
}

// SetWriteDeadline implements net.Conn. A deadline that passes no more than
// deadlineSlack before the one asked for stays, since net/http asks for a new one
// with each request.
func (c *clientConn) SetWriteDeadline(t time.Time) error {
	if later := t.Sub(c.deadline); later >= 0 && later < deadlineSlack {
		return nil
	}
	c.deadline = t
	return c.TCPConn.SetWriteDeadline(t)
}
