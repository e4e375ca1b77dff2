package spending

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/web"
)

const (
	// maxExports is how many files may be made at once. A file holds no connection to
	// the database while its reader takes it, but a fast reader keeps the database and
	// a processor busy, and pages come first.
	maxExports = 2
	// maxWaiting is how many may wait for a place, for maxExportWait each.
	maxWaiting    = 8
	maxExportWait = 5 * time.Second
	// exportTimeout bounds the making of one file, and exportPatience how long its
	// reader may take for the next few kilobytes. The store bounds each read itself.
	exportTimeout  = 15 * time.Minute
	exportPatience = 30 * time.Second
)

// exportPlaces are where files are made: a few at once, and one a person, so that
// nobody takes all of them.
type exportPlaces struct {
	mu      sync.Mutex
	taken   map[string]bool // by the subject of who has one
	waiting int
	freed   chan struct{} // closed when a place is given back
}

func newExportPlaces() *exportPlaces {
	return &exportPlaces{taken: map[string]bool{}, freed: make(chan struct{})}
}

// take waits for a place of a person, for patience at most. The error is web.ErrBusy
// and says why, or that of ctx.
func (p *exportPlaces) take(ctx context.Context, subject string, patience time.Duration) (giveBack func(), err error) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for queued := false; ; {
		freed, why := p.try(subject, &queued)
		if freed == nil && why == "" {
			return func() { p.giveBack(subject) }, nil
		}
		if freed == nil {
			return nil, fmt.Errorf("%w: %s", web.ErrBusy, why)
		}
		select {
		case <-freed:
		case <-timeout.C:
			p.leave()
			return nil, fmt.Errorf("%w: %s", web.ErrBusy, why)
		case <-ctx.Done():
			p.leave()
			return nil, ctx.Err()
		}
	}
}

// try takes a place, or returns why there is none and what to wait for: nothing
// where too many wait already.
func (p *exportPlaces) try(subject string, queued *bool) (freed chan struct{}, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.taken[subject]:
		why = "the same person has a file made already"
	case len(p.taken) >= maxExports:
		why = "all places are taken"
	default:
		p.taken[subject] = true
		if *queued {
			p.waiting--
		}
		return nil, ""
	}
	if !*queued && p.waiting >= maxWaiting {
		return nil, why + " and too many wait for one"
	}
	if !*queued {
		*queued = true
		p.waiting++
	}
	return p.freed, why
}

// leave ends the waiting of one.
func (p *exportPlaces) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting--
}

func (p *exportPlaces) giveBack(subject string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.taken, subject)
	close(p.freed)
	p.freed = make(chan struct{})
}

// fileFormat is a kind of file in which expenses are exported.
type fileFormat struct {
	extension, mediaType string
	write                func(io.Writer, expense.Currency, func(string) bool, func(func(expense.Expense) error) error) error
}

// ExportCSV handles GET /team/{id}/expenses.csv and GET /expenses.csv. With
// for=excel the file begins with a mark of its encoding, which Excel needs.
func (s *Spending) ExportCSV(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	return s.export(w, r, v, fileFormat{".csv", "text/csv; charset=utf-8; header=present", expensefile.WriteCSV})
}

// ExportJSON handles GET /team/{id}/expenses.json and GET /expenses.json.
func (s *Spending) ExportJSON(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	return s.export(w, r, v, fileFormat{".json", "application/json", expensefile.WriteJSON})
}

// export streams all that is asked for, on all pages, as a file.
func (s *Spending) export(w http.ResponseWriter, r *http.Request, v web.Visit, format fileFormat) error {
	q, excel, err := s.exportQueryOf(r, v, format)
	if err != nil {
		return err
	}
	giveBack, err := s.exports.take(r.Context(), v.Person.Subject, maxExportWait)
	if err != nil {
		return err
	}
	defer giveBack()
	ctx, cancel := context.WithTimeout(r.Context(), exportTimeout)
	defer cancel()
	name := "expenses"
	if v.Team.ID != "" {
		name = v.Team.ID + "-expenses"
	}
	out := &fileAnswer{w: w, mediaType: format.mediaType, name: name + format.extension, marked: excel}
	var approves func(string) bool
	if s.Approves(v) {
		approves = s.directory.Current().Approval
	}
	return format.write(out, s.store.Currency(), approves, func(yield func(expense.Expense) error) error {
		return s.store.Each(ctx, q, yield)
	})
}

// forExcel is the address of a CSV file that Excel reads right.
func forExcel(address string) string {
	if strings.Contains(address, "?") {
		return address + "&for=excel"
	}
	return address + "?for=excel"
}

// exportQueryOf reads what a file shall hold, and whether it is for Excel.
func (s *Spending) exportQueryOf(r *http.Request, v web.Visit, format fileFormat) (q expense.Query, excel bool, err error) {
	if format.extension != ".csv" {
		q, _, err = s.queryOf(r, v)
		return q, false, err
	}
	if q, _, err = s.queryOf(r, v, "for"); err != nil {
		return q, false, err
	}
	use, given := r.URL.Query()["for"]
	if given && use[0] != "excel" {
		return q, false, expense.QueryFaults{{Parameter: "for", Text: "A file is for excel, or for nothing in particular."}}
	}
	return q, given, nil
}

// fileAnswer answers with a file that a browser saves. Its headers are set with
// the first bytes, so that what fails before them is still an error page, and
// its reader gets exportPatience for each write.
type fileAnswer struct {
	w               http.ResponseWriter
	mediaType, name string
	marked          bool // begins with a byte order mark (RFC 3629, 6)
	begun           bool
}

// Write implements io.Writer. Its error is web.ErrGone where the reader takes nothing.
func (f *fileAnswer) Write(data []byte) (int, error) {
	err := http.NewResponseController(f.w).SetWriteDeadline(time.Now().Add(exportPatience))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, fmt.Errorf("%w: %w", web.ErrGone, err)
	}
	if !f.begun {
		f.begun = true
		f.w.Header().Set("Content-Type", f.mediaType)
		f.w.Header().Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
		if f.marked {
			if _, err := io.WriteString(f.w, "\ufeff"); err != nil {
				return 0, fmt.Errorf("%w: %w", web.ErrGone, err)
			}
		}
	}
	n, err := f.w.Write(data)
	if err != nil {
		return n, fmt.Errorf("%w: %w", web.ErrGone, err)
	}
	return n, nil
}
