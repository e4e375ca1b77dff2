package expensefile

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"expense-dashboard/internal/expense"
)

// Columns are the first row of a file of expenses.
const Columns = "id,date,team,person,item,category,amount,note,version,owner"

const (
	// maxImportRows bounds the rows of one import.
	maxImportRows = 50_000
	// MaxLineErrors bounds how many faults of a file are listed.
	MaxLineErrors = 100
)

// WriteCSV writes the expenses that each calls its argument with as a file by
// RFC 4180. A cell that a spreadsheet would take for a formula is neutralized.
// Nothing is written where each fails before its first expense.
func WriteCSV(w io.Writer, c expense.Currency, each func(func(expense.Expense) error) error) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	// The writer holds the header back until there is more or Flush.
	if err := out.Write(strings.Split(Columns, ",")); err != nil {
		return err
	}
	cells := make([]string, 10)
	err := each(func(e expense.Expense) error {
		cells[0], cells[1], cells[6] = e.ID, e.Date.String(), c.Plain(e.Amount)
		cells[2], cells[3] = neutralize(e.Team), neutralize(e.Person)
		cells[4], cells[5], cells[7] = neutralize(e.Item), neutralize(e.Category), neutralize(e.Note)
		cells[8], cells[9] = strconv.FormatInt(e.Version, 10), neutralize(e.Owner)
		return out.Write(cells)
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// neutralize puts an apostrophe before a text that a spreadsheet would take for
// a formula. It does so too where apostrophes stand before such a text already,
// so that restoreCell can tell which one is ours.
func neutralize(cell string) string {
	if isFormula(strings.TrimLeft(cell, "'")) {
		return "'" + cell
	}
	return cell
}

// restoreCell undoes neutralize, and leaves alone what neutralize never returns.
func restoreCell(cell string) string {
	rest, ok := strings.CutPrefix(cell, "'")
	if ok && isFormula(strings.TrimLeft(rest, "'")) {
		return rest
	}
	return cell
}

// isFormula reports whether a spreadsheet might compute a cell: after white space
// or characters that do not show, a sign with which formulas start, in any of
// its widths.
func isFormula(cell string) bool {
	if cell != "" && strings.ContainsRune("\t\r\n", rune(cell[0])) {
		return true
	}
	shown := strings.TrimLeftFunc(cell, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	})
	first, _ := utf8.DecodeRuneInString(shown)
	return shown != "" && strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212", first)
}

// ExportedExpense is an expense in a JSON file: all texts.
type ExportedExpense struct {
	ID       string `json:"id"`
	Date     string `json:"date"`
	Team     string `json:"team"`
	Person   string `json:"person"`
	Item     string `json:"item"`
	Category string `json:"category"`
	Amount   string `json:"amount"`
	Note     string `json:"note"`
	Version  string `json:"version"`
	Owner    string `json:"owner"`
}

// WriteJSON writes the expenses that each calls its argument with as one JSON
// object, with their number and total at its end. Nothing is written where each
// fails before its first expense.
func WriteJSON(w io.Writer, c expense.Currency, each func(func(expense.Expense) error) error) error {
	out := bufio.NewWriter(w)
	var (
		count int64
		total expense.Money
	)
	// A bufio.Writer keeps its first error for Flush.
	out.WriteString(`{"expenses":[`)
	err := each(func(e expense.Expense) error {
		text, err := json.Marshal(ExportedExpense{
			e.ID, e.Date.String(), e.Team, e.Person, e.Item, e.Category, c.Plain(e.Amount), e.Note,
			strconv.FormatInt(e.Version, 10), e.Owner,
		})
		if err != nil {
			return err
		}
		if count > 0 {
			out.WriteByte(',')
		}
		count++
		total += e.Amount
		_, err = out.Write(text)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `],"count":%d,"total":"%s"}`+"\n", count, c.Plain(total))
	return out.Flush()
}

// ParseImport reads an uploaded file with the columns of an export. It returns
// its rows, or what is wrong with it by line: at most MaxLineErrors, and how many
// more there are.
func ParseImport(file io.Reader, knownTeam func(id string) bool, today expense.Date, c expense.Currency) ([]expense.ImportRow, []expense.LineError) {
	p := importParser{knownTeam: knownTeam, today: today, amounts: expense.PlainNotation(c), lineOf: map[string]int{}}
	buffered := bufio.NewReader(file)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		buffered.Discard(3)
	}
	p.read(csv.NewReader(buffered))
	if hidden := p.wrong - len(p.errors); hidden > 0 {
		p.errors = append(p.errors, expense.LineError{p.lastWrong, expense.MoreLineErrors(hidden)})
	}
	if p.wrong > 0 {
		return nil, p.errors
	}
	return p.rows, nil
}

type importParser struct {
	knownTeam func(string) bool
	today     expense.Date
	amounts   expense.Notation
	lineOf    map[string]int // where an id stands
	rows      []expense.ImportRow
	errors    []expense.LineError
	wrong     int // also those that errors has no room for
	lastWrong int
}

func (p *importParser) fault(line int, text string) {
	p.wrong++
	p.lastWrong = line
	if len(p.errors) < MaxLineErrors {
		p.errors = append(p.errors, expense.LineError{line, text})
	}
}

func (p *importParser) read(in *csv.Reader) {
	in.FieldsPerRecord = -1
	in.ReuseRecord = true
	header, err := in.Read()
	names := strings.Join(header, ",")
	if err != nil || names != Columns && names+",version,owner" != Columns {
		p.fault(1, "The first line has to be "+Columns+".")
		return
	}
	line := 1
	for count := 1; ; count++ {
		cells, err := in.Read()
		if err == nil {
			line, _ = in.FieldPos(0)
		}
		var syntax *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.As(err, &syntax):
			// What follows a quote out of place may be read as anything.
			p.fault(syntax.StartLine, "A quotation mark is out of place here. The lines after it were not checked.")
			return
		case err != nil:
			p.fault(line, "After this line the file could not be read to its end.")
			return
		case count > maxImportRows:
			p.fault(line, fmt.Sprintf("A file may have up to %d expenses. The lines from here on were not checked.", maxImportRows))
			return
		}
		p.row(line, cells)
	}
}

func (p *importParser) row(line int, cells []string) {
	if len(cells) != 8 && len(cells) != 10 {
		p.fault(line, fmt.Sprintf("This line has %d cells instead of 8, or 10 with version and owner.", len(cells)))
		return
	}
	for i, cell := range cells {
		cells[i] = restoreCell(cell)
	}
	form := expense.Form{
		Date: cells[1], Person: cells[3], Item: cells[4], Category: cells[5], Amount: cells[6], Note: cells[7],
	}
	entry, problems := form.Check(p.today, p.amounts)
	for _, text := range problems.List() {
		p.fault(line, text)
	}
	id := strings.TrimSpace(cells[0])
	if first, ok := p.lineOf[id]; ok {
		p.fault(line, fmt.Sprintf("id: The same expense stands in line %d.", first))
	} else if id != "" {
		p.lineOf[id] = line
	}
	if id != "" && !expense.IsID(id) {
		p.fault(line, "id: No expense has this id. Leave it empty for a new expense.")
	}
	entry.Team = strings.TrimSpace(cells[2])
	if !p.knownTeam(entry.Team) {
		p.fault(line, "team: There is no team "+expense.QuoteShort(entry.Team)+".")
	}
	p.rows = append(p.rows, expense.ImportRow{Line: line, ID: id, Entry: entry})
}
