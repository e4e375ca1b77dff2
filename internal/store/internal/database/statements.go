package database

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"

	pgx "github.com/jackc/pgx/v5"

	"expense-dashboard/internal/expense"
)

// Querier is a pool of connections or a transaction.
type Querier interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
}

// Builder collects the arguments of a statement as its text is written.
type Builder struct {
	Args []any // of the places in the text, in their order
	// Postgres says which of the two it is for: PostgreSQL knows how often a value
	// occurs, and so chooses its index well.
	Postgres bool
	// Anew lets PostgreSQL plan the statement for its arguments each time. After a few
	// times it would go by a plan for whatever they are, as if every word was rare.
	Anew bool
}

// Arguments returns what is to be passed with the text.
func (b *Builder) Arguments() []any {
	if b.Postgres && b.Anew {
		return append([]any{pgx.QueryExecModeExec}, b.Args...)
	}
	return b.Args
}

// Builder returns one for the store's kind of database.
func (d *DB) Builder() Builder { return Builder{Postgres: d.file == ""} }

// Arg adds an argument and returns its place in the text.
func (b *Builder) Arg(value any) string {
	b.Args = append(b.Args, value)
	return "$" + strconv.Itoa(len(b.Args))
}

// List adds arguments and returns their places with commas between.
func (b *Builder) List(values []string) string {
	places := make([]string, len(values))
	for i, value := range values {
		places[i] = b.Arg(value)
	}
	return strings.Join(places, ", ")
}

// RowsPerInsert saves round trips and stays far below the 32,766 arguments that
// SQLite takes: its driver looks each argument up among all others.
const RowsPerInsert = 25

// InsertRows adds rows to a table, which is named with its columns.
func InsertRows(ctx context.Context, tx *sql.Tx, into string, rows [][]any) error {
	for chunk := range slices.Chunk(rows, RowsPerInsert) {
		text, args := InsertText(into, chunk)
		if _, err := tx.ExecContext(ctx, text, args...); err != nil {
			return err
		}
	}
	return nil
}

// InsertText returns the statement that adds rows to a table, which is named with its
// columns, and its arguments.
func InsertText(into string, rows [][]any) (string, []any) {
	var (
		b    Builder
		text strings.Builder
	)
	text.WriteString("INSERT INTO " + into + " VALUES ")
	for i, row := range rows {
		if i > 0 {
			text.WriteString(", ")
		}
		for j, value := range row {
			text.WriteString([]string{"(", ", "}[min(j, 1)] + b.Arg(value))
		}
		text.WriteString(")")
	}
	return text.String(), b.Args
}

// UpdateOne runs an UPDATE that finds one row, or else returns
// expense.ErrNotFound.
func UpdateOne(ctx context.Context, tx *sql.Tx, text string, args ...any) error {
	result, err := tx.ExecContext(ctx, text, args...)
	if err != nil {
		return err
	}
	found, err := result.RowsAffected()
	if err == nil && found == 0 {
		return expense.ErrNotFound
	}
	return err
}

// Missing turns the absence of a row into expense.ErrNotFound.
func Missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return expense.ErrNotFound
	}
	return err
}
