package expense

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDates(t *testing.T) {
	for text, ok := range map[string]bool{
		"2026-02-28": true, "2024-02-29": true, "2023-02-29": false, "2026-2-28": false, "2026-02-28 ": false,
		"0000-01-01": false, "2026-13-01": false, "2026-00-10": false, "26-01-01": false, "2026-01-01T00:00": false,
		"": false, "+026-01-01": false, "２026-01-01": false, "12026-01-01": false,
	} {
		date, err := ParseDate(text)
		if (err == nil) != ok || ok && date.String() != text {
			t.Errorf("%q: %v, %v", text, date, err)
		}
	}
	// A clock in another zone shows another day.
	kiritimati := time.FixedZone("", 14*60*60)
	if got := DateOf(time.Date(2025, 12, 31, 12, 0, 0, 0, time.UTC).In(kiritimati)); got != NewDate(2026, 1, 1) {
		t.Errorf("dateOf: %v", got)
	}
}

func TestPeriods(t *testing.T) {
	for today, want := range map[string]string{
		"2026-01-31": "2026-01-01 2026-01-31, 2025-12-01 2025-12-31, 2026-01-01 2026-03-31, 2026-01-01 2026-12-31",
		"2024-03-01": "2024-03-01 2024-03-31, 2024-02-01 2024-02-29, 2024-01-01 2024-03-31, 2024-01-01 2024-12-31",
		"2026-11-22": "2026-11-01 2026-11-30, 2026-10-01 2026-10-31, 2026-10-01 2026-12-31, 2026-01-01 2026-12-31",
	} {
		date, err := ParseDate(today)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range Periods(date) {
			got = append(got, p.From.String()+" "+p.To.String())
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("on %s: %v, want %s", today, got, want)
		}
	}
}

// goodForm is an expense as somebody types it who knows how.
func goodForm() Form {
	return Form{
		Date: "2026-03-02", Person: "Zoë", Item: " Team \u00a0 Lunch\u2003", Category: "Meals", Amount: "USD 1,234.5", Note: "\r\n two\r\nlines\tand a  tab ",
	}
}

