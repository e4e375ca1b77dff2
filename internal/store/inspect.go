package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	goose "github.com/pressly/goose/v3"
)

// State is what there is of a database.
type State struct {
	Missing        bool  // there is nothing of the program's yet
	Version, Known int64 // of the schema: the database's, zero for none, and this program's
	Pooled         bool  // something like PgBouncer was found before PostgreSQL
	// Of a database whose schema is this program's:
	WrongSums int64            // rows of sums that are not those of the expenses
	Sampled   bool             // there are so many expenses that a part of them was compared
	Issuers   map[string]int64 // how many people have signed in by each issuer's host, joined ones not counted
	Currency  string           // of the expenses, by ISO 4217; empty where there are none
	Unindexed bool             // PostgreSQL lacks pg_trgm, without which a search reads every expense
}

// examineTimeout bounds the comparing of the sums with the rows.
const examineTimeout = time.Minute

// Inspect looks at a database without changing anything: it makes no
// file, takes no lock and migrates nothing. Its errors never hold a password.
func Inspect(ctx context.Context, databaseURL string) (state State, err error) {
	defer func() { err = inWords(databaseURL, err) }()
	// Opening connects to nothing yet, and says what is wrong with the URL.
	s, err := Open(databaseURL, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return State{}, fmt.Errorf("DATABASE_URL is %w", err)
	}
	defer s.Close()
	if s.file != "" {
		return inspectSQLite(ctx, s.file, s.known)
	}
	limited, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if err := checkEncoding(limited, s.read); err != nil {
		return State{}, err
	}
	state, err = examine(ctx, s.read, s.known, postgresMigrated)
	state.Pooled = s.pooler.found.Load()
	if err == nil && state.Version == state.Known {
		err = s.read.QueryRowContext(limited, `SELECT to_regclass('expenses_words') IS NULL`).Scan(&state.Unindexed)
	}
	return state, err
}

// examine is inspectWith, and looks at what is derived in a database whose schema is
// this program's.
func examine(ctx context.Context, db *sql.DB, known schema, migrated string) (State, error) {
	limited, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	state, err := inspectWith(limited, db, known, migrated)
	if err != nil || state.Missing || state.Version != state.Known {
		return state, err
	}
	limited, cancel = context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	if state.WrongSums, state.Sampled, err = wrongSums(limited, db); err != nil {
		return state, err
	}
	err = db.QueryRowContext(limited, `SELECT COALESCE((SELECT value FROM settings WHERE name = 'currency' AND EXISTS (SELECT 1 FROM expenses)), '')`).Scan(&state.Currency)
	if err != nil {
		return state, err
	}
	state.Issuers = map[string]int64{}
	rows, err := db.QueryContext(limited, `SELECT issuer, COUNT(*) FROM people WHERE subject <> '' AND joined IS NULL GROUP BY issuer`)
	if err != nil {
		return state, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			host   string
			people int64
		)
		if err := rows.Scan(&host, &people); err != nil {
			return state, err
		}
		state.Issuers[host] = people
	}
	return state, rows.Err()
}

// What tells whether a database has any migrations.
const (
	postgresMigrated = `SELECT to_regclass('goose_db_version') IS NOT NULL`
	sqliteMigrated   = `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'goose_db_version')`
)

// newer returns a *NewerError where the database's schema is.
func (s State) newer() error {
	if s.Version > s.Known {
		return &NewerError{Database: s.Version, Program: s.Known}
	}
	return nil
}

func inspectSQLite(ctx context.Context, file string, known schema) (State, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Dir(file)); err != nil {
			return State{}, err
		}
		return State{Missing: true}, nil
	}
	writable, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return State{}, err
	}
	if err := writable.Close(); err != nil {
		return State{}, err
	}
	// Without a write-ahead log nobody has the file open, and SQLite would make
	// one to read it unless it is told so.
	settings := "&mode=ro&immutable=1"
	if _, err := os.Stat(file + "-wal"); err == nil {
		settings = "&mode=ro"
	}
	db, err := sql.Open("sqlite", sqliteName(file, settings))
	if err != nil {
		return State{}, err
	}
	defer db.Close()
	state, err := examine(ctx, db, known, sqliteMigrated)
	return state, asDamage(file, err)
}

// inspectWith reads the version that a database's migrations have left. The
// query tells whether there were any.
func inspectWith(ctx context.Context, db *sql.DB, known schema, migrated string) (state State, err error) {
	state.Known = known.version
	var begun bool
	if err := db.QueryRowContext(ctx, migrated).Scan(&begun); err != nil || !begun {
		state.Missing = !begun
		return state, err
	}
	err = db.QueryRowContext(ctx, schemaVersion).Scan(&state.Version)
	return state, err
}

// knownVersion is the version of the last migration that the program holds.
func knownVersion(folder string) (latest int64, err error) {
	files, err := fs.ReadDir(migrations, folder)
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		version, err := goose.NumericComponent(file.Name())
		if err != nil {
			return 0, err
		}
		latest = max(latest, version)
	}
	return latest, nil
}
