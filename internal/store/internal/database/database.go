// Package database connects to SQLite or PostgreSQL and runs what its callers ask for:
// reads, and transactions that count whole or not at all. The same statements run on
// both; what differs is how to connect (database.go, postgres.go), how to migrate
// (migrate.go, migrations/) and what else may happen to a file (wal.go, damage.go). It
// knows nothing of expenses but that one may not be there. Every call is bounded in
// time, and ends with an error that fault.IsUnavailable where the database cannot serve
// now. A function that is passed to Call, Snapshot or Change may run twice. Start
// reading at Open, Call and Change.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/metrics"
	"expense-dashboard/internal/store/fault"
)

// resultOf names how a call to the database ended.
func resultOf(err error) string {
	result := "ok"
	switch {
	case fault.IsUnavailable(err):
		result = "unavailable"
	case errors.Is(err, context.Canceled):
		result = "canceled"
	case err != nil:
		// An expense that is not there or that somebody else changed, mostly.
		result = "refused"
	}
	return result
}

// maxAttempts is how often a transaction is tried.
const maxAttempts = 5

// QueryTimeout bounds a call to the database that answers a page or a form.
const QueryTimeout = 5 * time.Second

// DB is a database, on SQLite or PostgreSQL. The same statements run on both; what
// differs is how to connect and to migrate.
type DB struct {
	read, write *sql.DB // the same pool on PostgreSQL
	file        string  // of SQLite; empty on PostgreSQL
	log         *slog.Logger
	metrics     *metrics.Metrics // nil where nobody asks for them
	queries     atomic.Int64     // that were asked to read

	// notReady is why no statement may run yet; nil inside once prepared.
	notReady atomic.Pointer[error]
	// unchecked is whether the file of SQLite is still to be looked at, while it is used.
	unchecked bool
	// opened identifies the files of SQLite that were prepared.
	opened   atomic.Pointer[fileStates]
	keeper   *sql.DB    // of SQLite: one connection that stays open, and begins the log anew
	bounding sync.Mutex // held by whoever does so
	// boundAgain is when the log is begun anew next, at the earliest, after that was in
	// vain; bounding guards it.
	boundAgain time.Time
	saved      atomic.Bool // whether a log that was deleted has been saved
	// wrote is when the last write succeeded; nil once one met a fault of the database.
	wrote       atomic.Pointer[time.Time]
	known       Schema // what this program knows
	readsAll    string // a statement that reads from each table
	pooler      pooler
	unencrypted bool        // whether PostgreSQL is on another host, and no sslmode is set
	outdated    atomic.Bool // whether a newer program was found to have changed the database

	writes atomic.Int64 // that have ended, whatever came of them

	stop      context.CancelFunc
	stopped   context.Context
	preparing sync.WaitGroup
}

// Open returns the database that a DATABASE_URL names, without a connection yet: call
// Start. Calls are counted in metrics, unless it is nil. An error is a mistake in
// the URL; it says how to fix it and never holds the URL, in which a password may
// stand.
func Open(databaseURL string, log *slog.Logger, metrics *metrics.Metrics) (*DB, error) {
	d := &DB{log: log, metrics: metrics}
	scheme, rest, _ := strings.Cut(databaseURL, ":")
	var err error
	switch scheme {
	case "sqlite":
		err = d.openSQLite(rest)
	case "postgres", "postgresql":
		err = d.openPostgres(databaseURL)
	default:
		err = errors.New("not a database URL: write sqlite:expenses.db or postgres://user:password@host:5432/database")
	}
	if err == nil {
		d.known, err = knownSchema(d.folder())
	}
	if err != nil {
		return nil, err
	}
	d.readsAll = d.known.readsAll()
	d.unencrypted = Unencrypted(databaseURL)
	starting := errors.New("not prepared yet")
	d.notReady.Store(&starting)
	d.stopped, d.stop = context.WithCancel(context.Background())
	return d, nil
}

// openSQLite sets up one connection that writes, so that writers queue here and
// not at the file's lock, and a few that only read. These keep next to no pages of
// their own: the system has them, and has them once.
func (d *DB) openSQLite(file string) error {
	if file == "" || strings.HasPrefix(file, ":") || strings.HasPrefix(file, "//") || strings.ContainsRune(file, 0) {
		return errors.New("sqlite: needs the path of a file: write sqlite:expenses.db or sqlite:/var/lib/expense-dashboard/expenses.db")
	}
	d.file = file
	var err error
	if d.write, err = openPrepared(SQLiteName(file, "&_txlock=immediate&_synchronous=FULL&_foreign_keys=on&_pragma=journal_size_limit("+strconv.Itoa(maxLog)+")&_pragma=cache_size(-1000)&_pragma=temp_store(MEMORY)")); err != nil {
		return err
	}
	if d.read, err = openPrepared(SQLiteName(file, "&_query_only=on&_pragma=cache_size(-100)")); err != nil {
		return err
	}
	keeping := fmt.Sprintf("&_synchronous=FULL&_pragma=busy_timeout(%d)&_pragma=cache_size(-100)", logPatience.Milliseconds())
	if d.keeper, err = sql.Open("sqlite", SQLiteName(file, keeping)); err != nil {
		return err
	}
	d.keeper.SetMaxOpenConns(1)
	d.write.SetMaxOpenConns(1)
	d.read.SetMaxOpenConns(4)
	d.read.SetMaxIdleConns(4)
	d.read.SetConnMaxIdleTime(5 * time.Minute)
	return nil
}

