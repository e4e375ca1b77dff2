package expensefile

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"expense-dashboard/internal/expense"
)

// each calls fn with each of a list, as Store.Each does.
func each(list ...expense.Expense) func(func(expense.Expense) error) error {
	return func(fn func(expense.Expense) error) error {
		for _, e := range list {
			if err := fn(e); err != nil {
				return err
			}
		}
		return nil
	}
}

// lunch is a right expense; each test changes it.
func lunch() expense.Entry {
	return expense.Entry{
		Team: "finance", Date: expense.NewDate(2026, time.March, 2), Person: "Alice Johnson", Owner: "alice.johnson@task-vantage.com",
		Item: "Team Lunch", Category: "Meals", Amount: 18050, Note: "with the auditors",
	}
}

func anyTeam(string) bool { return true }

func TestWriteCSV(t *testing.T) {
	e := expense.Expense{ID: strings.Repeat("a", 26), Entry: lunch(), Version: 3}
	e.Item, e.Note, e.Amount = `=HYPERLINK("https://evil.example")`, "two\nlines, \"quoted\"", 123450
	var out bytes.Buffer
	if err := WriteCSV(&out, expense.Dollars(), each(e)); err != nil {
		t.Fatal(err)
	}
	want := "id,date,team,person,item,category,amount,note,version,owner\r\n" +
		e.ID + `,2026-03-02,finance,Alice Johnson,"'=HYPERLINK(""https://evil.example"")",Meals,1234.50,"two` + "\r\n" + `lines, ""quoted""",3,alice.johnson@task-vantage.com` + "\r\n"
	if out.String() != want {
		t.Errorf("got\n%q\nwant\n%q", out.String(), want)
	}
}

func TestWriteJSON(t *testing.T) {
	for name, test := range map[string]struct {
		list []expense.Expense
		want string
	}{
		"none": {nil, `{"expenses":[],"count":0,"total":"0.00"}`},
		"two": {
			[]expense.Expense{{ID: "a", Entry: lunch(), Version: 3}, {ID: "b", Entry: lunch(), Version: 3}},
			`{"expenses":[` +
				`{"id":"a","date":"2026-03-02","team":"finance","person":"Alice Johnson","item":"Team Lunch","category":"Meals","amount":"180.50","note":"with the auditors","version":"3","owner":"alice.johnson@task-vantage.com"},` +
				`{"id":"b","date":"2026-03-02","team":"finance","person":"Alice Johnson","item":"Team Lunch","category":"Meals","amount":"180.50","note":"with the auditors","version":"3","owner":"alice.johnson@task-vantage.com"}` +
				`],"count":2,"total":"361.00"}`,
		},
	} {
		var out bytes.Buffer
		if err := WriteJSON(&out, expense.Dollars(), each(test.list...)); err != nil || out.String() != test.want+"\n" || !json.Valid(out.Bytes()) {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, out.String(), test.want)
		}
	}
}

func TestFilesSayNothingWhereTheDatabaseFails(t *testing.T) {
	lost := errors.New("lost")
	fails := func(func(expense.Expense) error) error { return lost }
	for name, write := range map[string]func(io.Writer, expense.Currency, func(func(expense.Expense) error) error) error{"CSV": WriteCSV, "JSON": WriteJSON} {
		var out bytes.Buffer
		if err := write(&out, expense.Dollars(), fails); !errors.Is(err, lost) || out.Len() > 0 {
			t.Errorf("%s: %v after %q", name, err, out.String())
		}
	}
}

