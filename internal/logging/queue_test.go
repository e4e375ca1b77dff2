package logging

import (
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
)

// A reader stands where standard error goes. It takes nothing while it is stuck.
type reader struct {
	stuck sync.Mutex // locked while the reader is stuck

	mu   sync.Mutex
	fail error // of each write; half of it arrives
	got  strings.Builder
}

func (r *reader) Write(data []byte) (int, error) {
	r.stuck.Lock()
	defer r.stuck.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		n, _ := r.got.Write(data[:len(data)/2])
		return n, r.fail
	}
	return r.got.Write(data)
}

func (r *reader) setFail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = err
}

func (r *reader) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got.String()
}

// audit logs a line of the audit about a subject.
func audit(log *slog.Logger, subject string) {
	Audit(log, httptest.NewRequest("POST", "/logout", nil), EventSignOut, subject, "asked")
}

func TestAuditIsWrittenWhenItReturns(t *testing.T) {
	to := &reader{}
	queue := NewQueue(to)
	log := New("text", slog.LevelInfo, queue)
	for i := range 100 {
		log.Info("before", "number", i)
	}
	audit(log, "carol")
	if got := to.String(); strings.Count(got, "\n") != 101 || !strings.Contains(got, "sub=carol") {
		t.Errorf("got %d lines, want 101, the last of them of the audit", strings.Count(got, "\n"))
	}
}

// TestReaderStuck logs more than there is room for, which holds up nobody, and
// wants everything that had room afterwards, and to be told how much had not.
func TestReaderStuck(t *testing.T) {
	to := &reader{}
	to.stuck.Lock()
	queue := NewQueue(to)
	log := New("text", slog.LevelInfo, queue)
	log.Info("the first, which is being written")
	queue.wait(0)
	const more = 1000
	for range 2*maxWaiting + more {
		log.Info("waits")
	}
	for range 3 {
		audit(log, "carol")
	}
	// The first may wait among the others still.
	if dropped := queue.Dropped(); dropped < more || dropped > maxWaiting+more+1 {
		t.Errorf("dropped are %d lines, want %d at least, and at most %d", dropped, more, maxWaiting+more+1)
	}
	queue.Close()
	to.stuck.Unlock()
	audit(log, "grace")
	queue.Close()
	got := to.String()
	if strings.Count(got, "sub=carol") != 3 || strings.Count(got, "sub=grace") != 1 {
		t.Error("a line of the audit is lost")
	}
	if strings.Count(got, "lines of the log were dropped") != 1 {
		t.Error("what was dropped is not told once")
	}
	if n := strings.Count(got, "msg=waits"); uint64(n)+queue.Dropped() != 2*maxWaiting+more {
		t.Errorf("%d lines are written and %d dropped, of %d", n, queue.Dropped(), 2*maxWaiting+more)
	}
}

func TestReaderFails(t *testing.T) {
	to := &reader{fail: errors.New("no space left on device")}
	queue := NewQueue(to)
	log := New("json", slog.LevelInfo, queue)
	audit(log, "lost")
	audit(log, "lost too")
	to.setFail(nil)
	audit(log, "carol")
	audit(log, "grace")
	queue.Close()
	lines := strings.Split(to.String(), "\n")
	var whole []string
	for _, line := range lines {
		if strings.HasPrefix(line, "{") && strings.HasSuffix(line, "}") {
			whole = append(whole, line)
		}
	}
	if len(whole) != 3 || !strings.Contains(whole[0], "carol") || !strings.Contains(whole[1], `"count":2`) || !strings.Contains(whole[2], "grace") {
		t.Errorf("got %q, want lines of carol, of 2 lines dropped, and of grace", whole)
	}
}

// TestQueueOfPipe closes the reading end of a pipe, as a log's reader that ends.
func TestQueueOfPipe(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	queue := NewQueue(write)
	log := New("text", slog.LevelInfo, queue)
	read.Close()
	audit(log, "carol")
	if queue.Dropped() != 1 {
		t.Errorf("dropped are %d lines, want 1", queue.Dropped())
	}
}

// BenchmarkLogLine is a line for a request, with what adds its reference.
func BenchmarkLogLine(b *testing.B) {
	for _, format := range []string{"text", "json"} {
		b.Run(format, func(b *testing.B) {
			log := New(format, slog.LevelInfo, NewQueue(io.Discard))
			r := WithInfo(httptest.NewRequest("GET", "/team/sales", nil), &RequestInfo{Reference: "ABCDEFGHIJ", Addr: "192.0.2.1:49152"})
			b.ReportAllocs()
			for b.Loop() {
				Answered(log, r, 200, 40_000)
			}
		})
	}
}
