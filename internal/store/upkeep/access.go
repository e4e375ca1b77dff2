package upkeep

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/internal/database"
)

// AccessError is a database that a command cannot use, in words for whoever typed the
// command. They hold no password, and nothing of the error behind it.
type AccessError struct {
	Found, Fix string
	// Misset says that DATABASE_URL has to be changed, or what it names to be made.
	Misset bool
	err    error
}

// Error implements error.
func (e *AccessError) Error() string { return e.Found + ": " + e.Fix }

// Unwrap returns the error behind it.
func (e *AccessError) Unwrap() error { return e.err }

// inWords makes err, which may be nil, an *AccessError where it says that the database
// of a URL cannot be used, and why is not said in words yet.
func inWords(databaseURL string, err error) error {
	var (
		told       *AccessError
		damage     *fault.DamageError
		lite       *sqlite.Error
		path       *fs.PathError
		pg         *pgconn.PgError
		connecting *pgconn.ConnectError
		network    *net.OpError
	)
	file, ofSQLite := strings.CutPrefix(databaseURL, "sqlite:")
	switch {
	case err == nil, errors.As(err, &told), errors.As(err, &damage):
	case ofSQLite && (errors.As(err, &lite) || errors.As(err, &path)):
		return fileAccess(file, err)
	case !ofSQLite && (errors.As(err, &pg) || errors.As(err, &connecting) || errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded)):
		return postgresAccess(databaseURL, err)
	}
	return err
}

const mayWrite = "let the user that runs the program read and write it and its folder"

// fileAccess says why a file of SQLite cannot be used.
func fileAccess(file string, err error) *AccessError {
	var lite *sqlite.Error
	code := 0
	if errors.As(err, &lite) {
		code = lite.Code() & 0xff
	}
	folder := filepath.Dir(file)
	info, statErr := os.Stat(file)
	switch {
	case !isFolder(folder):
		return &AccessError{Found: "there is no folder " + folder, Fix: "make it, or correct DATABASE_URL", Misset: true, err: err}
	case errors.Is(statErr, fs.ErrNotExist):
		return &AccessError{Found: "there is no database " + file, Fix: "correct DATABASE_URL", Misset: true, err: err}
	case statErr == nil && info.IsDir():
		return &AccessError{Found: file + " is a folder", Fix: "name a file in DATABASE_URL, like sqlite:expenses.db", Misset: true, err: err}
	case errors.Is(err, fs.ErrPermission), code == sqlite3.SQLITE_CANTOPEN, code == sqlite3.SQLITE_PERM, code == sqlite3.SQLITE_READONLY:
		return &AccessError{Found: file + " cannot be read and written", Fix: mayWrite, err: err}
	case code == sqlite3.SQLITE_FULL, errors.Is(err, syscall.ENOSPC):
		return &AccessError{Found: "the disk of " + file + " is full", Fix: "make room on it", err: err}
	case code == sqlite3.SQLITE_BUSY, code == sqlite3.SQLITE_LOCKED:
		return &AccessError{Found: file + " is in use by another program", Fix: "try again once that one has ended", err: err}
	}
	return &AccessError{Found: file + " cannot be used: " + fault.Reason(err), Fix: "see that it is a database of this program on a disk that works", err: err}
}

// isFolder reports whether there is a folder of a name, as far as can be seen.
func isFolder(name string) bool {
	info, err := os.Stat(name)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR)
	}
	return info.IsDir()
}

// postgresAccess says why a database of PostgreSQL cannot be used.
func postgresAccess(databaseURL string, err error) error {
	config, parseErr := database.ParsePostgres(databaseURL)
	if parseErr != nil {
		return parseErr
	}
	at := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	var (
		pg          *pgconn.PgError
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &pg):
		found, fix, misset := refusal(pg.Code, config.User, config.Database)
		return &AccessError{Found: found, Fix: fix, Misset: misset, err: err}
	case errors.As(err, &dns):
		return &AccessError{Found: "no host is called " + config.Host, Fix: "correct the host in DATABASE_URL", err: err}
	case errors.As(err, &certificate), strings.Contains(err.Error(), "refused TLS"):
		return &AccessError{Found: at + " is not encrypted as DATABASE_URL asks for", Fix: "correct sslmode and sslrootcert in DATABASE_URL", Misset: true, err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &AccessError{Found: at + " does not answer in time", Fix: "see that PostgreSQL is there and the way to it open, or correct DATABASE_URL", err: err}
	}
	return &AccessError{Found: "no PostgreSQL answers at " + at, Fix: "start it, or correct the host and the port in DATABASE_URL", err: err}
}

// refusal says what PostgreSQL means by an error code, and whether DATABASE_URL has to
// be changed.
func refusal(code, user, database string) (found, fix string, misset bool) {
	switch code {
	case "28P01", "28000":
		return "PostgreSQL does not let the user " + user + " in", "correct the user and the password in DATABASE_URL, or what pg_hba.conf allows", true
	case "3D000":
		return "PostgreSQL has no database " + database, "create it, or correct DATABASE_URL", true
	case "42501":
		return "the user " + user + " lacks a right in the database " + database, "let that user own the database and its tables", false
	case "53300":
		return "PostgreSQL takes no more connections", "raise its max_connections, or end what holds them", false
	case "25006":
		return "the database " + database + " is read-only", "name the server in DATABASE_URL that takes writes", false
	}
	return "PostgreSQL refuses with the error " + code, "look that code up in its log", false
}

// nothing is the error of a database that holds nothing of this program's.
func nothing(databaseURL string) error {
	if file, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		if _, err := os.Stat(file); err != nil {
			return fileAccess(file, err)
		}
	}
	return errors.New("the database holds nothing of this program's: check DATABASE_URL")
}
