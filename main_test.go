package main

import (
	"bytes"
	"io"
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
