package managing

import (
	"errors"
	"net/http"
	"strconv"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// CategoriesPath is where administrators keep the categories.
const CategoriesPath = "/categories"

// Categories handles GET /categories.
func (s *Managing) Categories(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	return s.renderCategories(w, r, http.StatusOK, v, s.TakeNotice(w, r))
}

func (s *Managing) renderCategories(w http.ResponseWriter, r *http.Request, status int, v web.Visit, told *page.Notice) error {
	all, err := s.store.Categories(r.Context())
	if err != nil {
		return err
	}
	labels := map[int64]string{}
	for _, c := range all.List {
		labels[c.ID] = c.Label
	}
	view := page.CategoriesView{Page: s.Page(v.Person, "Categories"), Notice: told, Closed: all.Closed, Submission: web.NewSubmission(v.Person.Subject)}
	for _, c := range all.List {
		view.Lines = append(view.Lines, page.CategoryLine{Category: c, Path: categoryPath(c.ID), Into: labels[c.Merged]})
	}
	return s.pages.Render(w, r, status, "categories", view)
}

func categoryPath(id int64) string { return CategoriesPath + "/" + strconv.FormatInt(id, 10) }

// undoPath is where a form goes that takes back what was done to a category, and no
// more where it is sent twice.
func undoPath(id int64, done string) string { return categoryPath(id) + "/undo?done=" + done }

// RenameCategory handles POST /categories/{id}/rename.
func (s *Managing) RenameCategory(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	id, err := s.categoryOf(r, v)
	if err != nil {
		return err
	}
	name, problem := expense.CheckCategory(r.PostForm.Get("name"))
	if problem != "" {
		return s.toldCategories(w, r, v, &expense.CategoryError{Text: problem}, page.Notice{})
	}
	merged, err := s.store.RenameCategory(r.Context(), id, name)
	told := page.Notice{Text: "Renamed to ", Item: name, Rest: ".", UndoURL: undoPath(id, expense.CategoryRenamed)}
	if merged {
		told.Text, told.UndoURL = "Merged into ", undoPath(id, expense.CategoryMerged)
	}
	return s.toldCategories(w, r, v, err, told)
}

// RetireCategory handles POST /categories/{id}/retire.
func (s *Managing) RetireCategory(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	id, err := s.categoryOf(r, v)
	if err != nil {
		return err
	}
	err = s.store.RetireCategory(r.Context(), id)
	return s.toldCategories(w, r, v, err, page.Notice{Text: "Retired: it can no longer be chosen.", UndoURL: undoPath(id, expense.CategoryRetired)})
}

// UndoCategory handles POST /categories/{id}/undo.
func (s *Managing) UndoCategory(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	id, err := s.categoryOf(r, v)
	if err != nil {
		return err
	}
	return s.toldCategories(w, r, v, s.store.UndoCategory(r.Context(), id, r.Form.Get("done")), page.Notice{Text: "The last change was undone."})
}

// CloseCategories handles POST /categories: closed says whether the list is.
func (s *Managing) CloseCategories(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	if err := web.ReadForm(r, v.Person); err != nil {
		return err
	}
	closed := r.PostForm.Get("closed")
	if closed != "yes" && closed != "no" {
		return &web.FormError{Text: "closed is yes or no"}
	}
	told := page.Notice{Text: "From now on only the categories of this list can be used."}
	if closed == "no" {
		told.Text = "From now on whoever logs an expense can add a new category."
	}
	return s.toldCategories(w, r, v, s.store.CloseCategories(r.Context(), closed == "yes"), told)
}

// categoryOf reads the category that a path names, and the form.
func (s *Managing) categoryOf(r *http.Request, v web.Visit) (int64, error) {
	if err := web.ReadForm(r, v.Person); err != nil {
		return 0, err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, expense.ErrNotFound
	}
	return id, nil
}

// toldCategories leads back to the page with what came of it, or shows why nothing did.
func (s *Managing) toldCategories(w http.ResponseWriter, r *http.Request, v web.Visit, err error, told page.Notice) error {
	var refused *expense.CategoryError
	if errors.As(err, &refused) {
		return s.renderCategories(w, r, http.StatusUnprocessableEntity, v, &page.Notice{Text: refused.Text, Warning: true})
	}
	if err != nil {
		return err
	}
	if err := s.PutNotice(w, r, told); err != nil {
		return err
	}
	s.NoteWrite(w)
	web.SeeOther(w, CategoriesPath)
	return nil
}
