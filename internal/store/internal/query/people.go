package query

import (
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/team"
)

// rootOf is a term with the person whom an administrator says that one in a table of
// people is: the same one, where nobody says so.
func rootOf(table string) string { return `COALESCE(` + table + `.joined, ` + table + `.id)` }

// anyText adds an argument that is compared with an address or a subject. The index of
// people's names is of those who have neither: to see whether it would do, SQLite prepares
// a statement anew for each argument that it compares with one of them, but not for a term.
func anyText(b *database.Builder, value string) string { return `(` + b.Arg(value) + ` || '')` }

// ReaderRoot is a term with the person whom an actor is, or NULL: by the subject, or
// by an address with which nobody has signed in yet.
func ReaderRoot(b *database.Builder, who expense.Actor) string {
	return `COALESCE((SELECT ` + rootOf("me") + ` FROM people AS me WHERE me.issuer = ` + b.Arg(who.Issuer) + ` AND me.subject = ` + anyText(b, who.Subject) + ` AND me.subject <> ''),
		(SELECT ` + rootOf("me") + ` FROM people AS me WHERE me.address = ` + anyText(b, who.Address) + ` AND me.address <> '' AND me.subject = '' AND me.joined IS NULL))`
}

// AddressRoot is a term with the person whom an address means, or NULL: first whose
// it is now, then whom it was joined to.
func AddressRoot(b *database.Builder, address string) string {
	return `(SELECT ` + rootOf("known") + ` FROM people AS known WHERE known.address = ` + anyText(b, team.NormalizeAddress(address)) + ` AND known.address <> ''
		ORDER BY known.joined IS NOT NULL, known.id LIMIT 1)`
}

// Involved is a term that holds where a reader owns an expense of a table e, spent it
// or logged it.
func Involved(b *database.Builder, reader expense.Actor) string {
	root := ReaderRoot(b, reader)
	address := b.Arg(reader.Address)
	return `(e.owner IN (SELECT id FROM people WHERE COALESCE(joined, id) = ` + root + `)
		OR e.person IN (SELECT id FROM people WHERE COALESCE(joined, id) = ` + root + `)
		OR EXISTS (SELECT 1 FROM history AS h WHERE h.expense = e.id AND h.version = (SELECT MIN(version) FROM history WHERE expense = e.id) AND h.actor_address <> ''
			AND (h.actor_address = ` + address + ` OR h.actor_address IN (SELECT address FROM people WHERE COALESCE(joined, id) = ` + root + `))))`
}
