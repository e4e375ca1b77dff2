package main

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
)

// sumKey is what the expenses of one row of the table of sums have in common.
type sumKey struct {
	team, month, category, person string
}

// sumChanges are what writes of expenses change of the sums. Every write of
// expenses adds what it does and applies them in its transaction.
type sumChanges map[sumKey]*sumChange

type sumChange struct {
	category, person string // as they are written
	count            int
	amount           Money
}

// add counts an expense: sign is 1 for one as it is now and -1 for one as it was
// before. One that is deleted counts for nothing.
func (c sumChanges) add(e Expense, sign int) {
	if e.Deleted() {
		return
	}
	key := sumKey{e.Team, e.Date.month(), fold(e.Category), fold(e.Person)}
	if c[key] == nil {
		c[key] = &sumChange{category: e.Category, person: e.Person}
	}
	c[key].count += sign
	c[key].amount += Money(sign) * e.Amount
}

// apply changes the sums and gives their teams another revision.
func (c sumChanges) apply(ctx context.Context, tx *sql.Tx) error {
	// In one order, so that two writers wait for each other and not in a circle.
	keys := slices.SortedFunc(maps.Keys(c), func(a, b sumKey) int {
		return cmp.Or(cmp.Compare(a.team, b.team), cmp.Compare(a.month, b.month),
			cmp.Compare(a.category, b.category), cmp.Compare(a.person, b.person))
	})
	for chunk := range slices.Chunk(keys, rowsPerInsert) {
		rows := make([][]any, len(chunk))
		for i, key := range chunk {
			sum := c[key]
			rows[i] = []any{key.team, key.month, key.category, key.person, sum.category, sum.person, sum.count, int64(sum.amount)}
		}
		text, args := insertText(`sums (team, month, category_key, person_key, category, person, n, cents)`, rows)
		_, err := tx.ExecContext(ctx, text+` ON CONFLICT (team, month, category_key, person_key)
			DO UPDATE SET n = sums.n + excluded.n, cents = sums.cents + excluded.cents`, args...)
		if err != nil {
			return err
		}
	}
	return renewRevisions(ctx, tx, keys)
}
