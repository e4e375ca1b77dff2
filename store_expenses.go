package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pageSize is how many expenses a page shows.
const pageSize = 50

// expensePage is one page of the expenses that a query asks for.
type expensePage struct {
	Expenses []Expense
	Next     cursor // where the next page starts; zero on the last page
}

// expenseSummary is what the expenses that a query asks for come to, on all of
// its pages.
type expenseSummary struct {
	group
	ByMonth    []group // by month, like 2006-01, the earliest first
	ByCategory []group // by category, the largest first
	ByPerson   []group // by person, the largest first
}

// group is a number of expenses that have something in common.
type group struct {
	Label string
	Count int64
	Total Money
}

// Average is what one of the expenses comes to, to the nearest cent.
func (g group) Average() Money { return average(g.Total, g.Count) }

// teamTotal is what a team spent, all told and by month.
type teamTotal struct {
	Team string
	group
	ByMonth []group // the twelve months up to this one, the earliest first, empty ones too
}

const expenseColumns = `id, team, date, person, owner, item, category, amount_cents, note, version, created_at, deleted_at`

// scanExpense reads a row of expenseColumns.
func scanExpense(scan func(...any) error) (Expense, error) {
	var (
		e       Expense
		created int64
		deleted sql.NullInt64
	)
	err := scan(&e.ID, &e.Team, &e.Date, &e.Person, &e.Owner, &e.Item, &e.Category, &e.Amount, &e.Note,
		&e.Version, &created, &deleted)
	e.CreatedAt = time.UnixMilli(created).UTC()
	if deleted.Valid {
		e.DeletedAt = time.UnixMilli(deleted.Int64).UTC()
	}
	return e, err
}

// Page returns the page of q that starts at q.After. On all pages there are about
// so many matches.
func (s *Store) Page(ctx context.Context, q expenseQuery, matches int64) (expensePage, error) {
	var (
		page expensePage
		b    = sqlBuilder{counts: s.file == ""}
	)
	text := statement{q}.page(&b, strconv.FormatInt(matches, 10))
	err := s.call(ctx, func(ctx context.Context) error {
		page.Expenses = make([]Expense, 0, pageSize+1)
		return s.eachRow(ctx, text, b.args, func(e Expense) error {
			page.Expenses = append(page.Expenses, e)
			return nil
		})
	})
	if err != nil {
		return expensePage{}, fmt.Errorf("page: %w", err)
	}
	page.end(q)
	return page, nil
}

// end takes off the expense that is one too many, and says where the next page
// starts.
func (p *expensePage) end(q expenseQuery) {
	if len(p.Expenses) > pageSize {
		p.Expenses = p.Expenses[:pageSize]
		p.Next = q.cursorAt(p.Expenses[pageSize-1])
	}
}

// PageAndSummary returns what Page and Summary do, both of one moment, with one
// question to the database.
func (s *Store) PageAndSummary(ctx context.Context, q expenseQuery) (expensePage, expenseSummary, error) {
	var (
		page    expensePage
		summary expenseSummary
		b       = sqlBuilder{counts: s.file == ""}
	)
	// A group stands in the columns of an expense; those that it has not got hold
	// what can be read as one.
	text := `WITH grouped AS MATERIALIZED (` + statement{q}.groups(&b) + `), listed AS (` + statement{q}.page(&b, countOfGroups) + `)
		SELECT 'expense', ` + expenseColumns + ` FROM listed
		UNION ALL SELECT kind, '', '', '2000-01-01', '', '', label, '', cents, '', n, 0, NULL FROM grouped`
	err := s.call(ctx, func(ctx context.Context) error {
		page.Expenses = make([]Expense, 0, pageSize+1)
		rows, err := s.read.QueryContext(ctx, text, b.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind string
			e, err := scanExpense(func(columns ...any) error { return rows.Scan(append([]any{&kind}, columns...)...) })
			if err != nil {
				return err
			}
			if kind == "expense" {
				page.Expenses = append(page.Expenses, e)
			} else {
				summary.add(kind, group{Label: e.Item, Count: e.Version, Total: e.Amount})
			}
		}
		return rows.Err()
	})
	if err != nil {
		return expensePage{}, expenseSummary{}, fmt.Errorf("page and summary: %w", err)
	}
	page.end(q)
	summary.sort()
	return page, summary, nil
}

