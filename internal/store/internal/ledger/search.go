package ledger

import (
	"context"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/query"
	"expense-dashboard/internal/store/internal/search"
)

// statement returns q as SQL. Where it searches for several words, it tells SQLite which of
// them most expenses hold; PostgreSQL knows that itself.
func (s *Ledger) statement(ctx context.Context, db database.Querier, q expense.Query) (query.Statement, error) {
	statement, b := query.Statement{Query: q}, s.db.Builder()
	terms := search.Terms(q.Q)
	if b.Postgres || len(terms) < 2 {
		return statement, nil
	}
	var whole int64
	holding := make([]int64, len(terms))
	places := []any{&whole}
	for i := range holding {
		places = append(places, &holding[i])
	}
	text := query.Sample(&b, terms)
	err := s.db.Each(ctx, db, text, b.Args, func(scan func(...any) error) error { return scan(places...) })
	for i, term := range terms {
		if holding[i] > whole/2 {
			statement.Common = append(statement.Common, term)
		}
	}
	return statement, err
}
