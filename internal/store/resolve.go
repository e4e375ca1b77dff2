package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/team"
)

// A resolver finds the people and categories that entries speak of, in a
// transaction, and adds those that are new. It asks for each once.
type resolver struct {
	tx         *sql.Tx
	who        expense.Actor
	people     map[string]knownPerson // by address, or by the key of a name after a NUL
	categories map[string]int64       // by key
	meant      map[string]string      // by key, the category of which it is another name
	usable     map[string]error       // by key, why an expense cannot be given it
	spelled    map[string]string      // how each was last spelled here, by key
}

// knownPerson is a row of people as readers see it.
type knownPerson struct {
	id                 int64  // of the row itself
	name, key, address string // of whom it is joined to
}

func newResolver(tx *sql.Tx, who expense.Actor) *resolver {
	return &resolver{tx: tx, who: who, people: map[string]knownPerson{}, categories: map[string]int64{}, spelled: map[string]string{}, meant: map[string]string{}, usable: map[string]error{}}
}

// resolve fills in whom an entry means. Who is named by an address owns what is
// named so; a name alone changes nobody's ownership.
func (r *resolver) resolve(ctx context.Context, e *expense.Entry) error {
	own := e.Owner == r.who.Address && expense.Fold(e.Person) == expense.Fold(r.who.Name)
	if e.PersonID == 0 && strings.Contains(e.Person, "@") && !strings.Contains(e.Person, " ") && !own {
		e.Owner, e.OwnerID = team.NormalizeAddress(e.Person), 0
	}
	var owner knownPerson
	var err error
	switch {
	case e.OwnerID != 0:
		owner, err = r.byID(ctx, e.OwnerID)
	case own:
		owner, err = r.writer(ctx)
	case e.Owner != "":
		owner, err = r.byAddress(ctx, e.Owner, e.Person)
	}
	if err != nil {
		return err
	}
	person := owner
	switch {
	case e.PersonID != 0:
		person, err = r.byID(ctx, e.PersonID)
	case owner.id != 0 && (own || isMeant(owner, e.Person)):
	default:
		person, err = r.byName(ctx, e.Person)
	}
	if err != nil {
		return err
	}
	if owner.id == 0 {
		owner = person
	}
	e.PersonID, e.Person, e.Address = person.id, person.name, person.address
	e.OwnerID, e.Owner = owner.id, owner.address
	return r.mean(ctx, e)
}

// isMeant reports whether what was typed means a person: their name or address, or
// nothing at all.
func isMeant(p knownPerson, typed string) bool {
	return typed == "" || expense.Fold(typed) == p.key || team.NormalizeAddress(typed) == p.address
}

const knownPersonColumns = `SELECT p.id, w.name, w.key, w.address FROM people AS p JOIN people AS w ON w.id = COALESCE(p.joined, p.id) WHERE `

func (r *resolver) find(ctx context.Context, condition string, args ...any) (p knownPerson, found bool, err error) {
	err = r.tx.QueryRowContext(ctx, knownPersonColumns+condition, args...).Scan(&p.id, &p.name, &p.key, &p.address)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	return p, err == nil, err
}

func (r *resolver) byID(ctx context.Context, id int64) (knownPerson, error) {
	p, found, err := r.find(ctx, `p.id = $1`, id)
	if err == nil && !found {
		return p, ErrNoPerson
	}
	return p, err
}

// writer returns who writes: by the subject, or else by the address.
func (r *resolver) writer(ctx context.Context) (knownPerson, error) {
	p, found, err := r.find(ctx, `p.issuer = $1 AND p.subject = $2 AND p.subject <> ''`, r.who.Issuer, r.who.Subject)
	switch {
	case err != nil || found:
		return p, err
	case r.who.Address == "":
		return r.byName(ctx, r.who.Name)
	default:
		return r.byAddress(ctx, r.who.Address, r.who.Name)
	}
}

// byAddress returns whom an address means.
func (r *resolver) byAddress(ctx context.Context, address, name string) (knownPerson, error) {
	address = team.NormalizeAddress(address)
	if p, ok := r.people[address]; ok {
		return p, nil
	}
	p, found, err := r.find(ctx, `p.address = $1 ORDER BY p.joined IS NOT NULL, p.id LIMIT 1`, address)
	if err == nil && !found {
		if name == "" {
			name = bounded(address, maxName)
		}
		p, err = r.add(ctx, name, address, `p.address = $1 AND p.joined IS NULL`, address)
	}
	if err == nil {
		r.people[address] = p
	}
	return p, err
}

// byName returns the person of whom nothing but a name is known.
func (r *resolver) byName(ctx context.Context, name string) (knownPerson, error) {
	key := expense.Fold(name)
	if p, ok := r.people["\x00"+key]; ok {
		return p, nil
	}
	const condition = `p.key = $1 AND p.address = '' AND p.subject = ''`
	p, found, err := r.find(ctx, condition, key)
	if err == nil && !found {
		p, err = r.add(ctx, name, "", condition, key)
	}
	if err == nil {
		r.people["\x00"+key] = p
	}
	return p, err
}

// add adds a person, or finds whom another transaction has added meanwhile.
func (r *resolver) add(ctx context.Context, name, address, condition string, args ...any) (knownPerson, error) {
	_, err := r.tx.ExecContext(ctx, `INSERT INTO people (id, address, name, key, folded) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		newNumber(), address, name, expense.Fold(name), foldedText(name))
	if err != nil {
		return knownPerson{}, err
	}
	p, found, err := r.find(ctx, condition, args...)
	if err == nil && !found {
		return p, ErrNoPerson
	}
	return p, err
}

// category returns the category of a label, and adds it where it is new.
func (r *resolver) category(ctx context.Context, label string) (int64, error) {
	key := expense.CategoryKey(label)
	if id, ok := r.categories[key]; ok {
		return id, nil
	}
	_, err := r.tx.ExecContext(ctx, `INSERT INTO categories (id, key, label, folded) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		newNumber(), key, label, foldedText(label))
	if err != nil {
		return 0, err
	}
	var (
		id    int64
		known string
	)
	if err := r.tx.QueryRowContext(ctx, `SELECT id, label FROM categories WHERE key = $1`, key).Scan(&id, &known); err != nil {
		return 0, err
	}
	r.categories[key], r.spelled[key] = id, known
	return id, nil
}

// spell makes a label how its category is spelled from now on.
func (r *resolver) spell(ctx context.Context, label string) error {
	key := expense.CategoryKey(label)
	if r.spelled[key] == label {
		return nil
	}
	r.spelled[key] = label
	_, err := r.tx.ExecContext(ctx, `UPDATE categories SET label = $2, folded = $3 WHERE key = $1 AND label <> $2`, key, label, foldedText(label))
	return err
}
