package web

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Who goes away is told nothing, and is no error of ours.
func TestWhoGoesAway(t *testing.T) {
	for name, test := range map[string]struct {
		handler Handler
		gone    bool // the request's context says so
		cutOff  bool
	}{
		"before the answer": {func(http.ResponseWriter, *http.Request) error { return context.Canceled }, true, false},
		"while it is written": {func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = w.Write([]byte("half"))
			return fmt.Errorf("%w: broken pipe", ErrGone)
		}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			s := &Site{log: slog.New(slog.NewTextHandler(&log, nil))}
			ctx, leave := context.WithCancel(t.Context())
			if test.gone {
				leave()
			}
			defer leave()
			w := httptest.NewRecorder()
			a := &answer{ResponseWriter: w}
			func() {
				defer func() {
					if cause := recover(); (cause != nil) != test.cutOff {
						t.Errorf("cut off by %v", cause)
					}
				}()
				s.Handle(test.handler).ServeHTTP(a, httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
			}()
			if a.status != statusGone || strings.Contains(w.Body.String(), "<") {
				t.Errorf("answered with %d: %s", a.status, w.Body)
			}
			if !strings.Contains(log.String(), "level=INFO") || !strings.Contains(log.String(), "status=499") || strings.Contains(log.String(), "ERROR") {
				t.Errorf("the log is %s", log.String())
			}
		})
	}
}

// A handler that writes nothing is answered for by net/http, with 200.
func TestAnswerWithoutAHeader(t *testing.T) {
	var log bytes.Buffer
	s := &Site{log: slog.New(slog.NewTextHandler(&log, nil))}
	w := httptest.NewRecorder()
	s.Logged(s.Handle(func(http.ResponseWriter, *http.Request) error { return nil })).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Result().StatusCode != http.StatusOK || !strings.Contains(log.String(), "path=/ status=200") {
		t.Errorf("answered with %d, and the log is %s", w.Result().StatusCode, log.String())
	}
}
