package database

import (
	"context"
	"database/sql"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	goose "github.com/pressly/goose/v3"

	"expense-dashboard/internal/store/fault"
)

// schemaVersion asks for the version that the migrations have left.
const schemaVersion = `SELECT max(version_id) FROM goose_db_version WHERE is_applied`

// A Schema is what the migrations of a folder come to.
type Schema struct {
	folder  string
	version int64
	tables  []string
}

// knownSchema reads a folder of migrations.
func knownSchema(folder string) (Schema, error) {
	s := Schema{folder: folder}
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

// readsAll returns a statement that reads from each table, and the version.
func (s Schema) readsAll() string {
	text := schemaVersion
	for _, table := range s.tables {
		text += ` UNION ALL SELECT * FROM (SELECT 1 FROM ` + table + ` LIMIT 1) AS ` + table
	}
	return text
}

// State is how far a database's migrations have come.
type State struct {
	Missing        bool  // there is nothing of the program's yet
	Version, Known int64 // of the schema: the database's, zero for none, and this program's
}

// newer returns a *fault.NewerError where the database's schema is.
func (s State) newer() error {
	if s.Version > s.Known {
		return &fault.NewerError{Database: s.Version, Program: s.Known}
	}
	return nil
}

// migrated returns what asks a database of a folder whether it has any migrations.
func migrated(folder string) string {
	if folder == "migrations/postgres" {
		return `SELECT to_regclass('goose_db_version') IS NOT NULL`
	}
	return `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'goose_db_version')`
}

// Inspect reads the version that a database's migrations have left.
func (s Schema) Inspect(ctx context.Context, db *sql.DB) (state State, err error) {
	state.Known = s.version
	var begun bool
	if err := db.QueryRowContext(ctx, migrated(s.folder)).Scan(&begun); err != nil || !begun {
		state.Missing = !begun
		return state, err
	}
	err = db.QueryRowContext(ctx, schemaVersion).Scan(&state.Version)
	return state, err
}

// knows returns a *fault.NewerError that fault.IsUnavailable where a schema version is
// newer than what this program knows: it must not write half of what belongs to a write.
func (d *DB) knows(version int64) error {
	if version <= d.known.version {
		return nil
	}
	newer := &fault.NewerError{Database: version, Program: d.known.version}
	if !d.outdated.Swap(true) {
		d.log.Error("a newer program has changed the database: this copy only reads from now on", "error", newer)
	}
	return fault.Unavailable(newer)
}

// knowsSchema is knows inside of a transaction that writes. No migration runs until
// that has ended.
func (d *DB) knowsSchema(ctx context.Context, tx *sql.Tx) error {
	if d.file == "" {
		// A statement of its own, so that the next one sees what a migration has left.
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, migrationLock); err != nil {
			return err
		}
	}
	var version int64
	if err := tx.QueryRowContext(ctx, schemaVersion).Scan(&version); err != nil {
		return err
	}
	return d.knows(version)
}
