package ledger

import (
	"context"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/names"
	"expense-dashboard/internal/store/internal/query"
)

// Approve approves an expense, of which the caller saw a version. Doing again what the
// same person did last is fine. Where the expense has another version by now or was
// deleted, the error is a *expense.ConflictError.
func (s *Ledger) Approve(ctx context.Context, who expense.Actor, id string, version int64) (expense.Expense, error) {
	return s.revise(ctx, who, id, version, expense.ActionApproved, "", decide(expense.StatusApproved, ""))
}

// SendBack sends an expense back with a reason, which the history keeps, by the rules
// of Approve.
func (s *Ledger) SendBack(ctx context.Context, who expense.Actor, id string, version int64, reason string) (expense.Expense, error) {
	return s.revise(ctx, who, id, version, expense.ActionSentBack, "", decide(expense.StatusSentBack, reason))
}

// decide is the edit that gives an expense a status.
func decide(status expense.Status, reason string) func(context.Context, *names.Resolver, *expense.Expense, time.Time) (bool, []expense.Change, error) {
	return func(_ context.Context, _ *names.Resolver, e *expense.Expense, _ time.Time) (bool, []expense.Change, error) {
		done := e.Status == status && !e.Deleted()
		var changes []expense.Change
		*e, changes = e.Decided(status, reason)
		return done, changes, nil
	}
}

// undecided returns a statement of what waits for a reader's decision in teams, with
// the columns of teamTotals. It counts up to expense.MaxUndecided and one more.
func undecided(b *database.Builder, reader expense.Actor, teams []string) string {
	return `SELECT team, '` + toDecide + `', COUNT(*), CAST(SUM(amount_cents) AS BIGINT) FROM (SELECT e.team, e.amount_cents FROM expenses AS e
		WHERE e.deleted_at IS NULL AND e.status = ` + b.Arg(string(expense.StatusLogged)) + ` AND e.team IN (` + b.List(teams) + `)
		AND NOT COALESCE(` + query.Involved(b, reader) + `, FALSE) LIMIT ` + b.Arg(expense.MaxUndecided+1) + `) AS undecided GROUP BY team`
}
