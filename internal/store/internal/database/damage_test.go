package database_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/upkeep"
	"expense-dashboard/internal/storetest"
)

// TestDamagedFile starts on copies that were cut off or written over: each is
// refused with the reason, and left as it is.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	s := fixture.Started(t, databaseURL)
	for range 100 {
		fixture.Created(t, s, fixture.Lunch())
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if _, err := upkeep.Backup(t.Context(), databaseURL, copied); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	zeroed := append([]byte{}, whole...)
	clear(zeroed[len(zeroed)/2:])
	used := append([]byte{}, zeroed...)
	used[63] = 0 // user_version: no copy of ours
	for name, content := range map[string][]byte{
		"cut off": whole[:len(whole)/2], "half of a page": whole[:len(whole)-1000], "its header alone": whole[:100],
		"zeros in its second half": zeroed, "the same, of a file in use": used, "text": []byte(strings.Repeat("no database ", 1000)),
	} {
		file := filepath.Join(t.TempDir(), "expenses.db")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		err := fixture.Opened(t, "sqlite:"+file).Start(t.Context(), true)
		var damage *fault.DamageError
		if fault.IsUnavailable(err) || !errors.As(err, &damage) || !strings.Contains(err.Error(), file+" is damaged") {
			t.Errorf("%s: start: %v", name, err)
		}
		if now, err := os.ReadFile(file); err != nil || string(now) != string(content) {
			t.Errorf("%s: the file has been changed, %v", name, err)
		}
	}
}

// TestLargeDamagedFile starts on a file that is too large to be read first: it serves
// until the damage is found.
func TestLargeDamagedFile(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	s := fixture.Started(t, databaseURL)
	for range 50 {
		fixture.Created(t, s, fixture.Lunch())
	}
	if _, err := s.DB.Write().ExecContext(t.Context(), `CREATE TABLE large AS SELECT zeroblob(4 << 20)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file := strings.TrimPrefix(databaseURL, "sqlite:")
	for _, size := range []int{0, 100_000} { // of what is written over
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		clear(content[len(content)-1_000_000:][:size])
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		again := fixture.Opened(t, databaseURL)
		if err := again.Start(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		err = again.DB.Checked()
		var damage *fault.DamageError
		if found := fault.IsUnavailable(err) && errors.As(err, &damage); found != (size > 0) {
			t.Errorf("%d bytes written over: %v", size, err)
		}
	}
}
