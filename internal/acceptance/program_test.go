package acceptance

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
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
	build := exec.Command("go", slices.Concat([]string{"build"}, raceFlags(), []string{"-o", file, "."})...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if shared.end != nil {
		shared.end()
	}
	if dir, err := folder(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(status)
}

// The helpers that these tests share with those of the root, under short names.
type (
	browser = apptest.Browser
	reply   = apptest.Reply
)

// The sample's people, by where they belong.
const (
	admin       = apptest.Admin
	legal       = apptest.Legal
	devAdvocacy = apptest.DevAdvocacy
	finance     = apptest.Finance
	marketing   = apptest.Marketing
	hr          = apptest.HR
	teamless    = apptest.Teamless
)

// A setup is what a test changes of the usual provider and program.
type setup struct {
	env      map[string]string // beside what is needed to start
	provider devidp.Config
	faults   devidp.Faults
	host     string   // of this machine, that browsers use; empty is 127.0.0.1
	baseURL  string   // where browsers find a proxy in front; empty is the program itself
	stderr   *os.File // in place of the rig's log
	shell    string   // a command line in which $0 is the program; empty is the program
}

// A program is the built binary as a process of its own, beside a provider.
type program struct {
	*apptest.Rig
	addr    string // where it serves, the same as BaseURL unless a proxy is in front
	metrics string // the address of its metrics
	ended   chan error
	process *os.Process
	killed  atomic.Bool
}

// start starts the program with an empty database; see startProgram.
func start(t testing.TB, stderr *os.File, shell string, env ...string) *program {
	t.Helper()
	changed := map[string]string{"SAMPLE_DATA": "false"}
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		changed[name] = value
	}
	return startProgram(t, setup{stderr: stderr, shell: shell, env: changed})
}

// startProgram starts the program with the sample in a new SQLite database and
// waits until it serves. At the end of the test it must end by itself, with
// status 0, where the test has not ended it.
func startProgram(t testing.TB, s setup) *program {
	t.Helper()
	for range 3 {
		fixed := s
		addr := apptest.FreeAddr(t)
		if fixed.baseURL == "" {
			fixed.baseURL = "http://" + net.JoinHostPort(cmp.Or(s.host, "127.0.0.1"), apptest.PortOf(t, addr))
		}
		rig := apptest.New(t, fixed.baseURL, "sqlite:"+filepath.Join(t.TempDir(), "expenses.db"), s.provider, s.faults)
		if p := startBeside(t, rig, addr, fixed); p != nil {
			return p
		}
		t.Logf("the program ended before it served: %s", rig.Log)
	}
	t.Fatal("the program does not serve")
	return nil
}

// startBeside starts the program at an address, beside a provider that is there
// already: one of any number that share a database. It returns nil where the
// program ends at once, as it does where somebody has taken its address.
func startBeside(t testing.TB, rig *apptest.Rig, addr string, s setup) *program {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(file)
	if s.shell != "" {
		command = exec.Command("sh", "-c", s.shell, file)
	}
	p := &program{Rig: rig, addr: addr, metrics: apptest.FreeAddr(t), ended: make(chan error, 1)}
	command.Dir, command.Stderr = t.TempDir(), rig.Log
	if s.stderr != nil || s.shell != "" {
		command.Stderr = s.stderr
	}
	environment := map[string]string{"LISTEN_ADDR": addr, "METRICS_ADDR": p.metrics}
	maps.Copy(environment, s.env)
	command.Env = environ(rig.Env(environment))
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p.process = command.Process
	go func() { p.ended <- command.Wait() }()
	if p.answers() != nil {
		return nil
	}
	t.Cleanup(func() {
		if !p.killed.Load() {
			p.terminate()
		}
		_ = command.Process.Kill()
	})
	return p
}

// answers waits until the program serves, and returns why it ended where it does
// not.
func (p *program) answers() error {
	p.T.Helper()
	for range 3000 {
		if p.status("/healthz") == http.StatusOK {
			return nil
		}
		select {
		case err := <-p.ended:
			return fmt.Errorf("it ended: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	_ = p.process.Kill()
	return errors.New("not in 30 s")
}

// otherCopies is how late a copy of the program knows of what another has done, as
// docs/sign-in.md has it.
const otherCopies = 250 * time.Millisecond

// environ returns variables in the form NAME=value.
func environ(variables map[string]string) []string {
	var list []string
	for name, value := range variables {
		list = append(list, name+"="+value)
	}
	return list
}

// impatient gives up on an answer that anybody would have given up on.
var impatient = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// status is that of the answer to a GET, or 0 where there is none.
func (p *program) status(path string) int {
	response, err := impatient.Get("http://" + p.addr + path)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// metric returns the value of one without labels, or "".
func (p *program) metric(name string) string {
	p.T.Helper()
	response, err := impatient.Get("http://" + p.metrics + "/metrics")
	if err != nil {
		p.T.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.T.Fatal(err)
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
	p.T.Helper()
	p.killed.Store(true)
	if err := p.process.Signal(syscall.SIGTERM); err != nil {
		p.T.Fatal(err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			p.T.Errorf("the program ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		p.T.Error("SIGTERM did not end the program")
	}
}

// kill ends the program in the midst of what it does.
func (p *program) kill() {
	p.T.Helper()
	p.killed.Store(true)
	if err := p.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.T.Fatal(err)
	}
	<-p.ended
}
