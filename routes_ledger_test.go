package main

import (
	"cmp"
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// A ledger is all that the tables of a database say, read by the plainest
// statements there are, at a moment when nobody writes.
type ledger struct {
	rows    []ledgerRow // expenses that stand
	people  []ledgerPerson
	names   map[int64]ledgerCategory
	budgets []ledgerBudget
	history [][4]string     // kind, team, expense and item, the latest first
	notes   map[string]bool // of all expenses, deleted ones too
}

// A ledgerRow is an expense that stands, with what its names mean now.
type ledgerRow struct {
	id, team, date, item, note, status string
	seq, version, amount               int64
	person, owner                      int64 // as joined
	name, address, ownerAddress        string
	category                           int64
	label, key                         string // of the category
	loggedBy                           string // an address
}

type ledgerPerson struct {
	id, root               int64
	address, name, subject string
	joined                 bool
}

type ledgerCategory struct {
	label, key string
	root       int64 // itself, or the one that it was merged into
}

type ledgerBudget struct {
	team, month      string
	version          int64
	category, amount sql.NullInt64
}

// readLedger reads the tables.
func readLedger(t testing.TB, db *sql.DB) *ledger {
	t.Helper()
	l := &ledger{names: map[int64]ledgerCategory{}, notes: map[string]bool{}}
	each(t, db, `SELECT id, COALESCE(joined, id), address, name, subject, joined IS NOT NULL FROM people ORDER BY id`, func(scan func(...any)) {
		var p ledgerPerson
		scan(&p.id, &p.root, &p.address, &p.name, &p.subject, &p.joined)
		l.people = append(l.people, p)
	})
	each(t, db, `SELECT id, label, key, COALESCE(merged, id) FROM categories`, func(scan func(...any)) {
		var (
			id int64
			c  ledgerCategory
		)
		scan(&id, &c.label, &c.key, &c.root)
		l.names[id] = c
	})
	each(t, db, `SELECT team, month, version, category, amount_cents FROM budgets`, func(scan func(...any)) {
		var b ledgerBudget
		scan(&b.team, &b.month, &b.version, &b.category, &b.amount)
		l.budgets = append(l.budgets, b)
	})
	each(t, db, `SELECT h.action, e.team, h.expense, e.item FROM history h JOIN expenses e ON e.id = h.expense
		ORDER BY h.at DESC, h.expense DESC, h.version DESC`, func(scan func(...any)) {
		var h [4]string
		scan(&h[0], &h[1], &h[2], &h[3])
		l.history = append(l.history, h)
	})
	each(t, db, `SELECT note FROM expenses`, func(scan func(...any)) {
		var note string
		scan(&note)
		l.notes[note] = true
	})
	l.readRows(t, db)
	return l
}

func (l *ledger) readRows(t testing.TB, db *sql.DB) {
	t.Helper()
	loggers := map[string]string{}
	each(t, db, `SELECT expense, actor_address FROM history ORDER BY version DESC`, func(scan func(...any)) {
		var id, address string
		scan(&id, &address)
		loggers[id] = address
	})
	each(t, db, `SELECT id, seq, team, date, item, note, status, version, amount_cents, person, owner, category
		FROM expenses WHERE deleted_at IS NULL`, func(scan func(...any)) {
		var (
			e             ledgerRow
			person, owner int64
		)
		scan(&e.id, &e.seq, &e.team, &e.date, &e.item, &e.note, &e.status, &e.version, &e.amount, &person, &owner, &e.category)
		p, o, c := l.rootOf(person), l.rootOf(owner), l.names[e.category]
		e.person, e.name, e.address, e.owner, e.ownerAddress = p.id, p.name, p.address, o.id, o.address
		e.label, e.key, e.loggedBy = c.label, c.key, loggers[e.id]
		l.rows = append(l.rows, e)
		if c.root != e.category {
			t.Errorf("expense %s is left in the category %q, which was merged", e.id, c.label)
		}
	})
}

// each runs a statement and calls fn for each of its rows.
func each(t testing.TB, db *sql.DB, text string, fn func(scan func(...any))) {
	t.Helper()
	rows, err := db.Query(text)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	defer rows.Close()
	for rows.Next() {
		fn(func(to ...any) {
			if err := rows.Scan(to...); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
		})
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// rootOf is whom somebody is, as joined.
func (l *ledger) rootOf(id int64) ledgerPerson {
	for _, p := range l.people {
		if p.id == id && p.root != id {
			return l.rootOf(p.root)
		}
		if p.id == id {
			return p
		}
	}
	return ledgerPerson{}
}

// subject is the person of a subject.
func (l *ledger) subject(subject string) int64 {
	for _, p := range l.people {
		if p.subject == subject {
			return p.root
		}
	}
	return 0
}

// addressed is whom an address means: first whose it is now, then whom that one was
// joined to.
func (l *ledger) addressed(address string) int64 {
	for _, joined := range []bool{false, true} {
		for _, p := range l.people {
			if p.address == address && p.joined == joined {
				return p.root
			}
		}
	}
	return 0
}

// An asked is what a page or a file of expenses is asked for.
type asked struct {
	team                                               string // of the page; empty for all
	only                                               string // the team chosen on the page of all
	q, person, category, status, from, to, sort, order string
	min, max                                           string
}

// address is that of the page, or of a file with an extension.
func (a asked) address(extension string) string {
	path := "/expenses" + extension
	if a.team != "" && extension != "" {
		path = "/team/" + a.team + path
	} else if a.team != "" {
		path = "/team/" + a.team
	}
	values := url.Values{}
	for name, value := range map[string]string{
		"team": a.only, "q": a.q, "person": a.person, "category": a.category, "status": a.status, "from": a.from, "to": a.to,
		"sort": a.sort, "order": a.order, "min": a.min, "max": a.max,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

func (a asked) filtered() bool {
	order := a
	order.team, order.sort, order.order = "", "", ""
	return order != asked{}
}

// find is what is asked for, in its order, of the teams that somebody may read.
func (l *ledger) find(a asked, may func(team string) bool, reader int64, minor func(string) int64) []ledgerRow {
	var found []ledgerRow
	for _, e := range l.rows {
		switch {
		case !may(e.team), a.team != "" && e.team != a.team, a.only != "" && e.team != a.only,
			a.category != "" && foldKey(a.category) != e.key, a.status != "" && e.status != a.status,
			a.from != "" && e.date < a.from, a.to != "" && e.date > a.to,
			a.min != "" && e.amount < minor(a.min), a.max != "" && e.amount > minor(a.max),
			!e.says(a.q), a.person != "" && !l.isOf(e, a.person, reader):
		default:
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(x, y ledgerRow) int {
		by := x.compare(y, cmp.Or(a.sort, "date"))
		if a.order == "desc" || a.order == "" && (a.sort == "" || a.sort == "date") {
			by = -by
		}
		return cmp.Or(by, cmp.Compare(y.seq, x.seq), strings.Compare(y.id, x.id))
	})
	return found
}

func (l *ledger) isOf(e ledgerRow, person string, reader int64) bool {
	switch {
	case person == "me":
		return e.person == reader
	case strings.Contains(person, "@"):
		return e.person == l.addressed(person)
	}
	return strings.EqualFold(e.name, person)
}

func (e ledgerRow) compare(other ledgerRow, by string) int {
	switch by {
	case "amount":
		return cmp.Compare(e.amount, other.amount)
	case "person":
		return strings.Compare(strings.ToLower(e.name), strings.ToLower(other.name))
	case "item":
		return strings.Compare(strings.ToLower(e.item), strings.ToLower(other.item))
	case "category":
		return strings.Compare(e.key, other.key)
	}
	return strings.Compare(e.date, other.date)
}

// says reports whether each word sought is in the expense: inside of a word, or at
// its beginning where it is short.
func (e ledgerRow) says(q string) bool {
	fold := strings.NewReplacer("é", "e", "ü", "u", "ß", "ss")
	words := strings.Fields(fold.Replace(strings.ToLower(strings.Join([]string{e.item, e.note, e.name, e.label}, " "))))
	for _, sought := range strings.Fields(fold.Replace(strings.ToLower(q))) {
		if !slices.ContainsFunc(words, func(word string) bool {
			return strings.HasPrefix(word, sought) || len([]rune(sought)) > 2 && strings.Contains(word, sought)
		}) {
			return false
		}
	}
	return true
}

// foldKey is by what a category is one.
func foldKey(label string) string { return strings.Join(strings.Fields(strings.ToLower(label)), " ") }

// A figure is what some rows come to.
type figure struct {
	label, address string
	count, total   int64
}

// sumOf adds rows up, those that keep holds for.
func sumOf(rows []ledgerRow, keep func(ledgerRow) bool) figure {
	var f figure
	for _, e := range rows {
		if keep(e) {
			f.count++
			f.total += e.amount
		}
	}
	return f
}

func anyRow(ledgerRow) bool { return true }

// groupRows adds rows up by what of names, the largest group first.
func groupRows(rows []ledgerRow, of func(ledgerRow) (id any, label, address string)) []figure {
	groups := map[any]*figure{}
	for _, e := range rows {
		id, label, address := of(e)
		if groups[id] == nil {
			groups[id] = &figure{label: label, address: address}
		}
		groups[id].count++
		groups[id].total += e.amount
	}
	var all []figure
	for _, g := range groups {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b figure) int {
		return cmp.Or(cmp.Compare(b.total, a.total), strings.Compare(a.label, b.label), cmp.Compare(a.count, b.count))
	})
	return all
}

func byCategory(rows []ledgerRow) []figure {
	return groupRows(rows, func(e ledgerRow) (any, string, string) { return e.category, e.label, "" })
}

// byPerson tells people of one name apart by their address.
func byPerson(rows []ledgerRow) []figure {
	named := map[string]map[int64]bool{}
	for _, e := range rows {
		key := strings.ToLower(e.name)
		if named[key] == nil {
			named[key] = map[int64]bool{}
		}
		named[key][e.person] = true
	}
	return groupRows(rows, func(e ledgerRow) (any, string, string) {
		label := e.name
		if len(named[strings.ToLower(e.name)]) > 1 && e.address != "" {
			label = fmt.Sprintf("%s (%s)", e.name, e.address)
		}
		return e.person, label, e.address
	})
}

// budgetsOf are what a team may spend in a month: of the rows up to the month the one
// of the latest month holds, and of these the latest.
func (l *ledger) budgetsOf(team, month string) map[sql.NullInt64]int64 {
	holding := map[sql.NullInt64]ledgerBudget{}
	for _, b := range l.budgets {
		held, ok := holding[b.category]
		if b.team == team && b.month <= month && (!ok || b.month > held.month || b.month == held.month && b.version > held.version) {
			holding[b.category] = b
		}
	}
	amounts := map[sql.NullInt64]int64{}
	for category, b := range holding {
		if b.amount.Valid {
			amounts[category] = b.amount.Int64
		}
	}
	return amounts
}