func TestFormulasAreNeutralized(t *testing.T) {
	for cell, want := range map[string]string{
		"":             "",
		"plain":        "plain",
		"a=1":          "a=1",
		"'quoted'":     "'quoted'",
		"O'Brien":      "O'Brien",
		"=1+1":         "'=1+1",
		"+1":           "'+1",
		"-1":           "'-1",
		"@SUM(A1)":     "'@SUM(A1)",
		"\tcmd":        "'\tcmd",
		"\ncmd":        "'\ncmd",
		"  =1":         "'  =1",
		"\u00a0=1":     "'\u00a0=1",
		"\u200b=1":     "'\u200b=1",
		"\ufeff=1":     "'\ufeff=1",
		"＝1":           "'＝1",
		"＋1":           "'＋1",
		"－1":           "'－1",
		"＠SUM(A1)":     "'＠SUM(A1)",
		"\u22121":      "'\u22121",
		"'=1":          "''=1",
		"'''=1":        "''''=1",
		"' =1":         "'' =1",
		"=cmd|' /C'!A": "'=cmd|' /C'!A",
	} {
		got := neutralize(cell)
		if got != want || restoreCell(got) != cell {
			t.Errorf("%q becomes %q, want %q, and back %q", cell, got, want, restoreCell(got))
		}
	}
}

func TestParseImport(t *testing.T) {
	const good = ",2026-03-02,finance,Zoë,Lunch,Meals,12.50,\n"
	id := expense.NewID()
	tests := []struct {
		name, file string
		rows       int
		faults     []string // line and the start of what is wrong
	}{
		{"header alone", "", 0, nil},
		{"a new row", good, 1, nil},
		{"a row with an id", id + good, 1, nil},
		{"CR LF", strings.ReplaceAll(good+good, "\n", "\r\n"), 2, nil},
		{"no line end at the end", strings.TrimSpace(good), 1, nil},
		{"quotes", `,2026-03-02,finance,"Zoë ""Z"" Li","Lunch, ""long""",Meals,"1,234.50","two` + "\nlines\"\n", 1, nil},
		{"an empty line", good + "\n" + good, 2, nil},
		{"everything wrong", "x,yesterday,nowhere,,\x01,,free,\x00\n", 0, []string{
			"2 date:", "2 person:", "2 item:", "2 category:", "2 amount:", "2 note:", "2 id:", "2 team:",
		}},
		{"faults by line", good + "\n" + `,2026-03-02,finance,Zoë,"two` + "\n" + `lines",Meals,1,` + "\n" + ",2026-03-02,finance,Zoë,Lunch,Meals,0,\n", 0, []string{"4 item:", "6 amount:"}},
		{"a cell too few", ",2026-03-02,finance,Zoë,Lunch,Meals,12.50\n", 0, []string{"2 This line has 7 cells"}},
		{"a cell too many", strings.TrimSpace(good) + ",\n", 0, []string{"2 This line has 9 cells"}},
		{"an id twice", id + good + id + good, 0, []string{"3 id: The same expense stands in line 2"}},
		{"a quote out of place", good + `,2026-03-02,fin"ance,Zoë,Lunch,Meals,1,` + "\n", 0, []string{"3 A quotation mark"}},
		{"a quote without end", good + `,"`, 0, []string{"3 A quotation mark"}},
		{"not UTF-8", ",2026-03-02,finance,Zo\xeb,Lunch,Meals,12.50,\n", 0, []string{"2 person:"}},
	}
	known := func(id string) bool { return id == "finance" }
	for _, test := range tests {
		for prefix, mark := range map[string]string{"": "", " with a mark": "\ufeff"} {
			t.Run(test.name+prefix, func(t *testing.T) {
				rows, faults := ParseImport(strings.NewReader(mark+Columns+"\n"+test.file), known, expense.NewDate(2026, 11, 22), expense.Dollars())
				if len(rows) != test.rows || len(faults) != len(test.faults) {
					t.Fatalf("%d rows, faults %v", len(rows), faults)
				}
				for i, fault := range faults {
					if text := fmt.Sprint(fault.Line, " ", fault.Text); !strings.HasPrefix(text, test.faults[i]) {
						t.Errorf("fault %q, want %q", text, test.faults[i])
					}
				}
			})
		}
	}
}

