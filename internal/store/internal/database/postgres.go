package database

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
	"expense-dashboard/internal/store/fault"
)

// migrationLock names the advisory lock that migrations run under. Transactions
// that write share it, so that none begins before a migration and ends after it.
const migrationLock = int64(lock.DefaultLockID)

// idleConnections is how many connections wait for their next use.
const idleConnections = 5

// openPostgres sets up a pool of connections. Nothing depends on which of them a
// statement or a transaction gets, so that a pooler may stand between.
func (d *DB) openPostgres(databaseURL string) error {
	config, err := ParsePostgres(databaseURL)
	if err != nil {
		return err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = QueryTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "expense-dashboard"
	}
	config.RuntimeParams["client_encoding"] = "UTF8"
	d.read = stdlib.OpenDB(*config, stdlib.OptionBeforeConnect(d.pooler.before), stdlib.OptionAfterConnect(d.pooler.after))
	d.write = d.read
	d.read.SetMaxOpenConns(10)
	d.read.SetMaxIdleConns(idleConnections)
	d.read.SetConnMaxIdleTime(5 * time.Minute)
	return nil
}

// ParsePostgres reads the URL of a PostgreSQL database. Its error holds nothing of it.
func ParsePostgres(databaseURL string) (*pgx.ConnConfig, error) {
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

// lockInterval is how often a program that waits for the migrations of another one
// asks whether they are done.
const lockInterval = 200 * time.Millisecond

// underAdvisoryLock runs fn while no other program does so on the same PostgreSQL
// database. The lock is a transaction's, and so stays where it is behind a pooler.
// fn uses other connections, which whoever waits for the lock leaves to it.
func (d *DB) underAdvisoryLock(ctx context.Context, fn func() error) error {
	for {
		locked, err := d.tryAdvisoryLock(ctx, fn)
		if locked || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("migration lock: %w", ctx.Err())
		case <-time.After(lockInterval):
		}
	}
}

// tryAdvisoryLock is underAdvisoryLock where nobody has the lock now.
func (d *DB) tryAdvisoryLock(ctx context.Context, fn func() error) (locked bool, err error) {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("migration lock: %w", err)
	}
	defer func() {
		if ended := tx.Rollback(); !errors.Is(ended, sql.ErrTxDone) {
			err = errors.Join(err, ended)
		}
	}()
	if err := tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`, migrationLock).Scan(&locked); err != nil {
		return false, fmt.Errorf("migration lock: %w", err)
	}
	if !locked {
		return false, nil
	}
	return true, fn()
}

// dropIdle closes the connections that nobody uses: what cut one has most likely
// cut all.
func (d *DB) dropIdle() {
	d.read.SetMaxIdleConns(0)
	d.read.SetMaxIdleConns(idleConnections)
}

// CheckEncoding returns a *fault.EncodingError unless a PostgreSQL database is UTF-8.
func CheckEncoding(ctx context.Context, db *sql.DB) error {
	var encoding string
	if err := db.QueryRowContext(ctx, `SELECT current_setting('server_encoding')`).Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return &fault.EncodingError{Encoding: encoding}
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
	config, err := ParsePostgres(databaseURL)
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
