package spending

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/session"
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

// hurried is an answer whose write deadlines come at once, and remembers them.
type hurried struct {
	http.ResponseWriter
	deadlines []time.Time
}

func (h *hurried) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func (h *hurried) SetWriteDeadline(until time.Time) error {
	h.deadlines = append(h.deadlines, until)
	return http.NewResponseController(h.ResponseWriter).SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
}

// A reader who takes nothing more is cut off: each write has exportPatience, and the
// one that exceeds it is the last.
func TestSlowReadersAreCutOff(t *testing.T) {
	type ending struct {
		err       error
		writes    int
		begun     time.Time
		deadlines []time.Time
	}
	ended := make(chan ending, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h, end := &hurried{ResponseWriter: w}, ending{begun: time.Now()}
		out := &fileAnswer{w: h, mediaType: "text/csv", name: "expenses.csv"}
		for data := make([]byte, 64<<10); end.err == nil; end.writes++ {
			_, end.err = out.Write(data)
		}
		end.deadlines = h.deadlines
		ended <- end
	}))
	server.Config.WriteTimeout = 10 * time.Second // ends what is never cut off
	server.Start()
	defer server.Close()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprint(connection, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	end := <-ended
	if !errors.Is(end.err, web.ErrGone) || !errors.Is(end.err, os.ErrDeadlineExceeded) {
		t.Errorf("the last write: %v", end.err)
	}
	if len(end.deadlines) != end.writes {
		t.Errorf("%d writes have %d deadlines", end.writes, len(end.deadlines))
	}
	for _, until := range end.deadlines {
		if until.Before(end.begun.Add(exportPatience)) || until.After(time.Now().Add(exportPatience)) {
			t.Errorf("a deadline %v after the first write", until.Sub(end.begun))
		}
	}
}
