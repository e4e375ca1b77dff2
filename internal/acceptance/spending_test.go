package acceptance

import (
	"encoding/csv"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/storetest"
)

// columns are those of the files of expenses.
const columns = "id,date,team,person,item,category,amount,note,version,owner"

func TestLogAnExpense(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	b.Get("/team/finance").Check(t, 200, "$2,780.00", `href="/team/finance/expenses/new"`)
	b.Get("/team/finance/expenses/new").Check(t, 200, `name="submission"`, "!name=\"person\"")
	e := b.LogExpense("finance", apptest.ExpenseForm())
	if e.Person != "Carol Lee" || e.Amount != "42.50" || e.Note != "at the harbour" || e.Category != "Meals" {
		t.Errorf("logged %+v", e)
	}
	b.Get("/team/finance").Check(t, 200, "Logged: Lunch with a client, $42.50.", "$2,822.50")
	b.Get("/team/finance").Check(t, 200, "!Logged:", "$2,822.50")
	b.Get(e.Path()).Check(t, 200, "<strong>Carol Lee</strong> logged it", "at the harbour", "Delete this expense")
	b.Get("/dashboard").Check(t, 200)
}

func TestAdminLogsForSomebodyElse(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	hannah, carol := r.Browser(), r.Browser()
	hannah.SignIn(admin)
	carol.SignIn(finance)
	named := hannah.LogExpense("finance", apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Named"), "person", "Bob Smith"))
	if named.Person != "Bob Smith" {
		t.Errorf("logged for %q", named.Person)
	}
	carol.Post(named.Path(), apptest.ExpenseForm()).Check(t, http.StatusForbidden, "Not yours to change")
	addressed := hannah.LogExpense("finance", apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Addressed"), "person", " Carol.Lee@task-vantage.com "))
	carol.Get(addressed.Path()).Check(t, 200, "Delete this expense")
	own := hannah.LogExpense("finance", apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Own"), "person", ""))
	if own.Person != "Hannah Smith" {
		t.Errorf("logged for %q", own.Person)
	}
	for _, person := range []string{"@", "a@", "@b", "a,b@c", "<b@c>"} {
		form := apptest.With(apptest.With(apptest.ExpenseForm(), "person", person), "version", "1")
		r.Unchanged(func() {
			for _, path := range []string{"/team/finance/expenses", named.Path()} {
				hannah.Post(path, form).Check(t, http.StatusUnprocessableEntity, `id="person-error"`, "This is not an email address: it ", `value="`+html.EscapeString(person)+`"`, "at the harbour")
			}
		})
	}
	// Who is called so already stays so when something else is changed.
	if _, err := storetest.DB(t, r.Database).Exec(`UPDATE people SET name = 'b@', key = 'b@' WHERE name = 'Bob Smith'`); err != nil {
		t.Fatal(err)
	}
	hannah.Post(named.Path(), apptest.With(apptest.With(apptest.With(apptest.ExpenseForm(), "person", "b@"), "version", "1"), "item", "Renamed")).Check(t, http.StatusSeeOther)
	hannah.Get(named.Path()).Check(t, 200, "Renamed", `value="b@"`)
}

// TestWrongForms changes one field of a right form. What was typed comes back,
// with a sentence beside the field, and nothing is written.
func TestWrongForms(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	e := b.LogExpense("finance", apptest.ExpenseForm())
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
		{"date before all", "date", "0001-01-01", "Enter a date from 2000-01-01"},
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
		for _, path := range []string{"/team/finance/expenses", e.Path()} {
			t.Run(test.name+" to "+strings.TrimSuffix(path, e.ID), func(t *testing.T) {
				form := apptest.With(apptest.ExpenseForm(), test.field, test.value)
				form.Set("version", "1")
				r.Unchanged(func() {
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
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	german := []string{"Accept-Language", "de-DE,de;q=0.9"}
	b.Get("/team/finance/expenses/new", german...).Check(t, 200, "Amount in USD", `placeholder="1234,50"`)
	for i, test := range [][2]string{{"12,50", "12.50"}, {"1.234,50 $", "1234.50"}, {"1.234", "1234.00"}, {"12.50", "12.50"}} {
		typed, want := test[0], test[1]
		item := fmt.Sprint("Ride ", i)
		b.Post("/team/finance/expenses", apptest.With(apptest.With(apptest.ExpenseForm(), "amount", typed), "item", item), german...).Check(t, http.StatusSeeOther)
		found := b.Exported("/team/finance/expenses.json?" + url.Values{"q": {item}}.Encode())
		if found.Count != 1 || found.Total != want {
			t.Errorf("%q is logged as %+v", typed, found)
		}
		page := b.Get(found.Expenses[0].Path(), german...)
		page.Check(t, 200, `value="`+strings.ReplaceAll(want, ".", ",")+`"`)
	}
	r.Unchanged(func() {
		b.Post("/team/finance/expenses", apptest.With(apptest.ExpenseForm(), "amount", "1,234"), german...).Check(t, http.StatusUnprocessableEntity,
			`value="1,234"`, "“1,234” can be read in two ways. Write 1234,00, or an amount with at most two decimals.")
	})
}

// TestCurrency runs a site in yen: no decimals anywhere, and no other currency for
// its database.
func TestCurrency(t *testing.T) {
	t.Parallel()
	database := "sqlite:" + filepath.Join(t.TempDir(), "yen.db")
	r := startProgram(t, setup{env: map[string]string{"CURRENCY": "jpy", "DATABASE_URL": database}})
	r.Database = database
	b := r.Browser()
	b.SignIn(finance)
	b.Get("/team/finance/expenses/new").Check(t, 200, "Amount in JPY", `placeholder="1234"`, `inputmode="numeric"`)
	e := b.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "amount", "¥1,234"))
	if e.Amount != "1234" {
		t.Errorf("logged %+v", e)
	}
	b.Get("/team/finance").Check(t, 200, "¥1,234", "!.00")
	if csv := b.Get("/team/finance/expenses.csv").Body; !strings.Contains(csv, ",1234,") {
		t.Errorf("the file is %s", csv)
	}
	r.Unchanged(func() {
		b.Post("/team/finance/expenses", apptest.With(apptest.ExpenseForm(), "amount", "12.50")).Check(t, http.StatusUnprocessableEntity, "more decimals than JPY")
	})
	r.terminate()
	_, stderr, status := typed(t, r.Env(map[string]string{"CURRENCY": "EUR", "DATABASE_URL": database}))
	if status != 2 || !strings.Contains(stderr, "CURRENCY is EUR") || !strings.Contains(stderr, "CURRENCY=JPY") {
		t.Errorf("the database in another currency: exit status %d with %q", status, stderr)
	}
}

// TestRefunds logs an amount below zero, by its sign or by the mark.
func TestRefunds(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	b.LogExpense("finance", apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Signed"), "amount", "\u2212$20"))
	b.Get("/team/finance").Check(t, 200, "Logged: Signed, -$20.00 (refund).", "$2,760.00", ">Refund<")
	marked := b.LogExpense("finance", apptest.With(apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Marked"), "amount", "60"), "refund", "yes"))
	if marked.Amount != "-60.00" {
		t.Errorf("logged %+v", marked)
	}
	b.Get(marked.Path()).Check(t, 200, ">Refund<", `value="60.00"`, `value="yes" checked`)
	b.Get("/team/finance?q=marked").Check(t, 200, "-$60.00")
	if first := b.Exported("/team/finance/expenses.json?sort=amount&order=asc"); first.Expenses[0].Item != "Marked" || first.Total != "2700.00" {
		t.Errorf("by amount: %+v", first)
	}
	b.Post(marked.Path(), apptest.With(apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Marked"), "amount", "60"), "version", "1")).Check(t, http.StatusSeeOther)
	b.Get("/team/finance").Check(t, 200, "Changed: Marked, $60.00.", "$2,820.00")
}

// TestOddTextsAreKept logs what must neither break the database nor the page.
func TestOddTextsAreKept(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	for _, item := range []string{
		`'); DROP TABLE expenses; --`, `100% _ \ " ' ; --`, `<script>alert(1)</script>`, "Füße 日本語 🧾 \u00e9", strings.Repeat("ü", 200),
		`=HYPERLINK("http://example.com")`, "{{.}}", "%00%0d%0a", "$1 ? :name",
	} {
		e := b.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "item", item))
		b.Get(e.Path()).Check(t, 200, "!<script>alert")
		found := b.Exported("/team/finance/expenses.json?" + url.Values{"q": {item}}.Encode())
		if found.Count != 1 || found.Expenses[0].Item != item {
			t.Errorf("search for %q finds %+v", item, found)
		}
	}
}

// TestForeignAndForged asks for what is not there for who asks. Every answer is
// the same 404, and nothing is written.
func TestForeignAndForged(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	carol, sarah := r.Browser(), r.Browser()
	carol.SignIn(finance)
	sarah.SignIn(hr)
	e := carol.LogExpense("finance", apptest.ExpenseForm())
	paths := []string{
		"/team/finance/expenses", "/team/finance/expenses/new", "/team/finance/expenses.csv", "/team/finance/expenses.json",
		e.Path(), e.Path() + "/delete", e.Path() + "/restore", e.Path() + "/undo",
		"/team/hr/expenses/" + e.ID, "/team/hr/expenses/" + e.ID + "/delete", "/team/hr/expenses/" + e.ID + "/restore",
		"/team/hr/expenses/" + apptest.NewID(), "/team/hr/expenses/1", "/team/hr/expenses/%00", "/team/hr/expenses/' OR '1'='1",
		"/team/nobody/expenses", "/team/nobody/expenses/new",
		"/expenses", "/expenses.csv", "/expenses.json", "/expenses/import",
	}
	for _, path := range paths {
		target := strings.ReplaceAll(path, " ", "%20")
		t.Run(path, func(t *testing.T) {
			r.Unchanged(func() {
				get := sarah.Get(target)
				switch {
				case strings.HasPrefix(path, "/expenses") && path != "/expenses/import":
					// It is of what she may see.
					get.Check(t, http.StatusOK, "!"+e.ID, "!Carol")
				case get.Status != http.StatusNotFound && get.Status != http.StatusMethodNotAllowed && !leadsToItsForm(target, get):
					t.Errorf("GET = %d", get.Status)
				}
				if post := sarah.Post(target, apptest.With(apptest.ExpenseForm(), "version", "1")); post.Status != http.StatusNotFound && post.Status != http.StatusMethodNotAllowed {
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
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	form := apptest.ExpenseForm()
	for name, value := range map[string]string{
		"person": "Hannah Smith", "owner": admin, "team": "hr", "id": apptest.NewID(), "version": "7", "amount_cents": "1", "deleted_at": "1", "admin": "true",
	} {
		form.Set(name, value)
	}
	e := b.LogExpense("finance", form)
	if e.Person != "Carol Lee" || e.Team != "finance" || e.ID == form.Get("id") || e.Amount != "42.50" {
		t.Errorf("logged %+v", e)
	}
	form.Set("version", "1")
	form.Set("amount", "43")
	b.Post(e.Path(), form).Check(t, http.StatusSeeOther)
	if changed := b.Exported("/team/finance/expenses.json?q=lunch+with").Expenses[0]; changed.Person != "Carol Lee" || changed.ID != e.ID || changed.Amount != "43.00" {
		t.Errorf("changed to %+v", changed)
	}
	b.Get(e.Path()).Check(t, 200, "Delete this expense")
}

func TestCrossSiteFormsAreRefused(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	e := b.LogExpense("finance", apptest.ExpenseForm())
	for _, path := range []string{"/team/finance/expenses", e.Path(), e.Path() + "/delete", e.Path() + "/restore", "/expenses/import"} {
		for _, fields := range [][]string{
			{"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Origin", "https://evil.example"},
			{"Origin", "null"},
		} {
			t.Run(path+" "+strings.Join(fields, " "), func(t *testing.T) {
				r.Unchanged(func() {
					b.Post(path, apptest.With(apptest.ExpenseForm(), "version", "1"), fields...).Check(t, http.StatusForbidden, "another site")
				})
			})
		}
	}
}

func TestFormSentTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	form := apptest.ExpenseForm()
	var sent sync.WaitGroup
	for range 8 {
		sent.Go(func() { b.Post("/team/finance/expenses", form) })
	}
	sent.Wait()
	b.Post("/team/finance/expenses", form).Check(t, http.StatusSeeOther)
	if found := b.Exported("/team/finance/expenses.json?q=lunch+with"); found.Count != 1 {
		t.Errorf("the form counted %d times", found.Count)
	}
	b.Post("/team/finance/expenses", apptest.With(form, "submission", apptest.NewID())).Check(t, http.StatusSeeOther)
	if found := b.Exported("/team/finance/expenses.json?q=lunch+with"); found.Count != 2 {
		t.Errorf("two forms counted %d times", found.Count)
	}
}

// leadsToItsForm reports whether an answer sends a navigation to the address that a
// form posts to on to the page that has the form.
func leadsToItsForm(posts string, r *reply) bool {
	page := r.Header.Get("Location")
	return r.Status == http.StatusSeeOther && page != "" && (strings.HasPrefix(posts, page) || page == posts+"/new")
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
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	submission := submissionIn(t, b.Get("/team/finance/expenses/new"))
	taxi := apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Taxi"), "submission", submission)
	e := b.LogExpense("finance", taxi)
	b.Get("/team/finance").Check(t, 200, "Logged: Taxi, $42.50.")
	b.Post("/team/finance/expenses", taxi).Check(t, http.StatusSeeOther)
	b.Get("/team/finance").Check(t, 200, "Logged: Taxi, $42.50.")

	train := apptest.With(apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Train"), "amount", "9"), "submission", submission)
	var both *apptest.Reply
	r.Unchanged(func() { both = b.Post("/team/finance/expenses", train) })
	both.Check(t, http.StatusConflict, "already sent, with different content", ">Taxi</a>, $42.50", `href="`+e.Path()+`"`, `value="Train"`, "Log it as well")
	again := submissionIn(t, both)
	for range 2 {
		b.Post("/team/finance/expenses", apptest.With(train, "submission", again)).Check(t, http.StatusSeeOther)
	}
	if found := b.Exported("/team/finance/expenses.json?q=at+the+harbour"); found.Count != 2 {
		t.Errorf("there are %+v", found)
	}
	// What was made of it since does not matter, nor that it is gone.
	b.Post(e.Path(), apptest.With(apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Cab"), "amount", "43"), "version", "1")).Check(t, http.StatusSeeOther)
	b.Post("/team/finance/expenses", apptest.With(taxi, "submission", submission)).Check(t, http.StatusSeeOther)
	b.Get("/team/finance").Check(t, 200, "Logged: Cab, $43.00.")
	b.Post(e.Path()+"/delete", url.Values{"version": {"2"}}).Check(t, http.StatusSeeOther)
	b.Get("/team/finance").Check(t, 200, "Deleted: Cab")
	r.Unchanged(func() { b.Post("/team/finance/expenses", taxi).Check(t, http.StatusSeeOther) })
	b.Get("/team/finance").Check(t, 200, "deleted in between", "!Logged:")
}

// Everything that changes an expense says of which version, and every form that
// writes has a token.
func TestFormsOfAnExpenseSayWhichVersion(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	e := b.LogExpense("finance", apptest.ExpenseForm())
	page := b.Get(e.Path()) // with forms to change it, to delete it and, in the notice, to undo it
	if forms, tokens := strings.Count(page.Text(), `<form `), strings.Count(page.Text(), `name="submission"`); forms != 3 || tokens != forms {
		t.Errorf("%d forms have %d tokens", forms, tokens)
	}
	r.Unchanged(func() {
		for _, action := range []string{"", "/delete", "/restore", "/undo"} {
			b.Post(e.Path()+action, apptest.ExpenseForm()).Check(t, http.StatusBadRequest, "version is missing", "Nothing was changed.", "Open the page again", "!ddress")
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
		"a form of a program": func(*testing.T, *browser) string { return apptest.NewID() },
	} {
		t.Run(name, func(t *testing.T) {
			r := startProgram(t, setup{})
			b := r.Browser()
			b.SignIn(finance)
			form := apptest.With(apptest.With(apptest.ExpenseForm(), "note", "for Carol only"), "submission", submission(t, b))
			back := loseSession(b)
			r.Unchanged(func() { b.Post("/team/finance/expenses", form) })
			back()
			b.Follow(b.Post("/logout", nil))
			b.SignIn(admin)
			b.Get("/team/finance/expenses/new").Check(t, 200, "!for Carol only", "!not saved")
			b.Follow(b.Post("/logout", nil))
			b.SignIn(finance)
			b.Get("/team/finance/expenses/new").Check(t, 200, "for Carol only", "This is not saved yet. Your session had ended when you sent it.", `role="alert"`)
		})
	}
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	b.Post("/team/finance/expenses", apptest.With(apptest.ExpenseForm(), "item", "A present")).Check(t, http.StatusSeeOther)
	b.Follow(b.Post("/logout", nil))
	b.SignIn(admin)
	b.Get("/team/finance").Check(t, 200, "!Logged:")
}

// A form that was opened as one person and is sent as another is refused.
func TestFormOfAnotherPerson(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	e := b.LogExpense("finance", apptest.ExpenseForm())
	opened, changing := submissionIn(t, b.Get("/team/finance/expenses/new")), submissionIn(t, b.Get(e.Path()))
	b.Follow(b.Post("/logout", nil))
	b.SignIn(admin)
	r.Unchanged(func() {
		b.Post("/team/finance/expenses", apptest.With(apptest.ExpenseForm(), "submission", opened)).Check(t, http.StatusConflict, "opened while somebody else was signed in")
		for _, action := range []string{"", "/delete"} {
			b.Post(e.Path()+action, apptest.With(apptest.With(apptest.ExpenseForm(), "submission", changing), "version", "1")).Check(t, http.StatusConflict, "somebody else")
		}
	})
}

// After saving, the list is there again from which the form was opened.
func TestSavingReturnsToTheList(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	const list = "/expenses?q=lunch&sort=amount&order=asc"
	b.Get("/team/finance/expenses/new", "Referer", r.BaseURL+list).Check(t, 200, `name="return_to" value="/expenses?q=lunch&amp;sort=amount&amp;order=asc"`)
	b.Get("/team/finance/expenses/new?return_to="+url.QueryEscape(list)).Check(t, 200, `name="return_to" value="/expenses?q=lunch`)
	b.Get("/team/finance/expenses/new", "Referer", "https://evil.example"+list).Check(t, 200, "!return_to")
	saved := b.Post("/team/finance/expenses", apptest.With(apptest.With(apptest.ExpenseForm(), "item", "Hidden by the filter"), "return_to", list))
	if saved.Status != http.StatusSeeOther || saved.Header.Get("Location") != list {
		t.Fatalf("POST = %d to %q", saved.Status, saved.Header.Get("Location"))
	}
	e := b.Exported("/expenses.json?q=hidden").Expenses[0]
	b.Get(list).Check(t, 200, "Logged: Hidden by the filter, $42.50.", `href="`+e.Path()+`">See the expense`)
	for _, elsewhere := range []string{
		"https://evil.example/team/finance", "//evil.example/expenses", "/profile", "/team/", "/team/finance/expenses/new", `/team/..\evil`, "javascript:alert(1)", "/logout", "expenses",
	} {
		saved := b.Post("/team/finance/expenses", apptest.With(apptest.With(apptest.ExpenseForm(), "item", elsewhere), "return_to", elsewhere))
		if saved.Status != http.StatusSeeOther || saved.Header.Get("Location") != "/team/finance" {
			t.Errorf("%q: POST = %d to %q", elsewhere, saved.Status, saved.Header.Get("Location"))
		}
	}
}

// What was changed stands first within its day, tinted, as what was logged does.
func TestChangedRowIsFirstInItsDay(t *testing.T) {
	t.Parallel()
	b := startProgram(t, setup{}).Browser()
	b.SignIn(finance)
	day := func(item string) url.Values { return apptest.With(apptest.ExpenseForm(), "item", item) }
	first := b.LogExpense("finance", day("First"))
	b.LogExpense("finance", day("Second"))
	rows := func(page *apptest.Reply) (items []string) {
		for _, row := range strings.Split(page.Body, "<tr role=\"row\"")[1:] {
			for _, item := range []string{"First", "Second", "Changed"} {
				if strings.Contains(row, ">"+item+"<") {
					items = append(items, row[:strings.Index(row, ">")]+" "+item)
				}
			}
		}
		return items
	}
	b.Get("/team/finance") // takes the notice of the second
	if got, want := rows(b.Get("/team/finance")), []string{" Second", " First"}; !slices.Equal(got, want) {
		t.Fatalf("before the change the rows are %q, want %q", got, want)
	}
	changed := b.Follow(b.Post(first.Path(), apptest.With(day("Changed"), "version", "1")))
	if got, want := rows(changed), []string{` class="new" Changed`, " Second"}; !slices.Equal(got, want) {
		t.Errorf("after it they are %q, want %q", got, want)
	}
}

// A person who goes to where a form posts is led to the form.
func TestGoingToWhereAFormPosts(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	e := b.LogExpense("finance", apptest.ExpenseForm())
	for path, page := range map[string]string{
		"/team/finance/expenses": "/team/finance/expenses/new", e.Path() + "/delete": e.Path(), e.Path() + "/restore": e.Path(), e.Path() + "/undo": e.Path(),
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
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	note := strings.Repeat("lorem ipsum ", 9000)
	r.Unchanged(func() {
		b.Post("/team/finance/expenses", apptest.With(apptest.ExpenseForm(), "note", note)).Check(t, http.StatusUnprocessableEntity, "at most 2000 characters, and it has 107999", note, `value="42.50"`)
		loseSession(b)
		b.Post("/team/finance/expenses", apptest.With(apptest.ExpenseForm(), "note", note)).Check(t, http.StatusUnauthorized, "Go back in your browser")
	})
}

func TestTwoPeopleEditOneExpense(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	carol, hannah := r.Browser(), r.Browser()
	carol.SignIn(finance)
	hannah.SignIn(admin)
	e := carol.LogExpense("finance", apptest.ExpenseForm())
	first := apptest.With(apptest.With(apptest.ExpenseForm(), "version", "1"), "amount", "50")
	second := apptest.With(apptest.With(apptest.ExpenseForm(), "version", "1"), "item", "Dinner with a client")
	hannah.Post(e.Path(), first).Check(t, http.StatusSeeOther)
	conflict := carol.Post(e.Path(), second)
	conflict.Check(t, http.StatusConflict, "Dinner with a client", "50.00", `name="version" value="2"`, "Save mine over it")
	if now := carol.Exported("/team/finance/expenses.json?q=client").Expenses[0]; now.Item != "Lunch with a client" || now.Amount != "50.00" {
		t.Errorf("the second editor overwrote the first: %+v", now)
	}
	carol.Post(e.Path(), apptest.With(second, "version", "2")).Check(t, http.StatusSeeOther)
	carol.Get(e.Path()).Check(t, 200, "Dinner with a client", "<strong>Hannah Smith</strong>", "<strong>Carol Lee</strong>")
	for _, action := range []string{"", "/delete", "/restore"} {
		carol.Post(e.Path()+action, apptest.With(apptest.ExpenseForm(), "version", "1")).Check(t, http.StatusConflict)
		carol.Post(e.Path()+action, apptest.With(apptest.ExpenseForm(), "version", "x")).Check(t, http.StatusBadRequest)
	}
}

func TestDeleteAndUndo(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b, mate := r.Browser(), r.Browser()
	b.SignIn(finance)
	mate.SignIn(admin)
	e := b.LogExpense("finance", apptest.ExpenseForm())
	b.Get("/team/finance").Check(t, 200, "Logged: Lunch with a client, $42.50.", `action="`+e.Path()+`/delete"><input type="hidden" name="version" value="1"`, ">Undo</button>")
	b.Post(e.Path(), apptest.With(apptest.ExpenseForm(), "version", "1")).Check(t, http.StatusSeeOther)
	b.Get("/team/finance").Check(t, 200, "Nothing to change: Lunch with a client, $42.50.", "!Changed: ", "!Undo")
	b.Post(e.Path()+"/delete", url.Values{"version": {"1"}}).Check(t, http.StatusSeeOther)
	page := b.Get("/team/finance")
	page.Check(t, 200, "Deleted: Lunch with a client, $42.50.", "$2,780.00", "Undo", `action="`+e.Path()+`/restore"`)
	if found := b.Exported("/team/finance/expenses.json?q=lunch+with"); found.Count != 0 {
		t.Error("a deleted expense is exported")
	}
	version := regexp.MustCompile(`/restore"><input type="hidden" name="version" value="(\d+)"`).FindStringSubmatch(page.Body)
	if version == nil {
		t.Fatalf("no form undoes it: %s", page.Text())
	}
	b.Post(e.Path()+"/restore", url.Values{"version": {version[1]}}).Check(t, http.StatusSeeOther)
	b.Get("/team/finance").Check(t, 200, "Restored: Lunch with a client, $42.50.", "$2,822.50")
	mate.Get(e.Path()).Check(t, 200, "deleted", "restored")
}

// What somebody changed by mistake is as before with one button, unless somebody else has
// touched it since.
func TestUndoOfAChange(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b, mate := r.Browser(), r.Browser()
	b.SignIn(finance)
	mate.SignIn(admin)
	e := b.LogExpense("finance", apptest.ExpenseForm())
	before := b.Exported("/team/finance/expenses.json?q=lunch+with").Expenses[0]
	list := "/team/finance?sort=amount&order=desc"
	b.Post(e.Path(), url.Values{
		"version": {"1"}, "date": {"2026-01-31"}, "item": {"Dinner with a client"}, "category": {"Food"}, "amount": {"1042.50"}, "note": {""}, "return_to": {list},
	}).Check(t, http.StatusSeeOther)
	page := b.Get(list)
	page.Check(t, 200, "Changed: Dinner with a client, $1,042.50.", `action="`+e.Path()+`/undo"><input type="hidden" name="version" value="2"`, ">Undo</button>")
	undo := url.Values{"version": {"2"}, "return_to": {list}}
	mate.Post(e.Path()+"/undo", undo).Check(t, http.StatusNotFound)
	for range 2 { // who presses it twice has pressed it once
		if got := b.Post(e.Path()+"/undo", undo); got.Status != http.StatusSeeOther || got.Header.Get("Location") != list {
			t.Fatalf("undo: %d to %q", got.Status, got.Header.Get("Location"))
		}
		b.Get(list).Check(t, 200, "Changed back: Lunch with a client, $42.50.", "!Undo")
	}
	if now := b.Exported("/team/finance/expenses.json?q=lunch+with").Expenses[0]; now != before {
		t.Errorf("it is %+v, and was %+v", now, before)
	}
	b.Post(e.Path(), apptest.With(apptest.With(apptest.ExpenseForm(), "version", "3"), "item", "Supper")).Check(t, http.StatusSeeOther)
	mate.Post(e.Path(), apptest.With(apptest.With(apptest.ExpenseForm(), "version", "4"), "item", "Breakfast")).Check(t, http.StatusSeeOther)
	r.Unchanged(func() {
		b.Post(e.Path()+"/undo", url.Values{"version": {"4"}}).Check(t, http.StatusConflict, "Somebody else changed this expense in the meantime")
		b.Post(e.Path()+"/undo", url.Values{"version": {"1"}}).Check(t, http.StatusNotFound) // there it was logged
	})
	// Whose it was cannot be told from the history.
	mate.Post(e.Path(), apptest.With(apptest.With(apptest.ExpenseForm(), "version", "5"), "person", "Grace Hopper")).Check(t, http.StatusSeeOther)
	mate.Get("/team/finance").Check(t, 200, "Changed: ", "!Undo")
	r.Unchanged(func() { mate.Post(e.Path()+"/undo", url.Values{"version": {"6"}}).Check(t, http.StatusNotFound) })
}

func TestOthersExpensesAreNotTheirsToChange(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	sample := b.Exported("/team/finance/expenses.json?q=booth").Expenses[0]
	b.Get(sample.Path()).Check(t, 200, "Event Booth", "!Delete this expense", "!Save changes")
	for _, action := range []string{"", "/delete", "/restore", "/undo"} {
		r.Unchanged(func() {
			b.Post(sample.Path()+action, apptest.With(apptest.ExpenseForm(), "version", "1")).Check(t, http.StatusForbidden, "Not yours to change")
		})
	}
}

func TestTooLargeBodies(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	r.Unchanged(func() {
		b.Post("/team/finance/expenses", apptest.With(apptest.ExpenseForm(), "note", strings.Repeat("n", 1<<20))).Check(t, http.StatusRequestEntityTooLarge, "Too much at once", "up to 1 MB", "Go back in your browser", "shorten it", "up to 2,000 characters")
		long := "typed " + strings.Repeat("n", 1<<20-1000)
		b.Post("/team/finance/expenses", apptest.With(apptest.ExpenseForm(), "note", long)).Check(t, http.StatusUnprocessableEntity, long)
		b.Upload(strings.Repeat("x", 41<<20)).Check(t, http.StatusRequestEntityTooLarge, "Too much at once", "up to 40 MB", "Split it")
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
			r := startProgram(t, setup{})
			b := r.Browser()
			b.SignIn(finance)
			if test.path == "" {
				test.path = b.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "item", "Before")).Path()
				test.page = test.path
			}
			form := apptest.With(apptest.With(apptest.ExpenseForm(), "version", "1"), "note", strings.Repeat("日本語\n", 450))
			b.SetCookie("expense_session", "not a session")
			var sent *reply
			r.Unchanged(func() { sent = b.Post(test.path, form) })
			if want := "/login?return_to=" + url.QueryEscape(test.page); sent.Status != http.StatusOK || sent.Header.Get("Refresh") != "0; url="+want {
				t.Fatalf("POST without a session = %d to %q, want %q", sent.Status, sent.Header.Get("Refresh"), want)
			}
			back := b.Follow(sent)
			back.Check(t, 200, "This is not saved yet", `value="Lunch with a client"`, strings.Repeat("日本語\n", 449), `value="42.50"`)
			b.Post(test.path, form).Check(t, http.StatusSeeOther)
			b.Get(test.page).Check(t, 200, "!This is not saved yet")
			if found := b.Exported("/team/finance/expenses.json?q=lunch+with"); found.Count != 1 {
				t.Errorf("%d expenses came of it", found.Count)
			}
		})
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
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
			file := b.Exported("/expenses.json?" + test.query)
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
	r := startProgram(t, setup{})
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
			b.Get(path+"?"+query).Check(t, http.StatusBadRequest, "the filter has ", `role="search"`, `action="`+path+`"`, "show all expenses")
			b.Get(path+"?"+query, "Accept", "application/json").Check(t, http.StatusBadRequest, "is not understood")
		}
	}
}

// TestQueriesNotUnderstoodKeepWhatWasTyped asks with one field wrong among right
// ones.
func TestQueriesNotUnderstoodKeepWhatWasTyped(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b, all := r.Browser(), r.Browser()
	b.SignIn(finance)
	all.SignIn(admin)
	for _, test := range []struct {
		query string
		want  []string
	}{
		{"q=taxi&from=2026-03-02&to=2026-03-01", []string{`value="taxi"`, `value="2026-03-02"`, `value="2026-03-01"`, `id="filter-to-error">The last day, 2026-03-01, is before the first, 2026-03-02.`, `href="#filter-to"`}},
		{"q=a%09b&category=Meals", []string{`id="filter-q-error">This contains a control character`, `value="Meals" selected`, `aria-describedby="filter-q-error"`}},
		{"q=taxi&page=2", []string{`value="taxi"`, "“page” is not a parameter of this page", "!-error"}},
		{"q=taxi&from=x&order=up", []string{"the filter has 2 errors", `id="filter-from-error"`, "The order is asc or desc"}},
		{"person=me&from=x", []string{`<option value="me" selected>`}},
		{"sort=amount&order=asc&from=x", []string{`name="sort" value="amount"`, `name="order" value="asc"`}},
		{"sort=amount&max=cheap", []string{`name="sort" value="amount"`, `name="order" value="asc"`}},
		{"sort=item&order=desc&page=2", []string{`name="sort" value="item"`, `name="order" value="desc"`}},
		{"sort=amount&order=up", []string{`name="sort" value="amount"`, `!"up"`}},
		{"sort=size&order=asc", []string{`name="order" value="asc"`, `!"size"`}},
		{"sort=amount&sort=item", []string{"sort stands more than once", `!name="sort"`}},
		{"sort=item&order=asc&after=x", []string{`name="sort" value="item"`, `!name="after"`}},
		{"sort=amount&from=x", []string{`href="/team/finance?order=asc&amp;sort=amount">show all expenses`}},
		{"q=taxi&from=x", []string{`q=taxi&amp;to=`}},
		{"q=taxi&sort=item&%zz=1", []string{`value="taxi"`, `name="sort" value="item"`}},
		{"status=logged", []string{"“status” is not a parameter", "!#filter-status"}},
		{"team=hr", []string{"“team” is not a parameter", "!#filter-team"}},
	} {
		b.Get("/team/finance?"+test.query).Check(t, http.StatusBadRequest, test.want...)
	}
	for _, test := range []struct {
		query string
		want  []string
	}{
		{"sort=amount&order=asc&from=x", []string{`name="sort" value="amount"`, `name="order" value="asc"`}},
		{"team=hr&from=x", []string{`<option value="hr" selected>`}},
		{"team=finance&team=hr", []string{"team stands more than once in the address, and counts once.", `href="#filter-team"`, `id="filter-team-error"`, "!is not a parameter"}},
		{"team=nowhere&team=hr", []string{"team stands more than once"}},
		{"page=2", []string{"These are: q, person, category, from, to, min, max, sort, order, after, before, team."}},
	} {
		all.Get("/expenses?"+test.query).Check(t, http.StatusBadRequest, test.want...)
	}
	for _, path := range []string{"/expenses.csv", "/expenses.json", "/activity", "/activity.csv"} {
		all.Get(path+"?team=finance&team=hr").Check(t, http.StatusBadRequest, "team stands more than once", "!is not a parameter")
	}
	all.Get("/expenses.csv?for=excel&for=excel").Check(t, http.StatusBadRequest, "for stands more than once")
}

// TestPages walks over more than two pages, in each order, by the links.
func TestPages(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(admin)
	var file strings.Builder
	file.WriteString(columns + "\n")
	for i := range 120 {
		fmt.Fprintf(&file, ",2025-%02d-%02d,finance,Person %d,Item %03d,Travel,%d.00,\n", i%12+1, i%28+1, i%7, i, i%9+1)
	}
	b.Import(file.String()).Check(t, http.StatusSeeOther)
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
			for _, e := range b.Exported("/team/finance/expenses.json?" + order).Expenses {
				all = append(all, e.Path())
			}
			if pages != 3 || strings.Join(walked, "\n") != strings.Join(all, "\n") {
				t.Errorf("%d pages have %d rows; the file has %d", pages, len(walked), len(all))
			}
		})
	}
}

func TestExports(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	b := r.Browser()
	b.SignIn(finance)
	b.LogExpense("finance", apptest.With(apptest.ExpenseForm(), "item", `=cmd|' /C calc'!A0`))
	answer := b.Get("/team/finance/expenses.csv?sort=amount&order=asc")
	answer.Check(t, 200)
	if got := answer.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/csv; charset=utf-8") {
		t.Errorf("Content-Type %q", got)
	}
	if got := answer.Header.Get("Content-Disposition"); got != `attachment; filename="finance-expenses.csv"` {
		t.Errorf("Content-Disposition %q", got)
	}
	records, err := csv.NewReader(strings.NewReader(answer.Body)).ReadAll()
	if err != nil || len(records) != 6 || strings.Join(records[0], ",") != columns {
		t.Fatalf("%d records, %v: %s", len(records), err, answer.Body)
	}
	if row := strings.Join(records[1][2:], "|"); row != `finance|Carol Lee|'=cmd|' /C calc'!A0|Meals|42.50|at the harbour|1|carol.lee@task-vantage.com` {
		t.Errorf("the first row is %q", row)
	}
	marked := b.Get("/team/finance/expenses.csv?sort=amount&order=asc&for=excel")
	if marked.Check(t, 200); marked.Body != "\ufeff"+answer.Body {
		t.Errorf("for Excel the file is %q", marked.Body)
	}
	b.Get("/team/finance").Check(t, 200, `href="/team/finance/expenses.csv?for=excel"`)
	b.Get("/team/finance/expenses.csv?for=word").Check(t, http.StatusBadRequest, "is not understood")
	for _, path := range []string{"/team/finance?for=excel", "/team/finance/expenses.json?for=excel"} {
		b.Get(path).Check(t, http.StatusBadRequest, "“for” is not a parameter")
	}
	guest := r.Browser()
	guest.Get("/team/finance/expenses.csv", "Accept", "text/csv").Check(t, http.StatusUnauthorized)
	guest.Get("/team/finance/expenses.json", "Accept", "application/json").Check(t, http.StatusUnauthorized)
}

// TestDatabaseAway takes the database away and brings it back.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
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
	form := apptest.ExpenseForm()
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
	// Which sessions have ended is asked again within a moment.
	for deadline := time.Now().Add(10 * time.Second); b.Get("/readyz").Status != http.StatusOK && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	b.Get("/readyz").Check(t, 200)
	b.Get("/team/finance/expenses/new").Check(t, 200, "This is not saved yet", "at the harbour", form.Get("submission"))
	b.Post("/team/finance/expenses", form).Check(t, http.StatusSeeOther)
}

// TestAmountsBetween asks for expenses by their amounts, as their reader writes them.
func TestAmountsBetween(t *testing.T) {
	t.Parallel()
	b := startProgram(t, setup{}).Browser()
	b.SignIn(finance)
	b.Get("/team/finance?min=400&max=1,000.00").Check(t, 200, "Promotional Material", "Event Booth", "!Team Lunch</a>", "$1,400.00")
	b.Get("/team/finance?min=1.000,00", "Accept-Language", "de").Check(t, 200, "Product Launch Campaign", "!Event Booth</a>")
	b.Get("/team/finance?min=cheap&q=x").Check(t, http.StatusBadRequest, `value="cheap"`, "filter-min-error")
	b.Get("/team/finance/expenses.json?max=200").Check(t, 200, `"count":1`)
	b.Get("/team/finance/expenses.csv?min=2&max=1").Check(t, http.StatusBadRequest)
}
