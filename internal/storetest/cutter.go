package storetest

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// A Cutter stands between a test and PostgreSQL, and cuts a connection in the middle of
// an answer.
type Cutter struct {
	URL string // of the database behind it

	mu   sync.Mutex
	rows int // to let through until then; negative is for ever
}

// NewCutter returns a Cutter before a database, which cuts nothing yet and ends with the
// test.
func NewCutter(t testing.TB, databaseURL string) *Cutter {
	t.Helper()
	server, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	before := *server
	before.Host = listener.Addr().String()
	c := &Cutter{URL: before.String(), rows: -1}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go c.serve(client, server.Host)
		}
	}()
	return c
}

// CutAfter lets so many rows through, of all answers together, and cuts the connection
// on which another one comes.
func (c *Cutter) CutAfter(rows int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rows = rows
}

// Cut reports whether a connection was cut since CutAfter.
func (c *Cutter) Cut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rows < 0
}

// passes counts a row, and reports whether it gets through.
func (c *Cutter) passes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rows < 0 {
		return true
	}
	c.rows--
	return c.rows >= 0
}

// serve passes on what a client and the server at an address say to each other.
func (c *Cutter) serve(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		defer server.Close()
		_, _ = io.Copy(server, client)
	}()
	// Each message of the server is a letter, its length but for that, and the rest.
	const row = 'D'
	for head := make([]byte, 5); ; {
		if _, err := io.ReadFull(server, head); err != nil {
			return
		}
		if head[0] == row && !c.passes() {
			return
		}
		if _, err := client.Write(head); err != nil {
			return
		}
		if _, err := io.CopyN(client, server, int64(binary.BigEndian.Uint32(head[1:]))-4); err != nil {
			return
		}
	}
}
