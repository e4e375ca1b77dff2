package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/names"
	"expense-dashboard/internal/store/internal/query"
	"expense-dashboard/internal/store/internal/search"
	"expense-dashboard/internal/store/revision"
)

// Create adds an expense. The submission names the form that it comes from: of
// the forms that who sends with the same one, the first counts, and the others
// return its expense and false. Without a submission each counts.
func (s *Ledger) Create(ctx context.Context, who expense.Actor, entry expense.Entry, submission string) (expense.Expense, bool, error) {
	now := time.Now().Truncate(time.Millisecond).UTC()
	var e expense.Expense
	var key any
	if submission != "" {
		key = digest.Of(who.Address, submission)
	}
	created := false
	err := s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		e = expense.Expense{ID: expense.NewID(), Entry: entry, Version: 1, CreatedAt: now}
		if err := revision.Lock(ctx, tx, entry.Team); err != nil {
			return err
		}
		adding, err := NewAdder(ctx, names.NewResolver(tx, who), expense.ActionCreated, "submission", now, 1)
		if err != nil {
			return err
		}
		refused := adding.MayUse(ctx, entry.Category)
		if err := errors.Join(adding.Add(ctx, e, key), adding.Flush(ctx)); err != nil {
			return err
		}
		if created = adding.count > 0; !created {
			e, err = query.Scan(tx.QueryRowContext(ctx, `SELECT `+query.AsRead+` WHERE e.submission = $1`, key).Scan)
			return err
		}
		// A form that came before counts, whatever became of its category.
		if refused != nil {
			return refused
		}
		e, err = Current(ctx, tx, e.ID)
		return err
	})
	if err != nil {
		return expense.Expense{}, false, fmt.Errorf("create: %w", err)
	}
	return e, created, nil
}

// Adder adds new expenses with their history in a transaction, a few at a time,
// so that a file of many is never held in memory a second time.
type Adder struct {
	*names.Resolver
	action string
	unique string // the column of the key, of which each value counts once
	at     time.Time

	waiting []expense.Expense
	rows    [][]any         // of those that wait
	count   int             // of those that were added
	Added   map[string]bool // by ID, those that were
	Seq     int64           // of the next one
}

// NewAdder returns an adder of a number of expenses, which are listed as a page lists
// them: the first counts as the last that was logged.
func NewAdder(ctx context.Context, r *names.Resolver, action, unique string, at time.Time, number int) (*Adder, error) {
	a := &Adder{Resolver: r, action: action, unique: unique, at: at, Added: map[string]bool{}}
	// The largest number and not a counter's, which a restored backup may have lost.
	// Two that write at once may share numbers: then the id decides.
	err := r.Tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) + $1 FROM expenses`, number).Scan(&a.Seq)
	return a, err
}

// Add adds an expense unless its key is there already; nil is no key. It is
// there only after flush.
func (a *Adder) Add(ctx context.Context, e expense.Expense, key any) error {
	e.Seq = a.Seq
	a.Seq--
	if err := a.Resolve(ctx, &e.Entry); err != nil {
		return err
	}
	row, err := rowOf(ctx, a.Resolver, e)
	if err != nil {
		return err
	}
	a.waiting, a.rows = append(a.waiting, e), append(a.rows, append(row, key))
	if len(a.waiting) < database.RowsPerInsert {
		return nil
	}
	return a.Flush(ctx)
}

// rowColumns are the columns of what rowOf returns.
const rowColumns = `id, seq, team, date, person, owner, item, category, amount_cents, note, version, created_at, deleted_at,
	person_key, item_key, category_key, folded`

// Flush adds those that wait.
func (a *Adder) Flush(ctx context.Context) error {
	if len(a.waiting) == 0 {
		return nil
	}
	text, args := database.InsertText(`expenses (`+rowColumns+`, `+a.unique+`)`, a.rows)
	ids, err := a.Tx.QueryContext(ctx, text+` ON CONFLICT DO NOTHING RETURNING id`, args...)
	if err != nil {
		return err
	}
	defer ids.Close()
	for ids.Next() {
		var id string
		if err := ids.Scan(&id); err != nil {
			return err
		}
		a.Added[id] = true
	}
	if err := errors.Join(ids.Err(), ids.Close()); err != nil {
		return err
	}
	var history [][]any
	for _, e := range a.waiting {
		if !a.Added[e.ID] {
			continue
		}
		a.count++
		history = append(history, historyRow(a.Who, a.action, e, a.at, nil))
		if err := a.Spell(ctx, e.Category); err != nil {
			return err
		}
	}
	a.waiting, a.rows = a.waiting[:0], a.rows[:0]
	return database.InsertRows(ctx, a.Tx, historyColumns, history)
}

// rowOf returns the values of rowColumns for an expense whose entry is resolved.
func rowOf(ctx context.Context, r *names.Resolver, e expense.Expense) ([]any, error) {
	category, err := r.Category(ctx, e.Category)
	if err != nil {
		return nil, err
	}
	var deleted any
	if e.Deleted() {
		deleted = e.DeletedAt.UnixMilli()
	}
	return []any{
		e.ID, e.Seq, e.Team, e.Date, e.PersonID, e.OwnerID, e.Item, category, int64(e.Amount), e.Note,
		e.Version, e.CreatedAt.UnixMilli(), deleted,
		expense.Fold(e.Person), expense.Fold(e.Item), expense.CategoryKey(e.Category), search.Text(e.Item, e.Note),
	}, nil
}
