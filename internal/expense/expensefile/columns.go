package expensefile

import (
	"slices"
	"strings"

	"expense-dashboard/internal/expense"
)

// The fields that a column may hold, by the names that an export gives them.
const (
	FieldID       = "id"
	FieldDate     = "date"
	FieldTeam     = "team"
	FieldPerson   = "person"
	FieldItem     = "item"
	FieldCategory = "category"
	FieldAmount   = "amount"
	FieldNote     = "note"
	FieldVersion  = "version"
	FieldOwner    = "owner"
	FieldCurrency = "currency"

	// Ignored is chosen for a column that holds nothing of an expense.
	Ignored = "ignore"
)

// Fields are all fields, in the order of an export.
func Fields() []string {
	return []string{
		FieldID, FieldDate, FieldTeam, FieldPerson, FieldItem, FieldCategory,
		FieldAmount, FieldNote, FieldVersion, FieldOwner, FieldCurrency,
	}
}

// aliases are other names under which programs and people write a field, in
// the form of headKey.
var aliases = map[string][]string{
	FieldID:       {"expense id"},
	FieldDate:     {"datum", "fecha", "data", "expense date", "date of expense", "transaction date", "buchungsdatum", "belegdatum", "jour"},
	FieldTeam:     {"department", "abteilung", "équipe", "equipo", "team id"},
	FieldPerson:   {"name", "employee", "paid by", "spent by", "who", "mitarbeiter", "personne", "persona", "person name"},
	FieldItem:     {"description", "title", "what", "beschreibung", "bezeichnung", "artikel", "libellé", "descripción", "descrizione", "concepto"},
	FieldCategory: {"kategorie", "catégorie", "categoría", "categoria"},
	FieldAmount:   {"cost", "sum", "price", "betrag", "summe", "montant", "importe", "importo", "bedrag"},
	FieldNote:     {"notes", "comment", "comments", "remark", "remarks", "memo", "notiz", "bemerkung", "kommentar", "nota"},
	FieldOwner:    {"owner address"},
	FieldCurrency: {"währung", "devise", "moneda", "valuta", "currency code"},
}

// Column is a column of a file as it was found.
type Column struct {
	Name  string // as it is written
	Field string // that it holds; empty where it is not understood or ignored
	// Chosen is set where somebody said what it holds, and Known where its
	// name is the field's own.
	Chosen, Known bool
}

// headKey is what two spellings of a column's name have in common: no case, no
// white space at the ends, and one space for whatever stands between words.
func headKey(name string) string {
	words := strings.FieldsFunc(expense.Fold(restoreCell(name)), func(r rune) bool {
		return strings.ContainsRune(" _-\t\r\n\u00a0\ufeff:*.", r)
	})
	return strings.Join(words, " ")
}

// fieldOf returns the field that a column's name stands for, and whether it is
// the field's own name.
func fieldOf(name string) (field string, own bool) {
	key := headKey(name)
	if slices.Contains(Fields(), key) {
		return key, true
	}
	for field, names := range aliases {
		if slices.Contains(names, key) {
			return field, false
		}
	}
	return "", false
}

// columnsOf reads a header. Of two columns that may be the same field the one
// with the field's own name is; where both have the same right, neither is
// taken until somebody chooses. The choices are by the column's place, from 0.
func columnsOf(header []string, chosen map[int]string) []Column {
	for len(header) > 0 && strings.TrimSpace(header[len(header)-1]) == "" {
		header = header[:len(header)-1]
	}
	columns := make([]Column, len(header))
	for i, name := range header {
		columns[i].Name = strings.TrimSpace(restoreCell(name))
		columns[i].Field, columns[i].Known = fieldOf(name)
		if field, ok := chosen[i]; ok && (field == Ignored || slices.Contains(Fields(), field)) {
			columns[i] = Column{Name: columns[i].Name, Field: strings.TrimPrefix(field, Ignored), Chosen: true}
		}
	}
	for _, field := range Fields() {
		settle(columns, field)
	}
	return columns
}

// settle leaves a field to the one column that has the best right to it.
func settle(columns []Column, field string) {
	rank := func(c Column) int {
		switch {
		case c.Field != field:
			return 0
		case c.Chosen:
			return 3
		case c.Known:
			return 2
		}
		return 1
	}
	best, times := 0, 0
	for _, c := range columns {
		switch r := rank(c); {
		case r > best:
			best, times = r, 1
		case r == best:
			times++
		}
	}
	for i, c := range columns {
		if r := rank(c); r > 0 && (r < best || times > 1) {
			columns[i].Field, columns[i].Known = "", false
		}
	}
}

// placeOf returns where a field stands in a row, or -1.
func placeOf(columns []Column, field string) int {
	return slices.IndexFunc(columns, func(c Column) bool { return c.Field == field })
}

// headScore tells how likely a row names columns: how many fields it names.
func headScore(cells []string) int {
	score := 0
	for _, c := range columnsOf(cells, nil) {
		if c.Field != "" {
			score++
		}
	}
	return score
}
