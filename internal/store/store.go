// Package store keeps the expenses, their history and who is signed in, on SQLite
// or PostgreSQL. It and the packages below it hold all SQL of the program. This one
// puts them together: each part of a Store has its own package, and the methods of all
// are the Store's. It knows no HTTP and decides nothing about who may do what. Every
// call is bounded in time, and ends with an error that fault.IsUnavailable where the
// database cannot serve now. Start reading at Open and Start; then
// internal/ledger/expenses.go and internal/query/query.go say how a page is found, and
// internal/ledger/adding.go and history.go how a change is written.
package store

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/metrics"
	"expense-dashboard/internal/store/imports"
	"expense-dashboard/internal/store/internal/batch"
	"expense-dashboard/internal/store/internal/budget"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/ledger"
	"expense-dashboard/internal/store/internal/names"
	"expense-dashboard/internal/store/revision"
	"expense-dashboard/internal/store/sessions"
)

// Store is a database with all that the program keeps in it.
type Store struct {
	db *database.DB
	*revision.Watch
	*names.Names
	*budget.Book
	*ledger.Ledger
	*batch.Batches
	*imports.Imports
	*sessions.Registry
}

// Open returns the store that a DATABASE_URL names, without a connection yet: call
// Start. Calls are counted in metrics, unless it is nil. An error is a mistake in
// the URL; it says how to fix it and never holds the URL, in which a password may
// stand.
func Open(databaseURL string, log *slog.Logger, metrics *metrics.Metrics) (*Store, error) {
	db, err := database.Open(databaseURL, log, metrics)
	if err != nil {
		return nil, err
	}
	return New(db), nil
}

// New returns the store of a database that was opened.
func New(db *database.DB) *Store {
	expenses := ledger.New(db)
	return &Store{
		db: db, Watch: revision.New(db), Names: names.New(db), Book: budget.New(db), Ledger: expenses,
		Batches: batch.New(db, expenses), Imports: imports.New(db, expenses), Registry: sessions.New(db),
	}
}

// Start brings the database up to date and, where sample is set and there are no
// expenses, fills in the sample. Where the database does not serve now, Start
// logs that and returns nil: calls end with an error that fault.IsUnavailable, and the
// store goes on trying until it is prepared or closed. Any other error is lasting,
// a *fault.NewerError among them.
func (s *Store) Start(ctx context.Context, sample bool) error {
	return s.db.Start(ctx, s.steps(sample))
}

// Prepare is one attempt of Start, without a sample. Where the database does not serve
// now, the error is one that fault.IsUnavailable.
func (s *Store) Prepare(ctx context.Context) error { return s.db.Prepare(ctx, s.steps(false)) }

// steps are what the parts do before a database is used.
func (s *Store) steps(sample bool) database.Steps {
	fill := func(ctx context.Context) error {
		err := s.db.Transact(ctx, s.agreeOnCurrency)
		if err == nil {
			err = s.fold(ctx)
		}
		if err == nil && sample {
			err = s.db.Transact(ctx, func(ctx context.Context, tx *sql.Tx) error {
				return fillSample(ctx, tx, expense.DateOf(time.Now()), s.Currency())
			})
		}
		return err
	}
	restored := func(ctx context.Context, tx *sql.Tx) (int64, error) { return sessions.EndEvery(ctx, tx, "restored") }
	return database.Steps{EndSessions: restored, Fill: fill}
}

// Close ends the preparing and the connections. It waits for calls that run.
func (s *Store) Close() error { return s.db.Close() }

// Ping reads from each table, and returns why the database cannot be read, as an
// error that fault.IsUnavailable; where its schema is newer than what this program
// knows, that is a *fault.NewerError.
func (s *Store) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// PingWrites returns why the database takes no writes, as an error that
// fault.IsUnavailable.
func (s *Store) PingWrites(ctx context.Context) error { return s.db.PingWrites(ctx) }

// Queries is the number of queries that have read from the database so far.
func (s *Store) Queries() int64 { return s.db.Queries() }
