package database

import (
	"database/sql"
	"sync"
	"time"
)

// What the tests of this package see of it.
const (
	MaxLog      = maxLog
	LogPatience = logPatience
)

var Migrations = migrations

func (s Schema) Tables() []string { return s.tables }

func (d *DB) Bounding() *sync.Mutex { return &d.bounding }

func (d *DB) BoundAgain() *time.Time { return &d.boundAgain }

func (d *DB) Keeper() *sql.DB { return d.keeper }

// Checked waits until the file has been looked at, and returns why it is not used.
func (d *DB) Checked() error {
	d.preparing.Wait()
	return d.usable()
}
