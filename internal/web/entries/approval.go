package entries

import (
	"errors"
	"net/http"
	"strconv"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/web"
	pagepkg "expense-dashboard/internal/web/internal/page"
)

// Approve handles POST /team/{id}/expenses/{expense}/approve.
func (s *Entries) Approve(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	e, version, err := s.expenseToDecide(r, v)
	if err != nil {
		return err
	}
	decided, err := s.store.Approve(r.Context(), v.Actor(), e.ID, version)
	if err != nil {
		return s.conflict(w, r, v, pagepkg.ExpenseFormView{Typed: s.formOf(r, e)}, err)
	}
	return s.Done(w, r, v, s.notice(r, "Approved: ", decided))
}

// SendBack handles POST /team/{id}/expenses/{expense}/send-back.
func (s *Entries) SendBack(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	e, version, err := s.expenseToDecide(r, v)
	if err != nil {
		return err
	}
	reason, problem := expense.CheckReason(r.PostForm.Get("reason"))
	if problem != "" {
		return s.formAgain(w, r, http.StatusUnprocessableEntity, v, e.ID, pagepkg.ExpenseFormView{
			Typed: s.formOf(r, e), Version: e.Version, ReturnTo: web.ListPath(r.PostForm.Get("return_to")), Reason: r.PostForm.Get("reason"), ReasonError: problem,
		})
	}
	decided, err := s.store.SendBack(r.Context(), v.Actor(), e.ID, version, reason)
	if err != nil {
		return s.conflict(w, r, v, pagepkg.ExpenseFormView{Typed: s.formOf(r, e), Reason: reason}, err)
	}
	return s.Done(w, r, v, s.notice(r, "Sent back: ", decided))
}

// expenseToDecide finds the expense that a decision is about, and the version that its
// sender saw. Where nothing is approved there is no such page. What the sender may
// not decide comes before whose form it is.
func (s *Entries) expenseToDecide(r *http.Request, v web.Visit) (e expense.Expense, version int64, err error) {
	if !s.Approves(v) {
		return expense.Expense{}, 0, expense.ErrNotFound
	}
	formErr := web.ReadForm(r, v.Person)
	if formErr != nil && !errors.Is(formErr, web.ErrOfAnother) {
		return expense.Expense{}, 0, formErr
	}
	e, err = s.store.Expense(r.Context(), v.Actor(), v.Team.ID, r.PathValue("expense"))
	switch {
	case err != nil:
		return expense.Expense{}, 0, err
	case e.Deleted() && !v.MayChange(e):
		return expense.Expense{}, 0, expense.ErrNotFound
	case !v.Access.CanDecide(v.Team.ID):
		return expense.Expense{}, 0, web.ErrForbidden
	case e.Involved:
		return expense.Expense{}, 0, web.ErrOwnDecision
	case formErr != nil:
		return expense.Expense{}, 0, formErr
	case !r.PostForm.Has("version"):
		return expense.Expense{}, 0, &expense.QueryError{Text: "version is missing: it is the one that the page was opened with"}
	}
	version, err = strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
	if err != nil {
		return expense.Expense{}, 0, &expense.QueryError{Text: "version is a number"}
	}
	return e, version, nil
}
