package query

import (
	"strings"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
)

// whereWords returns the part of the condition that holds what q searches for, after
// an AND. The search text of an expense is that of its item, its note, its person and
// its category, which triggers put together: on PostgreSQL in the column words, with
// an index of trigrams where there is the extension pg_trgm, on SQLite in the full-text
// index expense_words. Where expenses are read in order, so that many hold the words, or
// there are few, each is looked at.
func (q Statement) whereWords(b *database.Builder, by index) string {
	terms := expense.SearchTerms(q.Q)
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
		for _, term := range terms {
			condition += " AND instr(" + wordsOf + ", " + b.Arg(term) + ") > 0"
		}
		return condition
	}
	for i, term := range terms {
		terms[i] = `"` + strings.ReplaceAll(term, `"`, `""`) + `"`
	}
	return " AND expense_words MATCH " + b.Arg(strings.Join(terms, " AND "))
}

// searches reports whether a statement finds the expenses of q by SQLite's full-text
// index.
func (q Statement) searches(b *database.Builder, by index) bool {
	return !b.Postgres && by != orderIndex && by != lookIndex && len(expense.SearchTerms(q.Q)) > 0
}

// from returns the table of expenses, as e, with what they are found by.
func (q Statement) from(b *database.Builder, by index) string {
	if q.searches(b, by) {
		return "expense_words CROSS JOIN expenses AS e ON e.n = expense_words.rowid"
	}
	return "expenses AS e" + q.indexed(b, by)
}

// wordsOf is the search text of an expense of SQLite, as the view expense_texts has it.
const wordsOf = `(folded || (SELECT w.folded || c.folded FROM people AS p JOIN people AS w ON w.id = COALESCE(p.joined, p.id), categories AS c
	WHERE p.id = person AND c.id = category))`