func TestCheckForm(t *testing.T) {
	today := NewDate(2026, 11, 22)
	entry, problems := goodForm().Check(today, PlainNotation(Dollars()))
	want := Entry{
		Date: NewDate(2026, 3, 2), Person: "Zoë", Item: "Team Lunch", Category: "Meals", Amount: 123450, Note: "two\nlines\tand a tab",
	}
	if entry != want || problems.Any() {
		t.Fatalf("got %+v, %+v", entry, problems)
	}
	for _, amount := range []string{"5", "-5"} {
		form := goodForm()
		form.Amount, form.Refund = amount, true
		if entry, _ := form.Check(today, PlainNotation(Dollars())); entry.Amount != -500 {
			t.Errorf("%s marked as a refund is %d", amount, entry.Amount)
		}
	}
	tests := []struct {
		name  string
		spoil func(*Form)
		field string // whose sentence is expected; none where the form is right
	}{
		{"date missing", func(f *Form) { f.Date = " " }, "date"},
		{"date in another form", func(f *Form) { f.Date = "02/03/2026" }, "date"},
		{"no such day", func(f *Form) { f.Date = "2026-02-30" }, "date"},
		{"first day", func(f *Form) { f.Date = "2000-01-01" }, ""},
		{"before the first day", func(f *Form) { f.Date = "1999-12-31" }, "date"},
		{"last day", func(f *Form) { f.Date = "2026-12-23" }, ""},
		{"after the last day", func(f *Form) { f.Date = "2026-12-24" }, "date"},
		{"item missing", func(f *Form) { f.Item = "\u00a0 " }, "item"},
		{"item as long as may be", func(f *Form) { f.Item = strings.Repeat("é", 200) }, ""},
		{"item too long", func(f *Form) { f.Item = strings.Repeat("é", 201) }, "item"},
		{"item of zero-width characters", func(f *Form) { f.Item = "\u200b\u2060\ufeff \u200d" }, "item"},
		{"item of a soft hyphen and fillers", func(f *Form) { f.Item = "\u00ad\u3164\u2800\ufe0f" }, "item"},
		{"item turned around", func(f *Form) { f.Item = "invoice\u202efdp.exe" }, "item"},
		{"item with an isolate", func(f *Form) { f.Item = "\u2067a\u2069" }, "item"},
		{"category with a mark of direction", func(f *Form) { f.Category = "a\u200f" }, "category"},
		{"note turned around", func(f *Form) { f.Note = "a\u202db" }, "note"},
		{"item in Hebrew", func(f *Form) { f.Item = "ארוחת צוות" }, ""},
		{"item with NUL", func(f *Form) { f.Item = "a\x00b" }, "item"},
		{"item with two lines", func(f *Form) { f.Item = "a\nb" }, "item"},
		{"item with a C1 control", func(f *Form) { f.Item = "a\u0085b" }, "item"},
		{"item not UTF-8", func(f *Form) { f.Item = "a\xffb" }, "item"},
		{"item with an emoji of several parts", func(f *Form) { f.Item = "👩‍🚀" }, ""},
		{"category missing", func(f *Form) { f.Category = "" }, "category"},
		{"category too long", func(f *Form) { f.Category = strings.Repeat("c", 51) }, "category"},
		{"person missing", func(f *Form) { f.Person = "" }, "person"},
		{"person too long", func(f *Form) { f.Person = strings.Repeat("p", 201) }, "person"},
		{"amount missing", func(f *Form) { f.Amount = "" }, "amount"},
		{"zero", func(f *Form) { f.Amount = "0.00" }, "amount"},
		{"a refund", func(f *Form) { f.Amount = "-1" }, ""},
		{"too much of a refund", func(f *Form) { f.Amount = "-10000000.01" }, "amount"},
		{"one cent", func(f *Form) { f.Amount = "0.01" }, ""},
		{"ten million", func(f *Form) { f.Amount = "10000000" }, ""},
		{"over ten million", func(f *Form) { f.Amount = "10000000.01" }, "amount"},
		{"NaN", func(f *Form) { f.Amount = "NaN" }, "amount"},
		{"infinity", func(f *Form) { f.Amount = "Inf" }, "amount"},
		{"1e309", func(f *Form) { f.Amount = "1e309" }, "amount"},
		{"hexadecimal", func(f *Form) { f.Amount = "0x10" }, "amount"},
		{"tenths of a cent", func(f *Form) { f.Amount = "1.005" }, "amount"},
		{"no note", func(f *Form) { f.Note = "" }, ""},
		{"note too long", func(f *Form) { f.Note = strings.Repeat("n", 2001) }, "note"},
		{"note with an escape", func(f *Form) { f.Note = "\x1b[31m" }, "note"},
		{"note with a lone CR", func(f *Form) { f.Note = "a\rb" }, "note"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			form := goodForm()
			test.spoil(&form)
			_, problems := form.Check(today, PlainNotation(Dollars()))
			list := problems.List()
			if test.field == "" && len(list) != 0 || test.field != "" && (len(list) != 1 || !strings.HasPrefix(list[0], test.field+": ")) {
				t.Errorf("problems %q, want one of %q", list, test.field)
			}
		})
	}
}

// Two ways to type a text are one text.
func TestTextsAreNormalized(t *testing.T) {
	form := goodForm()
	form.Item, form.Person, form.Category, form.Note = "Cafe\u0301  crème", " Zoe\u0308 \u3000 Li ", "Me\u0301als", "a\u00a0\u00a0b\r\n e\u0301 \u200b"
	entry, problems := form.Check(NewDate(2026, 11, 22), PlainNotation(Dollars()))
	if got, want := []string{entry.Item, entry.Person, entry.Category, entry.Note}, []string{"Café crème", "Zoë Li", "Méals", "a b\né \u200b"}; problems.Any() || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %+v, want %q", got, problems, want)
	}
	form.Note = "\u200b\n\u2060"
	if entry, problems := form.Check(NewDate(2026, 11, 22), PlainNotation(Dollars())); entry.Note != "" || problems.Any() {
		t.Errorf("a note of nothing is %q, %+v", entry.Note, problems)
	}
}

