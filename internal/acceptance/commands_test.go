package acceptance

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/storetest"
)

// typed runs the program with a command line, in the test's working directory and
// with nothing else in its environment, and returns what it prints.
func typed(t *testing.T, variables map[string]string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	var out, errors bytes.Buffer
	command := exec.CommandContext(t.Context(), file, args...)
	command.Env, command.Stdout, command.Stderr = environ(variables), &out, &errors
	if err := command.Run(); command.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errors.String(), command.ProcessState.ExitCode()
}

func TestCommandLine(t *testing.T) {
	tests := []struct {
		name           string
		args           []string
		status         int
		stdout, stderr []string // what they hold; nil for nothing at all
	}{
		{"help", []string{"help"}, 0, []string{"Usage:", "doctor", "backup", "version"}, nil},
		{"--help", []string{"--help"}, 0, []string{"Usage:", "doctor"}, nil},
		{"-h", []string{"-h"}, 0, []string{"Usage:", "doctor"}, nil},
		{"help with a command", []string{"help", "backup"}, 0, []string{"expense-dashboard backup FILE"}, nil},
		{"command with --help", []string{"doctor", "--help"}, 0, []string{"expense-dashboard doctor [--json]"}, nil},
		{"version", []string{"version"}, 0, []string{"expense-dashboard ", runtime.GOOS + "/" + runtime.GOARCH}, nil},
		{"--version", []string{"--version"}, 0, []string{"expense-dashboard "}, nil},
		{"unknown command", []string{"serve"}, 2, nil, []string{`"serve" is no command`, "Usage:", "doctor"}},
		{"command misspelt", []string{"docter"}, 2, nil, []string{`"docter" is no command: did you mean "doctor"?`}},
		{"unknown flag", []string{"--verbose"}, 2, nil, []string{`"--verbose" is no flag`, "Usage:"}},
		{"flag misspelt", []string{"--hepl"}, 2, nil, []string{`did you mean "help"?`}},
		{"help with an unknown command", []string{"help", "bakcup"}, 2, nil, []string{`did you mean "backup"?`}},
		{"unknown flag of a command", []string{"doctor", "--jsn"}, 2, nil, []string{"doctor:", "-jsn", "[--json]"}},
		{"flag without a value that fits", []string{"doctor", "--json=maybe"}, 2, nil, []string{"doctor:", "maybe"}},
		{"argument too many", []string{"version", "now"}, 2, nil, []string{`version: "now" is one argument too many`}},
		{"help with end-sessions", []string{"help", "end-sessions"}, 0, []string{"expense-dashboard end-sessions", "every session", "PostgreSQL"}, nil},
		{"help with repair", []string{"help", "repair"}, 0, []string{"expense-dashboard repair", "sums"}, nil},
		{"argument too many for end-sessions", []string{"end-sessions", "now"}, 2, nil, []string{`"now" is one argument too many`}},
		{"argument missing", []string{"backup"}, 2, nil, []string{"backup: an argument is missing", "backup FILE"}},
		{"empty argument of a command", []string{"backup", ""}, 2, nil, []string{"backup: the argument is empty", "backup FILE"}},
		{"argument too many for help", []string{"help", "backup", "extra"}, 2, nil, []string{`help: "extra" is one argument too many`}},
		{"empty argument", []string{""}, 2, nil, []string{`"" is no command`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			stdout, stderr, status := typed(t, nil, test.args...)
			if status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			for stream, want := range map[*string][]string{&stdout: test.stdout, &stderr: test.stderr} {
				if want == nil && *stream != "" {
					t.Errorf("%q is printed where nothing should be", *stream)
				}
				for _, text := range want {
					if !strings.Contains(*stream, text) {
						t.Errorf("%q is not in %q", text, *stream)
					}
				}
			}
		})
	}
}

