package expense

import (
	"net/url"
	"testing"
)

func TestReadBounds(t *testing.T) {
	t.Parallel()
	dollars, err := ParseCurrency("USD")
	if err != nil {
		t.Fatal(err)
	}
	english := PlainNotation(dollars)
	tests := []struct {
		name, query string
		min, max    Bound
		wrong       string // the parameter that is not understood
	}{
		{"none", "", Bound{}, Bound{}, ""},
		{"empty fields of a form", "min=&max=+", Bound{}, Bound{}, ""},
		{"both", "min=10&max=1,234.50", Bound{1000, "10.00"}, Bound{123450, "1234.50"}, ""},
		{"below zero", "max=-5", Bound{}, Bound{-500, "-5.00"}, ""},
		{"the wrong way round", "min=20&max=10", Bound{2000, "20.00"}, Bound{1000, "10.00"}, "max"},
		{"no amount", "min=cheap", Bound{}, Bound{}, "min"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			params, err := url.ParseQuery(test.query)
			if err != nil {
				t.Fatal(err)
			}
			var q Query
			faults := q.ReadBounds(params, english)
			if (faults != nil) != (test.wrong != "") || (test.wrong != "" && faults.Text(test.wrong) == "") {
				t.Fatalf("faults %v, want one of %q", faults, test.wrong)
			}
			if q.Min != test.min || q.Max != test.max || q.Filtered() != (test.min.Text+test.max.Text != "") {
				t.Errorf("%+v to %+v, want %+v to %+v", q.Min, q.Max, test.min, test.max)
			}
			if values := q.Values(); values.Get("min") != test.min.Text || values.Get("max") != test.max.Text {
				t.Errorf("the address says %v", values)
			}
		})
	}
}
