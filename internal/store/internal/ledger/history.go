package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
)

// Detail returns an expense with its history and what its form suggests, all of one
// moment. That of a foreign team is expense.ErrNotFound, like one that does not
// exist.
func (s *Ledger) Detail(ctx context.Context, reader expense.Actor, team, id string) (expense.Detail, error) {
	if !expense.IsID(id) {
		return expense.Detail{}, expense.ErrNotFound
	}
	var d expense.Detail
	err := s.db.Snapshot(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if d.Expense, err = s.expense(ctx, tx, reader, team, id); err != nil {
			return err
		}
		if d.History, err = s.history(ctx, tx, id); err != nil {
			return err
		}
		d.Categories, err = s.categories(ctx, tx, team)
		return err
	})
	if err != nil {
		return expense.Detail{}, fmt.Errorf("expense and history: %w", err)
	}
	return d, nil
}

// history returns what was done to an expense, the latest first.
func (s *Ledger) history(ctx context.Context, db database.Querier, id string) ([]expense.Event, error) {
	var events []expense.Event
	const text = `SELECT at, actor_address, actor_name, action, changes FROM history WHERE expense = $1 ORDER BY version DESC`
	err := s.db.Each(ctx, db, text, []any{id}, func(scan func(...any) error) error {
		e, err := scanEvent(scan)
		events = append(events, e)
		return err
	})
	return events, err
}

// categories returns what a team spent by category, the largest first.
func (s *Ledger) categories(ctx context.Context, db database.Querier, team string) ([]expense.Group, error) {
	var groups expense.Summary
	const text = `SELECT 'category', c.label, '', g.n, g.cents FROM group_sums AS g JOIN categories AS c ON c.id = g.ref
		WHERE g.kind = 'category' AND g.n > 0 AND g.team = $1`
	err := s.eachGroup(ctx, db, text, []any{team}, groups.Add)
	groups.Sort()
	return groups.ByCategory, err
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

// Record writes the history row of the version that an expense has now.
func Record(ctx context.Context, tx *sql.Tx, who expense.Actor, action string, e expense.Expense, at time.Time, changes []expense.Change) error {
	return database.InsertRows(ctx, tx, historyColumns, [][]any{historyRow(who, action, e, at, changes)})
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
