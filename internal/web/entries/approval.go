package entries

import (
	"net/http"

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
// sender saw. Where nothing is approved there is no such page.
func (s *Entries) expenseToDecide(r *http.Request, v web.Visit) (expense.Expense, int64, error) {
	if !s.Approves(v) {
		return expense.Expense{}, 0, expense.ErrNotFound
	}
	return s.expenseOfForm(r, v, func(e expense.Expense) error {
		switch {
		case !v.Access.CanDecide(v.Team.ID):
			return web.ErrCannotDecide
		case e.Involved:
			return web.ErrOwnDecision
		default:
			return nil
		}
	})
}
