package expensefile

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"expense-dashboard/internal/address"
	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/expense"
)

// maxVersion bounds the versions that a file may name.
const maxVersion = 1_000_000_000

// Row is a row of a file as it is understood.
type Row struct {
	Skipped string   // why it is no expense, as a sentence; then nothing else is set
	Faults  []string // what is wrong with it, each after the name of its field
	expense.ImportRow
}

// Rows reads the file from its start and calls fn with each row that is not
// blank, those above the header too. Where the file cannot be read on, the last
// row says so. It ends with fn's first error.
func (l *Layout) Rows(file io.Reader, fn func(Row) error) error {
	p := rowReader{Layout: l, lineOf: map[uint64]int32{}, seen: map[uint64]struct{}{}, times: map[uint64]int{}}
	count := 0
	err := l.eachRow(decoded(file, l.Encoding), func(line int, cells []string) error {
		switch {
		case isBlank(cells) || line == l.HeaderLine:
			return nil
		case count == MaxRows:
			return &lineError{line, fmt.Sprintf("A file may have up to %d rows. The lines from here on were not checked.", MaxRows)}
		}
		count++
		return fn(p.row(line, cells))
	})
	var broken *lineError
	if errors.As(err, &broken) {
		return fn(Row{Faults: []string{broken.Text}, ImportRow: expense.ImportRow{Line: broken.Line}})
	}
	return err
}

// A rowReader reads rows one after the other.
type rowReader struct {
	*Layout
	lineOf map[uint64]int32    // where an id stands
	seen   map[uint64]struct{} // rows without an id that have occurred
	times  map[uint64]int      // that an equal one has occurred, where it is more than once
}

// key is short for a text, since there are as many as rows. Of MaxRows two that differ
// have the same once in a billion files.
func key(text string) uint64 {
	sum := sha256.Sum256([]byte(text))
	return binary.BigEndian.Uint64(sum[:])
}

func (p *rowReader) row(line int, cells []string) Row {
	row := Row{ImportRow: expense.ImportRow{Line: line}}
	if row.Skipped = p.skipped(line, cells); row.Skipped != "" {
		return row
	}
	p.readIdentity(&row, cells)
	p.readEntry(&row, cells)
	if extra := cells[min(len(cells), len(p.Columns)):]; !isBlank(extra) {
		row.Faults = append(row.Faults, fmt.Sprintf("This line has %d cells, and the header %d.", len(cells), len(p.Columns)))
	}
	if row.ID == "" {
		row.Key = p.importKey(row.Entry)
	}
	return row
}

// skipped returns why a row is no expense, or nothing.
func (p *rowReader) skipped(line int, cells []string) string {
	if line < p.HeaderLine {
		return "It is above the line that names the columns."
	}
	first := slices.IndexFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" })
	undated := !p.Has(FieldDate) || strings.TrimSpace(p.cell(cells, FieldDate)) == ""
	id := strings.TrimSpace(p.cell(cells, FieldID))
	if undated && (isTotal(id) || id == "" && (isTotal(cells[first]) || isTotal(p.cell(cells, FieldItem)))) {
		return "It is a total: " + expense.QuoteShort(strings.TrimSpace(cells[first])) + "."
	}
	if p.repeatsHeader(cells) {
		return "It names the columns again."
	}
	if a, ok := readAmount(p.cell(cells, FieldAmount)); ok && a.isZero() && id == "" {
		return "Its amount is zero."
	}
	return ""
}

// isTotal reports whether a cell heads a line of sums.
func isTotal(cell string) bool {
	words := strings.FieldsFunc(expense.Fold(cell), func(r rune) bool { return strings.ContainsRune(" :-_.\t\u00a0", r) })
	if len(words) > 1 && slices.Contains([]string{"grand", "sub", "overall"}, words[0]) {
		words = words[1:]
	}
	totals := []string{"total", "totals", "subtotal", "sum", "summe", "gesamt", "gesamtsumme", "zwischensumme", "insgesamt", "somme", "totale", "suma"}
	return len(words) > 0 && slices.Contains(totals, words[0])
}

// repeatsHeader reports whether a row says the same as the header.
func (l *Layout) repeatsHeader(cells []string) bool {
	for i, c := range l.Columns {
		if i >= len(cells) || headKey(cells[i]) != headKey(c.Name) {
			return false
		}
	}
	return true
}

