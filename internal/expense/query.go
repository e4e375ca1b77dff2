package expense

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Query says which expenses a page, a file or a sum holds, and in which
// order. A zero field does not restrict.
type Query struct {
	Teams    []string // nil for all teams
	Q        string   // found in item, person or note, without regard to case
	Person   string   // without regard to case
	Category string   // without regard to case
	From, To Date     // both included
	Sort     string   // one of SortNames; nothing is by date
	Desc     bool
	After    Cursor
}

// Cursor is where a page starts: after the expense with this value in the
// column of the sort and this id. The zero cursor is the start.
type Cursor struct {
	Value string
	ID    string
}

// QueryError is a query that is not understood. Its text is for the person who
// sent it: it says what is understood.
type QueryError struct{ Text string }

// Error implements error.
func (e *QueryError) Error() string { return "expense query: " + e.Text }

const (
	// queryNames are the parameters of a page of expenses.
	queryNames = "q, person, category, from, to, sort, order, after"
	// SortNames are the columns by which a page sorts.
	SortNames = "date, person, item, category, amount"
)

// ParseQuery reads the parameters of a page of expenses: q, person,
// category, from, to, sort, order and after. Nothing is ignored: an unknown or
// repeated parameter and a value that is not understood are a *QueryError. An
// empty value, as an empty field of a form sends it, is none.
func ParseQuery(params url.Values) (Query, error) {
	q := Query{Sort: "date", Desc: true}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		values := params[name]
		if !slices.Contains(strings.Split(queryNames, ", "), name) {
			return Query{}, &QueryError{fmt.Sprintf("%s is not a parameter of this page; these are: %s",
				QuoteShort(name), queryNames)}
		}
		if len(values) != 1 {
			return Query{}, &QueryError{name + " stands more than once; each parameter is understood once"}
		}
	}
	if err := q.readOrder(params.Get("sort"), params.Get("order")); err != nil {
		return Query{}, err
	}
	if err := q.readFilter(params); err != nil {
		return Query{}, err
	}
	if after := params.Get("after"); after != "" {
		var ok bool
		if q.After, ok = q.parseCursor(after); !ok {
			return Query{}, &QueryError{"after is not a place in this list; it is understood as the link to the next page has it, with the same sort and order"}
		}
	}
	return q, nil
}

// readOrder reads the parameters sort and order. Dates run backwards unless the
// order is given, everything else forwards.
func (q *Query) readOrder(sort, order string) error {
	if sort != "" {
		q.Sort = sort
	}
	if !slices.Contains(strings.Split(SortNames, ", "), q.Sort) {
		return &QueryError{fmt.Sprintf("sort by %s is not understood; these are: %s", QuoteShort(sort), SortNames)}
	}
	switch order {
	case "":
		q.Desc = q.Sort == "date"
	case "asc", "desc":
		q.Desc = order == "desc"
	default:
		return &QueryError{fmt.Sprintf("order %s is not understood; these are: asc, desc", QuoteShort(order))}
	}
	return nil
}

// readFilter reads the parameters that say which expenses are meant.
func (q *Query) readFilter(params url.Values) error {
	for _, text := range []struct {
		name  string
		to    *string
		limit int
	}{
		{"q", &q.Q, MaxItem},
		{"person", &q.Person, MaxPerson},
		{"category", &q.Category, MaxCategory},
	} {
		*text.to = strings.TrimSpace(params.Get(text.name))
		if CheckText(*text.to, text.limit, "") != "" {
			return &QueryError{fmt.Sprintf("%s is understood as a text of up to %d characters without control characters", text.name, text.limit)}
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
		if *date.to, err = ParseDate(text); err != nil {
			return &QueryError{fmt.Sprintf("%s is understood as a date like 2006-01-31, not %s", date.name, QuoteShort(text))}
		}
	}
	if !q.From.IsZero() && !q.To.IsZero() && q.From.Compare(q.To) > 0 {
		return &QueryError{fmt.Sprintf("from %v is after to %v; from is understood as the first day and to as the last", q.From, q.To)}
	}
	return nil
}

// First returns q for its first page.
func (q Query) First() Query {
	q.After = Cursor{}
	return q
}

// Filtered reports whether q asks for less than all expenses of its teams.
func (q Query) Filtered() bool {
	return q.Q != "" || q.Person != "" || q.Category != "" || !q.From.IsZero() || !q.To.IsZero()
}

// order is q's direction as the parameter of that name has it.
func (q Query) order() string {
	if q.Desc {
		return "desc"
	}
	return "asc"
}

// Values returns the parameters that ParseQuery reads as q, without those
// that say nothing.
func (q Query) Values() url.Values {
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
func (q Query) encodeCursor() string {
	if q.After == (Cursor{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(q.Sort + "\n" + q.order() + "\n" + q.After.Value + "\n" + q.After.ID))
}

// parseCursor reads what encodeCursor returns for a query with q's sort and order.
func (q Query) parseCursor(s string) (Cursor, bool) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(s)
	parts := strings.Split(string(text), "\n")
	// The decoder passes over line breaks, and one place has one name.
	if err != nil || strings.ContainsAny(s, "\r\n") || len(parts) != 4 || parts[0] != q.Sort || parts[1] != q.order() || !IsID(parts[3]) {
		return Cursor{}, false
	}
	value := parts[2]
	switch q.Sort {
	case "date":
		_, err = ParseDate(value)
	case "amount":
		_, err = strconv.ParseInt(value, 10, 64)
	default:
		if value == "" || CheckText(value, 4*MaxItem, "") != "" {
			return Cursor{}, false
		}
	}
	return Cursor{value, parts[3]}, err == nil
}

// CursorAt returns the cursor of the page after e.
func (q Query) CursorAt(e Expense) Cursor {
	switch q.Sort {
	case "amount":
		return Cursor{strconv.FormatInt(int64(e.Amount), 10), e.ID}
	case "person":
		return Cursor{Fold(e.Person), e.ID}
	case "item":
		return Cursor{Fold(e.Item), e.ID}
	case "category":
		return Cursor{Fold(e.Category), e.ID}
	default:
		return Cursor{e.Date.String(), e.ID}
	}
}
