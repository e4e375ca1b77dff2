package acceptance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"expense-dashboard/internal/apptest"
)

// TestBackupOfARunningProgram copies the database of a program that runs, and serves from
// the copy.
func TestBackupOfARunningProgram(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	b.LogExpense("finance", apptest.ExpenseForm())
	copied := filepath.Join(t.TempDir(), "copy.db")
	backup := func(args ...string) (status int, stderr string) {
		_, stderr, status = typed(t, map[string]string{"DATABASE_URL": r.Database}, append([]string{"backup"}, args...)...)
		return status, stderr
	}

	if status, stderr := backup(copied); status != 0 || stderr != "" {
		t.Fatalf("backup ends with %d: %s", status, stderr)
	}
	if status, stderr := backup(copied); status != 2 || !strings.Contains(stderr, copied+" is there already") {
		t.Errorf("a second backup to the same file ends with %d: %s", status, stderr)
	}
	if status, stderr := backup(); status != 2 || !strings.Contains(stderr, "Usage:") {
		t.Errorf("backup without a file ends with %d: %s", status, stderr)
	}
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy has mode %v, %v", info.Mode(), err)
	}

	restored := startProgram(t, setup{env: map[string]string{"DATABASE_URL": "sqlite:" + copied}})
	// Whoever was signed in before is not: what ended since the copy was made
	// would else live on.
	old := restored.Browser()
	for name, value := range b.Cookies() {
		old.SetCookie(name, value)
	}
	old.Get("/dashboard").Check(t, 303)
	again := restored.Browser()
	again.SignIn(finance)
	again.Get("/team/finance").Check(t, 200, "Lunch with a client", "$2,822.50")
}
