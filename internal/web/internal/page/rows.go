package page

import (
	"fmt"
	"html/template"
	"strings"
)

// A row is an expense in a table as its reader sees it.
type row struct {
	ID        string
	New, Pick bool
	Name      template.HTML // to tell it from others by
	Cells     template.HTML
}

// rows returns those of a table, with so named cells; an empty name is none. A template asks
// for all of them at once, since to call a function takes it longer than most functions do.
func (l *Locale) rows(lines []ExpenseLine, names ...string) ([]row, error) {
	all := make([]row, len(lines))
	for i, e := range lines {
		all[i] = row{ID: e.ID, New: e.New, Pick: e.Pick}
		if e.Pick {
			all[i].Name = isolated(e.Item) + ", " + l.mark(l.dayText(e.Date))
		}
		var cells strings.Builder
		for _, name := range names {
			cell, err := l.cell(e, name)
			if err != nil {
				return nil, err
			}
			cells.WriteString(string(cell))
		}
		all[i].Cells = template.HTML(cells.String())
	}
	return all, nil
}

// cell returns a cell of a row. What is put together here is HTML by its type: a text has
// to be escaped to become that.
func (l *Locale) cell(e ExpenseLine, name string) (template.HTML, error) {
	switch name {
	case "":
		return "", nil
	case "date":
		return `<td role="cell" class="date">` + l.dated(e.Date) + `</td>`, nil
	case "person":
		return `<td role="cell">` + isolated(e.Person) + `</td>`, nil
	case "team":
		return `<td role="cell">` + escaped(e.TeamLabel) + `</td>`, nil
	case "item":
		return `<td role="cell" class="item">` + linked(e.URL, isolated(e.Item)) + `</td>`, nil
	case "category":
		return `<td role="cell">` + isolated(e.Category) + `</td>`, nil
	case "status":
		if e.Status == "" {
			return `<td role="cell"></td>`, nil
		}
		return `<td role="cell">` + escaped(e.Status.String()) + `</td>`, nil
	case "amount":
		return `<td role="cell" class="number">` + l.amount(e.Amount) + `</td>`, nil
	default:
		return "", fmt.Errorf("no cell %q", name)
	}
}

// linked makes a link of a text, to a page of the site. What is no path on it is no
// address to lead to.
func linked(address string, text template.HTML) template.HTML {
	if !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") || strings.Contains(address, `\`) {
		return text
	}
	return `<a href="` + escaped(address) + `">` + text + `</a>`
}

func escaped(text string) template.HTML { return template.HTML(template.HTMLEscapeString(text)) }
