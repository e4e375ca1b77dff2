// Package imports keeps the files that people bring in, from their coming until what they
// did can no longer be taken back. Rows are put beside the expenses that they are about
// (comparing.go), and taken or taken back in batches, each one transaction, by whichever
// copy of the program has the import's lease (importing.go). It reads no file: the package
// importing does. Start reading at State.
package imports

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/ledger"
)

// Imports are the files that people bring in.
type Imports struct {
	db     *database.DB
	ledger *ledger.Ledger
}

// New returns those of a ledger, which lies in a database.
func New(db *database.DB, ledger *ledger.Ledger) *Imports { return &Imports{db, ledger} }

// State is how far the import of a file has come.
type State string

// The states of an import, in their order. Receiving is while the file comes,
// and nobody sees it; failing is one that is taken back because it cannot go on.
const (
	Receiving State = "receiving"
	Ready     State = "ready"
	Running   State = "running"
	Done      State = "done"
	Undoing   State = "undoing"
	Undone    State = "undone"
	Failing   State = "failing"
	Failed    State = "failed"
)

const (
	// previewAge is how long a file waits to be confirmed.
	previewAge = time.Hour
	// maxPreviews bounds how many files of one person wait at once: a further
	// one drops the oldest.
	maxPreviews = 5
	// maxResultLines bounds the lines that the result of an import names.
	maxResultLines = 100
	// importLease is how long a copy of the program may be silent before another
	// takes its import over.
	importLease = 10 * time.Second
)

// Import is a file that somebody brings in.
type Import struct {
	ID        string
	Actor     expense.Actor // who made it
	FileName  string
	State     State
	CreatedAt time.Time
	CheckedAt time.Time // when the file was compared with the expenses
	Reading   string    // JSON of whoever reads the file
	Report    string    // JSON of whoever reads the file
	Result    Result
	Rows      int64 // of the file
	Done      int64 // of them taken or, while they are taken back, left
	firstSeq  int64 // of the first new expense
}

// Result is what came of an import.
type Result struct {
	New, Changed, Unchanged int64
	// Conflicts counts the rows that were not taken, and Lines names the first.
	Conflicts int64
	Lines     []expense.LineError
	// Kept counts the expenses that were not taken back, since somebody had
	// touched them.
	Kept int64
}

// BeginImport records a file that comes, and returns its ID. It forgets files
// that wait for too long, and the oldest of the person's where there are many.
func (s *Imports) BeginImport(ctx context.Context, who expense.Actor, fileName string) (string, error) {
	id, now := expense.NewID(), time.Now()
	err := s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM imports WHERE state = 'ready' AND subject = $1 AND id NOT IN
			(SELECT id FROM imports WHERE state = 'ready' AND subject = $1 ORDER BY created_at DESC, id LIMIT $2)`, who.Subject, maxPreviews-1)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO imports (id, subject, actor_address, actor_name, issuer, file_name, state,
			created_at, expires_at, checked_at, reading, report, result, row_count, done, first_seq, lease_holder, lease_until)
			VALUES ($1, $2, $3, $4, $5, $6, 'receiving', $7, $8, 0, '', '', '{}', 0, 0, 0, '', 0)`,
			id, who.Subject, who.Address, who.Name, who.Issuer, fileName, now.UnixMilli(), now.Add(previewAge).UnixMilli())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("begin an import: %w", err)
	}
	return id, nil
}

