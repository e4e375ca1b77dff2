package importing

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/memory"
	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/imports"
)

const (
	// patience is how long the importer waits before it looks for work that
	// another copy has left, which ended without a word, and cleaning how long before
	// it looks for what is over.
	patience, cleaning = 3 * time.Second, time.Minute
	// batchTime is how long a batch is meant to take, so that nobody waits longer.
	// Some take three or four times as long: 250 ms are bearable.
	batchTime = 60 * time.Millisecond
	// The fewest and the most rows of a batch.
	minBatch, maxBatch = 25, 1000
)

// Run takes imports that were confirmed, and takes back those that are to be,
// until the context ends: then it leaves what is not finished to whoever comes
// next.
func (i *Importer) Run(ctx context.Context) {
	for ctx.Err() == nil {
		worked, err := i.step(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, imports.ErrLeaseLost) {
			i.log.WarnContext(ctx, "import interrupted", "error", err)
		}
		if worked && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-i.wake:
		case <-time.After(patience):
		}
	}
}

// step works at one import, or forgets a little of what is over. It reports
// whether there may be more to do.
func (i *Importer) step(ctx context.Context) (worked bool, err error) {
	kept, ok, err := i.store.LeaseImport(ctx, i.holder)
	if err != nil {
		return false, err
	}
	if !ok {
		return i.forget(ctx)
	}
	i.clean = time.Time{}
	defer memory.Spare()()
	if kept.State == imports.Running {
		err = i.take(ctx, kept)
	} else {
		err = i.takeBack(ctx, kept)
	}
	if ctx.Err() != nil {
		return false, i.store.ReleaseImport(context.WithoutCancel(ctx), kept.ID, i.holder)
	}
	return true, err
}

// forget forgets a little of what is over, where it is time to look.
func (i *Importer) forget(ctx context.Context) (more bool, err error) {
	if time.Now().Before(i.clean) {
		return false, nil
	}
	more, err = i.store.ForgetImports(ctx)
	if err == nil && !more {
		i.clean = time.Now().Add(cleaning)
	}
	return more, err
}

// take takes what is left of a file. Where that cannot be done, for another
// reason than a database that is away, all of it is taken back.
func (i *Importer) take(ctx context.Context, kept imports.Import) error {
	err := i.takeRest(ctx, kept)
	switch {
	case err == nil:
		i.log.InfoContext(ctx, "import done", "import", kept.ID, "rows", kept.Rows)
		return i.store.EndImport(ctx, kept.ID, i.holder, imports.Running, imports.Done)
	case ctx.Err() != nil, fault.IsUnavailable(err), errors.Is(err, imports.ErrLeaseLost):
		return err
	}
	i.log.ErrorContext(ctx, "import taken back", "import", kept.ID, "error", err)
	return i.store.EndImport(ctx, kept.ID, i.holder, imports.Running, imports.Failing)
}

func (i *Importer) takeRest(ctx context.Context, kept imports.Import) error {
	how, err := readingOf(kept)
	if err != nil {
		return err
	}
	rules, err := i.rules(ctx, how.Today)
	if err != nil {
		return err
	}
	b := batches{importer: i, how: how, size: minBatch, next: imports.Batch{
		Import: kept, Holder: i.holder, From: kept.Done, To: kept.Done, Shown: how.Shown,
		TakeConflict: func(line int) bool {
			return how.Decisions.TakeConflicts || slices.Contains(how.Decisions.TakeLines, line)
		},
		Restore: how.Decisions.Restore,
	}}
	place := int64(0)
	file := i.store.ImportFile(ctx, kept.ID)
	defer file.Close()
	err = how.Layout.With(rules).Rows(file, func(row expensefile.Row) error {
		if place++; place <= kept.Done {
			return nil
		}
		return b.add(ctx, row)
	})
	if err != nil {
		return err
	}
	if err := b.flush(ctx); err != nil {
		return err
	}
	if b.next.To != kept.Rows {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// batches gathers rows into batches of about batchTime.
type batches struct {
	importer *Importer
	how      reading
	size     int
	next     imports.Batch
}

func (b *batches) add(ctx context.Context, row expensefile.Row) error {
	b.next.To++
	switch {
	case row.Skipped != "":
	case len(row.Faults) > 0:
		b.next.Refused = append(b.next.Refused, expense.LineError{Line: row.Line, Text: row.Faults[0]})
	default:
		b.next.Rows = append(b.next.Rows, row.ImportRow)
	}
	if b.next.To-b.next.From < int64(b.size) {
		return nil
	}
	return b.flush(ctx)
}

// flush takes the batch, and lets others write before the next one.
func (b *batches) flush(ctx context.Context) error {
	if b.next.To == b.next.From {
		return nil
	}
	took, err := b.importer.store.TakeRows(ctx, b.next)
	if err != nil {
		return err
	}
	b.next.From, b.next.Rows, b.next.Refused = b.next.To, b.next.Rows[:0], nil
	b.size = nextSize(b.size, took)
	return pause(ctx, took)
}

// nextSize is how many rows take about batchTime, where so many took that long. Few
// sizes are few statements, which SQLite's connections keep prepared.
func nextSize(size int, took time.Duration) int {
	fits := int(float64(size) * float64(batchTime) / float64(max(took, time.Millisecond)))
	fits = min(max(fits, minBatch), maxBatch, 2*size)
	return fits - fits%minBatch
}

// pause waits a fraction of what a batch took.
func pause(ctx context.Context, took time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(took/4, 5*time.Millisecond)):
		return nil
	}
}

// takeBack takes back what an import has done.
func (i *Importer) takeBack(ctx context.Context, kept imports.Import) error {
	for size := minBatch; ; {
		count, took, err := i.store.TakeBack(ctx, kept, i.holder, size)
		if err != nil {
			return err
		}
		if count == 0 {
			break
		}
		size = nextSize(size, took)
		if err := pause(ctx, took); err != nil {
			return err
		}
	}
	to := imports.Undone
	if kept.State == imports.Failing {
		to = imports.Failed
	}
	i.log.InfoContext(ctx, "import taken back", "import", kept.ID)
	return i.store.EndImport(ctx, kept.ID, i.holder, kept.State, to)
}
