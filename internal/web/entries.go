package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/team"
	pagepkg "expense-dashboard/internal/web/internal/page"
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
	form := pagepkg.ExpenseFormView{Typed: expense.Form{Date: s.today().String(), Person: v.Person.Name}, ReturnTo: s.returnTo(r)}
	if err := s.fillLike(r, v, &form); err != nil {
		return err
	}
	told := s.notices.take(w, r)
	if told != nil {
		told.Quiet = form.Another
	}
	if d, ok := s.takeDraft(w, r, v.Person); ok {
		form.Typed, form.Submission, form.ReturnTo = typedForm(d.Fields), d.Fields.Get("submission"), listPath(d.Fields.Get("return_to"))
		told = unsaved(d)
	}
	return s.renderNew(w, r, http.StatusOK, v, form, told)
}

// unsaved is told with a form that comes back after its writer signed in again,
// or after the database was away.
func unsaved(d draft) *pagepkg.Notice {
	return &pagepkg.Notice{Text: "This is not saved yet. " + d.Why + " Here is what you typed: check it and send it again.", Warning: true}
}

func (s *Site) renderNew(w http.ResponseWriter, r *http.Request, status int, v Visit, form pagepkg.ExpenseFormView, told *pagepkg.Notice) error {
	sums, err := s.store.Summary(r.Context(), expense.Query{Teams: v.teams()})
	if err != nil {
		return err
	}
	if form.Items, err = s.recentItems(r.Context(), v); err != nil {
		return err
	}
	form.Action = v.filePath()
	form.First = form.Logged == nil && !form.Errors.Any() && (told == nil || told.Quiet)
	if err := s.completeForm(r, v, &form, sums.ByCategory); err != nil {
		return err
	}
	return s.pages.Render(w, r, status, "new", pagepkg.NewExpenseView{Page: s.page(v.Person, "Log an expense"), Notice: told, Team: v.Team, Form: form})
}

// completeForm adds what every form of an expense offers.
func (s *Site) completeForm(r *http.Request, v Visit, form *pagepkg.ExpenseFormView, categories []expense.Group) error {
	all, err := s.store.Categories(r.Context())
	if err != nil {
		return err
	}
	form.Admin, form.Categories = v.Access.CanLogForOthers(v.Team.ID), offered(all, categories)
	form.Amounts = s.pages.Locales.Of(r).Notation()
	if form.Version > 0 && v.Access.Admin {
		form.Team, form.Teams = v.Team, s.directory.Current().Teams()
	}
	form.MaxDate = expense.LastDay(s.today()).String()
	if form.Submission == "" {
		form.Submission = newSubmission(v.Person.Subject)
	}
	return nil
}

// LogExpense handles POST /team/{id}/expenses.
func (s *Site) LogExpense(w http.ResponseWriter, r *http.Request, v Visit) error {
	if err := readForm(r, v.Person); err != nil {
		return err
	}
	form := pagepkg.ExpenseFormView{
		Typed: typedForm(r.PostForm), Submission: r.PostForm.Get("submission"), ReturnTo: listPath(r.PostForm.Get("return_to")),
		Another: r.PostForm.Get("another") != "",
	}
	entry, problems := s.checkEntry(r, v, form.Typed, expense.Entry{Person: v.Person.Name, Owner: team.NormalizeAddress(v.Person.Email)})
	if problems.Any() {
		form.Errors = problems
		return s.renderNew(w, r, http.StatusUnprocessableEntity, v, form, nil)
	}
	e, created, err := s.store.Create(r.Context(), v.actor(), entry, form.Submission)
	if refused := (*expense.CategoryError)(nil); errors.As(err, &refused) {
		form.Errors.Category = refused.Text
		return s.renderNew(w, r, http.StatusUnprocessableEntity, v, form, nil)
	}
	if err != nil {
		return err
	}
	if !created {
		return s.sentAgain(w, r, v, form, entry, e)
	}
	return s.logged(w, r, v, form, e)
}

// sentAgain answers a form of which e came before. With the same content it counts
// once; with another both are shown, and what is new can be logged as well.
func (s *Site) sentAgain(w http.ResponseWriter, r *http.Request, v Visit, form pagepkg.ExpenseFormView, entry expense.Entry, e expense.Expense) error {
	detail, err := s.store.Detail(r.Context(), v.actor(), e.Team, e.ID)
	if err != nil {
		return err
	}
	switch {
	case !detail.WasLoggedAs(entry, s.store.Currency()):
		form.Logged, form.LoggedURL, form.Submission = &e, expensePath(e), newSubmission(v.Person.Subject)
		return s.renderNew(w, r, http.StatusConflict, v, form, nil)
	case e.Deleted():
		return s.done(w, r, v, s.notice(r, "This was sent twice and deleted in between, so it does not count: ", e))
	}
	return s.logged(w, r, v, form, e)
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
	entry.Team, entry.Owner, entry.OwnerID = v.Team.ID, before.Owner, before.OwnerID
	switch {
	case named == before.Person:
		entry.Address, entry.PersonID = before.Address, before.PersonID
	case before.OwnerID == 0:
		// A new expense of somebody else, which is not its writer's.
		entry.Owner = ""
	}
	return entry, problems
}

