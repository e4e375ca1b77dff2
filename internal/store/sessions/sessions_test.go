package sessions_test

import (
	"fmt"
	"testing"
	"time"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/sessions"
	"expense-dashboard/internal/storetest"
)

// TestEndingsOfARestoredDatabase puts the endings back to what they were earlier,
// as a restore does, under a program that goes on.
func TestEndingsOfARestoredDatabase(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		fixture.EndSession(t, s, "first")
		saved := func(text string) {
			t.Helper()
			if _, err := s.DB.Write().Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		saved(`CREATE TABLE saved AS SELECT * FROM ended`)
		got, known := fixture.EndedKeys(t, s, sessions.Mark{})
		if got != "first" {
			t.Fatalf("the endings are %q", got)
		}
		fixture.EndSession(t, s, "second")
		fixture.EndSession(t, s, "third")
		if got, known = fixture.EndedKeys(t, s, known); got != "second third" {
			t.Fatalf("the new endings are %q", got)
		}
		if got, known = fixture.EndedKeys(t, s, known); got != "" {
			t.Fatalf("endings are new twice: %q", got)
		}
		saved(`DELETE FROM ended`)
		saved(`INSERT INTO ended SELECT * FROM saved`)
		saved(`UPDATE ended_sequence SET last = 1`)
		fixture.EndSession(t, s, "after the restore")
		if got, known = fixture.EndedKeys(t, s, known); got != "first after the restore" {
			t.Errorf("after a restore the endings are %q, want all", got)
		}
		if got, known = fixture.EndedKeys(t, s, known); got != "" {
			t.Errorf("they are new twice: %q", got)
		}
		saved(`DELETE FROM ended`)
		if got, known = fixture.EndedKeys(t, s, known); got != "" || known != (sessions.Mark{}) {
			t.Errorf("without endings there are %q and the mark %v", got, known)
		}
		fixture.EndSession(t, s, "later")
		if got, _ = fixture.EndedKeys(t, s, known); got != "later" {
			t.Errorf("the ending after that is %q", got)
		}
	})
}

// TestUsesOfManySessions notes more uses than one statement holds, of sessions that
// are recorded, of one that an older program has left and of one that is unknown.
func TestUsesOfManySessions(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		s, db := fixture.Started(t, databaseURL), storetest.DB(t, databaseURL)
		const count = sessions.UsesAtOnce + 2
		begun := time.UnixMilli(1_000_000).UTC()
		uses := map[string]time.Time{digest.Of("unknown"): begun}
		_, err := db.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			INSERT INTO sessions (id_hash, subject, address, name, provider_sid, user_agent, signed_in_at, expires_at)
			SELECT substr('`+digest.Of("session")+`', 1, 60) || (1000 + i), 'sub', '', '', '', '', 1000000, 9000000 FROM n`, count)
		if err != nil {
			t.Fatal(err)
		}
		for i := range count - 1 {
			uses[digest.Of("session")[:60]+fmt.Sprint(1001+i)] = begun.Add(time.Duration(i) * time.Second)
		}
		if err := s.NoteUses(t.Context(), uses); err != nil {
			t.Fatal(err)
		}
		found, err := s.Sessions(t.Context(), sessions.Query{Limit: 2 * count}, begun)
		if err != nil || len(found) != count {
			t.Fatalf("%d sessions, %v", len(found), err)
		}
		for _, r := range found {
			if want := uses[r.IDHash]; !r.LastUsed.Equal(want) {
				t.Errorf("%s was last used %v, want %v", r.IDHash, r.LastUsed, want)
			}
		}
	})
}
