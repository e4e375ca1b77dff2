package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStartTellsProblems starts the program wrongly and reads what it prints.
func TestStartTellsProblems(t *testing.T) {
	teams := filepath.Join(t.TempDir(), "teams.json")
	if err := os.WriteFile(teams, []byte(`{"teams": [], "members": {"a@example.com": "sales"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		args      []string
		variables map[string]string
		want      []string
	}{
		{"argument", []string{"serve"}, rightConfig(), []string{`"serve"`}},
		{"configuration and teams file together", nil, map[string]string{"TEAMS_FILE": teams}, []string{"OKTA_ISSUER", "OKTA_CLIENT_ID", "OKTA_CLIENT_SECRET", teams, `"sales"`}},
		{"everything together", nil, map[string]string{"TEAMS_FILE": teams, "DATABASE_URL": "mysql://root:canary@localhost/x", "LOG_FORMAT": "xml"}, []string{"OKTA_ISSUER", "TEAMS_FILE " + teams, "DATABASE_URL is not a database URL", "LOG_FORMAT"}},
		{"repair of no database URL", []string{"repair"}, map[string]string{"DATABASE_URL": "mysql://root:canary@localhost/x"}, []string{"DATABASE_URL is not a database URL"}},
		{"the end of sessions of no database URL", []string{"end-sessions"}, map[string]string{"DATABASE_URL": "mysql://root:canary@localhost/x"}, []string{"DATABASE_URL is not a database URL"}},
		{"near miss", nil, map[string]string{"OKTA_ISUER": "https://dev-1.okta.com"}, []string{"OKTA_ISSUER is missing", "OKTA_ISUER is set, and nothing reads it: did you mean OKTA_ISSUER?"}},
		{"bare", nil, nil, []string{"there is no file .env", "cp .env.example .env", "make run"}},
		{"teams file missing", nil, func() map[string]string { v := rightConfig(); v["TEAMS_FILE"] = teams + "x"; return v }(), []string{teams + "x"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stderr bytes.Buffer
			status := run(t.Context(), test.args, environ(test.variables), io.Discard, &stderr)
			if status != 2 {
				t.Errorf("exit status %d, want 2", status)
			}
			for _, want := range test.want {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("%q is not in %q", want, stderr.String())
				}
			}
			if strings.Contains(stderr.String(), "canary") {
				t.Errorf("a secret shows in %q", stderr.String())
			}
		})
	}
}

// TestEnvFileThatIsWrong is told by every command beside all else that it can know.
func TestEnvFileThatIsWrong(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".env", []byte("LOG_LEVEL=zzz\ncanary secret\nDATABASE_URL=mysql://root:canary@localhost/x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"serve", nil, []string{".env: line 2", "DATABASE_URL is", "LOG_LEVEL is", "CURRENCY is", "OKTA_ISSUER is missing"}},
		{"doctor", []string{"doctor"}, []string{".env: line 2", "DATABASE_URL is", "LOG_LEVEL is", "CURRENCY is", "OKTA_ISSUER is missing"}},
		{"backup", []string{"backup", "copy.db"}, []string{".env: line 2", "DATABASE_URL is"}},
		{"repair", []string{"repair"}, []string{".env: line 2", "DATABASE_URL is"}},
		{"end-sessions", []string{"end-sessions"}, []string{".env: line 2", "DATABASE_URL is"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			status := run(t.Context(), test.args, []string{"CURRENCY=Q", "OKTA_ISSUER="}, &out, &out)
			for _, want := range test.want {
				if status != 2 || strings.Count(out.String(), want) != 1 {
					t.Errorf("exit status %d, and %q is not told once in %q", status, want, out.String())
				}
			}
			if strings.Contains(out.String(), "canary") {
				t.Errorf("a secret shows in %q", out.String())
			}
		})
	}
}

// TestAddressThatCannotBeHad is told by the variable that it is of.
func TestAddressThatCannotBeHad(t *testing.T) {
	t.Chdir(t.TempDir())
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, test := range []struct {
		name, addr string
		status     int
		want       string
	}{
		{"in use", taken.Addr().String(), 1, "METRICS_ADDR " + taken.Addr().String() + ": address already in use: free the port or set METRICS_ADDR to another"},
		{"of another machine", "192.0.2.1:9191", 2, `METRICS_ADDR is "192.0.2.1:9191", which is no address of this machine. Example: METRICS_ADDR=127.0.0.1:9191`},
		{"the program's own", ":3000", 2, `METRICS_ADDR is ":3000", and the program itself listens on 127.0.0.1:3000`},
	} {
		t.Run(test.name, func(t *testing.T) {
			variables := rightConfig()
			variables["METRICS_ADDR"] = test.addr
			var stderr bytes.Buffer
			if status := run(t.Context(), nil, environ(variables), io.Discard, &stderr); status != test.status || !strings.Contains(stderr.String(), test.want) {
				t.Errorf("exit status %d, want %d, with %q, want %q", status, test.status, stderr.String(), test.want)
			}
		})
	}
}

// environ returns variables in the form NAME=value.
func environ(variables map[string]string) []string {
	var list []string
	for name, value := range variables {
		list = append(list, name+"="+value)
	}
	return list
}

// rightConfig is a configuration without a mistake; each test changes it.
func rightConfig() map[string]string {
	return map[string]string{
		"OKTA_ISSUER":        "https://dev-123456.okta.com/oauth2/default",
		"OKTA_CLIENT_ID":     "0oa1b2c3d4",
		"OKTA_CLIENT_SECRET": "canary-client-secret",
	}
}
