package ledger

import (
	"context"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/query"
)

// What the tests of this package see of it.
const (
	RowColumns = rowColumns
	EachBatch  = eachBatch
)

// AddAtMost bounds how many parts of sums are added up, and how many expenses that hold
// the words of a search.
func (s *Ledger) AddAtMost(parts, found int64) { s.mostParts, s.mostFound = parts, found }

// Statement returns q as it is asked of the database.
func (s *Ledger) Statement(ctx context.Context, q expense.Query) (query.Statement, error) {
	return s.statement(ctx, s.db.Read(), q)
}
