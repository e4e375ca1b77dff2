package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"expense-dashboard/internal/storetest"
)

const (
	// diskSize is how many bytes the disk of the database has.
	diskSize = 64 << 20
	// hangs is how long PostgreSQL hangs at least: longer than the program waits for
	// it.
	hangs = 6 * time.Second
)

// onSmallDisk puts the SQLite database on a disk of its own, where this process may
// mount one.
func (f *faults) onSmallDisk() (done func(), err error) {
	folder := filepath.Join(f.folder, "disk")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	err = syscall.Mount("bench", folder, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", diskSize))
	switch {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.ENODEV):
		return func() {}, nil
	case err != nil:
		return nil, fmt.Errorf("mount a small disk: %w", err)
	}
	f.data, f.ownDisk = folder, true
	f.databaseURL = "sqlite:" + f.database()
	return func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) }, nil
}

// fillDisk takes all room there is on the database's disk, and gives it back. The
// program begins anew before, so that its write-ahead log has no room of its own.
func (f *faults) fillDisk() error {
	if !f.ownDisk {
		return fmt.Errorf("%w: only root can mount a small disk", errNotHere)
	}
	if err := f.restartOnce(); err != nil {
		return err
	}
	name := filepath.Join(f.data, "ballast")
	ballast, err := os.Create(name)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	defer ballast.Close()
	// What the database gives free meanwhile is taken too.
	piece := make([]byte, 64<<10)
	for full := (time.Time{}); full.IsZero() || time.Since(full) < f.length; {
		_, err := ballast.Write(piece)
		switch {
		case errors.Is(err, syscall.ENOSPC):
			if full.IsZero() {
				full = time.Now()
			}
			time.Sleep(f.length / 100)
		case err != nil:
			return err
		}
	}
	return nil
}

// onPostgres puts the database on a PostgreSQL server that is nobody else's.
func (f *faults) onPostgres() (done func(), err error) {
	f.server, err = storetest.Launch()
	if err != nil {
		return nil, fmt.Errorf("%w: PostgreSQL: %w", errNotHere, err)
	}
	f.databaseURL = f.server.URL("postgres")
	return f.server.Close, nil
}

// withoutServer stops PostgreSQL, and starts it again.
func (f *faults) withoutServer() error {
	if err := f.server.Halt(); err != nil {
		return err
	}
	time.Sleep(f.length)
	return f.server.Start()
}

// hangServer lets PostgreSQL do nothing for a while, without a word.
func (f *faults) hangServer() error {
	err := f.server.Signal(syscall.SIGSTOP)
	if err == nil {
		time.Sleep(max(f.length, hangs))
	}
	return errors.Join(err, f.server.Signal(syscall.SIGCONT))
}

// killConnections cuts all connections, again and again.
func (f *faults) killConnections() error {
	for begun := time.Now(); time.Since(begun) < f.length; time.Sleep(f.length / 20) {
		if err := f.asOwner(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres' AND pid <> pg_backend_pid()`); err != nil {
			return err
		}
	}
	return nil
}

// readOnly lets nobody write for a while, as on a server that is a copy of another.
func (f *faults) readOnly() error {
	if err := f.asOwner(`ALTER SYSTEM SET default_transaction_read_only = on`, `SELECT pg_reload_conf()`); err != nil {
		return err
	}
	time.Sleep(f.length)
	return f.asOwner(`ALTER SYSTEM RESET default_transaction_read_only`, `SELECT pg_reload_conf()`)
}

// asOwner runs statements on a connection of its own that may write always.
func (f *faults) asOwner(statements ...string) error {
	db, err := sql.Open("pgx", f.server.URL("postgres")+"&default_transaction_read_only=off")
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
