package entries

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"expense-dashboard/internal/address"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
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
func (s *Entries) NewExpense(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	form := pagepkg.ExpenseFormView{Typed: expense.Form{Date: s.Today().String(), Person: v.Person.Name}, ReturnTo: s.OpenedFrom(r)}
	if err := s.fillLike(r, v, &form); err != nil {
		return err
	}
	told := s.TakeNotice(w, r)
	if told != nil {
		told.Quiet = form.Another
	}
	if d, ok := s.TakeDraft(w, r, v.Person); ok {
		form.Typed, form.Submission, form.ReturnTo = typedForm(d.Fields), d.Fields.Get("submission"), web.ListPath(d.Fields.Get("return_to"))
		told = unsaved(d)
	}
	return s.renderNew(w, r, http.StatusOK, v, form, told)
}

// unsaved is told with a form that comes back after its writer signed in again,
// or after the database was away.
func unsaved(d web.Draft) *pagepkg.Notice {
	return &pagepkg.Notice{Text: "This is not saved yet. " + d.Why + " Here is what you typed: check it and send it again.", Warning: true}
}

func (s *Entries) renderNew(w http.ResponseWriter, r *http.Request, status int, v web.Visit, form pagepkg.ExpenseFormView, told *pagepkg.Notice) error {
	sums, err := s.store.Summary(r.Context(), expense.Query{Teams: v.Teams()})
	if err != nil {
		return err
	}
	if form.Items, err = s.recentItems(r.Context(), v); err != nil {
		return err
	}
	form.Action = v.FilePath()
	form.First = form.Logged == nil && !form.Errors.Any() && (told == nil || told.Quiet)
	if err := s.completeForm(r, v, &form, sums.ByCategory); err != nil {
		return err
	}
	return s.pages.Render(w, r, status, "new", pagepkg.NewExpenseView{Page: s.Page(v.Person, "Log an expense"), Notice: told, Team: v.Team, Form: form})
}

// completeForm adds what every form of an expense offers.
func (s *Entries) completeForm(r *http.Request, v web.Visit, form *pagepkg.ExpenseFormView, categories []expense.Group) error {
	all, err := s.store.Categories(r.Context())
	if err != nil {
		return err
	}
	form.Admin, form.Categories = v.Access.CanLogForOthers(v.Team.ID), offered(all, categories)
	form.Amounts = s.pages.Locales.Of(r).Notation()
	if form.Version > 0 && v.Access.Admin {
		form.Team, form.Teams = v.Team, s.directory.Current().Teams()
	}
	form.MaxDate = expense.LastDay(s.Today()).String()
	if form.Submission == "" {
		form.Submission = web.NewSubmission(v.Person.Subject)
	}
	return nil
}

