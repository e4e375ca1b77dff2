package expensefile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"expense-dashboard/internal/expense"
)

// testRules are those of a dashboard with a few teams, in dollars.
func testRules() Rules {
	teams := map[string]string{
		"finance": "finance", "hr": "hr", "human resources": "hr", "legal": "legal",
		"marketing": "marketing", "dev-advocacy": "dev-advocacy", "dev advocacy": "dev-advocacy",
	}
	return Rules{
		Today: expense.NewDate(2026, 11, 22), Currency: expense.Dollars(),
		Team:    func(name string) (string, bool) { id, ok := teams[strings.ToLower(name)]; return id, ok },
		Address: strings.ToLower,
	}
}

// opener opens a file again and again.
func opener(file []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }
}

// read returns a file's layout and rows.
func read(t testing.TB, file []byte, choices Choices) (*Layout, []Row) {
	t.Helper()
	layout, err := Examine(opener(file), testRules(), choices)
	if err != nil {
		t.Fatal(err)
	}
	var rows []Row
	err = layout.Rows(bytes.NewReader(file), func(row Row) error { rows = append(rows, row); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return layout, rows
}

// told writes a row down for a table of cases.
func told(row Row) string {
	switch e := row.Entry; {
	case row.Skipped != "":
		return fmt.Sprintf("%d skipped: %s", row.Line, row.Skipped)
	case len(row.Faults) > 0:
		return fmt.Sprintf("%d wrong: %s", row.Line, strings.Join(row.Faults, " "))
	default:
		return fmt.Sprintf("%d %v %s %s %s|%s|%s|%s|%s", row.Line, e.Date, e.Team, plainMoney(e.Amount), e.Person, e.Owner, e.Item, e.Category, e.Note)
	}
}

func TestFilesAsPeopleHaveThem(t *testing.T) {
	for _, test := range []struct {
		file    string
		choices Choices
		open    string // what is asked
		rows    []string
	}{
		{"semicolon-windows-1252.csv", Choices{}, "", []string{
			"2 2026-11-03 finance 1234.50 Zoë Krüger||Füße vermessen|Büro|Maß; genau",
			"3 2026-10-14 hr 12.50 Jürgen Öztürk||Kaffee|Verpflegung|",
		}},
		{"utf-16-tab.txt", Choices{}, "", []string{"2 2026-11-02 legal 310.00 Iñaki Núñez||Traducción|Services|"}},
		{"excel-sep-line.csv", Choices{}, "", []string{"3 2026-09-30 marketing 89.90 Ben Ode||Banner|Print|"}},
		{"headers-in-any-order.csv", Choices{}, "ignored Cost centre", []string{"2 2026-08-19 dev-advocacy 45.10 Mia Ito||Taxi|travel|"}},
		{"us-dates-and-amounts.csv", Choices{}, "", []string{
			"2 2025-12-31 finance 1299.00 Lee Park||Licence|Software|",
			"3 2026-01-04 finance -99.00 Lee Park||Refund of licence|Software|two users less",
			`4 wrong: date: There is no day "2/29/2026".`,
		}},
		{"either-order-of-dates.csv", Choices{}, "date 03/04/2026", []string{
			`2 wrong: date: "03/04/2026" may be two days. Choose above what comes first.`,
			`3 wrong: date: "05/06/2026" may be two days. Choose above what comes first.`,
		}},
		{"either-order-of-dates.csv", Choices{Dates: DayFirst}, "date 03/04/2026", []string{
			"2 2026-04-03 hr 120.00 Ana Ruiz||Course|Training|", "3 2026-06-05 hr 31.20 Ana Ruiz||Books|Training|",
		}},
		{"either-order-of-dates.csv", Choices{Dates: MonthFirst}, "date 03/04/2026", []string{
			"2 2026-03-04 hr 120.00 Ana Ruiz||Course|Training|", "3 2026-05-06 hr 31.20 Ana Ruiz||Books|Training|",
		}},
		{"note-and-total-lines.csv", Choices{}, "", []string{
			"1 skipped: It is above the line that names the columns.",
			"4 wrong: person: The file does not say whose it is. Choose it above. team: The file does not say. Choose the team above.",
			"5 skipped: Its amount is zero.",
			`6 skipped: It is a total: "Total balance".`,
		}},
		{"note-and-total-lines.csv", Choices{Team: "hr", Person: "Ana Ruiz"}, "", []string{
			"1 skipped: It is above the line that names the columns.",
			"4 2026-07-02 hr 84.33 Ana Ruiz||Groceries for the offsite|Food|",
			"5 skipped: Its amount is zero.",
			`6 skipped: It is a total: "Total balance".`,
		}},
		{"twins-and-text.csv", Choices{}, "", []string{
			"2 2026-11-10 finance 3.80 carol.lee@task-vantage.com|carol.lee@task-vantage.com|Coffee|Meals|",
			"3 2026-11-10 finance 3.80 carol.lee@task-vantage.com|carol.lee@task-vantage.com|Coffee|Meals|",
			"4 2026-11-10 finance 2.00 Carol Lee||=1+1|Meals|line one\nline \"two\"",
			"6 2026-11-11 finance 5.00 Carol Lee||00123|Office|1/2",
		}},
	} {
		t.Run(fmt.Sprint(test.file, test.choices), func(t *testing.T) {
			file, err := os.ReadFile("testdata/imports/" + test.file)
			if err != nil {
				t.Fatal(err)
			}
			layout, rows := read(t, file, test.choices)
			var got []string
			for _, row := range rows {
				got = append(got, told(row))
			}
			if !slices.Equal(got, test.rows) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.rows, "\n"))
			}
			if open := asked(layout); open != test.open {
				t.Errorf("asks %q, want %q", open, test.open)
			}
		})
	}
}

