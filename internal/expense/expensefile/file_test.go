package expensefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
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

func TestWriteCSV(t *testing.T) {
	e := expense.Expense{ID: strings.Repeat("a", 26), Entry: lunch(), Version: 3}
	e.Item, e.Note, e.Amount = `=HYPERLINK("https://evil.example")`, "two\nlines, \"quoted\"\r, three\r\n", 123450
	var out bytes.Buffer
	if err := WriteCSV(&out, expense.Dollars(), nil, each(e)); err != nil {
		t.Fatal(err)
	}
	want := "id,date,team,person,item,category,amount,note,version,owner\r\n" +
		e.ID + `,2026-03-02,finance,Alice Johnson,"'=HYPERLINK(""https://evil.example"")",Meals,1234.50,"two` + "\n" + `lines, ""quoted""` + "\r, three\r\n" + `",3,alice.johnson@task-vantage.com` + "\r\n"
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
		if err := WriteJSON(&out, expense.Dollars(), nil, each(test.list...)); err != nil || out.String() != test.want+"\n" || !json.Valid(out.Bytes()) {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, out.String(), test.want)
		}
	}
}

func TestFilesSayNothingWhereTheDatabaseFails(t *testing.T) {
	lost := errors.New("lost")
	fails := func(func(expense.Expense) error) error { return lost }
	for name, write := range map[string]func(io.Writer, expense.Currency, func(string) bool, func(func(expense.Expense) error) error) error{"CSV": WriteCSV, "JSON": WriteJSON} {
		var out bytes.Buffer
		if err := write(&out, expense.Dollars(), nil, fails); !errors.Is(err, lost) || out.Len() > 0 {
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
