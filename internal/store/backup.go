package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Backup writes a consistent copy of a SQLite database to a new file that nobody
// else may read, while programs go on using the database. PostgreSQL has a tool
// of its own for that, which the error names.
func Backup(ctx context.Context, databaseURL, destination string) (err error) {
	file, ok := strings.CutPrefix(databaseURL, "sqlite:")
	if !ok {
		return errors.New("backup copies a SQLite database: for PostgreSQL use pg_dump --format=custom and pg_restore")
	}
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	// The empty file takes the permissions that the copy keeps, and its name is
	// taken by nobody else from here on.
	target, err := os.OpenFile(destination, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("backup: %s is there already: name a new file", destination)
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := target.Close(); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	// SQLite takes a name that starts with file: for a URL, and no absolute path does.
	absolute, err := filepath.Abs(destination)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	db, err := sql.Open("sqlite", sqliteName(file, "&mode=rw"))
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if _, err = db.ExecContext(ctx, `VACUUM INTO $1`, absolute); err != nil {
		err = fmt.Errorf("backup: %w", err)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return errors.Join(err, os.Remove(destination))
	}
	return nil
}
