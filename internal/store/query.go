package store

import (
	"strconv"
	"strings"

	"expense-dashboard/internal/expense"
)

// sqlBuilder collects the arguments of a statement as its text is written.
type sqlBuilder struct {
	args []any
	// counts says that the database knows how often a value occurs, as PostgreSQL
	// does, and so chooses its index well.
	counts bool
}

// arg adds an argument and returns its place in the text.
func (b *sqlBuilder) arg(value any) string {
	b.args = append(b.args, value)
	return "$" + strconv.Itoa(len(b.args))
}

// list adds arguments and returns their places with commas between.
func (b *sqlBuilder) list(values []string) string {
	places := make([]string, len(values))
	for i, value := range values {
		places[i] = b.arg(value)
	}
	return strings.Join(places, ", ")
}

// where returns the condition that holds for the expenses that q asks for, on
// whatever page.
func (q statement) where(b *sqlBuilder, by index) string {
	condition := "deleted_at IS NULL" + q.whereGroup(b, by)
	if q.Q != "" {
		escaped := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(expense.Fold(q.Q))
		condition += " AND search LIKE " + b.arg("%"+escaped+"%") + ` ESCAPE '\'`
	}
	if !q.From.IsZero() {
		condition += " AND " + by.filter(q, "date") + " >= " + b.arg(q.From)
	}
	if !q.To.IsZero() {
		condition += " AND " + by.filter(q, "date") + " <= " + b.arg(q.To)
	}
	return condition
}

// whereGroup returns the part of the condition that an expense has in common
// with those it is summed up with, after an AND.
func (q statement) whereGroup(b *sqlBuilder, by index) string {
	condition := q.whereTeam(b)
	if q.Person != "" {
		condition += " AND " + by.filter(q, "person_key") + " = " + b.arg(expense.Fold(q.Person))
	}
	if q.Category != "" {
		condition += " AND " + by.filter(q, "category_key") + " = " + b.arg(expense.Fold(q.Category))
	}
	return condition
}

// whereTeam returns the part of the condition that names the teams, after an AND.
func (q statement) whereTeam(b *sqlBuilder) string {
	switch {
	case q.Teams == nil:
		return ""
	case len(q.Teams) == 0:
		return " AND 1 = 0"
	case len(q.Teams) == 1:
		return " AND team = " + b.arg(q.Teams[0])
	default:
		return " AND team IN (" + b.list(q.Teams) + ")"
	}
}

// groups returns the statement of the sums of q by month, category and person,
// with the columns kind, label, n and cents. Without a filter they stand in a
// table of their own.
func (q statement) groups(b *sqlBuilder) string {
	if !q.Filtered() {
		return `SELECT kind, MIN(label) AS label, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(cents) AS BIGINT) AS cents
			FROM group_sums WHERE n > 0` + q.whereTeam(b) + ` GROUP BY kind, key`
	}
	return `WITH part AS MATERIALIZED (` + q.parts(b) + `)
		SELECT 'month' AS kind, month AS label, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(cents) AS BIGINT) AS cents FROM part GROUP BY month
		UNION ALL SELECT 'category', MIN(category), CAST(SUM(n) AS BIGINT), CAST(SUM(cents) AS BIGINT) FROM part GROUP BY category_key
		UNION ALL SELECT 'person', MIN(person), CAST(SUM(n) AS BIGINT), CAST(SUM(cents) AS BIGINT) FROM part GROUP BY person_key`
}

// parts returns the statement of the groups, by month, category and person, of
// which the sums of q are made. Where q asks for whole months and searches for
// nothing, they stand in the table of sums; else the expenses are read once.
func (q statement) parts(b *sqlBuilder) string {
	wholeMonths := (q.From.IsZero() || q.From == q.From.StartOfMonth(0)) &&
		(q.To.IsZero() || q.To.AddDays(1) == q.To.StartOfMonth(1))
	if q.Q != "" || !wholeMonths {
		return `SELECT substr(date, 1, 7) AS month, category_key, MIN(category) AS category, person_key, MIN(person) AS person,
				COUNT(*) AS n, SUM(amount_cents) AS cents
			FROM expenses WHERE ` + q.where(b, anyIndex) + ` GROUP BY 1, category_key, person_key`
	}
	text := `SELECT month, category_key, category, person_key, person, n, cents FROM sums WHERE n > 0` + q.whereGroup(b, anyIndex)
	if !q.From.IsZero() {
		text += " AND month >= " + b.arg(q.From.Month())
	}
	if !q.To.IsZero() {
		text += " AND month <= " + b.arg(q.To.Month())
	}
	return text
}

// sortColumn is the column of the table that holds what q sorts by.
func (q statement) sortColumn() string {
	switch q.Sort {
	case "amount":
		return "amount_cents"
	case "person", "item", "category":
		return q.Sort + "_key"
	default:
		return "date"
	}
}
