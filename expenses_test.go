package main

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
		date, err := parseDate(text)
		if (err == nil) != ok || ok && date.String() != text {
			t.Errorf("%q: %v, %v", text, date, err)
		}
	}
	// A clock in another zone shows another day.
	kiritimati := time.FixedZone("", 14*60*60)
	if got := dateOf(time.Date(2025, 12, 31, 12, 0, 0, 0, time.UTC).In(kiritimati)); got != newDate(2026, 1, 1) {
		t.Errorf("dateOf: %v", got)
	}
}

func TestPeriods(t *testing.T) {
	for today, want := range map[string]string{
		"2026-01-31": "2026-01-01 2026-01-31, 2025-12-01 2025-12-31, 2026-01-01 2026-03-31, 2026-01-01 2026-12-31",
		"2024-03-01": "2024-03-01 2024-03-31, 2024-02-01 2024-02-29, 2024-01-01 2024-03-31, 2024-01-01 2024-12-31",
		"2026-11-22": "2026-11-01 2026-11-30, 2026-10-01 2026-10-31, 2026-10-01 2026-12-31, 2026-01-01 2026-12-31",
	} {
		date, err := parseDate(today)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range periods(date) {
			got = append(got, p.From.String()+" "+p.To.String())
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("on %s: %v, want %s", today, got, want)
		}
	}
}

// goodForm is an expense as somebody types it who knows how.
func goodForm() expenseForm {
	return expenseForm{
		Date: "2026-03-02", Person: "Zoë", Item: " Team  Lunch\t", Category: "Meals", Amount: "$1,234.5", Note: "\r\n two\r\nlines\tand a tab ",
	}
}

func TestCheckForm(t *testing.T) {
	today := newDate(2026, 11, 22)
	entry, problems := goodForm().check(today)
	want := Entry{
		Date: newDate(2026, 3, 2), Person: "Zoë", Item: "Team  Lunch", Category: "Meals", Amount: 123450, Note: "two\nlines\tand a tab",
	}
	if entry != want || problems.any() {
		t.Fatalf("got %+v, %+v", entry, problems)
	}
	tests := []struct {
		name  string
		spoil func(*expenseForm)
		field string // whose sentence is expected; none where the form is right
	}{
		{"date missing", func(f *expenseForm) { f.Date = " " }, "date"},
		{"date in another form", func(f *expenseForm) { f.Date = "02/03/2026" }, "date"},
		{"no such day", func(f *expenseForm) { f.Date = "2026-02-30" }, "date"},
		{"first day", func(f *expenseForm) { f.Date = "2000-01-01" }, ""},
		{"before the first day", func(f *expenseForm) { f.Date = "1999-12-31" }, "date"},
		{"last day", func(f *expenseForm) { f.Date = "2027-11-22" }, ""},
		{"after the last day", func(f *expenseForm) { f.Date = "2027-11-23" }, "date"},
		{"item missing", func(f *expenseForm) { f.Item = "\u00a0 " }, "item"},
		{"item as long as may be", func(f *expenseForm) { f.Item = strings.Repeat("é", 200) }, ""},
		{"item too long", func(f *expenseForm) { f.Item = strings.Repeat("é", 201) }, "item"},
		{"item with NUL", func(f *expenseForm) { f.Item = "a\x00b" }, "item"},
		{"item with two lines", func(f *expenseForm) { f.Item = "a\nb" }, "item"},
		{"item with a C1 control", func(f *expenseForm) { f.Item = "a\u0085b" }, "item"},
		{"item not UTF-8", func(f *expenseForm) { f.Item = "a\xffb" }, "item"},
		{"item with an emoji of several parts", func(f *expenseForm) { f.Item = "👩‍🚀" }, ""},
		{"category missing", func(f *expenseForm) { f.Category = "" }, "category"},
		{"category too long", func(f *expenseForm) { f.Category = strings.Repeat("c", 51) }, "category"},
		{"person missing", func(f *expenseForm) { f.Person = "" }, "person"},
		{"person too long", func(f *expenseForm) { f.Person = strings.Repeat("p", 201) }, "person"},
		{"amount missing", func(f *expenseForm) { f.Amount = "" }, "amount"},
		{"zero", func(f *expenseForm) { f.Amount = "0.00" }, "amount"},
		{"below zero", func(f *expenseForm) { f.Amount = "-1" }, "amount"},
		{"one cent", func(f *expenseForm) { f.Amount = "0.01" }, ""},
		{"ten million", func(f *expenseForm) { f.Amount = "10000000" }, ""},
		{"over ten million", func(f *expenseForm) { f.Amount = "10000000.01" }, "amount"},
		{"NaN", func(f *expenseForm) { f.Amount = "NaN" }, "amount"},
		{"infinity", func(f *expenseForm) { f.Amount = "Inf" }, "amount"},
		{"1e309", func(f *expenseForm) { f.Amount = "1e309" }, "amount"},
		{"hexadecimal", func(f *expenseForm) { f.Amount = "0x10" }, "amount"},
		{"tenths of a cent", func(f *expenseForm) { f.Amount = "1.005" }, "amount"},
		{"no note", func(f *expenseForm) { f.Note = "" }, ""},
		{"note too long", func(f *expenseForm) { f.Note = strings.Repeat("n", 2001) }, "note"},
		{"note with an escape", func(f *expenseForm) { f.Note = "\x1b[31m" }, "note"},
		{"note with a lone CR", func(f *expenseForm) { f.Note = "a\rb" }, "note"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			form := goodForm()
			test.spoil(&form)
			_, problems := form.check(today)
			list := problems.list()
			if test.field == "" && len(list) != 0 || test.field != "" && (len(list) != 1 || !strings.HasPrefix(list[0], test.field+": ")) {
				t.Errorf("problems %q, want one of %q", list, test.field)
			}
		})
	}
}

