package database

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// prepared opens a database with the table t, which holds 1, 2 and 3, on one
// connection, and returns that one's statements too.
func prepared(t *testing.T) (*sql.DB, *preparedConn) {
	t.Helper()
	db, err := openPrepared(SQLiteName(filepath.Join(t.TempDir(), "t.db"), ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1), (2), (3)`); err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var raw *preparedConn
	if err := conn.Raw(func(c any) error { raw = c.(*preparedConn); return nil }); err != nil {
		t.Fatal(err)
	}
	return db, raw
}

// sumOf reads the rows of a statement inside of reading them, and returns their sum.
func sumOf(t *testing.T, tx *sql.Tx, nested int) int {
	t.Helper()
	rows, err := tx.Query(`SELECT n FROM t`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	sum := 0
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		sum += n
		if nested > 0 {
			sum += sumOf(t, tx, nested-1)
		}
	}
	return sum
}

func TestPreparedStatementInsideItself(t *testing.T) {
	t.Parallel()
	db, conn := prepared(t)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if got := sumOf(t, tx, 1); got != 6+3*6 {
		t.Errorf("the sum is %d", got)
	}
	if got := sumOf(t, tx, 0); got != 6 || len(conn.idle) != 1 {
		t.Errorf("the sum is %d, %d statements are kept", got, len(conn.idle))
	}
}

func TestPreparedStatementAfterAnError(t *testing.T) {
	t.Parallel()
	db, conn := prepared(t)
	if _, err := db.Exec(`CREATE UNIQUE INDEX one ON t (n)`); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := db.Exec(`INSERT INTO t VALUES ($1)`, 3); err == nil {
			t.Error("a second 3 was taken")
		}
		if rows, err := db.Query(`INSERT INTO t VALUES ($1) RETURNING n`, 3); err == nil {
			t.Error("a second 3 was taken", rows.Close())
		}
	}
	if _, err := db.Exec(`INSERT INTO t VALUES ($1)`, 4); err != nil || len(conn.idle) != 2 {
		t.Errorf("4 was refused: %v; %d statements are kept", err, len(conn.idle))
	}
}

func TestPreparedStatementAfterAMigration(t *testing.T) {
	t.Parallel()
	db, _ := prepared(t)
	other, err := sql.Open("sqlite", SQLiteName(fileOf(t, db), ""))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var n, m int
	if err := db.QueryRow(`SELECT * FROM t`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(`ALTER TABLE t ADD COLUMN m INTEGER NOT NULL DEFAULT 7`); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow(`SELECT * FROM t`).Scan(&n, &m); err != nil || n != 1 || m != 7 {
		t.Errorf("it read %d and %d, %v", n, m, err)
	}
}

func TestPreparedStatementsAreBounded(t *testing.T) {
	t.Parallel()
	db, conn := prepared(t)
	for i := range 2 * mostPrepared {
		if _, err := db.Exec(fmt.Sprintf(`UPDATE t SET n = %d`, i)); err != nil {
			t.Fatal(err)
		}
		if len(conn.idle) > mostPrepared {
			t.Fatalf("%d statements are kept", len(conn.idle))
		}
	}
}

// TestPreparedStatementsLetTheFileGo closes a connection that has statements.
func TestPreparedStatementsLetTheFileGo(t *testing.T) {
	t.Parallel()
	db, _ := prepared(t)
	file := fileOf(t, db)
	rows, err := db.Query(`SELECT n FROM t`)
	if err != nil || rows.Close() != nil || db.Close() != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("needs /proc")
	}
	for _, descriptor := range open {
		if name, err := os.Readlink("/proc/self/fd/" + descriptor.Name()); err == nil && strings.HasPrefix(name, file) {
			t.Errorf("%s is open", name)
		}
	}
}

// fileOf returns the path of a database.
func fileOf(t *testing.T, db *sql.DB) string {
	t.Helper()
	var number int
	var name, file string
	if err := db.QueryRow(`PRAGMA database_list`).Scan(&number, &name, &file); err != nil {
		t.Fatal(err)
	}
	return file
}
