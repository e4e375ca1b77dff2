package upkeep_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/upkeep"
	"expense-dashboard/internal/storetest"
)

func TestBackupWhileWriting(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	s := fixture.Started(t, databaseURL)
	fixture.Created(t, s, fixture.Lunch())
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					fixture.Created(t, s, fixture.Lunch())
				}
			}
		})
	}
	for i := range 5 {
		before, err := s.Summary(t.Context(), expense.Query{})
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(t.TempDir(), "a copy.db")
		if _, err := upkeep.Backup(t.Context(), databaseURL, copied); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("copy %d: %v, %v", i, info.Mode(), err)
		}
		checkCopy(t, copied, before.Count)
		if _, err := upkeep.Backup(t.Context(), databaseURL, copied); err == nil || !strings.Contains(err.Error(), "is there already") {
			t.Errorf("over a copy: %v", err)
		}
	}
	close(stop)
	wg.Wait()
}

// checkCopy starts on a copy and wants in it at least what was acknowledged
// before it was made, each expense with its history.
func checkCopy(t *testing.T, file string, atLeast int64) {
	t.Helper()
	s := fixture.Started(t, "sqlite:"+file)
	summary, err := s.Summary(t.Context(), expense.Query{})
	if err != nil || summary.Count < atLeast {
		t.Errorf("the copy has %d expenses of %d, %v", summary.Count, atLeast, err)
	}
	var check string
	var recorded int64
	if err := s.DB.Read().QueryRow(`PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
		t.Errorf("integrity: %s, %v", check, err)
	}
	if err := s.DB.Read().QueryRow(`SELECT COUNT(*) FROM history`).Scan(&recorded); err != nil || recorded != summary.Count {
		t.Errorf("%d history rows for %d expenses, %v", recorded, summary.Count, err)
	}
}

// TestBackupRefuses names what a copy cannot be made of or to, and leaves nothing.
func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	folder, databaseURL := t.TempDir(), storetest.SQLite(t)
	fixture.Started(t, databaseURL)
	to := filepath.Join(folder, "copy.db")
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ from, to, want string }{
		"PostgreSQL":         {"postgres://u:canary@h/db", to, "pg_dump"},
		"no database":        {"sqlite:" + filepath.Join(folder, "none.db"), to, "there is no database"},
		"not a database":     {"sqlite:" + folder, to, "is a folder"},
		"over a file":        {databaseURL, filepath.Join(full, "file"), "is there already"},
		"no folder":          {databaseURL, filepath.Join(folder, "none", "copy.db"), "there is no folder " + filepath.Join(folder, "none") + ": make it"},
		"a folder":           {databaseURL, folder, "is a folder: name a new file in it"},
		"a folder to be":     {databaseURL, folder + "/none/", "there is no folder " + filepath.Join(folder, "none") + ": make it"},
		"none at all":        {databaseURL, folder + "/none/.", "there is no folder " + filepath.Join(folder, "none") + ": make it"},
		"nothing and back":   {databaseURL, folder + "/none/..", "there is no folder " + filepath.Join(folder, "none") + ": make it"},
		"a file's folder":    {databaseURL, filepath.Join(full, "file", "copy.db"), "there is no folder " + filepath.Join(full, "file") + ": make it"},
		"a file as a folder": {databaseURL, filepath.Join(full, "file") + "/", "there is no folder " + filepath.Join(full, "file") + ": make it"},
		"nothing":            {databaseURL, "", "is empty"},
	} {
		_, err := upkeep.Backup(t.Context(), test.from, test.to)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("%s: %v, %v is there", name, err, left)
		}
	}
}

// TestBackupChild is the program that TestBackupKilled kills.
func TestBackupChild(t *testing.T) {
	from, to, ok := strings.Cut(os.Getenv("BACKUP_CHILD"), "\n")
	if !ok {
		t.Skip("started by TestBackupKilled only")
	}
	if _, err := upkeep.Backup(t.Context(), from, to); err != nil {
		t.Fatal(err)
	}
}

// TestBackupKilled kills programs that make a copy, some later than others. A file
// of the final name is whole.
func TestBackupKilled(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	s := fixture.Started(t, databaseURL)
	for range 50 {
		fixture.Created(t, s, fixture.Lunch())
	}
	folder := t.TempDir()
	there := 0
	for i := range 12 {
		copied := filepath.Join(folder, rand.Text())
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(10+15*i)*time.Millisecond)
		child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestBackupChild$")
		child.Env = append(os.Environ(), "BACKUP_CHILD="+databaseURL+"\n"+copied)
		ended := child.Run()
		cancel()
		if _, err := os.Stat(copied); err != nil {
			if ended == nil {
				t.Error("a program made no copy and says nothing")
			}
			continue
		}
		there++
		db, err := sql.Open("sqlite", database.SQLiteName(copied, "&mode=ro&immutable=1"))
		if err != nil {
			t.Fatal(err)
		}
		if err := database.Intact(t.Context(), db, copied, "integrity_check"); err != nil {
			t.Error(err)
		}
		db.Close()
	}
	copied := filepath.Join(folder, "whole")
	if _, err := upkeep.Backup(t.Context(), databaseURL, copied); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(folder, ".whole*")); err != nil || len(left) > 0 {
		t.Errorf("beside the copy there are %q, %v", left, err)
	}
	t.Logf("%d of 12 copies were made before their program was killed", there)
}
