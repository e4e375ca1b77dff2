package expensefile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"expense-dashboard/internal/expense"
)

// MaxRows bounds the rows of one file.
const MaxRows = 200_000

// headRows is how many rows of a file may stand above the one that names its
// columns, that one included.
const headRows = 25

// Choices say what a file leaves open, by whoever imports it. What is zero is
// not chosen. They have a JSON form, in which they are kept.
type Choices struct {
	Columns map[int]string `json:",omitempty"` // a field or Ignored, by the column's place from 0
	Dates   string         `json:",omitempty"` // DayFirst or MonthFirst
	Decimal string         `json:",omitempty"` // DecimalPoint or DecimalComma

	// What every row has in a field that the file has no column for.
	Date     string `json:",omitempty"` // YYYY-MM-DD
	Team     string `json:",omitempty"` // an id
	Person   string `json:",omitempty"`
	Category string `json:",omitempty"`

	// Teams says which team is meant by a name that is none, by that name.
	Teams map[string]string `json:",omitempty"`
}

// Rules are what a file is checked against.
type Rules struct {
	Today    expense.Date
	Currency expense.Currency // of all amounts
	// Team returns the id of a team that is named by its id or its label.
	Team func(name string) (id string, ok bool)
	// Address returns an address in the form in which two of them are compared.
	Address func(string) string
}

// Layout is how a file is read: what was found in it, and what was chosen.
type Layout struct {
	Encoding   string
	Separator  string // the character between cells
	HeaderLine int    // the line that names the columns, from 1
	Columns    []Column
	Dates      string // the order of its dates with slashes; empty where it has none or the order is open
	Decimal    string // the mark before its decimals; empty where it has none or the mark is open
	Choices    Choices

	// Examples of what is open: a date that is two days, an amount that is two
	// numbers, names that are no team's.
	EitherDate   string
	EitherAmount string
	UnknownTeams []string

	rules Rules
}

// With returns a layout that was kept, to be read by the rules as they are now.
func (l *Layout) With(rules Rules) *Layout {
	kept := *l
	kept.rules = rules
	return &kept
}

// maxUnknownTeams bounds the names for which a team is asked.
const maxUnknownTeams = 20

