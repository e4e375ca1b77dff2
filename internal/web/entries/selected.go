package entries

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// SelectedPath is where something is done to several expenses at once.
const SelectedPath = "/expenses/selected"

// selecting is what a form asks to be done to several expenses at once, and to which.
type selecting struct {
	expense.Selection
	found    map[string]expense.Expense // by id, all of them
	returnTo string
}

// ChangeSelected handles POST /expenses/selected: a preview of what changes, which
// asks for what it lacks, and with confirm=yes the change.
func (s *Entries) ChangeSelected(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	formErr := web.ReadForm(r, v.Person)
	if formErr != nil && !errors.Is(formErr, web.ErrOfAnother) {
		return formErr
	}
	form, err := s.readSelection(r)
	if err != nil {
		return err
	}
	if count := len(form.Expenses); count == 0 || count > expense.MaxSelected {
		return s.renderSelected(w, r, http.StatusUnprocessableEntity, v, form, page.SelectedView{Problem: countProblem(count)})
	}
	if form.found, err = s.store.Selected(r.Context(), v.Actor(), form.IDs()); err != nil {
		return err
	}
	if err := s.unseen(r, v, form); err != nil {
		return err
	}
	refused, why := s.refused(v, form)
	switch {
	case len(refused) == len(form.Expenses) || len(refused) > 0 && !web.AcceptsPage(r):
		return why
	case len(refused) > 0:
		s.LogFailure(r, http.StatusForbidden, why)
		return s.renderRefused(w, r, v, form, refused, why)
	case formErr != nil:
		return formErr
	}
	field, right, err := s.checkSelection(r, v, &form)
	switch {
	case err != nil:
		return err
	case !right:
		status := http.StatusOK
		if field.Error != "" {
			status = http.StatusUnprocessableEntity
		}
		return s.renderSelected(w, r, status, v, form, page.SelectedView{Field: field})
	case r.PostForm.Get("confirm") != "yes":
		return s.renderSelected(w, r, http.StatusOK, v, form, page.SelectedView{})
	}
	return s.confirmSelected(w, r, v, form)
}

// readSelection reads which expenses a form means, in which versions, and what shall
// be done to them.
func (s *Entries) readSelection(r *http.Request) (selecting, error) {
	form := selecting{returnTo: cmp.Or(web.ListPath(r.PostForm.Get("return_to")), s.OpenedFrom(r), "/expenses")}
	form.Action = r.PostForm.Get("action")
	if !slices.Contains([]string{expense.SelectedCategory, expense.SelectedMove, expense.SelectedDelete, expense.SelectedApprove, expense.SelectedSendBack}, form.Action) {
		return form, &web.FormError{Text: "action is category, move, delete, approve or send-back"}
	}
	ids, versions := r.PostForm["expense"], r.PostForm["version"]
	if len(versions) > 0 && len(versions) != len(ids) {
		return form, &web.FormError{Text: "version is that of each expense, in the same order, or missing"}
	}
	there := map[string]bool{}
	for i, id := range ids {
		seen := expense.Seen{ID: id}
		if len(versions) > 0 {
			version, err := strconv.ParseInt(versions[i], 10, 64)
			if err != nil || version < 1 {
				return form, &web.FormError{Text: "version is a number"}
			}
			seen.Version = version
		}
		if !expense.IsID(id) {
			return form, expense.ErrNotFound
		}
		if !there[id] {
			there[id] = true
			form.Expenses = append(form.Expenses, seen)
		}
	}
	return form, nil
}

func countProblem(count int) string {
	if count == 0 {
		return "No expense is selected. Go back to the list and check those that you mean."
	}
	return fmt.Sprintf("These are %d expenses, and up to %d can be changed at once. Go back to the list and check fewer.", count, expense.MaxSelected)
}

// decides reports whether a form decides about expenses.
func (f selecting) decides() bool {
	return f.Action == expense.SelectedApprove || f.Action == expense.SelectedSendBack
}

