package query

import (
	"slices"
	"strconv"
	"strings"

	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/search"
)

// whereWords returns the part of the condition that holds what q searches for, after
// an AND. The search text of an expense is that of its item, its note, its person and
// its category, which triggers put together: on PostgreSQL in the column words, with
// an index of trigrams where there is the extension pg_trgm, on SQLite in the full-text
// index expense_words. Where expenses are read in order, so that many hold the words, or
// there are few, each is looked at. So is each that is found by other words for those that
// most expenses hold: the index would be read from end to end for these.
func (q Statement) whereWords(b *database.Builder, by index) string {
	terms := search.Terms(q.Q)
	if len(terms) == 0 {
		return ""
	}
	condition := ""
	if b.Postgres {
		escape := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
		for _, term := range terms {
			condition += " AND words LIKE " + b.Arg("%"+escape.Replace(term)+"%") + ` ESCAPE '\'`
		}
		return condition
	}
	if by == orderIndex || by == lookIndex {
		return holding(b, terms)
	}
	var found, looked []string
	for _, term := range terms {
		if slices.Contains(q.Common, term) && len(q.Common) < len(terms) {
			looked = append(looked, term)
		} else {
			found = append(found, `"`+strings.ReplaceAll(term, `"`, `""`)+`"`)
		}
	}
	return " AND expense_words MATCH " + b.Arg(strings.Join(found, " AND ")) + holding(b, looked)
}

// holding returns the part of the condition that looks for terms in the search text of
// an expense of SQLite, as the view expense_texts has it, after an AND.
func holding(b *database.Builder, terms []string) string {
	if len(terms) == 0 {
		return ""
	}
	text := ` AND EXISTS (SELECT 1 FROM people AS p JOIN people AS w ON w.id = COALESCE(p.joined, p.id) JOIN categories AS c ON c.id = e.category
		WHERE p.id = e.person`
	for _, term := range terms {
		text += " AND instr(e.folded || w.folded || c.folded, " + b.Arg(term) + ") > 0"
	}
	return text + ")"
}

// sampled is how many expenses a sample has.
const sampled = 200

// Sample returns the statement of how many expenses a sample of all of them has, and how
// many of those hold each of some terms, in SQLite.
func Sample(b *database.Builder, terms []string) string {
	text := `WITH RECURSIVE picked (n, step) AS (
		SELECT MAX(n), MAX(n) / ` + strconv.Itoa(sampled) + ` + 1 FROM expenses UNION ALL SELECT n - step, step FROM picked WHERE n > step)
		SELECT COUNT(*)`
	for _, term := range terms {
		text += `, COUNT(*) FILTER (WHERE instr(t.words, ` + b.Arg(term) + `) > 0)`
	}
	return text + ` FROM picked JOIN expense_texts AS t ON t.n = picked.n`
}

// searches reports whether a statement finds the expenses of q by SQLite's full-text
// index.
func (q Statement) searches(b *database.Builder, by index) bool {
	return !b.Postgres && by != orderIndex && by != lookIndex && len(search.Terms(q.Q)) > 0
}

// from returns the table of expenses, as e, with what they are found by.
func (q Statement) from(b *database.Builder, by index) string {
	if q.searches(b, by) {
		return "expense_words CROSS JOIN expenses AS e ON e.n = expense_words.rowid"
	}
	return "expenses AS e" + q.indexed(b, by)
}
