// Package store keeps the expenses, their history and who is signed in, on SQLite
// or PostgreSQL. It holds all SQL of the program, and the same statements run on
// both databases: what differs is how to connect (store.go), how to migrate
// (migrate.go, migrations/) and how to copy (backup.go). It knows no HTTP and
// decides nothing about who may do what. Every call is bounded in time, and ends
// with an error that IsUnavailable where the database cannot serve now. Start
// reading at Open and Start; then expenses.go and query.go say how a page is found,
// and adding.go and history.go how a change is written.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/metrics"
)

// resultOf names how a call to the database ended.
func resultOf(err error) string {
	result := "ok"
	switch {
	case IsUnavailable(err):
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

// queryTimeout bounds a call to the database that answers a page or a form.
const queryTimeout = 5 * time.Second

var (
	errUnavailable = errors.New("database unavailable")
	errReplaced    = errors.New("file taken away")
)

// IsUnavailable reports whether err is a fault of the database that passes, so
// that the same call may succeed later. A write that ended with it was not
// acknowledged; the form's submission makes sending it again safe.
func IsUnavailable(err error) bool { return errors.Is(err, errUnavailable) }

// Unavailable marks err as a fault of the database.
func Unavailable(err error) error {
	if IsUnavailable(err) {
		return err
	}
	return fmt.Errorf("%w: %w", errUnavailable, err)
}

// Store holds the expenses with their history, on SQLite or PostgreSQL. The same
// statements run on both; what differs is how to connect and to migrate.
type Store struct {
	read, write *sql.DB // the same pool on PostgreSQL
	file        string  // of SQLite; empty on PostgreSQL
	log         *slog.Logger
	metrics     *metrics.Metrics // nil where nobody asks for them
	currency    expense.Currency // of all amounts
	queries     atomic.Int64     // that were asked to read

	// notReady is why no statement may run yet; nil inside once prepared.
	notReady atomic.Pointer[error]
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
	known       schema // what this program knows
	readsAll    string // a statement that reads from each table
	pooler      pooler
	unencrypted bool        // whether PostgreSQL is on another host, and no sslmode is set
	outdated    atomic.Bool // whether a newer program was found to have changed the database

	latest atomic.Pointer[Revisions] // nil until they were asked for
	asking chan struct{}             // has room for whoever asks for them
	writes atomic.Int64              // that have ended, whatever came of them

	stop      context.CancelFunc
	stopped   context.Context
	preparing sync.WaitGroup
}

// Open returns the store that a DATABASE_URL names, without a connection yet: call
// Start. Calls are counted in metrics, unless it is nil. An error is a mistake in
// the URL; it says how to fix it and never holds the URL, in which a password may
// stand.
func Open(databaseURL string, log *slog.Logger, metrics *metrics.Metrics) (*Store, error) {
	s := &Store{log: log, metrics: metrics, asking: make(chan struct{}, 1), currency: expense.Dollars()}
	scheme, rest, _ := strings.Cut(databaseURL, ":")
	var err error
	switch scheme {
	case "sqlite":
		err = s.openSQLite(rest)
	case "postgres", "postgresql":
		err = s.openPostgres(databaseURL)
	default:
		err = errors.New("not a database URL: write sqlite:expenses.db or postgres://user:password@host:5432/database")
	}
	if err == nil {
		s.known, err = knownSchema(s.folder())
	}
	if err != nil {
		return nil, err
	}
	s.readsAll = s.known.readsAll()
	s.unencrypted = Unencrypted(databaseURL)
	starting := errors.New("not prepared yet")
	s.notReady.Store(&starting)
	s.stopped, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// openSQLite sets up one connection that writes, so that writers queue here and
// not at the file's lock, and a few that only read. These keep next to no pages of
// their own: the system has them, and has them once.
func (s *Store) openSQLite(file string) error {
	if file == "" || strings.HasPrefix(file, ":") || strings.HasPrefix(file, "//") || strings.ContainsRune(file, 0) {
		return errors.New("sqlite: needs the path of a file: write sqlite:expenses.db or sqlite:/var/lib/expense-dashboard/expenses.db")
	}
	s.file = file
	var err error
	if s.write, err = openPrepared(sqliteName(file, "&_txlock=immediate&_synchronous=FULL&_foreign_keys=on&_pragma=journal_size_limit("+strconv.Itoa(maxLog)+")&_pragma=cache_size(-4000)&_pragma=temp_store(MEMORY)")); err != nil {
		return err
	}
	if s.read, err = openPrepared(sqliteName(file, "&_query_only=on&_pragma=cache_size(-100)")); err != nil {
		return err
	}
	keeping := fmt.Sprintf("&_synchronous=FULL&_pragma=busy_timeout(%d)&_pragma=cache_size(-100)", logPatience.Milliseconds())
	if s.keeper, err = sql.Open("sqlite", sqliteName(file, keeping)); err != nil {
		return err
	}
	s.keeper.SetMaxOpenConns(1)
	s.write.SetMaxOpenConns(1)
	s.read.SetMaxOpenConns(4)
	s.read.SetMaxIdleConns(4)
	s.read.SetConnMaxIdleTime(5 * time.Minute)
	return nil
}

// sqliteName returns the name by which the driver opens a file with settings. A
// write waits 5 s for the lock of another process.
func sqliteName(file, settings string) string {
	escaped := (&url.URL{Path: file}).EscapedPath()
	return "file:" + escaped + "?_busy_timeout=5000&_error_rc=1" + settings
}

// Close ends the preparing and the connections. It waits for calls that run.
func (s *Store) Close() error {
	s.stop()
	s.preparing.Wait()
	err := errors.Join(s.read.Close(), s.write.Close())
	if s.keeper != nil {
		err = errors.Join(err, s.keeper.Close())
	}
	return err
}

// call runs fn, which reads, with a deadline, and once more where its connection
// was cut: fn begins anew each time.
func (s *Store) call(ctx context.Context, fn func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	return s.stream(ctx, func() error {
		err := fn(limited)
		if s.file == "" && isCut(err) {
			s.dropIdle()
			err = fn(limited)
		}
		return err
	})
}

// stream runs fn, which reads for as long as its reader takes.
func (s *Store) stream(ctx context.Context, fn func() error) error {
	if err := s.usable(); err != nil {
		return err
	}
	begun := time.Now()
	err := s.outcome(ctx, fn())
	s.metrics.DatabaseCall("read", resultOf(err), begun)
	return err
}

// snapshot runs fn, which reads what is of one moment however many queries it
// takes, with a deadline.
func (s *Store) snapshot(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	return s.call(ctx, func(ctx context.Context) error {
		tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
		if err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		// Nothing was written that could be lost.
		defer tx.Rollback()
		return fn(ctx, tx)
	})
}

// querier is a pool of connections or a transaction.
type querier interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
}

// each calls fn for each row that a query returns, with what scans it, and ends
// with fn's first error.
func (s *Store) each(ctx context.Context, q querier, text string, args []any, fn func(scan func(...any) error) error) error {
	s.queries.Add(1)
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

// queryRow asks for one row.
func (s *Store) queryRow(ctx context.Context, q querier, text string, args ...any) *sql.Row {
	s.queries.Add(1)
	return q.QueryRowContext(ctx, text, args...)
}

// Queries is the number of queries that have read from the database so far.
func (s *Store) Queries() int64 { return s.queries.Load() }

// change runs fn in one transaction, with a deadline. What fn did counts only
// where change returns nil. Where it and another transaction were in each other's
// way, fn is run again in a new one: it begins anew each time.
func (s *Store) change(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	limited, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	return s.changeWithin(ctx, limited, fn)
}

// changeWithin is change with the deadline of limited, which derives from ctx.
func (s *Store) changeWithin(ctx, limited context.Context, fn func(context.Context, *sql.Tx) error) error {
	if err := s.usable(); err != nil {
		return err
	}
	begun := time.Now()
	err := s.outcome(ctx, s.transactAgain(limited, fn))
	s.writes.Add(1)
	s.metrics.DatabaseCall("write", resultOf(err), begun)
	s.noteWrite(err)
	return err
}

// transactAgain runs fn in one transaction, and in another one where that was
// refused for the sake of one beside it, which happens seldom and never for long.
func (s *Store) transactAgain(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := s.transact(ctx, fn)
		if attempt == maxAttempts || !isCollision(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(time.Duration(attempt) * 20 * time.Millisecond)):
		}
	}
}

// transact runs fn in a transaction, which counts only where the database still has
// the schema that this program knows: one that a newer program has changed would be
// written half.
func (s *Store) transact(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err = s.knowsSchema(ctx, tx); err == nil {
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
	s.boundLog()
	// Nobody is told of a write to a file that was taken away.
	return s.inPlace()
}

// usable returns why no statement may run now, if so. A SQLite file that was
// taken away while it was open would swallow writes, so that is looked at first.
func (s *Store) usable() error {
	if why := *s.notReady.Load(); why != nil {
		return Unavailable(why)
	}
	return s.inPlace()
}

// outcome tells a fault of the database, which wraps errUnavailable, from a
// caller who gave up and from a mistake of ours.
func (s *Store) outcome(ctx context.Context, err error) error {
	switch {
	case err == nil || IsUnavailable(err):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case isFault(err):
		return Unavailable(err)
	case isNoText(err):
		// What the database can hold nowhere is nowhere in it.
		return fmt.Errorf("%w: %w", expense.ErrNotFound, err)
	default:
		return err
	}
}

// isNoText reports whether PostgreSQL was asked for, or given, a text that holds a
// NUL or is not UTF-8: SQLSTATE 22021 and 22P05.
func isNoText(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "22021" || pg.Code == "22P05")
}

// isFault reports whether err says that the database cannot serve now.
func isFault(err error) bool {
	var (
		lite    *sqlite.Error
		pg      *pgconn.PgError
		connect *pgconn.ConnectError
		network net.Error
	)
	switch {
	case errors.As(err, &connect):
		return true
	case errors.As(err, &pg):
		return isPostgresFault(pg.Code)
	case errors.As(err, &lite):
		return isSQLiteFault(lite.Code())
	default:
		return errors.As(err, &network) || pgconn.SafeToRetry(err) ||
			errors.Is(err, context.DeadlineExceeded) || errors.Is(err, driver.ErrBadConn) ||
			errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, fs.ErrPermission)
	}
}

// isPostgresFault knows the classes of appendix A of PostgreSQL's manual.
func isPostgresFault(code string) bool {
	switch code {
	case "25006", // read-only transaction
		"40001", "40P01", // serialization failure, deadlock
		"55P03": // lock not available
		return true
	}
	switch code[:min(2, len(code))] {
	case "08", // connection exception
		"53", // insufficient resources: disk full, out of memory, too many connections
		"57", // operator intervention: shut down, starting up, canceled
		"58": // system error, input and output
		return true
	}
	return false
}

// isSQLiteFault knows SQLite's result codes, whose low byte is the kind.
func isSQLiteFault(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT,
		sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
		sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return true
	}
	return false
}
