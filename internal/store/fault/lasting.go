package fault

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// DamageError is a SQLite file that is not whole: a copy that was cut off, most
// likely. Nothing of it can be trusted.
type DamageError struct {
	File string
	Err  error
}

// Error implements error; it says what to do.
func (e *DamageError) Error() string {
	return fmt.Sprintf("%s is damaged, as a copy is that was cut off: %v: %s", e.File, e.Err, e.Fix())
}

// Unwrap returns the error behind it.
func (e *DamageError) Unwrap() error { return e.Err }

// Fix says what to do about it.
func (e *DamageError) Fix() string { return "restore a copy that expense-dashboard backup made" }

// AsDamage makes err, which may be nil, a *DamageError where it says that a
// SQLite file is not whole or none at all.
func AsDamage(file string, err error) error {
	var lite *sqlite.Error
	if errors.As(err, &lite) && (lite.Code()&0xff == sqlite3.SQLITE_CORRUPT || lite.Code()&0xff == sqlite3.SQLITE_NOTADB) {
		return &DamageError{file, err}
	}
	return err
}

// NewerError is a database that a newer program has changed. This one would not
// understand it and leaves it alone.
type NewerError struct {
	Database, Program int64 // the versions of the schema
}

// Error implements error; it says what to do.
func (e *NewerError) Error() string {
	return fmt.Sprintf("the database has schema version %d and this program knows versions up to %d: run the newer program, or restore a backup from before the update",
		e.Database, e.Program)
}

// EncodingError is a PostgreSQL database that cannot hold every text.
type EncodingError struct{ Encoding string }

// Error implements error; it says what to do.
func (e *EncodingError) Error() string {
	return fmt.Sprintf("the database's encoding is %s, which cannot hold every text: %s", e.Encoding, e.Fix())
}

// Fix says what to do about it.
func (e *EncodingError) Fix() string {
	return "create one with CREATE DATABASE expenses ENCODING 'UTF8' TEMPLATE template0"
}

// CurrencyError is a database with expenses in another currency than the one that
// is configured. Their amounts would mean something else, so it is left alone.
type CurrencyError struct {
	Database, Configured string // ISO 4217
}

// Error implements error; it says what to do.
func (e *CurrencyError) Error() string {
	return fmt.Sprintf("is %s and the expenses of the database are in %s: set CURRENCY=%s, or use another database", e.Configured, e.Database, e.Database)
}
