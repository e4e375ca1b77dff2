package imports

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"expense-dashboard/internal/address"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/ledger"
	"expense-dashboard/internal/store/internal/names"
	"expense-dashboard/internal/store/revision"
)

// ErrLeaseLost is an import at which another copy of the program works by now.
var ErrLeaseLost = errors.New("another copy of the program has taken the import over")

// LeaseImport takes over an import at which nobody works, for a while: each batch
// of it makes that while longer. It reports false where there is none.
func (s *Imports) LeaseImport(ctx context.Context, holder string) (Import, bool, error) {
	var i Import
	const free = `state IN ('running', 'undoing', 'failing') AND (lease_until < $1 OR lease_holder = $2)`
	err := s.db.Call(ctx, func(ctx context.Context) (err error) {
		i, err = scanImport(s.db.QueryRow(ctx, s.db.Read(), `SELECT `+importColumns+` FROM imports WHERE `+free+` ORDER BY created_at LIMIT 1`,
			time.Now().UnixMilli(), holder).Scan)
		return err
	})
	if err == nil {
		now := time.Now()
		err = s.changeImport(ctx, `UPDATE imports SET lease_holder = $2, lease_until = $4 WHERE id = $3 AND `+free,
			now.UnixMilli(), holder, i.ID, now.Add(importLease).UnixMilli())
	}
	switch {
	case errors.Is(err, expense.ErrNotFound):
		return Import{}, false, nil
	case err != nil:
		return Import{}, false, fmt.Errorf("lease an import: %w", err)
	}
	return i, true, nil
}

// Batch is some rows of a file, one after the other.
type Batch struct {
	Import   Import
	Holder   string // of the lease
	From, To int64  // the rows of the file so far, without this batch and with it
	Rows     []expense.ImportRow
	Refused  []expense.LineError // rows that were right when the file was looked at, and are no longer
	Shown    time.Time           // as for Compare
	// TakeConflict and Restore say which rows are taken all the same: those in
	// conflict, and those of deleted expenses.
	TakeConflict func(line int) bool
	Restore      bool
}

// TakeRows takes a batch in one transaction. What was done to an expense after
// the file was looked at is a conflict of the result. The error is ErrLeaseLost
// where the batch is not this holder's to take. took is how long others have
// waited.
func (s *Imports) TakeRows(ctx context.Context, b Batch) (took time.Duration, err error) {
	var begun time.Time
	err = s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		begun = time.Now()
		result, err := holdImport(ctx, tx, b.Import.ID, Running, b.Holder, b.From, b.To)
		if err != nil {
			return err
		}
		list, err := s.lockedComparison(ctx, tx, b)
		if err != nil {
			return err
		}
		now := time.Now().Truncate(time.Millisecond).UTC()
		t := taker{Batch: b, currency: s.ledger.Currency(), tx: tx, now: now, result: result}
		if t.adding, err = ledger.NewAdder(ctx, names.NewResolver(tx, b.Import.Actor), expense.ActionImported, "import_key", now, 0); err != nil {
			return err
		}
		t.adding.Seq = b.Import.firstSeq - b.From
		for _, refused := range b.Refused {
			t.leave(refused.Line, refused.Text)
		}
		for _, c := range list {
			if err := t.take(ctx, c); err != nil {
				return err
			}
		}
		return t.finish(ctx)
	})
	if err != nil {
		return 0, fmt.Errorf("import: %w", err)
	}
	return time.Since(begun), nil
}

// holdImport moves an import's mark from one row of the file to another and makes
// its lease longer, and returns its result so far. Nobody else can do so until the
// transaction ends, and nobody can do it twice.
func holdImport(ctx context.Context, tx *sql.Tx, id string, state State, holder string, from, to int64) (Result, error) {
	err := database.UpdateOne(ctx, tx, `UPDATE imports SET done = $1, lease_until = $2 WHERE id = $3 AND state = $4 AND lease_holder = $5 AND done = $6`,
		to, time.Now().Add(importLease).UnixMilli(), id, string(state), holder, from)
	if errors.Is(err, expense.ErrNotFound) {
		return Result{}, ErrLeaseLost
	}
	if err != nil {
		return Result{}, err
	}
	i, err := scanImport(tx.QueryRowContext(ctx, `SELECT `+importColumns+` FROM imports WHERE id = $1`, id).Scan)
	return i.Result, err
}