// unseen is the error of a form of which a visitor may not see an expense: it looks
// like one that does not exist. So does approval where it is off.
func (s *Entries) unseen(r *http.Request, v web.Visit, form selecting) error {
	approval := false
	for _, seen := range form.Expenses {
		e, ok := form.found[seen.ID]
		if !ok {
			return expense.ErrNotFound
		}
		if _, ok := v.Access.CanRead(e.Team); !ok && !v.Access.ReadsAll() {
			return s.Denied(r, v.Person, "not_on_the_team")
		}
		if e.Deleted() && !v.MayChange(e) {
			return expense.ErrNotFound
		}
		approval = approval || s.directory.Current().Approval(e.Team)
	}
	if form.decides() && !approval {
		return expense.ErrNotFound
	}
	return nil
}

// refused lists the expenses to which a visitor may not do what a form asks, by id,
// and why not.
func (s *Entries) refused(v web.Visit, form selecting) (refused map[string]bool, why error) {
	refused = map[string]bool{}
	for _, seen := range form.Expenses {
		e := form.found[seen.ID]
		switch {
		case form.decides() && !(v.Access.CanDecide(e.Team) && s.directory.Current().Approval(e.Team)):
			why = web.ErrCannotDecide
		case form.decides() && e.Involved:
			why = web.ErrOwnDecision
		case form.decides():
			continue
		case form.Action == expense.SelectedMove && !v.Access.Admin:
			why = web.ErrCannotMove
		case form.Action != expense.SelectedMove && !v.MayChange(e):
			why = web.ErrForbidden
		default:
			continue
		}
		refused[e.ID] = true
	}
	return refused, why
}

// checkSelection completes a selection by what its action needs beside the expenses, or
// returns the field that asks for it.
func (s *Entries) checkSelection(r *http.Request, v web.Visit, form *selecting) (field page.SelectedField, right bool, err error) {
	typed, sent := r.PostForm.Get("value"), r.PostForm.Has("value")
	switch form.Action {
	case expense.SelectedCategory:
		all, err := s.store.Categories(r.Context())
		if err != nil {
			return field, false, err
		}
		field = page.SelectedField{Name: "value", Label: "Category", Value: typed, Length: expense.MaxCategory}
		for _, c := range all.List {
			if c.Merged == 0 && !c.Retired {
				field.Suggestions = append(field.Suggestions, c.Label)
			}
		}
		form.Value, field.Error = expense.CheckCategory(typed)
		if field.Error == "" {
			form.Value, field.Error = all.Named(form.Value), all.Problem(form.Value)
		}
	case expense.SelectedMove:
		field = page.SelectedField{Name: "value", Label: "Team"}
		for _, t := range s.directory.Current().Teams() {
			field.Options = append(field.Options, page.Choice{Value: t.ID, Label: t.Label, Chosen: t.ID == typed})
		}
		if form.Value = typed; !slices.ContainsFunc(s.directory.Current().Teams(), func(t team.Team) bool { return t.ID == typed }) {
			field.Error = "Choose a team."
		}
	case expense.SelectedSendBack:
		typed, sent = r.PostForm.Get("reason"), r.PostForm.Has("reason")
		field = page.SelectedField{Name: "reason", Label: "What needs to be changed", Value: typed, Length: expense.MaxReason}
		form.Reason, field.Error = expense.CheckReason(typed)
	default:
		return field, true, nil
	}
	right = field.Error == ""
	if !sent && r.PostForm.Get("confirm") != "yes" {
		field.Error = "" // it is asked for the first time
	}
	return field, right, nil
}

