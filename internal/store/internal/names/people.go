package names

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/search"
)

// Names are the people and the categories of a database.
type Names struct{ db *database.DB }

// New returns those of a database.
func New(db *database.DB) *Names { return &Names{db} }

// maxName is how many characters of a name that a provider tells are kept.
const maxName = 200

// newNumber returns an id of a person or a category: random, so that no counter has
// to go on from where a restored backup had it, and small enough for JSON.
func newNumber() int64 { return 1 + rand.Int64N(1<<53-1) }

// Claim notes that somebody signed in at a time, with no address where that may be
// somebody else's: what their address stood for is theirs
// from now on, unless it was somebody's already who had signed in with it before.
func Claim(ctx context.Context, tx *sql.Tx, who expense.Actor, at time.Time) error {
	id, root, err := subjectPerson(ctx, tx, who)
	if err != nil {
		return err
	}
	if who.Address != "" {
		if err := takeAddress(ctx, tx, who.Address, id, root); err != nil {
			return err
		}
	}
	name := bounded(cmp.Or(who.Name, who.Address, who.Subject), maxName)
	_, err = tx.ExecContext(ctx, `UPDATE people SET name = $1, key = $2, folded = $3, address = CASE WHEN $4 = '' THEN address ELSE $4 END, seen_at = $5
		WHERE id IN ($6, $7)`, name, expense.Fold(name), search.Text(name), who.Address, at.UnixMilli(), id, root)
	return err
}

// subjectPerson returns the person of a subject, and whom that one was joined to. A
// subject that is seen for the first time becomes whom its address meant so far.
func subjectPerson(ctx context.Context, tx *sql.Tx, who expense.Actor) (id, root int64, err error) {
	find := func() error {
		return tx.QueryRowContext(ctx, `SELECT id, COALESCE(joined, id) FROM people WHERE issuer = $1 AND subject = $2`,
			who.Issuer, who.Subject).Scan(&id, &root)
	}
	if err := find(); !errors.Is(err, sql.ErrNoRows) {
		return id, root, err
	}
	if who.Address != "" {
		_, err := tx.ExecContext(ctx, `UPDATE people SET issuer = $1, subject = $2
			WHERE address = $3 AND subject = '' AND joined IS NULL`, who.Issuer, who.Subject, who.Address)
		if err != nil {
			return 0, 0, err
		}
		if err := find(); !errors.Is(err, sql.ErrNoRows) {
			return id, root, err
		}
	}
	name := bounded(cmp.Or(who.Name, who.Address, who.Subject), maxName)
	_, err = tx.ExecContext(ctx, `INSERT INTO people (id, issuer, subject, name, key, folded) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		newNumber(), who.Issuer, who.Subject, name, expense.Fold(name), search.Text(name))
	if err != nil {
		return 0, 0, err
	}
	return id, root, find()
}

// takeAddress gives an address to a person: who had it before and has signed in has
// another one by now, and who was known by nothing else is this person.
func takeAddress(ctx context.Context, tx *sql.Tx, address string, id, root int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE people SET address = '' WHERE address = $1 AND subject <> '' AND id NOT IN ($2, $3)`,
		address, id, root)
	if err != nil {
		return err
	}
	var other int64
	err = tx.QueryRowContext(ctx, `SELECT id FROM people WHERE address = $1 AND joined IS NULL AND id NOT IN ($2, $3)`, address, id, root).Scan(&other)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return join(ctx, tx, other, root)
}

