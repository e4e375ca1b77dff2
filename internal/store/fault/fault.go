// Package fault says what can be wrong with a database: faults that pass, which
// IsUnavailable tells from mistakes and from a caller who gave up (fault.go), and what is
// wrong until somebody does something about it (lasting.go): a damaged file, a newer
// schema, another encoding or currency.
//
// It goes by SQLSTATE (appendix A of PostgreSQL's manual) and SQLite's result codes. A code
// that it does not know is no fault that passes, so that a mistake of ours is an error and
// not a database that is away. Reason and Fix are words for people
// and hold nothing of an error of the driver; an Error may, and is for the log. It
// connects to nothing and tries nothing again: that is store/internal/database's. Start
// reading at Passes and Reason.
package fault

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var errUnavailable = errors.New("database unavailable")

// ErrReplaced is a file of SQLite that was taken away or replaced while it was open.
var ErrReplaced = errors.New("file taken away")

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

// IsNoText reports whether PostgreSQL was asked for, or given, a text that holds a
// NUL or is not UTF-8: SQLSTATE 22021 and 22P05.
func IsNoText(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "22021" || pg.Code == "22P05")
}

// Passes reports whether err says that the database cannot serve now.
func Passes(err error) bool {
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

// IsCut reports whether err says that a connection ended under a statement.
func IsCut(err error) bool {
	var (
		pg      *pgconn.PgError
		network *net.OpError
	)
	switch {
	case errors.As(err, &pg):
		// Connection exceptions, and a server that ends this process of its own.
		return strings.HasPrefix(pg.Code, "08") || pg.Code == "57P01" || pg.Code == "57P02"
	case errors.As(err, &network):
		return !network.Timeout() && network.Op != "dial"
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn)
}

// IsCollision reports whether err says that a transaction was in another one's way:
// a serialization failure or a deadlock.
func IsCollision(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// Reason says in plain words why the database does not serve, of which err is the
// fault. It shows nothing of the error itself.
func Reason(err error) string {
	var newer *NewerError
	var pg *pgconn.PgError
	var lite *sqlite.Error
	switch {
	case errors.As(err, &newer):
		return "a newer program has changed the database"
	case errors.Is(err, ErrReplaced):
		return "its file was taken away"
	case errors.As(err, &pg):
		return postgresReason(pg.Code)
	case errors.As(err, &lite):
		return sqliteReason(lite.Code())
	case errors.Is(err, context.DeadlineExceeded):
		return "it does not answer in time"
	case errors.Is(err, fs.ErrPermission):
		return "a right is missing"
	default:
		return "it cannot be reached"
	}
}

func postgresReason(code string) string {
	switch code {
	case "25006":
		return "it is read-only"
	case "42501":
		return "a right is missing"
	case "53100":
		return "its disk is full"
	case "55P03", "57014":
		return "it is locked"
	case "57P03":
		return "it is starting or stopping"
	}
	return "it cannot be reached"
}

func sqliteReason(code int) string {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return "it is locked"
	case sqlite3.SQLITE_READONLY:
		return "it is read-only"
	case sqlite3.SQLITE_FULL:
		return "its disk is full"
	case sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		return "a right is missing"
	}
	return "its file cannot be read or written"
}