func TestAverage(t *testing.T) {
	for _, test := range []struct {
		total Money
		count int64
		want  Money
	}{{0, 0, 0}, {100, 3, 33}, {200, 3, 67}, {5, 2, 3}, {-5, 2, -3}, {-100, 3, -33}, {4, 2, 2}, {1_000_000_000 * 1_000_000, 1_000_000, 1_000_000_000}} {
		if got := Average(test.total, test.count); got != test.want {
			t.Errorf("average(%d, %d) = %d, want %d", test.total, test.count, got, test.want)
		}
	}
}

func TestParseExpenseQuery(t *testing.T) {
	id := NewID()
	at := Query{Sort: "person"}.encodeCursor(Cursor{"zoë", 7, id, 0})
	tests := []struct {
		name, query string
		want        Query  // where the error is empty
		err         string // a part of its text
	}{
		{"nothing", "", Query{Sort: "date", Desc: true}, ""},
		{"an empty form", "q=&person=&category=&from=&to=&sort=&order=&after=", Query{Sort: "date", Desc: true}, ""},
		{"all", "q=+50%25+&person=Zo%C3%AB&category=Meals&from=2026-01-01&to=2026-01-31&sort=person&order=asc&after=" + at, Query{
			Q: "50%", Person: "Zoë", Category: "Meals", From: NewDate(2026, 1, 1), To: NewDate(2026, 1, 31), Sort: "person", After: Cursor{"zoë", 7, id, 0},
		}, ""},
		{"sort alone", "sort=amount", Query{Sort: "amount"}, ""},
		{"order alone", "order=asc", Query{Sort: "date"}, ""},
		{"one day", "from=2026-01-01&to=2026-01-01", Query{From: NewDate(2026, 1, 1), To: NewDate(2026, 1, 1), Sort: "date", Desc: true}, ""},
		{"unknown parameter", "page=2", Query{}, "page: “page” is not a parameter of this page. These are: q, person, category, from, to, min, max, sort, order, after, before."},
		{"another case", "Sort=date", Query{}, "Sort: “Sort” is not a parameter"},
		{"empty name", "=x", Query{}, ": “” is not a parameter"},
		{"repeated", "sort=date&sort=item", Query{}, "sort: sort stands more than once"},
		{"unknown sort", "sort=note", Query{}, "sort: The list is sorted by one of date, person, item, category, amount, not by “note”."},
		{"part of a sort", "sort=date,", Query{}, "sort: The list is sorted by"},
		{"SQL as sort", "sort=date;drop+table+expenses", Query{}, "not a parameter"},
		{"unknown order", "order=DESC", Query{}, "order: The order is asc or desc"},
		{"bad date", "from=2026-02-30", Query{}, "from: Enter the date as year-month-day"},
		{"date with a time", "to=2026-02-03T00:00:00Z", Query{}, "to: Enter the date as year-month-day"},
		{"date before all", "from=0001-01-01", Query{}, "from: Enter a date from 0001-01-02 to 9999-12-31, not “0001-01-01”."},
		{"year zero", "to=0000-05-05", Query{}, "to: Enter a date from 0001-01-02 to 9999-12-31, not “0000-05-05”."},
		{"from after to", "from=2026-02-02&to=2026-02-01", Query{}, "to: The last day, 2026-02-01, is before the first, 2026-02-02."},
		{"control character", "q=a%00b", Query{}, "q: This contains a control character"},
		{"tab", "q=a%09b", Query{}, "q: This contains a control character"},
		{"direction", "q=a%E2%80%AEb", Query{}, "q: This contains a hidden character"},
		{"not UTF-8", "person=%ff", Query{}, "person: This contains something that is not text"},
		{"too long", "q=" + strings.Repeat("q", 201), Query{}, "q: This is too long: at most 200"},
		{"no cursor", "after=2", Query{}, "after: after is not a place"},
		{"cursor of another sort", "sort=item&after=" + at, Query{}, "after: after is not a place"},
		{"cursor of another order", "sort=person&order=desc&after=" + at, Query{}, "after: after is not a place"},
		{"padded cursor", "sort=person&after=" + at + "%3D", Query{}, "after: after is not a place"},
		{"several", "from=x&order=up", Query{}, "order: The order is asc or desc, not “up”.\nfrom: Enter the date"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// What url.ParseQuery drops is the concern of who calls it.
			params, _ := url.ParseQuery(strings.ReplaceAll(test.query, ";", "%3B"))
			if test.name == "SQL as sort" {
				params = url.Values{"date;drop table expenses": {"x"}}
			}
			got, err := ParseQuery(params)
			var faults QueryFaults
			errors.As(err, &faults)
			var said []string
			for _, fault := range faults {
				said = append(said, fault.Parameter+": "+fault.Text)
			}
			switch {
			case test.err == "" && (err != nil || !reflect.DeepEqual(got, test.want)):
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			case test.err != "" && !strings.Contains(strings.Join(said, "\n"), test.err):
				t.Errorf("error %v, want one with %q", err, test.err)
			}
		})
	}
}