// readIdentity reads which expense a row is about, and whose that is.
func (p *rowReader) readIdentity(row *Row, cells []string) {
	fault := func(text string) { row.Faults = append(row.Faults, text) }
	row.ID = strings.TrimSpace(p.cell(cells, FieldID))
	if row.ID != "" {
		if first, ok := p.lineOf[key(row.ID)]; ok {
			fault(fmt.Sprintf("id: The same expense stands in line %d.", first))
		} else {
			p.lineOf[key(row.ID)] = int32(row.Line)
		}
		if !expense.IsID(row.ID) {
			fault("id: " + expense.QuoteShort(row.ID) + " is no id of this dashboard’s. Leave it empty for a new expense, or have the column ignored.")
		}
	}
	if version := strings.TrimSpace(p.cell(cells, FieldVersion)); version != "" {
		var err error
		row.Version, err = strconv.ParseInt(version, 10, 64)
		if err != nil || row.Version < 1 || row.Version > maxVersion {
			fault("version: " + expense.QuoteShort(version) + " is no version. Leave it as it was exported.")
		}
	}
	if owner := strings.TrimSpace(restoreCell(p.cell(cells, FieldOwner))); owner != "" {
		row.Entry.Owner = p.rules.Address(owner)
		if problem := expense.CheckText(owner, expense.MaxPerson, ""); problem != "" || !strings.Contains(owner, "@") {
			fault("owner: " + expense.QuoteShort(owner) + " is no email address.")
		}
	}
}

// readEntry reads what an expense is.
func (p *rowReader) readEntry(row *Row, cells []string) {
	form := expense.Form{
		Person: p.text(cells, FieldPerson, p.Choices.Person), Item: p.text(cells, FieldItem, ""),
		Category: p.text(cells, FieldCategory, p.DefaultCategory()), Note: p.text(cells, FieldNote, ""),
	}
	var asked expense.FieldErrors
	form.Date, asked.Date = p.readDate(cells)
	form.Amount, asked.Amount = p.readAmount(cells)
	owner := row.Entry.Owner
	entry, problems := form.Check(p.rules.Today, expense.PlainNotation(p.rules.Currency))
	problems = firstProblems(asked, problems)
	if !p.Has(FieldPerson) && form.Person == "" {
		problems.Person = "The file does not say whose it is. Choose it above."
	}
	if !p.Has(FieldCategory) && form.Category == "" {
		problems.Category = "No column is known to be the category. Choose one under “How the file is read”."
	}
	if !p.Has(FieldItem) {
		problems.Item = "The file has no column for it. Choose one under “How the file is read”."
	}
	row.Faults = append(row.Faults, problems.List()...)
	entry.Owner = owner
	if owner == "" && address.Is(entry.Person) {
		entry.Owner = p.rules.Address(entry.Person)
	}
	var fault string
	if entry.Team, fault = p.readTeam(cells); fault != "" {
		row.Faults = append(row.Faults, fault)
	}
	row.Entry = entry
}

// firstProblems returns the problems of a date and an amount that were found
// before the form was checked, in place of those that follow from them.
func firstProblems(found, then expense.FieldErrors) expense.FieldErrors {
	if found.Date != "" {
		then.Date = found.Date
	}
	if found.Amount != "" {
		then.Amount = found.Amount
	}
	return then
}

// text returns what a row has in a field, or where the file has no column for
// it what was chosen.
func (p *rowReader) text(cells []string, field, chosen string) string {
	if !p.Has(field) {
		return chosen
	}
	return restoreCell(p.cell(cells, field))
}

// readDate returns a row's date as YYYY-MM-DD, or what is wrong with it.
func (p *rowReader) readDate(cells []string) (date, problem string) {
	if !p.Has(FieldDate) {
		if date = p.DefaultDate(); date == "" {
			return "", "No column is known to be the date. Choose one under “How the file is read”."
		}
		return date, ""
	}
	cell := strings.TrimSpace(p.cell(cells, FieldDate))
	if cell == "" {
		return "", ""
	}
	written, ok := readDate(cell)
	switch {
	case !ok:
		return "", expense.QuoteShort(cell) + " is not a date. Write it like 2006-01-31."
	case p.Dates == "" && p.EitherDate != "" && written.either && written.month != written.day:
		return "", expense.QuoteShort(cell) + " may be two days. Choose above what comes first."
	}
	day, ok := written.in(p.Dates)
	if !ok {
		return "", "There is no day " + expense.QuoteShort(cell) + "."
	}
	// The first day of all is no Date, and out of range like those around it.
	return day.T.Format(time.DateOnly), ""
}

