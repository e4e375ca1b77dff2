package query

import (
	"fmt"
	"strconv"
	"strings"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
)

// An index says by which index a statement reads the expenses. SQLite does not
// know how many of them have, say, one category: so what to read first is chosen
// here, and columns whose index is not to be used are hidden in terms.
type index int

const (
	anyIndex    index = iota // whichever the database likes
	filterIndex              // find what is asked for, and sort it
	orderIndex               // read in order, until a page is full
	wordsIndex               // find what holds the words that are searched for, and sort it
	lookIndex                // look at each expense of the teams for the words
)

// maxLooked is up to how many expenses of their teams are looked at for words, which
// may be in a million of others.
const maxLooked = 20_000

// maxOfEach is of how many teams each one's rows are read by themselves; SQLite takes
// 500 statements in one.
const maxOfEach = 100

// filter returns a column of a condition of q.
func (i index) filter(q Statement, column string) string {
	if i == wordsIndex {
		return hidden(column)
	}
	if column == "status" || column == "team" && (i != orderIndex || len(q.Teams) == 1) {
		return column
	}
	if i == orderIndex && !q.sortsAsFound() && column != q.sortColumn() {
		return hidden(column)
	}
	return column
}

// order returns the column that q sorts by.
func (i index) order(q Statement) string {
	if (i == filterIndex || i == lookIndex) && !q.sortsAsFound() {
		return hidden(q.sortColumn())
	}
	return q.sortColumn()
}

// sortsAsFound reports whether indexes have in q's order what it asks for: those of
// a team's categories and persons go on by date.
func (q Statement) sortsAsFound() bool { return q.Sort == "date" && len(q.Teams) == 1 }

// hidden returns a term with a column's value, for which there is no index.
func hidden(column string) string {
	if column == "amount_cents" {
		return "(" + column + " + 0)"
	}
	return "(" + column + " || '')"
}

// Page returns the statement of so many rows of q, from where its page starts on, each
// with whether it is q's reader's own. On all pages there are about so many matches.
//
// To find them all takes a step for each. To come across a page's worth of them in
// another order takes as many steps for each expense of the page as there are
// others between two of them. Of both ways the shorter is taken, and the other is
// told to read none.
func (q Statement) Page(b *database.Builder, matches int64, count int) string {
	b.Anew = q.Q != ""
	rows := strconv.Itoa(count)
	var found, limit string
	switch {
	case b.Postgres, !q.Filtered() && (len(q.Teams) < 2 || len(q.Teams) > maxOfEach):
		found = q.list(b, anyIndex, rows)
	case !q.Filtered():
		found, limit = q.ofEach(b, rows), ` LIMIT `+rows
	default:
		many := fmt.Sprintf(`%d * %d > %s * %s`, matches, matches, rows, q.all(b))
		found = q.unless(b, filterIndex, rows, many) + ` UNION ALL SELECT * FROM (` + q.list(b, orderIndex, `CASE WHEN `+many+` THEN `+rows+` ELSE 0 END`) + `)`
	}
	return `SELECT ` + Columns + `, COALESCE(owner_of.id = ` + ReaderRoot(b, q.Reader) + `, FALSE) FROM (` + found + `) AS e` + Names +
		` ORDER BY e.` + q.sortColumn() + q.order() + limit
}

// list returns the statement of so many rows of q by an index.
func (q Statement) list(b *database.Builder, by index, limit string) string {
	rows := q.from(b, by) + ` WHERE ` + q.ordered(b, by) + ` LIMIT ` + limit
	switch {
	case !q.turned(b, by):
		return `SELECT e.* FROM ` + rows
	case q.Sort == "item" || q.Sort == "amount" || q.Filtered() || len(q.Teams) > 1:
		// There may be some equal values, which are sorted by what the index has.
		return `SELECT e.* FROM expenses AS e WHERE e.n IN (SELECT e.n FROM ` + rows + `)`
	default:
		return `SELECT e.* FROM expenses AS e WHERE e.n IN (` + q.byValue(b, by, limit) + `)`
	}
}

