package store

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

	"expense-dashboard/internal/expense"
)

// prepareTimeout bounds one attempt to bring a database up to date. A migration may
// have to write each of some million rows anew.
const prepareTimeout = 15 * time.Minute

//go:embed migrations
var migrations embed.FS

// NewerError is a database that a newer program has changed. This one would not
// understand it and leaves it alone.
type NewerError struct {
	Database, Program int64 // the versions of the schema
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the database has schema version %d and this program knows versions up to %d: run the newer program, or restore a backup from before the update",
		e.Database, e.Program)
}

// Start brings the database up to date and, where sample is set and there are no
// expenses, fills in the sample. Where the database does not serve now, Start
// logs that and returns nil: calls end with an error that IsUnavailable, and the
// store goes on trying until it is prepared or closed. Any other error is lasting,
// a *NewerError among them.
func (s *Store) Start(ctx context.Context, sample bool) error {
	if s.unencrypted {
		s.log.Warn("DATABASE_URL leads to another host without sslmode: what is read and written may be seen and changed on the way; add sslmode=verify-full")
	}
	err := s.prepare(ctx, sample)
	if !IsUnavailable(err) {
		return err
	}
	s.log.Warn("database unavailable at start, trying again until it serves", "error", err)
	s.preparing.Go(func() { s.prepareUntilDone(sample) })
	return nil
}

// maxPrepareInterval is the longest wait between two attempts to prepare the
// database.
const maxPrepareInterval = 30 * time.Second

// prepareUntilDone prepares the database at growing intervals.
func (s *Store) prepareUntilDone(sample bool) {
	for interval := time.Second; ; interval = min(2*interval, maxPrepareInterval) {
		select {
		case <-s.stopped.Done():
			return
		case <-time.After(interval):
		}
		err := s.prepare(s.stopped, sample)
		if err == nil {
			s.log.Info("database ready")
			return
		}
		s.log.Warn("database still not ready", "error", err)
	}
}

// prepare makes the store ready, or leaves it with the reason why it is not.
func (s *Store) prepare(ctx context.Context, sample bool) error {
	limited, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	err := s.migrate(limited)
	if err == nil {
		err = s.transact(limited, s.agreeOnCurrency)
	}
	if err == nil {
		err = s.fold(limited)
	}
	if err == nil && sample {
		err = s.transact(limited, func(ctx context.Context, tx *sql.Tx) error {
			return fillSample(ctx, tx, expense.DateOf(time.Now()), s.currency)
		})
	}
	err = s.outcome(ctx, err)
	s.notReady.Store(&err)
	return err
}

// folder is where the migrations are for this kind of database.
func (s *Store) folder() string {
	if s.file == "" {
		return "migrations/postgres"
	}
	return "migrations/sqlite"
}

// migrate runs the migrations that the database lacks, under a lock, so that two
// programs starting together do no harm.
func (s *Store) migrate(ctx context.Context) error {
	if s.file == "" {
		return s.migrateServer(ctx)
	}
	first := s.opened.Load() == nil
	if err := s.createFile(); err != nil {
		return Unavailable(err)
	}
	return s.underFileLock(ctx, func() error {
		if first {
			if err := s.dropOldLog(); err != nil {
				return Unavailable(err)
			}
		}
		return s.migrateFile(ctx)
	})
}

// migrateServer is migrate for PostgreSQL. Where nothing is to be done it takes no
// lock, for which writers would have to wait.
func (s *Store) migrateServer(ctx context.Context) error {
	if err := checkEncoding(ctx, s.write); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	state, err := inspectWith(ctx, s.write, s.known, postgresMigrated)
	switch {
	case err != nil:
		return fmt.Errorf("migrate: %w", err)
	case !state.Missing && state.Version >= state.Known:
		return state.newer()
	}
	return s.underAdvisoryLock(ctx, func() error { return s.migrateWith(ctx, goose.DialectPostgres) })
}

// migrateFile is migrate for SQLite.
func (s *Store) migrateFile(ctx context.Context) error {
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
		if err := s.endRestored(ctx); err != nil {
			return err
		}
	}
	return s.noteFiles(ctx)
}

// migrateWith runs the migrations under a lock that is held.
func (s *Store) migrateWith(ctx context.Context, dialect goose.Dialect) error {
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
func (s *Store) createFile() error {
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
func (s *Store) closeToOthers() {
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
func (s *Store) underFileLock(ctx context.Context, fn func() error) (err error) {
	db, err := sql.Open("sqlite", sqliteName(s.file+"-lock", "&_txlock=exclusive"))
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
