// Package upkeep is what is done to a database as a whole by whoever keeps it: to look at
// it (inspect.go), copy it (backup.go), make what is derived right (repair.go) and end
// every session (sessions.go). Each function takes a DATABASE_URL, and its errors are
// words for who typed a command (access.go): they never hold a password. Programs may go
// on using the database meanwhile.
package upkeep

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/internal/database"
)

// State is what there is of a database.
type State struct {
	database.State
	Pooled bool // something like PgBouncer was found before PostgreSQL
	// Of a database whose schema is this program's:
	WrongSums int64            // rows of sums that are not those of the expenses
	Sampled   bool             // there are so many expenses that a part of them was compared
	Issuers   map[string]int64 // how many people have signed in by each issuer's host, joined ones not counted
	Currency  string           // of the expenses, by ISO 4217; empty where there are none
	Unindexed bool             // PostgreSQL lacks pg_trgm, without which a search reads every expense
}

// Unencrypted reports whether a DATABASE_URL reaches PostgreSQL on another host and
// leaves open whether what is said on the way can be read and changed there.
func Unencrypted(databaseURL string) bool { return database.Unencrypted(databaseURL) }

// examineTimeout bounds the comparing of the sums with the rows.
const examineTimeout = time.Minute

// Inspect looks at a database without changing anything: it makes no
// file, takes no lock and migrates nothing. Its errors never hold a password.
func Inspect(ctx context.Context, databaseURL string) (state State, err error) {
	defer func() { err = inWords(databaseURL, err) }()
	// Opening connects to nothing yet, and says what is wrong with the URL.
	s, err := database.Open(databaseURL, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		found, fix, _ := strings.Cut(err.Error(), ": write ")
		return State{}, &AccessError{Found: "DATABASE_URL is " + found, Fix: "write " + fix, Misset: true, err: err}
	}
	defer s.Close()
	if s.File() != "" {
		return inspectSQLite(ctx, s.File(), s.Known())
	}
	limited, cancel := context.WithTimeout(ctx, database.QueryTimeout)
	defer cancel()
	if err := database.CheckEncoding(limited, s.Read()); err != nil {
		return State{}, err
	}
	state, err = examine(ctx, s.Read(), s.Known())
	state.Pooled = s.Pooled()
	if err == nil && state.Version == state.Known {
		err = s.Read().QueryRowContext(limited, `SELECT to_regclass('expenses_words') IS NULL`).Scan(&state.Unindexed)
	}
	return state, err
}

// examine is inspect, and looks at what is derived in a database whose schema is
// this program's.
func examine(ctx context.Context, db *sql.DB, known database.Schema) (State, error) {
	limited, cancel := context.WithTimeout(ctx, database.QueryTimeout)
	defer cancel()
	at, err := known.Inspect(limited, db)
	state := State{State: at}
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

func inspectSQLite(ctx context.Context, file string, known database.Schema) (State, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Dir(file)); err != nil {
			return State{}, err
		}
		return State{State: database.State{Missing: true}}, nil
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
	db, err := sql.Open("sqlite", database.SQLiteName(file, settings))
	if err != nil {
		return State{}, err
	}
	defer db.Close()
	state, err := examine(ctx, db, known)
	return state, fault.AsDamage(file, err)
}
