package managing

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// maxBudgetChanges is how many changes of budgets their page shows.
const maxBudgetChanges = 50

// budgetJSON is a team's budgets for programs.
type budgetJSON struct {
	Month   string           `json:"month"`
	Budgets []budgetLineJSON `json:"budgets"`
}

type budgetLineJSON struct {
	Category string `json:"category"` // empty for the whole
	Amount   string `json:"amount"`
	Spent    string `json:"spent"`
	Left     string `json:"left"`
}

// Budget handles GET /team/{id}/budget, as a page or as JSON.
func (s *Managing) Budget(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	w.Header().Set("Vary", "Accept")
	month := s.Today().Month()
	for name, values := range r.URL.Query() {
		if name != "month" || len(values) != 1 {
			return &expense.QueryError{Text: "month is the only parameter of this page, and stands once"}
		}
		if text := strings.TrimSpace(values[0]); text != "" {
			if problem := expense.MonthProblem(text); problem != "" {
				return expense.QueryFaults{{Parameter: "month", Text: problem}}
			}
			month = text
		}
	}
	if !web.PrefersJSON(r) {
		return s.renderBudget(w, r, http.StatusOK, v, page.BudgetForm{Month: month})
	}
	found, err := s.store.BudgetLines(r.Context(), v.Team.ID, month, s.Today())
	if err != nil {
		return err
	}
	plain, lines := s.store.Currency().Plain, []budgetLineJSON{}
	for _, b := range found {
		lines = append(lines, budgetLineJSON{b.Category, plain(b.Amount), plain(b.Spent), plain(b.Left())})
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(budgetJSON{month, lines})
}

// renderBudget answers with the budgets of the form's month. A form without a version
// gets the present one.
func (s *Managing) renderBudget(w http.ResponseWriter, r *http.Request, status int, v web.Visit, form page.BudgetForm) error {
	shown := form.Month
	if expense.MonthProblem(shown) != "" {
		shown = s.Today().Month()
	}
	found, err := s.store.Budgets(r.Context(), v.Team.ID, shown, s.Today())
	if err != nil {
		return err
	}
	history, err := s.store.BudgetHistory(r.Context(), v.Team.ID, maxBudgetChanges)
	if err != nil {
		return err
	}
	view := page.BudgetView{
		Page: s.Page(v.Person, "Budget"), Notice: s.TakeNotice(w, r), Team: v.Team, Month: shown,
		Lines: found.Lines, History: history, MaySet: v.Access.CanBudget(v.Team.ID), Form: form,
	}
	view.Form.Version, view.Form.Submission = found.Version, web.NewSubmission(v.Person.Subject)
	if view.MaySet {
		sums, err := s.store.Summary(r.Context(), expense.Query{Teams: v.Teams()})
		if err != nil {
			return err
		}
		view.Form.Categories, view.Form.Amounts = page.Suggestions(sums.ByCategory), s.pages.Locales.Of(r).Notation()
	}
	return s.pages.Render(w, r, status, "budget", view)
}

// SetBudget handles POST /team/{id}/budget.
func (s *Managing) SetBudget(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	if !v.Access.CanBudget(v.Team.ID) {
		return web.ErrCannotBudget
	}
	if err := web.ReadForm(r, v.Person); err != nil {
		return err
	}
	form := page.BudgetForm{
		Month: strings.TrimSpace(r.PostForm.Get("month")), Category: strings.TrimSpace(r.PostForm.Get("category")), Amount: strings.TrimSpace(r.PostForm.Get("amount")),
	}
	version, err := budgetVersion(r.PostForm)
	if err != nil {
		return err
	}
	amount := s.checkBudget(r, &form)
	if form.Problems() != nil {
		return s.renderBudget(w, r, http.StatusUnprocessableEntity, v, form)
	}
	err = s.store.SetBudget(r.Context(), v.Actor(), v.Team.ID, form.Month, form.Category, amount, version)
	var conflict *expense.BudgetConflictError
	if errors.As(err, &conflict) {
		form.Stale = true
		return s.renderBudget(w, r, http.StatusConflict, v, form)
	}
	var refused *expense.CategoryError
	if errors.As(err, &refused) {
		form.CategoryError = refused.Text
		return s.renderBudget(w, r, http.StatusUnprocessableEntity, v, form)
	}
	if err != nil {
		return err
	}
	told := page.Notice{Text: "The budget is set."}
	if amount == 0 {
		told.Text = "The budget has ended."
	}
	if err := s.PutNotice(w, r, told); err != nil {
		return err
	}
	s.NoteWrite(w)
	web.SeeOther(w, "/team/"+v.Team.ID+"/budget?"+url.Values{"month": {form.Month}}.Encode())
	return nil
}

// budgetVersion reads the version of the budgets that a form was opened with. Without
// one its sender has seen none.
func budgetVersion(fields url.Values) (int64, error) {
	text := fields.Get("version")
	if text == "" {
		return 0, nil
	}
	version, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, &web.FormError{Text: "version is a number"}
	}
	return version, nil
}

// checkBudget reads what was typed, and says in the form what is wrong with it. No
// amount is zero.
func (s *Managing) checkBudget(r *http.Request, form *page.BudgetForm) (amount expense.Money) {
	if form.Month == "" {
		form.Month = s.Today().Month()
	}
	form.MonthError = expense.MonthProblem(form.Month)
	form.CategoryError = expense.CheckText(form.Category, expense.MaxCategory, "")
	if form.Amount == "" {
		return 0
	}
	amount, form.AmountError = s.pages.Locales.Of(r).Notation().Parse(form.Amount)
	if form.AmountError == "" && amount <= 0 {
		form.AmountError = "Enter an amount above zero, or nothing to end the budget."
	}
	return amount
}
