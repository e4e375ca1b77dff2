package query

import (
	"database/sql"
	"time"

	"expense-dashboard/internal/expense"
)

// Columns are what is read of expenses, in a table e that Names are joined to.
const Columns = `e.id, e.seq, e.team, e.date, e.person, person_of.name, person_of.address, e.owner, owner_of.address,
	e.item, category_of.label, e.amount_cents, e.note, e.version, e.created_at, e.deleted_at, e.status`

// Names joins to a table e of expenses whom and what they name, as it is now.
// A left join changes neither the order nor the number of the rows.
const Names = ` LEFT JOIN people AS named ON named.id = e.person LEFT JOIN people AS person_of ON person_of.id = COALESCE(named.joined, named.id)
	LEFT JOIN people AS owning ON owning.id = e.owner LEFT JOIN people AS owner_of ON owner_of.id = COALESCE(owning.joined, owning.id)
	LEFT JOIN categories AS category_of ON category_of.id = e.category`

// AsRead selects Columns, after a SELECT and before a WHERE.
const AsRead = Columns + ` FROM expenses AS e` + Names

// A Reader reads rows of Columns, one after the other.
type Reader struct {
	row     expense.Expense
	created int64
	deleted sql.NullInt64
	places  []any // of a row's values
}

// NewReader returns one that reads what stands behind Columns into more.
func NewReader(more ...any) *Reader {
	r := &Reader{}
	e := &r.row
	r.places = append([]any{
		&e.ID, &e.Seq, &e.Team, &e.Date, &e.PersonID, &e.Person, &e.Address, &e.OwnerID, &e.Owner,
		&e.Item, &e.Category, &e.Amount, &e.Note, &e.Version, &r.created, &r.deleted, &e.Status,
	}, more...)
	return r
}

// Read reads a row.
func (r *Reader) Read(scan func(...any) error) (expense.Expense, error) {
	err := scan(r.places...)
	e := r.row
	e.CreatedAt = time.UnixMilli(r.created).UTC()
	if r.deleted.Valid {
		e.DeletedAt = time.UnixMilli(r.deleted.Int64).UTC()
	}
	return e, err
}

// Scan reads one row of Columns, and of columns behind them into more.
func Scan(scan func(...any) error, more ...any) (expense.Expense, error) {
	return NewReader(more...).Read(scan)
}
