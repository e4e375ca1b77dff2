package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"expense-dashboard/internal/expense"
)

// Detail returns an expense with its history and what its form suggests, with one
// question to the database.
func (s *Store) Detail(ctx context.Context, team, id string) (expense.Detail, error) {
	if !expense.IsID(id) {
		return expense.Detail{}, expense.ErrNotFound
	}
	// A category stands in the columns of an expense, as in PageAndSummary.
	const text = `SELECT 'event', step, ` + expenseColumns + `, at, actor_address, actor_name, action, changes
			FROM (SELECT ` + expenseColumns + ` FROM expenses WHERE id = $1 AND team = $2) AS e
			JOIN (SELECT expense, version AS step, at, actor_address, actor_name, action, changes FROM history) AS h ON expense = id
		UNION ALL SELECT 'category', 0, '', '', '2000-01-01', '', '', label, '', cents, '', n, 0, NULL, 0, '', '', '', '[]'
			FROM group_sums WHERE kind = 'category' AND n > 0 AND team = $2
		ORDER BY 2 DESC`
	var (
		d      expense.Detail
		groups expense.Summary
	)
	err := s.call(ctx, func(ctx context.Context) error {
		rows, err := s.Read.QueryContext(ctx, text, id, team)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind string
			var step int64
			var e expense.Expense
			done, err := scanEvent(func(columns ...any) (err error) {
				e, err = scanExpense(func(its ...any) error {
					return rows.Scan(slices.Concat([]any{&kind, &step}, its, columns)...)
				})
				return err
			})
			switch {
			case err != nil:
				return err
			case kind == "event":
				d.Expense, d.History = e, append(d.History, done)
			default:
				groups.Add(kind, expense.Group{Label: e.Item, Count: e.Version, Total: e.Amount})
			}
		}
		if d.History == nil && rows.Err() == nil {
			return expense.ErrNotFound
		}
		return rows.Err()
	})
	if err != nil {
		return expense.Detail{}, fmt.Errorf("expense and history: %w", err)
	}
	groups.Sort()
	d.Categories = groups.ByCategory
	return d, nil
}

// scanEvent reads a row of history.
func scanEvent(scan func(...any) error) (expense.Event, error) {
	var (
		e       expense.Event
		at      int64
		changes string
	)
	if err := scan(&at, &e.Actor.Address, &e.Actor.Name, &e.Action, &changes); err != nil {
		return expense.Event{}, err
	}
	e.At = time.UnixMilli(at).UTC()
	if err := json.Unmarshal([]byte(changes), &e.Changes); err != nil {
		return expense.Event{}, fmt.Errorf("changes: %w", err)
	}
	return e, nil
}

// record writes the history row of the version that an expense has now.
func record(ctx context.Context, tx *sql.Tx, who expense.Actor, action string, e expense.Expense, at time.Time, changes []expense.Change) error {
	return insertRows(ctx, tx, historyColumns, [][]any{historyRow(who, action, e, at, changes)})
}

const historyColumns = `history (expense, version, at, actor_address, actor_name, action, changes)`

func historyRow(who expense.Actor, action string, e expense.Expense, at time.Time, changes []expense.Change) []any {
	if changes == nil {
		changes = []expense.Change{}
	}
	// A slice of structs of strings always has a JSON form.
	text, _ := json.Marshal(changes)
	return []any{e.ID, e.Version, at.UnixMilli(), who.Address, who.Name, action, string(text)}
}
