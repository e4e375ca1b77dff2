package acceptance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// counts are the rows of an import, as JSON has them.
type counts struct {
	State                                              string
	New, Changed, Unchanged, Skipped, Conflicts, Wrong int
}

// countsAt returns those of an import's page.
func countsAt(t testing.TB, b *browser, page string) counts {
	t.Helper()
	answer := b.Get(page, "Accept", "application/json")
	answer.Check(t, 200)
	var c counts
	if err := json.Unmarshal([]byte(answer.Body), &c); err != nil {
		t.Fatalf("%v: %s", err, answer.Body)
	}
	return c
}

// finished waits until nobody works at an import any more.
func finished(t testing.TB, b *browser, page string) counts {
	t.Helper()
	for range 600 {
		if c := countsAt(t, b, page); c.State != "running" {
			return c
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the import does not end")
	return counts{}
}

// preview uploads a file and returns the address of its preview.
func preview(t testing.TB, b *browser, file string) string {
	t.Helper()
	answer := b.Upload(file)
	answer.Check(t, http.StatusSeeOther)
	page := answer.Location()
	if !strings.Contains(page, "/expenses/import/") {
		t.Fatalf("the upload leads to %s", page)
	}
	return page
}

func TestImportAtOnce(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	b.Get("/expenses/import").Check(t, 200, columns, `name="file"`, `href="/expenses/import/sample.csv"`)
	const file = columns + "\r\n,2026-01-02,hr,Bob Smith,Chairs,Office,120.50,four\r\n,2026-01-03,hr,Bob Smith,Tables,Office,80.00,\r\n"
	imported := func(file, told string) {
		t.Helper()
		answer := b.Import(file)
		answer.Check(t, http.StatusSeeOther)
		if answer.Location() != "/expenses" && answer.Location() != r.BaseURL+"/expenses" {
			t.Fatalf("the import leads to %s", answer.Location())
		}
		b.Get("/expenses").Check(t, 200, told)
	}
	imported(file, "Imported: 2 added, 0 changed, 0 unchanged.")
	r.Unchanged(func() { imported(file, "Imported: 0 added, 0 changed, 2 unchanged.") })
	whole := b.Get("/expenses.csv").Body
	r.Unchanged(func() { imported(whole, "Imported: 0 added, 0 changed, 22 unchanged.") })
	imported(strings.Replace(whole, "120.50,four", "121.50,five", 1), "Imported: 0 added, 1 changed, 21 unchanged.")
	chairs := b.Exported("/expenses.json?q=chairs").Expenses[0]
	if chairs.Amount != "121.50" || chairs.Note != "five" {
		t.Errorf("changed to %+v", chairs)
	}
	// An old export does not undo that, and is not imported at once.
	r.Unchanged(func() {
		answer := b.Import(whole)
		answer.Check(t, http.StatusSeeOther)
		if c := countsAt(t, b, answer.Location()); c.State != "ready" || c.Conflicts != 1 || c.Unchanged != 21 {
			t.Errorf("an old export: %+v", c)
		}
	})
	// What is offered to try is imported as it is, once.
	sample := b.Get("/expenses/import/sample.csv")
	sample.Check(t, 200, "team,name,item,amount")
	imported(sample.Body, "Imported: 20 added, 0 changed, 0 unchanged.")
	r.Unchanged(func() { imported(sample.Body, "Imported: 0 added, 0 changed, 20 unchanged.") })
}

func TestImportIsLookedAtFirst(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	file, err := os.ReadFile("../expense/expensefile/testdata/imports/either-order-of-dates.csv")
	if err != nil {
		t.Fatal(err)
	}
	var page string
	r.Unchanged(func() {
		page = preview(t, b, string(file))
		if c := countsAt(t, b, page); c != (counts{State: "ready", Wrong: 2}) {
			t.Errorf("before the answer: %+v", c)
		}
		b.Get(page).Check(t, 200, "What comes first in 03/04/2026?", "The day: 3 April 2026", "The month: 4 March 2026", "<strong>Line 2</strong>")
		b.Post(page, url.Values{}).Check(t, http.StatusUnprocessableEntity, "2 lines have errors")
		b.Post(page, url.Values{"dates": {"day-first"}, "look": {"again"}}).Check(t, http.StatusSeeOther)
		if c := countsAt(t, b, page); c != (counts{State: "ready", New: 2}) {
			t.Errorf("after the answer: %+v", c)
		}
		b.Post(page+"/undo", url.Values{}).Check(t, http.StatusConflict, "nothing to undo")
	})
	answer := b.Post(page, url.Values{})
	answer.Check(t, http.StatusSeeOther)
	if c := finished(t, b, page); c != (counts{State: "done", New: 2}) {
		t.Errorf("once it is done: %+v", c)
	}
	if list := b.Exported("/expenses.json?q=course").Expenses; len(list) != 1 || list[0].Date != "2026-04-03" {
		t.Errorf("imported %+v", list)
	}
	b.Get(page).Check(t, 200, "<h1>Imported</h1>", page[strings.Index(page, "/expenses"):]+"/undo")
	b.Post(page+"/undo", url.Values{}).Check(t, http.StatusSeeOther)
	if c := finished(t, b, page); c.State != "undone" {
		t.Errorf("once it is taken back: %+v", c)
	}
	if list := b.Exported("/expenses.json?q=course").Expenses; len(list) != 0 {
		t.Errorf("still there: %+v", list)
	}
}

func TestWrongImports(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	const right = ",2026-01-02,hr,Bob Smith,Chairs,Office,120.50,\n"
	for _, test := range []struct {
		name, file string
		want       []string
	}{
		{"empty", "", []string{"The file is empty."}},
		{"a workbook", "PK\x03\x04\x14\x00\x06\x00[Content_Types].xml", []string{"This is an Excel workbook: save it as CSV."}},
		{"no table", "Dear all\n", []string{"No table was found", columns}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r.Unchanged(func() { b.Upload(test.file).Check(t, http.StatusUnprocessableEntity, test.want...) })
		})
	}
	for _, test := range []struct {
		name, file string
		wrong      int
		want       []string
	}{
		{"one wrong row among right ones", columns + "\n" + right + ",2026-01-02,sales,Bob Smith,Chairs,Office,one,\n" + right, 1, []string{"Line 3", "sales", "is not an amount"}},
		{"two wrong rows", columns + "\n,x,hr,B,C,D,1,\n" + right + ",2026-01-02,hr,,C,D,1,\n", 2, []string{"Line 2", "Line 4", "is not a date", "Enter a person"}},
		{"an id of another program", columns + "\n17" + right, 1, []string{"Line 2", "no id of this dashboard"}},
		{"other columns", "a,b\n1,2\n", 1, []string{"Ignored: not understood"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r.Unchanged(func() {
				page := preview(t, b, test.file)
				if c := countsAt(t, b, page); c.Wrong != test.wrong || c.State != "ready" {
					t.Errorf("counts %+v", c)
				}
				b.Post(page, url.Values{}).Check(t, http.StatusUnprocessableEntity, test.want...)
				answer := b.Import(test.file)
				answer.Check(t, http.StatusSeeOther)
				if !strings.Contains(answer.Location(), "/expenses/import/") {
					t.Errorf("imported at once: %s", answer.Location())
				}
			})
		})
	}
	r.Unchanged(func() {
		b.Post("/expenses/import", url.Values{"file": {right}}).Check(t, http.StatusUnprocessableEntity, "Choose a file")
	})
}

func TestAPreviewBelongsToWhoMadeIt(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "teams.json")
	teams := `{"teams": [{"id": "hr", "label": "HR"}], "members": {"` + admin + `": "admin", "` + finance + `": "admin"}}`
	if err := os.WriteFile(file, []byte(teams), 0o600); err != nil {
		t.Fatal(err)
	}
	r := startProgram(t, setup{env: map[string]string{"TEAMS_FILE": file}})
	b, other := r.Browser(), r.Browser()
	b.SignIn(admin)
	other.SignIn(finance)
	page := preview(t, b, columns+"\n,2026-01-02,hr,Bob Smith,Chairs,Office,120.50,\n")
	other.Get(page).Check(t, http.StatusNotFound)
	other.Post(page, url.Values{}).Check(t, http.StatusNotFound)
	other.Post(page+"/discard", url.Values{}).Check(t, http.StatusNotFound)
	other.Post(page+"/undo", url.Values{}).Check(t, http.StatusNotFound)
	b.Get(page).Check(t, 200, "Check before you import")
	b.Post(page+"/discard", url.Values{}).Check(t, http.StatusSeeOther)
	b.Get("/expenses/import").Check(t, 200, "Nothing was imported.")
	b.Get(page).Check(t, http.StatusNotFound)
}
