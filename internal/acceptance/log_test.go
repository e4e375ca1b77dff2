package acceptance

import (
	"bufio"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// refused is a request whose answer is about a line of the audit.
const refused = "/authorization-code/callback?state=x&code=y"

// pipe returns the two ends of a pipe, which are closed at the end of the test.
func pipe(t *testing.T) (read, write *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { read.Close(); write.Close() })
	return read, write
}

// flood asks for more than a pipe has room for in lines of the log.
func (p *program) flood() {
	p.T.Helper()
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for range 800 {
				if status := p.status("/"); status != http.StatusOK {
					p.T.Errorf("GET / = %d", status)
					return
				}
			}
		})
	}
	asking.Wait()
}

// TestLogIsNoReason takes away what reads standard error, and wants requests,
// sign-ins and the end to go on as ever.
func TestLogIsNoReason(t *testing.T) {
	t.Parallel()
	serves := func(t *testing.T, p *program) {
		t.Helper()
		for path, want := range map[string]int{"/healthz": 200, "/": 200, "/login": 303, refused: 400} {
			if got := p.status(path); got != want {
				t.Errorf("GET %s = %d, want %d", path, got, want)
			}
		}
	}
	dropped := func(t *testing.T, p *program) {
		t.Helper()
		if n := p.metric("expense_dashboard_log_lines_dropped_total"); n == "" || n == "0" {
			t.Errorf("dropped are %q lines, want some", n)
		}
	}
	t.Run("reader gone", func(t *testing.T) {
		t.Parallel()
		read, write := pipe(t)
		p := start(t, write, "")
		write.Close()
		read.Close()
		serves(t, p)
		dropped(t, p)
		p.terminate()
	})
	t.Run("reader stuck", func(t *testing.T) {
		t.Parallel()
		read, write := pipe(t)
		p := start(t, write, "")
		write.Close()
		p.flood()
		serves(t, p)
		dropped(t, p)
		p.terminate()
		read.Close()
	})
	t.Run("reader stuck and back", func(t *testing.T) {
		t.Parallel()
		read, write := pipe(t)
		p := start(t, write, "")
		write.Close()
		p.flood()
		serves(t, p)
		lines, audit := make(chan string, 1<<16), make(chan struct{}, 1<<16)
		go func() {
			defer close(lines)
			for reader := bufio.NewScanner(read); reader.Scan(); {
				lines <- reader.Text()
				if strings.Contains(reader.Text(), "event=sign_in_failed") {
					audit <- struct{}{}
				}
			}
		}()
		// The end waits for a second only, which on a busy machine is short for thousands of lines.
		select {
		case <-audit:
		case <-time.After(30 * time.Second):
		}
		p.terminate()
		audited, told := 0, 0
		for line := range lines {
			if strings.Contains(line, "event=sign_in_failed") {
				audited++
			}
			if strings.Contains(line, "lines of the log were dropped") {
				told++
			}
		}
		if audited != 1 || told != 1 {
			t.Errorf("the log has %d lines of the audit and tells %d times of lines that are missing, want 1 and 1", audited, told)
		}
	})
	t.Run("disk full", func(t *testing.T) {
		t.Parallel()
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip(err)
		}
		defer full.Close()
		p := start(t, full, "")
		serves(t, p)
		dropped(t, p)
		p.terminate()
	})
	t.Run("descriptor closed", func(t *testing.T) {
		t.Parallel()
		p := start(t, nil, `exec "$0" 2>&-`)
		serves(t, p)
		p.terminate()
	})
}

// TestKillLosesNoAudit kills the program behind an answer and wants the line of
// the audit that the answer is about, every time.
func TestKillLosesNoAudit(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "log")
	for round := range 5 {
		log, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		p := start(t, log, "")
		log.Close()
		for range round + 1 {
			if status := p.status(refused); status != http.StatusBadRequest {
				t.Fatalf("GET %s = %d", refused, status)
			}
		}
		p.kill()
		written, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(written), "event=sign_in_failed"); got != round+1 {
			t.Errorf("%d answers, and %d lines of the audit", round+1, got)
		}
	}
}

// TestLevelOfProbes wants the requests of health checks at the level for
// debugging, and the audit at the highest.
func TestLevelOfProbes(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]string{"": "/ audit", "debug": "/healthz / audit", "warn": "audit"} {
		t.Run("LOG_LEVEL="+level, func(t *testing.T) {
			t.Parallel()
			log, err := os.Create(filepath.Join(t.TempDir(), "log"))
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()
			p := start(t, log, "", "LOG_LEVEL="+level)
			p.status("/")
			p.status(refused)
			p.terminate()
			written, err := os.ReadFile(log.Name())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for name, text := range map[string]string{"/healthz": "path=/healthz ", "/": "path=/ ", "audit": "event=sign_in_failed"} {
				if strings.Contains(string(written), text) {
					got = append(got, name)
				}
			}
			for _, name := range []string{"/healthz", "/", "audit"} {
				if has, wanted := slices.Contains(got, name), slices.Contains(strings.Fields(want), name); has != wanted {
					t.Errorf("%s: in the log %v, want %v", name, has, wanted)
				}
			}
		})
	}
}
