package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/storetest"
)

// begin records a session of a subject that begins now.
func begin(t testing.TB, s *Store, subject string) {
	t.Helper()
	now := time.Now()
	err := s.AddSession(t.Context(), SessionRecord{
		IDHash: strings.Repeat("0", 38) + rand.Text(), Subject: subject, Address: subject + "@example.com", SignedInAt: now, ExpiresAt: now.Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// end ends all sessions of a subject.
func end(t testing.TB, s *Store, subject string) {
	t.Helper()
	now := time.Now()
	if err := s.EndSessions(t.Context(), []Ending{{EndSubject, subject, now, now.Add(time.Hour)}}, "test", now, UsedToken{}); err != nil {
		t.Fatal(err)
	}
}

// keys asks for the endings after a mark, and returns their keys and the next mark.
func keys(t testing.TB, s *Store, known Mark) (string, Mark) {
	t.Helper()
	endings, next, err := s.Endings(t.Context(), known)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range endings {
		list = append(list, e.Key)
	}
	return strings.Join(list, " "), next
}

// TestEndingsOfARestoredDatabase puts the endings back to what they were earlier,
// as a restore does, under a program that goes on.
func TestEndingsOfARestoredDatabase(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *Store) {
		end(t, s, "first")
		saved := func(text string) {
			t.Helper()
			if _, err := s.write.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		saved(`CREATE TABLE saved AS SELECT * FROM ended`)
		got, known := keys(t, s, Mark{})
		if got != "first" {
			t.Fatalf("the endings are %q", got)
		}
		end(t, s, "second")
		end(t, s, "third")
		if got, known = keys(t, s, known); got != "second third" {
			t.Fatalf("the new endings are %q", got)
		}
		if got, known = keys(t, s, known); got != "" {
			t.Fatalf("endings are new twice: %q", got)
		}
		saved(`DELETE FROM ended`)
		saved(`INSERT INTO ended SELECT * FROM saved`)
		saved(`UPDATE ended_sequence SET last = 1`)
		end(t, s, "after the restore")
		if got, known = keys(t, s, known); got != "first after the restore" {
			t.Errorf("after a restore the endings are %q, want all", got)
		}
		if got, known = keys(t, s, known); got != "" {
			t.Errorf("they are new twice: %q", got)
		}
		saved(`DELETE FROM ended`)
		if got, known = keys(t, s, known); got != "" || known != (Mark{}) {
			t.Errorf("without endings there are %q and the mark %v", got, known)
		}
		end(t, s, "later")
		if got, _ = keys(t, s, known); got != "later" {
			t.Errorf("the ending after that is %q", got)
		}
	})
}

// TestRestoredCopyEndsSessions starts on a copy made by Backup: what ended after it
// was made would else live on.
func TestRestoredCopyEndsSessions(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	s := startedStore(t, databaseURL)
	created(t, s, lunch())
	begin(t, s, "carol")
	copied := filepath.Join(t.TempDir(), "copy.db")
	held, err := Backup(t.Context(), databaseURL, copied)
	if err != nil || held.Expenses != 1 || held.People != 1 || held.Bytes == 0 || time.Since(held.At).Abs() > time.Minute {
		t.Errorf("the copy holds %+v, %v", held, err)
	}
	end(t, s, "carol")
	restored := startedStore(t, "sqlite:"+copied)
	endings, _, err := restored.Endings(t.Context(), Mark{})
	if err != nil || len(endings) != 1 || endings[0].Kind != EndAll || endings[0].Key != EveryKey || time.Since(endings[0].UpTo) > time.Minute || endings[0].Expires.Year() != 9999 {
		t.Fatalf("the first start on the copy leaves the endings %+v, %v", endings, err)
	}
	if records, err := restored.Sessions(t.Context(), SessionQuery{Limit: 10}, time.Now()); err != nil || len(records) != 0 {
		t.Errorf("sessions that stand: %v, %v", records, err)
	}
	if err := restored.Close(); err != nil {
		t.Fatal(err)
	}
	begin(t, startedStore(t, "sqlite:"+copied), "dave")
	again := startedStore(t, "sqlite:"+copied)
	if records, err := again.Sessions(t.Context(), SessionQuery{Limit: 10}, time.Now()); err != nil || len(records) != 1 {
		t.Errorf("a later start ends a session that began after the first: %v, %v", records, err)
	}
	if got, _ := keys(t, s, Mark{}); got != "carol" {
		t.Errorf("the database that was copied has the endings %q", got)
	}
}

// TestRestoredBesideAnOldLog puts a copy in the place of a database whose program
// was killed, and leaves what else that had.
func TestRestoredBesideAnOldLog(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	s := startedStore(t, databaseURL)
	created(t, s, lunch())
	copied := filepath.Join(t.TempDir(), "copy.db")
	if _, err := Backup(t.Context(), databaseURL, copied); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		created(t, s, lunch())
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		content, err := os.ReadFile(strings.TrimPrefix(databaseURL, "sqlite:") + suffix)
		if err == nil {
			err = os.WriteFile(copied+suffix, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	restored := startedStore(t, "sqlite:"+copied)
	for want := int64(1); want < 3; want++ {
		if summary, err := restored.Summary(t.Context(), expense.Query{}); err != nil || summary.Count != want {
			t.Errorf("%d expenses, %v; want %d", summary.Count, err, want)
		}
		created(t, restored, lunch())
	}
	// The log is the copy's own from now on, also for who starts beside this program.
	if summary, err := startedStore(t, "sqlite:"+copied).Summary(t.Context(), expense.Query{}); err != nil || summary.Count != 3 {
		t.Errorf("another program finds %d expenses, %v; want 3", summary.Count, err)
	}
}

func TestEndEvery(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		log := slog.New(slog.DiscardHandler)
		if _, err := EndEvery(t.Context(), databaseURL, log); err == nil || !strings.Contains(err.Error(), "holds nothing") {
			t.Errorf("of an empty database: %v", err)
		}
		s := startedStore(t, databaseURL)
		for _, subject := range []string{"carol", "dave", "eve"} {
			begin(t, s, subject)
		}
		end(t, s, "eve")
		_, known := keys(t, s, Mark{})
		if stood, err := EndEvery(t.Context(), databaseURL, log); err != nil || stood != 2 {
			t.Errorf("%d sessions ended, %v; want 2", stood, err)
		}
		if got, _ := keys(t, s, known); got != EveryKey {
			t.Errorf("a program that runs learns of %q", got)
		}
		if records, err := s.Sessions(t.Context(), SessionQuery{Limit: 10}, time.Now()); err != nil || len(records) != 0 {
			t.Errorf("sessions that stand: %v, %v", records, err)
		}
	})
}

// TestDamagedFile starts on copies that were cut off or written over: each is
// refused with the reason, and left as it is.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	s := startedStore(t, databaseURL)
	for range 100 {
		created(t, s, lunch())
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if _, err := Backup(t.Context(), databaseURL, copied); err != nil {
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
		err := openedStore(t, "sqlite:"+file).Start(t.Context(), true)
		var damage *DamageError
		if IsUnavailable(err) || !errors.As(err, &damage) || !strings.Contains(err.Error(), file+" is damaged") {
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
	s := startedStore(t, databaseURL)
	for range 50 {
		created(t, s, lunch())
	}
	if _, err := s.write.ExecContext(t.Context(), `CREATE TABLE large AS SELECT zeroblob(4 << 20)`); err != nil {
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
		again := openedStore(t, databaseURL)
		if err := again.Start(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		again.preparing.Wait()
		err = again.usable()
		var damage *DamageError
		if found := IsUnavailable(err) && errors.As(err, &damage); found != (size > 0) {
			t.Errorf("%d bytes written over: %v", size, err)
		}
	}
}

// TestBackupChild is the program that TestBackupKilled kills.
func TestBackupChild(t *testing.T) {
	from, to, ok := strings.Cut(os.Getenv("BACKUP_CHILD"), "\n")
	if !ok {
		t.Skip("started by TestBackupKilled only")
	}
	if _, err := Backup(t.Context(), from, to); err != nil {
		t.Fatal(err)
	}
}

// TestBackupKilled kills programs that make a copy, some later than others. A file
// of the final name is whole.
func TestBackupKilled(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	s := startedStore(t, databaseURL)
	for range 50 {
		created(t, s, lunch())
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
		db, err := sql.Open("sqlite", sqliteName(copied, "&mode=ro&immutable=1"))
		if err != nil {
			t.Fatal(err)
		}
		if err := intact(t.Context(), db, copied, "integrity_check"); err != nil {
			t.Error(err)
		}
		db.Close()
	}
	copied := filepath.Join(folder, "whole")
	if _, err := Backup(t.Context(), databaseURL, copied); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(folder, ".whole*")); err != nil || len(left) > 0 {
		t.Errorf("beside the copy there are %q, %v", left, err)
	}
	t.Logf("%d of 12 copies were made before their program was killed", there)
}
