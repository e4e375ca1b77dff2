package spending

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/web"
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
	if _, err := p.take(t.Context(), "carol", 0); !errors.Is(err, web.ErrBusy) || !strings.Contains(err.Error(), "the same person") {
		t.Errorf("a second place for one person: %v", err)
	}
	second := take(t, p, "hannah")
	if _, err := p.take(t.Context(), "grace", 0); !errors.Is(err, web.ErrBusy) || !strings.Contains(err.Error(), "all places are taken") {
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
	if _, err := p.take(t.Context(), "grace", time.Minute); !errors.Is(err, web.ErrBusy) || !strings.Contains(err.Error(), "too many wait") {
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

func TestFullExportsAreRefused(t *testing.T) {
	s := &Spending{exports: newExportPlaces()}
	take(t, s.exports, "carol")
	take(t, s.exports, "hannah")
	for range maxWaiting {
		s.exports.waiting++
	}
	r := httptest.NewRequest(http.MethodGet, "/expenses.csv", nil)
	if err := s.ExportCSV(httptest.NewRecorder(), r, web.Visit{Person: &session.Session{Subject: "grace"}}); !errors.Is(err, web.ErrBusy) {
		t.Errorf("with no place left: %v", err)
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
	if err := eachInTime(t.Context(), time.Millisecond, hanging, func(expense.Expense) error { return nil }); !fault.IsUnavailable(err) {
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
