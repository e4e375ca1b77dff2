package expense

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ActivityPage is how much a page of activity holds.
const ActivityPage = 50

// Activity is one thing that was done, with the expense that it was done to.
type Activity struct {
	Event
	Expense string // the id
	Version int64  // that the expense got by it
	Team    string // where the expense is now
	Item    string // as it is called now
}

// Kinds are what can have been done to an expense, in the order in which a form
// offers them.
var Kinds = [...]string{ActionCreated, ActionChanged, ActionDeleted, ActionRestored, ActionImported, ActionApproved, ActionSentBack}

// ActivityQuery says what of that is asked for. A zero field does not restrict.
type ActivityQuery struct {
	Teams    []string // nil for all teams
	Person   string   // an address, PersonMe, or a whole name
	Reader   Actor    // whom PersonMe means
	Kind     string   // one of Kinds
	From, To Date     // both included, by the days of the site's time zone
	After    ActivityCursor
}

// ActivityCursor is where a page starts: after what was done At, in milliseconds
// since 1970, to this expense by this version. The zero cursor is the start.
type ActivityCursor struct {
	At      int64
	Expense string
	Version int64
}

const activityNames = "person, kind, from, to, after"

// ParseActivity reads the parameters person, kind, from, to and after; who calls it reads
// those that the page has besides. Nothing is ignored: what is not understood is among the
// QueryFaults, which are the error.
func ParseActivity(params url.Values, besides ...string) (ActivityQuery, error) {
	var faults QueryFaults
	faults.findNames(params, activityNames, besides)
	var dates Query
	dates.readDates(params, &faults)
	q := ActivityQuery{Person: strings.TrimSpace(params.Get("person")), Kind: params.Get("kind"), From: dates.From, To: dates.To}
	if problem := CheckText(q.Person, MaxPerson, ""); problem != "" {
		faults.find("person", "%s", problem)
	}
	if q.Kind != "" && !slices.Contains(Kinds[:], q.Kind) {
		faults.find("kind", "The kind is one of %s, not %s.", strings.Join(Kinds[:], ", "), quoted(q.Kind))
	}
	if after := params.Get("after"); after != "" {
		var ok bool
		if q.After, ok = parseActivityCursor(after); !ok {
			faults.find("after", "after is not a place in this list: take it from the link to the next page.")
		}
	}
	if faults != nil {
		return ActivityQuery{}, faults
	}
	return q, nil
}

// Values returns the parameters that ParseActivity reads as q, without those that say
// nothing.
func (q ActivityQuery) Values() url.Values {
	params := url.Values{}
	for name, value := range map[string]string{
		"person": q.Person, "kind": q.Kind, "from": q.From.String(), "to": q.To.String(), "after": q.After.encode(),
	} {
		if value != "" {
			params.Set(name, value)
		}
	}
	return params
}

// Filtered reports whether q asks for less than everything.
func (q ActivityQuery) Filtered() bool {
	return q.Person != "" || q.Kind != "" || !q.From.IsZero() || !q.To.IsZero()
}

// Cursor returns where the page after a starts.
func (a Activity) Cursor() ActivityCursor {
	return ActivityCursor{At: a.At.UnixMilli(), Expense: a.Expense, Version: a.Version}
}

func (c ActivityCursor) encode() string {
	if c == (ActivityCursor{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(
		strconv.FormatInt(c.At, 10) + "\n" + c.Expense + "\n" + strconv.FormatInt(c.Version, 10)))
}

// parseActivityCursor reads what encode returns, and nothing else.
func parseActivityCursor(s string) (ActivityCursor, bool) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(s)
	parts := strings.Split(string(text), "\n")
	if err != nil || len(parts) != 3 || !IsID(parts[1]) {
		return ActivityCursor{}, false
	}
	at, err1 := strconv.ParseInt(parts[0], 10, 64)
	version, err2 := strconv.ParseInt(parts[2], 10, 64)
	c := ActivityCursor{At: at, Expense: parts[1], Version: version}
	return c, err1 == nil && err2 == nil && c.encode() == s
}

// ChangesText says in one line what was changed: "item: Taxi → Train; amount: 12.00 →
// 13.00".
func (e Event) ChangesText() string {
	var parts []string
	for _, c := range e.Changes {
		parts = append(parts, c.Field+": "+c.Old+" → "+c.New)
	}
	return strings.Join(parts, "; ")
}
