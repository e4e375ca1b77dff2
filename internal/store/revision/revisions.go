// Package revision knows in which state the expenses of each team are, by a random text
// that each write changes: what was rendered for the same one still holds. Lock changes
// it, and so keeps others from writing the expenses of these teams until a transaction
// ends.
//
// What is known counts for Age, in which many requests share one question to the database:
// by so much a page may be late to show what another copy of the program has written. What
// this copy has written it sees at once. A revision says that something may be different
// and not what; that nothing is known of a team is a state too. It keeps no page: that is
// web/internal/page's. It stands in the way of no reader. Start reading at Watch.Revisions,
// and at Lock for writes.
package revision

import (
	"context"
	"database/sql"
	"slices"
	"sync/atomic"
	"time"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
)

// Age is how long what is known of the revisions counts as the present,
// so that many requests share one question to the database. A write by another
// copy of the program is seen that much later, one by this copy at once.
const Age = 250 * time.Millisecond

// Watch knows the teams' revisions, and asks the database for them as seldom as it can.
type Watch struct {
	db     *database.DB
	latest atomic.Pointer[Revisions] // nil until they were asked for
	asking chan struct{}             // has room for whoever asks for them
}

// New returns the Watch of a database.
func New(db *database.DB) *Watch { return &Watch{db: db, asking: make(chan struct{}, 1)} }

// Revisions are the states of the teams' expenses at one moment. Two equal ones
// of a team mean the same expenses; a random text and no number, so that this
// holds also for a database that was restored from a backup.
type Revisions struct {
	all    string            // of all teams together
	byTeam map[string]string // of those that were ever written

	asked  time.Time // when the database was asked
	writes int64     // of this copy, that had ended by then
}

// Of returns the revision of a team, or of all teams where the id is empty.
func (r *Revisions) Of(team string) string {
	if team == "" {
		return r.all
	}
	return r.byTeam[team]
}

// Revisions returns the revisions as they were at a moment or later, and after
// the last write of this copy.
func (s *Watch) Revisions(ctx context.Context, since time.Time) (*Revisions, error) {
	known := s.knownSince(since)
	if known != nil {
		return known, nil
	}
	err := s.db.Call(ctx, func(ctx context.Context) (err error) {
		// One asks, and those who come meanwhile share what it learns.
		select {
		case s.asking <- struct{}{}:
			defer func() { <-s.asking }()
		case <-ctx.Done():
			return ctx.Err()
		}
		if known = s.knownSince(since); known == nil {
			known, err = s.askRevisions(ctx)
		}
		return err
	})
	return known, err
}

// knownSince returns what is known of the revisions, or nil where that is older.
func (s *Watch) knownSince(since time.Time) *Revisions {
	known := s.latest.Load()
	if known == nil || known.asked.Before(since) || known.writes != s.db.Writes() {
		return nil
	}
	return known
}

// askRevisions asks the database, and keeps what it says unless something later is
// known by now.
func (s *Watch) askRevisions(ctx context.Context) (*Revisions, error) {
	fresh := &Revisions{byTeam: map[string]string{}, asked: time.Now(), writes: s.db.Writes()}
	var texts []string
	err := s.db.Each(ctx, s.db.Read(), `SELECT team, revision FROM revisions ORDER BY team`, nil, func(scan func(...any) error) error {
		var team, revision string
		err := scan(&team, &revision)
		fresh.byTeam[team] = revision
		texts = append(texts, team, revision)
		return err
	})
	if err != nil {
		return nil, err
	}
	fresh.all = digest.Of(texts...)
	for known := s.latest.Load(); known == nil || known.asked.Before(fresh.asked); known = s.latest.Load() {
		if s.latest.CompareAndSwap(known, fresh) {
			break
		}
	}
	return fresh, nil
}

// Lock gives teams another revision, which nobody else can do until tx ends. A
// transaction that writes expenses begins with it, for all teams that it may touch:
// in one order everywhere, so that no two wait for each other. Empty names are none.
func Lock(ctx context.Context, tx *sql.Tx, teams ...string) error {
	var rows [][]any
	slices.Sort(teams)
	for _, team := range slices.Compact(teams) {
		if team != "" {
			rows = append(rows, []any{team, expense.NewID()})
		}
	}
	for chunk := range slices.Chunk(rows, database.RowsPerInsert) {
		text, args := database.InsertText(`revisions (team, revision)`, chunk)
		if _, err := tx.ExecContext(ctx, text+` ON CONFLICT (team) DO UPDATE SET revision = excluded.revision`, args...); err != nil {
			return err
		}
	}
	return nil
}
