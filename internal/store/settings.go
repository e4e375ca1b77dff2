package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"expense-dashboard/internal/expense"
)

// CurrencyError is a database with expenses in another currency than the one that
// is configured. Their amounts would mean something else, so it is left alone.
type CurrencyError struct {
	Database, Configured string // ISO 4217
}

// Error implements error; it says what to do.
func (e *CurrencyError) Error() string {
	return fmt.Sprintf("is %s and the expenses of the database are in %s: set CURRENCY=%s, or use another database", e.Configured, e.Database, e.Database)
}

// Hold sets the currency of all amounts, before Start; without it they are US
// dollars.
func (s *Store) Hold(c expense.Currency) { s.currency = c }

// Currency returns the currency of all amounts.
func (s *Store) Currency() expense.Currency { return s.currency }

// agreeOnCurrency writes the store's currency down in a database without
// expenses, deleted ones counted, and compares it with that of any other. The
// error for a different one is a *CurrencyError.
func (s *Store) agreeOnCurrency(ctx context.Context, tx *sql.Tx) error {
	var held string
	err := tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'currency'`).Scan(&held)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("currency: %w", err)
	}
	if held == s.currency.Code() {
		return nil
	}
	var filled bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM expenses)`).Scan(&filled); err != nil {
		return fmt.Errorf("currency: %w", err)
	}
	if filled {
		return &CurrencyError{Database: held, Configured: s.currency.Code()}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('currency', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, s.currency.Code())
	if err != nil {
		return fmt.Errorf("currency: %w", err)
	}
	return nil
}
