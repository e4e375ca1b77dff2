package server

import (
	"bytes"
	"context"
	"net"
	"time"
)

// clientListener makes connections that ask the system for less than net/http
// asks them for.
type Listener struct{ *net.TCPListener }

// Accept implements net.Listener.
func (l Listener) Accept() (net.Conn, error) {
	accepted, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return &Conn{TCPConn: accepted}, nil
}

// clientConn is a connection as net/http uses one: whoever answers its request
// writes to it and says by when, and nobody else.
type Conn struct {
	*net.TCPConn
	Held     *bytes.Buffer // takes what is written; nil where that goes to the client
	deadline time.Time
}

// clientConnKey is the context key of a request's *clientConn.
type ClientConnKey struct{}

// withClientConn serves http.Server.ConnContext.
func withClientConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, ClientConnKey{}, c)
}

const (
	// fitsHeader is how many bytes of a body net/http writes together with its
	// header, of which ours have up to two thousand.
	FitsHeader = 2 << 10
	// maxHeld bounds the bytes of an answer that are held.
	MaxHeld = 256 << 10
	// deadlineSlack is how much earlier than it should a deadline may pass.
	deadlineSlack = time.Second
)

// Write implements net.Conn.
func (c *Conn) Write(data []byte) (int, error) {
	if c.Held == nil {
		return c.TCPConn.Write(data)
	}
	return c.Held.Write(data)
}

// SetWriteDeadline implements net.Conn. A deadline that passes no more than
// deadlineSlack before the one asked for stays, since net/http asks for a new one
// with each request.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if later := t.Sub(c.deadline); later >= 0 && later < deadlineSlack {
		return nil
	}
	c.deadline = t
	return c.TCPConn.SetWriteDeadline(t)
}
