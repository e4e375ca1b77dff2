package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/config"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/storetest"
	"expense-dashboard/internal/web"
)

// aForm is a right form; each test changes it.
func aForm() url.Values {
	return url.Values{
		"date": {time.Now().Format(time.DateOnly)}, "item": {"Lunch with a client"}, "category": {"Meals"},
		"amount": {"42.50"}, "note": {"at the harbour"}, "submission": {expense.NewID()},
	}
}

// with changes one field of a form.
func with(form url.Values, name, value string) url.Values {
	form.Set(name, value)
	return form
}

// exported reads the JSON file at a path.
func exported(b *browser, path string) (file struct {
	Expenses []expensefile.ExportedExpense `json:"expenses"`
	Count    int                           `json:"count"`
	Total    string                        `json:"total"`
},
) {
	b.T.Helper()
	r := b.Get(path)
	r.Check(b.T, http.StatusOK)
	if err := json.Unmarshal([]byte(r.Body), &file); err != nil {
		b.T.Fatalf("%s: %v in %s", path, err, r.Body)
	}
	return file
}

// log sends the form of a new expense, which must be taken, and returns it.
func logExpense(b *browser, team string, form url.Values) expensefile.ExportedExpense {
	b.T.Helper()
	r := b.Post("/team/"+team+"/expenses", form)
	if r.Status != http.StatusSeeOther || r.Header.Get("Location") != "/team/"+team {
		b.T.Fatalf("POST = %d to %q: %s", r.Status, r.Header.Get("Location"), r.Text())
	}
	for _, e := range exported(b, "/team/"+team+"/expenses.json").Expenses {
		if e.Item == form.Get("item") {
			return e
		}
	}
	b.T.Fatalf("%q is not among the expenses", form.Get("item"))
	return expensefile.ExportedExpense{}
}

func pathOf(e expensefile.ExportedExpense) string { return "/team/" + e.Team + "/expenses/" + e.ID }

