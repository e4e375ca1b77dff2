package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/internal/search"
)

// foldedAtOnce bounds what one transaction folds, so that others can write between two.
const foldedAtOnce = 500

// fold writes the folded texts that are missing: of a database that an older program
// has left, and of rows that were written by hand.
func (s *Store) fold(ctx context.Context) error {
	for _, t := range []struct{ table, first, second string }{
		{"people", "name", "''"}, {"categories", "label", "''"}, {"expenses", "item", "note"},
	} {
		for more := true; more; {
			rows, err := unfolded(ctx, s.db.Write(), t.table, t.first, t.second)
			if err == nil && len(rows) > 0 {
				err = s.db.Transact(ctx, func(ctx context.Context, tx *sql.Tx) error {
					for id, folded := range rows {
						if _, err := tx.ExecContext(ctx, `UPDATE `+t.table+` SET folded = $1 WHERE id = $2`, folded, id); err != nil {
							return err
						}
					}
					return nil
				})
			}
			if err != nil {
				return fmt.Errorf("fold %s: %w", t.table, err)
			}
			more = len(rows) == foldedAtOnce
		}
	}
	return nil
}

// unfolded returns the folded texts of some rows that lack them, by their ids.
func unfolded(ctx context.Context, db *sql.DB, table, first, second string) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT CAST(id AS TEXT), `+first+`, `+second+` FROM `+table+` WHERE folded = '' LIMIT `+strconv.Itoa(foldedAtOnce))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var id, a, b string
		if err := rows.Scan(&id, &a, &b); err != nil {
			return nil, err
		}
		found[id] = search.Text(a, b)
	}
	return found, rows.Err()
}

// agreeOnCurrency writes the store's currency down in a database without
// expenses, deleted ones counted, and compares it with that of any other. The
// error for a different one is a *fault.CurrencyError.
func (s *Store) agreeOnCurrency(ctx context.Context, tx *sql.Tx) error {
	var held string
	err := tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'currency'`).Scan(&held)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("currency: %w", err)
	}
	if held == s.Currency().Code() {
		return nil
	}
	var filled bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM expenses)`).Scan(&filled); err != nil {
		return fmt.Errorf("currency: %w", err)
	}
	if filled {
		return &fault.CurrencyError{Database: held, Configured: s.Currency().Code()}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('currency', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, s.Currency().Code())
	if err != nil {
		return fmt.Errorf("currency: %w", err)
	}
	return nil
}
