package expense

import (
	"encoding/base64"
	"errors"
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
	Person   string   // an address, PersonMe, or a whole name without regard to case
	Reader   Actor    // whom PersonMe means
	Category string   // without regard to case and to runs of spaces
	Status   Status   // only where expenses are approved
	// Approving are the teams of which it asks for the sums by status too: in no other
	// team does it say anything.
	Approving []string
	From, To  Date   // both included
	Min, Max  Bound  // of the amount, both included
	Sort      string // one of SortNames; nothing is by date
	Desc      bool
	After     Cursor // where its page starts; zero at the start
	Before    Cursor // where its page ends instead; zero where After says
}

// Bound is an amount as a bound of a query, and as its reader writes it, who finds it
// so in the form and in the addresses of links. The zero Bound does not restrict.
type Bound struct {
	Amount Money
	Text   string
}

// PersonMe stands in a query for whoever reads.
const PersonMe = "me"

// Cursor is where a page starts: after the expense with this value in the
// column of the sort, this Seq and this id. The zero cursor is the start.
type Cursor struct {
	Value string
	Seq   int64
	ID    string
	Place int64 // how many expenses stand before the page's edge, as far as known; it is only shown
}

// QueryError is a request that is not understood. Its text is for the person who
// sent it: it says what is understood.
type QueryError struct{ Text string }

// Error implements error.
func (e *QueryError) Error() string { return "expense query: " + e.Text }

// QueryFault is what is not understood of one parameter of a query, as a
// sentence for who sent it.
type QueryFault struct{ Parameter, Text string }

// QueryFaults are all that is not understood of a query.
type QueryFaults []QueryFault

// Error implements error.
func (f QueryFaults) Error() string { return "expense query: " + f.Text("") }

// Text returns the sentences about a parameter, or about all of them where it is
// empty.
func (f QueryFaults) Text(parameter string) string {
	var texts []string
	for _, fault := range f {
		if parameter == "" || fault.Parameter == parameter {
			texts = append(texts, fault.Text)
		}
	}
	return strings.Join(texts, " ")
}

// find adds what is not understood of a parameter.
func (f *QueryFaults) find(parameter, format string, args ...any) {
	*f = append(*f, QueryFault{parameter, fmt.Sprintf(format, args...)})
}

const (
	// queryNames are the parameters of every page of expenses.
	queryNames = "q, person, category, from, to, min, max, sort, order, after, before"
	// SortNames are the columns by which a page sorts.
	SortNames = "date, person, item, category, amount"
	// StatusName is one more where expenses are approved.
	StatusName = "status"
)

// ParseQuery reads the parameters of a page of expenses: q, person, category,
// from, to, sort, order, after and before, and StatusName where it is one of those that
// the page has besides; ReadBounds reads min and max, and who calls it the others. Nothing
// is ignored: an unknown or repeated parameter and a value that is not understood are
// among the QueryFaults, which are the error. An empty value, as an empty field of a form
// sends it, is none.
func ParseQuery(params url.Values, besides ...string) (Query, error) {
	var faults QueryFaults
	faults.findNames(params, queryNames, besides)
	q := Query{Sort: "date", Desc: true}
	q.readOrder(params, &faults)
	q.readTexts(params, &faults)
	q.readDates(params, &faults)
	q.readPlaces(params, &faults)
	q.Status = Status(params.Get(StatusName))
	if q.Status != "" && faults.Text(StatusName) == "" && !slices.Contains(Statuses[:], q.Status) {
		faults.find(StatusName, "The status is logged, approved or sent-back, not %s.", quoted(string(q.Status)))
	}
	if faults != nil {
		return Query{}, faults
	}
	return q, nil
}

// findNames adds which parameters a page has not got, and which stand more than once.
func (f *QueryFaults) findNames(params url.Values, names string, besides []string) {
	all := append(strings.Split(names, ", "), besides...)
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if !slices.Contains(all, name) {
			f.find(name, "%s is not a parameter of this page. These are: %s.", quoted(name), strings.Join(all, ", "))
		} else if len(params[name]) != 1 {
			f.find(name, "%s stands more than once in the address, and counts once.", name)
		}
	}
}

// ReadBounds reads min and max, which are amounts as their reader writes them, and
// returns what is not understood of them.
func (q *Query) ReadBounds(params url.Values, n Notation) QueryFaults {
	var faults QueryFaults
	for _, bound := range []struct {
		name string
		to   *Bound
	}{{"min", &q.Min}, {"max", &q.Max}} {
		text := strings.TrimSpace(params.Get(bound.name))
		if text == "" {
			continue
		}
		amount, problem := n.parse(text)
		if problem != "" {
			faults.find(bound.name, "%s", problem)
			continue
		}
		*bound.to = Bound{Amount: amount, Text: n.Plain(amount)}
	}
	if faults == nil && q.Min.Text != "" && q.Max.Text != "" && q.Min.Amount > q.Max.Amount {
		faults.find("max", "The largest amount, %s, is below the smallest, %s.", q.Max.Text, q.Min.Text)
	}
	return faults
}