// unchanged runs fn and asserts that no expense and no history came of it.
func unchanged(t *testing.T, r *rig, fn func()) {
	t.Helper()
	count := func() string {
		var expenses, history, sum int64
		row := storetest.DB(t, r.Database).QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM expenses), (SELECT COUNT(*) FROM history), (SELECT COALESCE(SUM(amount_cents), 0) FROM expenses WHERE deleted_at IS NULL)`)
		if err := row.Scan(&expenses, &history, &sum); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(expenses, " expenses, ", history, " rows of history, sum ", sum)
	}
	before := count()
	fn()
	if after := count(); after != before {
		t.Errorf("there were %s and now %s", before, after)
	}
}

func TestLogAnExpense(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	b.Get("/team/finance").Check(t, 200, "$2,780.00", `href="/team/finance/expenses/new"`)
	b.Get("/team/finance/expenses/new").Check(t, 200, `name="submission"`, "!name=\"person\"")
	e := logExpense(b, "finance", aForm())
	if e.Person != "Carol Lee" || e.Amount != "42.50" || e.Note != "at the harbour" || e.Category != "Meals" {
		t.Errorf("logged %+v", e)
	}
	b.Get("/team/finance").Check(t, 200, "Logged: Lunch with a client, $42.50.", "$2,822.50")
	b.Get("/team/finance").Check(t, 200, "!Logged:", "$2,822.50")
	b.Get(pathOf(e)).Check(t, 200, "<strong>Carol Lee</strong> logged it", "at the harbour", "Delete this expense")
	b.Get("/dashboard").Check(t, 200)
}

func TestAdminLogsForSomebodyElse(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	hannah, carol := r.Browser(), r.Browser()
	hannah.SignIn(admin)
	carol.SignIn(finance)
	named := logExpense(hannah, "finance", with(with(aForm(), "item", "Named"), "person", "Bob Smith"))
	if named.Person != "Bob Smith" {
		t.Errorf("logged for %q", named.Person)
	}
	carol.Post(pathOf(named), aForm()).Check(t, http.StatusForbidden, "Not yours to change")
	addressed := logExpense(hannah, "finance", with(with(aForm(), "item", "Addressed"), "person", " Carol.Lee@task-vantage.com "))
	carol.Get(pathOf(addressed)).Check(t, 200, "Delete this expense")
	own := logExpense(hannah, "finance", with(with(aForm(), "item", "Own"), "person", ""))
	if own.Person != "Hannah Smith" {
		t.Errorf("logged for %q", own.Person)
	}
}

// TestWrongForms changes one field of a right form. What was typed comes back,
// with a sentence beside the field, and nothing is written.
func TestWrongForms(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	e := logExpense(b, "finance", aForm())
	tests := []struct{ name, field, value, want string }{
		{"no amount", "amount", "", "Enter an amount"},
		{"amount not a number", "amount", "NaN", "is not an amount"},
		{"refund over ten million", "amount", "-10000000.01", "at most 10000000.00"},
		{"amount zero", "amount", "0.00", "other than zero"},
		{"amount infinite", "amount", "1e309", "is not an amount"},
		{"amount with an exponent", "amount", "1e3", "is not an amount"},
		{"amount hexadecimal", "amount", "0x10", "is not an amount"},
		{"amount with three decimals", "amount", "12.345", "can be read in two ways. Write 12345.00"},
		{"amount over ten million", "amount", "10000000.01", "at most 10000000.00"},
		{"amount over 64 bits", "amount", "92233720368547758080", "at most 10000000.00"},
		{"amount in other digits", "amount", "١٢٣", "is not an amount"},
		{"no date", "date", "", "Enter a date"},
		{"date without zeros", "date", "2026-1-1", "year-month-day"},
		{"date that does not exist", "date", "2025-02-30", "year-month-day"},
		{"date too early", "date", "1999-12-31", "Enter a date from 2000-01-01"},
		{"date too late", "date", time.Now().AddDate(0, 0, 33).Format(time.DateOnly), "more than 31 days ahead"},
		{"date with a time", "date", "2026-01-01T00:00:00Z", "year-month-day"},
		{"no item", "item", "  ", "Enter an item"},
		{"item too long", "item", strings.Repeat("ü", 201), "at most 200 characters"},
		{"item with NUL", "item", "a\x00b", "control character"},
		{"item with a line break", "item", "a\nb", "control character"},
		{"item not UTF-8", "item", "a\xffb", "not text"},
		{"no category", "category", "", "Enter a category"},
		{"category too long", "category", strings.Repeat("c", 51), "at most 50 characters"},
		{"note too long", "note", strings.Repeat("n", 2001), "at most 2000 characters"},
		{"note with an escape", "note", "\x1b[31m", "control character"},
	}
	for _, test := range tests {
		for _, path := range []string{"/team/finance/expenses", pathOf(e)} {
			t.Run(test.name+" to "+strings.TrimSuffix(path, e.ID), func(t *testing.T) {
				form := with(aForm(), test.field, test.value)
				form.Set("version", "1")
				unchanged(t, r, func() {
					answer := b.Post(path, form)
					answer.Check(t, http.StatusUnprocessableEntity, test.want, `id="`+test.field+`-error"`, `aria-invalid="true"`)
					if test.field != "item" {
						answer.Check(t, http.StatusUnprocessableEntity, `value="Lunch with a client"`)
					}
					if test.field != "note" {
						answer.Check(t, http.StatusUnprocessableEntity, "at the harbour")
					}
				})
			})
		}
	}
}

// TestAmountsAsTheirReaderWritesThem logs and changes an expense from a page in
// German.
func TestAmountsAsTheirReaderWritesThem(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	german := []string{"Accept-Language", "de-DE,de;q=0.9"}
	b.Get("/team/finance/expenses/new", german...).Check(t, 200, "Amount in USD", "Like 1234,50.")
	for i, test := range [][2]string{{"12,50", "12.50"}, {"1.234,50 $", "1234.50"}, {"1.234", "1234.00"}, {"12.50", "12.50"}} {
		typed, want := test[0], test[1]
		item := fmt.Sprint("Ride ", i)
		b.Post("/team/finance/expenses", with(with(aForm(), "amount", typed), "item", item), german...).Check(t, http.StatusSeeOther)
		found := exported(b, "/team/finance/expenses.json?"+url.Values{"q": {item}}.Encode())
		if found.Count != 1 || found.Total != want {
			t.Errorf("%q is logged as %+v", typed, found)
		}
		page := b.Get(pathOf(found.Expenses[0]), german...)
		page.Check(t, 200, `value="`+strings.ReplaceAll(want, ".", ",")+`"`)
	}
	unchanged(t, r, func() {
		b.Post("/team/finance/expenses", with(aForm(), "amount", "1,234"), german...).Check(t, http.StatusUnprocessableEntity,
			`value="1,234"`, "“1,234” can be read in two ways. Write 1234,00, or an amount with at most two decimals.")
	})
}

// TestCurrency runs a site in yen: no decimals anywhere, and no other currency for
// its database.
func TestCurrency(t *testing.T) {
	t.Parallel()
	database := "sqlite:" + filepath.Join(t.TempDir(), "yen.db")
	r := startSite(t, setup{env: map[string]string{"CURRENCY": "jpy", "DATABASE_URL": database}})
	r.Database = database
	b := r.Browser()
	b.SignIn(finance)
	b.Get("/team/finance/expenses/new").Check(t, 200, "Amount in JPY", "Like 1234.", `inputmode="numeric"`)
	e := logExpense(b, "finance", with(aForm(), "amount", "¥1,234"))
	if e.Amount != "1234" {
		t.Errorf("logged %+v", e)
	}
	b.Get("/team/finance").Check(t, 200, "¥1,234", "!.00")
	if csv := b.Get("/team/finance/expenses.csv").Body; !strings.Contains(csv, ",1234,") {
		t.Errorf("the file is %s", csv)
	}
	unchanged(t, r, func() {
		b.Post("/team/finance/expenses", with(aForm(), "amount", "12.50")).Check(t, http.StatusUnprocessableEntity, "more decimals than JPY")
	})
	err := serve(t.Context(), r.variables(setup{env: map[string]string{"CURRENCY": "EUR", "DATABASE_URL": database}}), r.Log)
	var configuration *config.Error
	if !errors.As(err, &configuration) || !strings.Contains(err.Error(), "CURRENCY is EUR") || !strings.Contains(err.Error(), "CURRENCY=JPY") {
		t.Errorf("the database in another currency: %v", err)
	}
}

// TestRefunds logs an amount below zero, by its sign or by the mark.
func TestRefunds(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	logExpense(b, "finance", with(with(aForm(), "item", "Signed"), "amount", "\u2212$20"))
	b.Get("/team/finance").Check(t, 200, "Logged: Signed, -$20.00 (refund).", "$2,760.00", ">Refund<")
	marked := logExpense(b, "finance", with(with(with(aForm(), "item", "Marked"), "amount", "60"), "refund", "yes"))
	if marked.Amount != "-60.00" {
		t.Errorf("logged %+v", marked)
	}
	b.Get(pathOf(marked)).Check(t, 200, ">Refund<", `value="60.00"`, `value="yes" checked`)
	b.Get("/team/finance?q=marked").Check(t, 200, "-$60.00")
	if first := exported(b, "/team/finance/expenses.json?sort=amount&order=asc"); first.Expenses[0].Item != "Marked" || first.Total != "2700.00" {
		t.Errorf("by amount: %+v", first)
	}
	b.Post(pathOf(marked), with(with(with(aForm(), "item", "Marked"), "amount", "60"), "version", "1")).Check(t, http.StatusSeeOther)
	b.Get("/team/finance").Check(t, 200, "Changed: Marked, $60.00.", "$2,820.00")
}

// TestOddTextsAreKept logs what must neither break the database nor the page.
func TestOddTextsAreKept(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	for _, item := range []string{
		`'); DROP TABLE expenses; --`, `100% _ \ " ' ; --`, `<script>alert(1)</script>`, "Füße 日本語 🧾 \u00e9", strings.Repeat("ü", 200),
		`=HYPERLINK("http://example.com")`, "{{.}}", "%00%0d%0a", "$1 ? :name",
	} {
		e := logExpense(b, "finance", with(aForm(), "item", item))
		b.Get(pathOf(e)).Check(t, 200, "!<script>alert")
		found := exported(b, "/team/finance/expenses.json?"+url.Values{"q": {item}}.Encode())
		if found.Count != 1 || found.Expenses[0].Item != item {
			t.Errorf("search for %q finds %+v", item, found)
		}
	}
}

// TestForeignAndForged asks for what is not there for who asks. Every answer is
// the same 404, and nothing is written.
func TestForeignAndForged(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	carol, sarah := r.Browser(), r.Browser()
	carol.SignIn(finance)
	sarah.SignIn(hr)
	e := logExpense(carol, "finance", aForm())
	paths := []string{
		"/team/finance/expenses", "/team/finance/expenses/new", "/team/finance/expenses.csv", "/team/finance/expenses.json",
		pathOf(e), pathOf(e) + "/delete", pathOf(e) + "/restore",
		"/team/hr/expenses/" + e.ID, "/team/hr/expenses/" + e.ID + "/delete", "/team/hr/expenses/" + e.ID + "/restore",
		"/team/hr/expenses/" + expense.NewID(), "/team/hr/expenses/1", "/team/hr/expenses/%00", "/team/hr/expenses/' OR '1'='1",
		"/team/nobody/expenses", "/team/nobody/expenses/new",
		"/expenses", "/expenses.csv", "/expenses.json", "/expenses/import",
	}
	for _, path := range paths {
		target := strings.ReplaceAll(path, " ", "%20")
		t.Run(path, func(t *testing.T) {
			unchanged(t, r, func() {
				if get := sarah.Get(target); get.Status != http.StatusNotFound && get.Status != http.StatusMethodNotAllowed && get.Header.Get("Location") != web.FormPage(target) {
					t.Errorf("GET = %d", get.Status)
				}
				if post := sarah.Post(target, with(aForm(), "version", "1")); post.Status != http.StatusNotFound && post.Status != http.StatusMethodNotAllowed {
					t.Errorf("POST = %d", post.Status)
				}
			})
		})
	}
}

// TestExtraFields sends what no form has. A member logs for nobody else, in no
// other team and under no other id.
func TestExtraFields(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	form := aForm()
	for name, value := range map[string]string{
		"person": "Hannah Smith", "owner": admin, "team": "hr", "id": expense.NewID(), "version": "7", "amount_cents": "1", "deleted_at": "1", "admin": "true",
	} {
		form.Set(name, value)
	}
	e := logExpense(b, "finance", form)
	if e.Person != "Carol Lee" || e.Team != "finance" || e.ID == form.Get("id") || e.Amount != "42.50" {
		t.Errorf("logged %+v", e)
	}
	form.Set("version", "1")
	form.Set("amount", "43")
	b.Post(pathOf(e), form).Check(t, http.StatusSeeOther)
	if changed := exported(b, "/team/finance/expenses.json?q=lunch+with").Expenses[0]; changed.Person != "Carol Lee" || changed.ID != e.ID || changed.Amount != "43.00" {
		t.Errorf("changed to %+v", changed)
	}
	b.Get(pathOf(e)).Check(t, 200, "Delete this expense")
}

func TestCrossSiteFormsAreRefused(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	e := logExpense(b, "finance", aForm())
	for _, path := range []string{"/team/finance/expenses", pathOf(e), pathOf(e) + "/delete", pathOf(e) + "/restore", "/expenses/import"} {
		for _, fields := range [][]string{
			{"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Origin", "https://evil.example"},
			{"Origin", "null"},
		} {
			t.Run(path+" "+strings.Join(fields, " "), func(t *testing.T) {
				unchanged(t, r, func() {
					b.Post(path, with(aForm(), "version", "1"), fields...).Check(t, http.StatusForbidden, "another site")
				})
			})
		}
	}
}

func TestFormSentTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	form := aForm()
	var sent sync.WaitGroup
	for range 8 {
		sent.Go(func() { b.Post("/team/finance/expenses", form) })
	}
	sent.Wait()
	b.Post("/team/finance/expenses", form).Check(t, http.StatusSeeOther)
	if found := exported(b, "/team/finance/expenses.json?q=lunch+with"); found.Count != 1 {
		t.Errorf("the form counted %d times", found.Count)
	}
	b.Post("/team/finance/expenses", with(form, "submission", expense.NewID())).Check(t, http.StatusSeeOther)
	if found := exported(b, "/team/finance/expenses.json?q=lunch+with"); found.Count != 2 {
		t.Errorf("two forms counted %d times", found.Count)
	}
}

// submissionIn is the token of the form that a page shows.
func submissionIn(t *testing.T, page *apptest.Reply) string {
	t.Helper()
	found := regexp.MustCompile(`name="submission" value="([^"]+)"`).FindStringSubmatch(page.Body)
	if found == nil {
		t.Fatalf("no form with a submission: %s", page.Text())
	}
	return found[1]
}

