package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	pgx "github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3/lock"

	"expense-dashboard/internal/loopback"
)

// migrationLock names the advisory lock that migrations run under. Transactions
// that write share it, so that none begins before a migration and ends after it.
const migrationLock = int64(lock.DefaultLockID)

// openPostgres sets up a pool of connections. Nothing depends on which of them a
// statement or a transaction gets, so that a pooler may stand between.
func (s *Store) openPostgres(databaseURL string) error {
	config, err := parsePostgres(databaseURL)
	if err != nil {
		return err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = queryTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "expense-dashboard"
	}
	config.RuntimeParams["client_encoding"] = "UTF8"
	p := &pooler{}
	s.read = stdlib.OpenDB(*config, stdlib.OptionBeforeConnect(p.before), stdlib.OptionAfterConnect(p.after))
	s.write = s.read
	s.read.SetMaxOpenConns(10)
	s.read.SetMaxIdleConns(5)
	s.read.SetConnMaxIdleTime(5 * time.Minute)
	return nil
}

func parsePostgres(databaseURL string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		// The cause may quote the URL with its password.
		return nil, errors.New("not a PostgreSQL URL: write postgres://user:password@host:5432/database, with %-escapes for special characters in the password")
	}
	return config, nil
}

// A pooler finds out whether something like PgBouncer stands between the program
// and PostgreSQL, which may give each transaction another server's connection. A
// prepared statement that one of these holds is not there on the next.
type pooler struct{ found atomic.Bool }

// before lets connections through a pooler prepare no statements.
func (p *pooler) before(_ context.Context, config *pgx.ConnConfig) error {
	if p.found.Load() && config.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	return nil
}

// after compares the process that a connection was told to be of, by whoever took
// it, with the one that answers. A pooler makes the former up.
func (p *pooler) after(ctx context.Context, conn *pgx.Conn) error {
	if p.found.Load() || conn.Config().DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
		return nil
	}
	var pid uint32
	err := conn.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeExec).Scan(&pid)
	if err != nil || pid == conn.PgConn().PID() {
		return err
	}
	p.found.Store(true)
	// Another connection is made, in the other mode.
	return errors.Join(driver.ErrBadConn, conn.Close(ctx))
}

// underAdvisoryLock runs fn while no other program does so on the same PostgreSQL
// database. The lock is a transaction's, and so needs no connection of its own
// behind a pooler; fn uses others.
func (s *Store) underAdvisoryLock(ctx context.Context, fn func() error) (err error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("migration lock: %w", err)
	}
	defer func() {
		if rolledBack := tx.Rollback(); !errors.Is(rolledBack, sql.ErrTxDone) {
			err = errors.Join(err, rolledBack)
		}
	}()
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, migrationLock); err != nil {
		return fmt.Errorf("migration lock: %w", err)
	}
	return fn()
}

// EncodingError is a PostgreSQL database that cannot hold every text.
type EncodingError struct{ Encoding string }

func (e *EncodingError) Error() string {
	return fmt.Sprintf("the database's encoding is %s, which cannot hold every text: %s", e.Encoding, e.Fix())
}

// Fix says what to do about it.
func (e *EncodingError) Fix() string {
	return "create one with CREATE DATABASE expenses ENCODING 'UTF8' TEMPLATE template0"
}

// checkEncoding returns an *EncodingError unless a PostgreSQL database is UTF-8.
func checkEncoding(ctx context.Context, db *sql.DB) error {
	var encoding string
	if err := db.QueryRowContext(ctx, `SELECT current_setting('server_encoding')`).Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return &EncodingError{encoding}
	}
	return nil
}

// Unencrypted reports whether a DATABASE_URL reaches PostgreSQL on another host
// and leaves open whether what is said on the way can be read and changed there.
// A URL that Open refuses does not.
func Unencrypted(databaseURL string) bool {
	u, err := url.Parse(databaseURL)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") || u.Query().Has("sslmode") || os.Getenv("PGSSLMODE") != "" {
		return false
	}
	config, err := parsePostgres(databaseURL)
	if err != nil {
		return false
	}
	hosts := []string{config.Host}
	for _, fallback := range config.Fallbacks {
		hosts = append(hosts, fallback.Host)
	}
	for _, host := range hosts {
		// A path is that of a socket of this machine.
		if !strings.HasPrefix(host, "/") && !loopback.Host(host) {
			return true
		}
	}
	return false
}
