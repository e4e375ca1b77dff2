package store

import (
	"fmt"
	"testing"
	"time"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/storetest"
)

// TestUsesOfManySessions notes more uses than one statement holds, of sessions that
// are recorded, of one that an older program has left and of one that is unknown.
func TestUsesOfManySessions(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		s, db := startedStore(t, databaseURL), storetest.DB(t, databaseURL)
		const count = usesAtOnce + 2
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
		found, err := s.Sessions(t.Context(), SessionQuery{Limit: 2 * count}, begun)
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
