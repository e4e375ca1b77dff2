package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"expense-dashboard/internal/expense"
)

// whereWords returns the part of the condition that holds what q searches for, after
// an AND. The search text of an expense is that of its item, its note, its person and
// its category, which triggers put together: on PostgreSQL in the column words, with
// an index of trigrams where there is the extension pg_trgm, on SQLite in the full-text
// index expense_words. Where expenses are read in order, so that most hold the words,
// each is looked at.
func (q statement) whereWords(b *sqlBuilder, by index) string {
	terms := expense.SearchTerms(q.Q)
	if len(terms) == 0 {
		return ""
	}
	condition := ""
	if b.postgres {
		escape := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
		for _, term := range terms {
			condition += " AND words LIKE " + b.arg("%"+escape.Replace(term)+"%") + ` ESCAPE '\'`
		}
		return condition
	}
	if by == orderIndex {
		for _, term := range terms {
			condition += " AND instr(" + wordsOf + ", " + b.arg(term) + ") > 0"
		}
		return condition
	}
	for i, term := range terms {
		terms[i] = `"` + strings.ReplaceAll(term, `"`, `""`) + `"`
	}
	return " AND expense_words MATCH " + b.arg(strings.Join(terms, " AND "))
}

// searches reports whether a statement finds the expenses of q by SQLite's full-text
// index.
func (q statement) searches(b *sqlBuilder, by index) bool {
	return !b.postgres && by != orderIndex && len(expense.SearchTerms(q.Q)) > 0
}

// from returns the table of expenses, as e, with what they are found by.
func (q statement) from(b *sqlBuilder, by index) string {
	if q.searches(b, by) {
		return "expense_words CROSS JOIN expenses AS e ON e.n = expense_words.rowid"
	}
	return "expenses AS e" + q.indexed(b, by)
}

// wordsOf is the search text of an expense of SQLite, as the view expense_texts has it.
const wordsOf = `(folded || (SELECT w.folded || c.folded FROM people AS p JOIN people AS w ON w.id = COALESCE(p.joined, p.id), categories AS c
	WHERE p.id = person AND c.id = category))`

// foldedAtOnce bounds what one transaction folds, so that others can write between two.
const foldedAtOnce = 500

// fold writes the folded texts that are missing: of a database that an older program
// has left, and of rows that were written by hand.
func (s *Store) fold(ctx context.Context) error {
	for _, t := range []struct{ table, first, second string }{
		{"people", "name", "''"}, {"categories", "label", "''"}, {"expenses", "item", "note"},
	} {
		for more := true; more; {
			rows, err := unfolded(ctx, s.write, t.table, t.first, t.second)
			if err == nil && len(rows) > 0 {
				err = s.transact(ctx, func(ctx context.Context, tx *sql.Tx) error {
					for id, folded := range rows {
						if _, err := tx.ExecContext(ctx, `UPDATE `+t.table+` SET folded = $1 WHERE id = $2`, folded, id); err != nil {
							return err
						}
					}
					return nil
				})
			}
			if err != nil {
				return fmt.Errorf("fold %s: %w", t.table, err)
			}
			more = len(rows) == foldedAtOnce
		}
	}
	return nil
}

// foldedText is what is kept of texts for the search. Where nothing is left of them it
// is two spaces, so that they are not folded again.
func foldedText(texts ...string) string { return cmp.Or(expense.SearchText(texts...), "  ") }

// unfolded returns the folded texts of some rows that lack them, by their ids.
func unfolded(ctx context.Context, db *sql.DB, table, first, second string) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT CAST(id AS TEXT), `+first+`, `+second+` FROM `+table+` WHERE folded = '' LIMIT `+strconv.Itoa(foldedAtOnce))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var id, a, b string
		if err := rows.Scan(&id, &a, &b); err != nil {
			return nil, err
		}
		found[id] = foldedText(a, b)
	}
	return found, rows.Err()
}

// repairWords makes the index of the search anew: on SQLite a part at a time, so that
// others can write between two; on PostgreSQL where it is missing or not what the
// expenses say.
func (s *Store) repairWords(ctx context.Context) error {
	if s.file == "" {
		return s.transactAgain(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE expenses AS e SET folded = e.folded
				FROM people AS p, people AS w, categories AS c
				WHERE p.id = e.person AND w.id = COALESCE(p.joined, p.id) AND c.id = e.category AND e.words <> e.folded || w.folded || c.folded`)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `SELECT index_words()`)
			return err
		})
	}
	var last int64
	if err := s.write.QueryRowContext(ctx, `SELECT MAX(COALESCE((SELECT MAX(n) FROM expenses), 0), COALESCE((SELECT MAX(rowid) FROM expense_words), 0))`).Scan(&last); err != nil {
		return err
	}
	for first := int64(0); first <= last; first += foldedAtOnce {
		err := s.transactAgain(ctx, func(ctx context.Context, tx *sql.Tx) error {
			for _, text := range []string{
				`DELETE FROM expense_words WHERE rowid >= $1 AND rowid < $2`,
				`INSERT INTO expense_words (rowid, words) SELECT n, words FROM expense_texts WHERE n >= $1 AND n < $2`,
			} {
				if _, err := tx.ExecContext(ctx, text, first, first+foldedAtOnce); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
