package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// What was done to an expense.
const (
	actionCreated  = "created"
	actionChanged  = "changed"
	actionDeleted  = "deleted"
	actionRestored = "restored"
	actionImported = "imported"
)

// event is one thing that was done to an expense.
type event struct {
	At      time.Time // in UTC, to the millisecond
	Actor   actor
	Action  string
	Changes []change
}

// History returns what was done to an expense, the latest first.
func (s *Store) History(ctx context.Context, id string) ([]event, error) {
	var events []event
	err := s.call(ctx, func(ctx context.Context) error {
		rows, err := s.read.QueryContext(ctx,
			`SELECT at, actor_address, actor_name, action, changes FROM history WHERE expense = $1 ORDER BY version DESC`, id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			e, err := scanEvent(rows.Scan)
			if err != nil {
				return err
			}
			events = append(events, e)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return events, nil
}

// ExpenseAndHistory returns what Expense and History do, both of one moment, with
// one question to the database.
func (s *Store) ExpenseAndHistory(ctx context.Context, team, id string) (Expense, []event, error) {
	var (
		e      Expense
		events []event
	)
	if !isID(id) {
		return Expense{}, nil, errNotFound
	}
	err := s.call(ctx, func(ctx context.Context) error {
		rows, err := s.read.QueryContext(ctx, `SELECT e.*, h.at, h.actor_address, h.actor_name, h.action, h.changes
			FROM (SELECT `+expenseColumns+` FROM expenses WHERE id = $1 AND team = $2) AS e
			JOIN history AS h ON h.expense = e.id ORDER BY h.version DESC`, id, team)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			done, err := scanEvent(func(columns ...any) (err error) {
				e, err = scanExpense(func(its ...any) error { return rows.Scan(append(its, columns...)...) })
				return err
			})
			if err != nil {
				return err
			}
			events = append(events, done)
		}
		if len(events) == 0 && rows.Err() == nil {
			return errNotFound
		}
		return rows.Err()
	})
	if err != nil {
		return Expense{}, nil, fmt.Errorf("expense and history: %w", err)
	}
	return e, events, nil
}

// scanEvent reads a row of history.
func scanEvent(scan func(...any) error) (event, error) {
	var (
		e       event
		at      int64
		changes string
	)
	if err := scan(&at, &e.Actor.Address, &e.Actor.Name, &e.Action, &changes); err != nil {
		return event{}, err
	}
	e.At = time.UnixMilli(at).UTC()
	if err := json.Unmarshal([]byte(changes), &e.Changes); err != nil {
		return event{}, fmt.Errorf("changes: %w", err)
	}
	return e, nil
}

// record writes the history row of the version that an expense has now.
func record(ctx context.Context, tx *sql.Tx, who actor, action string, e Expense, at time.Time, changes []change) error {
	return insertRows(ctx, tx, historyColumns, [][]any{historyRow(who, action, e, at, changes)})
}

const historyColumns = `history (expense, version, at, actor_address, actor_name, action, changes)`

func historyRow(who actor, action string, e Expense, at time.Time, changes []change) []any {
	if changes == nil {
		changes = []change{}
	}
	// A slice of structs of strings always has a JSON form.
	text, _ := json.Marshal(changes)
	return []any{e.ID, e.Version, at.UnixMilli(), who.Address, who.Name, action, string(text)}
}

// recordAdded writes the first history row of expenses that were just added.
func recordAdded(ctx context.Context, tx *sql.Tx, who actor, action string, ids []string, at time.Time) error {
	rows := make([][]any, len(ids))
	for i, id := range ids {
		rows[i] = historyRow(who, action, Expense{ID: id, Version: 1}, at, nil)
	}
	return insertRows(ctx, tx, historyColumns, rows)
}
