package session

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/digest"
	storepkg "expense-dashboard/internal/store"
	"expense-dashboard/internal/storetest"
)

func TestSessionRecordsAreForgotten(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *storepkg.Store) {
		begun := time.UnixMilli(1_000_000)
		add := func(id string, at time.Time) {
			t.Helper()
			record := storepkg.SessionRecord{IDHash: digest.Of(id), Subject: "sub", Address: "a@example.com", SignedInAt: at, ExpiresAt: at.Add(time.Hour)}
			if err := s.AddSession(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
		add("one", begun)
		token := storepkg.UsedToken{ID: digest.Of("token"), Expires: begun.Add(time.Hour)}
		if err := s.EndSessions(t.Context(), []storepkg.Ending{EndingOf(digest.Of("one"), begun.Add(time.Hour))}, "test", begun, token); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			at   time.Time
			rows [3]int
		}{{begun.Add(time.Hour - time.Millisecond), [3]int{2, 1, 1}}, {begun.Add(time.Hour), [3]int{2, 0, 0}}} {
			add(test.at.String(), test.at)
			var rows [3]int
			for i, table := range []string{"sessions", "ended", "used_tokens"} {
				if err := s.Read.QueryRow(`SELECT COUNT(*) FROM ` + table).Scan(&rows[i]); err != nil {
					t.Fatal(err)
				}
			}
			if rows != test.rows {
				t.Errorf("%s after the sign-in there are %v rows, want %v", test.at.Sub(begun), rows, test.rows)
			}
		}
	})
}

func TestUsedTokenEndsNothing(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *storepkg.Store) {
		now := time.Now()
		token := storepkg.UsedToken{ID: digest.Of("token"), Expires: now.Add(time.Minute)}
		first := []storepkg.Ending{{storepkg.EndSubject, "first", now, now.Add(time.Hour)}}
		second := []storepkg.Ending{{storepkg.EndSubject, "second", now, now.Add(time.Hour)}}
		if err := s.EndSessions(t.Context(), first, "test", now, token); err != nil {
			t.Fatal(err)
		}
		if err := s.EndSessions(t.Context(), second, "test", now, token); !errors.Is(err, storepkg.ErrReplayed) {
			t.Errorf("the token used again is %v", err)
		}
		endings, _, err := s.News(t.Context(), 0)
		if err != nil || len(endings) != 1 || endings[0].Key != "first" {
			t.Errorf("the endings are %v, %v", endings, err)
		}
	})
}

// A reader that asks for what is new misses nothing that is written meanwhile.
func TestNoEndingIsMissed(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *storepkg.Store) {
		const writers, each = 6, 15
		now := time.Now()
		var together sync.WaitGroup
		for writer := range writers {
			together.Go(func() {
				for i := range each {
					e := []storepkg.Ending{{storepkg.EndSubject, fmt.Sprint(writer, " ", i), now, now.Add(time.Hour)}}
					if err := s.EndSessions(t.Context(), e, "test", now, storepkg.UsedToken{}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { together.Wait(); close(done) }()
		seen, sequence := map[string]bool{}, int64(0)
		for last := false; ; {
			endings, next, err := s.News(t.Context(), sequence)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range endings {
				seen[e.Key] = true
			}
			sequence = next
			if last {
				break
			}
			select {
			case <-done:
				last = true
			default:
			}
		}
		if len(seen) != writers*each {
			t.Errorf("%d endings were seen, want %d", len(seen), writers*each)
		}
	})
}

// An ending that comes again, or later, reaches at least as far as before.
func TestEndingsWiden(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *storepkg.Store) {
		at := time.UnixMilli(5_000)
		for _, minutes := range []int{2, 5, 1} {
			upTo := at.Add(time.Duration(minutes) * time.Minute)
			if err := s.EndSessions(t.Context(), []storepkg.Ending{{storepkg.EndAddress, "a", upTo, upTo.Add(time.Hour)}}, "test", at, storepkg.UsedToken{}); err != nil {
				t.Fatal(err)
			}
		}
		endings, last, err := s.News(t.Context(), 0)
		if err != nil || last != 3 || len(endings) != 1 || !endings[0].UpTo.Equal(at.Add(5*time.Minute)) || !endings[0].Expires.Equal(at.Add(65*time.Minute)) {
			t.Errorf("the endings are %v up to %d, %v", endings, last, err)
		}
	})
}

// Endings that the database never takes are bounded.
func TestOwedEndingsAreBounded(t *testing.T) {
	t.Parallel()
	store := openedStore(t, storetest.SQLite(t)) // never started
	records := NewRecords(store, slog.New(slog.DiscardHandler))
	endings := make([]storepkg.Ending, maxOwedEndings+5)
	for i := range endings {
		endings[i] = EndingOf(digest.Of(fmt.Sprint(i)), time.Now().Add(time.Hour))
	}
	if err := records.End(t.Context(), endings, "test", time.Now()); !storepkg.IsUnavailable(err) {
		t.Errorf("end = %v", err)
	}
	if len(records.owed) != maxOwedEndings || len(records.known) != len(endings) {
		t.Errorf("%d endings are owed and %d known", len(records.owed), len(records.known))
	}
}
