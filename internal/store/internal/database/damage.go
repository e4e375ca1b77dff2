package database

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

	"expense-dashboard/internal/store/fault"
)

// FreshCopy is the user_version of a copy that no program has started on yet. The
// first one to do so ends every session: those that ended after the copy was made
// would live on.
const FreshCopy = 1

const (
	// quickCheck bounds how long a start looks for damage in a SQLite file that was
	// in use before. A copy that nobody has started on yet is read whole.
	quickCheck = 2 * time.Second
	// checkedFirst is up to how many bytes of such a file that is done before it is
	// used. Of a larger one it is done while people use it.
	checkedFirst = 2 << 20
	// checkDelay is how long that waits for the first readers to be served, who may
	// have waited for the start.
	checkDelay = time.Second
)

// checkFile looks for damage in the SQLite file before anything is written to it,
// and reports whether it is a copy made by Backup that nobody has started on yet.
func (d *DB) checkFile(ctx context.Context) (fresh bool, err error) {
	var version int
	if err := d.write.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return false, fault.AsDamage(d.file, err)
	}
	info, err := os.Stat(d.file)
	switch {
	case err != nil:
		return false, err
	case version == FreshCopy:
		return true, Intact(ctx, d.write, d.file, "integrity_check")
	case info.Size() <= checkedFirst:
		return false, d.checkQuickly(ctx, d.write)
	}
	d.unchecked = true
	return false, nil
}

// checkQuickly looks for damage for a while.
func (d *DB) checkQuickly(ctx context.Context, db *sql.DB) error {
	limited, cancel := context.WithTimeout(ctx, quickCheck)
	defer cancel()
	err := Intact(limited, db, d.file, "quick_check")
	if limited.Err() != nil && ctx.Err() == nil {
		d.log.Debug("the database is too large to be checked whole at each start")
		return nil
	}
	return err
}

// checkBeside looks for damage while people use the file, and ends that where it
// finds some.
func (d *DB) checkBeside() {
	select {
	case <-d.stopped.Done():
		return
	case <-time.After(checkDelay):
	}
	err := d.checkQuickly(d.stopped, d.read)
	if damage := (*fault.DamageError)(nil); errors.As(err, &damage) {
		d.log.Error("database not used any longer", "error", err)
		d.notReady.Store(&err)
	}
}

// Intact returns a *fault.DamageError where one of SQLite's checks finds damage:
// integrity_check, or quick_check, which leaves out what indexes hold.
func Intact(ctx context.Context, db *sql.DB, file, check string) error {
	var found string
	if err := db.QueryRowContext(ctx, `PRAGMA `+check+`(1)`).Scan(&found); err != nil {
		return fault.AsDamage(file, err)
	}
	if found != "ok" {
		return &fault.DamageError{File: file, Err: errors.New(found)}
	}
	return nil
}

// dropOldLog removes the write-ahead log beside a copy that nobody has started on
// yet: it is of the database in whose place the copy was put, and SQLite would
// write what it holds over the copy.
func (d *DB) dropOldLog() error {
	file, err := os.Open(d.file)
	if err != nil {
		return err
	}
	defer file.Close()
	// The database file format, 1.3: user_version is at offset 60.
	header := make([]byte, 64)
	if _, err := io.ReadFull(file, header); err != nil || binary.BigEndian.Uint32(header[60:]) != FreshCopy {
		return nil
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(d.file + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// endRestored ends every session of a copy that is started on for the first time.
func (d *DB) endRestored(ctx context.Context, steps Steps) error {
	var stood int64
	err := d.Transact(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if stood, err = steps.EndSessions(ctx, tx); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `PRAGMA user_version = 0`)
		return err
	})
	if err != nil {
		return fmt.Errorf("end the sessions of a restored copy: %w", err)
	}
	// From here on the log is this file's own, which the file itself has to say.
	if _, err := d.write.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return fmt.Errorf("end the sessions of a restored copy: %w", err)
	}
	d.log.Warn("the database is a copy that was restored: every session that had begun is over", "sessions", stood)
	return nil
}
