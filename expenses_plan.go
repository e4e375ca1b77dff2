package main

import (
	"fmt"
	"strconv"
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
func (i index) filter(q expenseQuery, column string) string {
	if i == orderIndex && !q.sortsAsFound() && column != q.sortColumn() {
		return hidden(column)
	}
	return column
}

// order returns the column that q sorts by.
func (i index) order(q expenseQuery) string {
	if i == filterIndex && !q.sortsAsFound() {
		return hidden(q.sortColumn())
	}
	return q.sortColumn()
}

// sortsAsFound reports whether indexes have in q's order what it asks for: those of
// a team's categories and persons go on by date.
func (q expenseQuery) sortsAsFound() bool { return q.Sort == "date" && len(q.Teams) == 1 }

// hidden returns a term with a column's value, for which there is no index.
func hidden(column string) string {
	if column == "amount_cents" {
		return "(amount_cents + 0)"
	}
	return "(" + column + " || '')"
}

// fewExpenses is how many are found and sorted faster than a page's worth of them
// is come across in another order.
const fewExpenses = 2000

// by chooses the index for q, which asks for so many expenses.
func (q expenseQuery) by(b *sqlBuilder, matches int64) index {
	switch {
	case b.counts || !q.filtered():
		return anyIndex
	case matches <= fewExpenses:
		return filterIndex
	default:
		return orderIndex
	}
}

// page returns the statement of q's page, with one expense more, which tells
// whether there is another page.
func (q expenseQuery) page(b *sqlBuilder, by index) string {
	return q.list(b, by, strconv.Itoa(pageSize+1))
}

func (q expenseQuery) list(b *sqlBuilder, by index, limit string) string {
	return `SELECT ` + expenseColumns + ` FROM expenses WHERE ` + q.ordered(b, by) + ` LIMIT ` + limit
}

// pageOfGroups is page beside a table grouped with what groups returns. That tells
// how many expenses there are, so that of two ways to read them one is taken; the
// other is told to read none.
func (q expenseQuery) pageOfGroups(b *sqlBuilder) string {
	if q.by(b, 0) == anyIndex {
		return q.page(b, anyIndex)
	}
	limit := func(few, many int) string {
		return fmt.Sprintf(`CASE WHEN (SELECT SUM(n) FROM grouped WHERE kind = 'month') > %d THEN %d ELSE %d END`, fewExpenses, many, few)
	}
	return `SELECT * FROM (` + q.list(b, filterIndex, limit(pageSize+1, 0)) + `)
		UNION ALL SELECT * FROM (` + q.list(b, orderIndex, limit(0, pageSize+1)) + `)`
}

// ordered returns the condition of where, with the start of q's page, and the
// order of its rows.
func (q expenseQuery) ordered(b *sqlBuilder, by index) string {
	column, direction, beyond := by.order(q), "ASC", ">"
	if q.Desc {
		direction, beyond = "DESC", "<"
	}
	text := q.where(b, by)
	if q.After != (cursor{}) {
		var value any = q.After.Value
		if q.Sort == "amount" {
			// parseCursor and cursorAt let nothing but a number through.
			value, _ = strconv.ParseInt(q.After.Value, 10, 64)
		}
		text += fmt.Sprintf(" AND (%s, id) %s (%s, %s)", column, beyond, b.arg(value), b.arg(q.After.ID))
	}
	return fmt.Sprintf("%s ORDER BY %s %s, id %s", text, column, direction, direction)
}
