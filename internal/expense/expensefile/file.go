package expensefile

import (
	"bufio"
	"encoding/json"
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

// WriteCSV writes the expenses that each calls its argument with as a file by
// RFC 4180. A cell that a spreadsheet would take for a formula is neutralized. One
// column more is the status of expenses of the teams that approve them; where approves
// is nil there is no such column. Nothing is written where each fails before its first
// expense.
func WriteCSV(w io.Writer, c expense.Currency, approves func(team string) bool, each func(func(expense.Expense) error) error) error {
	out := newCSVFile(w)
	// The header is held back until there is more.
	heads := strings.Split(Columns, ",")
	if approves != nil {
		heads = append(heads, statusColumn)
	}
	if err := out.write(heads); err != nil {
		return err
	}
	cells := make([]string, len(heads))
	err := each(func(e expense.Expense) error {
		cells[0], cells[1], cells[6] = e.ID, e.Date.String(), c.Plain(e.Amount)
		cells[2], cells[3] = neutralize(e.Team), neutralize(e.Person)
		cells[4], cells[5], cells[7] = neutralize(e.Item), neutralize(e.Category), neutralize(e.Note)
		cells[8], cells[9] = strconv.FormatInt(e.Version, 10), neutralize(e.Owner)
		if approves != nil {
			cells[10] = statusOf(e, approves)
		}
		return out.write(cells)
	})
	if err != nil {
		return err
	}
	return out.end()
}

// statusColumn is the head of the column that WriteCSV adds.
const statusColumn = "status"

// statusOf is the status of an expense in a file.
func statusOf(e expense.Expense, approves func(team string) bool) string {
	if !approves(e.Team) {
		return ""
	}
	return string(e.Status)
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
	// Status is there where expenses are approved, and empty for those of teams that
	// approve none.
	Status *string `json:"status,omitempty"`
}

// WriteJSON writes the expenses that each calls its argument with as one JSON
// object, with their number and total at its end, and their status by the rules of
// WriteCSV. Nothing is written where each fails before its first expense.
func WriteJSON(w io.Writer, c expense.Currency, approves func(team string) bool, each func(func(expense.Expense) error) error) error {
	out := bufio.NewWriter(w)
	var (
		count int64
		total expense.Money
	)
	// A bufio.Writer keeps its first error for Flush.
	out.WriteString(`{"expenses":[`)
	err := each(func(e expense.Expense) error {
		exported := ExportedExpense{
			e.ID, e.Date.String(), e.Team, e.Person, e.Item, e.Category, c.Plain(e.Amount), e.Note,
			strconv.FormatInt(e.Version, 10), e.Owner, nil,
		}
		if approves != nil {
			status := statusOf(e, approves)
			exported.Status = &status
		}
		text, err := json.Marshal(exported)
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
