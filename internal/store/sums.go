package store

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"

	"expense-dashboard/internal/expense"
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
	amount           expense.Money
}

// add counts an expense: sign is 1 for one as it is now and -1 for one as it was
// before. One that is deleted counts for nothing.
func (c sumChanges) add(e expense.Expense, sign int) {
	if e.Deleted() {
		return
	}
	key := sumKey{e.Team, e.Date.Month(), expense.Fold(e.Category), expense.Fold(e.Person)}
	if c[key] == nil {
		c[key] = &sumChange{category: e.Category, person: e.Person}
	}
	c[key].count += sign
	c[key].amount += expense.Money(sign) * e.Amount
}

// groupKey is what the expenses of one row of the table of group sums have in
// common: kind is month, category or person.
type groupKey struct{ team, kind, key string }

// apply changes the sums and gives their teams another revision.
func (c sumChanges) apply(ctx context.Context, tx *sql.Tx) error {
	// Always in one order, so that two writers wait for each other and not in a
	// circle.
	keys := slices.SortedFunc(maps.Keys(c), func(a, b sumKey) int {
		return cmp.Or(cmp.Compare(a.team, b.team), cmp.Compare(a.month, b.month),
			cmp.Compare(a.category, b.category), cmp.Compare(a.person, b.person))
	})
	groups := map[groupKey]*expense.Group{}
	var rows [][]any
	for _, key := range keys {
		sum := c[key]
		rows = append(rows, []any{key.team, key.month, key.category, key.person, sum.category, sum.person, sum.count, int64(sum.amount)})
		for k, label := range map[groupKey]string{
			{key.team, "month", key.month}:       key.month,
			{key.team, "category", key.category}: sum.category,
			{key.team, "person", key.person}:     sum.person,
		} {
			if groups[k] == nil {
				groups[k] = &expense.Group{Label: label}
			}
			groups[k].Count += int64(sum.count)
			groups[k].Total += sum.amount
		}
	}
	if err := addToSums(ctx, tx, "sums", "team, month, category_key, person_key", "category, person", rows); err != nil {
		return err
	}
	rows = nil
	for _, k := range slices.SortedFunc(maps.Keys(groups), func(a, b groupKey) int {
		return cmp.Or(cmp.Compare(a.team, b.team), cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
	}) {
		rows = append(rows, []any{k.team, k.kind, k.key, groups[k].Label, groups[k].Count, int64(groups[k].Total)})
	}
	if err := addToSums(ctx, tx, "group_sums", "team, kind, key", "label", rows); err != nil {
		return err
	}
	return renewRevisions(ctx, tx, keys)
}

// addToSums adds rows to a table of sums: to those that have the same key where
// there are such.
func addToSums(ctx context.Context, tx *sql.Tx, table, key, labels string, rows [][]any) error {
	for chunk := range slices.Chunk(rows, rowsPerInsert) {
		text, args := insertText(table+` (`+key+`, `+labels+`, n, cents)`, chunk)
		_, err := tx.ExecContext(ctx, text+` ON CONFLICT (`+key+`)
			DO UPDATE SET n = `+table+`.n + excluded.n, cents = `+table+`.cents + excluded.cents`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}