// A form that is sent again with something else in it is not swallowed: both are
// shown, and the new one can be logged as well.
func TestFormSentAgainWithOtherContent(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	submission := submissionIn(t, b.Get("/team/finance/expenses/new"))
	taxi := with(with(aForm(), "item", "Taxi"), "submission", submission)
	e := logExpense(b, "finance", taxi)
	b.Get("/team/finance").Check(t, 200, "Logged: Taxi, $42.50.")
	b.Post("/team/finance/expenses", taxi).Check(t, http.StatusSeeOther)
	b.Get("/team/finance").Check(t, 200, "Logged: Taxi, $42.50.")

	train := with(with(with(aForm(), "item", "Train"), "amount", "9"), "submission", submission)
	var both *apptest.Reply
	unchanged(t, r, func() { both = b.Post("/team/finance/expenses", train) })
	both.Check(t, http.StatusConflict, "sent before, with something else", ">Taxi</a>, $42.50", `href="`+pathOf(e)+`"`, `value="Train"`, "Log it as well")
	again := submissionIn(t, both)
	for range 2 {
		b.Post("/team/finance/expenses", with(train, "submission", again)).Check(t, http.StatusSeeOther)
	}
	if found := exported(b, "/team/finance/expenses.json?q=at+the+harbour"); found.Count != 2 {
		t.Errorf("there are %+v", found)
	}
	// What was made of it since does not matter, nor that it is gone.
	b.Post(pathOf(e), with(with(with(aForm(), "item", "Cab"), "amount", "43"), "version", "1")).Check(t, http.StatusSeeOther)
	b.Post("/team/finance/expenses", with(taxi, "submission", submission)).Check(t, http.StatusSeeOther)
	b.Get("/team/finance").Check(t, 200, "Logged: Cab, $43.00.")
	b.Post(pathOf(e)+"/delete", url.Values{"version": {"2"}}).Check(t, http.StatusSeeOther)
	b.Get("/team/finance").Check(t, 200, "Deleted: Cab")
	unchanged(t, r, func() { b.Post("/team/finance/expenses", taxi).Check(t, http.StatusSeeOther) })
	b.Get("/team/finance").Check(t, 200, "deleted meanwhile", "!Logged:")
}

