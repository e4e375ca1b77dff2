package main

import (
	"context"
	"io"
	"log/slog"
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
