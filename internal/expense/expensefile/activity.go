package expensefile

import (
	"io"
	"strings"
	"time"

	"expense-dashboard/internal/expense"
)

// ActivityColumns are the first row of a file of what was done.
const ActivityColumns = "at,actor,kind,team,expense,item,changes"

// WriteActivity writes what each calls its argument with as a file by RFC 4180, with
// times in UTC (RFC 3339). A cell that a spreadsheet would take for a formula is
// neutralized. Nothing is written where each fails before its first row.
func WriteActivity(w io.Writer, each func(func(expense.Activity) error) error) error {
	out := newCSVFile(w)
	if err := out.write(strings.Split(ActivityColumns, ",")); err != nil {
		return err
	}
	err := each(func(a expense.Activity) error {
		actor := a.Actor.Address
		if actor == "" {
			actor = a.Actor.Name
		}
		return out.write([]string{
			a.At.Format(time.RFC3339Nano), neutralize(actor), a.Action, neutralize(a.Team), a.Expense, neutralize(a.Item), neutralize(a.ChangesText()),
		})
	})
	if err != nil {
		return err
	}
	return out.end()
}