// Everything that changes an expense says of which version, and every form that
// writes has a token.
func TestFormsOfAnExpenseSayWhichVersion(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	e := logExpense(b, "finance", aForm())
	page := b.Get(pathOf(e))
	if forms, tokens := strings.Count(page.Text(), `<form `), strings.Count(page.Text(), `name="submission"`); forms != 2 || tokens != forms {
		t.Errorf("%d forms have %d tokens", forms, tokens)
	}
	unchanged(t, r, func() {
		for _, action := range []string{"", "/delete", "/restore"} {
			b.Post(pathOf(e)+action, aForm()).Check(t, http.StatusBadRequest, "version is missing")
		}
	})
}

// loseSession spoils the cookie of a browser's session, until back puts it right.
func loseSession(b *browser) (back func()) {
	for name, value := range b.Cookies() {
		if strings.HasSuffix(name, "session") {
			b.SetCookie(name, "not a session")
			return func() { b.SetCookie(name, value) }
		}
	}
	b.T.Fatal("no session")
	return nil
}

// What one person typed, and what came of it, is for nobody else in the same
// browser.
func TestFormsAndNoticesBelongToWhoMadeThem(t *testing.T) {
	t.Parallel()
	for name, submission := range map[string]func(*testing.T, *browser) string{
		"a form of ours":      func(t *testing.T, b *browser) string { return submissionIn(t, b.Get("/team/finance/expenses/new")) },
		"a form of a program": func(*testing.T, *browser) string { return expense.NewID() },
	} {
		t.Run(name, func(t *testing.T) {
			r := startSite(t, setup{})
			b := r.Browser()
			b.SignIn(finance)
			form := with(with(aForm(), "note", "for Carol only"), "submission", submission(t, b))
			back := loseSession(b)
			unchanged(t, r, func() { b.Post("/team/finance/expenses", form) })
			back()
			b.Follow(b.Post("/logout", nil))
			b.SignIn(admin)
			b.Get("/team/finance/expenses/new").Check(t, 200, "!for Carol only", "!not saved")
			b.Follow(b.Post("/logout", nil))
			b.SignIn(finance)
			b.Get("/team/finance/expenses/new").Check(t, 200, "for Carol only", "This is not saved yet. Your session had ended when you sent it.", `role="alert"`)
		})
	}
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	b.Post("/team/finance/expenses", with(aForm(), "item", "A present")).Check(t, http.StatusSeeOther)
	b.Follow(b.Post("/logout", nil))
	b.SignIn(admin)
	b.Get("/team/finance").Check(t, 200, "!Logged:")
}