// lockedComparison compares a batch when nobody else writes expenses of the teams of
// its rows, or of those where they are now.
func (s *Imports) lockedComparison(ctx context.Context, tx *sql.Tx, b Batch) ([]expense.Comparison, error) {
	teams, err := s.teamsOf(ctx, tx, b.Rows)
	if err != nil {
		return nil, err
	}
	if err := revision.Lock(ctx, tx, teams...); err != nil {
		return nil, err
	}
	return s.compare(ctx, tx, b.Rows, b.Shown, b.Import.CheckedAt)
}

// taker takes the rows of a batch.
type taker struct {
	Batch
	currency expense.Currency
	tx       *sql.Tx
	now      time.Time
	adding   *ledger.Adder
	added    []takenRow
	rows     [][]any // of import_rows
	result   Result
}

// takenRow is a row that is added, unless its key is there by then.
type takenRow struct {
	line int
	e    expense.Expense
}

// take does what a row says, or leaves it.
func (t *taker) take(ctx context.Context, c expense.Comparison) error {
	switch {
	case c.Outcome == expense.OutcomeNew:
		return t.add(ctx, c.Row)
	case c.Outcome == expense.OutcomeUnchanged:
		t.result.Unchanged++
		return nil
	case c.Outcome == expense.OutcomeChanged,
		c.Outcome == expense.OutcomeConflict && !c.Later && t.TakeConflict(c.Row.Line),
		c.Outcome == expense.OutcomeDeleted && !c.Later && t.Restore:
		return t.change(ctx, c)
	case c.Outcome == expense.OutcomeDeleted && !c.Later:
		// It was said on the preview that such rows are left out.
		return nil
	case c.Outcome == expense.OutcomeDeleted:
		t.leave(c.Row.Line, "This expense was deleted meanwhile.")
	case c.Later:
		t.leave(c.Row.Line, "Somebody changed this expense in the meantime, and that stands.")
	default:
		t.leave(c.Row.Line, "This expense was changed after the file was made, and that stands.")
	}
	return nil
}

// leave counts a row that is not taken.
func (t *taker) leave(line int, why string) {
	t.result.Conflicts++
	if len(t.result.Lines) < maxResultLines {
		t.result.Lines = append(t.result.Lines, expense.LineError{Line: line, Text: why})
	}
}

func (t *taker) add(ctx context.Context, row expense.ImportRow) error {
	e := expense.Expense{ID: row.ID, Entry: row.Entry, Version: max(1, row.Version), CreatedAt: t.now}
	var key any
	if e.ID == "" {
		e.ID, key = expense.NewID(), row.Key
	}
	if err := t.meet(ctx, &e.Entry); err != nil {
		return err
	}
	if refused := (*expense.CategoryError)(nil); errors.As(t.adding.MayUse(ctx, e.Category), &refused) {
		t.leave(row.Line, "category: "+refused.Text)
		return nil
	}
	t.added = append(t.added, takenRow{row.Line, e})
	return t.adding.Add(ctx, e, key)
}

// meet says who a person is that a row names by an address, where another is the
// owner: else who is named so would own it.
func (t *taker) meet(ctx context.Context, e *expense.Entry) error {
	if e.PersonID != 0 || e.Owner == "" || !address.Is(e.Person) || strings.EqualFold(e.Person, e.Owner) {
		return nil
	}
	person, err := t.adding.ByAddress(ctx, e.Person, "")
	e.PersonID = person.ID
	return err
}

// change writes a row over the expense that it is about.
func (t *taker) change(ctx context.Context, c expense.Comparison) error {
	before, err := json.Marshal(c.Current)
	if err != nil {
		return err
	}
	e := c.Current
	e.Entry, e.DeletedAt = c.Row.Entry, time.Time{}
	if err := errors.Join(t.meet(ctx, &e.Entry), t.adding.Resolve(ctx, &e.Entry)); err != nil {
		return err
	}
	if refused := (*expense.CategoryError)(nil); expense.CategoryKey(e.Category) != expense.CategoryKey(c.Current.Category) && errors.As(t.adding.MayUse(ctx, e.Category), &refused) {
		t.leave(c.Row.Line, "category: "+refused.Text)
		return nil
	}
	changes := c.Current.Diff(e.Entry, t.currency)
	if len(changes) == 0 && e.PersonID == c.Current.PersonID && e.OwnerID == c.Current.OwnerID && !c.Current.Deleted() {
		t.result.Unchanged++
		return nil
	}
	e.Version++
	err = ledger.Update(ctx, t.adding.Resolver, expense.ActionImported, e, t.now, changes)
	var conflict *expense.ConflictError
	if errors.As(err, &conflict) {
		t.leave(c.Row.Line, "Somebody changed this expense in the meantime, and that stands.")
		return nil
	}
	if err != nil {
		return err
	}
	t.result.Changed++
	t.rows = append(t.rows, []any{t.Import.ID, c.Row.Line, e.ID, e.Version, string(before)})
	return nil
}

