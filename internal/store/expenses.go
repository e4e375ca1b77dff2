package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"expense-dashboard/internal/expense"
)

// expenseColumns are what is read of expenses, in a table e that expenseNames are
// joined to.
const expenseColumns = `e.id, e.seq, e.team, e.date, e.person, person_of.name, person_of.address, e.owner, owner_of.address,
	e.item, category_of.label, e.amount_cents, e.note, e.version, e.created_at, e.deleted_at, e.status`

// expenseNames joins to a table e of expenses whom and what they name, as it is now.
// A left join changes neither the order nor the number of the rows.
const expenseNames = ` LEFT JOIN people AS named ON named.id = e.person LEFT JOIN people AS person_of ON person_of.id = COALESCE(named.joined, named.id)
	LEFT JOIN people AS owning ON owning.id = e.owner LEFT JOIN people AS owner_of ON owner_of.id = COALESCE(owning.joined, owning.id)
	LEFT JOIN categories AS category_of ON category_of.id = e.category`

const expensesAsRead = expenseColumns + ` FROM expenses AS e` + expenseNames

// scanExpense reads a row of expenseColumns, and of columns behind them into more.
func scanExpense(scan func(...any) error, more ...any) (expense.Expense, error) {
	var (
		e       expense.Expense
		created int64
		deleted sql.NullInt64
	)
	err := scan(append([]any{
		&e.ID, &e.Seq, &e.Team, &e.Date, &e.PersonID, &e.Person, &e.Address, &e.OwnerID, &e.Owner,
		&e.Item, &e.Category, &e.Amount, &e.Note, &e.Version, &created, &deleted, &e.Status,
	}, more...)...)
	e.CreatedAt = time.UnixMilli(created).UTC()
	if deleted.Valid {
		e.DeletedAt = time.UnixMilli(deleted.Int64).UTC()
	}
	return e, err
}

// Page returns the page of q that starts at q.After. On all pages there are about
// so many matches.
func (s *Store) Page(ctx context.Context, q expense.Query, matches int64) (expense.Page, error) {
	var page expense.Page
	err := s.call(ctx, func(ctx context.Context) (err error) {
		page, err = s.page(ctx, s.read, q, matches)
		return err
	})
	if err != nil {
		return expense.Page{}, fmt.Errorf("page: %w", err)
	}
	return page, nil
}

func (s *Store) page(ctx context.Context, db querier, q expense.Query, matches int64) (expense.Page, error) {
	// One more than a page has tells whether there is another.
	found, err := s.list(ctx, db, q, matches, expense.PageSize+1)
	page := expense.Page{Expenses: found}
	page.End(q)
	return page, err
}

// list returns so many expenses of q at most, from where its page starts on.
func (s *Store) list(ctx context.Context, db querier, q expense.Query, matches int64, count int) ([]expense.Expense, error) {
	b := s.builder()
	text := statement{q}.page(&b, matches, count)
	found := make([]expense.Expense, 0, count)
	err := s.eachExpense(ctx, db, text, b.args, func(e expense.Expense) error {
		found = append(found, e)
		return nil
	})
	return found, err
}

// PageAndSummary returns what Page and Summary do, both of one moment.
func (s *Store) PageAndSummary(ctx context.Context, q expense.Query) (expense.Page, expense.Summary, error) {
	var (
		page    expense.Page
		summary expense.Summary
	)
	err := s.snapshot(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if summary, err = s.summary(ctx, tx, q); err != nil {
			return err
		}
		page, err = s.page(ctx, tx, q, summary.Count)
		return err
	})
	if err != nil {
		return expense.Page{}, expense.Summary{}, fmt.Errorf("page and summary: %w", err)
	}
	return page, summary, nil
}

// eachBatch is how many expenses Each holds at once.
const eachBatch = 500

