package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/team"
	pagepkg "expense-dashboard/internal/web/internal/page"
)

// approves reports whether expenses of what a visit is for are approved: of its team,
// or of one of those that it reads.
func (s *Site) approves(v Visit) bool {
	if v.Team.ID != "" {
		return s.directory.Current().Approval(v.Team.ID)
	}
	return slices.ContainsFunc(v.Access.Teams, func(t team.Team) bool { return s.directory.Current().Approval(t.ID) })
}

// deciding lists the teams in which a visitor decides.
func (s *Site) deciding(v Visit) []string {
	var ids []string
	for _, t := range v.Access.Teams {
		if v.Access.CanDecide(t.ID) && s.directory.Current().Approval(t.ID) {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// Approve handles POST /team/{id}/expenses/{expense}/approve.
func (s *Site) Approve(w http.ResponseWriter, r *http.Request, v Visit) error {
	e, version, err := s.expenseToDecide(r, v)
	if err != nil {
		return err
	}
	decided, err := s.store.Approve(r.Context(), v.actor(), e.ID, version)
	if err != nil {
		return s.conflict(w, r, v, pagepkg.ExpenseFormView{Typed: s.formOf(r, e)}, err)
	}
	return s.done(w, r, v, s.notice(r, "Approved: ", decided))
}

// SendBack handles POST /team/{id}/expenses/{expense}/send-back.
func (s *Site) SendBack(w http.ResponseWriter, r *http.Request, v Visit) error {
	e, version, err := s.expenseToDecide(r, v)
	if err != nil {
		return err
	}
	reason, problem := expense.CheckReason(r.PostForm.Get("reason"))
	if problem != "" {
		return s.formAgain(w, r, http.StatusUnprocessableEntity, v, e.ID, pagepkg.ExpenseFormView{
			Typed: s.formOf(r, e), Version: e.Version, ReturnTo: listPath(r.PostForm.Get("return_to")), Reason: r.PostForm.Get("reason"), ReasonError: problem,
		})
	}
	decided, err := s.store.SendBack(r.Context(), v.actor(), e.ID, version, reason)
	if err != nil {
		return s.conflict(w, r, v, pagepkg.ExpenseFormView{Typed: s.formOf(r, e), Reason: reason}, err)
	}
	return s.done(w, r, v, s.notice(r, "Sent back: ", decided))
}

// expenseToDecide finds the expense that a decision is about, and the version that its
// sender saw. Where nothing is approved there is no such page. What the sender may
// not decide comes before whose form it is.
func (s *Site) expenseToDecide(r *http.Request, v Visit) (e expense.Expense, version int64, err error) {
	if !s.approves(v) {
		return expense.Expense{}, 0, expense.ErrNotFound
	}
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
	case !v.Access.CanDecide(v.Team.ID):
		return expense.Expense{}, 0, ErrForbidden
	case e.Involved:
		return expense.Expense{}, 0, errOwnDecision
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

// undecidedText says how many expenses wait for a decision.
func undecidedText(count int64) string {
	if count > expense.MaxUndecided {
		return fmt.Sprintf("More than %d expenses wait for your decision", expense.MaxUndecided)
	}
	if count == 1 {
		return "One expense waits for your decision"
	}
	return fmt.Sprintf("%d expenses wait for your decision", count)
}

// statusLinks are the sums by status of a list, each with the list of its own.
func statusLinks(v Visit, q expense.Query, sums expense.Summary) []pagepkg.StatusSum {
	var all []pagepkg.StatusSum
	for _, g := range sums.ByStatus {
		of := q.First()
		of.Status = expense.Status(g.Filter)
		all = append(all, pagepkg.StatusSum{Group: g, URL: v.address(v.path(), of)})
	}
	return all
}