// finish writes what waits: new expenses, what to take back, and the result.
func (t *taker) finish(ctx context.Context) error {
	if err := t.adding.Flush(ctx); err != nil {
		return err
	}
	for _, row := range t.added {
		if !t.adding.Added[row.e.ID] {
			// Somebody imported the same meanwhile.
			t.result.Unchanged++
			continue
		}
		t.result.New++
		t.rows = append(t.rows, []any{t.Import.ID, row.line, row.e.ID, row.e.Version, ""})
	}
	if err := database.InsertRows(ctx, t.tx, `import_rows (import, line, expense, version, before)`, t.rows); err != nil {
		return err
	}
	return saveResult(ctx, t.tx, t.Import.ID, t.result)
}

func saveResult(ctx context.Context, tx *sql.Tx, id string, result Result) error {
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return database.UpdateOne(ctx, tx, `UPDATE imports SET result = $1 WHERE id = $2`, string(text), id)
}

// EndImport ends an import that was taken or taken back as a whole, or begins to
// take back one that cannot go on. Its file is forgotten then, a while later
// what it did.
func (s *Imports) EndImport(ctx context.Context, id, holder string, from, to State) error {
	err := s.changeImport(ctx, `UPDATE imports SET state = $1, expires_at = $2 WHERE id = $3 AND state = $4 AND lease_holder = $5`,
		string(to), time.Now().Add(ledger.UndoAge).UnixMilli(), id, string(from), holder)
	if errors.Is(err, expense.ErrNotFound) {
		err = ErrLeaseLost
	}
	if err != nil {
		return fmt.Errorf("end an import: %w", err)
	}
	return nil
}

// ReleaseImport leaves an import to whoever comes next.
func (s *Imports) ReleaseImport(ctx context.Context, id, holder string) error {
	err := s.changeImport(ctx, `UPDATE imports SET lease_until = 0 WHERE id = $1 AND lease_holder = $2`, id, holder)
	if err != nil && !errors.Is(err, expense.ErrNotFound) {
		return fmt.Errorf("release an import: %w", err)
	}
	return nil
}

// TakeBack takes back some of what an import did, the last first, and reports
// how many there were and how long others have waited. What somebody has touched
// since stays as it is.
func (s *Imports) TakeBack(ctx context.Context, i Import, holder string, limit int) (count int, took time.Duration, err error) {
	var begun time.Time
	err = s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		begun = time.Now()
		var rows []takenBack
		err := s.db.Each(ctx, tx, `SELECT line, expense, version, before FROM import_rows WHERE import = $1 ORDER BY line DESC LIMIT $2`,
			[]any{i.ID, limit}, func(scan func(...any) error) error {
				var row takenBack
				err := scan(&row.line, &row.expense, &row.version, &row.before)
				rows = append(rows, row)
				return err
			})
		if err != nil {
			return err
		}
		count = len(rows)
		if count == 0 {
			return nil
		}
		return s.takeBack(ctx, tx, i, holder, rows)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("undo an import: %w", err)
	}
	return count, time.Since(begun), nil
}

type takenBack struct {
	line            int64
	expense, before string
	version         int64
}