// Each calls fn for each expense that q asks for, on all pages, in q's order, and
// ends with fn's first error. It holds one row at a time and takes as long as fn.
func (s *Store) Each(ctx context.Context, q expenseQuery, fn func(Expense) error) error {
	q.After = cursor{}
	var b sqlBuilder
	text := `SELECT ` + expenseColumns + ` FROM expenses WHERE ` + statement{q}.ordered(&b, anyIndex)
	err := s.stream(ctx, func() error { return s.eachRow(ctx, text, b.args, fn) })
	if err != nil {
		return fmt.Errorf("each expense: %w", err)
	}
	return nil
}

func (s *Store) eachRow(ctx context.Context, text string, args []any, fn func(Expense) error) error {
	rows, err := s.read.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scanExpense(rows.Scan)
		if err != nil {
			return err
		}
		if err := fn(e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Summary returns what the expenses that q asks for come to, on all pages.
func (s *Store) Summary(ctx context.Context, q expenseQuery) (expenseSummary, error) {
	var (
		summary expenseSummary
		b       sqlBuilder
	)
	text := statement{q}.groups(&b)
	err := s.call(ctx, func(ctx context.Context) error {
		return s.eachGroup(ctx, text, b.args, summary.add)
	})
	if err != nil {
		return expenseSummary{}, fmt.Errorf("summary: %w", err)
	}
	summary.sort()
	return summary, nil
}

// sort puts the groups into their order.
func (s *expenseSummary) sort() {
	slices.SortFunc(s.ByMonth, func(a, b group) int { return strings.Compare(a.Label, b.Label) })
	largest := func(a, b group) int { return cmp.Or(cmp.Compare(b.Total, a.Total), strings.Compare(a.Label, b.Label)) }
	slices.SortFunc(s.ByCategory, largest)
	slices.SortFunc(s.ByPerson, largest)
}

// add takes one group into the sums to which it belongs. Each expense is in one
// month, so that the months make the whole.
func (s *expenseSummary) add(kind string, g group) {
	switch kind {
	case "month":
		s.ByMonth = append(s.ByMonth, g)
		s.Count += g.Count
		s.Total += g.Total
	case "category":
		s.ByCategory = append(s.ByCategory, g)
	case "person":
		s.ByPerson = append(s.ByPerson, g)
	}
}

// Totals returns what each team spent that has expenses, by the team's id.
func (s *Store) Totals(ctx context.Context, today Date) ([]teamTotal, error) {
	var totals []teamTotal
	const text = `SELECT team, key, n, cents FROM group_sums WHERE kind = 'month' AND n > 0 ORDER BY team, key`
	err := s.call(ctx, func(ctx context.Context) error {
		return s.eachGroup(ctx, text, nil, func(team string, g group) {
			if len(totals) == 0 || totals[len(totals)-1].Team != team {
				totals = append(totals, teamTotal{Team: team, ByMonth: lastMonths(today)})
			}
			totals[len(totals)-1].add(g)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("totals: %w", err)
	}
	return totals, nil
}

func (t *teamTotal) add(month group) {
	t.Count += month.Count
	t.Total += month.Total
	for i, of := range t.ByMonth {
		if of.Label == month.Label {
			t.ByMonth[i] = month
		}
	}
}

// lastMonths returns the twelve months up to today's, without expenses yet.
func lastMonths(today Date) []group {
	months := make([]group, 12)
	for i := range months {
		months[i].Label = today.startOfMonth(i - 11).month()
	}
	return months
}

func (s *Store) eachGroup(ctx context.Context, text string, args []any, fn func(kind string, g group)) error {
	rows, err := s.read.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			kind string
			g    group
		)
		if err := rows.Scan(&kind, &g.Label, &g.Count, &g.Total); err != nil {
			return err
		}
		fn(kind, g)
	}
	return rows.Err()
}

// Expense returns one expense of a team, a deleted one too. That of a foreign
// team is errNotFound, like one that does not exist.
func (s *Store) Expense(ctx context.Context, team, id string) (Expense, error) {
	if !isID(id) {
		return Expense{}, errNotFound
	}
	var e Expense
	err := s.call(ctx, func(ctx context.Context) (err error) {
		e, err = scanExpense(s.read.QueryRowContext(ctx,
			`SELECT `+expenseColumns+` FROM expenses WHERE id = $1 AND team = $2`, id, team).Scan)
		return err
	})
	if err != nil {
		return Expense{}, fmt.Errorf("expense: %w", missing(err))
	}
	return e, nil
}

// missing turns the absence of a row into errNotFound.
func missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errNotFound
	}
	return err
}

// current returns an expense as it is inside of a transaction.
func current(ctx context.Context, tx *sql.Tx, id string) (Expense, error) {
	e, err := scanExpense(tx.QueryRowContext(ctx, `SELECT `+expenseColumns+` FROM expenses WHERE id = $1`, id).Scan)
	return e, missing(err)
}

// Update makes the expense with an id, of which the caller saw a version, say
// what entry says. Where it says so already, nothing is written. Otherwise,
// where it has another version by now or was deleted, the error is a
// *conflictError.
func (s *Store) Update(ctx context.Context, who actor, id string, version int64, entry Entry) (Expense, error) {
	return s.revise(ctx, who, id, version, actionChanged, func(e *Expense, _ time.Time) (bool, []change) {
		changes := e.diff(entry)
		e.Entry = entry
		return len(changes) == 0 && !e.Deleted(), changes
	})
}

// Delete takes an expense away, of which the caller saw a version, so that
// Restore can bring it back. Doing again what the same person did last is fine.
// Where the expense has another version by now, the error is a *conflictError.
func (s *Store) Delete(ctx context.Context, who actor, id string, version int64) (Expense, error) {
	return s.revise(ctx, who, id, version, actionDeleted, func(e *Expense, now time.Time) (bool, []change) {
		done := e.Deleted()
		e.DeletedAt = now
		return done, nil
	})
}

// Restore brings back an expense that was deleted, by the rules of Delete.
func (s *Store) Restore(ctx context.Context, who actor, id string, version int64) (Expense, error) {
	return s.revise(ctx, who, id, version, actionRestored, func(e *Expense, _ time.Time) (bool, []change) {
		done := !e.Deleted()
		e.DeletedAt = time.Time{}
		return done, nil
	})
}

// revise writes the next version of an expense together with its history. edit
// changes the expense, and reports whether it was so already and what changed.
func (s *Store) revise(ctx context.Context, who actor, id string, version int64, action string,
	edit func(*Expense, time.Time) (done bool, changes []change),
) (Expense, error) {
	now := time.Now().Truncate(time.Millisecond).UTC()
	var e Expense
	err := s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		before, err := current(ctx, tx, id)
		if err != nil {
			return err
		}
		e = before
		done, changes := edit(&e, now)
		switch {
		case done:
			e = before
			return s.mayRepeat(ctx, tx, who, action, version, before)
		case before.Version != version, before.Deleted() && action == actionChanged:
			return &conflictError{before}
		}
		e.Version++
		if err := update(ctx, tx, who, action, e, now, changes); err != nil {
			return err
		}
		sums := sumChanges{}
		sums.add(before, -1)
		sums.add(e, 1)
		return sums.apply(ctx, tx)
	})
	if err != nil {
		return Expense{}, fmt.Errorf("%s: %w", action, err)
	}
	return e, nil
}