// SQLiteName returns the name by which the driver opens a file with settings. A
// write waits 5 s for the lock of another process.
func SQLiteName(file, settings string) string {
	escaped := (&url.URL{Path: file}).EscapedPath()
	return "file:" + escaped + "?_busy_timeout=5000&_error_rc=1" + settings
}

// Read runs queries that are part of no transaction.
func (d *DB) Read() *sql.DB { return d.read }

// Write runs statements on the connection that writes, where SQLite has but one.
func (d *DB) Write() *sql.DB { return d.write }

// File is SQLite's, or empty on PostgreSQL.
func (d *DB) File() string { return d.file }

// Known is the schema that this program knows.
func (d *DB) Known() Schema { return d.known }

// Pooled reports whether something like PgBouncer was found before PostgreSQL.
func (d *DB) Pooled() bool { return d.pooler.found.Load() }

// Writes is the number of writes that have ended so far, whatever came of them.
func (d *DB) Writes() int64 { return d.writes.Load() }

// Close ends the preparing and the connections. It waits for calls that run.
func (d *DB) Close() error {
	d.stop()
	d.preparing.Wait()
	err := errors.Join(d.read.Close(), d.write.Close())
	if d.keeper != nil {
		err = errors.Join(err, d.keeper.Close())
	}
	return err
}

// Call runs fn, which reads, with a deadline, and once more where its connection
// was cut: fn begins anew each time.
func (d *DB) Call(ctx context.Context, fn func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, QueryTimeout)
	defer cancel()
	return d.stream(ctx, func() error {
		err := fn(limited)
		if d.file == "" && fault.IsCut(err) {
			d.dropIdle()
			err = fn(limited)
		}
		return err
	})
}

// stream runs fn, which reads and bounds its time itself.
func (d *DB) stream(ctx context.Context, fn func() error) error {
	if err := d.usable(); err != nil {
		return err
	}
	begun := time.Now()
	err := d.outcome(ctx, fn())
	d.metrics.DatabaseCall("read", resultOf(err), begun)
	return err
}

// Snapshot runs fn, which reads what is of one moment however many queries it
// takes, with a deadline.
func (d *DB) Snapshot(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	return d.Call(ctx, func(ctx context.Context) error {
		tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
		if err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		// Nothing was written that could be lost.
		defer tx.Rollback()
		return fn(ctx, tx)
	})
}

// Each calls fn for each row that a query returns, with what scans it, and ends
// with fn's first error.
func (d *DB) Each(ctx context.Context, q Querier, text string, args []any, fn func(scan func(...any) error) error) error {
	d.queries.Add(1)
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// QueryRow asks for one row.
func (d *DB) QueryRow(ctx context.Context, q Querier, text string, args ...any) *sql.Row {
	d.queries.Add(1)
	return q.QueryRowContext(ctx, text, args...)
}

// Queries is the number of queries that have read from the database so far.
func (d *DB) Queries() int64 { return d.queries.Load() }

// Change runs fn in one transaction, with a deadline. What fn did counts only
// where Change returns nil. Where it and another transaction were in each other's
// way, fn is run again in a new one: it begins anew each time.
func (d *DB) Change(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	limited, cancel := context.WithTimeout(ctx, QueryTimeout)
	defer cancel()
	return d.ChangeWithin(ctx, limited, fn)
}

// ChangeWithin is Change with the deadline of limited, which derives from ctx.
func (d *DB) ChangeWithin(ctx, limited context.Context, fn func(context.Context, *sql.Tx) error) error {
	if err := d.usable(); err != nil {
		return err
	}
	begun := time.Now()
	err := d.outcome(ctx, d.TransactAgain(limited, fn))
	d.writes.Add(1)
	d.metrics.DatabaseCall("write", resultOf(err), begun)
	d.noteWrite(err)
	return err
}

// TransactAgain runs fn in one transaction, and in another one where that was
// refused for the sake of one beside it, which happens seldom and never for long.
func (d *DB) TransactAgain(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := d.Transact(ctx, fn)
		if attempt == maxAttempts || !fault.IsCollision(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(time.Duration(attempt) * 20 * time.Millisecond)):
		}
	}
}

// Transact runs fn in a transaction, which counts only where the database still has
// the schema that this program knows: one that a newer program has changed would be
// written half.
func (d *DB) Transact(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err = d.knowsSchema(ctx, tx); err == nil {
		err = fn(ctx, tx)
	}
	if err != nil {
		// What failed is what to report; a connection that cannot roll back is lost
		// and takes its transaction along.
		_ = tx.Rollback()
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	d.boundLog()
	// Nobody is told of a write to a file that was taken away.
	return d.inPlace()
}

// usable returns why no statement may run now, if so. A SQLite file that was
// taken away while it was open would swallow writes, so that is looked at first.
func (d *DB) usable() error {
	if why := *d.notReady.Load(); why != nil {
		return fault.Unavailable(why)
	}
	return d.inPlace()
}

// outcome tells a fault of the database, which fault.IsUnavailable, from a
// caller who gave up and from a mistake of ours.
func (d *DB) outcome(ctx context.Context, err error) error {
	switch {
	case err == nil || fault.IsUnavailable(err):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case fault.Passes(err):
		return fault.Unavailable(err)
	case fault.IsNoText(err):
		// What the database can hold nowhere is nowhere in it.
		return fmt.Errorf("%w: %w", expense.ErrNotFound, err)
	default:
		return err
	}
}
