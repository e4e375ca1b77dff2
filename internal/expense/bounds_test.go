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
	dinars, err := ParseCurrency("KWD")
	if err != nil {
		t.Fatal(err)
	}
	english, comma := PlainNotation(dollars), Notation{Currency: dinars, Decimal: ","}
	tests := []struct {
		name, query string
		notation    Notation
		min, max    Bound
		wrong       string // the parameter that is not understood
	}{
		{"none", "", english, Bound{}, Bound{}, ""},
		{"empty fields of a form", "min=&max=+", english, Bound{}, Bound{}, ""},
		{"both", "min=10&max=1,234.50", english, Bound{1000, "10.00"}, Bound{123450, "1234.50"}, ""},
		{"below zero", "max=-5", english, Bound{}, Bound{-500, "-5.00"}, ""},
		{"the wrong way round", "min=20&max=10", english, Bound{2000, "20.00"}, Bound{1000, "10.00"}, "max"},
		{"refunds only", "max=0", english, Bound{}, Bound{0, "0.00"}, ""},
		{"three decimals behind a comma", "min=1,5", comma, Bound{1500, "1,500"}, Bound{}, ""},
		{"the same from its own link", "min=1,500", comma, Bound{1500, "1,500"}, Bound{}, ""},
		{"two meanings", "min=1.500", comma, Bound{}, Bound{}, "min"},
		{"no amount", "min=cheap", english, Bound{}, Bound{}, "min"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			params, err := url.ParseQuery(test.query)
			if err != nil {
				t.Fatal(err)
			}
			var q Query
			faults := q.ReadBounds(params, test.notation)
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