// confirmSelected does what a form says, as far as nobody has touched the expenses
// meanwhile.
func (s *Entries) confirmSelected(w http.ResponseWriter, r *http.Request, v web.Visit, form selecting) error {
	sel := form.Selection
	sel.Expenses = slices.Clone(form.Expenses)
	for i, seen := range sel.Expenses {
		sel.Expenses[i].Version = cmp.Or(seen.Version, form.found[seen.ID].Version)
	}
	done, err := s.store.ChangeSelected(r.Context(), v.Actor(), sel, r.PostForm.Get("submission"))
	var (
		conflict *expense.ConflictError
		before   *expense.SentBeforeError
		category *expense.CategoryError
	)
	switch {
	case errors.As(err, &conflict):
		if form.found, err = s.store.Selected(r.Context(), v.Actor(), form.IDs()); err != nil {
			return err
		}
		return s.renderSelected(w, r, http.StatusConflict, v, form, page.SelectedView{Stale: true})
	case errors.As(err, &before):
		told := s.selectionDone(before.Before)
		return s.renderSelected(w, r, http.StatusConflict, v, form, page.SelectedView{Before: told.Text + told.Item + told.Rest})
	case errors.As(err, &category):
		field := page.SelectedField{Name: "value", Label: "Category", Value: form.Value, Length: expense.MaxCategory, Error: category.Text}
		return s.renderSelected(w, r, http.StatusUnprocessableEntity, v, form, page.SelectedView{Field: field})
	case err != nil:
		return err
	}
	told := s.selectionDone(done)
	if done.Changed > 0 {
		told.UndoURL = SelectedPath + "/" + done.ID + "/undo"
	}
	if rest := len(form.Expenses) - done.Changed; rest > 0 && done.Changed > 0 {
		told.Rest += fmt.Sprintf(" %d needed no change.", rest)
	}
	return s.Done(w, r, v, told)
}

// UndoSelected handles POST /expenses/selected/{id}/undo.
func (s *Entries) UndoSelected(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	if err := web.ReadForm(r, v.Person); err != nil {
		return err
	}
	id := r.PathValue("id")
	sel, err := s.store.Batch(r.Context(), v.Actor(), id)
	if err != nil {
		return err
	}
	found, err := s.store.Selected(r.Context(), v.Actor(), sel.IDs())
	if err != nil {
		return err
	}
	// What somebody has touched since stays, so that it is nobody's to take back.
	form := selecting{Selection: sel, found: found}
	form.Expenses = slices.DeleteFunc(slices.Clone(sel.Expenses), func(seen expense.Seen) bool { return found[seen.ID].Version != seen.Version })
	if len(form.Expenses) > 0 {
		if err := s.unseen(r, v, form); err != nil {
			return err
		}
		if _, why := s.refused(v, form); why != nil {
			return why
		}
	}
	undone, err := s.store.UndoBatch(r.Context(), v.Actor(), id, sel)
	if err != nil {
		return err
	}
	if undone == 0 {
		return web.ErrTouched
	}
	told := page.Notice{Text: fmt.Sprintf("Undone: %s as before.", someExpenses(undone)+ofNumber(undone, " is", " are"))}
	if kept := len(sel.Expenses) - undone; kept > 0 {
		told.Rest = fmt.Sprintf(" %d %s since.", kept, ofNumber(kept, "was kept, because somebody has changed it", "were kept, because somebody has changed them"))
	}
	return s.Done(w, r, v, told)
}

// ofNumber chooses the words for one, or those for more and none.
func ofNumber(count int, one, more string) string {
	if count == 1 {
		return one
	}
	return more
}

// selectedVerbs are the words for an action, before it is done and after.
func selectedVerbs(action string) (present, past string) {
	verbs := map[string][2]string{
		expense.SelectedCategory: {"Change", "Changed"},
		expense.SelectedMove:     {"Move", "Moved"},
		expense.SelectedDelete:   {"Delete", "Deleted"},
		expense.SelectedApprove:  {"Approve", "Approved"},
		expense.SelectedSendBack: {"Send back", "Sent back"},
	}[action]
	return verbs[0], verbs[1]
}

