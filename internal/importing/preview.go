package importing

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"expense-dashboard/internal/address"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/store/imports"
)

const (
	// MaxLines bounds the lines of a kind that a preview names.
	MaxLines = 100
	// maxShown bounds the rows of a kind that a preview shows.
	maxShown = 20
	// maxNew bounds the new rows that a preview shows.
	maxNew = 5
)

// Report is what a file would do to the expenses.
type Report struct {
	Rows int64 // of the file, those that are left out too

	New, Changed, Unchanged, Skipped, Conflicts, Deleted, Wrong int64 // rows

	WrongLines   []expense.LineError // the first MaxLines
	SkippedLines []expense.LineError // the first MaxLines
	NewRows      []expense.ImportRow
	ChangedRows  []Difference
	ConflictRows []Difference // the first MaxLines
	DeletedRows  []Difference
}

// Difference is what a row of a file would change of an expense.
type Difference struct {
	Line     int
	Expense  expense.Expense // as it is
	Changes  []expense.Change
	Restores bool // it was deleted
}

// refuse counts the rows as wrong whose category may not be used, or who name somebody by
// what is no address, and returns the others. What an expense has already it keeps.
func (r *Report) refuse(list []expense.Comparison, categories expense.Categories) []expense.Comparison {
	return slices.DeleteFunc(list, func(c expense.Comparison) bool {
		problems := problemsOf(c, categories)
		if len(problems) == 0 {
			return false
		}
		r.Wrong++
		for _, problem := range problems {
			r.WrongLines = addLine(r.WrongLines, c.Row.Line, problem)
		}
		return true
	})
}

// problemsOf lists what is wrong with what a row gives its expense anew, each after the
// name of its field.
func problemsOf(c expense.Comparison, categories expense.Categories) []string {
	var problems []string
	entry, current := c.Row.Entry, c.Current.Entry
	noAddress := func(field, text, problem string) {
		if problem != "" {
			problems = append(problems, field+": "+expense.QuoteShort(text)+" is not an email address: it "+problem+".")
		}
	}
	if c.Outcome == expense.OutcomeUnchanged {
		return nil
	}
	if entry.Person != current.Person {
		noAddress("person", entry.Person, address.PersonProblem(entry.Person))
	}
	if entry.Owner != current.Owner {
		noAddress("owner", entry.Owner, address.Problem(entry.Owner))
	}
	if expense.CategoryKey(entry.Category) != expense.CategoryKey(current.Category) {
		if problem := categories.Problem(entry.Category); problem != "" {
			problems = append(problems, "category: "+problem)
		}
	}
	return problems
}

// add takes rows in, and what those that are right come to.
func (r *Report) add(rows []expensefile.Row, list []expense.Comparison) {
	for _, row := range rows {
		switch {
		case row.Skipped != "":
			r.Skipped++
			r.SkippedLines = addLine(r.SkippedLines, row.Line, row.Skipped)
		case len(row.Faults) > 0:
			r.Wrong++
			for _, fault := range row.Faults {
				r.WrongLines = addLine(r.WrongLines, row.Line, fault)
			}
		}
	}
	for _, c := range list {
		switch c.Outcome {
		case expense.OutcomeNew:
			r.New++
			if len(r.NewRows) < maxNew {
				r.NewRows = append(r.NewRows, c.Row)
			}
		case expense.OutcomeChanged:
			r.Changed++
			r.ChangedRows = addDifference(r.ChangedRows, c, maxShown)
		case expense.OutcomeConflict:
			r.Conflicts++
			r.ConflictRows = addDifference(r.ConflictRows, c, MaxLines)
		case expense.OutcomeDeleted:
			r.Deleted++
			r.DeletedRows = addDifference(r.DeletedRows, c, maxShown)
		case expense.OutcomeUnchanged:
			r.Unchanged++
		}
	}
}

func addLine(lines []expense.LineError, line int, text string) []expense.LineError {
	if len(lines) < MaxLines {
		lines = append(lines, expense.LineError{Line: line, Text: text})
	}
	return lines
}

func addDifference(list []Difference, c expense.Comparison, limit int) []Difference {
	if len(list) < limit {
		list = append(list, Difference{Line: c.Row.Line, Expense: c.Current, Changes: c.Changes, Restores: c.Current.Deleted()})
	}
	return list
}

// Preview is an import as whoever made it sees it.
type Preview struct {
	imports.Import
	Report Report
	reading
}

// Preview returns an import of somebody's. The error is expense.ErrNotFound where
// they have none with this ID.
func (i *Importer) Preview(ctx context.Context, subject, id string) (Preview, error) {
	kept, err := i.store.Import(ctx, subject, id)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Import: kept}
	if p.reading, err = readingOf(kept); err != nil {
		return Preview{}, err
	}
	if err := json.Unmarshal([]byte(kept.Report), &p.Report); err != nil {
		return Preview{}, fmt.Errorf("report of an import: %w", err)
	}
	rules, err := i.rules(ctx, p.Today)
	if err != nil {
		return Preview{}, err
	}
	p.Layout = p.Layout.With(rules)
	return p, nil
}

// UnderWay reports whether a copy of the program works at the import, or will.
func (p Preview) UnderWay() bool {
	switch p.State {
	case imports.Running, imports.Undoing, imports.Failing:
		return true
	}
	return false
}

// Visible is the state as everybody outside knows it: ready, running, done,
// failed or undone.
func (p Preview) Visible() string {
	if p.UnderWay() {
		return string(imports.Running)
	}
	return string(p.State)
}

// Counts are how many rows came or would come to what.
type Counts struct {
	State     string `json:"state"`
	New       int64  `json:"new"`
	Changed   int64  `json:"changed"`
	Unchanged int64  `json:"unchanged"`
	Skipped   int64  `json:"skipped"`
	Conflicts int64  `json:"conflicts"`
	Wrong     int64  `json:"wrong"`
}

// Counts returns what a file would do, or once it is done, what it did. A row of
// an expense that was deleted is skipped, unless it is brought back.
func (p Preview) Counts() Counts {
	r := p.Report
	c := Counts{State: p.Visible(), New: r.New, Changed: r.Changed, Unchanged: r.Unchanged, Skipped: r.Skipped, Conflicts: r.Conflicts, Wrong: r.Wrong}
	if p.Decisions.Restore {
		c.Changed += r.Deleted
	} else {
		c.Skipped += r.Deleted
	}
	if p.State == imports.Done || p.State == imports.Undone {
		c.New, c.Changed, c.Unchanged, c.Conflicts = p.Result.New, p.Result.Changed, p.Result.Unchanged, p.Result.Conflicts
	}
	return c
}
