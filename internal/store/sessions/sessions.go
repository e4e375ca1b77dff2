// Package sessions keeps in the database which sessions there are, for people to see,
// and which have ended before their time. It holds no cookie and nothing that would be a
// session: of a session's ID it keeps the digest.
//
// An ending names sessions by a kind and a key, and refuses those that began up to a
// moment, whether or not they are recorded here; of one key there is one ending, with the
// latest moment. Each has a place in one sequence and a random mark, by which every copy
// of the program asks for what is new and sees that a database was restored.
// Rows are forgotten a day after their time. Times are in UTC, in milliseconds since 1970.
// It decides nothing: whether a cookie still counts is asked in the package session.
// Start reading at Record and Ending.
package sessions

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/names"
	"expense-dashboard/internal/team"
)

// Registry knows the sessions and their endings.
type Registry struct{ db *database.DB }

// New returns that of a database.
func New(db *database.DB) *Registry { return &Registry{db} }

// PageSize is how many sessions a page lists.
const PageSize = 100

// ErrReplayed is a logout request's token that has been acted upon before.
var ErrReplayed = errors.New("the token has been used before")

// Record is what the database keeps of a session, for people to see and
// for it to be ended from elsewhere. It holds nothing that would be the session.
type Record struct {
	IDHash      string // digest.Of the session's ID; names it in addresses
	Issuer      string // the host that vouches for the subject
	Subject     string
	Unverified  bool   // the address may be somebody else's
	Address     string // as team.NormalizeAddress writes it
	Name        string
	ProviderSID string
	UserAgent   string
	SignedInAt  time.Time // in UTC, to the millisecond
	ExpiresAt   time.Time // the same
	LastUsed    time.Time // the same, as last saved; zero where it is not known
}

// EndKind says by what an ending names the sessions that it is about.
type EndKind string

const (
	EndSession EndKind = "session" // digest.Of a session's ID
	EndSID     EndKind = "sid"     // sid of the provider
	EndSubject EndKind = "subject" // sub of the ID Token
	EndAddress EndKind = "address" // as team.NormalizeAddress writes it
	EndAll     EndKind = "all"     // EveryKey: all sessions, whoever's
)

// EveryKey is the one key of EndAll.
const EveryKey = "every"

// column is where the table of sessions has what the kind names, as a term of SQL.
func (k EndKind) column() string {
	switch k {
	case EndSID:
		return "provider_sid"
	case EndSubject, EndAddress:
		return string(k)
	case EndAll:
		return "'" + EveryKey + "'"
	default:
		return "id_hash"
	}
}

// Ending refuses sessions before their time: those of a key that began no later
// than UpTo. It can be forgotten at Expires, when they are over anyway.
type Ending struct {
	Kind          EndKind
	Key           string
	UpTo, Expires time.Time
}

// UsedToken is a logout request's token, kept until it would be refused as too
// old. The zero value is none.
type UsedToken struct {
	ID      string // a hash
	Expires time.Time
}

// usesAtOnce bounds the sessions of one write of NoteUses, during which nobody else
// writes to SQLite.
const usesAtOnce = 500

// forgetAfter is for how long what is over is remembered: a clock that jumped
// ahead and comes back finds the endings of sessions that live on.
const forgetAfter = 24 * time.Hour

