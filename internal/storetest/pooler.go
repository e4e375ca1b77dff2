package storetest

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Pooler starts Debian's PgBouncer between the test and a database, in transaction
// mode with few connections, so that hardly two transactions of a client get the
// same one, and returns the URL of the database behind it. Where PgBouncer is not
// installed it skips the test, unless CI is set.
func Pooler(t testing.TB, databaseURL string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/pgbouncer")
	}
	skipOrFail(t, err)
	server, err := shared()
	skipOrFail(t, err)
	address, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%s user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
`, address.Port(), port)
	file := fmt.Sprintf("%s/pgbouncer-%d.ini", server.folder, port)
	if err := os.WriteFile(file, []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	command := server.command(program, file)
	log := &strings.Builder{}
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	address.Host = fmt.Sprintf("127.0.0.1:%d", port)
	db, err := sql.Open("pgx", address.String()+"&default_query_exec_mode=exec")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for begun := time.Now(); db.PingContext(t.Context()) != nil; time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("PgBouncer does not serve: %v", db.PingContext(t.Context()))
		}
	}
	return address.String()
}
