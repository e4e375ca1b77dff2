package expense

import (
	"fmt"
	"time"
)

// Budgets are a team's in a month.
type Budgets struct {
	Team    string
	Month   string // like 2006-01
	Version int64  // how many have been set for the team
	Lines   []Budget
}

// Budget is what a team may spend in a month, in all or on a category.
type Budget struct {
	Month    string // like 2006-01
	Today    Date   // on which it is seen
	Category string // empty for the whole
	Amount   Money  // above zero
	Spent    Money  // in the month, the days to come too
	SoFar    Money  // in the month, up to Today
}

// Left is what may still be spent; below zero it is spent already.
func (b Budget) Left() Money { return b.Amount - b.Spent }

// Over is how much more was spent, or zero.
func (b Budget) Over() Money { return max(0, b.Spent-b.Amount) }

// Projected returns what the month will come to at the rate of its days so far, and
// whether so much of it has passed that this says something: a third, and not all.
func (b Budget) Projected() (Money, bool) {
	if b.Month != b.Today.Month() {
		return 0, false
	}
	day := b.Today.T.Day()
	days := b.Today.StartOfMonth(1).AddDays(-1).T.Day()
	if 3*day <= days || day == days || b.SoFar <= 0 {
		return 0, false
	}
	// So many minor units times 31 are far from the bounds of 64 bits.
	projected := Money(int64(b.SoFar) * int64(days) / int64(day))
	return max(projected, b.Spent), true
}

// A Pace is what a month comes to at the rate of its days so far.
type Pace struct {
	Known bool // whether enough of the month has passed to say so
	Total Money
	Over  Money // how much that is over the budget, or zero
}

// Pace returns what Projected does beside the budget.
func (b Budget) Pace() Pace {
	total, known := b.Projected()
	return Pace{Known: known, Total: total, Over: max(0, total-b.Amount)}
}

// BudgetChange is a budget that was set.
type BudgetChange struct {
	At       time.Time // in UTC, to the millisecond
	Actor    Actor
	Month    string // from which it holds, like 2006-01
	Category string // empty for the whole
	Amount   Money  // zero for none any more
}

// BudgetConflictError is a budget that somebody else set meanwhile.
type BudgetConflictError struct {
	Version int64 // of the team's budgets now
}

// Error implements error.
func (e *BudgetConflictError) Error() string {
	return fmt.Sprintf("the budgets were changed meanwhile, to version %d", e.Version)
}

// MonthProblem says what keeps a text from being a month like 2006-01 that may have a
// budget, or nothing.
func MonthProblem(text string) string {
	at, err := time.Parse("2006-01", text)
	switch {
	case err != nil:
		return "Enter the month as year-month, like 2006-01."
	case at.Year() < 2000 || at.Year() > 2099:
		return "Enter a month from 2000-01 to 2099-12."
	default:
		return ""
	}
}
