package logging

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// newLogger returns a logger that writes lines of the format "text" or "json"
// to stderr, each with the reference of the request that it belongs to.
func New(format string, stderr io.Writer) *slog.Logger {
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
	if info, ok := ctx.Value(requestInfoKey{}).(*RequestInfo); ok {
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

// accessLog writes one line for each request, byte for byte as the logger would
// and in less than a third of its time. A log that cannot be written is no reason
// to leave a request unanswered.
type AccessLog struct {
	log    *slog.Logger // of lines that are not plain
	to     io.Writer
	format accessFormat

	mu   sync.Mutex
	line []byte // used again and again
}

// An accessFormat is what stands around the values of a line.
type accessFormat struct {
	time                                                 string // its layout
	begin, method, path, status, duration, addr, subject string // before each value
	reference, end                                       string
	empty                                                string // in place of a text that is empty
}

func NewAccessLog(format string, to io.Writer, log *slog.Logger) *AccessLog {
	lines := accessFormat{
		"2006-01-02T15:04:05.000Z07:00",
		"time=", " level=INFO msg=request method=", " path=", " status=", " duration_ms=", " addr=", " sub=",
		" ref=", "\n", `""`,
	}
	if format == "json" {
		lines = accessFormat{
			time.RFC3339Nano,
			`{"time":"`, `","level":"INFO","msg":"request","method":"`, `","path":"`, `","status":`, `,"duration_ms":`, `,"addr":"`, `","sub":"`,
			`","ref":"`, "\"}\n", "",
		}
	}
	return &AccessLog{log: log, to: to, format: lines}
}

// answered logs that a request was answered with a status.
func (l *AccessLog) Answered(r *http.Request, info *RequestInfo, status int, now time.Time, took time.Duration) {
	milliseconds := float64(took.Microseconds()) / 1000
	if !isPlain(r.Method) || !isPlain(r.URL.Path) || !isPlain(info.Addr) || !isPlain(info.Subject) {
		line := slog.NewRecord(now, slog.LevelInfo, "request", 0)
		line.AddAttrs(slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", status),
			slog.Float64("duration_ms", milliseconds), slog.String("addr", info.Addr), slog.String("sub", info.Subject))
		_ = l.log.Handler().Handle(r.Context(), line)
		return
	}
	f := &l.format
	l.mu.Lock()
	defer l.mu.Unlock()
	line := now.AppendFormat(append(l.line[:0], f.begin...), f.time)
	line = append(append(line, f.method...), r.Method...)
	line = append(append(line, f.path...), r.URL.Path...)
	line = strconv.AppendInt(append(line, f.status...), int64(status), 10)
	line = strconv.AppendFloat(append(line, f.duration...), milliseconds, 'f', -1, 64)
	line = append(append(line, f.addr...), cmp.Or(info.Addr, f.empty)...)
	line = append(append(line, f.subject...), cmp.Or(info.Subject, f.empty)...)
	line = append(append(line, f.reference...), info.Reference...)
	l.line = append(line, f.end...)
	_, _ = l.to.Write(l.line)
}

// isPlain reports whether a text stands in a line as it is: neither format quotes
// or escapes anything of it.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '=' {
			return false
		}
	}
	return true
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

func NewLineWriter(to io.Writer) *lineWriter {
	l := &lineWriter{to: to}
	l.flusher = time.AfterFunc(lineDelay, l.Flush)
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
func (l *lineWriter) Flush() {
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
