// Package batch does one thing to several expenses at once, to all or to none, and takes
// it back for a while (ledger.UndoAge). Each expense gets a version and a history of its
// own, as if it was changed alone; the batch remembers which versions these are, and by
// them what somebody has touched since, which is not taken back.
//
// A batch is somebody's, by subject, and so is its undoing. The form's submission makes
// the same form count once. Each change is one transaction, which first locks all teams
// that it may touch. Who may do what is decided above (web/entries); how one expense
// changes is the ledger's, and files are the package imports'. Start reading at
// ChangeSelected.
package batch

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/ledger"
	"expense-dashboard/internal/store/internal/names"
	"expense-dashboard/internal/store/internal/query"
	"expense-dashboard/internal/store/revision"
)

// Batches are changes of several expenses at once.
type Batches struct {
	db     *database.DB
	ledger *ledger.Ledger
}

// New returns those of a ledger, which lies in a database.
func New(db *database.DB, ledger *ledger.Ledger) *Batches { return &Batches{db, ledger} }

// Selected returns those of some expenses that are there, deleted ones too, by id, with
// what they are to their reader.
func (s *Batches) Selected(ctx context.Context, reader expense.Actor, ids []string) (map[string]expense.Expense, error) {
	found := map[string]expense.Expense{}
	if len(ids) == 0 {
		return found, nil
	}
	b := s.db.Builder()
	text := `SELECT ` + query.Columns + `, COALESCE(owner_of.id = ` + query.ReaderRoot(&b, reader) + `, FALSE), COALESCE(` + query.Involved(&b, reader) + `, FALSE)
		FROM expenses AS e` + query.Names + ` WHERE e.id IN (` + b.List(ids) + `)`
	err := s.db.Call(ctx, func(ctx context.Context) error {
		clear(found)
		return s.db.Each(ctx, s.db.Read(), text, b.Args, func(scan func(...any) error) error {
			var mine, part bool
			e, err := query.Scan(scan, &mine, &part)
			e.Mine, e.Involved = mine, part
			found[e.ID] = e
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("selected expenses: %w", err)
	}
	return found, nil
}

// ChangeSelected does what a selection says to all of its expenses, or to none. Of the
// forms that who sends with the same submission the first counts: another one with the
// same in it returns what came of that, and one with something else is an
// *expense.SentBeforeError. The error is an *expense.ConflictError where one of the
// expenses has another version by now or was deleted, expense.ErrNotFound where one is
// not there, and an *expense.CategoryError where none can be given the category.
func (s *Batches) ChangeSelected(ctx context.Context, who expense.Actor, sel expense.Selection, submission string) (done expense.SelectionDone, err error) {
	now := time.Now().Truncate(time.Millisecond).UTC()
	err = s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		done = expense.SelectionDone{ID: expense.NewID(), Action: sel.Action, Value: sel.Value}
		var b database.Builder
		if err := s.lockSelected(ctx, tx, sel, `SELECT team FROM expenses WHERE id IN (`+b.List(sel.IDs())+`)`, b.Args...); err != nil {
			return err
		}
		before, err := s.beginBatch(ctx, tx, who, sel, done.ID, submission, now)
		if err != nil || before.ID != "" {
			done = before
			return err
		}
		done.Changed, err = s.changeSelected(ctx, names.NewResolver(tx, who), sel, done.ID, now)
		return err
	})
	if err != nil {
		return expense.SelectionDone{}, fmt.Errorf("%s of a selection: %w", sel.Action, err)
	}
	return done, nil
}

// lockSelected waits until nobody else writes expenses of the teams that a statement
// finds, and of the one to which a selection moves.
func (s *Batches) lockSelected(ctx context.Context, tx *sql.Tx, sel expense.Selection, text string, args ...any) error {
	var teams []string
	if sel.Action == expense.SelectedMove {
		teams = append(teams, sel.Value)
	}
	err := s.db.Each(ctx, tx, text, args, func(scan func(...any) error) error {
		var team string
		err := scan(&team)
		teams = append(teams, team)
		return err
	})
	if err != nil {
		return err
	}
	return revision.Lock(ctx, tx, teams...)
}

// beginBatch notes that somebody does something, and forgets what was long ago. Where
// its form came before it returns what came of that.
func (s *Batches) beginBatch(ctx context.Context, tx *sql.Tx, who expense.Actor, sel expense.Selection, id, submission string, now time.Time) (expense.SelectionDone, error) {
	var before expense.SelectionDone
	_, err := tx.ExecContext(ctx, `DELETE FROM batches WHERE id IN (SELECT id FROM batches WHERE at < $1 ORDER BY at LIMIT 4)`, now.Add(-ledger.UndoAge).UnixMilli())
	if err != nil {
		return before, err
	}
	var key any
	if submission != "" {
		key = digest.Of(who.Subject, submission)
	}
	content := digest.Of(append(sel.IDs(), sel.Action, sel.Value, sel.Reason)...)
	result, err := tx.ExecContext(ctx, `INSERT INTO batches (id, subject, submission, content, action, value, at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		id, who.Subject, key, content, sel.Action, sel.Value, now.UnixMilli())
	if err != nil {
		return before, err
	}
	if begun, err := result.RowsAffected(); err != nil || begun > 0 {
		return before, err
	}
	var sent string
	err = tx.QueryRowContext(ctx, `SELECT id, action, value, content, (SELECT COUNT(*) FROM batch_expenses WHERE batch = batches.id) FROM batches WHERE submission = $1`, key).
		Scan(&before.ID, &before.Action, &before.Value, &sent, &before.Changed)
	if err == nil && sent != content {
		err = &expense.SentBeforeError{Before: before}
	}
	return before, err
}

// changeSelected writes what a selection makes of its expenses, and returns how many it
// changes.
func (s *Batches) changeSelected(ctx context.Context, r *names.Resolver, sel expense.Selection, batch string, now time.Time) (int, error) {
	if sel.Action == expense.SelectedCategory {
		meant := expense.Entry{Category: sel.Value}
		if err := r.Mean(ctx, &meant); err != nil {
			return 0, err
		}
		sel.Value = meant.Category
	}
	type revision struct {
		expense.Expense
		changes []expense.Change
	}
	var revised []revision
	var ids []string
	for _, seen := range sel.Expenses {
		e, err := ledger.Current(ctx, r.Tx, seen.ID)
		if err != nil {
			return 0, err
		}
		if e.Version != seen.Version || e.Deleted() {
			return 0, &expense.ConflictError{Current: e}
		}
		if after, changes, changed := sel.Of(e, s.ledger.Currency(), now); changed {
			after.Version++
			revised, ids = append(revised, revision{after, changes}), append(ids, e.ID)
		}
	}
	if len(revised) == 0 {
		return 0, nil
	}
	if sel.Action == expense.SelectedCategory {
		if err := r.MayUse(ctx, sel.Value); err != nil {
			return 0, err
		}
	}
	var b database.Builder
	text := `INSERT INTO batch_expenses (batch, expense, version, team, category, status)
		SELECT ` + b.Arg(batch) + `, id, version + 1, team, category, status FROM expenses WHERE id IN (` + b.List(ids) + `)`
	if _, err := r.Tx.ExecContext(ctx, text, b.Args...); err != nil {
		return 0, err
	}
	for _, e := range revised {
		if err := ledger.Update(ctx, r, sel.Done(), e.Expense, now, e.changes); err != nil {
			return 0, err
		}
	}
	return len(revised), nil
}

// Batch returns what somebody did to several expenses at once, and the expenses in the
// versions that they got. That of somebody else, and one of long ago, are
// expense.ErrNotFound.
func (s *Batches) Batch(ctx context.Context, who expense.Actor, id string) (sel expense.Selection, err error) {
	err = s.db.Call(ctx, func(ctx context.Context) error {
		sel = expense.Selection{}
		err := s.db.QueryRow(ctx, s.db.Read(), `SELECT action, value FROM batches WHERE id = $1 AND subject = $2 AND at > $3`,
			id, who.Subject, time.Now().Add(-ledger.UndoAge).UnixMilli()).Scan(&sel.Action, &sel.Value)
		if err != nil {
			return database.Missing(err)
		}
		return s.db.Each(ctx, s.db.Read(), `SELECT expense, version FROM batch_expenses WHERE batch = $1 ORDER BY expense`, []any{id}, func(scan func(...any) error) error {
			var seen expense.Seen
			err := scan(&seen.ID, &seen.Version)
			sel.Expenses = append(sel.Expenses, seen)
			return err
		})
	})
	if err != nil {
		return expense.Selection{}, fmt.Errorf("batch: %w", err)
	}
	return sel, nil
}

// UndoBatch makes the expenses of a batch as they were before, but those that somebody
// has touched since, and returns how many it was. To take one back again changes
// nothing.
func (s *Batches) UndoBatch(ctx context.Context, who expense.Actor, id string, sel expense.Selection) (undone int, err error) {
	now := time.Now().Truncate(time.Millisecond).UTC()
	err = s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		undone = 0
		err := s.lockSelected(ctx, tx, sel, `SELECT team FROM batch_expenses WHERE batch = $1
			UNION SELECT e.team FROM expenses AS e JOIN batch_expenses AS b ON b.expense = e.id WHERE b.batch = $1`, id)
		if err != nil {
			return err
		}
		var before sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT undone FROM batches WHERE id = $1`, id).Scan(&before); err != nil {
			return database.Missing(err)
		}
		if before.Valid {
			undone = int(before.Int64)
			return nil
		}
		if undone, err = s.undoBatch(ctx, names.NewResolver(tx, who), id, sel, now); err != nil {
			return err
		}
		return database.UpdateOne(ctx, tx, `UPDATE batches SET undone = $2 WHERE id = $1`, id, undone)
	})
	if err != nil {
		return 0, fmt.Errorf("undo a batch: %w", err)
	}
	return undone, nil
}

