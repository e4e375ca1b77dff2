package imports

import (
	"fmt"
	"slices"
	"strconv"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/importing"
	"expense-dashboard/internal/store/imports"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// previewView shows an import.
func previewView(p importing.Preview, teams []team.Team) page.PreviewView {
	counts, report := p.Counts(), p.Report
	view := page.PreviewView{
		URL: web.ImportPath + "/" + p.ID, FileName: p.FileName, State: counts.State, Undoing: p.State == imports.Undoing, Failing: p.State == imports.Failing,
		Done: p.Done, Rows: p.Rows, Counts: countsOf(counts), Kept: p.Result.Kept,
		Reading: readingText(p.Layout), Columns: columnChoices(p.Layout), Questions: questions(p.Layout, teams),
		Wrong: report.WrongLines, MoreWrong: report.Wrong - linesIn(report.WrongLines), WrongCount: report.Wrong,
		Skipped: report.SkippedLines, MoreSkipped: report.Skipped - linesIn(report.SkippedLines), SkippedCount: report.Skipped,
		ConflictCount: report.Conflicts, DeletedCount: report.Deleted, Restore: p.Decisions.Restore, TakeAll: p.Decisions.TakeConflicts,
		Left: p.Result.Lines, LeftCount: p.Result.Conflicts,
	}
	for _, row := range report.NewRows {
		view.New = append(view.New, page.ImportRow{Line: row.Line, Entry: row.Entry, TeamLabel: labelOf(teams, row.Entry.Team)})
	}
	view.MoreNew = report.New - int64(len(view.New))
	view.Changed, view.MoreChanged = differences(report.ChangedRows, report.Changed, nil)
	view.Conflicts, view.MoreConflicts = differences(report.ConflictRows, report.Conflicts, p.Decisions.TakeLines)
	view.Deleted, view.MoreDeleted = differences(report.DeletedRows, report.Deleted, nil)
	view.MayConfirm = report.Wrong == 0 && report.New+report.Changed+report.Conflicts+report.Deleted > 0
	return view
}

// linesIn counts the lines that a list names: each may have several faults.
func linesIn(list []expense.LineError) int64 {
	lines := map[int]bool{}
	for _, at := range list {
		lines[at.Line] = true
	}
	return int64(len(lines))
}

func labelOf(teams []team.Team, id string) string {
	for _, t := range teams {
		if t.ID == id {
			return t.Label
		}
	}
	return id
}

func countsOf(c importing.Counts) []page.ImportCount {
	return []page.ImportCount{
		{Label: "New", Count: c.New},
		{Label: "Changed", Count: c.Changed},
		{Label: "Unchanged", Count: c.Unchanged},
		{Label: "Skipped", Count: c.Skipped},
		{Label: "In conflict", Count: c.Conflicts},
		{Label: "With errors", Count: c.Wrong},
	}
}

// differences shows what rows change, and how many more there are. Those whose
// lines are taken are marked.
func differences(list []importing.Difference, count int64, taken []int) (shown []page.ImportDifference, more int64) {
	for _, d := range list {
		shown = append(shown, page.ImportDifference{
			Line: d.Line, Item: d.Expense.Item, URL: "/team/" + d.Expense.Team + "/expenses/" + d.Expense.ID,
			Changes: d.Changes, Taken: slices.Contains(taken, d.Line),
		})
	}
	return shown, count - int64(len(shown))
}

// readingText says how a file was read.
func readingText(l *expensefile.Layout) string {
	names := map[string]string{",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
	text := fmt.Sprintf("Read as %s text with %s between the cells; line %d names the columns.", l.Encoding, names[l.Separator], l.HeaderLine)
	switch l.Dates {
	case expensefile.DayFirst:
		text += " In its dates the day comes first."
	case expensefile.MonthFirst:
		text += " In its dates the month comes first."
	}
	if l.Decimal == expensefile.DecimalComma {
		text += " Its amounts have a decimal comma."
	}
	return text
}

// fieldLabels are what the fields of a file are called on the page.
func fieldLabels() map[string]string {
	return map[string]string{
		expensefile.FieldID: "Expense id", expensefile.FieldDate: "Date", expensefile.FieldTeam: "Team", expensefile.FieldPerson: "Person",
		expensefile.FieldItem: "Item", expensefile.FieldCategory: "Category", expensefile.FieldAmount: "Amount", expensefile.FieldNote: "Note",
		expensefile.FieldVersion: "Version", expensefile.FieldOwner: "Owner’s address", expensefile.FieldCurrency: "Currency",
	}
}

// columnChoices asks of each column what it holds.
func columnChoices(l *expensefile.Layout) []page.Question {
	var list []page.Question
	for at, c := range l.Columns {
		if c.Name == "" && c.Field == "" {
			continue
		}
		q := page.Question{Name: "column-" + strconv.Itoa(at), Label: c.Name, Value: c.Field}
		if c.Name == "" {
			q.Label = "Column " + strconv.Itoa(at+1)
		}
		if c.Field == "" && !c.Chosen {
			q.Options = []page.Option{{Value: "", Label: "Ignored: not understood"}}
		}
		if c.Field == "" && c.Chosen {
			q.Value = expensefile.Ignored
		}
		q.Options = append(q.Options, page.Option{Value: expensefile.Ignored, Label: "Ignored"})
		for _, field := range expensefile.Fields() {
			q.Options = append(q.Options, page.Option{Value: field, Label: fieldLabels()[field]})
		}
		list = append(list, q)
	}
	return list
}

// questions asks for what a file leaves open.
func questions(l *expensefile.Layout, teams []team.Team) []page.Question {
	var list []page.Question
	if l.EitherDate != "" {
		list = append(list, page.Question{
			Name: "dates", Label: "What comes first in " + l.EitherDate + "?", Hint: "For the whole file.", Value: l.Dates, Open: l.Dates == "",
			Options: []page.Option{{Value: "", Label: "Choose"}, dateOption(l.EitherDate, expensefile.DayFirst, "The day"), dateOption(l.EitherDate, expensefile.MonthFirst, "The month")},
		})
	}
	if l.EitherAmount != "" {
		list = append(list, page.Question{
			Name: "decimal", Label: "What comes before the decimals in amounts like " + l.EitherAmount + "?", Hint: "For the whole file.", Value: l.Decimal, Open: l.Decimal == "",
			Options: []page.Option{{Value: "", Label: "Choose"}, {Value: expensefile.DecimalPoint, Label: "A point, as in 1,234.50"}, {Value: expensefile.DecimalComma, Label: "A comma, as in 1.234,50"}},
		})
	}
	list = append(list, missingFields(l, teams)...)
	for at, name := range l.UnknownTeams {
		q := page.Question{
			Name: "unknown-" + strconv.Itoa(at), Label: "Which team is " + expense.QuoteShort(name) + "?", Value: l.Choices.Teams[name], Open: l.Choices.Teams[name] == "",
			Options: append([]page.Option{{Value: "", Label: "Choose"}}, teamOptions(teams)...),
		}
		if team.IsID(name) {
			q.Options = append(q.Options, page.Option{Value: name, Label: name + ", which is no longer a team"})
		}
		list = append(list, q)
	}
	return list
}

// missingFields asks what all rows have in the fields that have no column.
func missingFields(l *expensefile.Layout, teams []team.Team) []page.Question {
	var list []page.Question
	if !l.Has(expensefile.FieldDate) {
		list = append(list, page.Question{Name: "date", Label: "Date of all rows", Hint: "The file has no column for it.", Type: "date", Value: l.DefaultDate(), Open: l.DefaultDate() == ""})
	}
	if !l.Has(expensefile.FieldTeam) {
		list = append(list, page.Question{
			Name: "team", Label: "Team of all rows", Hint: "The file has no column for it.", Value: l.Choices.Team, Open: l.Choices.Team == "",
			Options: append([]page.Option{{Value: "", Label: "Choose"}}, teamOptions(teams)...),
		})
	}
	if !l.Has(expensefile.FieldPerson) {
		list = append(list, page.Question{Name: "person", Label: "Person of all rows", Hint: "The file has no column for it. A name, or the address of whose they are.", Type: "text", Value: l.Choices.Person, Open: l.Choices.Person == ""})
	}
	if !l.Has(expensefile.FieldCategory) {
		list = append(list, page.Question{Name: "category", Label: "Category of all rows", Hint: "The file has no column for it.", Type: "text", Value: l.DefaultCategory(), Open: l.DefaultCategory() == ""})
	}
	return list
}

func teamOptions(teams []team.Team) []page.Option {
	var options []page.Option
	for _, t := range teams {
		options = append(options, page.Option{Value: t.ID, Label: t.Label})
	}
	return options
}

// dateOption spells out which day a date is in an order.
func dateOption(written, order, label string) page.Option {
	if day, ok := expensefile.DateIn(written, order); ok {
		label += ": " + day.T.Format("2 January 2006")
	}
	return page.Option{Value: order, Label: label}
}
