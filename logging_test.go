package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestLogLinesCarryReference logs as code deep below a request does, which
// knows no more of it than its context.
func TestLogLinesCarryReference(t *testing.T) {
	inRequest := context.WithValue(t.Context(), requestInfoKey{}, &requestInfo{Reference: "ABCDEFGHIJ"})
	t.Run("text", func(t *testing.T) {
		var lines bytes.Buffer
		log := newLogger("text", &lines)
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
		newLogger("json", &line).WarnContext(inRequest, "canceled", "error", context.Canceled)
		var got map[string]any
		if err := json.Unmarshal(line.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got["ref"] != "ABCDEFGHIJ" || got["msg"] != "canceled" || got["error"] != "context canceled" || got["level"] != "WARN" {
			t.Errorf("got %v", got)
		}
	})
}

// BenchmarkLogLine is a line of the access log, with what adds its reference.
func BenchmarkLogLine(b *testing.B) {
	inRequest := context.WithValue(b.Context(), requestInfoKey{}, &requestInfo{Reference: "ABCDEFGHIJ"})
	for _, format := range []string{"text", "json"} {
		b.Run(format, func(b *testing.B) {
			s := &site{log: newLogger(format, io.Discard)}
			a, r := &answer{status: http.StatusOK}, httptest.NewRequest(http.MethodGet, "/team/sales", nil).WithContext(inRequest)
			b.ReportAllocs()
			for b.Loop() {
				s.answered(a, r, time.Millisecond)
			}
		})
	}
}