// TestBackupCommand copies a database that is in use, by nothing but
// DATABASE_URL, and never over a file that is there.
func TestBackupCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	working, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	startProgram(t, setup{env: map[string]string{"DATABASE_URL": "sqlite:" + filepath.Join(working, "expenses.db")}})
	stdout, stderr, status := typed(t, nil, "backup", "copy.db")
	if status != 0 || !strings.Contains(stdout, "copy.db: expenses: 20, people: ") || !strings.Contains(stdout, "as of 20") || stderr != "" {
		t.Fatalf("exit status %d with %q and %q", status, stdout, stderr)
	}
	var count int
	if err := storetest.DB(t, "sqlite:copy.db").QueryRowContext(t.Context(), `SELECT count(*) FROM expenses`).Scan(&count); err != nil || count == 0 {
		t.Errorf("the copy holds %d expenses, %v", count, err)
	}
	if _, stderr, status := typed(t, nil, "backup", "copy.db"); status != 2 || !strings.Contains(stderr, "copy.db is there already") {
		t.Errorf("over a file: exit status %d with %q", status, stderr)
	}
	if _, stderr, status := typed(t, map[string]string{"DATABASE_URL": "postgres://x:canary@localhost/x"}, "backup", "new.db"); status != 2 || !strings.Contains(stderr, "pg_dump") || strings.Contains(stderr, "canary") {
		t.Errorf("of PostgreSQL: exit status %d with %q", status, stderr)
	}
	if _, stderr, status := typed(t, map[string]string{"DATABASE_URL": "  "}, "backup", "new.db"); status != 2 || !strings.Contains(stderr, "DATABASE_URL is blank") {
		t.Errorf("with a blank DATABASE_URL: exit status %d with %q", status, stderr)
	}
	if _, stderr, status := typed(t, nil, "backup", "nowhere/new.db"); status != 2 || !strings.Contains(stderr, "there is no folder") || !strings.Contains(stderr, "name a file elsewhere") {
		t.Errorf("into no folder: exit status %d with %q", status, stderr)
	}
	if _, stderr, status := typed(t, nil, "backup", "nowhere/"); status != 2 || !strings.Contains(stderr, "there is no folder nowhere") {
		t.Errorf("to a folder that is not there: exit status %d with %q", status, stderr)
	}
	if _, stderr, status := typed(t, map[string]string{"DATABASE_URL": "sqlite:none.db"}, "backup", "new.db"); status != 2 || !strings.Contains(stderr, "there is no database none.db") {
		t.Errorf("of no database: exit status %d with %q", status, stderr)
	}
	if _, err := os.Stat(filepath.Join(".", "new.db")); err == nil {
		t.Error("a backup that failed left a file")
	}
}

// TestRepairCommand spoils the sums under a program that runs, and makes them right
// by nothing but DATABASE_URL.
func TestRepairCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, stderr, status := typed(t, map[string]string{"DATABASE_URL": "sqlite:none.db"}, "repair"); status != 2 || !strings.Contains(stderr, "there is no database none.db: correct DATABASE_URL") {
		t.Errorf("without a database: exit status %d with %q", status, stderr)
	}
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		r := startProgram(t, setup{env: map[string]string{"DATABASE_URL": databaseURL}})
		b := r.Browser()
		b.SignIn(finance)
		b.Get("/team/finance").Check(t, http.StatusOK, "$2,780.00")
		db := storetest.DB(t, databaseURL)
		for _, text := range []string{`UPDATE group_sums SET cents = cents + 5000000`, `UPDATE revisions SET revision = 'spoilt'`} {
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * otherCopies)
		b.Get("/team/finance").Check(t, http.StatusOK, "!$2,780.00")
		stdout, stderr, status := typed(t, map[string]string{"DATABASE_URL": databaseURL}, "repair")
		if status != 0 || !strings.Contains(stdout, "Sums that were wrong: ") || strings.Contains(stdout, "wrong: 0,") || stderr != "" {
			t.Fatalf("exit status %d with %q and %q", status, stdout, stderr)
		}
		time.Sleep(2 * otherCopies)
		b.Get("/team/finance").Check(t, http.StatusOK, "$2,780.00")
	})
}

// TestEndSessionsCommand ends the sessions of a program that runs, by nothing but
// DATABASE_URL.
func TestEndSessionsCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, stderr, status := typed(t, map[string]string{"DATABASE_URL": "sqlite:none.db"}, "end-sessions"); status != 2 || !strings.Contains(stderr, "there is no database none.db: correct DATABASE_URL") {
		t.Errorf("without a database: exit status %d with %q", status, stderr)
	}
	if _, err := os.Stat("none.db"); err == nil {
		t.Error("a database has been made")
	}
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		r := startProgram(t, setup{env: map[string]string{"DATABASE_URL": databaseURL}})
		before, after := r.Browser(), r.Browser()
		before.SignIn(finance)
		stdout, stderr, status := typed(t, map[string]string{"DATABASE_URL": databaseURL}, "end-sessions")
		if status != 0 || !strings.Contains(stdout, "1 stood") || stderr != "" {
			t.Fatalf("exit status %d with %q and %q", status, stdout, stderr)
		}
		time.Sleep(2 * otherCopies)
		before.Get("/dashboard").Check(t, http.StatusSeeOther)
		after.SignIn(finance)
		after.Get("/dashboard").Check(t, http.StatusOK)
	})
}
