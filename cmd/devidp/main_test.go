package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test binary be devidp itself.
func TestMain(m *testing.M) {
	if os.Getenv("DEVIDP_TEST_AS") == "devidp" {
		os.Unsetenv("DEVIDP_TEST_AS")
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// devidpCommand runs devidp as a process of its own, in a session without a
// terminal.
func devidpCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "DEVIDP_TEST_AS=devidp")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// getenvOf reads the variables of a map.
func getenvOf(variables map[string]string) func(string) string {
	return func(name string) string { return variables[name] }
}

func TestCommandEnvironment(t *testing.T) {
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{"-full-id-tokens", "sh", "-c", "env"}, getenvOf(nil), &stdout, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(stdout.String(), "\n")
	for _, prefix := range []string{"OKTA_ISSUER=http://127.0.0.1:", "OKTA_CLIENT_ID=0oa", "OKTA_CLIENT_SECRET="} {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, prefix) && line != prefix }) {
			t.Errorf("the command has no %s…", prefix)
		}
	}
	if strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), "development only") {
		t.Errorf("stderr is %q", stderr.String())
	}
}

func TestExitStatus(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want int
	}{
		{"success", []string{"true"}, 0},
		{"failure", []string{"sh", "-c", "exit 7"}, 7},
		{"killed", []string{"sh", "-c", "kill -KILL $$"}, 128 + 9},
		{"unknown command", []string{"no-such-command-here"}, 1},
		{"unknown flag", []string{"-nonsense"}, 2},
		{"help", []string{"-h"}, 0},
		{"not loopback", []string{"-addr", "0.0.0.0:0", "true"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := devidpCommand(t, test.args...)
			output, err := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != test.want {
				t.Errorf("exit status %d (%v), want %d: %s", got, err, test.want, output)
			}
		})
	}
}

// TestSignals shows that either signal reaches the command as SIGTERM, and that
// devidp waits for it and takes over its exit status.
func TestSignals(t *testing.T) {
	const script = `trap 'echo ended; exit 9' TERM; trap 'echo interrupted; exit 8' INT; echo ready; while :; do sleep 0.05; done`
	for _, sent := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sent.String(), func(t *testing.T) {
			cmd := devidpCommand(t, "sh", "-c", script)
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			output := bufio.NewReader(stdout)
			if line, err := output.ReadString('\n'); line != "ready\n" {
				t.Fatalf("read %q, %v", line, err)
			}
			if err := cmd.Process.Signal(sent); err != nil {
				t.Fatal(err)
			}
			if rest, err := io.ReadAll(output); string(rest) != "ended\n" {
				t.Errorf("the command printed %q, %v", rest, err)
			}
			var ended *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &ended) || ended.ExitCode() != 9 {
				t.Errorf("devidp ended with %v", err)
			}
		})
	}
}

func TestWithoutCommand(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	environment := map[string]string{"APP_BASE_URL": " https://app.example ", "POST_LOGOUT_URL": "https://app.example/bye"}
	go func() {
		ended <- run(ctx, nil, getenvOf(environment), writer, io.Discard)
		writer.Close()
	}()
	variables := map[string]string{}
	lines := bufio.NewScanner(reader)
	for len(variables) < 3 && lines.Scan() {
		name, value, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		variables[name] = value
	}
	query := url.Values{"client_id": {variables["OKTA_CLIENT_ID"]}, "redirect_uri": {"https://app.example/authorization-code/callback"}}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(variables["OKTA_ISSUER"] + "/v1/authorize?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	// The request lacks the rest, which only a registered redirect URI is told.
	if got := res.Header.Get("Location"); !strings.HasPrefix(got, "https://app.example/authorization-code/callback?error=") {
		t.Errorf("got %s to %q", res.Status, got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestUsage(t *testing.T) {
	for args, want := range map[string]error{"-nonsense": errUsage, "-h": flag.ErrHelp} {
		var stderr bytes.Buffer
		err := run(t.Context(), []string{args}, getenvOf(nil), io.Discard, &stderr)
		if !errors.Is(err, want) || !strings.Contains(stderr.String(), "usage: devidp") {
			t.Errorf("%s: %v, %s", args, err, stderr.String())
		}
	}
}
