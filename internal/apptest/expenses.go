package apptest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"expense-dashboard/internal/storetest"
)

// ExpenseForm is the form of a new expense, rightly filled in, today.
func ExpenseForm() url.Values {
	return url.Values{
		"date": {time.Now().Format(time.DateOnly)}, "item": {"Lunch with a client"}, "category": {"Meals"},
		"amount": {"42.50"}, "note": {"at the harbour"}, "submission": {NewID()},
	}
}

// NewID returns a random id as the program makes them.
func NewID() string { return strings.ToLower(rand.Text()) }

// With changes one field of a form.
func With(form url.Values, name, value string) url.Values {
	form.Set(name, value)
	return form
}

// Upload sends a file to the import page, to be looked at.
func (b *Browser) Upload(content string) *Reply {
	b.T.Helper()
	return b.upload(content, "")
}

// Import sends a file to the import page, to be imported at once.
func (b *Browser) Import(content string) *Reply {
	b.T.Helper()
	return b.upload(content, "yes")
}

func (b *Browser) upload(content, confirm string) *Reply {
	b.T.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("confirm", confirm); err != nil {
		b.T.Fatal(err)
	}
	part, err := form.CreateFormFile("file", "expenses.csv")
	if err != nil {
		b.T.Fatal(err)
	}
	part.Write([]byte(content))
	form.Close()
	return b.SendBody(http.MethodPost, "/expenses/import", &body, "Content-Type", form.FormDataContentType())
}

// Unchanged runs fn and asserts that no expense and no history came of it.
func (r *Rig) Unchanged(fn func()) {
	r.T.Helper()
	count := func() string {
		var expenses, history, sum int64
		row := storetest.DB(r.T, r.Database).QueryRowContext(r.T.Context(), `SELECT (SELECT COUNT(*) FROM expenses), (SELECT COUNT(*) FROM history), (SELECT COALESCE(SUM(amount_cents), 0) FROM expenses WHERE deleted_at IS NULL)`)
		if err := row.Scan(&expenses, &history, &sum); err != nil {
			r.T.Fatal(err)
		}
		return fmt.Sprint(expenses, " expenses, ", history, " rows of history, sum ", sum)
	}
	before := count()
	fn()
	if after := count(); after != before {
		r.T.Errorf("there were %s and now %s", before, after)
	}
}

// An Expense is an expense as the JSON file has it.
type Expense struct {
	ID, Date, Team, Person, Item, Category, Amount, Note string
}

// Path is the address of its page.
func (e Expense) Path() string { return "/team/" + e.Team + "/expenses/" + e.ID }

// Exported reads the JSON file at a path.
func (b *Browser) Exported(path string) (file struct {
	Expenses []Expense `json:"expenses"`
	Count    int       `json:"count"`
	Total    string    `json:"total"`
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

// LogExpense sends the form of a new expense, which must be taken, and returns it.
func (b *Browser) LogExpense(team string, form url.Values) Expense {
	b.T.Helper()
	r := b.Post("/team/"+team+"/expenses", form)
	if r.Status != http.StatusSeeOther || r.Header.Get("Location") != "/team/"+team {
		b.T.Fatalf("POST = %d to %q: %s", r.Status, r.Header.Get("Location"), r.Text())
	}
	for _, e := range b.Exported("/team/" + team + "/expenses.json").Expenses {
		if e.Item == form.Get("item") {
			return e
		}
	}
	b.T.Fatalf("%q is not among the expenses", form.Get("item"))
	return Expense{}
}
