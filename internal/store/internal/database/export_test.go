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

func (s *DB) Bounding() *sync.Mutex { return &s.bounding }

func (s *DB) BoundAgain() *time.Time { return &s.boundAgain }

func (s *DB) Keeper() *sql.DB { return s.keeper }

// Checked waits until the file has been looked at, and returns why it is not used.
func (s *DB) Checked() error {
	s.preparing.Wait()
	return s.usable()
}
