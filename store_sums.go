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

// moveSums takes expenses as they were before out of the sums and adds them as
// they are after, and gives their teams another revision. Every write of
// expenses goes through here. Expenses that are deleted count for nothing.
func moveSums(ctx context.Context, tx *sql.Tx, before, after []Expense) error {
	changes := map[sumKey]*Entry{}
	counts := map[sumKey]int{}
	add := func(e Expense, sign int) {
		if e.Deleted() {
			return
		}
		key := sumKey{e.Team, e.Date.month(), fold(e.Category), fold(e.Person)}
		if changes[key] == nil {
			changes[key] = &Entry{Category: e.Category, Person: e.Person}
		}
		changes[key].Amount += Money(sign) * e.Amount
		counts[key] += sign
	}
	for _, e := range before {
		add(e, -1)
	}
	for _, e := range after {
		add(e, 1)
	}
	// In one order, so that two writers wait for each other and not in a circle.
	keys := slices.SortedFunc(maps.Keys(changes), func(a, b sumKey) int {
		return cmp.Or(cmp.Compare(a.team, b.team), cmp.Compare(a.month, b.month),
			cmp.Compare(a.category, b.category), cmp.Compare(a.person, b.person))
	})
	for chunk := range slices.Chunk(keys, rowsPerInsert) {
		rows := make([][]any, len(chunk))
		for i, key := range chunk {
			sum := changes[key]
			rows[i] = []any{key.team, key.month, key.category, key.person, sum.Category, sum.Person, counts[key], int64(sum.Amount)}
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

// only returns those of the expenses whose ids are listed.
func only(expenses []Expense, ids []string) []Expense {
	listed := make(map[string]bool, len(ids))
	for _, id := range ids {
		listed[id] = true
	}
	return slices.DeleteFunc(expenses, func(e Expense) bool { return !listed[e.ID] })
}
