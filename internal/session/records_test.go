package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/sessions"
	"expense-dashboard/internal/storetest"
)

func TestSessionRecordsAreForgotten(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		s, db := startedStore(t, databaseURL), storetest.DB(t, databaseURL)
		begun := time.UnixMilli(1_000_000)
		add := func(id string, at time.Time) {
			t.Helper()
			record := sessions.Record{IDHash: digest.Of(id), Subject: "sub", Address: "a@example.com", SignedInAt: at, ExpiresAt: at.Add(time.Hour)}
			if err := s.AddSession(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
		add("one", begun)
		token := sessions.UsedToken{ID: digest.Of("token"), Expires: begun.Add(time.Hour)}
		if err := s.EndSessions(t.Context(), []sessions.Ending{EndingOf(digest.Of("one"), begun.Add(time.Hour))}, "test", begun, token); err != nil {
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
		token := sessions.UsedToken{ID: digest.Of("token"), Expires: now.Add(time.Minute)}
		first := []sessions.Ending{{Kind: sessions.EndSubject, Key: "first", UpTo: now, Expires: now.Add(time.Hour)}}
		second := []sessions.Ending{{Kind: sessions.EndSubject, Key: "second", UpTo: now, Expires: now.Add(time.Hour)}}
		if err := s.EndSessions(t.Context(), first, "test", now, token); err != nil {
			t.Fatal(err)
		}
		if err := s.EndSessions(t.Context(), second, "test", now, token); !errors.Is(err, sessions.ErrReplayed) {
			t.Errorf("the token used again is %v", err)
		}
		endings, _, err := s.Endings(t.Context(), sessions.Mark{})
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
					e := []sessions.Ending{{Kind: sessions.EndSubject, Key: fmt.Sprint(writer, " ", i), UpTo: now, Expires: now.Add(time.Hour)}}
					if err := s.EndSessions(t.Context(), e, "test", now, sessions.UsedToken{}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { together.Wait(); close(done) }()
		seen, mark := map[string]bool{}, sessions.Mark{}
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
			if err := s.EndSessions(t.Context(), []sessions.Ending{{Kind: sessions.EndAddress, Key: "a", UpTo: upTo, Expires: upTo.Add(time.Hour)}}, "test", at, sessions.UsedToken{}); err != nil {
				t.Fatal(err)
			}
		}
		endings, _, err := s.Endings(t.Context(), sessions.Mark{})
		if err != nil || len(endings) != 1 || !endings[0].UpTo.Equal(at.Add(5*time.Minute)) || !endings[0].Expires.Equal(at.Add(65*time.Minute)) {
			t.Errorf("the endings are %v, %v", endings, err)
		}
	})
}

// Endings that the database never takes are bounded.
func TestOwedEndingsAreBounded(t *testing.T) {
	t.Parallel()
	unstarted := openedStore(t, storetest.SQLite(t))
	records := NewRecords(unstarted.Registry, slog.New(slog.DiscardHandler), nil)
	endings := make([]sessions.Ending, maxOwedEndings+5)
	for i := range endings {
		endings[i] = EndingOf(digest.Of(fmt.Sprint(i)), time.Now().Add(time.Hour))
	}
	if err := records.End(t.Context(), endings, "test", time.Now()); !fault.IsUnavailable(err) {
		t.Errorf("end = %v", err)
	}
	if len(records.owed) != maxOwedEndings || len(records.known) != len(endings) {
		t.Errorf("%d endings are owed and %d known", len(records.owed), len(records.known))
	}
}

// There is an ending for each sign-out of half a day. No other test runs meanwhile.
func TestEndingsAreSmall(t *testing.T) {
	const number, most = 20_000, 200
	records := NewRecords(nil, slog.New(slog.DiscardHandler), nil)
	before := taken()
	for i := range number {
		// As those that come from the database, which share nothing.
		ending := EndingOf(digest.Of(fmt.Sprint(i)), time.Now().Add(time.Hour))
		ending.Kind = sessions.EndKind(strings.Clone(string(ending.Kind)))
		records.noteLocked(ending)
	}
	if each := (taken() - before) / number; each > most {
		t.Errorf("an ending takes %d bytes, want %d at most", each, most)
	}
	runtime.KeepAlive(records)
}

// Two copies of the program on one database: each tells what came to it to the
// request, and what came to the other once that has saved it. None of it is lost
// with its memory, and nothing of it goes back.
func TestLastUsed(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		log := slog.New(slog.DiscardHandler)
		stores := []*store.Store{startedStore(t, databaseURL), startedStore(t, databaseURL)}
		here, there := NewRecords(stores[0].Registry, log, nil), NewRecords(stores[1].Registry, log, nil)
		begun := time.UnixMilli(1_000_000).UTC()
		at := func(minute int) time.Time { return begun.Add(time.Duration(minute) * time.Minute) }
		desk := &Session{ID: "desk", Subject: "sub", SignedInAt: begun, EndsAt: at(600)}
		if err := here.begin(t.Context(), desk, ""); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			name                string
			used                *Records
			minute              int
			saved               []*Records
			wantHere, wantThere int
			wantRestarted       int
		}{
			{"signed in", nil, 0, nil, 0, 0, 0},
			{"used here", here, 5, nil, 5, 0, 0},
			{"saved here", nil, 0, []*Records{here}, 5, 5, 5},
			{"used on both, the earlier saved last", there, 9, []*Records{there}, 9, 9, 9},
			{"by a clock that is behind", here, 7, []*Records{here}, 9, 9, 9},
			{"nothing new", nil, 0, []*Records{here, there}, 9, 9, 9},
			{"used there, saved by the other", there, 12, []*Records{here}, 9, 12, 9},
		} {
			if step.used != nil {
				step.used.note(desk, at(step.minute))
			}
			for _, records := range step.saved {
				records.saveUses(t.Context())
			}
			for name, copied := range map[string]struct {
				records *Records
				want    int
			}{"here": {here, step.wantHere}, "there": {there, step.wantThere}, "after a restart": {NewRecords(stores[1].Registry, log, nil), step.wantRestarted}} {
				found, err := stores[1].Sessions(t.Context(), sessions.Query{Limit: 2}, at(20))
				if err != nil || len(found) != 1 {
					t.Fatalf("%d sessions, %v", len(found), err)
				}
				if got := copied.records.LastUsed(found[0]); !got.Equal(at(copied.want)) {
					t.Errorf("%s, %s: last used %v, want %v", step.name, name, got, at(copied.want))
				}
			}
		}
		if len(here.used) != 0 || len(there.used) != 1 {
			t.Errorf("%d and %d uses are still to be saved, want none and 1", len(here.used), len(there.used))
		}
	})
}

// What the database does not take is saved when it serves again, at the latest at
// the end of the program.
func TestUsesAreSavedAtTheEnd(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		unstarted := openedStore(t, databaseURL)
		var lines bytes.Buffer
		records := NewRecords(unstarted.Registry, slog.New(slog.NewTextHandler(&lines, nil)), nil)
		begun := time.UnixMilli(1_000_000).UTC()
		desk := &Session{ID: "desk", Subject: "sub", SignedInAt: begun, EndsAt: begun.Add(time.Hour)}
		records.note(desk, begun.Add(time.Minute))
		records.saveUses(t.Context())
		if !strings.Contains(lines.String(), "last uses of sessions not saved yet") {
			t.Errorf("the log says %q", lines.String())
		}
		if err := unstarted.Start(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if err := records.begin(t.Context(), desk, ""); err != nil {
			t.Fatal(err)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		records.KeepUses(ended)
		found, err := unstarted.Sessions(t.Context(), sessions.Query{Limit: 2}, begun)
		if err != nil || len(found) != 1 || !found[0].LastUsed.Equal(begun.Add(time.Minute)) {
			t.Errorf("the sessions are %+v, %v", found, err)
		}
	})
}
