package main

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// expenseQuery says which expenses a page, a file or a sum holds, and in which
// order. A zero field does not restrict.
type expenseQuery struct {
	Teams    []string // nil for all teams
	Q        string   // found in item, person or note, without regard to case
	Person   string   // without regard to case
	Category string   // without regard to case
	From, To Date     // both included
	Sort     string   // one of sortNames; nothing is by date
	Desc     bool
	After    cursor
}

// cursor is where a page starts: after the expense with this value in the
// column of the sort and this id. The zero cursor is the start.
type cursor struct {
	Value string
	ID    string
}

// queryError is a query that is not understood. Its text is for the person who
// sent it: it says what is understood.
type queryError struct{ Text string }

func (e *queryError) Error() string { return "expense query: " + e.Text }

const (
	// queryNames are the parameters of a page of expenses.
	queryNames = "q, person, category, from, to, sort, order, after"
	// sortNames are the columns by which a page sorts.
	sortNames = "date, person, item, category, amount"
)

// parseExpenseQuery reads the parameters of a page of expenses: q, person,
// category, from, to, sort, order and after. Nothing is ignored: an unknown or
// repeated parameter and a value that is not understood are a *queryError. An
// empty value, as an empty field of a form sends it, is none.
func parseExpenseQuery(params url.Values) (expenseQuery, error) {
	q := expenseQuery{Sort: "date", Desc: true}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		values := params[name]
		if !slices.Contains(strings.Split(queryNames, ", "), name) {
			return expenseQuery{}, &queryError{fmt.Sprintf("%s is not a parameter of this page; these are: %s",
				quoteShort(name), queryNames)}
		}
		if len(values) != 1 {
			return expenseQuery{}, &queryError{name + " stands more than once; each parameter is understood once"}
		}
	}
	if err := q.readOrder(params.Get("sort"), params.Get("order")); err != nil {
		return expenseQuery{}, err
	}
	if err := q.readFilter(params); err != nil {
		return expenseQuery{}, err
	}
	if after := params.Get("after"); after != "" {
		var ok bool
		if q.After, ok = q.parseCursor(after); !ok {
			return expenseQuery{}, &queryError{"after is not a place in this list; it is understood as the link to the next page has it, with the same sort and order"}
		}
	}
	return q, nil
}

// readOrder reads the parameters sort and order. Dates run backwards unless the
// order is given, everything else forwards.
func (q *expenseQuery) readOrder(sort, order string) error {
	if sort != "" {
		q.Sort = sort
	}
	if !slices.Contains(strings.Split(sortNames, ", "), q.Sort) {
		return &queryError{fmt.Sprintf("sort by %s is not understood; these are: %s", quoteShort(sort), sortNames)}
	}
	switch order {
	case "":
		q.Desc = q.Sort == "date"
	case "asc", "desc":
		q.Desc = order == "desc"
	default:
		return &queryError{fmt.Sprintf("order %s is not understood; these are: asc, desc", quoteShort(order))}
	}
	return nil
}

// readFilter reads the parameters that say which expenses are meant.
func (q *expenseQuery) readFilter(params url.Values) error {
	for _, text := range []struct {
		name  string
		to    *string
		limit int
	}{
		{"q", &q.Q, maxItem},
		{"person", &q.Person, maxPerson},
		{"category", &q.Category, maxCategory},
	} {
		*text.to = strings.TrimSpace(params.Get(text.name))
		if checkText(*text.to, text.limit, "") != "" {
			return &queryError{fmt.Sprintf("%s is understood as a text of up to %d characters without control characters", text.name, text.limit)}
		}
	}
	for _, date := range []struct {
		name string
		to   *Date
	}{{"from", &q.From}, {"to", &q.To}} {
		text := strings.TrimSpace(params.Get(date.name))
		if text == "" {
			continue
		}
		var err error
		if *date.to, err = parseDate(text); err != nil {
			return &queryError{fmt.Sprintf("%s is understood as a date like 2006-01-31, not %s", date.name, quoteShort(text))}
		}
	}
	if !q.From.IsZero() && !q.To.IsZero() && q.From.Compare(q.To) > 0 {
		return &queryError{fmt.Sprintf("from %v is after to %v; from is understood as the first day and to as the last", q.From, q.To)}
	}
	return nil
}

