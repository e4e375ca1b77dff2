package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/expense"
)

// Create adds an expense. The submission names the form that it comes from: of
// the forms that who sends with the same one, the first counts, and the others
// return its expense and false. Without a submission each counts.
func (s *Store) Create(ctx context.Context, who expense.Actor, entry expense.Entry, submission string) (expense.Expense, bool, error) {
	now := time.Now().Truncate(time.Millisecond).UTC()
	e := expense.Expense{ID: expense.NewID(), Entry: entry, Version: 1, CreatedAt: now}
	var key any
	if submission != "" {
		key = digest.Of(who.Address, submission)
	}
	created := false
	err := s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		adding := newAdder(tx, who, expense.ActionCreated, "submission", now)
		if err := errors.Join(adding.add(ctx, e, key), adding.flush(ctx)); err != nil {
			return err
		}
		if adding.count == 0 {
			var err error
			e, err = scanExpense(tx.QueryRowContext(ctx, `SELECT `+expenseColumns+` FROM expenses WHERE submission = $1`, key).Scan)
			return err
		}
		created = true
		return adding.sums.apply(ctx, tx)
	})
	if err != nil {
		return expense.Expense{}, false, fmt.Errorf("create: %w", err)
	}
	return e, created, nil
}

// adder adds new expenses with their history in a transaction, a few at a time,
// so that a file of many is never held in memory a second time.
type adder struct {
	tx     *sql.Tx
	who    expense.Actor
	action string
	unique string // the column of the key, of which each value counts once
	at     time.Time

	waiting []expense.Expense
	rows    [][]any // of those that wait
	count   int     // of those that were added
	sums    sumChanges
}

func newAdder(tx *sql.Tx, who expense.Actor, action, unique string, at time.Time) *adder {
	return &adder{tx: tx, who: who, action: action, unique: unique, at: at, sums: sumChanges{}}
}

// add adds an expense unless its key is there already; nil is no key. It is
// there only after flush.
func (a *adder) add(ctx context.Context, e expense.Expense, key any) error {
	a.waiting, a.rows = append(a.waiting, e), append(a.rows, append(expenseRow(e), key))
	if len(a.waiting) < rowsPerInsert {
		return nil
	}
	return a.flush(ctx)
}

// flush adds those that wait.
func (a *adder) flush(ctx context.Context) error {
	if len(a.waiting) == 0 {
		return nil
	}
	text, args := insertText(`expenses (`+expenseColumns+`, person_key, item_key, category_key, search, `+a.unique+`)`, a.rows)
	ids, err := a.tx.QueryContext(ctx, text+` ON CONFLICT (`+a.unique+`) DO NOTHING RETURNING id`, args...)
	if err != nil {
		return err
	}
	defer ids.Close()
	added := map[string]bool{}
	for ids.Next() {
		var id string
		if err := ids.Scan(&id); err != nil {
			return err
		}
		added[id] = true
	}
	if err := errors.Join(ids.Err(), ids.Close()); err != nil {
		return err
	}
	var history [][]any
	for _, e := range a.waiting {
		if added[e.ID] {
			a.count++
			a.sums.add(e, 1)
			history = append(history, historyRow(a.who, a.action, e, a.at, nil))
		}
	}
	a.waiting, a.rows = a.waiting[:0], a.rows[:0]
	return insertRows(ctx, a.tx, historyColumns, history)
}

// expenseRow returns the values of all columns but the keys, in the order of
// adder.flush.
func expenseRow(e expense.Expense) []any {
	var deleted any
	if e.Deleted() {
		deleted = e.DeletedAt.UnixMilli()
	}
	return []any{
		e.ID, e.Team, e.Date, e.Person, e.Owner, e.Item, e.Category, int64(e.Amount), e.Note,
		e.Version, e.CreatedAt.UnixMilli(), deleted,
		expense.Fold(e.Person), expense.Fold(e.Item), expense.Fold(e.Category), expense.Fold(e.Item + "\n" + e.Person + "\n" + e.Note),
	}
}