// AddImportPart adds the next piece of a file, counted from 0.
func (s *Imports) AddImportPart(ctx context.Context, id string, part int, data []byte) error {
	err := s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO import_parts (import, part, data) VALUES ($1, $2, $3)`, id, part, data)
		return err
	})
	if err != nil {
		return fmt.Errorf("part of an import: %w", err)
	}
	return nil
}

// SaveCheck records how the file of an import is read and what was found, as of
// a moment. The import is ready then, unless it went on meanwhile: then it is
// left alone, with expense.ErrNotFound.
func (s *Imports) SaveCheck(ctx context.Context, id string, at time.Time, reading, report string, rows int64) error {
	err := s.changeImport(ctx, `UPDATE imports SET state = 'ready', checked_at = $2, reading = $3, report = $4, row_count = $5
		WHERE id = $1 AND state IN ('receiving', 'ready')`, id, at.UnixMilli(), reading, report, rows)
	if err != nil {
		return fmt.Errorf("check an import: %w", err)
	}
	return nil
}

// changeImport runs an UPDATE of one import. Where it finds none the error is
// expense.ErrNotFound.
func (s *Imports) changeImport(ctx context.Context, text string, args ...any) error {
	return s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error { return database.UpdateOne(ctx, tx, text, args...) })
}

const importColumns = `id, subject, actor_address, actor_name, issuer, file_name, state, created_at, checked_at, reading, report, result, row_count, done, first_seq`

func scanImport(scan func(...any) error) (Import, error) {
	var (
		i                Import
		created, checked int64
		result           string
	)
	err := scan(&i.ID, &i.Actor.Subject, &i.Actor.Address, &i.Actor.Name, &i.Actor.Issuer, &i.FileName, &i.State, &created, &checked, &i.Reading, &i.Report, &result, &i.Rows, &i.Done, &i.firstSeq)
	if err != nil {
		return Import{}, database.Missing(err)
	}
	i.CreatedAt, i.CheckedAt = time.UnixMilli(created).UTC(), time.UnixMilli(checked).UTC()
	if err := json.Unmarshal([]byte(result), &i.Result); err != nil {
		return Import{}, fmt.Errorf("result: %w", err)
	}
	return i, nil
}

// Import returns an import of somebody's. That of somebody else, one that is over
// and one that was never there are all expense.ErrNotFound.
func (s *Imports) Import(ctx context.Context, subject, id string) (Import, error) {
	var i Import
	err := s.db.Call(ctx, func(ctx context.Context) (err error) {
		i, err = scanImport(s.db.QueryRow(ctx, s.db.Read(), `SELECT `+importColumns+` FROM imports WHERE id = $1 AND subject = $2
			AND state <> 'receiving' AND (expires_at > $3 OR state IN ('running', 'undoing', 'failing'))`, id, subject, time.Now().UnixMilli()).Scan)
		return err
	})
	if err != nil {
		return Import{}, fmt.Errorf("import: %w", err)
	}
	return i, nil
}

// ConfirmImport lets an import that is ready run. The error is
// expense.ErrNotFound where it is not ready, or no longer.
func (s *Imports) ConfirmImport(ctx context.Context, id string) error {
	err := s.changeImport(ctx, `UPDATE imports SET state = 'running', done = 0, first_seq = row_count + (SELECT COALESCE(MAX(seq), 0) FROM expenses), lease_holder = '', lease_until = 0
		WHERE id = $1 AND state = 'ready' AND expires_at > $2`, id, time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("confirm an import: %w", err)
	}
	return nil
}

// UndoImport lets an import that is done be taken back. The error is
// expense.ErrNotFound where it is not done, or no longer.
func (s *Imports) UndoImport(ctx context.Context, id string) error {
	err := s.changeImport(ctx, `UPDATE imports SET state = 'undoing', lease_holder = '', lease_until = 0,
		done = (SELECT COUNT(*) FROM import_rows WHERE import = $1)
		WHERE id = $1 AND state = 'done' AND expires_at > $2`, id, time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("undo an import: %w", err)
	}
	return nil
}

// DiscardImport drops a file that was not confirmed. The error is
// expense.ErrNotFound where there is none such.
func (s *Imports) DiscardImport(ctx context.Context, id string) error {
	err := s.changeImport(ctx, `DELETE FROM imports WHERE id = $1 AND state IN ('receiving', 'ready')`, id)
	if err != nil {
		return fmt.Errorf("discard an import: %w", err)
	}
	return nil
}

// TeamsWithExpenses returns the ids of the teams that have expenses, those that are
// no longer in the teams file too.
func (s *Imports) TeamsWithExpenses(ctx context.Context) ([]string, error) {
	var teams []string
	err := s.db.Call(ctx, func(ctx context.Context) error {
		teams = nil
		return s.db.Each(ctx, s.db.Read(), `SELECT DISTINCT team FROM group_sums WHERE kind = 'month' AND n > 0`, nil, func(scan func(...any) error) error {
			var team string
			err := scan(&team)
			teams = append(teams, team)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("teams with expenses: %w", err)
	}
	return teams, nil
}

// ImportFile returns the file of an import, which is read a piece at a time.
func (s *Imports) ImportFile(ctx context.Context, id string) io.ReadCloser {
	return io.NopCloser(&importFile{ctx: ctx, store: s, id: id})
}

// importFile reads the pieces of a file one after the other.
type importFile struct {
	ctx   context.Context // of whoever reads it, which io.Reader has no place for
	store *Imports
	id    string
	part  int
	rest  []byte
}

// Read implements io.Reader.
func (f *importFile) Read(buffer []byte) (int, error) {
	if len(f.rest) == 0 {
		err := f.store.db.Call(f.ctx, func(ctx context.Context) error {
			row := f.store.db.QueryRow(ctx, f.store.db.Read(), `SELECT data FROM import_parts WHERE import = $1 AND part = $2`, f.id, f.part)
			return row.Scan(&f.rest)
		})
		if err != nil {
			if database.Missing(err) == expense.ErrNotFound {
				return 0, io.EOF
			}
			return 0, fmt.Errorf("file of an import: %w", err)
		}
		f.part++
	}
	n := copy(buffer, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}
