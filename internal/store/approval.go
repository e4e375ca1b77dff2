package store

import (
	"context"
	"time"

	"expense-dashboard/internal/expense"
)

// Approve approves an expense, of which the caller saw a version. Doing again what the
// same person did last is fine. Where the expense has another version by now or was
// deleted, the error is a *expense.ConflictError.
func (s *Store) Approve(ctx context.Context, who expense.Actor, id string, version int64) (expense.Expense, error) {
	return s.revise(ctx, who, id, version, expense.ActionApproved, "", decide(expense.StatusApproved, ""))
}

// SendBack sends an expense back with a reason, which the history keeps, by the rules
// of Approve.
func (s *Store) SendBack(ctx context.Context, who expense.Actor, id string, version int64, reason string) (expense.Expense, error) {
	return s.revise(ctx, who, id, version, expense.ActionSentBack, "", decide(expense.StatusSentBack, reason))
}

// decide is the edit that gives an expense a status.
func decide(status expense.Status, reason string) func(context.Context, *resolver, *expense.Expense, time.Time) (bool, []expense.Change, error) {
	return func(_ context.Context, _ *resolver, e *expense.Expense, _ time.Time) (bool, []expense.Change, error) {
		done := e.Status == status && !e.Deleted()
		var changes []expense.Change
		*e, changes = e.Decided(status, reason)
		return done, changes, nil
	}
}

// involved is a term that holds where a reader owns an expense of a table e, spent it
// or logged it.
func involved(b *sqlBuilder, reader expense.Actor) string {
	root := readerRoot(b, reader)
	address := b.arg(reader.Address)
	return `(e.owner IN (SELECT id FROM people WHERE COALESCE(joined, id) = ` + root + `)
		OR e.person IN (SELECT id FROM people WHERE COALESCE(joined, id) = ` + root + `)
		OR EXISTS (SELECT 1 FROM history AS h WHERE h.expense = e.id AND h.version = (SELECT MIN(version) FROM history WHERE expense = e.id) AND h.actor_address <> ''
			AND (h.actor_address = ` + address + ` OR h.actor_address IN (SELECT address FROM people WHERE COALESCE(joined, id) = ` + root + `))))`
}

// undecided returns a statement of what waits for a reader's decision in teams, with
// the columns of teamTotals. It counts up to expense.MaxUndecided and one more.
func undecided(b *sqlBuilder, reader expense.Actor, teams []string) string {
	return `SELECT team, '` + toDecide + `', COUNT(*), CAST(SUM(amount_cents) AS BIGINT) FROM (SELECT e.team, e.amount_cents FROM expenses AS e
		WHERE e.deleted_at IS NULL AND e.status = ` + b.arg(string(expense.StatusLogged)) + ` AND e.team IN (` + b.list(teams) + `)
		AND NOT COALESCE(` + involved(b, reader) + `, FALSE) LIMIT ` + b.arg(expense.MaxUndecided+1) + `) AS undecided GROUP BY team`
}
