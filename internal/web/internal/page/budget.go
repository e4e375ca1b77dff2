package page

import (
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/team"
)

// A BudgetView is the view of budget.html: a team's budgets in a month.
type BudgetView struct {
	Page
	Notice  *Notice
	Team    team.Team
	Month   string // like 2006-01
	Lines   []expense.Budget
	MaySet  bool
	Form    BudgetForm
	History []expense.BudgetChange // the latest first
}

// A BudgetForm is the form of a budget as it was typed, with what is wrong with it.
type BudgetForm struct {
	Version                                int64
	Submission                             string
	Month, Category, Amount                string
	MonthError, CategoryError, AmountError string
	Stale                                  bool     // somebody else set one meanwhile
	Categories                             []string // suggestions
	Amounts                                expense.Notation
}

// Problems returns the fields that are not right.
func (f BudgetForm) Problems() []formField {
	var wrong []formField
	for _, field := range f.Fields() {
		if field.Error != "" {
			wrong = append(wrong, field)
		}
	}
	return wrong
}

// Fields returns the fields in the order in which they are filled in.
func (f BudgetForm) Fields() []formField {
	return []formField{
		{Name: "month", Label: "From the month", Type: "month", Value: f.Month, Error: f.MonthError},
		{Name: "category", Label: "Category", Hint: "Leave empty for everything the team spends.", Type: "text", Value: f.Category, Error: f.CategoryError, Length: expense.MaxCategory},
		{Name: "amount", Label: "Amount per month", Hint: "Leave empty to end the budget.", Type: "text", Value: f.Amount, Error: f.AmountError, Length: 40},
	}
}
