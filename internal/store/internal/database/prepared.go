package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"

	"modernc.org/sqlite"
)

// mostPrepared is how many statements a connection keeps prepared: about as many as
// it runs again and again. One that inserts many rows, with its triggers, takes some
// hundred kilobytes, others ten, and there are five connections.
const mostPrepared = 16

// openPrepared opens a SQLite database whose connections keep the statements that
// they have prepared. To prepare one costs more than to run it: an INSERT compiles
// its triggers too. SQLite prepares a statement anew by itself once the schema has
// changed. For PostgreSQL, pgx does the same.
func openPrepared(name string) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(name)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(preparing{connector}), nil
}

// preparing is a driver.Connector of connections that keep statements.
type preparing struct{ driver.Connector }

// Connect implements driver.Connector.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &preparedConn{sqliteConn: conn.(sqliteConn), idle: map[string]sqliteStmt{}}, nil
}

// sqliteConn is what a connection of the driver can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// sqliteStmt is what a statement of the driver can do.
type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// preparedConn is a connection with its statements. database/sql sees to it that
// one goroutine uses it at a time.
type preparedConn struct {
	sqliteConn
	idle map[string]sqliteStmt // by text; not those whose rows are being read
}

// isKept tells what is worth keeping from what may act while it is prepared, as a
// PRAGMA may.
func isKept(text string) bool {
	verb, _, _ := strings.Cut(text, " ")
	return slices.Contains([]string{"SELECT", "WITH", "INSERT", "UPDATE", "DELETE"}, verb)
}

// prepared returns the statement for a text, which is nobody else's until keep.
func (c *preparedConn) prepared(ctx context.Context, text string) (sqliteStmt, error) {
	if statement, ok := c.idle[text]; ok {
		delete(c.idle, text)
		return statement, nil
	}
	statement, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	return statement.(sqliteStmt), nil
}

// keep takes a statement back whose rows have been read.
func (c *preparedConn) keep(text string, statement sqliteStmt) error {
	if _, ok := c.idle[text]; ok {
		// It ran twice at once.
		return statement.Close()
	}
	var err error
	if len(c.idle) >= mostPrepared {
		err = c.forget()
	}
	c.idle[text] = statement
	return err
}

// forget closes the statements that are kept.
func (c *preparedConn) forget() error {
	var errs []error
	for _, statement := range c.idle {
		errs = append(errs, statement.Close())
	}
	clear(c.idle)
	return errors.Join(errs...)
}

// ExecContext implements driver.ExecerContext.
func (c *preparedConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if !isKept(text) {
		return c.sqliteConn.ExecContext(ctx, text, args)
	}
	statement, err := c.prepared(ctx, text)
	if err != nil {
		return nil, err
	}
	result, err := statement.ExecContext(ctx, args)
	return result, errors.Join(err, c.keep(text, statement))
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if !isKept(text) {
		return c.sqliteConn.QueryContext(ctx, text, args)
	}
	statement, err := c.prepared(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := statement.QueryContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, c.keep(text, statement))
	}
	return &preparedRows{Rows: rows, done: func() error { return c.keep(text, statement) }}, nil
}

// Close implements driver.Conn. A file stays open for as long as it has statements.
func (c *preparedConn) Close() error {
	return errors.Join(c.forget(), c.sqliteConn.Close())
}

// preparedRows are the rows of a statement that is kept once they are closed.
type preparedRows struct {
	driver.Rows
	done func() error
}

// Close implements driver.Rows.
func (r *preparedRows) Close() error {
	return errors.Join(r.Rows.Close(), r.done())
}
