package logging

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
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
		log := New("text", slog.LevelInfo, &lines)
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
		New("json", slog.LevelInfo, &line).WarnContext(inRequest, "canceled", "error", context.Canceled)
		var got map[string]any
		if err := json.Unmarshal(line.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got["ref"] != "ABCDEFGHIJ" || got["msg"] != "canceled" || got["error"] != "context canceled" || got["level"] != "WARN" {
			t.Errorf("got %v", got)
		}
	})
}

// TestAnsweredIsOneLine logs requests that would like to be more than one line.
func TestAnsweredIsOneLine(t *testing.T) {
	for _, path := range []string{"/", "/a b", "/a\ntime=2026 level=INFO msg=request", "/a=b", `/"`, `/\n`, "/é\u2028\u202e", "/\xff", "/\x7f"} {
		for _, format := range []string{"text", "json"} {
			t.Run(format+path, func(t *testing.T) {
				var line bytes.Buffer
				r := WithInfo(&http.Request{Method: "GET", URL: &url.URL{Path: path, RawQuery: "code=canary"}}, &RequestInfo{Reference: "ABCDEFGHIJ", Addr: "192.0.2.1:49152"})
				Answered(New(format, slog.LevelInfo, &line), r, http.StatusOK, 1500*time.Microsecond)
				got := line.String()
				for _, want := range []string{"200", "1.5", "192.0.2.1:49152", "ABCDEFGHIJ"} {
					if !strings.Contains(got, want) {
						t.Errorf("%q is not in %q", want, got)
					}
				}
				if strings.Count(got, "\n") != 1 || strings.Contains(got, "canary") {
					t.Errorf("got %q, want one line without the query", got)
				}
			})
		}
	}
}

// TestLevels wants probes of health at the level for debugging only, and the
// audit at every level.
func TestLevels(t *testing.T) {
	for level, want := range map[slog.Level]string{
		slog.LevelDebug: "debugged /healthz /readyz / warned sign_out",
		slog.LevelInfo:  "/ warned sign_out",
		slog.LevelWarn:  "warned sign_out",
	} {
		t.Run(level.String(), func(t *testing.T) {
			var lines bytes.Buffer
			log := New("text", level, &lines).With("part", "test")
			log.Debug("debugged")
			for _, path := range []string{"/healthz", "/readyz", "/"} {
				Answered(log, httptest.NewRequest("GET", path, nil), http.StatusOK, 0)
			}
			log.Warn("warned")
			Audit(log, httptest.NewRequest("POST", "/logout", nil), EventSignOut, "sub", "asked")
			var got []string
			for _, word := range strings.Fields(lines.String()) {
				for _, name := range []string{"msg=debugged", "path=", "msg=warned", "event="} {
					if rest, ok := strings.CutPrefix(word, name); ok {
						got = append(got, cmp.Or(rest, strings.TrimPrefix(name, "msg=")))
					}
				}
			}
			if got := strings.Join(got, " "); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