// notice says what came of an expense, and leads to it.
func (s *Site) notice(r *http.Request, what string, e expense.Expense) pagepkg.Notice {
	rest := ", " + s.pages.Locales.Of(r).Money(e.Amount)
	if e.Amount < 0 {
		rest += " (refund)"
	}
	return pagepkg.Notice{Text: what, Item: e.Item, Rest: rest + ".", URL: expensePath(e)}
}

// expensePath is the page of an expense.
func expensePath(e expense.Expense) string { return "/team/" + e.Team + "/expenses/" + e.ID }

// done leads back after a write, with what came of it: to the list from which the
// form was opened, or to the team's page.
func (s *Site) done(w http.ResponseWriter, r *http.Request, v Visit, told pagepkg.Notice) error {
	told.ReturnTo = listPath(r.PostForm.Get("return_to"))
	if err := s.notices.put(w, r, told); err != nil {
		return err
	}
	s.noteWrite(w)
	SeeOther(w, cmp.Or(told.ReturnTo, v.path()))
	return nil
}

// Expense handles GET /team/{id}/expenses/{expense}.
func (s *Site) Expense(w http.ResponseWriter, r *http.Request, v Visit) error {
	detail, err := s.store.Detail(r.Context(), v.actor(), v.Team.ID, r.PathValue("expense"))
	if err != nil {
		return err
	}
	form := pagepkg.ExpenseFormView{Typed: s.formOf(r, detail.Expense), Version: detail.Expense.Version, ReturnTo: s.returnTo(r)}
	told := s.notices.take(w, r)
	if d, ok := s.takeDraft(w, r, v.Person); ok {
		form.Typed, form.ReturnTo, form.Chosen = typedForm(d.Fields), listPath(d.Fields.Get("return_to")), d.Fields.Get("team")
		form.Version, _ = strconv.ParseInt(d.Fields.Get("version"), 10, 64)
		told = unsaved(d)
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
	detail, err := s.store.Detail(r.Context(), v.actor(), v.Team.ID, id)
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
	form.ByReader = len(detail.History) > 0 && detail.History[0].Actor.Address == v.actor().Address
	if err := s.completeForm(r, v, &form, detail.Categories); err != nil {
		return err
	}
	view := pagepkg.ExpenseView{
		Page: s.page(v.Person, e.Item), Notice: told, Team: v.Team, Expense: e, MayChange: v.mayChange(e),
		Approval: s.approves(v), MayDecide: s.approves(v) && v.Access.CanDecide(v.Team.ID) && !e.Involved && !e.Deleted(), Form: form, History: detail.History,
	}
	if v.Access.CanLog(v.Team.ID) {
		view.LikeURL = v.filePath() + "/new?like=" + e.ID
	}
	return s.pages.Render(w, r, status, "expense", view)
}

// ChangeExpense handles POST /team/{id}/expenses/{expense}.
func (s *Site) ChangeExpense(w http.ResponseWriter, r *http.Request, v Visit) error {
	e, version, err := s.expenseToChange(r, v)
	if err != nil {
		return err
	}
	form := pagepkg.ExpenseFormView{Typed: typedForm(r.PostForm), Version: version, ReturnTo: listPath(r.PostForm.Get("return_to")), Chosen: r.PostForm.Get("team")}
	entry, problems := s.checkEntry(r, v, form.Typed, e.Entry)
	entry.Team, form.TeamError = s.movedTo(v, r.PostForm.Get("team"))
	if problems.Any() || form.TeamError != "" {
		form.Errors = problems
		return s.formAgain(w, r, http.StatusUnprocessableEntity, v, e.ID, form)
	}
	changed, err := s.store.Update(r.Context(), v.actor(), e.ID, version, entry)
	if refused := (*expense.CategoryError)(nil); errors.As(err, &refused) {
		form.Errors.Category = refused.Text
		return s.formAgain(w, r, http.StatusUnprocessableEntity, v, e.ID, form)
	}
	if err != nil {
		return s.conflict(w, r, v, form, err)
	}
	v.Team = s.teamOf(changed.Team)
	told := s.notice(r, "Changed: ", changed)
	told.Rest += s.overBudget(r, changed)
	return s.done(w, r, v, told)
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
// its sender saw. What the sender may not see or change comes before whose form it is.
func (s *Site) expenseToChange(r *http.Request, v Visit) (e expense.Expense, version int64, err error) {
	formErr := readForm(r, v.Person)
	if formErr != nil && !errors.Is(formErr, errOfAnother) {
		return expense.Expense{}, 0, formErr
	}
	e, err = s.store.Expense(r.Context(), v.actor(), v.Team.ID, r.PathValue("expense"))
	switch {
	case err != nil:
		return expense.Expense{}, 0, err
	case e.Deleted() && !v.mayChange(e):
		return expense.Expense{}, 0, expense.ErrNotFound
	case !v.mayChange(e):
		return expense.Expense{}, 0, ErrForbidden
	case formErr != nil:
		return expense.Expense{}, 0, formErr
	case !r.PostForm.Has("version"):
		return expense.Expense{}, 0, &expense.QueryError{Text: "version is missing: it is the one that the form was opened with"}
	}
	version, err = strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
	if err != nil {
		return expense.Expense{}, 0, &expense.QueryError{Text: "version is a number"}
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
	told := s.notice(r, "Deleted: ", deleted)
	told.URL, told.UndoURL, told.Version = "", v.filePath()+"/"+e.ID+"/restore", deleted.Version
	return s.done(w, r, v, told)
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
	return s.done(w, r, v, s.notice(r, "Restored: ", restored))
}
