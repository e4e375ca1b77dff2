package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"expense-dashboard/internal/store/fault"
)

const (
	// maxLog is how many bytes SQLite's write-ahead log has before it is written to
	// the database and begun anew, which one that somebody reads cannot be. SQLite by
	// itself does so at half of that, when nobody reads.
	maxLog = 8 << 20
	// logPatience bounds the wait for whoever reads it, during which nobody writes, and
	// logPause is how long nobody waits after a wait that was in vain.
	logPatience, logPause = 200 * time.Millisecond, 5 * time.Second
)

// fileSuffixes name the files that an open SQLite database is.
var fileSuffixes = [...]string{"", "-wal", "-shm"}

// fileStates are what there was of a database's files when it was opened; nil where
// that is not known yet.
type fileStates [len(fileSuffixes)]os.FileInfo

// noteFiles notes which files a database is that was opened. The connection that
// keeps it open keeps SQLite from making any of them anew.
func (d *DB) noteFiles(ctx context.Context) error {
	var one int
	if err := d.keeper.QueryRowContext(ctx, `SELECT id FROM health`).Scan(&one); err != nil {
		return err
	}
	var states fileStates
	for i, suffix := range fileSuffixes {
		var err error
		if states[i], err = os.Stat(d.file + suffix); err != nil {
			return err
		}
	}
	d.opened.Store(&states)
	return nil
}

// inPlace returns an error that fault.IsUnavailable where a file of a SQLite database was
// taken away or replaced while it was open: a write would be lost.
func (d *DB) inPlace() error {
	opened := d.opened.Load()
	if opened == nil {
		return nil
	}
	for i, known := range opened {
		if known == nil {
			continue
		}
		name := d.file + fileSuffixes[i]
		switch now, err := os.Stat(name); {
		case err != nil:
			if i == 1 && errors.Is(err, fs.ErrNotExist) {
				d.saveLog()
			}
			return fault.Unavailable(fmt.Errorf("%w: %w", fault.ErrReplaced, err))
		case !os.SameFile(now, known):
			return fault.Unavailable(fmt.Errorf("%w: another file took the place of %s: restart to use it", fault.ErrReplaced, name))
		}
	}
	return nil
}

// saveLog writes to the database, once, what is in a log that was deleted: SQLite
// has it open yet, and whoever starts next would not find it.
func (d *DB) saveLog() {
	if d.saved.Swap(true) {
		return
	}
	var blocked, pages, written int
	err := d.keeper.QueryRowContext(d.stopped, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&blocked, &pages, &written)
	d.log.Error("the database's write-ahead log was deleted: restart", "log", d.file+"-wal", "written", written, "of", pages, "error", err)
}

// boundLog begins the log of a SQLite database anew where it has grown, by a reader
// that took its time or by one large write.
func (d *DB) boundLog() {
	if d.file == "" {
		return
	}
	log, err := os.Stat(d.file + "-wal")
	if err != nil || log.Size() <= maxLog || !d.bounding.TryLock() {
		return
	}
	defer d.bounding.Unlock()
	if time.Now().Before(d.boundAgain) {
		return
	}
	// What cannot be done now is done after another write.
	var blocked, pages, written int
	err = d.keeper.QueryRowContext(d.stopped, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&blocked, &pages, &written)
	if err != nil || blocked != 0 {
		d.boundAgain = time.Now().Add(logPause)
		d.log.Debug("write-ahead log not begun anew", "pages", pages, "written", written, "error", err)
	}
}
