// Package budget keeps what teams mean to spend in a month, in all and by category, and
// says what has been spent of it. A budget holds from its month on until another one is
// set; an amount of zero ends it. Amounts are minor units of the site's currency, months
// are texts such as 2026-11. What is spent is read from the table of sums and, up to a day
// within the month, from the expenses.
//
// Nothing is overwritten: each setting is a row with the next version of its team, which
// is the history too, and of two people who set one at once the second is told. A
// category that is another name of one counts for that one. It refuses no expense and
// warns nobody: who may set a budget, and what is said of one that is exceeded, is decided
// in web. Start reading at SetBudget and InForce.
package budget

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/names"
	"expense-dashboard/internal/store/internal/query"
	"expense-dashboard/internal/store/revision"
)

// Book holds the teams' budgets.
type Book struct{ db *database.DB }

// New returns that of a database.
func New(db *database.DB) *Book { return &Book{db} }

// InForce returns a statement of the budgets of q's teams that hold in a month,
// with the columns team, category (NULL for the whole) and amount_cents.
func InForce(b *database.Builder, q query.Statement, month string) string {
	return `SELECT team, category, amount_cents FROM (
		SELECT team, category, amount_cents, ROW_NUMBER() OVER (PARTITION BY team, category ORDER BY month DESC, version DESC) AS place
		FROM budgets WHERE month <= ` + b.Arg(month) + q.WhereTeam(b) + `) AS ranked WHERE place = 1 AND amount_cents IS NOT NULL`
}

// Budgets returns the budgets of a team in a month, as seen on a day: the whole first,
// then by category.
func (s *Book) Budgets(ctx context.Context, team, month string, today expense.Date) (expense.Budgets, error) {
	var found expense.Budgets
	err := s.db.Snapshot(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		found = expense.Budgets{Team: team, Month: month}
		if err := s.db.QueryRow(ctx, tx, `SELECT COALESCE(MAX(version), 0) FROM budgets WHERE team = $1`, team).Scan(&found.Version); err != nil {
			return err
		}
		found.Lines, err = s.budgetLines(ctx, tx, team, month, today)
		return err
	})
	if err != nil {
		return expense.Budgets{}, fmt.Errorf("budgets: %w", err)
	}
	return found, nil
}

// BudgetLines returns the lines of Budgets alone, by one query.
func (s *Book) BudgetLines(ctx context.Context, team, month string, today expense.Date) (lines []expense.Budget, err error) {
	err = s.db.Call(ctx, func(ctx context.Context) (err error) {
		lines, err = s.budgetLines(ctx, s.db.Read(), team, month, today)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("budgets: %w", err)
	}
	return lines, nil
}

func (s *Book) budgetLines(ctx context.Context, db database.Querier, team, month string, today expense.Date) ([]expense.Budget, error) {
	b := s.db.Builder()
	text := `WITH held AS (` + InForce(&b, query.Statement{Query: expense.Query{Teams: []string{team}}}, month) + `)
		SELECT COALESCE(c.label, ''), held.amount_cents,
			CAST(COALESCE((SELECT SUM(cents) FROM sums WHERE sums.team = held.team AND sums.month = ` + b.Arg(month) + `
				AND (held.category IS NULL OR sums.category = c.id)), 0) AS BIGINT),
			CAST(COALESCE((SELECT SUM(amount_cents) FROM expenses AS e WHERE e.team = held.team AND e.deleted_at IS NULL
				AND e.date >= ` + b.Arg(month+"-01") + ` AND e.date <= ` + b.Arg(month+"-31") + ` AND e.date <= ` + b.Arg(today) + `
				AND (held.category IS NULL OR e.category = c.id)), 0) AS BIGINT)
		FROM held LEFT JOIN categories AS named ON named.id = held.category
			LEFT JOIN categories AS c ON c.id = COALESCE(named.merged, named.id) ORDER BY held.category IS NOT NULL, c.key`
	var lines []expense.Budget
	err := s.db.Each(ctx, db, text, b.Args, func(scan func(...any) error) error {
		line := expense.Budget{Month: month, Today: today}
		if err := scan(&line.Category, &line.Amount, &line.Spent, &line.SoFar); err != nil {
			return err
		}
		lines = append(lines, line)
		return nil
	})
	return lines, err
}

// SetBudget sets a team's budget for a category, or for the whole where that is empty,
// from a month on; zero ends it. The version is that of the budgets that the caller
// saw. Doing again what the same person did last is fine. Where the budgets have
// another version by now, the error is a *expense.BudgetConflictError.
func (s *Book) SetBudget(ctx context.Context, who expense.Actor, team, month, category string, amount expense.Money, version int64) error {
	now := time.Now().UnixMilli()
	err := s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := revision.Lock(ctx, tx, team); err != nil {
			return err
		}
		var of, cents any
		if category != "" {
			r, meant := names.NewResolver(tx, who), expense.Entry{Category: category}
			if err := errors.Join(r.Mean(ctx, &meant), r.MayUse(ctx, category)); err != nil {
				return err
			}
			id, err := r.Category(ctx, meant.Category)
			if err != nil {
				return err
			}
			of = id
		}
		if amount != 0 {
			cents = int64(amount)
		}
		var latest int64
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM budgets WHERE team = $1`, team).Scan(&latest); err != nil {
			return err
		}
		if latest == version+1 {
			var same bool
			err := tx.QueryRowContext(ctx, `SELECT month = $3 AND COALESCE(category, 0) = COALESCE(CAST($4 AS BIGINT), 0) AND COALESCE(amount_cents, 0) = COALESCE(CAST($5 AS BIGINT), 0) AND actor_address = $6
				FROM budgets WHERE team = $1 AND version = $2`, team, latest, month, of, cents, who.Address).Scan(&same)
			if err != nil || same {
				return err
			}
		}
		if latest != version {
			return &expense.BudgetConflictError{Version: latest}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO budgets (team, version, month, category, amount_cents, at, actor_address, actor_name)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, team, latest+1, month, of, cents, now, who.Address, who.Name)
		return err
	})
	if err != nil {
		return fmt.Errorf("set budget: %w", err)
	}
	return nil
}

// BudgetHistory returns what was set for a team, the latest first, at most so many.
func (s *Book) BudgetHistory(ctx context.Context, team string, count int) (changes []expense.BudgetChange, err error) {
	const text = `SELECT b.at, b.actor_address, b.actor_name, b.month, COALESCE(c.label, ''), COALESCE(b.amount_cents, 0)
		FROM budgets AS b LEFT JOIN categories AS c ON c.id = b.category WHERE b.team = $1 ORDER BY b.version DESC LIMIT $2`
	err = s.db.Call(ctx, func(ctx context.Context) error {
		changes = nil
		return s.db.Each(ctx, s.db.Read(), text, []any{team, count}, func(scan func(...any) error) error {
			var (
				c  expense.BudgetChange
				at int64
			)
			err := scan(&at, &c.Actor.Address, &c.Actor.Name, &c.Month, &c.Category, &c.Amount)
			c.At = time.UnixMilli(at).UTC()
			changes = append(changes, c)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("history of budgets: %w", err)
	}
	return changes, nil
}