// undoBatch is UndoBatch in its transaction.
func (s *Batches) undoBatch(ctx context.Context, r *names.Resolver, id string, sel expense.Selection, now time.Time) (undone int, err error) {
	for _, seen := range sel.Expenses {
		e, err := ledger.Current(ctx, r.Tx, seen.ID)
		if errors.Is(err, expense.ErrNotFound) {
			continue // somebody has removed it by hand
		}
		if err != nil {
			return 0, err
		}
		if e.Version != seen.Version {
			continue
		}
		before, status := e, ""
		err = r.Tx.QueryRowContext(ctx, `SELECT b.team, w.label, b.status FROM batch_expenses AS b
			JOIN categories AS c ON c.id = b.category JOIN categories AS w ON w.id = COALESCE(c.merged, c.id)
			WHERE b.batch = $1 AND b.expense = $2`, id, e.ID).Scan(&e.Team, &e.Category, &status)
		if err != nil {
			return 0, err
		}
		undone++
		action, changes := expense.ActionChanged, before.Diff(e.Entry, s.ledger.Currency())
		if status != string(e.Status) {
			var decided []expense.Change
			e, decided = e.Decided(expense.Status(status), "")
			changes = append(changes, decided...)
		}
		if sel.Action == expense.SelectedDelete {
			action, e.DeletedAt = expense.ActionRestored, time.Time{}
		}
		if len(changes) == 0 && sel.Action != expense.SelectedDelete {
			continue // its category was merged with the other one meanwhile
		}
		e.Version++
		if err := ledger.Update(ctx, r, action, e, now, changes); err != nil {
			return 0, err
		}
	}
	return undone, nil
}
