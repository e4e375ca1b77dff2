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
func (s *DB) Start(ctx context.Context, steps Steps) error {
	if s.unencrypted {
		s.log.Warn("DATABASE_URL leads to another host without sslmode: what is read and written may be seen and changed on the way; add sslmode=verify-full")
	}
	err := s.Prepare(ctx, steps)
	if !fault.IsUnavailable(err) {
		return err
	}
	s.log.Warn("database unavailable at start, trying again until it serves", "error", err)
	s.preparing.Go(func() { s.prepareUntilDone(steps) })
	return nil
}

// maxPrepareInterval is the longest wait between two attempts to prepare the
// database.
const maxPrepareInterval = 30 * time.Second

// prepareUntilDone prepares the database at growing intervals.
func (s *DB) prepareUntilDone(steps Steps) {
	for interval := time.Second; ; interval = min(2*interval, maxPrepareInterval) {
		select {
		case <-s.stopped.Done():
			return
		case <-time.After(interval):
		}
		err := s.Prepare(s.stopped, steps)
		if err == nil {
			s.log.Info("database ready")
			return
		}
		s.log.Warn("database still not ready", "error", err)
	}
}

// Prepare makes the database ready, or leaves it with the reason why it is not.
func (s *DB) Prepare(ctx context.Context, steps Steps) error {
	limited, cancel := context.WithTimeout(ctx, PrepareTimeout)
	defer cancel()
	err := s.migrate(limited, steps)
	if err == nil {
		err = steps.Fill(limited)
	}
	err = s.outcome(ctx, err)
	s.notReady.Store(&err)
	if err == nil && s.unchecked {
		// Not before: what it finds stands.
		s.unchecked = false
		s.preparing.Go(s.checkBeside)
	}
	return err
}

// folder is where the migrations are for this kind of database.
func (s *DB) folder() string {
	if s.file == "" {
		return "migrations/postgres"
	}
	return "migrations/sqlite"
}

// migrate runs the migrations that the database lacks, under a lock, so that two
// programs starting together do no harm.
func (s *DB) migrate(ctx context.Context, steps Steps) error {
	if s.file == "" {
		return s.migrateServer(ctx)
	}
	first := s.opened.Load() == nil
	if err := s.createFile(); err != nil {
		return fault.Unavailable(err)
	}
	return s.underFileLock(ctx, func() error {
		if first {
			if err := s.dropOldLog(); err != nil {
				return fault.Unavailable(err)
			}
		}
		return s.migrateFile(ctx, steps)
	})
}

// migrateServer is migrate for PostgreSQL. Where nothing is to be done it takes no
// lock, for which writers would have to wait.
func (s *DB) migrateServer(ctx context.Context) error {
	if err := CheckEncoding(ctx, s.write); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	state, err := s.known.Inspect(ctx, s.write)
	switch {
	case err != nil:
		return fmt.Errorf("migrate: %w", err)
	case !state.Missing && state.Version >= state.Known:
		return state.newer()
	}
	return s.underAdvisoryLock(ctx, func() error { return s.migrateWith(ctx, goose.DialectPostgres) })
}

// migrateFile is migrate for SQLite.
func (s *DB) migrateFile(ctx context.Context, steps Steps) error {
	fresh, err := s.checkFile(ctx)
	if err != nil {
		return err
	}
	if _, err := s.write.ExecContext(ctx, `PRAGMA journal_mode = WAL`); err != nil {
		return fmt.Errorf("write-ahead log: %w", err)
	}
	if err := s.migrateWith(ctx, goose.DialectSQLite3); err != nil {
		return err
	}
	if fresh {
		if err := s.endRestored(ctx, steps); err != nil {
			return err
		}
	}
	return s.noteFiles(ctx)
}

// migrateWith runs the migrations under a lock that is held.
func (s *DB) migrateWith(ctx context.Context, dialect goose.Dialect) error {
	files, err := fs.Sub(migrations, s.known.folder)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	provider, err := goose.NewProvider(dialect, s.write, files, goose.WithDisableGlobalRegistry(true), goose.WithSlog(s.log))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	for _, result := range results {
		s.log.Info("database migrated", "version", result.Source.Version, "took", result.Duration)
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
func (s *DB) createFile() error {
	for _, name := range []string{s.file, s.file + "-lock"} {
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
	s.closeToOthers()
	info, err := os.Stat(s.file)
	if err != nil {
		return err
	}
	s.opened.Store(&fileStates{info})
	return nil
}

// closeToOthers takes everybody else's rights to the files of an older program or
// of a copy, where they are this program's to give.
func (s *DB) closeToOthers() {
	for _, suffix := range []string{"", "-lock", "-wal", "-shm", "-journal"} {
		info, err := os.Stat(s.file + suffix)
		if err != nil || info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err := os.Chmod(s.file+suffix, info.Mode().Perm()&0o700); err != nil {
			s.log.Warn("others may read a file of the database", "file", s.file+suffix, "error", err)
		}
	}
}

// underFileLock runs fn while no other program does so for the same SQLite file.
// The lock is SQLite's own, on an empty file beside the database, because a lock
// on the database would keep the migrations themselves out. It ends with the
// process, whatever ends that.
func (s *DB) underFileLock(ctx context.Context, fn func() error) (err error) {
	db, err := sql.Open("sqlite", SQLiteName(s.file+"-lock", "&_txlock=exclusive"))
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
