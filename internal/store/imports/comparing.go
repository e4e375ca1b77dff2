package imports

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/query"
)

// Compare puts rows of a file beside the expenses that they are about, in their
// order; shown and checked are those of [expense.ImportRow.Compare].
func (s *Imports) Compare(ctx context.Context, rows []expense.ImportRow, shown, checked time.Time) ([]expense.Comparison, error) {
	var list []expense.Comparison
	err := s.db.Call(ctx, func(ctx context.Context) (err error) {
		list, err = s.compare(ctx, s.db.Read(), rows, shown, checked)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("compare a file: %w", err)
	}
	return list, nil
}

// ShownBy returns when the newest change was made that rows of a file are known
// to hold, or the zero time.
func (s *Imports) ShownBy(ctx context.Context, rows []expense.ImportRow) (time.Time, error) {
	var newest time.Time
	err := s.db.Call(ctx, func(ctx context.Context) error {
		known, err := s.knownExpenses(ctx, s.db.Read(), rows)
		if err != nil {
			return err
		}
		newest = time.Time{}
		for _, row := range rows {
			if of, ok := known.byID[row.ID]; ok && of.last.At.After(newest) && row.Shows(of.Expense, of.last, s.ledger.Currency()) {
				newest = of.last.At
			}
		}
		return nil
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("compare a file: %w", err)
	}
	return newest, nil
}

func (s *Imports) compare(ctx context.Context, db database.Querier, rows []expense.ImportRow, shown, checked time.Time) ([]expense.Comparison, error) {
	known, err := s.knownExpenses(ctx, db, rows)
	if err != nil {
		return nil, err
	}
	list := make([]expense.Comparison, len(rows))
	for i, row := range rows {
		of, ok := known.of(row)
		if !ok {
			list[i] = expense.Comparison{Row: row, Outcome: expense.OutcomeNew}
			continue
		}
		list[i] = row.Compare(of.Expense, of.last, s.ledger.Currency(), shown, checked)
	}
	return list, nil
}

// knownRows are the expenses that the rows of a file are about.
type knownRows struct {
	byID, byKey map[string]knownExpense
}

type knownExpense struct {
	expense.Expense
	last expense.Last
}

func (k knownRows) of(row expense.ImportRow) (knownExpense, bool) {
	if row.ID != "" {
		e, ok := k.byID[row.ID]
		return e, ok
	}
	e, ok := k.byKey[row.Key]
	return e, ok
}

// knownExpenses reads the expenses that rows name, and those that equal rows of
// another file have made, with what was done last to each.
func (s *Imports) knownExpenses(ctx context.Context, db database.Querier, rows []expense.ImportRow) (knownRows, error) {
	known := knownRows{map[string]knownExpense{}, map[string]knownExpense{}}
	ids, keys := namedBy(rows)
	err := s.eachKnown(ctx, db, "id", ids, func(_ string, e knownExpense) { known.byID[e.ID] = e })
	if err != nil {
		return known, err
	}
	return known, s.eachKnown(ctx, db, "import_key", keys, func(key string, e knownExpense) { known.byKey[key] = e })
}

// namedBy returns by what rows find their expenses.
func namedBy(rows []expense.ImportRow) (ids, keys []string) {
	for _, row := range rows {
		if row.ID != "" {
			ids = append(ids, row.ID)
		} else {
			keys = append(keys, row.Key)
		}
	}
	return ids, keys
}

// teamsOf returns the teams of rows, and those where their expenses are now.
func (s *Imports) teamsOf(ctx context.Context, db database.Querier, rows []expense.ImportRow) ([]string, error) {
	named := map[string]bool{}
	for _, row := range rows {
		named[row.Entry.Team] = true
	}
	ids, keys := namedBy(rows)
	for _, of := range []struct {
		column string
		values []string
	}{{"id", ids}, {"import_key", keys}} {
		for chunk := range slices.Chunk(of.values, rowsPerQuestion) {
			var b database.Builder
			text := `SELECT DISTINCT team FROM expenses WHERE ` + of.column + ` IN (` + b.List(chunk) + `)`
			err := s.db.Each(ctx, db, text, b.Args, func(scan func(...any) error) error {
				var team string
				err := scan(&team)
				named[team] = true
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return slices.Collect(maps.Keys(named)), nil
}

// rowsPerQuestion bounds the values that one query looks up.
const rowsPerQuestion = 100

// eachKnown calls fn for each expense that has one of the values in a column.
func (s *Imports) eachKnown(ctx context.Context, db database.Querier, column string, values []string, fn func(value string, e knownExpense)) error {
	for chunk := range slices.Chunk(values, rowsPerQuestion) {
		var b database.Builder
		text := `SELECT ` + query.Columns + `, e.` + column + `, h.at, h.action, h.changes FROM expenses AS e` + query.Names + `
			JOIN history AS h ON h.expense = e.id AND h.version = e.version WHERE e.` + column + ` IN (` + b.List(chunk) + `)`
		err := s.db.Each(ctx, db, text, b.Args, func(scan func(...any) error) (err error) {
			var (
				value, changes string
				at             int64
				of             knownExpense
			)
			if of.Expense, err = query.Scan(scan, &value, &at, &of.last.Action, &changes); err != nil {
				return err
			}
			of.last.At = time.UnixMilli(at).UTC()
			if err := json.Unmarshal([]byte(changes), &of.last.Changes); err != nil {
				return fmt.Errorf("changes: %w", err)
			}
			fn(value, of)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
