package database

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	goose "github.com/pressly/goose/v3"

	"expense-dashboard/internal/store/fault"
)

// PrepareTimeout bounds one attempt to bring a database up to date. A migration may
// have to write each of some million rows anew.
const PrepareTimeout = 15 * time.Minute

//go:embed migrations
var migrations embed.FS

// Steps are what those do who keep something in a database before it is used. They may
// be taken again where the database went away meanwhile.
type Steps struct {
	// EndSessions ends every session of a copy that was restored, and counts those that
	// stood.
	EndSessions func(ctx context.Context, tx *sql.Tx) (stood int64, err error)
	// Fill puts in what the migrations cannot.
	Fill func(ctx context.Context) error
}

// Start brings the database up to date. Where it does not serve now, Start logs that
// and returns nil: calls end with an error that fault.IsUnavailable, and the DB goes on
// trying until it is prepared or closed. Any other error is lasting, a
// *fault.NewerError among them.
func (d *DB) Start(ctx context.Context, steps Steps) error {
	if d.unencrypted {
		d.log.Warn("DATABASE_URL leads to another host without sslmode: what is read and written may be seen and changed on the way; add sslmode=verify-full")
	}
	err := d.Prepare(ctx, steps)
	if !fault.IsUnavailable(err) {
		return err
	}
	d.log.Warn("database unavailable at start, trying again until it serves", "error", err)
	d.preparing.Go(func() { d.prepareUntilDone(steps) })
	return nil
}

// maxPrepareInterval is the longest wait between two attempts to prepare the
// database.
const maxPrepareInterval = 30 * time.Second

// prepareUntilDone prepares the database at growing intervals.
func (d *DB) prepareUntilDone(steps Steps) {
	for interval := time.Second; ; interval = min(2*interval, maxPrepareInterval) {
		select {
		case <-d.stopped.Done():
			return
		case <-time.After(interval):
		}
		err := d.Prepare(d.stopped, steps)
		if err == nil {
			d.log.Info("database ready")
			return
		}
		d.log.Warn("database still not ready", "error", err)
	}
}

// Prepare makes the database ready, or leaves it with the reason why it is not.
func (d *DB) Prepare(ctx context.Context, steps Steps) error {
	limited, cancel := context.WithTimeout(ctx, PrepareTimeout)
	defer cancel()
	err := d.migrate(limited, steps)
	if err == nil {
		err = steps.Fill(limited)
	}
	err = d.outcome(ctx, err)
	d.notReady.Store(&err)
	if err == nil && d.unchecked {
		// Not before: what it finds stands.
		d.unchecked = false
		d.preparing.Go(d.checkBeside)
	}
	return err
}

// folder is where the migrations are for this kind of database.
func (d *DB) folder() string {
	if d.file == "" {
		return "migrations/postgres"
	}
	return "migrations/sqlite"
}

// migrate runs the migrations that the database lacks, under a lock, so that two
// programs starting together do no harm.
func (d *DB) migrate(ctx context.Context, steps Steps) error {
	if d.file == "" {
		return d.migrateServer(ctx)
	}
	first := d.opened.Load() == nil
	if err := d.createFile(); err != nil {
		return fault.Unavailable(err)
	}
	return d.underFileLock(ctx, func() error {
		if first {
			if err := d.dropOldLog(); err != nil {
				return fault.Unavailable(err)
			}
		}
		return d.migrateFile(ctx, steps)
	})
}

// migrateServer is migrate for PostgreSQL. Where nothing is to be done it takes no
// lock, for which writers would have to wait.
func (d *DB) migrateServer(ctx context.Context) error {
	if err := CheckEncoding(ctx, d.write); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if done, err := d.isMigrated(ctx); done || err != nil {
		return err
	}
	return d.underAdvisoryLock(ctx, func() error { return d.migrateWith(ctx, goose.DialectPostgres) })
}

// isMigrated reports whether there is nothing to do; the error is a *fault.NewerError
// where that is so because a newer program was there.
func (d *DB) isMigrated(ctx context.Context) (bool, error) {
	state, err := d.known.Inspect(ctx, d.write)
	if err != nil {
		return false, fmt.Errorf("migrate: %w", err)
	}
	return !state.Missing && state.Version >= state.Known, state.newer()
}

// migrateFile is migrate for SQLite.
func (d *DB) migrateFile(ctx context.Context, steps Steps) error {
	fresh, err := d.checkFile(ctx)
	if err != nil {
		return err
	}
	if _, err := d.write.ExecContext(ctx, `PRAGMA journal_mode = WAL`); err != nil {
		return fmt.Errorf("write-ahead log: %w", err)
	}
	if err := d.migrateWith(ctx, goose.DialectSQLite3); err != nil {
		return err
	}
	if fresh {
		if err := d.endRestored(ctx, steps); err != nil {
			return err
		}
	}
	return d.noteFiles(ctx)
}

// migrateWith runs the migrations under a lock that is held. Most starts find nothing to
// do, and read none of them.
func (d *DB) migrateWith(ctx context.Context, dialect goose.Dialect) error {
	if done, err := d.isMigrated(ctx); done || err != nil {
		return err
	}
	files, err := fs.Sub(migrations, d.known.folder)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	provider, err := goose.NewProvider(dialect, d.write, files, goose.WithDisableGlobalRegistry(true), goose.WithSlog(d.log))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	for _, result := range results {
		d.log.Info("database migrated", "version", result.Source.Version, "took", result.Duration)
	}
	database, program, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return State{Version: database, Known: program}.newer()
}

// createFile makes the SQLite file, and the one beside it that is locked, unless
// they are there, and remembers which file it is. Nobody else may read either, nor
// what SQLite puts beside them, which has their permissions.
func (d *DB) createFile() error {
	for _, name := range []string{d.file, d.file + "-lock"} {
		file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		switch {
		case err == nil:
			err = file.Close()
		case errors.Is(err, fs.ErrExist):
			err = nil
		}
		if err != nil {
			return err
		}
	}
	d.closeToOthers()
	info, err := os.Stat(d.file)
	if err != nil {
		return err
	}
	d.opened.Store(&fileStates{info})
	return nil
}

// closeToOthers takes everybody else's rights to the files of an older program or
// of a copy, where they are this program's to give.
func (d *DB) closeToOthers() {
	for _, suffix := range []string{"", "-lock", "-wal", "-shm", "-journal"} {
		info, err := os.Stat(d.file + suffix)
		if err != nil || info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err := os.Chmod(d.file+suffix, info.Mode().Perm()&0o700); err != nil {
			d.log.Warn("others may read a file of the database", "file", d.file+suffix, "error", err)
		}
	}
}

// underFileLock runs fn while no other program does so for the same SQLite file.
// The lock is SQLite's own, on an empty file beside the database, because a lock
// on the database would keep the migrations themselves out. It ends with the
// process, whatever ends that.
func (d *DB) underFileLock(ctx context.Context, fn func() error) (err error) {
	db, err := sql.Open("sqlite", SQLiteName(d.file+"-lock", "&_txlock=exclusive"))
	if err != nil {
		return fmt.Errorf("migration lock: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("migration lock: %w", err)
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	return fn()
}
