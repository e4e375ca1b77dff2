package logging

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestLogLinesCarryReference logs as code deep below a request does, which
// knows no more of it than its context.
func TestLogLinesCarryReference(t *testing.T) {
	inRequest := context.WithValue(t.Context(), requestInfoKey{}, &RequestInfo{Reference: "ABCDEFGHIJ"})
	t.Run("text", func(t *testing.T) {
		var lines bytes.Buffer
		log := New("text", &lines)
		log.InfoContext(inRequest, "first", "event", "x")
		log.With("part", "store").InfoContext(inRequest, "second")
		log.InfoContext(t.Context(), "third")
		got := strings.Split(strings.TrimSpace(lines.String()), "\n")
		if len(got) != 3 || !strings.HasSuffix(got[0], "msg=first event=x ref=ABCDEFGHIJ") ||
			!strings.HasSuffix(got[1], "msg=second part=store ref=ABCDEFGHIJ") || strings.Contains(got[2], "ref=") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("json", func(t *testing.T) {
		var line bytes.Buffer
		New("json", &line).WarnContext(inRequest, "canceled", "error", context.Canceled)
		var got map[string]any
		if err := json.Unmarshal(line.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got["ref"] != "ABCDEFGHIJ" || got["msg"] != "canceled" || got["error"] != "context canceled" || got["level"] != "WARN" {
			t.Errorf("got %v", got)
		}
	})
}

// TestAccessLogIsTheLoggers compares the lines that the access log makes itself
// with those that slog makes of the same values.
func TestAccessLogIsTheLoggers(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 4, 5, 60_000_000, time.FixedZone("", 3600))
	for _, format := range []string{"text", "json"} {
		for name, at := range map[string]struct {
			method, path, addr, subject string
			took                        time.Duration
		}{
			"guest":           {"GET", "/", "192.0.2.1:49152", "", 40 * time.Microsecond},
			"signed in":       {"POST", "/team/finance/expenses", "[2001:db8::1]:49152", "00u-carol", 1234567 * time.Microsecond},
			"no time at all":  {"GET", "/static/style.css", "192.0.2.1:49152", "", 0},
			"a minute":        {"GET", "/expenses.csv", "192.0.2.1:49152", "00u-hannah", time.Minute + 500*time.Microsecond},
			"a space":         {"GET", "/team/a b", "192.0.2.1:49152", "", time.Millisecond},
			"a forged line":   {"GET", "/a\ntime=2026 level=INFO msg=request", "192.0.2.1:49152", "", time.Millisecond},
			"an equals sign":  {"GET", "/a=b", "192.0.2.1:49152", "", time.Millisecond},
			"a quote":         {"GET", `/"`, "192.0.2.1:49152", "", time.Millisecond},
			"a backslash":     {"GET", `/\n`, "192.0.2.1:49152", "", time.Millisecond},
			"not ASCII":       {"GET", "/é\u2028\u202e", "192.0.2.1:49152", "", time.Millisecond},
			"not UTF-8":       {"GET", "/\xff", "192.0.2.1:49152", "", time.Millisecond},
			"a delete":        {"GET", "/\x7f", "192.0.2.1:49152", "", time.Millisecond},
			"a person's name": {"GET", "/", "192.0.2.1:49152", "auth0|a b", time.Millisecond},
		} {
			t.Run(format+"/"+name, func(t *testing.T) {
				info := &RequestInfo{Reference: "ABCDEFGHIJ", Addr: at.addr, Subject: at.subject}
				r := &http.Request{Method: at.method, URL: &url.URL{Path: at.path}}
				r = WithInfo(r, info)
				var got, want bytes.Buffer
				NewAccessLog(format, &got, New(format, &got)).Answered(r, info, http.StatusOK, now, at.took)
				line := slog.NewRecord(now, slog.LevelInfo, "request", 0)
				line.AddAttrs(slog.String("method", at.method), slog.String("path", at.path), slog.Int("status", http.StatusOK),
					slog.Float64("duration_ms", float64(at.took.Microseconds())/1000), slog.String("addr", at.addr), slog.String("sub", at.subject))
				if err := New(format, &want).Handler().Handle(r.Context(), line); err != nil {
					t.Fatal(err)
				}
				if got, want := got.String(), want.String(); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
				if strings.Count(got.String(), "\n") != 1 {
					t.Errorf("not one line: %q", got.String())
				}
			})
		}
	}
}

// BenchmarkLogLine is a line of the access log, with what adds its reference.
func BenchmarkLogLine(b *testing.B) {
	inRequest := context.WithValue(b.Context(), requestInfoKey{}, &RequestInfo{Reference: "ABCDEFGHIJ"})
	for _, format := range []string{"text", "json"} {
		b.Run(format, func(b *testing.B) {
			l := NewAccessLog(format, io.Discard, New(format, io.Discard))
			r := httptest.NewRequest(http.MethodGet, "/team/sales", nil).WithContext(inRequest)
			b.ReportAllocs()
			for b.Loop() {
				l.Answered(r, InfoOf(r), http.StatusOK, time.Now(), 40*time.Microsecond)
			}
		})
	}
}