func TestParseImportNeedsItsHeader(t *testing.T) {
	for _, file := range []string{
		"", "\n", "\ufeff", "id,date,team,person,item,category,amount\n", "id,date,team,person,item,category,amount,note,version\n", "date,id,team,person,item,category,amount,note\n",
		strings.ToUpper(Columns), strings.ReplaceAll(Columns, ",", ";"), Columns + ",more\n", "\"", "\xff\xfei\x00d\x00",
	} {
		rows, faults := ParseImport(strings.NewReader(file), anyTeam, expense.NewDate(2026, 11, 22), expense.Dollars())
		if rows != nil || len(faults) != 1 || faults[0].Line != 1 || !strings.Contains(faults[0].Text, Columns) {
			t.Errorf("%q: %v, %v", file, rows, faults)
		}
	}
	rows, faults := ParseImport(io.MultiReader(strings.NewReader(Columns+"\n"), iotest.ErrReader(io.ErrClosedPipe)), anyTeam, expense.NewDate(2026, 11, 22), expense.Dollars())
	if rows != nil || len(faults) != 1 {
		t.Errorf("a file that breaks off: %v, %v", rows, faults)
	}
}

func TestParseImportHasBounds(t *testing.T) {
	t.Parallel()
	good := ",2026-03-02,finance,Zoë,Lunch,Meals,12.50,\n"
	rows, faults := ParseImport(strings.NewReader(Columns+"\n"+strings.Repeat(good, maxImportRows)), anyTeam, expense.NewDate(2026, 11, 22), expense.Dollars())
	if len(rows) != maxImportRows || faults != nil {
		t.Errorf("as many as may be: %d rows, %v", len(rows), faults)
	}
	rows, faults = ParseImport(strings.NewReader(Columns+"\n"+strings.Repeat(good, maxImportRows+1)), anyTeam, expense.NewDate(2026, 11, 22), expense.Dollars())
	if rows != nil || len(faults) != 1 || faults[0].Line != maxImportRows+2 {
		t.Errorf("one more: %d rows, %v", len(rows), faults)
	}
	_, faults = ParseImport(strings.NewReader(Columns+"\n"+strings.Repeat("x\n", MaxLineErrors+7)), anyTeam, expense.NewDate(2026, 11, 22), expense.Dollars())
	if len(faults) != MaxLineErrors+1 || !strings.Contains(faults[MaxLineErrors].Text, "7 more") || faults[MaxLineErrors].Line != MaxLineErrors+8 {
		t.Errorf("many faults: %d, the last %v", len(faults), faults[len(faults)-1])
	}
}

// FuzzImport checks that what is taken from a file comes back from the file that
// it is written to, and that a reader of CSV sees no formula in that.
func FuzzImport(f *testing.F) {
	f.Add("", "2026-03-02", "finance", "Zoë", "Lunch", "Meals", "12.50", "two\nlines")
	f.Add(expense.NewID(), "2026-03-02", "hr", "'=1", "=1+1", "\u200b@x", "1,234.50", "\t'\r\n-\"")
	f.Add("", "2026-03-02", "'+", "＝1", "''=", " '@", "$1", "\\.")
	f.Fuzz(func(t *testing.T, id, date, team, person, item, category, amount, note string) {
		today := expense.NewDate(2026, 11, 22)
		var file bytes.Buffer
		file.WriteString(Columns + "\n")
		in := csv.NewWriter(&file)
		if err := in.Write([]string{id, date, team, person, item, category, amount, note}); err != nil {
			return
		}
		in.Flush()
		rows, faults := ParseImport(&file, anyTeam, today, expense.Dollars())
		if len(faults) > 0 || len(rows) != 1 || !isText(rows[0].Entry.Team) {
			return
		}
		var out bytes.Buffer
		if err := WriteCSV(&out, expense.Dollars(), each(expense.Expense{ID: rows[0].ID, Entry: rows[0].Entry})); err != nil {
			t.Fatal(err)
		}
		cells, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
		if err != nil || slices.ContainsFunc(cells[1], isFormula) {
			t.Errorf("a formula in %q, %v", cells, err)
		}
		again, faults := ParseImport(&out, anyTeam, today, expense.Dollars())
		if len(faults) > 0 || !reflect.DeepEqual(again, rows) {
			t.Errorf("%+v comes back as %+v, %v", rows, again, faults)
		}
	})
}

// isText reports whether a team's id could be in a teams file.
func isText(id string) bool { return expense.CheckText(id, 100, "") == "" }
