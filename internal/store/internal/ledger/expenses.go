// Package ledger holds the expenses with their history. A change writes the next version
// of an expense with what was done and by whom, in one transaction that begins with the
// lock of its teams, and counts only on the version that the caller saw. What comes of
// many expenses is read from tables of sums, which triggers keep. Start reading at
// Ledger.Create and Ledger.Update; adding.go adds many, overview.go and activity.go are
// what people see first.
package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/names"
	"expense-dashboard/internal/store/internal/query"
	"expense-dashboard/internal/store/revision"
)

// Ledger holds the expenses with their history.
type Ledger struct {
	db       *database.DB
	currency expense.Currency // of all amounts
	// mostParts and mostFound are maxParts and maxFound.
	mostParts, mostFound int64
}

// maxParts is how many parts of sums are added up for a page, which takes SQLite a few
// hundred milliseconds at most, and maxFound how many of expenses that hold the words of a
// search: each of these is looked up by itself, and who types words waits for an answer.
const (
	maxParts = 200_000
	maxFound = 5_000
)

// New returns that of a database, in US dollars.
func New(db *database.DB) *Ledger {
	return &Ledger{db: db, currency: expense.Dollars(), mostParts: maxParts, mostFound: maxFound}
}

// Hold sets the currency of all amounts, before anything is written; without it they
// are US dollars.
func (s *Ledger) Hold(c expense.Currency) { s.currency = c }

// Currency returns the currency of all amounts.
func (s *Ledger) Currency() expense.Currency { return s.currency }

// Page returns the page of q that starts at q.After. On all pages there are about
// so many matches.
func (s *Ledger) Page(ctx context.Context, q expense.Query, matches int64) (expense.Page, error) {
	var page expense.Page
	err := s.db.Call(ctx, func(ctx context.Context) error {
		statement, err := s.statement(ctx, s.db.Read(), q)
		if err == nil {
			page, err = s.page(ctx, s.db.Read(), statement, matches)
		}
		return err
	})
	if err != nil {
		return expense.Page{}, fmt.Errorf("page: %w", err)
	}
	return page, nil
}

func (s *Ledger) page(ctx context.Context, db database.Querier, q query.Statement, matches int64) (expense.Page, error) {
	// One more than a page has tells whether there is another.
	found, err := s.list(ctx, db, q, matches, expense.PageSize+1)
	page := expense.Page{Expenses: found}
	page.End(q.Query)
	return page, err
}

// list returns so many expenses of q at most, from where its page starts on.
func (s *Ledger) list(ctx context.Context, db database.Querier, q query.Statement, matches int64, count int) ([]expense.Expense, error) {
	b := s.db.Builder()
	text := q.Page(&b, matches, count)
	found := make([]expense.Expense, 0, count)
	err := s.eachExpense(ctx, db, text, b.Arguments(), func(e expense.Expense) error {
		found = append(found, e)
		return nil
	})
	return found, err
}

// PageAndSummary returns what Page and Summary do, both of one moment.
func (s *Ledger) PageAndSummary(ctx context.Context, q expense.Query) (expense.Page, expense.Summary, error) {
	var (
		page    expense.Page
		summary expense.Summary
	)
	err := s.db.Snapshot(ctx, func(ctx context.Context, tx *sql.Tx) error {
		statement, err := s.statement(ctx, tx, q)
		if err != nil {
			return err
		}
		if summary, err = s.summary(ctx, tx, statement); err != nil {
			return err
		}
		page, err = s.page(ctx, tx, statement, summary.Matches())
		return err
	})
	if err != nil {
		return expense.Page{}, expense.Summary{}, fmt.Errorf("page and summary: %w", err)
	}
	return page, summary, nil
}

// UndoAge is for how long what was done to many expenses at once, by an import or to a
// selection, can be taken back.
const UndoAge = 7 * 24 * time.Hour

// eachBatch is how many expenses Each holds at once.
const eachBatch = 500