// A form that was opened as one person and is sent as another is refused.
func TestFormOfAnotherPerson(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	e := logExpense(b, "finance", aForm())
	opened, changing := submissionIn(t, b.Get("/team/finance/expenses/new")), submissionIn(t, b.Get(pathOf(e)))
	b.Follow(b.Post("/logout", nil))
	b.SignIn(admin)
	unchanged(t, r, func() {
		b.Post("/team/finance/expenses", with(aForm(), "submission", opened)).Check(t, http.StatusConflict, "opened while somebody else was signed in")
		for _, action := range []string{"", "/delete"} {
			b.Post(pathOf(e)+action, with(with(aForm(), "submission", changing), "version", "1")).Check(t, http.StatusConflict, "somebody else")
		}
	})
}

// After saving, the list is there again from which the form was opened.
func TestSavingReturnsToTheList(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	const list = "/expenses?q=lunch&sort=amount&order=asc"
	b.Get("/team/finance/expenses/new", "Referer", r.BaseURL+list).Check(t, 200, `name="return_to" value="/expenses?q=lunch&amp;sort=amount&amp;order=asc"`)
	b.Get("/team/finance/expenses/new?return_to="+url.QueryEscape(list)).Check(t, 200, `name="return_to" value="/expenses?q=lunch`)
	b.Get("/team/finance/expenses/new", "Referer", "https://evil.example"+list).Check(t, 200, "!return_to")
	saved := b.Post("/team/finance/expenses", with(with(aForm(), "item", "Hidden by the filter"), "return_to", list))
	if saved.Status != http.StatusSeeOther || saved.Header.Get("Location") != list {
		t.Fatalf("POST = %d to %q", saved.Status, saved.Header.Get("Location"))
	}
	e := exported(b, "/expenses.json?q=hidden").Expenses[0]
	b.Get(list).Check(t, 200, "Logged: Hidden by the filter, $42.50.", `href="`+pathOf(e)+`">See the expense`)
	for _, elsewhere := range []string{
		"https://evil.example/team/finance", "//evil.example/expenses", "/profile", "/team/", "/team/finance/expenses/new", `/team/..\evil`, "javascript:alert(1)", "/logout", "expenses",
	} {
		saved := b.Post("/team/finance/expenses", with(with(aForm(), "item", elsewhere), "return_to", elsewhere))
		if saved.Status != http.StatusSeeOther || saved.Header.Get("Location") != "/team/finance" {
			t.Errorf("%q: POST = %d to %q", elsewhere, saved.Status, saved.Header.Get("Location"))
		}
	}
}

// A person who goes to where a form posts is led to the form.
func TestGoingToWhereAFormPosts(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	e := logExpense(b, "finance", aForm())
	for path, page := range map[string]string{
		"/team/finance/expenses": "/team/finance/expenses/new", pathOf(e) + "/delete": pathOf(e), pathOf(e) + "/restore": pathOf(e),
		"/profile/sessions/end-others": "/profile", "/sessions/end": "/sessions",
	} {
		for _, fields := range [][]string{nil, {"Sec-Fetch-Mode", "navigate"}} {
			if got := b.Get(path, fields...); got.Status != http.StatusSeeOther || got.Header.Get("Location") != page {
				t.Errorf("GET %s = %d to %q, want %s", path, got.Status, got.Header.Get("Location"), page)
			}
		}
		for _, refused := range []*apptest.Reply{b.Get(path, "Accept", "application/json"), b.Get(path, "Sec-Fetch-Mode", "cors"), b.Send("PUT", path, nil)} {
			if refused.Status != http.StatusMethodNotAllowed || refused.Header.Get("Allow") != "POST" {
				t.Errorf("%s: %d, Allow %q", path, refused.Status, refused.Header.Get("Allow"))
			}
		}
	}
}

// What is much too long comes back to be shortened.
func TestLongNoteComesBack(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	note := strings.Repeat("lorem ipsum ", 9000)
	unchanged(t, r, func() {
		b.Post("/team/finance/expenses", with(aForm(), "note", note)).Check(t, http.StatusUnprocessableEntity, "at most 2000 characters, and it has 107999", note, `value="42.50"`)
		loseSession(b)
		b.Post("/team/finance/expenses", with(aForm(), "note", note)).Check(t, http.StatusUnauthorized, "Go back in your browser")
	})
}

