package upkeep_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/sessions"
	"expense-dashboard/internal/store/upkeep"
	"expense-dashboard/internal/storetest"
)

// TestRestoredCopyEndsSessions starts on a copy made by Backup: what ended after it
// was made would else live on.
func TestRestoredCopyEndsSessions(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	s := fixture.Started(t, databaseURL)
	fixture.Created(t, s, fixture.Lunch())
	fixture.BeginSession(t, s, "carol")
	copied := filepath.Join(t.TempDir(), "copy.db")
	held, err := upkeep.Backup(t.Context(), databaseURL, copied)
	if err != nil || held.Expenses != 1 || held.People != 1 || held.Bytes == 0 || time.Since(held.At).Abs() > time.Minute {
		t.Errorf("the copy holds %+v, %v", held, err)
	}
	fixture.EndSession(t, s, "carol")
	restored := fixture.Started(t, "sqlite:"+copied)
	endings, _, err := restored.Endings(t.Context(), sessions.Mark{})
	if err != nil || len(endings) != 1 || endings[0].Kind != sessions.EndAll || endings[0].Key != sessions.EveryKey || time.Since(endings[0].UpTo) > time.Minute || endings[0].Expires.Year() != 9999 {
		t.Fatalf("the first start on the copy leaves the endings %+v, %v", endings, err)
	}
	if records, err := restored.Sessions(t.Context(), sessions.Query{Limit: 10}, time.Now()); err != nil || len(records) != 0 {
		t.Errorf("sessions that stand: %v, %v", records, err)
	}
	if err := restored.Close(); err != nil {
		t.Fatal(err)
	}
	fixture.BeginSession(t, fixture.Started(t, "sqlite:"+copied), "dave")
	again := fixture.Started(t, "sqlite:"+copied)
	if records, err := again.Sessions(t.Context(), sessions.Query{Limit: 10}, time.Now()); err != nil || len(records) != 1 {
		t.Errorf("a later start ends a session that began after the first: %v, %v", records, err)
	}
	if got, _ := fixture.EndedKeys(t, s, sessions.Mark{}); got != "carol" {
		t.Errorf("the database that was copied has the endings %q", got)
	}
}

// TestRestoredBesideAnOldLog puts a copy in the place of a database whose program
// was killed, and leaves what else that had.
func TestRestoredBesideAnOldLog(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.SQLite(t)
	s := fixture.Started(t, databaseURL)
	fixture.Created(t, s, fixture.Lunch())
	copied := filepath.Join(t.TempDir(), "copy.db")
	if _, err := upkeep.Backup(t.Context(), databaseURL, copied); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		fixture.Created(t, s, fixture.Lunch())
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
	restored := fixture.Started(t, "sqlite:"+copied)
	for want := int64(1); want < 3; want++ {
		if summary, err := restored.Summary(t.Context(), expense.Query{}); err != nil || summary.Count != want {
			t.Errorf("%d expenses, %v; want %d", summary.Count, err, want)
		}
		fixture.Created(t, restored, fixture.Lunch())
	}
	// The log is the copy's own from now on, also for who starts beside this program.
	if summary, err := fixture.Started(t, "sqlite:"+copied).Summary(t.Context(), expense.Query{}); err != nil || summary.Count != 3 {
		t.Errorf("another program finds %d expenses, %v; want 3", summary.Count, err)
	}
}

func TestEndEvery(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		log := slog.New(slog.DiscardHandler)
		if file, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := upkeep.EndEvery(t.Context(), databaseURL, log); err == nil || !strings.Contains(err.Error(), "holds nothing") {
			t.Errorf("of an empty database: %v", err)
		}
		s := fixture.Started(t, databaseURL)
		for _, subject := range []string{"carol", "dave", "eve"} {
			fixture.BeginSession(t, s, subject)
		}
		fixture.EndSession(t, s, "eve")
		_, known := fixture.EndedKeys(t, s, sessions.Mark{})
		if stood, err := upkeep.EndEvery(t.Context(), databaseURL, log); err != nil || stood != 2 {
			t.Errorf("%d sessions ended, %v; want 2", stood, err)
		}
		if got, _ := fixture.EndedKeys(t, s, known); got != sessions.EveryKey {
			t.Errorf("a program that runs learns of %q", got)
		}
		if records, err := s.Sessions(t.Context(), sessions.Query{Limit: 10}, time.Now()); err != nil || len(records) != 0 {
			t.Errorf("sessions that stand: %v, %v", records, err)
		}
	})
}