// LogExpense handles POST /team/{id}/expenses.
func (s *Entries) LogExpense(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	if err := web.ReadForm(r, v.Person); err != nil {
		return err
	}
	form := pagepkg.ExpenseFormView{
		Typed: typedForm(r.PostForm), Submission: r.PostForm.Get("submission"), ReturnTo: web.ListPath(r.PostForm.Get("return_to")),
		Another: r.PostForm.Get("another") != "",
	}
	entry, problems := s.checkEntry(r, v, form.Typed, expense.Entry{Person: v.Person.Name, Owner: team.NormalizeAddress(v.Person.Email)})
	if problems.Any() {
		form.Errors = problems
		return s.renderNew(w, r, http.StatusUnprocessableEntity, v, form, nil)
	}
	e, created, err := s.store.Create(r.Context(), v.Actor(), entry, form.Submission)
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
func (s *Entries) sentAgain(w http.ResponseWriter, r *http.Request, v web.Visit, form pagepkg.ExpenseFormView, entry expense.Entry, e expense.Expense) error {
	detail, err := s.store.Detail(r.Context(), v.Actor(), e.Team, e.ID)
	if err != nil {
		return err
	}
	switch {
	case !detail.WasLoggedAs(entry, s.store.Currency()):
		form.Logged, form.LoggedURL, form.Submission = &e, expensePath(e), web.NewSubmission(v.Person.Subject)
		return s.renderNew(w, r, http.StatusConflict, v, form, nil)
	case e.Deleted():
		return s.Done(w, r, v, s.notice(r, "This was sent twice and deleted in between, so it does not count: ", e))
	}
	return s.logged(w, r, v, form, e)
}

// checkEntry reads a form. Whose the expense is stays as before, unless an
// administrator names somebody else.
func (s *Entries) checkEntry(r *http.Request, v web.Visit, typed expense.Form, before expense.Entry) (expense.Entry, expense.FieldErrors) {
	named := strings.TrimSpace(typed.Person)
	if !v.Access.CanLogForOthers(v.Team.ID) || named == "" {
		named = before.Person
	}
	typed.Person = named
	entry, problems := typed.Check(s.Today(), s.pages.Locales.Of(r).Notation())
	entry.Team, entry.Owner, entry.OwnerID = v.Team.ID, before.Owner, before.OwnerID
	switch {
	case named == before.Person:
		entry.Address, entry.PersonID = before.Address, before.PersonID
		return entry, problems
	case before.OwnerID == 0:
		// A new expense of somebody else, which is not its writer's.
		entry.Owner = ""
	}
	if problem := address.PersonProblem(entry.Person); problem != "" {
		problems.Person = "This is not an email address: it " + problem + ". Correct it, or enter a name without an @."
	}
	return entry, problems
}

// notice says what came of an expense, and leads to it.
func (s *Entries) notice(r *http.Request, what string, e expense.Expense) pagepkg.Notice {
	rest := ", " + s.pages.Locales.Of(r).Money(e.Amount)
	if e.Amount < 0 {
		rest += " (refund)"
	}
	return pagepkg.Notice{Text: what, Item: e.Item, Rest: rest + ".", URL: expensePath(e)}
}

// expensePath is the page of an expense.
func expensePath(e expense.Expense) string { return "/team/" + e.Team + "/expenses/" + e.ID }

// Expense handles GET /team/{id}/expenses/{expense}.
func (s *Entries) Expense(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	detail, err := s.store.Detail(r.Context(), v.Actor(), v.Team.ID, r.PathValue("expense"))
	if err != nil {
		return err
	}
	form := pagepkg.ExpenseFormView{Typed: s.formOf(r, detail.Expense), Version: detail.Expense.Version, ReturnTo: s.OpenedFrom(r)}
	told := s.TakeNotice(w, r)
	if d, ok := s.TakeDraft(w, r, v.Person); ok {
		form.Typed, form.ReturnTo, form.Chosen = typedForm(d.Fields), web.ListPath(d.Fields.Get("return_to")), d.Fields.Get("team")
		form.Version, _ = strconv.ParseInt(d.Fields.Get("version"), 10, 64)
		told = unsaved(d)
	}
	return s.renderExpense(w, r, http.StatusOK, v, detail, form, told)
}

// formOf fills in the form of an expense that is to be changed.
func (s *Entries) formOf(r *http.Request, e expense.Expense) expense.Form {
	return expense.Form{
		Date: e.Date.String(), Person: e.Person, Item: e.Item, Category: e.Category, Note: e.Note,
		Amount: s.pages.Locales.Of(r).Notation().Plain(max(e.Amount, -e.Amount)), Refund: e.Amount < 0,
	}
}

// formAgain answers a form that was not taken with the page of its expense.
func (s *Entries) formAgain(w http.ResponseWriter, r *http.Request, status int, v web.Visit, id string, form pagepkg.ExpenseFormView) error {
	detail, err := s.store.Detail(r.Context(), v.Actor(), v.Team.ID, id)
	if err != nil {
		return err
	}
	return s.renderExpense(w, r, status, v, detail, form, nil)
}

func (s *Entries) renderExpense(w http.ResponseWriter, r *http.Request, status int, v web.Visit, detail expense.Detail, form pagepkg.ExpenseFormView, told *pagepkg.Notice) error {
	e := detail.Expense
	if e.Deleted() && !v.MayChange(e) {
		return expense.ErrNotFound
	}
	form.Action = v.FilePath() + "/" + e.ID
	form.ByReader = len(detail.History) > 0 && detail.History[0].Actor.Address == v.Actor().Address
	if err := s.completeForm(r, v, &form, detail.Categories); err != nil {
		return err
	}
	view := pagepkg.ExpenseView{
		Page: s.Page(v.Person, e.Item), Notice: told, Team: v.Team, Expense: e, MayChange: v.MayChange(e),
		Approval: s.Approves(v), MayDecide: s.Approves(v) && v.Access.CanDecide(v.Team.ID) && !e.Involved && !e.Deleted(), Form: form, History: detail.History,
	}
	if v.Access.CanLog(v.Team.ID) {
		view.LikeURL = v.FilePath() + "/new?like=" + e.ID
	}
	return s.pages.Render(w, r, status, "expense", view)
}

// ChangeExpense handles POST /team/{id}/expenses/{expense}.
func (s *Entries) ChangeExpense(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	e, version, err := s.expenseToChange(r, v)
	if err != nil {
		return err
	}
	form := pagepkg.ExpenseFormView{Typed: typedForm(r.PostForm), Version: version, ReturnTo: web.ListPath(r.PostForm.Get("return_to")), Chosen: r.PostForm.Get("team")}
	entry, problems := s.checkEntry(r, v, form.Typed, e.Entry)
	entry.Team, form.TeamError = s.movedTo(v, r.PostForm.Get("team"))
	if problems.Any() || form.TeamError != "" {
		form.Errors = problems
		return s.formAgain(w, r, http.StatusUnprocessableEntity, v, e.ID, form)
	}
	changed, err := s.store.Update(r.Context(), v.Actor(), e.ID, version, entry)
	if refused := (*expense.CategoryError)(nil); errors.As(err, &refused) {
		form.Errors.Category = refused.Text
		return s.formAgain(w, r, http.StatusUnprocessableEntity, v, e.ID, form)
	}
	if err != nil {
		return s.conflict(w, r, v, form, err)
	}
	v.Team = s.TeamOf(changed.Team)
	if changed.Version == version {
		return s.Done(w, r, v, s.notice(r, "Nothing to change: ", changed))
	}
	told := s.notice(r, "Changed: ", changed)
	told.Rest += s.overBudget(r, changed)
	if (expense.Event{Changes: e.Diff(changed.Entry, s.store.Currency())}).Undoable() {
		told.UndoURL, told.Version = told.URL+"/undo", changed.Version
	}
	return s.Done(w, r, v, told)
}

// UndoChange handles POST /team/{id}/expenses/{expense}/undo.
func (s *Entries) UndoChange(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	e, version, err := s.expenseToChange(r, v)
	if err != nil {
		return err
	}
	before, err := s.store.UndoChange(r.Context(), v.Actor(), e.ID, version)
	form := pagepkg.ExpenseFormView{Typed: s.formOf(r, e), Version: e.Version, ReturnTo: web.ListPath(r.PostForm.Get("return_to"))}
	if refused := (*expense.CategoryError)(nil); errors.As(err, &refused) {
		form.Errors.Category = refused.Text
		return s.formAgain(w, r, http.StatusUnprocessableEntity, v, e.ID, form)
	}
	if err != nil {
		return s.conflict(w, r, v, form, err)
	}
	v.Team = s.TeamOf(before.Team)
	return s.Done(w, r, v, s.notice(r, "Changed back: ", before))
}

// conflict shows what somebody else made of the expense beside what was typed.
// Any other error it returns.
func (s *Entries) conflict(w http.ResponseWriter, r *http.Request, v web.Visit, form pagepkg.ExpenseFormView, err error) error {
	var conflict *expense.ConflictError
	if !errors.As(err, &conflict) {
		return err
	}
	form.Current, form.Version = &conflict.Current, conflict.Current.Version
	return s.formAgain(w, r, http.StatusConflict, v, conflict.Current.ID, form)
}

// expenseToChange finds the expense that a form is about, and the version that
// its sender saw.
func (s *Entries) expenseToChange(r *http.Request, v web.Visit) (expense.Expense, int64, error) {
	return s.expenseOfForm(r, v, func(e expense.Expense) error {
		if !v.MayChange(e) {
			return web.ErrForbidden
		}
		return nil
	})
}

// expenseOfForm finds the expense that a form is about, and the version that its sender
// saw. What the sender may not see, or may not do by what refused says, comes before whose
// form it is.
func (s *Entries) expenseOfForm(r *http.Request, v web.Visit, refused func(expense.Expense) error) (e expense.Expense, version int64, err error) {
	formErr := web.ReadForm(r, v.Person)
	if formErr != nil && !errors.Is(formErr, web.ErrOfAnother) {
		return expense.Expense{}, 0, formErr
	}
	e, err = s.store.Expense(r.Context(), v.Actor(), v.Team.ID, r.PathValue("expense"))
	if err == nil && e.Deleted() && !v.MayChange(e) {
		err = expense.ErrNotFound
	}
	if err == nil {
		err = refused(e)
	}
	if err = cmp.Or(err, formErr); err != nil {
		return expense.Expense{}, 0, err
	}
	if !r.PostForm.Has("version") {
		return expense.Expense{}, 0, &web.FormError{Text: "version is missing: it is the one that the page was opened with"}
	}
	version, err = strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
	if err != nil {
		return expense.Expense{}, 0, &web.FormError{Text: "version is a number"}
	}
	return e, version, nil
}

// DeleteExpense handles POST /team/{id}/expenses/{expense}/delete.
func (s *Entries) DeleteExpense(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	e, version, err := s.expenseToChange(r, v)
	if err != nil {
		return err
	}
	deleted, err := s.store.Delete(r.Context(), v.Actor(), e.ID, version)
	if err != nil {
		return s.conflict(w, r, v, pagepkg.ExpenseFormView{Typed: s.formOf(r, e)}, err)
	}
	told := s.notice(r, "Deleted: ", deleted)
	told.URL, told.UndoURL, told.Version = "", v.FilePath()+"/"+e.ID+"/restore", deleted.Version
	return s.Done(w, r, v, told)
}

// RestoreExpense handles POST /team/{id}/expenses/{expense}/restore.
func (s *Entries) RestoreExpense(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	e, version, err := s.expenseToChange(r, v)
	if err != nil {
		return err
	}
	restored, err := s.store.Restore(r.Context(), v.Actor(), e.ID, version)
	if err != nil {
		return s.conflict(w, r, v, pagepkg.ExpenseFormView{Typed: s.formOf(r, e)}, err)
	}
	return s.Done(w, r, v, s.notice(r, "Restored: ", restored))
}

// movedTo is the team that an expense shall have: that of the visit, unless an
// administrator chooses another. The problem says that there is no such team.
func (s *Entries) movedTo(v web.Visit, chosen string) (id, problem string) {
	if !v.Access.Admin || chosen == "" || chosen == v.Team.ID {
		return v.Team.ID, ""
	}
	if _, ok := s.directory.Current().Team(chosen); !ok {
		return v.Team.ID, "Choose a team."
	}
	return chosen, ""
}

// offered lists the categories that a form suggests: those of a team that may be used,
// the largest first, and all others of a closed list.
func offered(all expense.Categories, groups []expense.Group) []string {
	var names []string
	there := map[string]bool{}
	for _, name := range pagepkg.Suggestions(groups) {
		if all.Problem(name) == "" {
			names = append(names, name)
			there[expense.CategoryKey(name)] = true
		}
	}
	for _, c := range all.List {
		if all.Closed && c.Merged == 0 && !c.Retired && !there[expense.CategoryKey(c.Label)] {
			names = append(names, c.Label)
		}
	}
	return names
}
