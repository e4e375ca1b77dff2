// Package query says as SQL what is asked of the expenses: which of them (query.go,
// search.go), in which order and by which index (plan.go), whose they are (people.go) and
// how one is read (expenses.go). It makes texts with their arguments, the same on both
// databases but where one of them would choose badly, and runs none. Whatever comes from
// outside is an argument, never a part of a text.
//
// Three things decide what a statement looks like: sums of whole months stand in tables of
// their own and are not added up again; a page begins where the one before ended, by the
// values of its last row; and of two ways to find a
// page's rows the one with fewer steps is taken, by how many match. What a query means is
// package expense's; who may ask for which teams is decided before it gets here. Amounts
// are minor units, dates texts such as 2026-11-02. Start reading at Statement and Page.
package query

import (
	"strconv"
	"strings"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
)

// Statement is a query as SQL.
type Statement struct {
	expense.Query
	Common []string // terms of the search that most expenses hold, as far as it is known
}

// where returns the condition that holds for the expenses that q asks for, on
// whatever page.
func (q Statement) where(b *database.Builder, by index) string {
	condition := "deleted_at IS NULL"
	if q.Teams == nil && q.narrows(b, by) != "" {
		condition += " AND team IN (SELECT team FROM group_sums WHERE kind = 'month')"
	}
	if q.searches(b, by) {
		by = wordsIndex
	}
	condition += q.whereTeamAs(b, by.filter(q, "team"))
	if q.Person != "" {
		condition += q.wherePerson(b, by)
	}
	if q.Category != "" {
		condition += " AND " + by.filter(q, "category_key") + " = " + b.Arg(expense.CategoryKey(q.Category))
	}
	if q.Status != "" {
		condition += " AND " + by.filter(q, "status") + " = " + b.Arg(string(q.Status))
	}
	condition += q.whereWords(b, by)
	if !q.From.IsZero() {
		condition += " AND " + by.filter(q, "date") + " >= " + b.Arg(q.From)
	}
	if !q.To.IsZero() {
		condition += " AND " + by.filter(q, "date") + " <= " + b.Arg(q.To)
	}
	if q.Min.Text != "" {
		condition += " AND " + by.filter(q, "amount_cents") + " >= " + b.Arg(int64(q.Min.Amount))
	}
	if q.Max.Text != "" {
		condition += " AND " + by.filter(q, "amount_cents") + " <= " + b.Arg(int64(q.Max.Amount))
	}
	return condition
}

// wherePerson returns the part of the condition that names the person, after an AND.
func (q Statement) wherePerson(b *database.Builder, by index) string {
	key := by.filter(q, "person_key")
	root := q.personRoot(b)
	if root == "" {
		return " AND " + key + " = " + b.Arg(expense.Fold(q.Person))
	}
	// Of one name there may be several people; of them all the index has the place.
	person := "person"
	if !b.Postgres {
		person = "(person + 0)"
	}
	return " AND " + key + " = (SELECT key FROM people WHERE id = " + root + ") AND " + person + " IN (SELECT id FROM people WHERE COALESCE(joined, id) = " + root + ")"
}

// personRoot returns a term with whom q names by an address or as its reader, or
// nothing where it names a person by name.
func (q Statement) personRoot(b *database.Builder) string {
	switch {
	case q.Person == expense.PersonMe:
		return ReaderRoot(b, q.Reader)
	case strings.Contains(q.Person, "@"):
		return AddressRoot(b, q.Person)
	default:
		return ""
	}
}

// WhereTeam returns the part of the condition that names the teams, after an AND.
func (q Statement) WhereTeam(b *database.Builder) string { return q.whereTeamAs(b, "team") }

// whereTeamAs is WhereTeam with a term for the column.
func (q Statement) whereTeamAs(b *database.Builder, column string) string {
	switch {
	case q.Teams == nil:
		return ""
	case len(q.Teams) == 0:
		return " AND 1 = 0"
	case len(q.Teams) == 1:
		return " AND " + column + " = " + b.Arg(q.Teams[0])
	default:
		return " AND " + column + " IN (" + b.List(q.Teams) + ")"
	}
}

// Groups returns the statement of the sums of all of some teams by month, category
// and person, with the columns kind, label, address, n and cents: they stand in a
// table of their own.
func (q Statement) Groups(b *database.Builder) string {
	byStatus := ""
	if approving := q.Approved(); len(approving.Teams) > 0 {
		byStatus = `
		UNION ALL SELECT 'status', status, '', COUNT(*), CAST(SUM(amount_cents) AS BIGINT) FROM expenses WHERE ` + Statement{Query: approving}.where(b, anyIndex) + ` GROUP BY status`
	}
	return `WITH part AS MATERIALIZED (SELECT kind, month, ref, n, cents FROM group_sums WHERE n > 0` + q.WhereTeam(b) + `)
		SELECT 'month', month, '', CAST(SUM(n) AS BIGINT), CAST(SUM(cents) AS BIGINT) FROM part WHERE kind = 'month' GROUP BY month
		UNION ALL SELECT 'category', c.label, '', CAST(SUM(n) AS BIGINT), CAST(SUM(cents) AS BIGINT)
			FROM part JOIN categories AS c ON c.id = part.ref WHERE kind = 'category' GROUP BY c.id, c.label
		UNION ALL SELECT 'person', w.name, w.address, CAST(SUM(n) AS BIGINT), CAST(SUM(cents) AS BIGINT)
			FROM part JOIN people AS p ON p.id = part.ref JOIN people AS w ON w.id = COALESCE(p.joined, p.id)
			WHERE kind = 'person' GROUP BY w.id, w.name, w.address` + byStatus
}

