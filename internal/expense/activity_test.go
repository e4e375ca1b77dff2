package expense

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestParseActivity(t *testing.T) {
	t.Parallel()
	place := Activity{Event: Event{At: time.UnixMilli(1_700_000_000_123)}, Expense: strings.Repeat("a", 26), Version: 3}.Cursor()
	tests := []struct {
		name, query string
		want        ActivityQuery
		wrong       string // the parameter that is not understood; empty where all is
	}{
		{"nothing", "", ActivityQuery{}, ""},
		{"empty fields of a form", "person=&kind=&from=&to=", ActivityQuery{}, ""},
		{"all of it", "person=+Ann+&kind=deleted&from=2026-01-01&to=2026-01-31&after=" + place.encode(), ActivityQuery{
			Person: "Ann", Kind: "deleted", From: NewDate(2026, 1, 1), To: NewDate(2026, 1, 31), After: place,
		}, ""},
		{"an unknown kind", "kind=burnt", ActivityQuery{}, "kind"},
		{"from after to", "from=2026-02-01&to=2026-01-01", ActivityQuery{}, "to"},
		{"no date", "from=yesterday", ActivityQuery{}, "from"},
		{"an unknown parameter", "team=hr", ActivityQuery{}, "team"},
		{"twice", "kind=created&kind=deleted", ActivityQuery{}, "kind"},
		{"another list's place", "after=" + Query{Sort: "date"}.encodeCursor(Cursor{Value: "2026-01-01", ID: strings.Repeat("a", 26)}), ActivityQuery{}, "after"},
		{"a place that is none", "after=x", ActivityQuery{}, "after"},
		{"a control character", "person=%01", ActivityQuery{}, "person"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			params, err := url.ParseQuery(test.query)
			if err != nil {
				t.Fatal(err)
			}
			q, err := ParseActivity(params)
			faults, _ := err.(QueryFaults)
			if (err != nil) != (test.wrong != "") || (test.wrong != "" && faults.Text(test.wrong) == "") {
				t.Fatalf("%v, want a fault of %q", err, test.wrong)
			}
			again, err2 := ParseActivity(q.Values())
			if q.Person != test.want.Person || q.Kind != test.want.Kind || q.From != test.want.From || q.To != test.want.To || q.After != test.want.After {
				t.Errorf("%+v, want %+v", q, test.want)
			}
			if err == nil && (err2 != nil || again.After != q.After || again.Person != q.Person) {
				t.Errorf("its address is read as %+v, %v", again, err2)
			}
		})
	}
}
