package logging

import (
	"bytes"
	"io"
	"sync/atomic"
	"time"
)

const (
	// maxWaiting is how many lines wait to be written, and maxAuditWaiting how many
	// with those of the audit, which have that much room to themselves.
	maxWaiting      = 4096
	maxAuditWaiting = 2 * maxWaiting
	// auditWait is how long an answer waits for its line of the audit.
	auditWait = 250 * time.Millisecond
	// endWait is how long the end of the program waits for its last lines.
	endWait = time.Second
	// maxPiece is how many bytes of waiting lines go out in one call, but for the
	// last line's.
	maxPiece = 32 << 10
)

// A Queue is what the program logs to while it serves: one goroutine writes the
// lines that it is given, in order, so that a reader of standard error that
// stops reading holds up nobody. What finds no room in the queue, or cannot be
// written, is dropped and counted.
type Queue struct {
	to      io.Writer
	lines   chan queued
	dropped atomic.Uint64
	notice  atomic.Pointer[func(dropped uint64) []byte]
	cut     bool // what went out last is the beginning of a line
}

// queued is a line, or the question whether everything before it is written.
type queued struct {
	text []byte
	done chan<- struct{} // closed then; nil for a line
}

// NewQueue returns a queue whose lines go to an io.Writer that nothing else
// writes to, until the program ends.
func NewQueue(to io.Writer) *Queue {
	q := &Queue{to: to, lines: make(chan queued, maxAuditWaiting+maxWaiting)}
	go q.write()
	return q
}

// Write implements io.Writer. It never waits and never fails.
func (q *Queue) Write(line []byte) (int, error) { return q.put(line, maxWaiting) }

// Dropped returns how many lines were not written so far.
func (q *Queue) Dropped() uint64 { return q.dropped.Load() }

// Close waits until what was written so far has gone out, for a second at most.
func (q *Queue) Close() { q.wait(endWait) }

// auditQueue is the queue for lines of the audit.
type auditQueue struct{ *Queue }

// Write implements io.Writer.
func (q auditQueue) Write(line []byte) (int, error) { return q.put(line, maxAuditWaiting) }

func (q *Queue) put(line []byte, room int) (int, error) {
	if len(q.lines) >= room {
		q.dropped.Add(1)
		return len(line), nil
	}
	select {
	case q.lines <- queued{text: append([]byte(nil), line...)}:
	default:
		q.dropped.Add(1)
	}
	return len(line), nil
}

// wait waits until the lines before it have gone out, or so long.
func (q *Queue) wait(most time.Duration) {
	done := make(chan struct{})
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case q.lines <- queued{done: done}:
	case <-timer.C:
		return
	}
	select {
	case <-done:
	case <-timer.C:
	}
}

// write passes on what waits, as many lines at once as there are.
func (q *Queue) write() {
	var told uint64 // of the lines that were dropped
	for first := range q.lines {
		piece, asked := q.gather(first)
		written := len(piece) > 0 && q.pass(piece)
		for _, done := range asked {
			close(done)
		}
		dropped, notice := q.dropped.Load(), q.notice.Load()
		if written && dropped > told && notice != nil && len(q.lines) < maxWaiting/2 && q.pass((*notice)(dropped-told)) {
			told = dropped
		}
	}
}

// gather returns the lines that wait behind the first in one piece, and who asked
// to be told when they are written.
func (q *Queue) gather(first queued) (piece []byte, asked []chan<- struct{}) {
	for next := first; ; {
		if next.done != nil {
			asked = append(asked, next.done)
		}
		if piece = append(piece, next.text...); len(piece) >= maxPiece {
			return piece, asked
		}
		select {
		case next = <-q.lines:
		default:
			return piece, asked
		}
	}
}

// pass writes a piece, and reports whether all of it went out. What follows one
// that did not begins a line of its own.
func (q *Queue) pass(piece []byte) bool {
	if q.cut {
		piece = append([]byte{'\n'}, piece...)
	}
	written, err := q.to.Write(piece)
	if written > 0 {
		q.cut = piece[written-1] != '\n'
	}
	if err != nil {
		// Nobody is left to be told, and no request is worth less for it.
		q.dropped.Add(uint64(bytes.Count(piece[written:], []byte{'\n'})))
	}
	return err == nil
}
