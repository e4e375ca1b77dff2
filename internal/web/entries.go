package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/server"
	"expense-dashboard/internal/signin"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/team"
	pagepkg "expense-dashboard/internal/web/internal/page"
)

const (
	// draftMaxAge is how long a form waits for its writer to sign in again.
	draftMaxAge = signin.PendingMaxAge
	// maxSubmission bounds the token of a form.
	maxSubmission = 64
	ImportPath    = "/expenses/import"
	// MaxUpload is how many bytes an uploaded file may have, its envelope
	// counted, and uploadTimeout how long it may take.
	MaxUpload     = 10 << 20
	uploadTimeout = 2 * time.Minute
)

// typedForm reads the fields of an expense as they were typed.
func typedForm(fields url.Values) expense.Form {
	return expense.Form{
		Date: fields.Get("date"), Person: fields.Get("person"), Item: fields.Get("item"),
		Category: fields.Get("category"), Amount: fields.Get("amount"), Note: fields.Get("note"), Refund: fields.Get("refund") == "yes",
	}
}

// NewExpense handles GET /team/{id}/expenses/new.
func (s *Site) NewExpense(w http.ResponseWriter, r *http.Request, v Visit) error {
	form := pagepkg.ExpenseFormView{Submission: expense.NewID(), Typed: expense.Form{Date: s.today().String(), Person: v.Person.Name}}
	var told *pagepkg.Notice
	if fields := s.takeDraft(w, r); fields != nil {
		form.Typed, form.Submission = typedForm(fields), fields.Get("submission")
		told = &pagepkg.Notice{Text: unsaved}
	}
	return s.renderNew(w, r, http.StatusOK, v, form, told)
}

// unsaved is told with a form that comes back after its writer signed in again,
// or after the database was away.
const unsaved = "This is not saved yet. Here is what you typed."

func (s *Site) renderNew(w http.ResponseWriter, r *http.Request, status int, v Visit, form pagepkg.ExpenseFormView, told *pagepkg.Notice) error {
	sums, err := s.store.Summary(r.Context(), expense.Query{Teams: v.teams()})
	if err != nil {
		return err
	}
	form.Action = v.filePath()
	s.completeForm(r, v, &form, sums.ByCategory)
	return s.pages.Render(w, r, status, "new", pagepkg.NewExpenseView{Page: s.page(v.Person, "Log an expense"), Notice: told, Team: v.Team, Form: form})
}

// completeForm adds what every form of an expense offers.
func (s *Site) completeForm(r *http.Request, v Visit, form *pagepkg.ExpenseFormView, categories []expense.Group) {
	form.Admin, form.Categories = v.Access.CanLogForOthers(v.Team.ID), labels(categories)
	form.Amounts = s.pages.Locales.Of(r).Notation()
	if form.Version > 0 && v.Access.Admin {
		form.Team, form.Teams = v.Team, s.directory.Current().Teams()
	}
	form.MaxDate = expense.LastDay(s.today()).String()
}

// LogExpense handles POST /team/{id}/expenses.
func (s *Site) LogExpense(w http.ResponseWriter, r *http.Request, v Visit) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	form := pagepkg.ExpenseFormView{Typed: typedForm(r.PostForm), Submission: r.PostForm.Get("submission")}
	if len(form.Submission) > maxSubmission {
		form.Submission = ""
	}
	entry, problems := s.checkEntry(r, v, form.Typed, expense.Entry{Person: v.Person.Name, Owner: team.NormalizeAddress(v.Person.Email)})
	if problems.Any() {
		form.Errors = problems
		return s.renderNew(w, r, http.StatusUnprocessableEntity, v, form, nil)
	}
	e, _, err := s.store.Create(r.Context(), v.actor(), entry, form.Submission)
	if err != nil {
		return err
	}
	return s.done(w, r, v, pagepkg.Notice{Text: "Logged: " + s.describe(r, e) + "."})
}