// selectionText says what is done to so many expenses, with a verb of the action, and
// behind that the category or the team.
func (s *Entries) selectionText(verb, action, value string, count int) (text, item string) {
	text = verb + " " + someExpenses(count)
	switch {
	case action == expense.SelectedCategory:
		text = verb + " the category of " + someExpenses(count)
	case action == expense.SelectedMove && value != "":
		value = s.TeamOf(value).Label
	}
	if value != "" {
		text += " to "
	}
	return text, value
}

func someExpenses(count int) string {
	return fmt.Sprint(count, ofNumber(count, " expense", " expenses"))
}

// selectionDone tells what came of a selection.
func (s *Entries) selectionDone(done expense.SelectionDone) page.Notice {
	if done.Changed == 0 {
		return page.Notice{Text: "Nothing needed to be changed."}
	}
	_, verb := selectedVerbs(done.Action)
	text, item := s.selectionText(verb, done.Action, done.Value, done.Changed)
	return page.Notice{Text: text, Item: item, Rest: "."}
}

// renderSelected shows the expenses of a form, with what becomes of them and what view
// says beside it.
func (s *Entries) renderSelected(w http.ResponseWriter, r *http.Request, status int, v web.Visit, form selecting, view page.SelectedView) error {
	asks := view.Field.Name != "" || len(view.Refused) > 0
	for _, seen := range form.Expenses {
		e, ok := form.found[seen.ID]
		if !ok || e.Deleted() {
			view.Gone++
			continue
		}
		line := page.SelectedLine{ExpenseLine: s.LineOf(e), Touched: seen.Version > 0 && seen.Version != e.Version}
		if !asks {
			after, changes, changed := form.Of(e, s.store.Currency(), s.now())
			line.Changes, line.Same = s.labelled(changes), !changed
			if changed && after.Status == expense.StatusLogged && e.Status != expense.StatusLogged && s.directory.Current().Approval(after.Team) {
				view.Again++
			}
		}
		view.Lines = append(view.Lines, line)
	}
	if len(view.Lines) == 0 && view.Problem == "" {
		status, view.Problem, view.Gone = http.StatusConflict, "What you selected was deleted in the meantime.", 0
	}
	view.Action, view.Value, view.Reason, view.ReturnTo = form.Action, form.Value, form.Reason, form.returnTo
	if asks {
		form.Value = ""
	}
	verb, _ := selectedVerbs(form.Action)
	if view.Verb = "Nothing to change"; len(view.Lines) > 0 {
		view.Verb, view.Item = s.selectionText(verb, form.Action, form.Value, len(view.Lines))
	}
	view.Button = verb + " " + someExpenses(view.Changed())
	view.Page = s.Page(v.Person, view.Verb+view.Item)
	view.Submission = web.NewSubmission(v.Person.Subject)
	return s.pages.Render(w, r, status, "selected", view)
}

// renderRefused shows which expenses of a form its sender may not do that to, and goes
// on with the others.
func (s *Entries) renderRefused(w http.ResponseWriter, r *http.Request, v web.Visit, form selecting, refused map[string]bool, why error) error {
	view := page.SelectedView{Decides: form.decides(), Own: errors.Is(why, web.ErrOwnDecision)}
	form.Value, form.Reason = r.PostForm.Get("value"), r.PostForm.Get("reason")
	for _, seen := range form.Expenses {
		if refused[seen.ID] {
			view.Refused = append(view.Refused, page.SelectedLine{ExpenseLine: s.LineOf(form.found[seen.ID])})
		}
	}
	form.Expenses = slices.DeleteFunc(form.Expenses, func(seen expense.Seen) bool { return refused[seen.ID] })
	return s.renderSelected(w, r, http.StatusForbidden, v, form, view)
}

// labelled names teams by their labels.
func (s *Entries) labelled(changes []expense.Change) []expense.Change {
	for i, c := range changes {
		if c.Field == "team" {
			changes[i].Old, changes[i].New = s.TeamOf(c.Old).Label, s.TeamOf(c.New).Label
		}
	}
	return changes
}