// AddSession records a session that begins and is used for the first time, and forgets
// what has long been over.
func (s *Registry) AddSession(ctx context.Context, record Record) error {
	err := s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, table := range []string{"sessions", "ended", "used_tokens"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE expires_at <= $1`, record.SignedInAt.Add(-forgetAfter).UnixMilli()); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx,
			`INSERT INTO sessions (id_hash, subject, address, name, provider_sid, user_agent, signed_in_at, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7)`,
			record.IDHash, record.Subject, record.Address, record.Name, record.ProviderSID, record.UserAgent,
			record.SignedInAt.UnixMilli(), record.ExpiresAt.UnixMilli())
		if err != nil {
			return err
		}
		who := expense.Actor{Address: record.Address, Name: record.Name, Issuer: record.Issuer, Subject: record.Subject}
		if record.Unverified {
			who.Address = ""
		}
		return names.Claim(ctx, tx, who, record.SignedInAt)
	})
	if err != nil {
		return fmt.Errorf("add session: %w", err)
	}
	return nil
}

// NoteUses records when sessions were last used, by digest.Of their IDs. A later use
// that is known already stays, and a session that is not recorded is left out.
func (s *Registry) NoteUses(ctx context.Context, uses map[string]time.Time) error {
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(uses)), usesAtOnce) {
		var b database.Builder
		rows := make([]string, len(ids))
		for i, id := range ids {
			rows[i] = `(CAST(` + b.Arg(id) + ` AS TEXT), CAST(` + b.Arg(uses[id].UnixMilli()) + ` AS BIGINT))`
		}
		text := `UPDATE sessions SET used_at = used.column2 FROM (VALUES ` + strings.Join(rows, ", ") + `) AS used
			WHERE id_hash = used.column1 AND (used_at IS NULL OR used_at < used.column2)`
		err := s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, text, b.Args...)
			return err
		})
		if err != nil {
			return fmt.Errorf("note uses of sessions: %w", err)
		}
	}
	return nil
}

// EndSessions records endings, all or none. A token that was used before is
// ErrReplayed, and then nothing ends.
func (s *Registry) EndSessions(ctx context.Context, endings []Ending, why string, at time.Time, token UsedToken) error {
	err := s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := useToken(ctx, tx, token); err != nil {
			return err
		}
		return recordEndings(ctx, tx, endings, why, at)
	})
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

func useToken(ctx context.Context, tx *sql.Tx, token UsedToken) error {
	if token.ID == "" {
		return nil
	}
	result, err := tx.ExecContext(ctx, `INSERT INTO used_tokens (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`,
		token.ID, token.Expires.UnixMilli())
	if err != nil {
		return err
	}
	if added, err := result.RowsAffected(); err != nil || added == 0 {
		return errors.Join(ErrReplayed, err)
	}
	return nil
}

// recordEndings writes endings in one transaction, with one mark.
func recordEndings(ctx context.Context, tx *sql.Tx, endings []Ending, why string, at time.Time) error {
	last := Mark{text: rand.Text()}
	err := tx.QueryRowContext(ctx, `UPDATE ended_sequence SET last = last + 1 WHERE id = 1 RETURNING last`).Scan(&last.sequence)
	if err != nil {
		return err
	}
	for _, e := range endings {
		if err := recordEnding(ctx, tx, e, why, at, last); err != nil {
			return err
		}
	}
	return nil
}

// recordEnding writes one ending, which may widen one that is there, and marks
// the sessions that it is about as ended.
func recordEnding(ctx context.Context, tx *sql.Tx, e Ending, why string, at time.Time, mark Mark) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO ended (kind, key, up_to, expires_at, sequence, mark) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (kind, key) DO UPDATE SET sequence = excluded.sequence, mark = excluded.mark,
			up_to = CASE WHEN excluded.up_to > ended.up_to THEN excluded.up_to ELSE ended.up_to END,
			expires_at = CASE WHEN excluded.expires_at > ended.expires_at THEN excluded.expires_at ELSE ended.expires_at END`,
		string(e.Kind), e.Key, e.UpTo.UnixMilli(), e.Expires.UnixMilli(), mark.sequence, mark.text)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE sessions SET ended_at = $1, ended_why = $2
		WHERE `+e.Kind.column()+` = $3 AND signed_in_at <= $4 AND ended_at IS NULL`,
		at.UnixMilli(), why, e.Key, e.UpTo.UnixMilli())
	return err
}

// Mark is how far somebody knows the endings: the last one's place in their
// sequence, and its random mark. The zero Mark knows none.
type Mark struct {
	sequence int64
	text     string
}

// Endings returns the endings that were recorded after a mark, and the mark of the
// last of them. Where the database does not hold that mark it holds another history
// than the one that it was learned from, since it was restored from a copy or the
// ending was long over: then it returns all endings, as for the zero Mark.
func (s *Registry) Endings(ctx context.Context, known Mark) (endings []Ending, last Mark, err error) {
	err = s.db.Call(ctx, func(ctx context.Context) (err error) {
		endings, last, err = s.endingsAfter(ctx, known)
		if err == nil && last == (Mark{}) && known != (Mark{}) {
			endings, last, err = s.endingsAfter(ctx, Mark{})
		}
		return err
	})
	if err != nil {
		return nil, known, fmt.Errorf("endings: %w", err)
	}
	return endings, last, nil
}

// endingsAfter is Endings, with the zero Mark where there is none of those known.
func (s *Registry) endingsAfter(ctx context.Context, known Mark) (endings []Ending, last Mark, err error) {
	const text = `SELECT kind, key, up_to, expires_at, sequence, mark FROM ended WHERE sequence > $1 OR mark = $2 ORDER BY sequence`
	found := known == (Mark{})
	err = s.db.Each(ctx, s.db.Read(), text, []any{known.sequence, known.text}, func(scan func(...any) error) error {
		var kind, key string
		var upTo, expires int64
		if err := scan(&kind, &key, &upTo, &expires, &last.sequence, &last.text); err != nil {
			return err
		}
		if last.text == known.text {
			found = true
			return nil
		}
		endings = append(endings, Ending{Kind: EndKind(kind), Key: key, UpTo: time.UnixMilli(upTo), Expires: time.UnixMilli(expires)})
		return nil
	})
	if err != nil || !found {
		return nil, Mark{}, err
	}
	return endings, last, nil
}

// never is when an ending of every session can be forgotten: sessions that a
// restored database lost are in no table that tells how long they live.
var never = time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)

// EndEvery ends every session that has begun, in tx, and counts those that stood.
// Clocks of two copies of the program may differ: the latest sign-in that is
// recorded counts as begun.
func EndEvery(ctx context.Context, tx *sql.Tx, why string) (stood int64, err error) {
	now, latest := time.Now(), int64(0)
	err = tx.QueryRowContext(ctx, `SELECT COUNT(CASE WHEN ended_at IS NULL AND expires_at > $1 THEN 1 END), COALESCE(MAX(signed_in_at), 0)
		FROM sessions`, now.UnixMilli()).Scan(&stood, &latest)
	if err != nil {
		return 0, err
	}
	upTo := time.UnixMilli(max(now.UnixMilli(), latest))
	return stood, recordEndings(ctx, tx, []Ending{{EndAll, EveryKey, upTo, never}}, why, now)
}

// EndEvery ends every session that has begun, and counts those that stood.
func (s *Registry) EndEvery(ctx context.Context, why string) (stood int64, err error) {
	err = s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		stood, err = EndEvery(ctx, tx, why)
		return err
	})
	return stood, err
}

// Bounds tells of the sessions that an ending would be about, the ended
// ones too, how many there are and how far in time they reach.
type Bounds struct {
	Count                      int64
	LastSignedIn, LastToExpire time.Time
}

// SessionBounds returns the bounds of a key's sessions whose time is not over.
func (s *Registry) SessionBounds(ctx context.Context, kind EndKind, key string, now time.Time) (Bounds, error) {
	var b Bounds
	err := s.db.Call(ctx, func(ctx context.Context) error {
		var signedIn, expires int64
		err := s.db.QueryRow(ctx, s.db.Read(), `SELECT COUNT(*), COALESCE(MAX(signed_in_at), 0), COALESCE(MAX(expires_at), 0)
			FROM sessions WHERE `+kind.column()+` = $1 AND expires_at > $2`, key, now.UnixMilli()).Scan(&b.Count, &signedIn, &expires)
		b.LastSignedIn, b.LastToExpire = time.UnixMilli(signedIn), time.UnixMilli(expires)
		return err
	})
	if err != nil {
		return Bounds{}, fmt.Errorf("session bounds: %w", err)
	}
	return b, nil
}

// Query asks for sessions that stand, the latest first.
type Query struct {
	Subject string // of this person alone; empty for everybody
	IDHash  string // this one alone; empty for any
	Search  string // part of an address; empty for any
	Ended   bool   // those that have been ended, in place of those that stand
	After   Cursor
	Limit   int
}

// Cursor is where a page of sessions starts; zero is the first.
type Cursor struct {
	SignedInAt int64 // milliseconds since 1970
	IDHash     string
}

const sessionColumns = `id_hash, subject, address, name, provider_sid, user_agent, signed_in_at, expires_at, used_at`

// Sessions returns the sessions that stand at a time, or would if they had not been
// ended, and that q asks for.
func (s *Registry) Sessions(ctx context.Context, q Query, now time.Time) ([]Record, error) {
	var b database.Builder
	ended := "NULL"
	if q.Ended {
		ended = "NOT NULL"
	}
	text := `SELECT ` + sessionColumns + ` FROM sessions WHERE ended_at IS ` + ended + ` AND expires_at > ` + b.Arg(now.UnixMilli())
	if q.Subject != "" {
		text += ` AND subject = ` + b.Arg(q.Subject)
	}
	if q.IDHash != "" {
		text += ` AND id_hash = ` + b.Arg(q.IDHash)
	}
	if q.Search != "" {
		escaped := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(team.NormalizeAddress(q.Search))
		text += ` AND address LIKE ` + b.Arg("%"+escaped+"%") + ` ESCAPE '\'`
	}
	if q.After != (Cursor{}) {
		text += ` AND (signed_in_at, id_hash) < (` + b.Arg(q.After.SignedInAt) + `, ` + b.Arg(q.After.IDHash) + `)`
	}
	text += fmt.Sprintf(` ORDER BY signed_in_at DESC, id_hash DESC LIMIT %d`, q.Limit)
	var records []Record
	err := s.db.Call(ctx, func(ctx context.Context) (err error) {
		records, err = s.sessionRows(ctx, text, b.Args)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	return records, nil
}

func (s *Registry) sessionRows(ctx context.Context, text string, args []any) ([]Record, error) {
	var records []Record
	err := s.db.Each(ctx, s.db.Read(), text, args, func(scan func(...any) error) error {
		var r Record
		var signedIn, expires int64
		var used sql.NullInt64
		err := scan(&r.IDHash, &r.Subject, &r.Address, &r.Name, &r.ProviderSID, &r.UserAgent, &signedIn, &expires, &used)
		r.SignedInAt, r.ExpiresAt = time.UnixMilli(signedIn).UTC(), time.UnixMilli(expires).UTC()
		if used.Valid {
			r.LastUsed = time.UnixMilli(used.Int64).UTC()
		}
		records = append(records, r)
		return err
	})
	return records, err
}