// Each calls fn for each expense that q asks for, on all pages, in q's order, and
// ends with fn's first error. It takes as long as fn, and holds nothing of the
// database meanwhile: it reads some hundreds at a time, and each of these from where
// the ones before ended. What is changed while it reads it finds as it then is.
func (s *Ledger) Each(ctx context.Context, q expense.Query, fn func(expense.Expense) error) error {
	var (
		statement query.Statement
		summary   expense.Summary
	)
	err := s.db.Call(ctx, func(ctx context.Context) (err error) {
		if statement, err = s.statement(ctx, s.db.Read(), q.First()); err == nil {
			summary, err = s.summary(ctx, s.db.Read(), statement)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("each expense: %w", err)
	}
	for {
		var batch []expense.Expense
		err := s.db.Call(ctx, func(ctx context.Context) (err error) {
			batch, err = s.list(ctx, s.db.Read(), statement, summary.Matches(), eachBatch)
			return err
		})
		if err != nil {
			return fmt.Errorf("each expense: %w", err)
		}
		for _, e := range batch {
			if err := fn(e); err != nil {
				return err
			}
		}
		if len(batch) < eachBatch {
			return nil
		}
		statement.After = q.CursorAt(batch[len(batch)-1])
	}
}

// eachExpense calls fn for each row of a statement that query.Statement.Page makes.
func (s *Ledger) eachExpense(ctx context.Context, db database.Querier, text string, args []any, fn func(expense.Expense) error) error {
	var mine bool
	rows := query.NewReader(&mine)
	return s.db.Each(ctx, db, text, args, func(scan func(...any) error) error {
		e, err := rows.Read(scan)
		if err != nil {
			return err
		}
		e.Mine = mine
		return fn(e)
	})
}

// Summary returns what the expenses that q asks for come to, on all pages.
func (s *Ledger) Summary(ctx context.Context, q expense.Query) (expense.Summary, error) {
	var summary expense.Summary
	err := s.db.Call(ctx, func(ctx context.Context) error {
		statement, err := s.statement(ctx, s.db.Read(), q)
		if err == nil {
			summary, err = s.summary(ctx, s.db.Read(), statement)
		}
		return err
	})
	if err != nil {
		return expense.Summary{}, fmt.Errorf("summary: %w", err)
	}
	return summary, nil
}

func (s *Ledger) summary(ctx context.Context, db database.Querier, q query.Statement) (expense.Summary, error) {
	var (
		summary expense.Summary
		err     error
	)
	if q.Filtered() {
		summary, err = s.tallied(ctx, db, q)
	} else {
		b := s.db.Builder()
		text := q.Groups(&b)
		err = s.eachGroup(ctx, db, text, b.Args, summary.Add)
	}
	summary.Sort()
	return summary, err
}

func (s *Ledger) eachGroup(ctx context.Context, db database.Querier, text string, args []any, fn func(kind string, g expense.Group)) error {
	return s.db.Each(ctx, db, text, args, func(scan func(...any) error) error {
		var (
			kind string
			g    expense.Group
		)
		if err := scan(&kind, &g.Label, &g.Address, &g.Count, &g.Total); err != nil {
			return err
		}
		fn(kind, g)
		return nil
	})
}

// Expense returns one expense of a team, a deleted one too. That of a foreign
// team is expense.ErrNotFound, like one that does not exist.
func (s *Ledger) Expense(ctx context.Context, reader expense.Actor, team, id string) (expense.Expense, error) {
	if !expense.IsID(id) {
		return expense.Expense{}, expense.ErrNotFound
	}
	var e expense.Expense
	err := s.db.Call(ctx, func(ctx context.Context) (err error) {
		e, err = s.expense(ctx, s.db.Read(), reader, team, id)
		return err
	})
	if err != nil {
		return expense.Expense{}, fmt.Errorf("expense: %w", err)
	}
	return e, nil
}

// expense returns one expense, with whether it is the reader's own.
func (s *Ledger) expense(ctx context.Context, db database.Querier, reader expense.Actor, team, id string) (expense.Expense, error) {
	var (
		b    = s.db.Builder()
		mine sql.NullBool
		part sql.NullBool
	)
	text := `SELECT ` + query.Columns + `, owner_of.id = ` + query.ReaderRoot(&b, reader) + `, ` + query.Involved(&b, reader) + ` FROM expenses AS e` + query.Names +
		` WHERE e.id = ` + b.Arg(id) + ` AND e.team = ` + b.Arg(team)
	e, err := query.Scan(s.db.QueryRow(ctx, db, text, b.Args...).Scan, &mine, &part)
	e.Mine, e.Involved = mine.Bool, part.Bool
	return e, database.Missing(err)
}

// Current returns an expense as it is inside of a transaction.
func Current(ctx context.Context, tx *sql.Tx, id string) (expense.Expense, error) {
	e, err := query.Scan(tx.QueryRowContext(ctx, `SELECT `+query.AsRead+` WHERE e.id = $1`, id).Scan)
	return e, database.Missing(err)
}

// Update makes the expense with an id, of which the caller saw a version, say
// what entry says. Where it says so already, nothing is written. Otherwise,
// where it has another version by now or was deleted, the error is a
// *expense.ConflictError.
func (s *Ledger) Update(ctx context.Context, who expense.Actor, id string, version int64, entry expense.Entry) (expense.Expense, error) {
	return s.change(ctx, who, id, version, entry.Team, func(expense.Entry) (expense.Entry, error) { return entry, nil })
}

// UndoChange makes an expense say what it said before who changed it last, to the
// version that the caller names, but for whose it is, of which a history tells no more
// than a name. Where somebody has touched it since, the error is a
// *expense.ConflictError, and expense.ErrNotFound where that version is not of such a
// change.
func (s *Ledger) UndoChange(ctx context.Context, who expense.Actor, id string, version int64) (expense.Expense, error) {
	var done expense.Event
	err := s.db.Call(ctx, func(ctx context.Context) (err error) {
		const text = `SELECT at, actor_address, actor_name, action, changes FROM history WHERE expense = $1 AND version = $2`
		done, err = scanEvent(s.db.QueryRow(ctx, s.db.Read(), text, id, version).Scan)
		return database.Missing(err)
	})
	if err != nil {
		return expense.Expense{}, fmt.Errorf("undo a change: %w", err)
	}
	if done.Action != expense.ActionChanged || done.Actor.Address != who.Address || !done.Undoable() {
		return expense.Expense{}, fmt.Errorf("undo a change: %w", expense.ErrNotFound)
	}
	return s.change(ctx, who, id, version, done.Old("team"), func(now expense.Entry) (expense.Entry, error) {
		return now.Undo(done.Changes, s.currency)
	})
}

// change is Update with what becomes of the entry as it then is, in a team or, where
// that is empty, in its own.
func (s *Ledger) change(ctx context.Context, who expense.Actor, id string, version int64, team string, to func(expense.Entry) (expense.Entry, error)) (expense.Expense, error) {
	return s.revise(ctx, who, id, version, expense.ActionChanged, team, func(ctx context.Context, r *names.Resolver, e *expense.Expense, _ time.Time) (bool, []expense.Change, error) {
		meant, err := to(e.Entry)
		if err != nil {
			return false, nil, err
		}
		if err := r.Resolve(ctx, &meant); err != nil {
			return false, nil, err
		}
		if expense.CategoryKey(meant.Category) != expense.CategoryKey(e.Category) {
			if err := r.MayUse(ctx, meant.Category); err != nil {
				return false, nil, err
			}
		}
		changes := e.Diff(meant, s.currency)
		if len(changes) > 0 {
			e.Status = expense.StatusLogged
		}
		done := len(changes) == 0 && e.PersonID == meant.PersonID && e.OwnerID == meant.OwnerID && !e.Deleted()
		e.Entry = meant
		return done, changes, nil
	})
}

// Delete takes an expense away, of which the caller saw a version, so that
// Restore can bring it back. Doing again what the same person did last is fine.
// Where the expense has another version by now, the error is a *expense.ConflictError.
func (s *Ledger) Delete(ctx context.Context, who expense.Actor, id string, version int64) (expense.Expense, error) {
	return s.revise(ctx, who, id, version, expense.ActionDeleted, "", func(_ context.Context, _ *names.Resolver, e *expense.Expense, now time.Time) (bool, []expense.Change, error) {
		done := e.Deleted()
		e.DeletedAt = now
		return done, nil, nil
	})
}

// Restore brings back an expense that was deleted, by the rules of Delete.
func (s *Ledger) Restore(ctx context.Context, who expense.Actor, id string, version int64) (expense.Expense, error) {
	return s.revise(ctx, who, id, version, expense.ActionRestored, "", func(_ context.Context, _ *names.Resolver, e *expense.Expense, _ time.Time) (bool, []expense.Change, error) {
		done := !e.Deleted()
		e.DeletedAt = time.Time{}
		return done, nil, nil
	})
}

// revise writes the next version of an expense together with its history. edit
// changes the expense, which may move to a team, and reports whether it was so
// already and what changed.
func (s *Ledger) revise(ctx context.Context, who expense.Actor, id string, version int64, action, team string,
	edit func(context.Context, *names.Resolver, *expense.Expense, time.Time) (done bool, changes []expense.Change, err error),
) (expense.Expense, error) {
	now := time.Now().Truncate(time.Millisecond).UTC()
	var e expense.Expense
	err := s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		before, err := Current(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := revision.Lock(ctx, tx, before.Team, team); err != nil {
			return err
		}
		if before, err = Current(ctx, tx, id); err != nil {
			return err
		}
		e = before
		r := names.NewResolver(tx, who)
		done, changes, err := edit(ctx, r, &e, now)
		switch {
		case err != nil:
			return err
		case done:
			e = before
			return s.mayRepeat(ctx, tx, who, action, version, before)
		case before.Version != version, before.Deleted() && action != expense.ActionRestored && action != expense.ActionDeleted:
			return &expense.ConflictError{Current: before}
		}
		e.Version++
		return Update(ctx, r, action, e, now, changes)
	})
	if err != nil {
		return expense.Expense{}, fmt.Errorf("%s: %w", action, err)
	}
	return e, nil
}

// mayRepeat returns a *expense.ConflictError unless e, which is already as it was asked
// for, is what the person saw or made.
func (s *Ledger) mayRepeat(ctx context.Context, tx *sql.Tx, who expense.Actor, action string, version int64, e expense.Expense) error {
	if action == expense.ActionChanged || e.Version == version {
		return nil
	}
	var last, address string
	err := tx.QueryRowContext(ctx, `SELECT action, actor_address FROM history WHERE expense = $1 AND version = $2`,
		e.ID, e.Version).Scan(&last, &address)
	if err != nil {
		return err
	}
	if last != action || address != who.Address {
		return &expense.ConflictError{Current: e}
	}
	return nil
}

// Update writes e over the version before it, and its history. Where another
// transaction did so first, the error is a *expense.ConflictError.
func Update(ctx context.Context, r *names.Resolver, action string, e expense.Expense, now time.Time, changes []expense.Change) error {
	row, err := rowOf(ctx, r, e)
	if err != nil {
		return err
	}
	if err := r.Spell(ctx, e.Category); err != nil {
		return err
	}
	// Everything but the number and created_at, which stay.
	args := slices.Concat(row[:1], row[2:11], row[12:], []any{string(e.Status)})
	result, err := r.Tx.ExecContext(ctx, `UPDATE expenses SET team = $2, date = $3, person = $4, owner = $5, item = $6,
		category = $7, amount_cents = $8, note = $9, version = $10, deleted_at = $11,
		person_key = $12, item_key = $13, category_key = $14, folded = $15, status = $16
		WHERE id = $1 AND version = $10 - 1`, args...)
	if err != nil {
		return err
	}
	changed, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if changed == 0 {
		now, err := Current(ctx, r.Tx, e.ID)
		if err != nil {
			return err
		}
		return &expense.ConflictError{Current: now}
	}
	return Record(ctx, r.Tx, r.Who, action, e, now, changes)
}