func TestTwoPeopleEditOneExpense(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	carol, hannah := r.Browser(), r.Browser()
	carol.SignIn(finance)
	hannah.SignIn(admin)
	e := logExpense(carol, "finance", aForm())
	first := with(with(aForm(), "version", "1"), "amount", "50")
	second := with(with(aForm(), "version", "1"), "item", "Dinner with a client")
	hannah.Post(pathOf(e), first).Check(t, http.StatusSeeOther)
	conflict := carol.Post(pathOf(e), second)
	conflict.Check(t, http.StatusConflict, "Dinner with a client", "50.00", `name="version" value="2"`, "Save mine over it")
	if now := exported(carol, "/team/finance/expenses.json?q=client").Expenses[0]; now.Item != "Lunch with a client" || now.Amount != "50.00" {
		t.Errorf("the second editor overwrote the first: %+v", now)
	}
	carol.Post(pathOf(e), with(second, "version", "2")).Check(t, http.StatusSeeOther)
	carol.Get(pathOf(e)).Check(t, 200, "Dinner with a client", "<strong>Hannah Smith</strong>", "<strong>Carol Lee</strong>")
	for _, action := range []string{"", "/delete", "/restore"} {
		carol.Post(pathOf(e)+action, with(aForm(), "version", "1")).Check(t, http.StatusConflict)
		carol.Post(pathOf(e)+action, with(aForm(), "version", "x")).Check(t, http.StatusBadRequest)
	}
}

func TestDeleteAndUndo(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b, mate := r.Browser(), r.Browser()
	b.SignIn(finance)
	mate.SignIn(admin)
	e := logExpense(b, "finance", aForm())
	b.Post(pathOf(e)+"/delete", url.Values{"version": {"1"}}).Check(t, http.StatusSeeOther)
	page := b.Get("/team/finance")
	page.Check(t, 200, "Deleted: Lunch with a client, $42.50.", "$2,780.00", "Undo", `action="`+pathOf(e)+`/restore"`)
	if found := exported(b, "/team/finance/expenses.json?q=lunch+with"); found.Count != 0 {
		t.Error("a deleted expense is exported")
	}
	version := regexp.MustCompile(`/restore"><input type="hidden" name="version" value="(\d+)"`).FindStringSubmatch(page.Body)
	if version == nil {
		t.Fatalf("no form undoes it: %s", page.Text())
	}
	b.Post(pathOf(e)+"/restore", url.Values{"version": {version[1]}}).Check(t, http.StatusSeeOther)
	b.Get("/team/finance").Check(t, 200, "Restored: Lunch with a client, $42.50.", "$2,822.50")
	mate.Get(pathOf(e)).Check(t, 200, "deleted", "restored")
}

func TestOthersExpensesAreNotTheirsToChange(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	sample := exported(b, "/team/finance/expenses.json?q=booth").Expenses[0]
	b.Get(pathOf(sample)).Check(t, 200, "Event Booth", "!Delete this expense", "!Save changes")
	for _, action := range []string{"", "/delete", "/restore"} {
		unchanged(t, r, func() {
			b.Post(pathOf(sample)+action, with(aForm(), "version", "1")).Check(t, http.StatusForbidden, "Not yours to change")
		})
	}
}

func TestTooLargeBodies(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	unchanged(t, r, func() {
		b.Post("/team/finance/expenses", with(aForm(), "note", strings.Repeat("n", web.MaxForm))).Check(t, http.StatusRequestEntityTooLarge, "Too much at once")
		upload(b, strings.Repeat("x", web.MaxUpload)).Check(t, http.StatusRequestEntityTooLarge, "Too much at once")
	})
}

// TestSessionEndsWhileTyping signs in again after a form was sent without a
// session: the form is there with what was typed, and is sent once.
func TestSessionEndsWhileTyping(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, path, page string }{
		{"new expense", "/team/finance/expenses", "/team/finance/expenses/new"},
		{"change", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startSite(t, setup{})
			b := r.Browser()
			b.SignIn(finance)
			if test.path == "" {
				test.path = pathOf(logExpense(b, "finance", with(aForm(), "item", "Before")))
				test.page = test.path
			}
			form := with(with(aForm(), "version", "1"), "note", strings.Repeat("日本語\n", 450))
			b.SetCookie("expense_session", "not a session")
			var sent *reply
			unchanged(t, r, func() { sent = b.Post(test.path, form) })
			if want := "/login?return_to=" + url.QueryEscape(test.page); sent.Status != http.StatusSeeOther || sent.Header.Get("Location") != want {
				t.Fatalf("POST without a session = %d to %q, want %q", sent.Status, sent.Header.Get("Location"), want)
			}
			back := b.Follow(sent)
			back.Check(t, 200, "This is not saved yet", `value="Lunch with a client"`, strings.Repeat("日本語\n", 449), `value="42.50"`)
			b.Post(test.path, form).Check(t, http.StatusSeeOther)
			b.Get(test.page).Check(t, 200, "!This is not saved yet")
			if found := exported(b, "/team/finance/expenses.json?q=lunch+with"); found.Count != 1 {
				t.Errorf("%d expenses came of it", found.Count)
			}
		})
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	tests := []struct {
		query string
		count int
		first string // item
	}{
		{"", 20, ""},
		{"q=team+LUNCH", 3, ""},
		{"q=alice", 3, ""},
		{"q=%25", 0, ""},
		{"person=Grace+Li", 3, ""},
		{"category=Meals", 3, ""},
		{"category=Meals&person=Carol+Lee", 1, "Team Lunch"},
		{"sort=amount", 20, "Team Lunch"},
		{"sort=amount&order=desc", 20, "Conference Travel"},
		{"sort=item&order=asc", 20, "Compliance Training"},
		{"from=2000-01-01&to=2000-12-31", 0, ""},
		{"q=&person=&category=&from=&to=&sort=&order=&after=", 20, ""},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			file := exported(b, "/expenses.json?"+test.query)
			if file.Count != test.count || len(file.Expenses) != test.count {
				t.Errorf("found %d and counted %d, want %d", len(file.Expenses), file.Count, test.count)
			}
			if test.first != "" && file.Expenses[0].Item != test.first {
				t.Errorf("the first is %q, want %q", file.Expenses[0].Item, test.first)
			}
			b.Get("/expenses?"+test.query).Check(t, 200)
		})
	}
}