// checkEntry reads a form. Whose the expense is stays as before, unless an
// administrator names somebody else.
func (s *Site) checkEntry(r *http.Request, v Visit, typed expense.Form, before expense.Entry) (expense.Entry, expense.FieldErrors) {
	named := strings.TrimSpace(typed.Person)
	if !v.Access.CanLogForOthers(v.Team.ID) || named == "" {
		named = before.Person
	}
	typed.Person = named
	entry, problems := typed.Check(s.today(), s.pages.Locales.Of(r).Notation())
	entry.Team, entry.Owner = v.Team.ID, before.Owner
	if named != before.Person {
		entry.Owner = ""
		if strings.Contains(named, "@") {
			entry.Owner = team.NormalizeAddress(named)
		}
	}
	return entry, problems
}

// describe names an expense in a notice.
func (s *Site) describe(r *http.Request, e expense.Expense) string {
	text := e.Item + ", " + s.pages.Locales.Of(r).Money(e.Amount)
	if e.Amount < 0 {
		text += " (refund)"
	}
	return text
}

// done leads back to the team's page after a write, with what came of it.
func (s *Site) done(w http.ResponseWriter, r *http.Request, v Visit, told pagepkg.Notice) error {
	if err := s.notices.put(w, r, told); err != nil {
		return err
	}
	s.noteWrite(w)
	SeeOther(w, v.path())
	return nil
}

// badForm is what is wrong with a form that cannot be read at all.
func badForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errTooSlow
	}
	return &expense.QueryError{"the form is not made of name=value pairs joined by &"}
}

// Expense handles GET /team/{id}/expenses/{expense}.
func (s *Site) Expense(w http.ResponseWriter, r *http.Request, v Visit) error {
	detail, err := s.store.Detail(r.Context(), v.Team.ID, r.PathValue("expense"))
	if err != nil {
		return err
	}
	form := pagepkg.ExpenseFormView{Typed: s.formOf(r, detail.Expense), Version: detail.Expense.Version}
	told := s.notices.take(w, r)
	if fields := s.takeDraft(w, r); fields != nil {
		form.Typed = typedForm(fields)
		form.Version, _ = strconv.ParseInt(fields.Get("version"), 10, 64)
		told = &pagepkg.Notice{Text: unsaved}
	}
	return s.renderExpense(w, r, http.StatusOK, v, detail, form, told)
}

// formOf fills in the form of an expense that is to be changed.
func (s *Site) formOf(r *http.Request, e expense.Expense) expense.Form {
	return expense.Form{
		Date: e.Date.String(), Person: e.Person, Item: e.Item, Category: e.Category, Note: e.Note,
		Amount: s.pages.Locales.Of(r).Notation().Plain(max(e.Amount, -e.Amount)), Refund: e.Amount < 0,
	}
}

// formAgain answers a form that was not taken with the page of its expense.
func (s *Site) formAgain(w http.ResponseWriter, r *http.Request, status int, v Visit, id string, form pagepkg.ExpenseFormView) error {
	detail, err := s.store.Detail(r.Context(), v.Team.ID, id)
	if err != nil {
		return err
	}
	return s.renderExpense(w, r, status, v, detail, form, nil)
}

func (s *Site) renderExpense(w http.ResponseWriter, r *http.Request, status int, v Visit, detail expense.Detail, form pagepkg.ExpenseFormView, told *pagepkg.Notice) error {
	e := detail.Expense
	if e.Deleted() && !v.mayChange(e) {
		return expense.ErrNotFound
	}
	form.Action = v.filePath() + "/" + e.ID
	s.completeForm(r, v, &form, detail.Categories)
	return s.pages.Render(w, r, status, "expense", pagepkg.ExpenseView{
		Page: s.page(v.Person, e.Item), Notice: told, Team: v.Team, Expense: e, MayChange: v.mayChange(e), Form: form, History: detail.History,
	})
}

// ChangeExpense handles POST /team/{id}/expenses/{expense}.
func (s *Site) ChangeExpense(w http.ResponseWriter, r *http.Request, v Visit) error {
	e, version, err := s.expenseToChange(r, v)
	if err != nil {
		return err
	}
	form := pagepkg.ExpenseFormView{Typed: typedForm(r.PostForm), Version: version}
	entry, problems := s.checkEntry(r, v, form.Typed, e.Entry)
	entry.Team, form.TeamError = s.movedTo(v, r.PostForm.Get("team"))
	if problems.Any() || form.TeamError != "" {
		form.Errors = problems
		return s.formAgain(w, r, http.StatusUnprocessableEntity, v, e.ID, form)
	}
	changed, err := s.store.Update(r.Context(), v.actor(), e.ID, version, entry)
	if err != nil {
		return s.conflict(w, r, v, form, err)
	}
	v.Team = s.teamOf(changed.Team)
	return s.done(w, r, v, pagepkg.Notice{Text: "Changed: " + s.describe(r, changed) + "."})
}

