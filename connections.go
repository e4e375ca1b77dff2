package main

import (
	"bytes"
	"net/http"

	"expense-dashboard/internal/server"
)

// writeWhole writes a body, whose length the header names, in one call of the
// system with the header. net/http by itself sends the first 4,096 bytes ahead,
// and a call takes longer than all that we do for a page.
func (p *pages) writeWhole(w http.ResponseWriter, r *http.Request, body []byte) {
	c, ok := r.Context().Value(server.ClientConnKey{}).(*server.Conn)
	if !ok || len(body) <= server.FitsHeader || len(body) > server.MaxHeld {
		// A browser that has gone away needs no other answer.
		_, _ = w.Write(body)
		return
	}
	c.Held = p.buffers.Get().(*bytes.Buffer)
	defer p.buffers.Put(c.Held)
	c.Held.Reset()
	_, _ = w.Write(body)
	_ = http.NewResponseController(w).Flush()
	whole := c.Held.Bytes()
	c.Held = nil
	if _, err := c.TCPConn.Write(whole); err != nil {
		// net/http does not know that its client still waits for the rest.
		_ = c.Close()
	}
}
