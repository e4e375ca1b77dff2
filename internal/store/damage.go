package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// quickCheck bounds how long a start looks for damage in a SQLite file that was
	// in use before. A copy that nobody has started on yet is read whole.
	quickCheck = 2 * time.Second
	// checkedFirst is up to how many bytes of such a file that is done before it is
	// used. Of a larger one it is done while people use it.
	checkedFirst = 2 << 20
)

// DamageError is a SQLite file that is not whole: a copy that was cut off, most
// likely. Nothing of it can be trusted.
type DamageError struct {
	File string
	Err  error
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s is damaged, as a copy is that was cut off: %v: %s", e.File, e.Err, e.Fix())
}

func (e *DamageError) Unwrap() error { return e.Err }

// Fix says what to do about it.
func (e *DamageError) Fix() string { return "restore a copy that expense-dashboard backup made" }

// asDamage makes err, which may be nil, a *DamageError where it says that a
// SQLite file is not whole or none at all.
func asDamage(file string, err error) error {
	var lite *sqlite.Error
	if errors.As(err, &lite) && (lite.Code()&0xff == sqlite3.SQLITE_CORRUPT || lite.Code()&0xff == sqlite3.SQLITE_NOTADB) {
		return &DamageError{file, err}
	}
	return err
}

// checkFile looks for damage in the SQLite file before anything is written to it,
// and reports whether it is a copy made by Backup that nobody has started on yet.
func (s *Store) checkFile(ctx context.Context) (fresh bool, err error) {
	var version int
	if err := s.write.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return false, asDamage(s.file, err)
	}
	info, err := os.Stat(s.file)
	switch {
	case err != nil:
		return false, err
	case version == freshCopy:
		return true, intact(ctx, s.write, s.file, "integrity_check")
	case info.Size() <= checkedFirst:
		return false, s.checkQuickly(ctx, s.write)
	}
	s.preparing.Go(s.checkBeside)
	return false, nil
}

// checkQuickly looks for damage for a while.
func (s *Store) checkQuickly(ctx context.Context, db *sql.DB) error {
	limited, cancel := context.WithTimeout(ctx, quickCheck)
	defer cancel()
	err := intact(limited, db, s.file, "quick_check")
	if limited.Err() != nil && ctx.Err() == nil {
		s.log.Debug("the database is too large to be checked whole at each start")
		return nil
	}
	return err
}

// checkBeside looks for damage while people use the file, and ends that where it
// finds some.
func (s *Store) checkBeside() {
	err := s.checkQuickly(s.stopped, s.read)
	if damage := (*DamageError)(nil); errors.As(err, &damage) {
		s.log.Error("database not used any longer", "error", err)
		s.notReady.Store(&err)
	}
}

// intact returns a *DamageError where one of SQLite's checks finds damage:
// integrity_check, or quick_check, which leaves out what indexes hold.
func intact(ctx context.Context, db *sql.DB, file, check string) error {
	var found string
	if err := db.QueryRowContext(ctx, `PRAGMA `+check+`(1)`).Scan(&found); err != nil {
		return asDamage(file, err)
	}
	if found != "ok" {
		return &DamageError{file, errors.New(found)}
	}
	return nil
}

// dropOldLog removes the write-ahead log beside a copy that nobody has started on
// yet: it is of the database in whose place the copy was put, and SQLite would
// write what it holds over the copy.
func (s *Store) dropOldLog() error {
	file, err := os.Open(s.file)
	if err != nil {
		return err
	}
	defer file.Close()
	// The database file format, 1.3: user_version is at offset 60.
	header := make([]byte, 64)
	if _, err := io.ReadFull(file, header); err != nil || binary.BigEndian.Uint32(header[60:]) != freshCopy {
		return nil
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(s.file + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// endRestored ends every session of a copy that is started on for the first time.
func (s *Store) endRestored(ctx context.Context) error {
	var stood int64
	err := s.transact(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if stood, err = endEvery(ctx, tx, "restored"); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `PRAGMA user_version = 0`)
		return err
	})
	if err != nil {
		return fmt.Errorf("end the sessions of a restored copy: %w", err)
	}
	// From here on the log is this file's own, which the file itself has to say.
	if _, err := s.write.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return fmt.Errorf("end the sessions of a restored copy: %w", err)
	}
	s.log.Warn("the database is a copy that was restored: every session that had begun is over", "sessions", stood)
	return nil
}
