// Package importing brings a file of expenses in, from its upload to its end: the
// file is kept in the database, looked at and compared with the expenses there,
// and once somebody confirms it, taken in short batches by whichever copy of the
// program comes first. It ends complete or entirely taken back, also where a copy
// is killed: what has been done is recorded with each batch.
//
// It knows no HTTP and no SQL, never holds a whole file or a transaction for
// longer than a batch, and never guesses what a file means.
//
// Start reading at [Importer.Receive]; [Importer.Run] does the work.
package importing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/memory"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/store/imports"
	"expense-dashboard/internal/team"
)

const (
	// partSize is how much of a file is kept at once, in bytes.
	partSize = 512 << 10
	// comparedAtOnce is how many rows are compared by one question.
	comparedAtOnce = 500
)

// Importer brings files in. New makes it.
type Importer struct {
	store     *store.Store
	directory *team.File
	currency  expense.Currency
	today     func() expense.Date
	log       *slog.Logger
	holder    string        // by which this copy holds what it works at
	wake      chan struct{} // says that there is something to do
	clean     time.Time     // when Run looks next for what is over
}

// New makes an importer of files in a currency; today is the date where the
// program runs.
func New(db *store.Store, directory *team.File, currency expense.Currency, today func() expense.Date, log *slog.Logger) *Importer {
	return &Importer{store: db, directory: directory, currency: currency, today: today, log: log, holder: expense.NewID(), wake: make(chan struct{}, 1)}
}

// Decisions say what becomes of the rows that are not taken by themselves.
type Decisions struct {
	TakeConflicts bool // all rows in conflict are taken
	TakeLines     []int
	Restore       bool // expenses that were deleted are brought back
}

// reading is how a file is read, as it is kept with its import.
type reading struct {
	Today     expense.Date // when it came
	Layout    *expensefile.Layout
	Shown     time.Time // the newest change that it is known to hold
	Decisions Decisions
}

// Receive keeps a file that somebody brings in, and looks at it. It returns the
// import's ID. The error is an *expensefile.TableError where the file is no table.
func (i *Importer) Receive(ctx context.Context, who expense.Actor, fileName string, file io.Reader) (string, error) {
	id, err := i.store.BeginImport(ctx, who, shortName(fileName))
	if err != nil {
		return "", err
	}
	err = i.keep(ctx, id, file)
	if err == nil {
		err = i.check(ctx, id, reading{Today: i.today()}, expensefile.Choices{})
	}
	if err != nil {
		// What is left of it, if anything, is forgotten in an hour.
		_ = i.store.DiscardImport(context.WithoutCancel(ctx), id)
		return "", err
	}
	return id, nil
}

// shortName cuts a file's name to what can be shown and kept.
func shortName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0xfffd || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	if runes := []rune(name); len(runes) > 200 {
		return string(runes[:200])
	}
	return name
}