// The kinds of rows of the statement of parts.
const (
	PartSum      = iota // of expenses of one month, category, person and, where asked for, status
	PartCategory        // what a category is called
	PartPerson          // who a person is, as joined, and what they are called
)

// Parts returns the statement of the sums of which those of q are made, in any order,
// with what their categories and people are called: columns as partRow has them. Where
// q searches, it may end behind so many expenses.
func (q Statement) Parts(b *database.Builder, most int64) string {
	b.Anew = q.Q != ""
	return `SELECT ` + strconv.Itoa(PartSum) + `, month, status, category, person, n, cents FROM (` + q.found(b, most) + `) AS found
		UNION ALL SELECT ` + strconv.Itoa(PartCategory) + `, label, '', id, 0, 0, 0 FROM categories
		UNION ALL SELECT ` + strconv.Itoa(PartPerson) + `, w.name, w.address, w.id, p.id, 0, 0
			FROM people AS p JOIN people AS w ON w.id = COALESCE(p.joined, p.id)
			WHERE p.id IN (SELECT ref FROM group_sums WHERE kind = 'person'` + q.WhereTeam(b) + `)`
}

// found returns the statement of the sums, by month, category and person, of which
// those of q are made. What q asks for of whole months stands in the table of sums,
// unless it searches or asks for amounts or a status; the expenses of the rest are
// read once.
func (q Statement) found(b *database.Builder, most int64) string {
	if q.Q != "" || q.Min.Text != "" || q.Max.Text != "" || q.Status != "" || q.Approving != nil {
		return q.counted(b, most)
	}
	whole, parts := q.months()
	var texts []string
	for _, part := range parts {
		texts = append(texts, part.counted(b, most))
	}
	return strings.Join(append(texts, whole.summed(b)), " UNION ALL ")
}

// months parts q into the whole months that it asks for, which may be none, and what
// it asks for of one or two others.
func (q Statement) months() (whole Statement, parts []Statement) {
	whole = q
	if !q.From.IsZero() && q.From != q.From.StartOfMonth(0) {
		part := q
		whole.From = q.From.StartOfMonth(1)
		if q.To.IsZero() || whole.From.Compare(q.To) <= 0 {
			part.To = whole.From.AddDays(-1)
		}
		parts = append(parts, part)
		if part.To == q.To {
			// All of it lies in one month, of which no more is read.
			whole.To = part.From.StartOfMonth(0).AddDays(-1)
			return whole, parts
		}
	}
	if !q.To.IsZero() && q.To.AddDays(1) != q.To.StartOfMonth(1) {
		part := q
		start := q.To.StartOfMonth(0)
		if q.From.Compare(start) < 0 {
			part.From = start
		}
		whole.To = start.AddDays(-1)
		parts = append(parts, part)
	}
	return whole, parts
}

// counted returns the statement of found that reads each expense. SQLite groups by
// sorting, for which it would take several times as long as for reading, and memory.
// PostgreSQL would go on to the last expense that holds the words of a search.
func (q Statement) counted(b *database.Builder, most int64) string {
	status := "''"
	if approving := q.Approved(); len(approving.Teams) > 0 {
		status = "CASE WHEN team IN (" + b.List(approving.Teams) + ") THEN status ELSE '' END"
	}
	each := func(by index) string {
		return `SELECT substr(date, 1, 7) AS month, ` + status + ` AS status, category, person, 1 AS n, amount_cents AS cents
			FROM ` + q.from(b, by) + ` WHERE ` + q.where(b, by)
	}
	switch {
	case b.Postgres && q.Q != "":
		return each(anyIndex) + ` LIMIT ` + strconv.FormatInt(most, 10)
	case b.Postgres:
		return `SELECT month, status, category, person, COUNT(*) AS n, CAST(SUM(cents) AS BIGINT) AS cents FROM (` + each(anyIndex) + `) AS each
			GROUP BY month, status, category, person`
	case q.searches(b, anyIndex) && q.Teams != nil:
		few := q.few(b)
		return `SELECT * FROM (` + each(anyIndex) + ` LIMIT CASE WHEN ` + few + ` THEN 0 ELSE -1 END)
			UNION ALL SELECT * FROM (` + each(lookIndex) + ` LIMIT CASE WHEN ` + few + ` THEN -1 ELSE 0 END)`
	default:
		return each(anyIndex)
	}
}

// summed returns the statement of found for whole months.
func (q Statement) summed(b *database.Builder) string {
	text := `SELECT month, '' AS status, category, person, n, cents FROM sums WHERE n > 0` + q.WhereTeam(b)
	if q.Category != "" {
		text += " AND category = (SELECT id FROM categories WHERE key = " + b.Arg(expense.CategoryKey(q.Category)) + ")"
	}
	if q.Person != "" {
		root := q.personRoot(b)
		if root == "" {
			text += " AND person IN (SELECT p.id FROM people AS p JOIN people AS w ON w.id = COALESCE(p.joined, p.id) WHERE w.key = " + b.Arg(expense.Fold(q.Person)) + ")"
		} else {
			text += " AND person IN (SELECT id FROM people WHERE COALESCE(joined, id) = " + root + ")"
		}
	}
	if !q.From.IsZero() {
		text += " AND month >= " + b.Arg(q.From.Month())
	}
	if !q.To.IsZero() {
		text += " AND month <= " + b.Arg(q.To.Month())
	}
	return text
}

// sortColumn is the column of the table that holds what q sorts by.
func (q Statement) sortColumn() string {
	switch q.Sort {
	case "amount":
		return "amount_cents"
	case "person", "item", "category":
		return q.Sort + "_key"
	default:
		return "date"
	}
}
