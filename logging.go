package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// newLogger returns a logger that writes lines of the format "text" or "json"
// to stderr, each with the reference of the request that it belongs to.
func newLogger(format string, stderr io.Writer) *slog.Logger {
	var lines slog.Handler = slog.NewTextHandler(stderr, nil)
	if format == "json" {
		lines = slog.NewJSONHandler(stderr, nil)
	}
	return slog.New(referencedLines{lines})
}

// referencedLines is a slog.Handler that adds the reference of the context's
// request as "ref", so that whoever logs need not know it.
type referencedLines struct{ slog.Handler }

// Handle implements slog.Handler.
func (h referencedLines) Handle(ctx context.Context, line slog.Record) error {
	if info, ok := ctx.Value(requestInfoKey{}).(*requestInfo); ok {
		line.AddAttrs(slog.String("ref", info.Reference))
	}
	return h.Handler.Handle(ctx, line)
}

// WithAttrs implements slog.Handler.
func (h referencedLines) WithAttrs(attributes []slog.Attr) slog.Handler {
	return referencedLines{h.Handler.WithAttrs(attributes)}
}

// WithGroup implements slog.Handler.
func (h referencedLines) WithGroup(name string) slog.Handler {
	return referencedLines{h.Handler.WithGroup(name)}
}

const (
	// lineDelay is how late a line may come, so that the lines of many requests
	// cost one write: to write a line takes half of what it takes to make it.
	lineDelay = 2 * time.Millisecond
	// maxWaitingLines is how many bytes of lines wait at most.
	maxWaitingLines = 32 << 10
)

// lineWriter passes on what is written to it a moment later, in one piece and in
// order. What waits when the process is killed is lost.
type lineWriter struct {
	to io.Writer

	mu      sync.Mutex
	waiting []byte
	flusher *time.Timer // runs while something waits
}

func newLineWriter(to io.Writer) *lineWriter {
	l := &lineWriter{to: to}
	l.flusher = time.AfterFunc(lineDelay, l.flush)
	return l
}

// Write implements io.Writer.
func (l *lineWriter) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.flusher.Reset(lineDelay)
	}
	l.waiting = append(l.waiting, line...)
	if len(l.waiting) > maxWaitingLines {
		l.pass()
	}
	return len(line), nil
}

// flush passes on what waits.
func (l *lineWriter) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pass()
}

func (l *lineWriter) pass() {
	if len(l.waiting) > 0 {
		// Nobody is left to be told that the log cannot be written.
		_, _ = l.to.Write(l.waiting)
		l.waiting = l.waiting[:0]
	}
}