// asked writes down what a layout leaves open and what it ignores.
func asked(l *Layout) string {
	var list []string
	if l.EitherDate != "" {
		list = append(list, "date "+l.EitherDate)
	}
	if l.EitherAmount != "" {
		list = append(list, "amount "+l.EitherAmount)
	}
	for _, c := range l.Columns {
		if c.Field == "" {
			list = append(list, "ignored "+c.Name)
		}
	}
	for _, name := range l.UnknownTeams {
		list = append(list, "team "+name)
	}
	return strings.Join(list, ", ")
}

func TestTwinsAreTwoExpenses(t *testing.T) {
	file, err := os.ReadFile("testdata/imports/twins-and-text.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, rows := read(t, file, Choices{})
	_, again := read(t, file, Choices{})
	keys := map[string]bool{}
	for i, row := range rows {
		keys[row.Key] = true
		if again[i].Key != row.Key {
			t.Errorf("line %d has another key the second time", row.Line)
		}
	}
	if len(keys) != 4 || keys[""] {
		t.Errorf("keys %v", keys)
	}
}

// TestLinesOfSums are those that a spreadsheet puts below our own export, in whatever
// column comes first there.
func TestLinesOfSums(t *testing.T) {
	head := Columns + "\n,2026-03-02,finance,Zoë,Lunch,Meals,12.50,,,\n"
	for name, test := range map[string]struct{ line, want string }{
		"in the column of ids":        {"Total,,,,,,12.50,,,", `3 skipped: It is a total: "Total".`},
		"in the column of items":      {",,,,Grand total,,12.50,,,", `3 skipped: It is a total: "Grand total".`},
		"in words":                    {"Sum of all:,,,,,,12.50,,,", `3 skipped: It is a total: "Sum of all:".`},
		"an expense, which has a day": {",2026-03-03,finance,Zoë,Total wine,Meals,9.00,,,", "3 2026-03-03 finance 9.00 Zoë||Total wine|Meals|"},
	} {
		t.Run(name, func(t *testing.T) {
			_, rows := read(t, []byte(head+test.line+"\n"), Choices{})
			if len(rows) != 2 || told(rows[1]) != test.want {
				t.Errorf("got %v, want %s", rows, test.want)
			}
		})
	}
}

func TestWhatIsNoTable(t *testing.T) {
	workbook, err := os.ReadFile("testdata/imports/really-a-workbook.xlsx.csv")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ file, want string }{
		"nothing":             {"", "The file is empty."},
		"a mark alone":        {"\ufeff", "No table was found"},
		"a workbook":          {string(workbook), "This is an Excel workbook: save it as CSV."},
		"an old workbook":     {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "This is an Excel workbook: save it as CSV."},
		"a sheet of another":  {"PK\x03\x04\x14\x00mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "This is an OpenDocument spreadsheet"},
		"another archive":     {"PK\x03\x04\x14\x00readme.txt", "This is a ZIP archive"},
		"compressed":          {"\x1f\x8b\x08\x00", "This is a compressed file"},
		"a PDF":               {"%PDF-1.7\n", "This is a PDF document"},
		"a web page":          {"<html><table>", "This is a web page"},
		"JSON":                {`{"expenses":[]}`, "This is a JSON file"},
		"bytes":               {"a\x00\x00\x00b\x01\x02", "This is not a text file"},
		"a letter":            {"Dear Sir or Madam\nplease find my expenses\n", "No table was found"},
		"a list":              {"Taxi\nLunch\n", "No table was found"},
		"rows without a head": {"2026-01-02,finance,Zoë,Lunch,Meals,12.50,\n", "No table was found"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Examine(opener([]byte(test.file)), testRules(), Choices{})
			var none *TableError
			if !errors.As(err, &none) || !strings.HasPrefix(none.Text, test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestDatesAreReadAsTheFileWritesThem(t *testing.T) {
	for _, test := range []struct {
		name  string
		cells []string
		want  string
		open  string
	}{
		{"ISO", []string{"2026-01-31"}, "2026-01-31", ""},
		{"ISO with a time", []string{"2026-01-31T23:59:59Z", "2026-01-31 08:15", "2026-01-31 8:15:30 PM"}, "2026-01-31 2026-01-31 2026-01-31", ""},
		{"ISO with slashes", []string{"2026/01/31"}, "2026-01-31", ""},
		{"points", []string{"31.01.2026", "1.2.2026", "1. 2. 26"}, "2026-01-31 2026-02-01 2026-02-01", ""},
		{"the day first", []string{"01/02/2026", "31/01/2026"}, "2026-02-01 2026-01-31", ""},
		{"the month first", []string{"01/02/2026", "1/31/26"}, "2026-01-02 2026-01-31", ""},
		{"hyphens", []string{"01-02-2026", "31-01-2026"}, "2026-02-01 2026-01-31", ""},
		{"either order", []string{"01/02/2026"}, "wrong", "date 01/02/2026"},
		{"either order but the same day", []string{"02/02/2026"}, "2026-02-02", ""},
		{"both orders", []string{"31/01/2026", "01/31/2026"}, "wrong wrong", "date 01/31/2026"},
		{"months in words", []string{"31-Jan-26", "31 January 2026", "Jan 31, 2026"}, "2026-01-31 2026-01-31 2026-01-31", ""},
		{"no such day", []string{"30.02.2026", "2026-13-01", "2026-02-30"}, "wrong wrong wrong", ""},
		{"no date", []string{"soon", "46023", "2026-01-31 or so", "31/01-2026"}, "wrong wrong wrong wrong", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := "date;team;person;item;category;amount\n"
			for _, cell := range test.cells {
				file += cell + ";finance;Zoë;Lunch;Meals;1\n"
			}
			layout, rows := read(t, []byte(file), Choices{})
			var got []string
			for _, row := range rows {
				got = append(got, row.Entry.Date.String())
				if len(row.Faults) > 0 {
					got[len(got)-1] = "wrong"
				}
			}
			if strings.Join(got, " ") != test.want || asked(layout) != test.open {
				t.Errorf("got %v, asks %q; want %s, %q", got, asked(layout), test.want, test.open)
			}
		})
	}
}

func TestAmountsAreReadAsTheFileWritesThem(t *testing.T) {
	for _, test := range []struct {
		name  string
		cells []string
		want  string
		open  string
	}{
		{"plain", []string{"1234.50", "1234.5", "1234", ".99", "0.99", "12."}, "1234.50 1234.50 1234.00 0.99 0.99 12.00", ""},
		{"commas between groups", []string{"1,234.50", "1,234,567.00", "1,234"}, "1234.50 1234567.00 1234.00", ""},
		{"points between groups", []string{"1.234,50", "1.234.567,00", "1.234", "12,5"}, "1234.50 1234567.00 1234.00 12.50", ""},
		{"spaces between groups", []string{"1 234,50", "1\u00a0234,50", "1\u202f234,50", "12 345 678"}, "1234.50 1234.50 1234.50 wrong", ""},
		{"apostrophes between groups", []string{"1'234.50", "1’234.50"}, "1234.50 1234.50", ""},
		{"a currency", []string{"$12.50", "12.50 USD", "USD 12.50", "US$12.50", "$12.50 usd"}, "12.50 12.50 12.50 12.50 12.50", ""},
		{"another currency", []string{"€12.50", "12.50 EUR", "£12.50", "12.50 points"}, "wrong wrong wrong wrong", ""},
		{"refunds", []string{"($99.00)", "-99.00", "99.00-", "-$99.00", "$-99.00", "\u221299.00"}, "-99.00 -99.00 -99.00 -99.00 -99.00 -99.00", ""},
		{"either mark", []string{"1,234"}, "wrong", "amount 1,234"},
		{"either mark, by the point", []string{"1.234"}, "wrong", "amount 1.234"},
		{"either mark, settled", []string{"1,234", "1.5"}, "1234.00 1.50", ""},
		{"both marks", []string{"1.50", "1,50"}, "wrong wrong", "amount 1,50"},
		{"too many decimals", []string{"1.50", "0.125"}, "1.50 wrong", ""},
		{"no amount", []string{"free", "1.2.3", "1,23,4", "12..5", "1 2 3", "--5", "(5", "0x1f", "1e3"}, "wrong wrong wrong wrong wrong wrong wrong wrong wrong", ""},
		{"zero", []string{"0", "0.00", "$0"}, "skipped skipped skipped", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := "date;team;person;item;category;amount\n"
			for _, cell := range test.cells {
				file += "2026-01-31;finance;Zoë;Lunch;Meals;" + cell + "\n"
			}
			layout, rows := read(t, []byte(file), Choices{})
			var got []string
			for _, row := range rows {
				switch {
				case row.Skipped != "":
					got = append(got, "skipped")
				case len(row.Faults) > 0:
					got = append(got, "wrong")
				default:
					got = append(got, plainMoney(row.Entry.Amount))
				}
			}
			if strings.Join(got, " ") != test.want || asked(layout) != test.open {
				t.Errorf("got %v, asks %q; want %s, %q", got, asked(layout), test.want, test.open)
			}
		})
	}
	for decimal, want := range map[string]string{DecimalPoint: "1234.00", DecimalComma: ""} {
		layout, rows := read(t, []byte("date,team,person,item,category,amount\n2026-01-31,hr,Zoë,Lunch,Meals,\"1,234\"\n"), Choices{Decimal: decimal})
		if got := plainMoney(rows[0].Entry.Amount); (want == "") != (len(rows[0].Faults) > 0) || want != "" && got != want || asked(layout) != "amount 1,234" {
			t.Errorf("with a decimal %s: %s, %v", decimal, got, rows[0].Faults)
		}
	}
}

func TestEncodingsSeparatorsAndEndsOfLines(t *testing.T) {
	const text = "date,team,person,item,category,amount\n2026-01-31,hr,Zoë Füßli,\"Lunch, long\",Meals,12.50\n2026-01-31,hr,Ana,Tea,Meals,2.50\n"
	wide := func(s string, order func(uint16) [2]byte) string {
		var out []byte
		for _, unit := range utf16.Encode([]rune(s)) {
			pair := order(unit)
			out = append(out, pair[0], pair[1])
		}
		return string(out)
	}
	little := func(u uint16) [2]byte { return [2]byte{byte(u), byte(u >> 8)} }
	big := func(u uint16) [2]byte { return [2]byte{byte(u >> 8), byte(u)} }
	narrow := strings.NewReplacer("ë", "\xeb", "ü", "\xfc", "ß", "\xdf").Replace
	for name, file := range map[string]string{
		"as it is":                      text,
		"a mark":                        "\ufeff" + text,
		"Windows-1252":                  narrow(text),
		"UTF-16 LE":                     wide("\ufeff"+text, little),
		"UTF-16 BE":                     wide("\ufeff"+text, big),
		"UTF-16 LE without a mark":      wide(text, little),
		"UTF-16 BE without a mark":      wide(text, big),
		"CR LF":                         strings.ReplaceAll(text, "\n", "\r\n"),
		"CR":                            strings.ReplaceAll(text, "\n", "\r"),
		"CR LF and LF":                  strings.Replace(text, "\n", "\r\n", 1),
		"no end at the end":             strings.TrimSpace(text),
		"semicolons":                    strings.NewReplacer(",", ";", "Lunch,", "Lunch,").Replace(text),
		"tabs":                          strings.NewReplacer("Lunch, long", "Lunch, long", ",", "\t").Replace(text),
		"bars":                          strings.NewReplacer("Lunch, long", "Lunch, long", ",", "|").Replace(text),
		"sep=":                          "sep=;\r\n" + strings.NewReplacer("Lunch, long", "Lunch, long", ",", ";").Replace(text),
		"blank rows and trailing marks": strings.ReplaceAll(text, "\n", ",,\n\n , ,\n"),
		"capitals and spaces":           strings.Replace(text, "date,team,person,item,category,amount", " DATE , Team,Person:,_item_,CATEGORY ,\"Amount\n\"", 1),
		"notes above":                   "My expenses\n\nBerlin,2026\n" + text,
	} {
		t.Run(name, func(t *testing.T) {
			_, rows := read(t, []byte(file), Choices{})
			var got []string
			for _, row := range rows {
				if row.Skipped == "" {
					got = append(got, strings.Join(append(row.Faults, row.Entry.Person, row.Entry.Item, plainMoney(row.Entry.Amount)), " "))
				}
			}
			long := "Lunch, long"
			if strings.Contains(name, "semicolons") {
				long = "Lunch, long"
			}
			if len(got) != 2 || strings.ReplaceAll(got[0], ";", ",") != "Zoë Füßli "+long+" 12.50" || got[1] != "Ana Tea 2.50" {
				t.Errorf("rows %q", got)
			}
		})
	}
}

func TestColumnsAreAskedFor(t *testing.T) {
	const file = "Wann;Wer;Was;Art;Wieviel;Gruppe\n31.01.2026;Zoë;Lunch;Meals;12,50;hr\n"
	layout, rows := read(t, []byte(file), Choices{})
	if got := asked(layout); !strings.HasPrefix(got, "ignored Wann, ignored Wer") || len(rows) != 1 || len(rows[0].Faults) == 0 {
		t.Errorf("asks %q, rows %v", got, rows)
	}
	chosen := Choices{Columns: map[int]string{0: FieldDate, 1: FieldPerson, 2: FieldItem, 3: FieldCategory, 4: FieldAmount, 5: FieldTeam}}
	if _, rows := read(t, []byte(file), chosen); told(rows[0]) != "2 2026-01-31 hr 12.50 Zoë||Lunch|Meals|" {
		t.Errorf("rows %v", told(rows[0]))
	}
	// Two columns with the same right to a field are asked about, one with the
	// field's own name is taken.
	layout, _ = read(t, []byte("datum,fecha,team,person,item,category,amount\n"), Choices{})
	if got := asked(layout); got != "ignored datum, ignored fecha" {
		t.Errorf("two dates: %q", got)
	}
	layout, _ = read(t, []byte("datum,date,team,person,item,category,amount\n"), Choices{})
	if got := asked(layout); got != "ignored datum" {
		t.Errorf("one date: %q", got)
	}
}

func TestTheSampleImportsAsItIs(t *testing.T) {
	_, rows := read(t, []byte("team,name,item,amount\nfinance,Alice Johnson,Product Launch Campaign,1200\n"), Choices{})
	if got := told(rows[0]); got != "2 2026-11-22 finance 1200.00 Alice Johnson||Product Launch Campaign|Other|" {
		t.Errorf("row %s", got)
	}
	later := testRules()
	later.Today = later.Today.AddDays(1)
	layout, err := Examine(opener([]byte("team,name,item,amount\nfinance,Alice Johnson,Product Launch Campaign,1200\n")), later, Choices{})
	if err != nil {
		t.Fatal(err)
	}
	err = layout.Rows(strings.NewReader("team,name,item,amount\nfinance,Alice Johnson,Product Launch Campaign,1200\n"), func(row Row) error {
		if row.Key != rows[0].Key {
			t.Error("the same file has other keys tomorrow")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTeamsByNameAndByChoice(t *testing.T) {
	file := []byte("date,team,person,item,category,amount\n2026-01-31,HR,Zoë,Lunch,Meals,1\n2026-01-31,Human Resources,Zoë,Lunch,Meals,1\n2026-01-31,gone,Zoë,Lunch,Meals,1\n")
	layout, rows := read(t, file, Choices{})
	if asked(layout) != "team gone" || rows[0].Entry.Team != "hr" || rows[1].Entry.Team != "hr" || told(rows[2]) != `4 wrong: team: There is no team "gone".` {
		t.Errorf("asks %q, rows %v", asked(layout), rows)
	}
	if _, rows := read(t, file, Choices{Teams: map[string]string{"gone": "legal"}}); rows[2].Entry.Team != "legal" || rows[2].Faults != nil {
		t.Errorf("rows %v", rows[2])
	}
}

func TestIdentity(t *testing.T) {
	id := expense.NewID()
	head := "id,date,team,person,item,category,amount,note,version,owner\n"
	line := ",2026-01-31,hr,Zoë,Lunch,Meals,1,"
	for name, test := range map[string]struct {
		rows string
		want string // the faults of the last row
	}{
		"an id":                 {id + line + ",3,Zoe@Example.com\n", ""},
		"no id":                 {line + ",,\n", ""},
		"another program's id":  {"17" + line + ",,\n", `id: "17" is no id`},
		"an id twice":           {id + line + ",,\n" + id + line + ",,\n", "id: The same expense stands in line 2."},
		"no version":            {id + line + ",first,\n", `version: "first" is no version.`},
		"a version below one":   {id + line + ",0,\n", `version: "0" is no version.`},
		"a version without end": {id + line + ",9223372036854775807,\n", "version:"},
		"an owner by name":      {id + line + ",1,Zoë\n", "owner:"},
		"zero with an id":       {id + ",2026-01-31,hr,Zoë,Lunch,Meals,0,,1,\n", "amount:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, rows := read(t, []byte(head+test.rows), Choices{})
			row := rows[len(rows)-1]
			if got := strings.Join(row.Faults, " "); (test.want == "") != (got == "") || !strings.HasPrefix(got, test.want) {
				t.Errorf("faults %q, want %q", got, test.want)
			}
		})
	}
	_, rows := read(t, []byte(head+id+line+",3,Zoe@Example.com\n"), Choices{})
	if r := rows[0]; r.ID != id || r.Version != 3 || r.Entry.Owner != "zoe@example.com" || r.Key != "" {
		t.Errorf("row %+v", r)
	}
}

func TestRowsThatCannotBeReadOn(t *testing.T) {
	head := "date,team,person,item,category,amount,note\n2026-01-31,hr,Zoë,Lunch,Meals,1,\n"
	for name, test := range map[string]struct{ rest, want string }{
		"a quote without end":   {"\"2026\n\n\n", "3 wrong: A quotation mark is never closed here."},
		"a quote out of place":  {"2026-01-31,\"hr\"x,Zoë,Lunch,Meals,1,\nmore\n", "3 wrong: A quotation mark is out of place here."},
		"a row without end":     {"\"" + strings.Repeat("x", maxRecord), "3 wrong: This line is too long"},
		"more cells than there": {"2026-01-31,hr,Zoë,Lunch,Meals,1,,more\n", "3 wrong: This line has 8 cells, and the header 7."},
		"cells without end":     {strings.Repeat(",", maxCells) + "\n", "3 wrong: This line has more than 500 cells."},
		"a quote inside":        {"2026-01-31,hr,Zoë,19\" rack,Meals,1,\n", "3 2026-01-31 hr 1.00 Zoë||19\" rack|Meals|"},
		"a cell too few":        {"2026-01-31,hr,Zoë,Lunch,Meals,1\n", "3 2026-01-31 hr 1.00 Zoë||Lunch|Meals|"},
		"the header again":      {"date,team,person,item,category,amount,note\n", "3 skipped: It names the columns again."},
	} {
		t.Run(name, func(t *testing.T) {
			_, rows := read(t, []byte(head+test.rest), Choices{})
			if len(rows) != 2 || !strings.HasPrefix(told(rows[1]), test.want) {
				t.Errorf("rows %v", rows)
			}
		})
	}
}

func TestFilesHaveBounds(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	file.WriteString("date,team,person,item,category,amount\n")
	for range MaxRows + 1 {
		file.WriteString("2026-01-31,hr,Zoë,Lunch,Meals,1\n")
	}
	layout, err := Examine(opener(file.Bytes()), testRules(), Choices{})
	if err != nil {
		t.Fatal(err)
	}
	count, wrong := 0, ""
	err = layout.Rows(&file, func(row Row) error {
		count++
		wrong = strings.Join(row.Faults, "")
		return nil
	})
	if err != nil || count != MaxRows+1 || !strings.HasPrefix(wrong, "A file may have up to 200000 rows.") {
		t.Errorf("%d rows, the last %q, %v", count, wrong, err)
	}
}

func FuzzRows(f *testing.F) {
	entries, err := os.ReadDir("testdata/imports")
	if err != nil {
		f.Fatal(err)
	}
	for _, entry := range entries {
		file, err := os.ReadFile("testdata/imports/" + entry.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		layout, err := Examine(opener(file), testRules(), Choices{Team: "hr", Person: "Zoë", Category: "Other"})
		var none *TableError
		if errors.As(err, &none) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		line := 0
		err = layout.Rows(bytes.NewReader(file), func(row Row) error {
			if row.Line < line {
				t.Errorf("line %d after line %d", row.Line, line)
			}
			line = row.Line
			if row.Skipped == "" && len(row.Faults) == 0 && (row.Entry.Team == "" || row.Entry.Date.IsZero() || row.Entry.Item == "" || row.Entry.Amount == 0) {
				t.Errorf("a row without fault: %+v", row)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// plainMoney is an amount as a file carries it.
func plainMoney(m expense.Money) string { return expense.Dollars().Plain(m) }

// FuzzExport checks that what is taken from a file comes back from the file that
// it is written to, and that a reader of CSV sees no formula in that.
func FuzzExport(f *testing.F) {
	f.Add("", "2026-03-02", "finance", "Zoë", "Lunch", "Meals", "12.50", "two\nlines")
	f.Add(expense.NewID(), "2026-03-02", "hr", "'=1", "=1+1", "\u200b@x", "1,234.50", "\t'\r\n-\"")
	f.Add("", "2026-03-02", "hr", "＝1", "''=", " '@", "$1", "\\.")
	f.Fuzz(func(t *testing.T, id, date, team, person, item, category, amount, note string) {
		var file bytes.Buffer
		file.WriteString(Columns + "\n")
		in := csv.NewWriter(&file)
		if err := in.Write([]string{id, date, team, person, item, category, amount, note}); err != nil {
			return
		}
		in.Flush()
		if !utf8.Valid(file.Bytes()) {
			return
		}
		_, rows := read(t, file.Bytes(), Choices{})
		if len(rows) != 1 || rows[0].Skipped != "" || len(rows[0].Faults) > 0 {
			return
		}
		var out bytes.Buffer
		if err := WriteCSV(&out, expense.Dollars(), nil, each(expense.Expense{ID: rows[0].ID, Version: 1, Entry: rows[0].Entry})); err != nil {
			t.Fatal(err)
		}
		cells, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
		if err != nil || slices.ContainsFunc(cells[1], isFormula) {
			t.Errorf("a formula in %q, %v", cells, err)
		}
		_, again := read(t, out.Bytes(), Choices{})
		rows[0].Version = 1
		if !reflect.DeepEqual(again, rows) {
			t.Errorf("%+v comes back as %+v", rows, again)
		}
	})
}

// A day that is written right and out of range is told the range.
func TestDatesOutOfRange(t *testing.T) {
	for _, date := range []string{"0001-01-01", "0000-05-05", "1999-12-31", "9999-12-31"} {
		_, rows := read(t, []byte(Columns+"\n,"+date+",finance,Ann,Lunch,Meals,1.00,,,\n"), Choices{})
		if got := told(rows[0]); !strings.HasPrefix(got, "2 wrong: date: Enter a date from 2000-01-01 to 2026-12-23") {
			t.Errorf("%s: %q", date, got)
		}
	}
}