func (s *Imports) takeBack(ctx context.Context, tx *sql.Tx, i Import, holder string, rows []takenBack) error {
	var left int64
	if err := tx.QueryRowContext(ctx, `SELECT done FROM imports WHERE id = $1`, i.ID).Scan(&left); err != nil {
		return err
	}
	result, err := holdImport(ctx, tx, i.ID, i.State, holder, left, max(0, left-int64(len(rows))))
	if err != nil {
		return err
	}
	r, now := names.NewResolver(tx, i.Actor), time.Now().Truncate(time.Millisecond).UTC()
	if err := lockRows(ctx, tx, rows); err != nil {
		return err
	}
	for _, row := range rows {
		kept, err := s.takeBackRow(ctx, r, row, now)
		if err != nil {
			return err
		}
		if kept {
			result.Kept++
		}
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM import_rows WHERE import = $1 AND line >= $2`, i.ID, rows[len(rows)-1].line)
	if err != nil {
		return err
	}
	return saveResult(ctx, tx, i.ID, result)
}

// lockRows waits until nobody else writes expenses of the teams where those of the
// rows are now or were before.
func lockRows(ctx context.Context, tx *sql.Tx, rows []takenBack) error {
	var teams []string
	for _, row := range rows {
		now, err := ledger.Current(ctx, tx, row.expense)
		if errors.Is(err, expense.ErrNotFound) {
			continue // somebody has removed it by hand
		}
		if err != nil {
			return err
		}
		before, err := row.was(now)
		if err != nil {
			return err
		}
		teams = append(teams, now.Team, before.Team)
	}
	return revision.Lock(ctx, tx, teams...)
}

// was returns the expense as it was before the import. One that was not there is
// deleted.
func (row takenBack) was(now expense.Expense) (expense.Expense, error) {
	if row.before == "" {
		return now, nil
	}
	var before expense.Expense
	err := json.Unmarshal([]byte(row.before), &before)
	return before, err
}

// takeBackRow takes back what became of a row: a new expense is deleted, and a
// changed one is as it was. It reports whether somebody has touched it since, so
// that it was kept.
func (s *Imports) takeBackRow(ctx context.Context, r *names.Resolver, row takenBack, now time.Time) (kept bool, err error) {
	current, err := ledger.Current(ctx, r.Tx, row.expense)
	switch {
	case errors.Is(err, expense.ErrNotFound):
		return true, nil
	case err != nil || current.Version != row.version:
		return err == nil, err
	}
	e, err := row.was(current)
	action := expense.ActionDeleted
	switch {
	case err != nil:
		return false, err
	case row.before == "":
		e.DeletedAt = now
	case !e.Deleted():
		action = expense.ActionChanged
	}
	e.Version = current.Version + 1
	err = ledger.Update(ctx, r, action, e, now, current.Diff(e.Entry, s.ledger.Currency()))
	var conflict *expense.ConflictError
	if errors.As(err, &conflict) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	// The same file adds it again.
	_, err = r.Tx.ExecContext(ctx, `UPDATE expenses SET import_key = NULL WHERE id = $1 AND deleted_at IS NOT NULL`, e.ID)
	return false, err
}

// forgetBatch is how many rows are forgotten at once.
const forgetBatch = 1000

// ForgetImports forgets, a little at a time, files that are no longer needed and
// imports that are over. It reports whether there may be more.
func (s *Imports) ForgetImports(ctx context.Context) (more bool, err error) {
	now := time.Now().UnixMilli()
	var old bool
	const over = `(expires_at < $1 AND state NOT IN ('running', 'undoing', 'failing'))`
	const parts = `SELECT import FROM import_parts WHERE import IN (SELECT id FROM imports WHERE ` + over + ` OR state NOT IN ('receiving', 'ready', 'running'))`
	err = s.db.Call(ctx, func(ctx context.Context) error {
		return s.db.QueryRow(ctx, s.db.Read(), `SELECT EXISTS (`+parts+`) OR EXISTS (SELECT 1 FROM imports WHERE `+over+`)`, now).Scan(&old)
	})
	if err != nil || !old {
		return false, err
	}
	err = s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, text := range []string{
			`DELETE FROM import_parts WHERE (import, part) IN (SELECT import, part FROM import_parts WHERE import IN (` + parts + `) LIMIT 4)`,
			`DELETE FROM import_rows WHERE (import, line) IN (SELECT import, line FROM import_rows WHERE import IN (SELECT id FROM imports WHERE ` + over + `) LIMIT ` + fmt.Sprint(forgetBatch) + `)`,
			`DELETE FROM imports WHERE ` + over + ` AND id NOT IN (SELECT import FROM import_parts) AND id NOT IN (SELECT import FROM import_rows)`,
		} {
			if _, err := tx.ExecContext(ctx, text, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("forget imports: %w", err)
	}
	return true, nil
}