// join makes one person, and those who were joined to them, another one, who is not
// joined to anybody.
func join(ctx context.Context, tx *sql.Tx, id, into int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE people SET joined = $2 WHERE id = $1 OR joined = $1`, id, into)
	return err
}

// ErrNoPerson is a person who is not there.
var ErrNoPerson = fmt.Errorf("no such person: %w", expense.ErrNotFound)

// People lists everybody, by name, with what is theirs.
func (s *Names) People(ctx context.Context) ([]expense.Person, error) {
	const text = `SELECT p.id, p.issuer, p.address, p.name, p.seen_at, p.joined, CAST(COALESCE(SUM(g.n), 0) AS BIGINT), CAST(COALESCE(SUM(g.cents), 0) AS BIGINT)
		FROM people AS p LEFT JOIN group_sums AS g ON g.kind = 'person' AND g.ref = p.id
		GROUP BY p.id, p.issuer, p.address, p.name, p.seen_at, p.joined, p.key ORDER BY p.key, p.id`
	var people []expense.Person
	err := s.db.Call(ctx, func(ctx context.Context) error {
		people = nil
		return s.db.Each(ctx, s.db.Read(), text, nil, func(scan func(...any) error) error {
			var (
				p            expense.Person
				seen, joined sql.NullInt64
			)
			err := scan(&p.ID, &p.Issuer, &p.Address, &p.Name, &seen, &joined, &p.Count, &p.Total)
			if seen.Valid {
				p.SeenAt = time.UnixMilli(seen.Int64).UTC()
			}
			p.Joined = joined.Int64
			people = append(people, p)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("people: %w", err)
	}
	return people, nil
}

// JoinPeople says that one person is another one, who owns from then on what the
// first did. The error is ErrNoPerson where one of them is not there, and a
// *PersonError where both are the same already.
func (s *Names) JoinPeople(ctx context.Context, id, into int64) error {
	err := s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		root, err := personRoot(ctx, tx, into)
		if err != nil {
			return err
		}
		own, err := personRoot(ctx, tx, id)
		if err != nil {
			return err
		}
		if own == root {
			return &expense.PersonError{Text: "These two are one person already."}
		}
		return join(ctx, tx, id, root)
	})
	if err != nil {
		return fmt.Errorf("join people: %w", err)
	}
	return nil
}

// PartPeople undoes JoinPeople for one person: what was theirs is theirs again. The
// error is ErrNoPerson, or a *PersonError where they are nobody else, or where
// somebody else has signed in with their address meanwhile.
func (s *Names) PartPeople(ctx context.Context, id int64) error {
	err := s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		root, err := personRoot(ctx, tx, id)
		if err != nil {
			return err
		}
		if root == id {
			return &expense.PersonError{Text: "This person is joined to nobody."}
		}
		var taken bool
		err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM people AS p JOIN people AS other ON other.address = p.address
			WHERE p.id = $1 AND p.address <> '' AND other.id <> p.id AND other.joined IS NULL)`, id).Scan(&taken)
		if err != nil {
			return err
		}
		if taken {
			return &expense.PersonError{Text: "Somebody signs in with this address, so that it cannot be another person's."}
		}
		_, err = tx.ExecContext(ctx, `UPDATE people SET joined = NULL WHERE id = $1`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("part people: %w", err)
	}
	return nil
}

func personRoot(ctx context.Context, tx *sql.Tx, id int64) (root int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT COALESCE(joined, id) FROM people WHERE id = $1`, id).Scan(&root)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrNoPerson
	}
	return root, err
}

// ForeignIssuers counts the people who have signed in by another issuer's host than
// this one and are not joined to anybody. Who signs in by this one is a stranger to
// what is theirs.
func (s *Names) ForeignIssuers(ctx context.Context, host string) (people int64, err error) {
	err = s.db.Call(ctx, func(ctx context.Context) error {
		return s.db.QueryRow(ctx, s.db.Read(), foreignIssuers, host).Scan(&people)
	})
	if err != nil {
		return 0, fmt.Errorf("issuers of people: %w", err)
	}
	return people, nil
}

const foreignIssuers = `SELECT COUNT(*) FROM people WHERE subject <> '' AND issuer <> $1 AND joined IS NULL`

// bounded returns the first characters of a text, as valid UTF-8 without NUL.
func bounded(text string, length int) string {
	var kept []rune
	for _, character := range text {
		if character != 0 && len(kept) < length {
			kept = append(kept, character)
		}
	}
	return string(kept)
}