func TestAverage(t *testing.T) {
	for _, test := range []struct {
		total Money
		count int64
		want  Money
	}{{0, 0, 0}, {100, 3, 33}, {200, 3, 67}, {5, 2, 3}, {-5, 2, -3}, {-100, 3, -33}, {4, 2, 2}, {maxMoney * 1_000_000, 1_000_000, maxMoney}} {
		if got := average(test.total, test.count); got != test.want {
			t.Errorf("average(%d, %d) = %d, want %d", test.total, test.count, got, test.want)
		}
	}
}

func TestParseExpenseQuery(t *testing.T) {
	id := newID()
	at := expenseQuery{Sort: "person", After: cursor{"zoë", id}}.encodeCursor()
	tests := []struct {
		name, query string
		want        expenseQuery // where the error is empty
		err         string       // a part of its text
	}{
		{"nothing", "", expenseQuery{Sort: "date", Desc: true}, ""},
		{"an empty form", "q=&person=&category=&from=&to=&sort=&order=&after=", expenseQuery{Sort: "date", Desc: true}, ""},
		{"all", "q=+50%25+&person=Zo%C3%AB&category=Meals&from=2026-01-01&to=2026-01-31&sort=person&order=asc&after=" + at, expenseQuery{
			Q: "50%", Person: "Zoë", Category: "Meals", From: newDate(2026, 1, 1), To: newDate(2026, 1, 31), Sort: "person", After: cursor{"zoë", id},
		}, ""},
		{"sort alone", "sort=amount", expenseQuery{Sort: "amount"}, ""},
		{"order alone", "order=asc", expenseQuery{Sort: "date"}, ""},
		{"one day", "from=2026-01-01&to=2026-01-01", expenseQuery{From: newDate(2026, 1, 1), To: newDate(2026, 1, 1), Sort: "date", Desc: true}, ""},
		{"unknown parameter", "page=2", expenseQuery{}, "q, person, category, from, to, sort, order, after"},
		{"another case", "Sort=date", expenseQuery{}, "q, person, category"},
		{"empty name", "=x", expenseQuery{}, "q, person, category"},
		{"repeated", "sort=date&sort=item", expenseQuery{}, "sort stands more than once"},
		{"unknown sort", "sort=note", expenseQuery{}, "date, person, item, category, amount"},
		{"part of a sort", "sort=date,", expenseQuery{}, "date, person, item, category, amount"},
		{"SQL as sort", "sort=date;drop+table+expenses", expenseQuery{}, "not a parameter"},
		{"unknown order", "order=DESC", expenseQuery{}, "asc, desc"},
		{"bad date", "from=2026-02-30", expenseQuery{}, "from is understood as a date"},
		{"date with a time", "to=2026-02-03T00:00:00Z", expenseQuery{}, "to is understood as a date"},
		{"from after to", "from=2026-02-02&to=2026-02-01", expenseQuery{}, "from 2026-02-02 is after to 2026-02-01"},
		{"control character", "q=a%00b", expenseQuery{}, "q is understood as a text"},
		{"not UTF-8", "person=%ff", expenseQuery{}, "person is understood as a text"},
		{"too long", "q=" + strings.Repeat("q", 201), expenseQuery{}, "q is understood as a text of up to 200"},
		{"no cursor", "after=2", expenseQuery{}, "after is not a place"},
		{"cursor of another sort", "sort=item&after=" + at, expenseQuery{}, "after is not a place"},
		{"cursor of another order", "sort=person&order=desc&after=" + at, expenseQuery{}, "after is not a place"},
		{"padded cursor", "sort=person&after=" + at + "%3D", expenseQuery{}, "after is not a place"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// What url.ParseQuery drops is the concern of who calls it.
			params, _ := url.ParseQuery(strings.ReplaceAll(test.query, ";", "%3B"))
			if test.name == "SQL as sort" {
				params = url.Values{"date;drop table expenses": {"x"}}
			}
			got, err := parseExpenseQuery(params)
			var problem *queryError
			switch {
			case test.err == "" && (err != nil || !reflect.DeepEqual(got, test.want)):
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			case test.err != "" && (!errors.As(err, &problem) || !strings.Contains(problem.Text, test.err)):
				t.Errorf("error %v, want one with %q", err, test.err)
			}
		})
	}
}