func TestQueriesNotUnderstood(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	for _, query := range []string{
		"foo=1", "Q=1", "sort=team", "sort=date;", "order=up", "from=yesterday", "from=2026-13-01", "from=2026-02-01&to=2026-01-01",
		"q=a&q=b", "after=x", "after=" + strings.Repeat("A", 100), "q=%00", "q=%ff", "q=" + strings.Repeat("x", 201), "%zz=1", "a;b",
	} {
		for _, path := range []string{"/expenses.csv", "/expenses.json", "/team/finance/expenses.csv"} {
			b.Get(path+"?"+query).Check(t, http.StatusBadRequest, "is not understood")
		}
		for _, path := range []string{"/expenses", "/team/finance"} {
			b.Get(path+"?"+query).Check(t, http.StatusBadRequest, "not understood", `role="search"`, `action="`+path+`"`, "show all expenses")
			b.Get(path+"?"+query, "Accept", "application/json").Check(t, http.StatusBadRequest, "is not understood")
		}
	}
}

// TestQueriesNotUnderstoodKeepWhatWasTyped asks with one field wrong among right
// ones.
func TestQueriesNotUnderstoodKeepWhatWasTyped(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	for _, test := range []struct {
		query string
		want  []string
	}{
		{"q=taxi&from=2026-03-02&to=2026-03-01", []string{`value="taxi"`, `value="2026-03-02"`, `value="2026-03-01"`, `id="filter-to-error">The last day, 2026-03-01, is before the first, 2026-03-02.`, `href="#filter-to"`}},
		{"q=a%09b&category=Meals", []string{`id="filter-q-error">This holds a control character`, `value="Meals"`, `aria-describedby="filter-q-error"`}},
		{"q=taxi&page=2", []string{`value="taxi"`, "“page” is not a parameter of this page", "!-error"}},
		{"q=taxi&from=x&order=up", []string{"2 things in its address are", `id="filter-from-error"`, "The order is asc or desc"}},
	} {
		b.Get("/team/finance?"+test.query).Check(t, http.StatusBadRequest, test.want...)
	}
}

// TestPages walks over more than two pages, in each order, by the links.
func TestPages(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	var file strings.Builder
	file.WriteString(expensefile.Columns + "\n")
	for i := range 120 {
		fmt.Fprintf(&file, ",2025-%02d-%02d,finance,Person %d,Item %03d,Travel,%d.00,\n", i%12+1, i%28+1, i%7, i, i%9+1)
	}
	upload(b, file.String()).Check(t, http.StatusSeeOther)
	rows := regexp.MustCompile(`<a href="(/team/finance/expenses/[a-z2-7]{26})">`)
	next := regexp.MustCompile(`href="([^"]*after=[^"]*)"`)
	for _, order := range []string{"", "sort=amount&order=asc", "sort=person&order=desc", "sort=item", "sort=category&order=desc"} {
		t.Run(order, func(t *testing.T) {
			var walked []string
			pages := 0
			for address := "/team/finance?" + order; address != ""; pages++ {
				page := b.Get(address)
				page.Check(t, 200, "124", "$3,")
				for _, row := range rows.FindAllStringSubmatch(page.Body, -1) {
					walked = append(walked, row[1])
				}
				link := next.FindStringSubmatch(page.Body)
				address = ""
				if link != nil {
					address = strings.ReplaceAll(link[1], "&amp;", "&")
				}
			}
			var all []string
			for _, e := range exported(b, "/team/finance/expenses.json?"+order).Expenses {
				all = append(all, pathOf(e))
			}
			if pages != 3 || strings.Join(walked, "\n") != strings.Join(all, "\n") {
				t.Errorf("%d pages have %d rows; the file has %d", pages, len(walked), len(all))
			}
		})
	}
}

