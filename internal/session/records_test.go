package session

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/storetest"
)

func TestSessionRecordsAreForgotten(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		s, db := startedStore(t, databaseURL), storetest.DB(t, databaseURL)
		begun := time.UnixMilli(1_000_000)
		add := func(id string, at time.Time) {
			t.Helper()
			record := store.SessionRecord{IDHash: digest.Of(id), Subject: "sub", Address: "a@example.com", SignedInAt: at, ExpiresAt: at.Add(time.Hour)}
			if err := s.AddSession(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
		add("one", begun)
		token := store.UsedToken{ID: digest.Of("token"), Expires: begun.Add(time.Hour)}
		if err := s.EndSessions(t.Context(), []store.Ending{EndingOf(digest.Of("one"), begun.Add(time.Hour))}, "test", begun, token); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			at   time.Time
			rows [3]int
		}{{begun.Add(25*time.Hour - time.Millisecond), [3]int{2, 1, 1}}, {begun.Add(25 * time.Hour), [3]int{2, 0, 0}}} {
			add(test.at.String(), test.at)
			var rows [3]int
			for i, table := range []string{"sessions", "ended", "used_tokens"} {
				if err := db.QueryRow(`SELECT COUNT(*) FROM ` + table).Scan(&rows[i]); err != nil {
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
	forEachStore(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		token := store.UsedToken{ID: digest.Of("token"), Expires: now.Add(time.Minute)}
		first := []store.Ending{{Kind: store.EndSubject, Key: "first", UpTo: now, Expires: now.Add(time.Hour)}}
		second := []store.Ending{{Kind: store.EndSubject, Key: "second", UpTo: now, Expires: now.Add(time.Hour)}}
		if err := s.EndSessions(t.Context(), first, "test", now, token); err != nil {
			t.Fatal(err)
		}
		if err := s.EndSessions(t.Context(), second, "test", now, token); !errors.Is(err, store.ErrReplayed) {
			t.Errorf("the token used again is %v", err)
		}
		endings, _, err := s.Endings(t.Context(), store.Mark{})
		if err != nil || len(endings) != 1 || endings[0].Key != "first" {
			t.Errorf("the endings are %v, %v", endings, err)
		}
	})
}

// A reader that asks for what is new misses nothing that is written meanwhile.
func TestNoEndingIsMissed(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *store.Store) {
		const writers, each = 6, 15
		now := time.Now()
		var together sync.WaitGroup
		for writer := range writers {
			together.Go(func() {
				for i := range each {
					e := []store.Ending{{Kind: store.EndSubject, Key: fmt.Sprint(writer, " ", i), UpTo: now, Expires: now.Add(time.Hour)}}
					if err := s.EndSessions(t.Context(), e, "test", now, store.UsedToken{}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { together.Wait(); close(done) }()
		seen, mark := map[string]bool{}, store.Mark{}
		for last := false; ; {
			endings, next, err := s.Endings(t.Context(), mark)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range endings {
				seen[e.Key] = true
			}
			mark = next
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
	forEachStore(t, func(t *testing.T, s *store.Store) {
		at := time.UnixMilli(5_000)
		for _, minutes := range []int{2, 5, 1} {
			upTo := at.Add(time.Duration(minutes) * time.Minute)
			if err := s.EndSessions(t.Context(), []store.Ending{{Kind: store.EndAddress, Key: "a", UpTo: upTo, Expires: upTo.Add(time.Hour)}}, "test", at, store.UsedToken{}); err != nil {
				t.Fatal(err)
			}
		}
		endings, _, err := s.Endings(t.Context(), store.Mark{})
		if err != nil || len(endings) != 1 || !endings[0].UpTo.Equal(at.Add(5*time.Minute)) || !endings[0].Expires.Equal(at.Add(65*time.Minute)) {
			t.Errorf("the endings are %v, %v", endings, err)
		}
	})
}

// Endings that the database never takes are bounded.
func TestOwedEndingsAreBounded(t *testing.T) {
	t.Parallel()
	unstarted := openedStore(t, storetest.SQLite(t))
	records := NewRecords(unstarted, slog.New(slog.DiscardHandler), nil)
	endings := make([]store.Ending, maxOwedEndings+5)
	for i := range endings {
		endings[i] = EndingOf(digest.Of(fmt.Sprint(i)), time.Now().Add(time.Hour))
	}
	if err := records.End(t.Context(), endings, "test", time.Now()); !store.IsUnavailable(err) {
		t.Errorf("end = %v", err)
	}
	if len(records.owed) != maxOwedEndings || len(records.known) != len(endings) {
		t.Errorf("%d endings are owed and %d known", len(records.owed), len(records.known))
	}
}

func TestLastUsed(t *testing.T) {
	t.Parallel()
	records := NewRecords(nil, nil, nil)
	begun := time.UnixMilli(1_000_000)
	desk, phone, other := &Session{ID: "desk"}, &Session{ID: "phone"}, &Session{ID: "new"}
	records.note(desk, begun, time.Hour)
	records.note(phone, begun.Add(time.Minute), time.Hour)
	records.note(desk, begun.Add(30*time.Minute), time.Hour)
	for _, test := range []struct {
		name   string
		person *Session
		want   time.Time
	}{
		{"used twice", desk, begun.Add(30 * time.Minute)},
		{"used once", phone, begun.Add(time.Minute)},
		{"never seen here", other, time.Time{}},
	} {
		if got := records.LastUsed(digest.Of(test.person.ID)); !got.Equal(test.want) {
			t.Errorf("%s: last used %v, want %v", test.name, got, test.want)
		}
	}
	records.note(other, begun.Add(62*time.Minute), time.Hour)
	if got := records.LastUsed(digest.Of(phone.ID)); !got.IsZero() {
		t.Errorf("a session that is over by its idle timeout is kept: last used %v", got)
	}
	if got := records.LastUsed(digest.Of(desk.ID)); got.IsZero() {
		t.Error("a session that is not over is forgotten")
	}
}
