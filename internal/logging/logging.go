// Package logging writes the program's log: lines of slog, as text or as JSON,
// each with the reference of the request that it belongs to.
//
// A line of the audit, which is one with an event, is written before the answer
// that it is about goes out; every other line waits in a [Queue] and is rather
// dropped than waited for. It never holds a query, a token or a code, and it
// never fails: a log that cannot be written is no reason to leave a request
// unanswered.
//
// Start reading at [New]; [Audit] is what the rest of the program calls for
// sign-ins, sign-outs and refusals.
package logging

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// New returns a logger that writes lines of the format "text" or "json" to an
// io.Writer. Lines below the level are left out, but not those of the audit.
// Where the writer is a [Queue], a line of the audit is waited for.
func New(format string, level slog.Level, to io.Writer) *slog.Logger {
	h := handler{level: level, plain: handlerOf(format, to), wait: func() {}}
	h.audit = h.plain
	if queue, ok := to.(*Queue); ok {
		h.audit, h.wait = handlerOf(format, auditQueue{queue}), func() { queue.wait(auditWait) }
		notice := func(dropped uint64) []byte {
			var line bytes.Buffer
			slog.New(handlerOf(format, &line)).Warn("lines of the log were dropped", "count", dropped)
			return line.Bytes()
		}
		queue.notice.Store(&notice)
	}
	return slog.New(h)
}

// handlerOf returns slog's own handler of a format, which leaves nothing out.
func handlerOf(format string, to io.Writer) slog.Handler {
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	if format == "json" {
		return slog.NewJSONHandler(to, options)
	}
	return slog.NewTextHandler(to, options)
}

// A handler is a slog.Handler that adds the reference of the context's request
// as "ref", so that whoever logs need not know it, and waits for lines of the
// audit.
type handler struct {
	level        slog.Level
	plain, audit slog.Handler
	wait         func() // until what audit was given is written
}

// Enabled implements slog.Handler. What is below the level may still belong to
// the audit, which only its attributes tell.
func (h handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= min(h.level, slog.LevelInfo)
}

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, line slog.Record) error {
	audit := isAudit(line)
	if line.Level < h.level && !audit {
		return nil
	}
	if info, ok := ctx.Value(requestInfoKey{}).(*RequestInfo); ok {
		line.AddAttrs(slog.String("ref", info.Reference))
	}
	if !audit {
		return h.plain.Handle(ctx, line)
	}
	err := h.audit.Handle(ctx, line)
	h.wait()
	return err
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attributes []slog.Attr) slog.Handler {
	h.plain, h.audit = h.plain.WithAttrs(attributes), h.audit.WithAttrs(attributes)
	return h
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler {
	h.plain, h.audit = h.plain.WithGroup(name), h.audit.WithGroup(name)
	return h
}

// isAudit reports whether a line has an event.
func isAudit(line slog.Record) (audit bool) {
	line.Attrs(func(attribute slog.Attr) bool {
		audit = attribute.Key == "event"
		return !audit
	})
	return audit
}

// Answered logs that a request was answered with a status, after so long: one of
// /healthz or /readyz, which some machine asks every few seconds, for debugging.
// The query is left out: it holds codes.
func Answered(log *slog.Logger, r *http.Request, status int, took time.Duration) {
	level := slog.LevelInfo
	if path := r.URL.Path; path == "/healthz" || path == "/readyz" {
		level = slog.LevelDebug
	}
	info := InfoOf(r)
	log.LogAttrs(r.Context(), level, "request",
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", status),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000), slog.String("addr", info.Addr), slog.String("sub", info.Subject))
}
