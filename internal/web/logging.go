package web

import (
	"context"
	"net/http"
	"net/url"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/web/internal/page"
)

// NewForAnyTeam handles GET /expenses/new: the form of the one team for which
// somebody may log, or a choice among several.
func (s *Site) NewForAnyTeam(w http.ResponseWriter, r *http.Request, v Visit) error {
	teams := v.Access.Logs()
	query := ""
	if returnTo := r.URL.Query().Get("return_to"); returnTo != "" {
		query = "?" + url.Values{"return_to": {returnTo}}.Encode()
	}
	switch len(teams) {
	case 0:
		return ErrForbidden
	case 1:
		SeeOther(w, "/team/"+teams[0].ID+"/expenses/new"+query)
		return nil
	}
	view := page.ChooseTeamView{Page: s.page(v.Person, "Log an expense")}
	for _, t := range teams {
		view.Teams = append(view.Teams, page.Link{Label: t.Label, URL: "/team/" + t.ID + "/expenses/new" + query})
	}
	return s.pages.Render(w, r, http.StatusOK, "choose", view)
}

// fillLike fills in a form from the expense that the address names as like: all
// but its date where it is logged again, and only its date and category where
// another is logged after it.
func (s *Site) fillLike(r *http.Request, v Visit, form *page.ExpenseFormView) error {
	id := r.URL.Query().Get("like")
	if id == "" {
		return nil
	}
	like, err := s.store.Expense(r.Context(), v.actor(), v.Team.ID, id)
	if err != nil {
		return err
	}
	form.Another = r.URL.Query().Get("another") != ""
	if form.Another {
		form.Typed.Date, form.Typed.Category = like.Date.String(), like.Category
		return nil
	}
	typed := s.formOf(r, like)
	typed.Date = form.Typed.Date
	if like.Mine {
		typed.Person = form.Typed.Person
	}
	form.Typed = typed
	return nil
}

// maxRecent bounds the items that a form suggests.
const maxRecent = 20

// recentItems lists what the visitor logged of late for a team, each item once.
func (s *Site) recentItems(ctx context.Context, v Visit) ([]string, error) {
	recent, err := s.store.Page(ctx, expense.Query{Teams: v.teams(), Person: expense.PersonMe, Reader: v.actor(), Sort: "date", Desc: true}, expense.PageSize)
	var items []string
	seen := map[string]bool{}
	for _, e := range recent.Expenses {
		if key := expense.Fold(e.Item); !seen[key] && len(items) < maxRecent {
			seen[key] = true
			items = append(items, e.Item)
		}
	}
	return items, err
}

// logged leads on after an expense was logged: to the form of another one, or back.
func (s *Site) logged(w http.ResponseWriter, r *http.Request, v Visit, form page.ExpenseFormView, e expense.Expense) error {
	told := s.notice(r, "Logged: ", e)
	told.Rest += s.overBudget(r, e)
	if !form.Another {
		return s.done(w, r, v, told)
	}
	if err := s.notices.put(w, r, told); err != nil {
		return err
	}
	s.noteWrite(w)
	next := url.Values{"like": {e.ID}, "another": {"yes"}}
	if form.ReturnTo != "" {
		next.Set("return_to", form.ReturnTo)
	}
	SeeOther(w, v.filePath()+"/new?"+next.Encode())
	return nil
}