// mayRepeat returns a *conflictError unless e, which is already as it was asked
// for, is what the person saw or made.
func (s *Store) mayRepeat(ctx context.Context, tx *sql.Tx, who actor, action string, version int64, e Expense) error {
	if action == actionChanged || e.Version == version {
		return nil
	}
	var last, address string
	err := tx.QueryRowContext(ctx, `SELECT action, actor_address FROM history WHERE expense = $1 AND version = $2`,
		e.ID, e.Version).Scan(&last, &address)
	if err != nil {
		return err
	}
	if last != action || address != who.Address {
		return &conflictError{e}
	}
	return nil
}

// update writes e over the version before it, and its history. Where another
// transaction did so first, the error is a *conflictError.
func update(ctx context.Context, tx *sql.Tx, who actor, action string, e Expense, now time.Time, changes []change) error {
	// Everything but created_at, which stays.
	args := slices.Delete(expenseRow(e), 10, 11)
	result, err := tx.ExecContext(ctx, `UPDATE expenses SET team = $2, date = $3, person = $4, owner = $5, item = $6,
		category = $7, amount_cents = $8, note = $9, version = $10, deleted_at = $11,
		person_key = $12, item_key = $13, category_key = $14, search = $15
		WHERE id = $1 AND version = $10 - 1`, args...)
	if err != nil {
		return err
	}
	changed, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if changed == 0 {
		now, err := current(ctx, tx, e.ID)
		if err != nil {
			return err
		}
		return &conflictError{now}
	}
	return record(ctx, tx, who, action, e, now, changes)
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
