package database_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/upkeep"
	"expense-dashboard/internal/storetest"
)

func TestOpenStoreRefusesURLs(t *testing.T) {
	for name, databaseURL := range map[string]string{
		"nothing":        "",
		"no scheme":      "expenses.db",
		"another scheme": "mysql://root:canary@host/db",
		"no file":        "sqlite:",
		"in memory":      "sqlite::memory:",
		"two slashes":    "sqlite://expenses.db",
		"bad port":       "postgres://user:canary@host:port/db",
		"bad escape":     "postgres://user:canary%zz@host/db",
		"bad setting":    "postgres://user:canary@host/db?sslmode=canary",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fixture.Open(databaseURL, slog.New(slog.DiscardHandler), nil)
			if err == nil {
				t.Fatal("opened")
			}
			if text := err.Error(); strings.Contains(text, "canary") || !strings.Contains(text, "write ") {
				t.Errorf("error %q shows the password or no mend", text)
			}
		})
	}
}

func TestUnencrypted(t *testing.T) {
	for databaseURL, want := range map[string]bool{
		"sqlite:expenses.db":                                  false,
		"postgres://u:p@db.example.com/x":                     true,
		"postgresql://u:p@10.0.0.5:5433/x?application_name=y": true,
		"postgres://u:p@db.example.com/x?sslmode=verify-full": false,
		"postgres://u:p@db.example.com/x?sslmode=disable":     false, // somebody has decided
		"postgres://u:p@localhost/x":                          false,
		"postgres://u:p@127.0.0.1:5432/x":                     false,
		"postgres://u:p@[::1]/x":                              false,
		"postgres:///x?host=/var/run/postgresql":              false,
		"postgres://u:p@localhost,db.example.com/x":           true,
		"postgres://u:p@/x?host=db.example.com":               true,
		"postgres://%zz":                                      false,
	} {
		if got := database.Unencrypted(databaseURL); got != want {
			t.Errorf("%s: %v, want %v", databaseURL, got, want)
		}
	}
}

// A start on another host without sslmode warns, and shows no password.
func TestUnencryptedIsSaidAtStart(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s, err := fixture.Open("postgres://u:canary@db.invalid:1/x?connect_timeout=1", slog.New(slog.NewTextHandler(&out, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Start(t.Context(), false), s.Close()); err != nil {
		t.Fatal(err)
	}
	if log := out.String(); !strings.Contains(log, "sslmode=verify-full") || strings.Contains(log, "canary") {
		t.Errorf("the log says %s", log)
	}
}

// A database that cannot hold every text is refused by start, for good.
func TestOtherEncodingIsRefused(t *testing.T) {
	t.Parallel()
	server := storetest.NewServer(t)
	for _, encoding := range []string{"LATIN1", "SQL_ASCII"} {
		databaseURL := server.NewDatabase(t, `ENCODING '`+encoding+`' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
		var wrong *fault.EncodingError
		if err := fixture.Opened(t, databaseURL).Start(t.Context(), true); fault.IsUnavailable(err) || !errors.As(err, &wrong) || wrong.Encoding != encoding {
			t.Errorf("%s: start: %v", encoding, err)
		}
		if _, err := upkeep.Inspect(t.Context(), databaseURL); !errors.As(err, &wrong) {
			t.Errorf("%s: inspect: %v", encoding, err)
		}
	}
}