func TestCursorIsChecked(t *testing.T) {
	id := newID()
	for name, q := range map[string]expenseQuery{
		"date that is none":         {Sort: "date", After: cursor{"2026-02-30", id}},
		"amount that is no number":  {Sort: "amount", After: cursor{"1e3", id}},
		"amount beyond all numbers": {Sort: "amount", After: cursor{"99999999999999999999", id}},
		"text with NUL":             {Sort: "item", After: cursor{"a\x00", id}},
		"text with more lines":      {Sort: "item", After: cursor{"a\nb", id}},
		"no text":                   {Sort: "item", After: cursor{"", id}},
		"id that is none":           {Sort: "item", After: cursor{"a", "' OR 1=1 --"}},
	} {
		if _, err := parseExpenseQuery(url.Values{"sort": {q.Sort}, "order": {"asc"}, "after": {q.encodeCursor()}}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{"2026-02-28", "2024-02-29", "0001-01-01", "9999-12-31", "2026-2-8", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if date, err := parseDate(text); err == nil && date.String() != text {
			t.Errorf("%q is read as %v", text, date)
		}
	})
}

func FuzzExpenseQuery(f *testing.F) {
	for _, seed := range []string{
		"", "q=a&person=b&category=c&from=2026-01-01&to=2026-12-31&sort=item&order=desc", "sort=amount&order=asc", "q=%25_%5C",
		"after=" + expenseQuery{Sort: "date", Desc: true, After: cursor{"2026-01-01", newID()}}.encodeCursor(),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		params, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q, err := parseExpenseQuery(params)
		if err != nil {
			return
		}
		again, err := parseExpenseQuery(q.values())
		if err != nil || !reflect.DeepEqual(again, q) {
			t.Errorf("%+v comes back as %+v, %v", q, again, err)
		}
	})
}

func FuzzCursor(f *testing.F) {
	for _, sort := range strings.Split(sortNames, ", ") {
		q := expenseQuery{Sort: sort, Desc: true}
		q.After = q.cursorAt(Expense{ID: newID(), Entry: lunch()})
		f.Add(sort, q.encodeCursor())
		f.Add(sort, q.encodeCursor()[:8]+"\n"+q.encodeCursor()[8:])
	}
	f.Fuzz(func(t *testing.T, sort, text string) {
		q := expenseQuery{Sort: sort, Desc: true}
		at, ok := q.parseCursor(text)
		if !ok {
			return
		}
		q.After = at
		if q.encodeCursor() != text {
			t.Errorf("%q is read as %+v", text, at)
		}
	})
}