func TestExports(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	logExpense(b, "finance", with(aForm(), "item", `=cmd|' /C calc'!A0`))
	answer := b.Get("/team/finance/expenses.csv?sort=amount&order=asc")
	answer.Check(t, 200)
	if got := answer.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/csv; charset=utf-8") {
		t.Errorf("Content-Type %q", got)
	}
	if got := answer.Header.Get("Content-Disposition"); got != `attachment; filename="finance-expenses.csv"` {
		t.Errorf("Content-Disposition %q", got)
	}
	records, err := csv.NewReader(strings.NewReader(answer.Body)).ReadAll()
	if err != nil || len(records) != 6 || strings.Join(records[0], ",") != expensefile.Columns {
		t.Fatalf("%d records, %v: %s", len(records), err, answer.Body)
	}
	if row := strings.Join(records[1][2:], "|"); row != `finance|Carol Lee|'=cmd|' /C calc'!A0|Meals|42.50|at the harbour` {
		t.Errorf("the first row is %q", row)
	}
	guest := r.Browser()
	guest.Get("/team/finance/expenses.csv", "Accept", "text/csv").Check(t, http.StatusUnauthorized)
	guest.Get("/team/finance/expenses.json", "Accept", "application/json").Check(t, http.StatusUnauthorized)
}

// upload sends a file to the import page.
func upload(b *browser, content string) *reply {
	b.T.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "expenses.csv")
	if err != nil {
		b.T.Fatal(err)
	}
	part.Write([]byte(content))
	form.Close()
	return b.SendBody(http.MethodPost, web.ImportPath, &body, "Content-Type", form.FormDataContentType())
}

func TestImport(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	b.Get(web.ImportPath).Check(t, 200, expensefile.Columns, `name="file"`)
	const file = expensefile.Columns + "\r\n,2026-01-02,hr,Bob Smith,Chairs,Office,120.50,four\r\n,2026-01-03,hr,Bob Smith,Tables,Office,80.00,\r\n"
	upload(b, file).Check(t, http.StatusSeeOther)
	b.Get("/expenses").Check(t, 200, "Imported: 2 added, 0 changed, 0 unchanged.")
	unchanged(t, r, func() { upload(b, file).Check(t, http.StatusSeeOther) })
	b.Get("/expenses").Check(t, 200, "Imported: 0 added, 0 changed, 2 unchanged.")

	whole := b.Get("/expenses.csv").Body
	unchanged(t, r, func() { upload(b, whole).Check(t, http.StatusSeeOther) })
	upload(b, strings.Replace(whole, "120.50,four", "121.50,five", 1)).Check(t, http.StatusSeeOther)
	b.Get("/expenses").Check(t, 200, "Imported: 0 added, 1 changed, 21 unchanged.")
	chairs := exported(b, "/expenses.json?q=chairs").Expenses[0]
	if chairs.Amount != "121.50" || chairs.Note != "five" {
		t.Errorf("changed to %+v", chairs)
	}
}

func TestWrongImports(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	const right = ",2026-01-02,hr,Bob Smith,Chairs,Office,120.50,\n"
	tests := []struct {
		name, file string
		want       []string
	}{
		{"empty", "", []string{"Line 1", expensefile.Columns}},
		{"other columns", "a,b\n1,2\n", []string{"Line 1"}},
		{"one wrong row among right ones", expensefile.Columns + "\n" + right + ",2026-01-02,sales,Bob Smith,Chairs,Office,one,\n" + right, []string{"Line 3", "sales", "is not an amount"}},
		{"two wrong rows", expensefile.Columns + "\n,x,hr,B,C,D,1,\n" + right + ",2026-01-02,hr,,C,D,1,\n", []string{"Line 2", "Line 4", "year-month-day", "Enter a person"}},
		{"foreign id", expensefile.Columns + "\n" + expense.NewID() + right, []string{"Line 2", "No expense has this id"}},
		{"too few cells", expensefile.Columns + "\n1,2\n", []string{"Line 2", "instead of 8"}},
		{"not UTF-8", expensefile.Columns + "\n,2026-01-02,hr,B\xff,C,D,1,\n", []string{"Line 2", "not text"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			unchanged(t, r, func() { upload(b, test.file).Check(t, http.StatusUnprocessableEntity, test.want...) })
		})
	}
	unchanged(t, r, func() {
		b.Post(web.ImportPath, url.Values{"file": {right}}).Check(t, http.StatusUnprocessableEntity, "Choose a file")
	})
}

// TestDatabaseAway takes the database away and brings it back.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	file := strings.TrimPrefix(r.Database, "sqlite:")
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	away := b.Get("/team/finance")
	away.Check(t, http.StatusServiceUnavailable, "cannot be reached", "!"+file)
	if away.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	form := aForm()
	b.Post("/team/finance/expenses", form).Check(t, http.StatusServiceUnavailable, "What you typed is kept", `href="/team/finance/expenses/new"`)
	b.Get("/team/finance/expenses.csv").Check(t, http.StatusServiceUnavailable)
	b.Get("/readyz").Check(t, http.StatusServiceUnavailable, "database")
	b.Get("/healthz").Check(t, 200)
	b.Get("/profile").Check(t, 200, "Carol Lee")
	if log := r.Log.String(); !strings.Contains(log, "database unavailable") {
		t.Errorf("the log does not say why: %s", log)
	}
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	b.Get("/team/finance").Check(t, 200, "$2,780.00")
	b.Get("/readyz").Check(t, 200)
	b.Get("/team/finance/expenses/new").Check(t, 200, "This is not saved yet", "at the harbour", form.Get("submission"))
	b.Post("/team/finance/expenses", form).Check(t, http.StatusSeeOther)
}