// isOpen reports whether a column is not understood, so that it may be any field.
func (l *Layout) isOpen() bool {
	return slices.ContainsFunc(l.Columns, func(c Column) bool { return c.Field == "" && !c.Chosen && c.Name != "" })
}

// DefaultDate is the date of the rows of a file without dates, as YYYY-MM-DD: the
// day of the import, unless another was chosen, or nothing where a column that is
// not understood may hold it.
func (l *Layout) DefaultDate() string {
	if l.Choices.Date != "" || l.isOpen() {
		return l.Choices.Date
	}
	return l.rules.Today.String()
}

// otherCategory is the category of the rows of a file without categories.
const otherCategory = "Other"

// DefaultCategory is the category of the rows of a file without categories, unless
// another was chosen, or nothing where a column that is not understood may hold it.
func (l *Layout) DefaultCategory() string {
	if l.Choices.Category != "" || l.isOpen() {
		return l.Choices.Category
	}
	return otherCategory
}

// readAmount returns a row's amount as 1234.50, or what is wrong with it.
func (p *rowReader) readAmount(cells []string) (amount, problem string) {
	if !p.Has(FieldAmount) {
		return "", "The file has no column for it. Choose one under “How the file is read”."
	}
	cell := strings.TrimSpace(restoreCell(p.cell(cells, FieldAmount)))
	if cell == "" {
		return "", ""
	}
	written, ok := readAmount(cell)
	if !ok {
		return "", expense.QuoteShort(cell) + " is not an amount. Write it like 1234.50."
	}
	if other := written.foreign(p.rules.Currency.Code()); other != "" {
		return "", "This is in " + expense.QuoteShort(other) + ", and all amounts here are in " + p.rules.Currency.Code() + "."
	}
	if code := strings.ToUpper(strings.TrimSpace(p.cell(cells, FieldCurrency))); code != "" && code != p.rules.Currency.Code() && !slices.Contains(symbols[code], p.rules.Currency.Code()) {
		return "", "This is in " + expense.QuoteShort(code) + ", and all amounts here are in " + p.rules.Currency.Code() + "."
	}
	if p.Decimal == "" && (written.either || p.EitherAmount != "" && written.decimal != "") {
		return "", expense.QuoteShort(cell) + " may be two amounts. Choose above what the mark in it means."
	}
	amount, ok = written.in(p.Decimal)
	if !ok {
		return "", expense.QuoteShort(cell) + " is not written like the other amounts of this file."
	}
	return amount, ""
}

// readTeam returns the id of a row's team, or what is wrong with it.
func (p *rowReader) readTeam(cells []string) (id, fault string) {
	if !p.Has(FieldTeam) {
		if p.Choices.Team == "" {
			return "", "team: The file does not say. Choose the team above."
		}
		return p.Choices.Team, ""
	}
	name := strings.TrimSpace(restoreCell(p.cell(cells, FieldTeam)))
	if name == "" {
		return "", "team: Enter a team."
	}
	if id, ok := p.rules.Team(name); ok {
		return id, ""
	}
	if id := p.Choices.Teams[name]; id != "" {
		return id, ""
	}
	return "", "team: There is no team " + expense.QuoteShort(name) + "."
}

// importKey is the same for the same row in another file. Rows of one file that
// are equal are told apart by the time that they occur, from 1: two equal rows
// are two expenses. The day of the import is no part of it: in a file without
// dates the same row is the same tomorrow.
func (p *rowReader) importKey(e expense.Entry) string {
	date := e.Date.String()
	if !p.Has(FieldDate) && p.Choices.Date == "" {
		date = ""
	}
	alike := []string{date, e.Team, e.Person, e.Item, e.Category, p.rules.Currency.Plain(e.Amount), e.Note}
	id := key(digest.Of(alike...))
	if _, again := p.seen[id]; again {
		p.times[id] = max(p.times[id], 1) + 1
	}
	p.seen[id] = struct{}{}
	return digest.Of(append(alike, strconv.Itoa(max(p.times[id], 1)))...)
}