// first returns q for its first page.
func (q expenseQuery) first() expenseQuery {
	q.After = cursor{}
	return q
}

// filtered reports whether q asks for less than all expenses of its teams.
func (q expenseQuery) filtered() bool {
	return q.Q != "" || q.Person != "" || q.Category != "" || !q.From.IsZero() || !q.To.IsZero()
}

// order is q's direction as the parameter of that name has it.
func (q expenseQuery) order() string {
	if q.Desc {
		return "desc"
	}
	return "asc"
}

// values returns the parameters that parseExpenseQuery reads as q, without those
// that say nothing.
func (q expenseQuery) values() url.Values {
	params := url.Values{}
	set := func(name, value string) {
		if value != "" {
			params.Set(name, value)
		}
	}
	set("q", q.Q)
	set("person", q.Person)
	set("category", q.Category)
	set("from", q.From.String())
	set("to", q.To.String())
	if q.Sort != "date" || !q.Desc {
		set("sort", q.Sort)
		set("order", q.order())
	}
	set("after", q.encodeCursor())
	return params
}

// encodeCursor returns q.After for a URL. It holds the sort and the order too,
// because a place in one order is none in another.
func (q expenseQuery) encodeCursor() string {
	if q.After == (cursor{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(q.Sort + "\n" + q.order() + "\n" + q.After.Value + "\n" + q.After.ID))
}

// parseCursor reads what encodeCursor returns for a query with q's sort and order.
func (q expenseQuery) parseCursor(s string) (cursor, bool) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(s)
	parts := strings.Split(string(text), "\n")
	// The decoder passes over line breaks, and one place has one name.
	if err != nil || strings.ContainsAny(s, "\r\n") || len(parts) != 4 || parts[0] != q.Sort || parts[1] != q.order() || !isID(parts[3]) {
		return cursor{}, false
	}
	value := parts[2]
	switch q.Sort {
	case "date":
		_, err = parseDate(value)
	case "amount":
		_, err = strconv.ParseInt(value, 10, 64)
	default:
		if value == "" || checkText(value, 4*maxItem, "") != "" {
			return cursor{}, false
		}
	}
	return cursor{value, parts[3]}, err == nil
}

// cursorAt returns the cursor of the page after e.
func (q expenseQuery) cursorAt(e Expense) cursor {
	switch q.Sort {
	case "amount":
		return cursor{strconv.FormatInt(int64(e.Amount), 10), e.ID}
	case "person":
		return cursor{fold(e.Person), e.ID}
	case "item":
		return cursor{fold(e.Item), e.ID}
	case "category":
		return cursor{fold(e.Category), e.ID}
	default:
		return cursor{e.Date.String(), e.ID}
	}
}

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
		escaped := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(fold(q.Q))
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
		condition += " AND " + by.filter(q, "person_key") + " = " + b.arg(fold(q.Person))
	}
	if q.Category != "" {
		condition += " AND " + by.filter(q, "category_key") + " = " + b.arg(fold(q.Category))
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
	if !q.filtered() {
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
	wholeMonths := (q.From.IsZero() || q.From == q.From.startOfMonth(0)) &&
		(q.To.IsZero() || q.To.addDays(1) == q.To.startOfMonth(1))
	if q.Q != "" || !wholeMonths {
		return `SELECT substr(date, 1, 7) AS month, category_key, MIN(category) AS category, person_key, MIN(person) AS person,
				COUNT(*) AS n, SUM(amount_cents) AS cents
			FROM expenses WHERE ` + q.where(b, anyIndex) + ` GROUP BY 1, category_key, person_key`
	}
	text := `SELECT month, category_key, category, person_key, person, n, cents FROM sums WHERE n > 0` + q.whereGroup(b, anyIndex)
	if !q.From.IsZero() {
		text += " AND month >= " + b.arg(q.From.month())
	}
	if !q.To.IsZero() {
		text += " AND month <= " + b.arg(q.To.month())
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
