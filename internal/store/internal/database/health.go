package database

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"expense-dashboard/internal/store/fault"
)

// healthTimeout bounds a look at whether the database serves: whoever asks for it
// waits for no longer.
const healthTimeout = 2 * time.Second

// probeInterval is how long after a write that succeeded another one is believed
// to succeed too.
const probeInterval = 30 * time.Second

// Ping reads from each table, and returns why the database cannot be read, as an
// error that fault.IsUnavailable. A lock that keeps readers out and a right that is
// missing count. Where the database's schema is newer than what this program knows,
// the error is a *fault.NewerError, although what it knows it can still read.
func (d *DB) Ping(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	err := d.stream(ctx, func() error {
		var version int64
		err := d.Each(limited, d.read, d.readsAll, nil, func(scan func(...any) error) error {
			var value int64
			err := scan(&value)
			version = max(version, value)
			return err
		})
		if err != nil {
			// Whatever keeps a page from being read is why.
			return fault.Unavailable(err)
		}
		return d.knows(version)
	})
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}

// PingWrites returns why the database takes no writes, as an error that
// fault.IsUnavailable: as the last write found, or another one where that failed or is a
// while ago.
func (d *DB) PingWrites(ctx context.Context) error {
	if wrote := d.wrote.Load(); wrote != nil && time.Since(*wrote) < probeInterval {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	err := d.ChangeWithin(ctx, limited, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE health SET checked_at = $1 WHERE id = 1`, time.Now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// noteWrite notes what came of a write.
func (d *DB) noteWrite(err error) {
	switch now := time.Now(); {
	case err == nil:
		d.wrote.Store(&now)
	case fault.IsUnavailable(err):
		d.wrote.Store(nil)
	}
}
