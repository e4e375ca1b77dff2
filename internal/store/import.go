package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"time"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
)

// importTimeout bounds the import of one file.
const importTimeout = 2 * time.Minute

// ImportReport counts what an import did.
type ImportReport struct {
	Added, Changed, Unchanged int
}

// Import takes the rows of a file in one transaction: a row without an id is a
// new expense, one with an id makes that expense say what the row says. A file
// that was taken before adds nothing. Where a row names an expense that does not
// stand, the faults are listed by line and nothing is taken.
func (s *Store) Import(ctx context.Context, who expense.Actor, rows []expense.ImportRow) (ImportReport, []expense.LineError, error) {
	limited, cancel := context.WithTimeout(ctx, importTimeout)
	defer cancel()
	var (
		report ImportReport
		faults []expense.LineError
	)
	err := s.changeWithin(ctx, limited, func(ctx context.Context, tx *sql.Tx) error {
		now := time.Now().Truncate(time.Millisecond).UTC()
		known, err := lockedExpenses(ctx, tx, rows)
		if err != nil {
			return err
		}
		if faults = unknownExpenses(rows, known); faults != nil {
			return nil
		}
		number := 0
		for _, row := range rows {
			if row.ID == "" {
				number++
			}
		}
		adding, err := newAdder(ctx, newResolver(tx, who), expense.ActionImported, "import_key", now, number)
		if err != nil {
			return err
		}
		if err := addImported(ctx, adding, rows, s.currency); err != nil {
			return err
		}
		changed, err := changeImported(ctx, adding.resolver, rows, known, now, s.currency)
		if err != nil {
			return err
		}
		report = ImportReport{adding.count, changed, len(rows) - adding.count - changed}
		return nil
	})
	if err != nil {
		return ImportReport{}, nil, fmt.Errorf("import: %w", err)
	}
	return report, faults, nil
}

// lockedExpenses returns the expenses that the rows name, when nobody else writes
// expenses of the teams of either.
func lockedExpenses(ctx context.Context, tx *sql.Tx, rows []expense.ImportRow) (map[string]expense.Expense, error) {
	known, err := expensesByID(ctx, tx, rows)
	if err != nil {
		return nil, err
	}
	var teams []string
	for _, row := range rows {
		teams = append(teams, row.Entry.Team, known[row.ID].Team)
	}
	if err := lockTeams(ctx, tx, teams...); err != nil {
		return nil, err
	}
	return expensesByID(ctx, tx, rows)
}

// expensesByID returns the expenses that the rows name.
func expensesByID(ctx context.Context, tx *sql.Tx, rows []expense.ImportRow) (map[string]expense.Expense, error) {
	var ids []string
	for _, row := range rows {
		if row.ID != "" {
			ids = append(ids, row.ID)
		}
	}
	known := make(map[string]expense.Expense, len(ids))
	for chunk := range slices.Chunk(ids, rowsPerInsert) {
		var b sqlBuilder
		found, err := tx.QueryContext(ctx, `SELECT `+expensesAsRead+` WHERE e.id IN (`+b.list(chunk)+`)`, b.args...)
		if err != nil {
			return nil, err
		}
		defer found.Close()
		for found.Next() {
			e, err := scanExpense(found.Scan)
			if err != nil {
				return nil, err
			}
			known[e.ID] = e
		}
		if err := found.Err(); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// unknownExpenses lists the rows that name an expense that does not stand.
func unknownExpenses(rows []expense.ImportRow, known map[string]expense.Expense) []expense.LineError {
	var faults []expense.LineError
	for _, row := range rows {
		e, ok := known[row.ID]
		switch {
		case row.ID == "":
		case !ok:
			faults = append(faults, expense.LineError{row.Line, "id: No expense has this id. Leave it empty for a new expense."})
		case e.Deleted():
			faults = append(faults, expense.LineError{row.Line, "id: This expense was deleted. Restore it first, or take the line out."})
		}
	}
	if hidden := len(faults) - expensefile.MaxLineErrors; hidden > 0 {
		last := faults[len(faults)-1].Line
		faults = append(faults[:expensefile.MaxLineErrors], expense.LineError{last, expense.MoreLineErrors(hidden)})
	}
	return faults
}

// addImported adds the rows without an id that no file brought before.
func addImported(ctx context.Context, adding *adder, rows []expense.ImportRow, c expense.Currency) error {
	times := map[string]int{}
	for _, row := range rows {
		if row.ID != "" {
			continue
		}
		alike := importKey(row.Entry, c, 0)
		times[alike]++
		e := expense.Expense{ID: expense.NewID(), Entry: row.Entry, Version: 1, CreatedAt: adding.at}
		if err := adding.add(ctx, e, importKey(row.Entry, c, times[alike])); err != nil {
			return err
		}
	}
	return adding.flush(ctx)
}

// importKey is the same for the same row in another file. Rows of one file that
// are equal are told apart by the time that they occur, from 1: two equal rows
// are two expenses.
func importKey(e expense.Entry, c expense.Currency, occurrence int) string {
	return digest.Of(e.Date.String(), e.Team, e.Person, e.Item, e.Category, c.Plain(e.Amount), e.Note, strconv.Itoa(occurrence))
}

// changeImported writes the rows with an id that say something new, and counts them.
func changeImported(ctx context.Context, r *resolver, rows []expense.ImportRow, known map[string]expense.Expense, now time.Time, c expense.Currency) (changed int, err error) {
	for _, row := range rows {
		if row.ID == "" {
			continue
		}
		e, entry := known[row.ID], row.Entry
		// Another spelling in a file is nothing new, and a name corrects what is shown
		// without taking the expense from its owner.
		if expense.CategoryKey(entry.Category) == expense.CategoryKey(e.Category) {
			entry.Category = e.Category
		}
		entry.Owner, entry.OwnerID = e.Owner, e.OwnerID
		if entry.Person == e.Person {
			entry.PersonID = e.PersonID
		}
		if err := r.resolve(ctx, &entry); err != nil {
			return 0, err
		}
		changes := e.Diff(entry, c)
		if len(changes) == 0 && e.PersonID == entry.PersonID && e.OwnerID == entry.OwnerID {
			continue
		}
		e.Entry = entry
		e.Version++
		if err := update(ctx, r, expense.ActionImported, e, now, changes); err != nil {
			return 0, err
		}
		changed++
	}
	return changed, nil
}
