package entries

import (
	"context"
	"net/http"
	"net/url"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// NewForAnyTeam handles GET /expenses/new: the form of the one team for which
// somebody may log, or a choice among several.
func (s *Entries) NewForAnyTeam(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	teams := v.Access.Logs()
	query := ""
	if returnTo := r.URL.Query().Get("return_to"); returnTo != "" {
		query = "?" + url.Values{"return_to": {returnTo}}.Encode()
	}
	switch len(teams) {
	case 0:
		return web.ErrCannotLog
	case 1:
		web.SeeOther(w, "/team/"+teams[0].ID+"/expenses/new"+query)
		return nil
	}
	view := page.ChooseTeamView{Page: s.Page(v.Person, "Log an expense")}
	for _, t := range teams {
		view.Teams = append(view.Teams, page.Link{Label: t.Label, URL: "/team/" + t.ID + "/expenses/new" + query})
	}
	return s.pages.Render(w, r, http.StatusOK, "choose", view)
}

// fillLike fills in a form from the expense that the address names as like: all
// but its date where it is logged again, and only its date and category where
// another is logged after it.
func (s *Entries) fillLike(r *http.Request, v web.Visit, form *page.ExpenseFormView) error {
	id := r.URL.Query().Get("like")
	if id == "" {
		return nil
	}
	like, err := s.store.Expense(r.Context(), v.Actor(), v.Team.ID, id)
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
func (s *Entries) recentItems(ctx context.Context, v web.Visit) ([]string, error) {
	recent, err := s.store.Page(ctx, expense.Query{Teams: v.Teams(), Person: expense.PersonMe, Reader: v.Actor(), Sort: "date", Desc: true}, expense.PageSize)
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
func (s *Entries) logged(w http.ResponseWriter, r *http.Request, v web.Visit, form page.ExpenseFormView, e expense.Expense) error {
	told := s.notice(r, "Logged: ", e)
	told.Rest += s.overBudget(r, e)
	told.UndoURL, told.Version = told.URL+"/delete", e.Version
	if !form.Another {
		return s.Done(w, r, v, told)
	}
	if err := s.PutNotice(w, r, told); err != nil {
		return err
	}
	s.NoteWrite(w)
	next := url.Values{"like": {e.ID}, "another": {"yes"}}
	if form.ReturnTo != "" {
		next.Set("return_to", form.ReturnTo)
	}
	web.SeeOther(w, v.FilePath()+"/new?"+next.Encode())
	return nil
}

// overBudget says which budgets an expense that was written is over, or nothing. What
// was written stands, so that a budget that cannot be read is passed over.
func (s *Entries) overBudget(r *http.Request, e expense.Expense) string {
	lines, err := s.store.BudgetLines(r.Context(), e.Team, e.Date.Month(), s.Today())
	if err != nil {
		if r.Context().Err() == nil { // somebody waits for the answer
			s.log.WarnContext(r.Context(), "budgets not read", "error", err)
		}
		return ""
	}
	var text string
	for _, b := range lines {
		if b.Over() == 0 || (b.Category != "" && expense.CategoryKey(b.Category) != expense.CategoryKey(e.Category)) {
			continue
		}
		of := "the budget of " + s.TeamOf(e.Team).Label
		if b.Category != "" {
			of += " for " + b.Category
		}
		text += " This is over " + of + " for " + s.pages.Locales.Of(r).Month(b.Month) + " by " + s.pages.Locales.Of(r).Money(b.Over()) + "."
	}
	return text
}
