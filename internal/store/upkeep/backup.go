package upkeep

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/internal/database"
)

// Copy is what a backup holds.
type Copy struct {
	Expenses, People int64     // that stand; who has any
	At               time.Time // that it is a copy of
	Bytes            int64
}

// BackupError is a backup that can be made by another command line only. Its text is
// for who typed this one.
type BackupError struct{ Text string }

// Error implements error.
func (e *BackupError) Error() string { return "backup: " + e.Text }

// Backup writes a consistent copy of a SQLite database to a new file that nobody
// else may read, while programs go on using the database, and says what the copy
// holds. It is written under another name beside the file's, checked whole and put
// on the disk before it has the name. PostgreSQL has a tool of its own for that,
// which the error names.
func Backup(ctx context.Context, databaseURL, destination string) (held Copy, err error) {
	file, ok := strings.CutPrefix(databaseURL, "sqlite:")
	if !ok {
		return Copy{}, &BackupError{"this command copies a SQLite database: for PostgreSQL use pg_dump --format=custom, and to restore pg_restore and expense-dashboard end-sessions"}
	}
	defer func() { err = inWords(databaseURL, err) }()
	if _, err := os.Stat(file); err != nil {
		return Copy{}, fmt.Errorf("backup: %w", err)
	}
	if err := checkDestination(destination); err != nil {
		return Copy{}, err
	}
	// SQLite takes a name that starts with file: for a URL, and no absolute path does.
	destination, err = filepath.Abs(destination)
	if err != nil {
		return Copy{}, fmt.Errorf("backup: %w", err)
	}
	folder, name := filepath.Split(destination)
	partial, err := os.CreateTemp(folder, "."+name+".*.partial")
	if err != nil {
		return Copy{}, &BackupError{"no file can be made in the folder " + filepath.Clean(folder) + ": let the user that runs this write there, or name a file elsewhere"}
	}
	defer func() {
		if removed := os.Remove(partial.Name()); !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}()
	defer partial.Close()
	held.At = time.Now().UTC().Truncate(time.Second)
	if err := copyInto(ctx, file, partial.Name()); err != nil {
		return Copy{}, fmt.Errorf("backup: %w", copyError(file, folder, err))
	}
	if err := held.check(ctx, partial.Name()); err != nil {
		return Copy{}, fmt.Errorf("backup: the copy: %w", err)
	}
	info, err := partial.Stat()
	if err != nil {
		return Copy{}, fmt.Errorf("backup: %w", err)
	}
	held.Bytes = info.Size()
	if err := publish(partial, destination); err != nil {
		return Copy{}, &AccessError{Found: "the copy cannot be kept in the folder " + filepath.Clean(folder), Fix: "see that its disk works, or name a file elsewhere", err: err}
	}
	return held, nil
}

// checkDestination returns a *BackupError where a copy cannot have a name.
func checkDestination(name string) error {
	info, err := os.Lstat(name)
	switch folder, base := filepath.Split(name); {
	case name == "":
		return &BackupError{"the name of the file is empty: name a new file"}
	case err == nil && info.IsDir():
		return &BackupError{name + " is a folder: name a new file in it"}
	case err == nil:
		return &BackupError{name + " is there already: name a new file"}
	case folder != "" && !isFolder(folder):
		return &BackupError{"there is no folder " + filepath.Clean(folder) + ": make it, or name a file elsewhere"}
	case base == "":
		return &BackupError{"no file can have the name " + name + ": name a new file"}
	}
	return nil
}

// copyInto copies a database into an empty file.
func copyInto(ctx context.Context, file, to string) (err error) {
	db, err := sql.Open("sqlite", database.SQLiteName(file, "&mode=rw"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, to)
	return err
}

// copyError tells a file that is no whole database and a disk without room for the
// copy from all else.
func copyError(file, folder string, err error) error {
	var lite *sqlite.Error
	if errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_FULL {
		return &AccessError{Found: "the disk of " + filepath.Clean(folder) + " is full", Fix: "make room on it, or name a file elsewhere", err: err}
	}
	return fault.AsDamage(file, err)
}

// check reads a copy whole, and notes in it that it is one.
func (c *Copy) check(ctx context.Context, file string) (err error) {
	db, err := sql.Open("sqlite", database.SQLiteName(file, "&mode=rw"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := database.Intact(ctx, db, file, "integrity_check"); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, database.FreshCopy)); err != nil {
		return err
	}
	return db.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(DISTINCT person) FROM expenses WHERE deleted_at IS NULL`).Scan(&c.Expenses, &c.People)
}

// publish puts a file that was written on the disk and gives it its name, unless
// another one has that by now.
func publish(partial *os.File, destination string) error {
	if err := partial.Sync(); err != nil {
		return err
	}
	// A link never takes another file's place; some file systems have none.
	err := os.Link(partial.Name(), destination)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(partial.Name(), destination)
	}
	if err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(destination))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
