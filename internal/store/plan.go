package store

import (
	"fmt"
	"strconv"

	"expense-dashboard/internal/expense"
)

// An index says by which index a statement reads the expenses. SQLite does not
// know how many of them have, say, one category: so what to read first is chosen
// here, and columns whose index is not to be used are hidden in terms.
type index int

const (
	anyIndex    index = iota // whichever the database likes
	filterIndex              // find what is asked for, and sort it
	orderIndex               // read in order, until a page is full
)

// filter returns a column of a condition of q.
func (i index) filter(q statement, column string) string {
	if i == orderIndex && !q.sortsAsFound() && column != q.sortColumn() {
		return hidden(column)
	}
	return column
}

// order returns the column that q sorts by.
func (i index) order(q statement) string {
	if i == filterIndex && !q.sortsAsFound() {
		return hidden(q.sortColumn())
	}
	return q.sortColumn()
}

// sortsAsFound reports whether indexes have in q's order what it asks for: those of
// a team's categories and persons go on by date.
func (q statement) sortsAsFound() bool { return q.Sort == "date" && len(q.Teams) == 1 }

// hidden returns a term with a column's value, for which there is no index.
func hidden(column string) string {
	if column == "amount_cents" {
		return "(amount_cents + 0)"
	}
	return "(" + column + " || '')"
}

// page returns the statement of q's page, with one expense more, which tells
// whether there is another page. On all pages there
// are about so many matches.
//
// To find them all takes a step for each. To come across a page's worth of them in
// another order takes as many steps for each expense of the page as there are
// others between two of them. Of both ways the shorter is taken, and the other is
// told to read none.
func (q statement) page(b *sqlBuilder, matches int64) string {
	list := func(by index, limit string) string {
		return `SELECT ` + expenseColumns + ` FROM expenses WHERE ` + q.ordered(b, by) + ` LIMIT ` + limit
	}
	rows := strconv.Itoa(expense.PageSize + 1)
	if b.counts || !q.Filtered() {
		return list(anyIndex, rows)
	}
	all := `(SELECT SUM(n) FROM group_sums WHERE kind = 'month'` + q.whereTeam(b) + `)`
	many := fmt.Sprintf(`%d * %d > %s * %s`, matches, matches, rows, all)
	return `SELECT * FROM (` + list(filterIndex, `CASE WHEN `+many+` THEN 0 ELSE `+rows+` END`) + `)
		UNION ALL SELECT * FROM (` + list(orderIndex, `CASE WHEN `+many+` THEN `+rows+` ELSE 0 END`) + `)`
}

// ordered returns the condition of where, with the start of q's page, and the
// order of its rows.
func (q statement) ordered(b *sqlBuilder, by index) string {
	column, direction, beyond := by.order(q), "ASC", ">"
	if q.Desc {
		direction, beyond = "DESC", "<"
	}
	text := q.where(b, by)
	if q.After != (expense.Cursor{}) {
		var value any = q.After.Value
		if q.Sort == "amount" {
			// ParseQuery and CursorAt let nothing but a number through.
			value, _ = strconv.ParseInt(q.After.Value, 10, 64)
		}
		text += fmt.Sprintf(" AND (%s, id) %s (%s, %s)", column, beyond, b.arg(value), b.arg(q.After.ID))
	}
	return fmt.Sprintf("%s ORDER BY %s %s, id %s", text, column, direction, direction)
}

// statement is a query as SQL.
type statement struct{ expense.Query }
