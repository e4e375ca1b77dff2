// Package names keeps whom and what expenses speak of: people, who may be known by a
// subject, an address or nothing but a name, and may turn out to be one (people.go), and
// categories, which may be renamed, merged and retired (category.go). A Resolver finds
// what an entry means, and adds what is new. It knows nothing of expenses but that
// merging changes them.
package names

import (
	"context"
	"database/sql"
	"errors"

	"expense-dashboard/internal/address"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/search"
	"expense-dashboard/internal/team"
)

// A Resolver finds the people and categories that entries speak of, in a
// transaction, and adds those that are new. It asks for each once.
type Resolver struct {
	Tx         *sql.Tx
	Who        expense.Actor
	people     map[string]Person // by address, or by the key of a name after a NUL
	categories map[string]int64  // by key
	meant      map[string]string // by key, the category of which it is another name
	usable     map[string]error  // by key, why an expense cannot be given it
	spelled    map[string]string // how each was last spelled here, by key
}

// Person is a row of people as readers see it.
type Person struct {
	ID                 int64  // of the row itself
	name, key, address string // of whom it is joined to
}

// NewResolver returns one for a transaction, in which who writes.
func NewResolver(tx *sql.Tx, who expense.Actor) *Resolver {
	return &Resolver{Tx: tx, Who: who, people: map[string]Person{}, categories: map[string]int64{}, spelled: map[string]string{}, meant: map[string]string{}, usable: map[string]error{}}
}

// Resolve fills in whom an entry means. Who is named by an address owns what is
// named so; a name alone changes nobody's ownership.
func (r *Resolver) Resolve(ctx context.Context, e *expense.Entry) error {
	own := e.Owner == r.Who.Address && expense.Fold(e.Person) == expense.Fold(r.Who.Name)
	if e.PersonID == 0 && address.Is(e.Person) && !own {
		e.Owner, e.OwnerID = team.NormalizeAddress(e.Person), 0
	}
	var owner Person
	var err error
	switch {
	case e.OwnerID != 0:
		owner, err = r.byID(ctx, e.OwnerID)
	case own:
		owner, err = r.writer(ctx)
	case e.Owner != "":
		owner, err = r.ByAddress(ctx, e.Owner, e.Person)
	}
	if err != nil {
		return err
	}
	person := owner
	switch {
	case e.PersonID != 0:
		person, err = r.byID(ctx, e.PersonID)
	case owner.ID != 0 && (own || isMeant(owner, e.Person)):
	default:
		person, err = r.byName(ctx, e.Person)
	}
	if err != nil {
		return err
	}
	if owner.ID == 0 {
		owner = person
	}
	e.PersonID, e.Person, e.Address = person.ID, person.name, person.address
	e.OwnerID, e.Owner = owner.ID, owner.address
	return r.Mean(ctx, e)
}

// isMeant reports whether what was typed means a person: their name or address, or
// nothing at all.
func isMeant(p Person, typed string) bool {
	return typed == "" || expense.Fold(typed) == p.key || team.NormalizeAddress(typed) == p.address
}

const personColumns = `SELECT p.id, w.name, w.key, w.address FROM people AS p JOIN people AS w ON w.id = COALESCE(p.joined, p.id) WHERE `

func (r *Resolver) find(ctx context.Context, condition string, args ...any) (p Person, found bool, err error) {
	err = r.Tx.QueryRowContext(ctx, personColumns+condition, args...).Scan(&p.ID, &p.name, &p.key, &p.address)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	return p, err == nil, err
}

func (r *Resolver) byID(ctx context.Context, id int64) (Person, error) {
	p, found, err := r.find(ctx, `p.id = $1`, id)
	if err == nil && !found {
		return p, ErrNoPerson
	}
	return p, err
}

// writer returns who writes: by the subject, or else by the address.
func (r *Resolver) writer(ctx context.Context) (Person, error) {
	p, found, err := r.find(ctx, `p.issuer = $1 AND p.subject = $2 AND p.subject <> ''`, r.Who.Issuer, r.Who.Subject)
	switch {
	case err != nil || found:
		return p, err
	case r.Who.Address == "":
		return r.byName(ctx, r.Who.Name)
	default:
		return r.ByAddress(ctx, r.Who.Address, r.Who.Name)
	}
}

// ByAddress returns whom an address means.
func (r *Resolver) ByAddress(ctx context.Context, address, name string) (Person, error) {
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
func (r *Resolver) byName(ctx context.Context, name string) (Person, error) {
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
func (r *Resolver) add(ctx context.Context, name, address, condition string, args ...any) (Person, error) {
	_, err := r.Tx.ExecContext(ctx, `INSERT INTO people (id, address, name, key, folded) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		newNumber(), address, name, expense.Fold(name), search.Text(name))
	if err != nil {
		return Person{}, err
	}
	p, found, err := r.find(ctx, condition, args...)
	if err == nil && !found {
		return p, ErrNoPerson
	}
	return p, err
}

// Category returns the category of a label, and adds it where it is new.
func (r *Resolver) Category(ctx context.Context, label string) (int64, error) {
	key := expense.CategoryKey(label)
	if id, ok := r.categories[key]; ok {
		return id, nil
	}
	_, err := r.Tx.ExecContext(ctx, `INSERT INTO categories (id, key, label, folded) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		newNumber(), key, label, search.Text(label))
	if err != nil {
		return 0, err
	}
	var (
		id    int64
		known string
	)
	if err := r.Tx.QueryRowContext(ctx, `SELECT id, label FROM categories WHERE key = $1`, key).Scan(&id, &known); err != nil {
		return 0, err
	}
	r.categories[key], r.spelled[key] = id, known
	return id, nil
}

// Spell makes a label how its category is spelled from now on.
func (r *Resolver) Spell(ctx context.Context, label string) error {
	key := expense.CategoryKey(label)
	if r.spelled[key] == label {
		return nil
	}
	r.spelled[key] = label
	_, err := r.Tx.ExecContext(ctx, `UPDATE categories SET label = $2, folded = $3 WHERE key = $1 AND label <> $2`, key, label, search.Text(label))
	return err
}
