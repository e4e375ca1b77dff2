package upkeep_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"expense-dashboard/internal/store/upkeep"
	"expense-dashboard/internal/storetest"
)

// TestAccessInWords asks for databases that cannot be used, by everything that a
// command does with one: each says what to change, and none shows the error behind it.
func TestAccessInWords(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	commands := map[string]func(context.Context, string) error{
		"inspect": func(ctx context.Context, url string) error { _, err := upkeep.Inspect(ctx, url); return err },
		"repair":  func(ctx context.Context, url string) error { _, err := upkeep.Repair(ctx, url); return err },
		"end sessions": func(ctx context.Context, url string) error {
			_, err := upkeep.EndEvery(ctx, url, slog.New(slog.DiscardHandler))
			return err
		},
		"backup": func(ctx context.Context, url string) error {
			_, err := upkeep.Backup(ctx, url, filepath.Join(folder, "copy.db"))
			return err
		},
	}
	if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, url, found, fix string
		misset                bool
	}{
		{"no folder", "sqlite:" + folder + "/none/expenses.db", "there is no folder " + folder + "/none", "make it, or correct DATABASE_URL", true},
		{"a file for a folder", "sqlite:" + folder + "/file/expenses.db", "there is no folder " + folder + "/file", "make it, or correct DATABASE_URL", true},
		{"no file", "sqlite:" + folder + "/none.db", "there is no database " + folder + "/none.db", "correct DATABASE_URL", true},
		{"a folder", "sqlite:" + folder, folder + " is a folder", "name a file in DATABASE_URL", true},
		{"nobody listens", "postgres://ann:canary@127.0.0.1:1/expenses", "no PostgreSQL answers at 127.0.0.1:1", "start it, or correct the host and the port in DATABASE_URL", false},
		{"no such host", "postgres://ann:canary@nowhere.invalid/expenses", "no host is called nowhere.invalid", "correct the host in DATABASE_URL", false},
	} {
		for name, command := range commands {
			t.Run(test.name+", "+name, func(t *testing.T) {
				err := command(t.Context(), test.url)
				if postgres := strings.HasPrefix(test.url, "postgres"); postgres && name == "backup" {
					var refused *upkeep.BackupError
					if !errors.As(err, &refused) {
						t.Errorf("%v", err)
					}
					return
				}
				if test.name == "no file" && name == "inspect" {
					return // the program makes it at its start
				}
				checkWords(t, err, test.found, test.fix, test.misset)
			})
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "copy.db")); err == nil {
		t.Error("a backup that failed left a file")
	}
}

// TestPostgresAccessInWords is refused by a server.
func TestPostgresAccessInWords(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	base, _, _ := strings.Cut(url, "/test_")
	_, err := upkeep.Inspect(t.Context(), base+"/nothing_here?sslmode=disable")
	checkWords(t, err, "PostgreSQL has no database nothing_here", "create it, or correct DATABASE_URL", true)
	_, err = upkeep.Repair(t.Context(), strings.Replace(url, "postgres@", "nobody:canary@", 1))
	checkWords(t, err, "PostgreSQL does not let the user nobody in", "correct the user and the password in DATABASE_URL", true)
	_, err = upkeep.Inspect(t.Context(), strings.Replace(url, "sslmode=disable", "sslmode=require", 1))
	checkWords(t, err, "is not encrypted as DATABASE_URL asks for", "correct sslmode and sslrootcert in DATABASE_URL", true)
}

// checkWords wants words of an error, and whether it is DATABASE_URL that has to be
// changed, and nothing of an error of Go's or a password.
func checkWords(t *testing.T, err error, found, fix string, misset bool) {
	t.Helper()
	var access *upkeep.AccessError
	if !errors.As(err, &access) || access.Misset != misset {
		t.Errorf("%v, and misset is not %v", err, misset)
	}
	if err == nil || !strings.Contains(err.Error(), found) || !strings.Contains(err.Error(), fix) {
		t.Errorf("%v, want %q and %q", err, found, fix)
		return
	}
	for _, raw := range []string{"stat ", "open ", "dial", "lookup ", "no such file", "canary", "SQLSTATE"} {
		if strings.Contains(err.Error(), raw) {
			t.Errorf("%q shows in %v", raw, err)
		}
	}
}