// Each calls fn for each expense that q asks for, on all pages, in q's order, and
// ends with fn's first error. It takes as long as fn, and holds nothing of the
// database meanwhile: it reads some hundreds at a time, and each of these from where
// the ones before ended. What is changed while it reads it finds as it then is.
func (s *Store) Each(ctx context.Context, q expense.Query, fn func(expense.Expense) error) error {
	q = q.First()
	summary, err := s.Summary(ctx, q)
	if err != nil {
		return fmt.Errorf("each expense: %w", err)
	}
	for {
		var batch []expense.Expense
		err := s.call(ctx, func(ctx context.Context) (err error) {
			batch, err = s.list(ctx, s.read, q, summary.Count, eachBatch)
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
		q.After = q.CursorAt(batch[len(batch)-1])
	}
}

// eachExpense calls fn for each row of a statement that statement.page makes.
func (s *Store) eachExpense(ctx context.Context, db querier, text string, args []any, fn func(expense.Expense) error) error {
	return s.each(ctx, db, text, args, func(scan func(...any) error) error {
		var mine bool
		e, err := scanExpense(scan, &mine)
		if err != nil {
			return err
		}
		e.Mine = mine
		return fn(e)
	})
}

// Summary returns what the expenses that q asks for come to, on all pages.
func (s *Store) Summary(ctx context.Context, q expense.Query) (expense.Summary, error) {
	var summary expense.Summary
	err := s.call(ctx, func(ctx context.Context) (err error) {
		summary, err = s.summary(ctx, s.read, q)
		return err
	})
	if err != nil {
		return expense.Summary{}, fmt.Errorf("summary: %w", err)
	}
	return summary, nil
}

func (s *Store) summary(ctx context.Context, db querier, q expense.Query) (expense.Summary, error) {
	var (
		summary expense.Summary
		err     error
	)
	if b := s.builder(); q.Filtered() {
		text := statement{q}.parts(&b)
		summary, err = s.tallied(ctx, db, text, b.args)
	} else {
		text := statement{q}.groups(&b)
		err = s.eachGroup(ctx, db, text, b.args, summary.Add)
	}
	summary.Sort()
	return summary, err
}

func (s *Store) eachGroup(ctx context.Context, db querier, text string, args []any, fn func(kind string, g expense.Group)) error {
	return s.each(ctx, db, text, args, func(scan func(...any) error) error {
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
func (s *Store) Expense(ctx context.Context, reader expense.Actor, team, id string) (expense.Expense, error) {
	if !expense.IsID(id) {
		return expense.Expense{}, expense.ErrNotFound
	}
	var e expense.Expense
	err := s.call(ctx, func(ctx context.Context) (err error) {
		e, err = s.expense(ctx, s.read, reader, team, id)
		return err
	})
	if err != nil {
		return expense.Expense{}, fmt.Errorf("expense: %w", err)
	}
	return e, nil
}

// expense returns one expense, with whether it is the reader's own.
func (s *Store) expense(ctx context.Context, db querier, reader expense.Actor, team, id string) (expense.Expense, error) {
	var (
		b    = s.builder()
		mine sql.NullBool
		part sql.NullBool
	)
	text := `SELECT ` + expenseColumns + `, owner_of.id = ` + readerRoot(&b, reader) + `, ` + involved(&b, reader) + ` FROM expenses AS e` + expenseNames +
		` WHERE e.id = ` + b.arg(id) + ` AND e.team = ` + b.arg(team)
	e, err := scanExpense(s.queryRow(ctx, db, text, b.args...).Scan, &mine, &part)
	e.Mine, e.Involved = mine.Bool, part.Bool
	return e, missing(err)
}

// missing turns the absence of a row into expense.ErrNotFound.
func missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return expense.ErrNotFound
	}
	return err
}

// current returns an expense as it is inside of a transaction.
func current(ctx context.Context, tx *sql.Tx, id string) (expense.Expense, error) {
	e, err := scanExpense(tx.QueryRowContext(ctx, `SELECT `+expensesAsRead+` WHERE e.id = $1`, id).Scan)
	return e, missing(err)
}

// Update makes the expense with an id, of which the caller saw a version, say
// what entry says. Where it says so already, nothing is written. Otherwise,
// where it has another version by now or was deleted, the error is a
// *expense.ConflictError.
func (s *Store) Update(ctx context.Context, who expense.Actor, id string, version int64, entry expense.Entry) (expense.Expense, error) {
	return s.revise(ctx, who, id, version, expense.ActionChanged, entry.Team, func(ctx context.Context, r *resolver, e *expense.Expense, _ time.Time) (bool, []expense.Change, error) {
		meant := entry
		if err := r.resolve(ctx, &meant); err != nil {
			return false, nil, err
		}
		if expense.CategoryKey(meant.Category) != expense.CategoryKey(e.Category) {
			if err := r.mayUse(ctx, meant.Category); err != nil {
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
func (s *Store) Delete(ctx context.Context, who expense.Actor, id string, version int64) (expense.Expense, error) {
	return s.revise(ctx, who, id, version, expense.ActionDeleted, "", func(_ context.Context, _ *resolver, e *expense.Expense, now time.Time) (bool, []expense.Change, error) {
		done := e.Deleted()
		e.DeletedAt = now
		return done, nil, nil
	})
}

// Restore brings back an expense that was deleted, by the rules of Delete.
func (s *Store) Restore(ctx context.Context, who expense.Actor, id string, version int64) (expense.Expense, error) {
	return s.revise(ctx, who, id, version, expense.ActionRestored, "", func(_ context.Context, _ *resolver, e *expense.Expense, _ time.Time) (bool, []expense.Change, error) {
		done := !e.Deleted()
		e.DeletedAt = time.Time{}
		return done, nil, nil
	})
}

// revise writes the next version of an expense together with its history. edit
// changes the expense, which may move to a team, and reports whether it was so
// already and what changed.
func (s *Store) revise(ctx context.Context, who expense.Actor, id string, version int64, action, team string,
	edit func(context.Context, *resolver, *expense.Expense, time.Time) (done bool, changes []expense.Change, err error),
) (expense.Expense, error) {
	now := time.Now().Truncate(time.Millisecond).UTC()
	var e expense.Expense
	err := s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		before, err := current(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := lockTeams(ctx, tx, before.Team, team); err != nil {
			return err
		}
		if before, err = current(ctx, tx, id); err != nil {
			return err
		}
		e = before
		r := newResolver(tx, who)
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
		return update(ctx, r, action, e, now, changes)
	})
	if err != nil {
		return expense.Expense{}, fmt.Errorf("%s: %w", action, err)
	}
	return e, nil
}

// mayRepeat returns a *expense.ConflictError unless e, which is already as it was asked
// for, is what the person saw or made.
func (s *Store) mayRepeat(ctx context.Context, tx *sql.Tx, who expense.Actor, action string, version int64, e expense.Expense) error {
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

// update writes e over the version before it, and its history. Where another
// transaction did so first, the error is a *expense.ConflictError.
func update(ctx context.Context, r *resolver, action string, e expense.Expense, now time.Time, changes []expense.Change) error {
	row, err := r.row(ctx, e)
	if err != nil {
		return err
	}
	if err := r.spell(ctx, e.Category); err != nil {
		return err
	}
	// Everything but the number and created_at, which stay.
	args := slices.Concat(row[:1], row[2:11], row[12:], []any{string(e.Status)})
	result, err := r.tx.ExecContext(ctx, `UPDATE expenses SET team = $2, date = $3, person = $4, owner = $5, item = $6,
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
		now, err := current(ctx, r.tx, e.ID)
		if err != nil {
			return err
		}
		return &expense.ConflictError{Current: now}
	}
	return record(ctx, r.tx, r.who, action, e, now, changes)
}

// rowsPerInsert saves round trips and stays far below the 32,766 arguments that
// SQLite takes: its driver looks each argument up among all others.
const rowsPerInsert = 25

// insertRows adds rows to a table, which is named with its columns.
func insertRows(ctx context.Context, tx *sql.Tx, into string, rows [][]any) error {
	for chunk := range slices.Chunk(rows, rowsPerInsert) {
		text, args := insertText(into, chunk)
		if _, err := tx.ExecContext(ctx, text, args...); err != nil {
			return err
		}
	}
	return nil
}

func insertText(into string, rows [][]any) (string, []any) {
	var (
		b    sqlBuilder
		text strings.Builder
	)
	text.WriteString("INSERT INTO " + into + " VALUES ")
	for i, row := range rows {
		if i > 0 {
			text.WriteString(", ")
		}
		for j, value := range row {
			text.WriteString([]string{"(", ", "}[min(j, 1)] + b.arg(value))
		}
		text.WriteString(")")
	}
	return text.String(), b.args
}