func TestCursorIsChecked(t *testing.T) {
	id := NewID()
	for name, q := range map[string]Query{
		"date that is none":         {Sort: "date", After: Cursor{"2026-02-30", 7, id, 0}},
		"amount that is no number":  {Sort: "amount", After: Cursor{"1e3", 7, id, 0}},
		"amount beyond all numbers": {Sort: "amount", After: Cursor{"99999999999999999999", 7, id, 0}},
		"text with NUL":             {Sort: "item", After: Cursor{"a\x00", 7, id, 0}},
		"text with more lines":      {Sort: "item", After: Cursor{"a\nb", 7, id, 0}},
		"no text":                   {Sort: "item", After: Cursor{"", 7, id, 0}},
		"id that is none":           {Sort: "item", After: Cursor{"a", 7, "' OR 1=1 --", 0}},
	} {
		if _, err := ParseQuery(url.Values{"sort": {q.Sort}, "order": {"asc"}, "after": {q.encodeCursor(q.After)}}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{"2026-02-28", "2024-02-29", "0001-01-01", "9999-12-31", "2026-2-8", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if date, err := ParseDate(text); err == nil && date.String() != text {
			t.Errorf("%q is read as %v", text, date)
		}
	})
}

func FuzzExpenseQuery(f *testing.F) {
	for _, seed := range []string{
		"", "q=a&person=b&category=c&from=2026-01-01&to=2026-12-31&sort=item&order=desc", "sort=amount&order=asc", "q=%25_%5C",
		"after=" + Query{Sort: "date", Desc: true}.encodeCursor(Cursor{"2026-01-01", 7, NewID(), 50}),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		params, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q, err := ParseQuery(params)
		if err != nil {
			return
		}
		again, err := ParseQuery(q.Values())
		if err != nil || !reflect.DeepEqual(again, q) {
			t.Errorf("%+v comes back as %+v, %v", q, again, err)
		}
	})
}

func FuzzCursor(f *testing.F) {
	for _, sort := range strings.Split(SortNames, ", ") {
		q := Query{Sort: sort, Desc: true}
		q.After = q.CursorAt(Expense{ID: NewID(), Entry: Entry{Date: NewDate(2026, time.March, 2), Person: "Alice Johnson", Item: "Team Lunch", Category: "Meals", Amount: 18050}})
		f.Add(sort, q.encodeCursor(q.After))
		f.Add(sort, q.encodeCursor(q.After)[:8]+"\n"+q.encodeCursor(q.After)[8:])
	}
	f.Fuzz(func(t *testing.T, sort, text string) {
		q := Query{Sort: sort, Desc: true}
		at, ok := q.parseCursor(text)
		if !ok {
			return
		}
		q.After = at
		if q.encodeCursor(q.After) != text {
			t.Errorf("%q is read as %+v", text, at)
		}
	})
}