// conflict shows what somebody else made of the expense beside what was typed.
// Any other error it returns.
func (s *Site) conflict(w http.ResponseWriter, r *http.Request, v Visit, form pagepkg.ExpenseFormView, err error) error {
	var conflict *expense.ConflictError
	if !errors.As(err, &conflict) {
		return err
	}
	form.Current, form.Version = &conflict.Current, conflict.Current.Version
	return s.formAgain(w, r, http.StatusConflict, v, conflict.Current.ID, form)
}

// expenseToChange finds the expense that a form is about, and the version that
// its sender saw: the present one, where a program sent the form and no browser.
func (s *Site) expenseToChange(r *http.Request, v Visit) (e expense.Expense, version int64, err error) {
	if err := r.ParseForm(); err != nil {
		return expense.Expense{}, 0, badForm(err)
	}
	e, err = s.store.Expense(r.Context(), v.Team.ID, r.PathValue("expense"))
	switch {
	case err != nil:
		return expense.Expense{}, 0, err
	case e.Deleted() && !v.mayChange(e):
		return expense.Expense{}, 0, expense.ErrNotFound
	case !v.mayChange(e):
		return expense.Expense{}, 0, ErrForbidden
	case !r.PostForm.Has("version"):
		return e, e.Version, nil
	}
	version, err = strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
	if err != nil {
		return expense.Expense{}, 0, &expense.QueryError{"version is a number"}
	}
	return e, version, nil
}

// DeleteExpense handles POST /team/{id}/expenses/{expense}/delete.
func (s *Site) DeleteExpense(w http.ResponseWriter, r *http.Request, v Visit) error {
	e, version, err := s.expenseToChange(r, v)
	if err != nil {
		return err
	}
	deleted, err := s.store.Delete(r.Context(), v.actor(), e.ID, version)
	if err != nil {
		return s.conflict(w, r, v, pagepkg.ExpenseFormView{Typed: s.formOf(r, e)}, err)
	}
	return s.done(w, r, v, pagepkg.Notice{
		Text: "Deleted: " + s.describe(r, deleted) + ".", UndoURL: v.filePath() + "/" + e.ID + "/restore", Version: deleted.Version,
	})
}

// RestoreExpense handles POST /team/{id}/expenses/{expense}/restore.
func (s *Site) RestoreExpense(w http.ResponseWriter, r *http.Request, v Visit) error {
	e, version, err := s.expenseToChange(r, v)
	if err != nil {
		return err
	}
	restored, err := s.store.Restore(r.Context(), v.actor(), e.ID, version)
	if err != nil {
		return s.conflict(w, r, v, pagepkg.ExpenseFormView{Typed: s.formOf(r, e)}, err)
	}
	return s.done(w, r, v, pagepkg.Notice{Text: "Restored: " + s.describe(r, restored) + "."})
}

// ReturnTo is where somebody who has to sign in first comes back to: the same
// page or, after a form, the page of the form, for which what was typed is kept
// in the browser.
func (s *Site) ReturnTo(w http.ResponseWriter, r *http.Request) (string, error) {
	if r.Method != http.MethodPost {
		return r.URL.RequestURI(), nil
	}
	page, isEntry := formPage(r.URL.EscapedPath())
	if isEntry {
		if _, err := s.keepDraft(w, r, page); err != nil {
			return "", err
		}
	}
	return page, nil
}

// formPage is the page of the form that posts to a path, and whether it is the
// form of an expense.
func formPage(path string) (page string, isEntry bool) {
	if page, ok := sessionsPage(path); ok {
		return page, false
	}
	for _, action := range []string{"/delete", "/restore"} {
		if page, ok := strings.CutSuffix(path, action); ok {
			return page, false
		}
	}
	if path == ImportPath {
		return path, false
	}
	if strings.HasSuffix(path, "/expenses") {
		path += "/new"
	}
	return path, true
}