// Examine reads a whole file, which open opens anew for each of two readings,
// and finds out how to read it. What two readings of a date or an amount are
// possible is settled by the rest of the file, or by the choices, or left open.
// The error is a *TableError where the file is no table.
func Examine(open func() (io.ReadCloser, error), rules Rules, choices Choices) (*Layout, error) {
	l := &Layout{Choices: choices, rules: rules}
	err := reading(open, func(file io.Reader) (err error) {
		l.Encoding, err = encodingOf(file)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = reading(open, func(file io.Reader) error {
		in := decoded(file, l.Encoding)
		if err := l.findHeader(in); err != nil {
			return err
		}
		return l.settle(in)
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func reading(open func() (io.ReadCloser, error), read func(io.Reader) error) error {
	file, err := open()
	if err != nil {
		return err
	}
	return errors.Join(read(file), file.Close())
}

// findHeader finds the separator and the row that names the columns, without
// taking anything from in.
func (l *Layout) findHeader(in *bufio.Reader) error {
	head, err := in.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	candidates := separators[:]
	if declared, _ := separatorLine(head); declared != 0 {
		candidates = []byte{declared}
	}
	var header []string
	best := 0
	for _, separator := range candidates {
		line, cells, score := headerIn(head, separator)
		if score > best {
			best, l.Separator, l.HeaderLine, header = score, string(separator), line, cells
		}
	}
	if best == 0 {
		return noTable("No table was found in this file: its first line has to name the columns, like %s.", Columns)
	}
	l.Columns = columnsOf(header, l.Choices.Columns)
	return nil
}

// headerIn returns the row that most likely names the columns, if cells end at
// a separator, and how likely that is: each field that it names counts for more
// than any number of columns that are not understood.
func headerIn(head []byte, separator byte) (line int, header []string, score int) {
	_, skip := separatorLine(head)
	t := newTable(bufio.NewReader(bytes.NewReader(head[skip:])), separator, 1+min(skip, 1))
	widest := 0
	for range headRows {
		at, cells, err := t.next()
		if err != nil {
			return line, header, score
		}
		found := maxCells * headScore(cells)
		if names := columnNames(cells); found < 2*maxCells {
			// A row with one name of a column, or none, is the header only as the
			// first of its width, if no number or date stands in it.
			found = 0
			if names > widest && names > 1 {
				found, widest = names, names
			}
		}
		if found > score {
			line, header, score = at, slices.Clone(cells), found
		}
	}
	return line, header, score
}

// columnNames counts the cells of a row that may be names of columns, or returns
// 0 where one is a date or an amount, so that the row holds no names.
func columnNames(cells []string) int {
	names := 0
	for _, cell := range cells {
		if _, isDate := readDate(cell); isDate {
			return 0
		}
		if _, isAmount := readAmount(cell); isAmount {
			return 0
		}
		if strings.TrimSpace(cell) != "" {
			names++
		}
	}
	return names
}

// settle reads all rows, to learn of each kind of value how the file writes it.
func (l *Layout) settle(in *bufio.Reader) error {
	orders, marks := evidence{}, evidence{}
	if l.ownForm() {
		marks.note(DecimalPoint, "")
	}
	err := l.each(in, func(_ int, cells []string) error {
		if cell := l.cell(cells, FieldDate); cell != "" {
			if d, ok := readDate(cell); ok && (d.ambiguous() || d.order() != "") {
				orders.note(d.order(), cell)
			}
		}
		if cell := l.cell(cells, FieldAmount); cell != "" {
			if a, ok := readAmount(cell); ok && (a.either || a.decimal != "") {
				marks.note(a.decimal, cell)
			}
		}
		l.noteTeam(cells)
		return nil
	})
	var broken *lineError
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	l.Dates, l.EitherDate = orders.resolve(DayFirst, MonthFirst, l.Choices.Dates)
	l.Decimal, l.EitherAmount = marks.resolve(DecimalPoint, DecimalComma, l.Choices.Decimal)
	return nil
}

// evidence is what a file's values say about how to read all of them.
type evidence struct {
	readings []string // that are the only right one for some value
	open     string   // the first value that has two, or that contradicts one before
}

// note adds a value and the only way to read it, or nothing where there are two.
func (e *evidence) note(reading, value string) {
	value = strings.TrimSpace(value)
	switch {
	case reading == "":
		if len(e.readings) < 2 && e.open == "" {
			e.open = value
		}
	case len(e.readings) == 0:
		e.readings = []string{reading}
	case e.readings[0] != reading && len(e.readings) == 1:
		e.readings = append(e.readings, reading)
		e.open = value
	}
}

// resolve returns the one way to read all values, if there is one or it was
// chosen. Where it had to be chosen, or has to be, open is an example.
func (e *evidence) resolve(one, other, chosen string) (reading, open string) {
	switch {
	case len(e.readings) == 1:
		return e.readings[0], ""
	case chosen == one || chosen == other:
		return chosen, e.open
	}
	return "", e.open
}

// ownForm reports whether the header is that of an export of ours, which writes
// amounts with a point.
func (l *Layout) ownForm() bool {
	var names []string
	for _, c := range l.Columns {
		names = append(names, c.Name)
	}
	return l.Separator == "," && strings.HasPrefix(strings.Join(names, ",")+",", "id,date,team,person,item,category,amount,note,")
}

// noteTeam keeps a name that is no team's.
func (l *Layout) noteTeam(cells []string) {
	name := strings.TrimSpace(restoreCell(l.cell(cells, FieldTeam)))
	if name == "" || len(l.UnknownTeams) == maxUnknownTeams || slices.Contains(l.UnknownTeams, name) {
		return
	}
	if _, ok := l.rules.Team(name); !ok {
		l.UnknownTeams = append(l.UnknownTeams, name)
	}
}

// Has reports whether the file has a column for a field.
func (l *Layout) Has(field string) bool { return placeOf(l.Columns, field) >= 0 }

// cell returns what a row has in a field, or nothing.
func (l *Layout) cell(cells []string, field string) string {
	if at := placeOf(l.Columns, field); at >= 0 && at < len(cells) {
		return cells[at]
	}
	return ""
}

// each calls fn with each row below the header that is not blank. The error is
// a *lineError where the file cannot be read to its end.
func (l *Layout) each(in *bufio.Reader, fn func(line int, cells []string) error) error {
	return l.eachRow(in, func(line int, cells []string) error {
		if line <= l.HeaderLine || isBlank(cells) {
			return nil
		}
		return fn(line, cells)
	})
}

func (l *Layout) eachRow(in *bufio.Reader, fn func(line int, cells []string) error) error {
	head, err := in.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	_, skip := separatorLine(head)
	_, _ = in.Discard(skip)
	t := newTable(in, l.Separator[0], 1+min(skip, 1))
	for {
		line, cells, err := t.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := fn(line, cells); err != nil {
			return err
		}
	}
}