// byValue returns the statement of the numbers of so many rows of q, which has no filter,
// by an index whose equal values are the other way round and many: to read all of a value
// and sort them would take a tenth of a second for a category of a million expenses. So of
// the value at which the page starts and of that at which it ends a page's worth is read as
// it stands in the index, and all of the few rows between.
func (q Statement) byValue(b *database.Builder, by index, limit string) string {
	from, backwards := q.start()
	column, direction, ahead, last := by.order(q), " ASC", ">", "MAX"
	if q.Desc != backwards {
		direction, ahead, last = " DESC", "<", "MIN"
	}
	rows := ` FROM ` + q.from(b, by) + ` WHERE ` + q.where(b, by)
	behind, first := rows, ""
	read := `SELECT e.n, e.seq, e.id, ` + column
	if from != (expense.Cursor{}) {
		at := b.Arg(q.value(from))
		behind += ` AND ` + column + ` ` + ahead + ` ` + at
		first = `SELECT * FROM (` + read + rows + ` AND ` + column + ` = ` + at + q.behind(b, column) + q.ordering(column) + ` LIMIT ` + limit + `) UNION ALL `
	}
	const end = `(SELECT value FROM ending)`
	return `WITH ending (value) AS MATERIALIZED (SELECT COALESCE(
			(SELECT ` + column + behind + ` ORDER BY ` + column + direction + ` LIMIT 1 OFFSET ` + limit + `), (SELECT ` + last + `(` + column + `)` + behind + `)))
		SELECT e.n FROM (` + first + read + behind + ` AND ` + end + ` ` + ahead + ` ` + column + `
		UNION ALL SELECT * FROM (` + read + rows + ` AND ` + column + ` = ` + end + q.ordering(column) + ` LIMIT ` + limit + `)) AS e` + q.ordering(column) + ` LIMIT ` + limit
}

// ofEach returns the statement of so many rows of each team of q, which has no filter.
// SQLite would sort all that several teams have.
func (q Statement) ofEach(b *database.Builder, rows string) string {
	texts := make([]string, len(q.Teams))
	for i, team := range q.Teams {
		one := q
		one.Teams = []string{team}
		texts[i] = `SELECT * FROM (` + one.list(b, anyIndex, rows) + `)`
	}
	return strings.Join(texts, ` UNION ALL `)
}

// unless returns the statement of so many rows of q by an index, or of none where a
// condition holds. Words are looked for in each expense of teams that have few.
func (q Statement) unless(b *database.Builder, by index, rows, condition string) string {
	if !q.searches(b, by) || q.Teams == nil {
		return `SELECT * FROM (` + q.list(b, by, `CASE WHEN `+condition+` THEN 0 ELSE `+rows+` END`) + `)`
	}
	few := q.few(b)
	return `SELECT * FROM (` + q.list(b, by, `CASE WHEN `+condition+` OR `+few+` THEN 0 ELSE `+rows+` END`) + `)
		UNION ALL SELECT * FROM (` + q.list(b, lookIndex, `CASE WHEN `+condition+` OR NOT `+few+` THEN 0 ELSE `+rows+` END`) + `)`
}

// all returns a term with how many expenses the teams of q have.
func (q Statement) all(b *database.Builder) string {
	return `(SELECT COALESCE(SUM(n), 0) FROM group_sums WHERE kind = 'month'` + q.WhereTeam(b) + `)`
}

// few returns the condition that all of them are few enough to look at each.
func (q Statement) few(b *database.Builder) string {
	return q.all(b) + ` <= ` + strconv.Itoa(maxLooked)
}