// keep writes a file into the database, a piece at a time.
func (i *Importer) keep(ctx context.Context, id string, file io.Reader) error {
	piece := make([]byte, partSize)
	for part := 0; ; part++ {
		n, err := io.ReadFull(file, piece)
		if n > 0 {
			if err := i.store.AddImportPart(ctx, id, part, piece[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// Choose reads a file anew with other choices, and returns what is found then.
func (i *Importer) Choose(ctx context.Context, subject, id string, choices expensefile.Choices) (Preview, error) {
	preview, err := i.Preview(ctx, subject, id)
	if err != nil {
		return Preview{}, err
	}
	if err := i.check(ctx, id, preview.reading, choices); err != nil {
		return Preview{}, err
	}
	return i.Preview(ctx, subject, id)
}

// Decide keeps what becomes of the rows that are not taken by themselves.
func (i *Importer) Decide(ctx context.Context, p Preview, decisions Decisions) error {
	p.reading.Decisions = decisions
	return i.save(ctx, p.ID, p.CheckedAt, p.reading, p.Report)
}

// check finds out how a file is to be read, and what it would do.
func (i *Importer) check(ctx context.Context, id string, how reading, choices expensefile.Choices) error {
	defer memory.Spare()()
	rules, err := i.rules(ctx, how.Today)
	if err != nil {
		return err
	}
	open := func() (io.ReadCloser, error) { return i.store.ImportFile(ctx, id), nil }
	if how.Layout, err = expensefile.Examine(open, rules, choices); err != nil {
		return err
	}
	at := time.Now().Truncate(time.Millisecond).UTC()
	if how.Shown, err = i.shown(ctx, id, how.Layout); err != nil {
		return err
	}
	categories, err := i.store.Categories(ctx)
	if err != nil {
		return err
	}
	var report Report
	err = i.eachBatch(ctx, id, how.Layout, comparedAtOnce, func(rows []expensefile.Row) error {
		report.Rows += int64(len(rows))
		list, err := i.store.Compare(ctx, right(rows), how.Shown, time.Time{})
		if err != nil {
			return err
		}
		report.add(rows, report.refuse(list, categories))
		return nil
	})
	if err != nil {
		return err
	}
	return i.save(ctx, id, at, how, report)
}

func (i *Importer) save(ctx context.Context, id string, at time.Time, how reading, report Report) error {
	layout, err1 := json.Marshal(how)
	found, err2 := json.Marshal(report)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	return i.store.SaveCheck(ctx, id, at, string(layout), string(found), report.Rows)
}

// shown returns the newest change that a file without versions is known to hold.
func (i *Importer) shown(ctx context.Context, id string, layout *expensefile.Layout) (time.Time, error) {
	var newest time.Time
	if !layout.Has(expensefile.FieldID) {
		return newest, nil
	}
	err := i.eachBatch(ctx, id, layout, comparedAtOnce, func(rows []expensefile.Row) error {
		var unversioned []expense.ImportRow
		for _, row := range right(rows) {
			if row.ID != "" && row.Version == 0 {
				unversioned = append(unversioned, row)
			}
		}
		if unversioned == nil {
			return nil
		}
		at, err := i.store.ShownBy(ctx, unversioned)
		if at.After(newest) {
			newest = at
		}
		return err
	})
	return newest, err
}

// rules are what a file that came on a day is checked against: the teams that
// there are now, and those that are no longer and have expenses.
func (i *Importer) rules(ctx context.Context, today expense.Date) (expensefile.Rules, error) {
	former, err := i.store.TeamsWithExpenses(ctx)
	if err != nil {
		return expensefile.Rules{}, err
	}
	ids, labels := map[string]string{}, map[string]string{}
	for _, id := range former {
		ids[id] = id
	}
	for _, t := range i.directory.Current().Teams() {
		ids[t.ID], labels[expense.Fold(t.Label)] = t.ID, t.ID
	}
	return expensefile.Rules{
		Today: today, Currency: i.currency, Address: team.NormalizeAddress,
		Team: func(name string) (string, bool) {
			for _, found := range []string{ids[name], ids[expense.Fold(name)], labels[expense.Fold(name)]} {
				if found != "" {
					return found, true
				}
			}
			return "", false
		},
	}, nil
}

// right returns the rows that are expenses and have nothing wrong.
func right(rows []expensefile.Row) []expense.ImportRow {
	var list []expense.ImportRow
	for _, row := range rows {
		if row.Skipped == "" && len(row.Faults) == 0 {
			list = append(list, row.ImportRow)
		}
	}
	return list
}

// eachBatch calls fn with the rows of a file, so many at a time.
func (i *Importer) eachBatch(ctx context.Context, id string, layout *expensefile.Layout, size int, fn func([]expensefile.Row) error) error {
	var rows []expensefile.Row
	file := i.store.ImportFile(ctx, id)
	defer file.Close()
	err := layout.Rows(file, func(row expensefile.Row) error {
		rows = append(rows, row)
		if len(rows) < size {
			return nil
		}
		err := fn(rows)
		rows = rows[:0]
		return err
	})
	if err == nil && len(rows) > 0 {
		err = fn(rows)
	}
	return err
}

// Confirm lets an import that is ready run, here or in another copy.
func (i *Importer) Confirm(ctx context.Context, id string) error {
	defer i.Wake()
	return i.store.ConfirmImport(ctx, id)
}

// Undo lets an import that is done be taken back.
func (i *Importer) Undo(ctx context.Context, id string) error {
	defer i.Wake()
	return i.store.UndoImport(ctx, id)
}

// Discard drops an import that was not confirmed.
func (i *Importer) Discard(ctx context.Context, id string) error {
	return i.store.DiscardImport(ctx, id)
}

// Wake says that there is something to do.
func (i *Importer) Wake() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// Wait returns an import as soon as nobody works at it any more, or when the
// context ends.
func (i *Importer) Wait(ctx context.Context, subject, id string) (Preview, error) {
	for {
		p, err := i.Preview(ctx, subject, id)
		if err != nil || !p.UnderWay() {
			return p, err
		}
		select {
		case <-ctx.Done():
			return p, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// errNotKept is an import whose reading cannot be understood any more.
var errNotKept = errors.New("not kept in a form that this version knows")

func readingOf(kept imports.Import) (reading, error) {
	var how reading
	if err := json.Unmarshal([]byte(kept.Reading), &how); err != nil {
		return how, fmt.Errorf("%w: %w", errNotKept, err)
	}
	if how.Layout == nil || how.Layout.Separator == "" {
		return how, errNotKept
	}
	return how, nil
}