// readPlaces reads where the page starts or ends.
func (q *Query) readPlaces(params url.Values, faults *QueryFaults) {
	for _, place := range []struct {
		name string
		to   *Cursor
	}{{"after", &q.After}, {"before", &q.Before}} {
		text := params.Get(place.name)
		if text == "" {
			continue
		}
		var ok bool
		if *place.to, ok = q.parseCursor(text); !ok {
			faults.find(place.name, "%s is not a place in this list: take it from the link to the next or the previous page, with the same sort and order.", place.name)
		}
	}
	if q.After != (Cursor{}) && q.Before != (Cursor{}) {
		faults.find("before", "A page starts after a place or ends before one, not both.")
	}
}

// readOrder reads the parameters sort and order. Dates run backwards unless the
// order is given, everything else forwards.
func (q *Query) readOrder(params url.Values, faults *QueryFaults) {
	sort, order := params.Get("sort"), params.Get("order")
	if sort != "" {
		q.Sort = sort
	}
	if !slices.Contains(strings.Split(SortNames, ", "), q.Sort) {
		faults.find("sort", "The list is sorted by one of %s, not by %s.", SortNames, quoted(sort))
	}
	switch order {
	case "":
		q.Desc = q.Sort == "date"
	case "asc", "desc":
		q.Desc = order == "desc"
	default:
		faults.find("order", "The order is asc or desc, not %s.", quoted(order))
	}
}

// readTexts reads the parameters that hold a text.
func (q *Query) readTexts(params url.Values, faults *QueryFaults) {
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
		if problem := CheckText(*text.to, text.limit, ""); problem != "" {
			faults.find(text.name, "%s", problem)
		}
	}
}

// readDates reads the first and the last day.
func (q *Query) readDates(params url.Values, faults *QueryFaults) {
	for _, date := range []struct {
		name string
		to   *Date
	}{{"from", &q.From}, {"to", &q.To}} {
		text := strings.TrimSpace(params.Get(date.name))
		if text == "" {
			continue
		}
		var err error
		if *date.to, err = ParseDate(text); errors.Is(err, errDateRange) {
			faults.find(date.name, "Enter a date from 0001-01-02 to 9999-12-31, not %s.", quoted(text))
		} else if err != nil {
			faults.find(date.name, "Enter the date as year-month-day, like 2006-01-31, not %s.", quoted(text))
		}
	}
	if !q.From.IsZero() && !q.To.IsZero() && q.From.Compare(q.To) > 0 {
		faults.find("to", "The last day, %v, is before the first, %v.", q.To, q.From)
	}
}

// First returns q for its first page.
func (q Query) First() Query {
	q.After, q.Before = Cursor{}, Cursor{}
	return q
}

// Filtered reports whether q asks for less than all expenses of its teams.
func (q Query) Filtered() bool {
	return q.Q != "" || q.Person != "" || q.Category != "" || q.Status != "" || !q.From.IsZero() || !q.To.IsZero() ||
		q.Min.Text != "" || q.Max.Text != ""
}

// Approved returns q for those of its teams that approve expenses, which may be none.
func (q Query) Approved() Query {
	approving := []string{}
	for _, team := range q.Approving {
		if q.Teams == nil || slices.Contains(q.Teams, team) {
			approving = append(approving, team)
		}
	}
	q.Teams = approving
	return q
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
	set(StatusName, string(q.Status))
	set("from", q.From.String())
	set("to", q.To.String())
	set("min", q.Min.Text)
	set("max", q.Max.Text)
	if q.Sort != "date" || !q.Desc {
		set("sort", q.Sort)
		set("order", q.order())
	}
	set("after", q.encodeCursor(q.After))
	set("before", q.encodeCursor(q.Before))
	return params
}

// encodeCursor returns a place for a URL. It holds the sort and the order too,
// because a place in one order is none in another.
func (q Query) encodeCursor(c Cursor) string {
	if c == (Cursor{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(
		strings.Join([]string{q.Sort, q.order(), c.Value, strconv.FormatInt(c.Seq, 10), c.ID, strconv.FormatInt(c.Place, 10)}, "\n")))
}

// maxPlace is more expenses than there ever are, and far from what an int64 holds.
const maxPlace = 1 << 40

// parseCursor reads what encodeCursor returns for a query with q's sort and order.
func (q Query) parseCursor(s string) (Cursor, bool) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(s)
	parts := strings.Split(string(text), "\n")
	// The decoder passes over line breaks, and one place has one name.
	if err != nil || strings.ContainsAny(s, "\r\n") || len(parts) != 6 || parts[0] != q.Sort || parts[1] != q.order() || !IsID(parts[4]) {
		return Cursor{}, false
	}
	value := parts[2]
	seq, err := strconv.ParseInt(parts[3], 10, 64)
	place, placeErr := strconv.ParseInt(parts[5], 10, 64)
	// One place has one name here too.
	if err != nil || strconv.FormatInt(seq, 10) != parts[3] || placeErr != nil || place < 0 || place > maxPlace || strconv.FormatInt(place, 10) != parts[5] {
		return Cursor{}, false
	}
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
	return Cursor{value, seq, parts[4], place}, err == nil
}

// CursorAt returns the cursor of the page after e.
func (q Query) CursorAt(e Expense) Cursor {
	c := Cursor{Seq: e.Seq, ID: e.ID}
	switch q.Sort {
	case "amount":
		c.Value = strconv.FormatInt(int64(e.Amount), 10)
	case "person":
		c.Value = Fold(e.Person)
	case "item":
		c.Value = Fold(e.Item)
	case "category":
		c.Value = CategoryKey(e.Category)
	default:
		c.Value = e.Date.String()
	}
	return c
}