// indexed tells SQLite which index to read where it would choose badly. It does not know
// that few of a month's expenses have one category, and would look at all of the month.
// And it would sort everything rather than read an order that is turned around from the
// index of the order: that has equal values the other way round, and to put these in
// place costs far less.
func (q Statement) indexed(b *database.Builder, by index) string {
	if name := q.narrows(b, by); name != "" {
		return " INDEXED BY " + name
	}
	if !q.turned(b, by) {
		return ""
	}
	name := strings.TrimSuffix(strings.TrimSuffix(q.sortColumn(), "_key"), "_cents")
	if len(q.Teams) != 1 {
		return " INDEXED BY expenses_" + name
	}
	if (q.Sort == "category" || q.Sort == "person") && (!q.From.IsZero() || !q.To.IsZero()) {
		name += "_date"
	}
	return " INDEXED BY expenses_team_" + name
}

// narrows returns the index of SQLite's by which q is found for a category, a person or
// days: those of a team's go on by date.
func (q Statement) narrows(b *database.Builder, by index) string {
	switch {
	case b.Postgres || by != filterIndex && by != anyIndex || q.searches(b, by):
		return ""
	case q.Category != "":
		return "expenses_team_category_date"
	case q.Person != "":
		return "expenses_team_person_date"
	case q.Approving != nil && q.Status == "" && q.Min.Text+q.Max.Text == "" && (!q.From.IsZero() || !q.To.IsZero()):
		// That of all teams' days does not tell them apart.
		return "expenses_team_date"
	default:
		return ""
	}
}

// turned reports whether a statement reads an index of SQLite's whose equal values are
// the other way round.
func (q Statement) turned(b *database.Builder, by index) bool {
	turned := q.Desc != (q.sortColumn() == "date")
	return !b.Postgres && turned && (by == orderIndex || by == anyIndex && !q.Filtered())
}

// ordered returns the condition of where, with the start of q's page, and the
// order of its rows. Of those with equal values the one that was logged last comes
// first, whichever way the values run.
func (q Statement) ordered(b *database.Builder, by index) string {
	column := by.order(q)
	text := q.where(b, by)
	if from, _ := q.start(); from != (expense.Cursor{}) {
		text += q.behind(b, column)
	}
	return text + q.ordering(column)
}

// ordering returns the order of q by a column.
func (q Statement) ordering(column string) string { return " ORDER BY " + column + q.order() }

// start is where q's page starts, if not at an end of the list, and whether it goes
// backwards from there.
func (q Statement) start() (from expense.Cursor, backwards bool) {
	if q.Before != (expense.Cursor{}) {
		return q.Before, true
	}
	return q.After, false
}

// value is that of a cursor as the column holds it that q sorts by.
func (q Statement) value(from expense.Cursor) any {
	if q.Sort != "amount" {
		return from.Value
	}
	// ParseQuery and CursorAt let nothing but a number through.
	amount, _ := strconv.ParseInt(from.Value, 10, 64)
	return amount
}

// order returns what stands behind the column in an order of q.
func (q Statement) order() string {
	switch _, backwards := q.start(); {
	case backwards && q.Desc:
		return " ASC, e.seq ASC, e.id ASC"
	case backwards:
		return " DESC, e.seq ASC, e.id ASC"
	case q.Desc:
		return " DESC, e.seq DESC, e.id DESC"
	default:
		return " ASC, e.seq DESC, e.id DESC"
	}
}

// behind returns the condition of what comes after q.After, or before q.Before,
// after an AND.
func (q Statement) behind(b *database.Builder, column string) string {
	from, backwards := q.start()
	at, seq, id := b.Arg(q.value(from)), b.Arg(from.Seq), b.Arg(from.ID)
	ahead, later := ">", "<" // of the column, and of what was logged later
	if backwards {
		ahead, later = "<", ">"
	}
	if q.Desc {
		return fmt.Sprintf(" AND (%s, e.seq, e.id) %s (%s, %s, %s)", column, later, at, seq, id)
	}
	return fmt.Sprintf(" AND %s %s= %s AND (%s %s %s OR (e.seq, e.id) %s (%s, %s))", column, ahead, at, column, ahead, at, later, seq, id)
}