// keepDraft keeps the form of an expense in the browser, for its page. It
// reports false if there is more of it than any expense may hold.
func (s *Site) keepDraft(w http.ResponseWriter, r *http.Request, page string) (kept bool, err error) {
	if err := r.ParseForm(); err != nil {
		return false, badForm(err)
	}
	fields := url.Values{}
	for _, name := range []string{"date", "person", "item", "category", "amount", "refund", "note", "submission", "version"} {
		if r.PostForm.Has(name) {
			fields.Set(name, r.PostForm.Get(name))
		}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return false, err
	}
	return s.drafts.Save(w, r, page, string(text))
}

// keptError is a form that the database could not take, and that waits in the
// browser for its Page to be opened again.
type keptError struct {
	Page string
	Err  error
}

func (e *keptError) Error() string { return e.Err.Error() }

func (e *keptError) Unwrap() error { return e.Err }

// Keeping is a handler of an expense's form that loses nothing where the
// database does not serve.
func (s *Site) Keeping(h func(http.ResponseWriter, *http.Request, Visit) error) func(http.ResponseWriter, *http.Request, Visit) error {
	return func(w http.ResponseWriter, r *http.Request, v Visit) error {
		err := h(w, r, v)
		if !store.IsUnavailable(err) {
			return err
		}
		page, _ := formPage(r.URL.EscapedPath())
		kept, keepErr := s.keepDraft(w, r, page)
		if !kept || keepErr != nil {
			return errors.Join(err, keepErr)
		}
		return &keptError{page, err}
	}
}

// takeDraft returns the form that was kept for this page, or nil, and drops it.
func (s *Site) takeDraft(w http.ResponseWriter, r *http.Request) url.Values {
	text := s.drafts.Load(r, r.URL.EscapedPath())
	var fields url.Values
	if text == "" || json.Unmarshal([]byte(text), &fields) != nil {
		return nil
	}
	s.drafts.Forget(w, r)
	return fields
}

// ImportForm handles GET /expenses/import.
func (s *Site) ImportForm(w http.ResponseWriter, r *http.Request, v Visit) error {
	return s.renderImport(w, r, http.StatusOK, v, nil)
}

func (s *Site) renderImport(w http.ResponseWriter, r *http.Request, status int, v Visit, faults []expense.LineError) error {
	return s.pages.Render(w, r, status, "import", pagepkg.ImportView{Page: s.page(v.Person, "Import"), Columns: expensefile.Columns, Errors: faults})
}

// ImportFile handles POST /expenses/import.
func (s *Site) ImportFile(w http.ResponseWriter, r *http.Request, v Visit) error {
	file, err := uploadedFile(w, r)
	if err != nil {
		return badForm(err)
	}
	if file == nil {
		return s.renderImport(w, r, http.StatusUnprocessableEntity, v, []expense.LineError{{Line: 1, Text: "Choose a file to import."}})
	}
	knownTeam := func(id string) bool { _, ok := s.directory.Current().Team(id); return ok }
	rows, faults := expensefile.ParseImport(bytes.NewReader(file), knownTeam, s.today(), s.store.Currency())
	if len(faults) > 0 {
		return s.renderImport(w, r, http.StatusUnprocessableEntity, v, faults)
	}
	report, faults, err := s.store.Import(r.Context(), v.actor(), rows)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return s.renderImport(w, r, http.StatusUnprocessableEntity, v, faults)
	}
	return s.done(w, r, v, pagepkg.Notice{
		Text: fmt.Sprintf("Imported: %d added, %d changed, %d unchanged.", report.Added, report.Changed, report.Unchanged),
	})
}

// uploadedFile reads the part of a form that is named file, or returns nil if
// there is none.
func uploadedFile(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	// A file takes longer than the server grants to an ordinary request.
	// The answer comes after it.
	controller, until := http.NewResponseController(w), time.Now().Add(uploadTimeout)
	err := errors.Join(controller.SetReadDeadline(until), controller.SetWriteDeadline(until.Add(server.AnswerTimeout)))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, err
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if part.FormName() == "file" && part.FileName() != "" {
			return io.ReadAll(part)
		}
	}
}
