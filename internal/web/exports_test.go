package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/store"
)

// take takes a place without waiting.
func take(t *testing.T, p *exportPlaces, subject string) (giveBack func()) {
	t.Helper()
	giveBack, err := p.take(t.Context(), subject, 0)
	if err != nil {
		t.Fatalf("%s gets no place: %v", subject, err)
	}
	return giveBack
}

func TestExportsHaveRoom(t *testing.T) {
	p := newExportPlaces()
	first := take(t, p, "carol")
	if _, err := p.take(t.Context(), "carol", 0); !errors.Is(err, errBusy) || !strings.Contains(err.Error(), "the same person") {
		t.Errorf("a second place for one person: %v", err)
	}
	second := take(t, p, "hannah")
	if _, err := p.take(t.Context(), "grace", 0); !errors.Is(err, errBusy) || !strings.Contains(err.Error(), "all places are taken") {
		t.Errorf("one place too many: %v", err)
	}
	first()
	third := take(t, p, "grace")
	second()
	third()
	take(t, p, "carol")()
	if len(p.taken) != 0 || p.waiting != 0 {
		t.Errorf("at the end %v have places and %d wait", p.taken, p.waiting)
	}
}

// Who waits gets the place that is given back, and too many do not wait.
func TestExportsQueue(t *testing.T) {
	p := newExportPlaces()
	held := []func(){take(t, p, "carol"), take(t, p, "hannah")}
	results := make(chan error)
	for i := range maxWaiting {
		go func() {
			giveBack, err := p.take(t.Context(), fmt.Sprint("waiting ", i), time.Minute)
			if err == nil {
				giveBack()
			}
			results <- err
		}()
	}
	for waiting := 0; waiting < maxWaiting; time.Sleep(time.Millisecond) {
		p.mu.Lock()
		waiting = p.waiting
		p.mu.Unlock()
	}
	if _, err := p.take(t.Context(), "grace", time.Minute); !errors.Is(err, errBusy) || !strings.Contains(err.Error(), "too many wait") {
		t.Errorf("one more in the queue: %v", err)
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	for _, giveBack := range held {
		giveBack()
	}
	for range maxWaiting {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	take(t, p, "carol")
	if _, err := p.take(left, "carol", time.Minute); !errors.Is(err, context.Canceled) || p.waiting != 0 {
		t.Errorf("one who leaves: %v, and %d wait", err, p.waiting)
	}
}

func TestFullExportsAreExplained(t *testing.T) {
	s := &Site{exports: newExportPlaces()}
	take(t, s.exports, "carol")
	take(t, s.exports, "hannah")
	for range maxWaiting {
		s.exports.waiting++
	}
	r := httptest.NewRequest(http.MethodGet, "/expenses.csv", nil)
	err := s.ExportCSV(httptest.NewRecorder(), r, Visit{Person: &session.Session{Subject: "grace"}})
	if told := s.explain(err); !errors.Is(err, errBusy) || told.Status != http.StatusServiceUnavailable || told.RetryAfter == 0 {
		t.Errorf("with no place left: %v, told with %d and Retry-After %v", err, told.Status, told.RetryAfter)
	}
}

// A database that sends nothing more ends the file; one that is slow to be read
// does not.
func TestExportsDoNotHang(t *testing.T) {
	hanging := func(ctx context.Context, yield func(expense.Expense) error) error {
		if err := yield(expense.Expense{}); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
	if err := eachInTime(t.Context(), time.Millisecond, hanging, func(expense.Expense) error { return nil }); !store.IsUnavailable(err) {
		t.Errorf("a hanging database: %v", err)
	}
	slowly := func(ctx context.Context, yield func(expense.Expense) error) error {
		return errors.Join(yield(expense.Expense{}), ctx.Err())
	}
	patience := 50 * time.Millisecond
	if err := eachInTime(t.Context(), patience, slowly, func(expense.Expense) error { time.Sleep(2 * patience); return nil }); err != nil {
		t.Errorf("a slow reader: %v", err)
	}
}

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
			return fmt.Errorf("%w: broken pipe", errGone)
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
