package acceptance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"expense-dashboard/internal/devidp"
)

// folder holds what all tests share, and is removed behind them.
var folder = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "expense-dashboard-acceptance-") })

// binary is the program, built once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := folder()
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "expense-dashboard")
	build := exec.Command("go", "build", "-o", file, ".")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if dir, err := folder(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(status)
}

// A program is the built binary as a process of its own, beside a provider.
type program struct {
	t       testing.TB
	url     string // where it serves
	metrics string // the address of its metrics
	ended   chan error
	process *os.Process
}

// freeAddr returns an address of this machine that nobody listens on.
func freeAddr(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// start starts the program with a new SQLite database and waits until it serves.
// A shell runs the command line instead, where that is not empty, in which $0 is
// the program. At the end of the test it is killed where it still runs.
func start(t testing.TB, stderr *os.File, shell string, env ...string) *program {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	addr, metrics := freeAddr(t), freeAddr(t)
	provider, err := devidp.Start("127.0.0.1:0", devidp.Config{RedirectURIs: []string{"http://" + addr + "/authorization-code/callback"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { provider.Close() })
	command := exec.Command(file)
	if shell != "" {
		command = exec.Command("sh", "-c", shell, file)
	}
	command.Dir, command.Stderr = t.TempDir(), stderr
	command.Env = append([]string{
		"OKTA_ISSUER=" + provider.Issuer(), "OKTA_CLIENT_ID=" + provider.ClientID(), "OKTA_CLIENT_SECRET=" + provider.ClientSecret(),
		"APP_BASE_URL=http://" + addr, "METRICS_ADDR=" + metrics, "SESSION_SECRET=a session secret that only these tests know",
	}, env...)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, url: "http://" + addr, metrics: metrics, ended: make(chan error, 1), process: command.Process}
	go func() { p.ended <- command.Wait() }()
	t.Cleanup(func() { _ = command.Process.Kill() })
	p.wait("it serves", func() bool { return p.status("/healthz") == http.StatusOK })
	return p
}

// wait waits until something is so, for as long as anybody would.
func (p *program) wait(what string, so func() bool) {
	p.t.Helper()
	for range 3000 {
		if so() {
			return
		}
		select {
		case err := <-p.ended:
			p.t.Fatalf("the program ended before %s: %v", what, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	p.t.Fatalf("in 30 s never: %s", what)
}

// impatient gives up on an answer that anybody would have given up on.
var impatient = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// status is that of the answer to a GET, or 0 where there is none.
func (p *program) status(path string) int {
	response, err := impatient.Get(p.url + path)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// metric returns the value of one without labels, or "".
func (p *program) metric(name string) string {
	p.t.Helper()
	response, err := impatient.Get("http://" + p.metrics + "/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range bytes.Lines(body) {
		if value, ok := bytes.CutPrefix(line, []byte(name+" ")); ok {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}

// terminate sends SIGTERM and wants the program to end by itself, with status 0.
func (p *program) terminate() {
	p.t.Helper()
	if err := p.process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			p.t.Errorf("the program ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		p.t.Error("SIGTERM did not end the program")
	}
}

// kill ends the program in the midst of what it does.
func (p *program) kill() {
	p.t.Helper()
	if err := p.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
	<-p.ended
}
