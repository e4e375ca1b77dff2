package config

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

// inFolder makes a working directory with a file .env.
func inFolder(t *testing.T, file string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".env", []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDotEnv(t *testing.T) {
	tests := []struct{ name, file, variable, want string }{
		{"value", "OKTA_CLIENT_ID=abc\n", "OKTA_CLIENT_ID", "abc"},
		{"single quotes keep $", "OKTA_CLIENT_SECRET='a$b'\n", "OKTA_CLIENT_SECRET", "a$b"},
		{"environment wins", "FROM_BOTH=file\n", "FROM_BOTH", "environment"},
		{"comment", "# OKTA_CLIENT_ID=abc\n", "OKTA_CLIENT_ID", ""},
		{"nothing in it", "", "OKTA_CLIENT_ID", ""},
		{"empty in the environment wins", "EMPTY=file\n", "EMPTY", ""},
		{"byte order mark", "\ufeffOKTA_CLIENT_ID=abc\n", "OKTA_CLIENT_ID", "abc"},
		{"byte order mark and lines of Windows", "\ufeffOKTA_CLIENT_ID=abc\r\nOKTA_SCOPES=openid\r\n", "OKTA_SCOPES", "openid"},
		{"export", "export OKTA_CLIENT_ID = abc", "OKTA_CLIENT_ID", "abc"},
		{"a comment behind quotes", "OKTA_CLIENT_ID='abc' # the app's\nOKTA_SCOPES=openid\n", "OKTA_CLIENT_ID", "abc"},
		{"a quote within a value", "OKTA_CLIENT_ID=it's\nOKTA_SCOPES=openid\n", "OKTA_CLIENT_ID", "it's"},
		{"a single quote within double ones", `OKTA_CLIENT_ID="it's"`, "OKTA_CLIENT_ID", "it's"},
		{"several lines in quotes", "KEY='-----\nab==\n-----'\nOKTA_SCOPES=openid\n", "KEY", "-----\nab==\n-----"},
		{"behind several lines in quotes", "KEY='-----\nab==\n-----'\nOKTA_SCOPES=openid\n", "OKTA_SCOPES", "openid"},
		{"another variable of the file", "A=x\nOKTA_CLIENT_ID=${A}y\n", "OKTA_CLIENT_ID", "xy"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inFolder(t, test.file)
			variables := Read([]string{"FROM_BOTH=environment", "EMPTY=", "=C:=C"})
			if got := variables.Get(test.variable); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if _, err := variables.DatabaseURL(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDotEnvTellsEveryProblem wants each line that is none, and beside them what is
// wrong with the lines that are good and with the environment.
func TestDotEnvTellsEveryProblem(t *testing.T) {
	const quote, none = " has a quote that does not end", " is not NAME=value"
	tests := []struct {
		name, file string
		environ    []string
		want       []string // beginnings of all problems, sorted
	}{
		{"a line that is none", "A=1\n\n# comment\ncanary secret\n", nil, []string{".env: line 4" + none}},
		{"the last line, without an end", "A=1\ncanary secret", nil, []string{".env: line 2" + none}},
		{"a name with a space", "canary secret=1\n", nil, []string{".env: line 1" + none}},
		{"no name", "=canary\n", nil, []string{".env: line 1" + none}},
		{"two lines", "canary\nLOG_FORMAT=json\r\ncanary-secret=1\r\n", nil, []string{".env: line 1" + none, ".env: line 3" + none}},
		{
			"among others", "LOG_LEVEL=zzz\nBROKEN LINE\n",
			[]string{"CURRENCY=Q", "OKTA_ISSUER="},
			[]string{".env: line 2" + none, "CURRENCY is", "LOG_LEVEL is", "OKTA_ISSUER is missing"},
		},
		{
			"a quote that nothing ends", "OKTA_CLIENT_SECRET='canary\nLOG_LEVEL=zzz\n", nil,
			[]string{"LOG_LEVEL is", "OKTA_CLIENT_SECRET in line 1 of .env" + quote},
		},
		{
			"a quote that the next line's ends", "OKTA_CLIENT_SECRET='canary\nLOG_FORMAT='xml'\n", nil,
			[]string{"LOG_FORMAT is", "OKTA_CLIENT_SECRET in line 1 of .env" + quote},
		},
		{
			"something behind a quote", "OKTA_CLIENT_SECRET='it's canary'\nCURRENCY=Q\n", nil,
			[]string{"CURRENCY is", "OKTA_CLIENT_SECRET in line 1 of .env" + quote},
		},
		{"a quote of a name that is not ours", "canary='x\n", nil, []string{".env: line 1" + quote}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inFolder(t, test.file)
			environ := []string{"OKTA_ISSUER=https://dev-1.okta.com", "OKTA_CLIENT_ID=0oa1"}
			if !strings.Contains(test.file, "OKTA_CLIENT_SECRET") {
				environ = append(environ, "OKTA_CLIENT_SECRET=canary")
			}
			_, err := Read(append(environ, test.environ...)).Load()
			var refused *Error
			if !errors.As(err, &refused) {
				t.Fatalf("got %v, want an *Error", err)
			}
			got := strings.Split(err.Error(), "\n")
			slices.Sort(got)
			if !slices.EqualFunc(got, test.want, strings.HasPrefix) || strings.Contains(err.Error(), "canary") {
				t.Errorf("got %q, want %q and nothing of a secret", got, test.want)
			}
			if _, err := Read(nil).DatabaseURL(); err == nil || !strings.Contains(err.Error(), ".env") {
				t.Errorf("for DATABASE_URL alone: %v", err)
			}
		})
	}
}

// TestDotEnvThatCannotBeRead is told beside all else.
func TestDotEnvThatCannotBeRead(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir(".env", 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Read([]string{"CURRENCY=Q"}).Load()
	for _, want := range []string{".env is there and cannot be read: ", "\nCURRENCY is", "\nOKTA_ISSUER is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "read .env:") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
