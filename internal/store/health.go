package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// healthTimeout bounds a look at whether the database serves: whoever asks for it
// waits for no longer.
const healthTimeout = 2 * time.Second

// probeInterval is how long after a write that succeeded another one is believed
// to succeed too.
const probeInterval = 30 * time.Second

// Ping reads from each table, and returns why the database cannot be read, as an
// error that IsUnavailable. A lock that keeps readers out and a right that is
// missing count. Where the database's schema is newer than what this program knows,
// the error is a *NewerError, although what it knows it can still read.
func (s *Store) Ping(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	err := s.stream(ctx, func() error {
		var version int64
		err := s.each(limited, s.read, s.readsAll, nil, func(scan func(...any) error) error {
			var value int64
			err := scan(&value)
			version = max(version, value)
			return err
		})
		if err != nil {
			// Whatever keeps a page from being read is why.
			return Unavailable(err)
		}
		return s.knows(version)
	})
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}

// PingWrites returns why the database takes no writes, as an error that
// IsUnavailable: as the last write found, or another one where that failed or is a
// while ago.
func (s *Store) PingWrites(ctx context.Context) error {
	if wrote := s.wrote.Load(); wrote != nil && time.Since(*wrote) < probeInterval {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	err := s.changeWithin(ctx, limited, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE health SET checked_at = $1 WHERE id = 1`, time.Now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// noteWrite notes what came of a write.
func (s *Store) noteWrite(err error) {
	switch now := time.Now(); {
	case err == nil:
		s.wrote.Store(&now)
	case IsUnavailable(err):
		s.wrote.Store(nil)
	}
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
	case errors.Is(err, errReplaced):
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

// knows returns a *NewerError that IsUnavailable where a schema version is newer
// than what this program knows: it must not write half of what belongs to a write.
func (s *Store) knows(version int64) error {
	if version <= s.known.version {
		return nil
	}
	newer := &NewerError{Database: version, Program: s.known.version}
	if !s.outdated.Swap(true) {
		s.log.Error("a newer program has changed the database: this copy only reads from now on", "error", newer)
	}
	return Unavailable(newer)
}

// knowsSchema is knows inside of a transaction that writes. No migration runs until
// that has ended.
func (s *Store) knowsSchema(ctx context.Context, tx *sql.Tx) error {
	if s.file == "" {
		// A statement of its own, so that the next one sees what a migration has left.
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, migrationLock); err != nil {
			return err
		}
	}
	var version int64
	if err := tx.QueryRowContext(ctx, schemaVersion).Scan(&version); err != nil {
		return err
	}
	return s.knows(version)
}

// schemaVersion asks for the version that the migrations have left.
const schemaVersion = `SELECT max(version_id) FROM goose_db_version WHERE is_applied`

// A schema is what the migrations of a folder come to.
type schema struct {
	folder  string
	version int64
	tables  []string
}

// knownSchema reads a folder of migrations.
func knownSchema(folder string) (schema, error) {
	s := schema{folder: folder}
	var err error
	if s.version, err = knownVersion(folder); err != nil {
		return s, err
	}
	files, err := fs.Glob(migrations, folder+"/*.sql")
	if err != nil {
		return s, err
	}
	statement := regexp.MustCompile(`(?mi)^(?:CREATE TABLE|DROP TABLE|ALTER TABLE) (\w+)(?: RENAME TO (\w+))?.*$`)
	tables := map[string]bool{}
	for _, file := range files {
		text, err := fs.ReadFile(migrations, file)
		if err != nil {
			return s, err
		}
		for _, found := range statement.FindAllStringSubmatch(string(text), -1) {
			switch verb := strings.ToUpper(found[0][:1]); {
			case verb == "C":
				tables[found[1]] = true
			case verb == "D":
				delete(tables, found[1])
			case found[2] != "":
				delete(tables, found[1])
				tables[found[2]] = true
			}
		}
	}
	s.tables = slices.Sorted(maps.Keys(tables))
	return s, nil
}

// readsAll returns a statement that reads from each table, and the version.
func (s schema) readsAll() string {
	text := schemaVersion
	for _, table := range s.tables {
		text += ` UNION ALL SELECT * FROM (SELECT 1 FROM ` + table + ` LIMIT 1) AS ` + table
	}
	return text
}
