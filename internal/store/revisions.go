package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/expense"
)

// revisionAge is how long what is known of the revisions counts as the present,
// so that many requests share one question to the database. A write by another
// copy of the program is seen that much later, one by this copy at once.
const RevisionAge = 250 * time.Millisecond

// revisions are the states of the teams' expenses at one moment. Two equal ones
// of a team mean the same expenses; a random text and no number, so that this
// holds also for a database that was restored from a backup.
type Revisions struct {
	all    string            // of all teams together
	byTeam map[string]string // of those that were ever written

	Asked  time.Time // when the database was asked
	writes int64     // of this copy, that had ended by then
}

// of returns the revision of a team, or of all teams where the id is empty.
func (r *Revisions) Of(team string) string {
	if team == "" {
		return r.all
	}
	return r.byTeam[team]
}

// Revisions returns the revisions as they were at a moment or later, and after
// the last write of this copy.
func (s *Store) Revisions(ctx context.Context, since time.Time) (*Revisions, error) {
	known := s.knownSince(since)
	if known != nil {
		return known, nil
	}
	err := s.call(ctx, func(ctx context.Context) (err error) {
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
func (s *Store) knownSince(since time.Time) *Revisions {
	known := s.Known.Load()
	if known == nil || known.Asked.Before(since) || known.writes != s.writes.Load() {
		return nil
	}
	return known
}

func (s *Store) askRevisions(ctx context.Context) (*Revisions, error) {
	fresh := s.newRevisions()
	rows, err := s.Read.QueryContext(ctx, `SELECT team, revision FROM revisions`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var team, revision string
		if err := rows.Scan(&team, &revision); err != nil {
			return nil, err
		}
		fresh.byTeam[team] = revision
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	s.learn(fresh)
	return fresh, nil
}

// newRevisions returns empty revisions, to be filled by a question that is asked
// after this.
func (s *Store) newRevisions() *Revisions {
	return &Revisions{byTeam: map[string]string{}, Asked: time.Now(), writes: s.writes.Load()}
}

// learn completes revisions and makes them those that are known, unless later
// ones are by now.
func (s *Store) learn(fresh *Revisions) {
	var texts []string
	for _, team := range slices.Sorted(maps.Keys(fresh.byTeam)) {
		texts = append(texts, team, fresh.byTeam[team])
	}
	fresh.all = digest.Of(texts...)
	for known := s.Known.Load(); known == nil || known.Asked.Before(fresh.Asked); known = s.Known.Load() {
		if s.Known.CompareAndSwap(known, fresh) {
			return
		}
	}
}

// renewRevisions gives the teams whose sums move another revision.
func renewRevisions(ctx context.Context, tx *sql.Tx, sums []sumKey) error {
	var rows [][]any
	for i, key := range sums {
		if i == 0 || key.team != sums[i-1].team {
			rows = append(rows, []any{key.team, expense.NewID()})
		}
	}
	for chunk := range slices.Chunk(rows, rowsPerInsert) {
		text, args := insertText(`revisions (team, revision)`, chunk)
		if _, err := tx.ExecContext(ctx, text+` ON CONFLICT (team) DO UPDATE SET revision = excluded.revision`, args...); err != nil {
			return err
		}
	}
	return nil
}
