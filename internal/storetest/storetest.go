// Package storetest gives tests the empty databases that they run on: a new
// SQLite file, or a new database of a PostgreSQL server that the tests' process
// starts in a temporary folder and that ends with it, however that ends. It knows
// nothing of the store, so that the store's own tests use it too, and nothing but
// tests and bench imports it. Start reading at EachURL, by which a test runs on both kinds of
// database at once.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named pgx
	_ "modernc.org/sqlite"             // the driver named sqlite
)

// EachURL runs a test with the URL of an empty database of each kind, on both at
// once.
func EachURL(t *testing.T, test func(t *testing.T, databaseURL string)) {
	eachURL(t, SQLite, Postgres, test)
}

func eachURL(t *testing.T, sqlite, postgres func(testing.TB) string, test func(t *testing.T, databaseURL string)) {
	for name, databaseURL := range map[string]func(testing.TB) string{"SQLite": sqlite, "PostgreSQL": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, databaseURL(t))
		})
	}
}

// SQLite returns the URL of a new file, with characters that a URL would need
// escaped.
func SQLite(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "a b%20?#.db")
}

// A Template makes databases that were filled once, and are copied for each test.
type Template struct {
	sqlite   func() ([]byte, error)
	postgres func() (string, error) // the name of a database
}

// NewTemplate returns one that is filled by a func, which gets the URL of an empty
// database and leaves no connection open.
func NewTemplate(fill func(databaseURL string) error) *Template {
	return &Template{
		sqlite: sync.OnceValues(func() ([]byte, error) {
			folder, err := os.MkdirTemp("", "expenses-template-")
			if err != nil {
				return nil, err
			}
			defer os.RemoveAll(folder)
			file := filepath.Join(folder, "expenses.db")
			if err := fill("sqlite:" + file); err != nil {
				return nil, err
			}
			return os.ReadFile(file)
		}),
		postgres: sync.OnceValues(func() (string, error) {
			server, err := shared()
			if err != nil {
				return "", err
			}
			name := "template_" + strings.ToLower(rand.Text())
			return name, errors.Join(server.exec("CREATE DATABASE "+name), fill(server.URL(name)))
		}),
	}
}

// SQLite returns the URL of a copy, with characters that a URL would need escaped.
func (f *Template) SQLite(t testing.TB) string {
	t.Helper()
	content, err := f.sqlite()
	if err != nil {
		t.Fatal(err)
	}
	databaseURL := SQLite(t)
	if err := os.WriteFile(strings.TrimPrefix(databaseURL, "sqlite:"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	return databaseURL
}

// Postgres is SQLite for PostgreSQL, which may be skipped as that of the package.
func (f *Template) Postgres(t testing.TB) string {
	t.Helper()
	server, err := shared()
	skipOrFail(t, err)
	name, err := f.postgres()
	if err != nil {
		t.Fatal(err)
	}
	return server.NewDatabase(t, "TEMPLATE "+name)
}

// EachURL is that of the package, with copies.
func (f *Template) EachURL(t *testing.T, test func(t *testing.T, databaseURL string)) {
	eachURL(t, f.SQLite, f.Postgres, test)
}

// DB opens a database behind the store's back, for a test that looks at its rows or
// changes them. It is closed with the test.
func DB(t testing.TB, databaseURL string) *sql.DB {
	t.Helper()
	driver, name := "pgx", databaseURL
	if file, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		driver, name = "sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?_busy_timeout=5000&_foreign_keys=on"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Server is a PostgreSQL of the tests' own, in a temporary folder. A
// watcher stops it and removes the folder when the tests' process ends, however
// that ends.
type Server struct {
	folder, binaries string
	port             int
	settings         []string            // each a name and a value
	credential       *syscall.Credential // nil for our own
	watched          io.Closer           // ends the server when closed
	watcher          *exec.Cmd
}

// shared starts the server that all tests share, once.
var shared = sync.OnceValues(func() (*Server, error) { return Launch() })

// Postgres returns the URL of a new, empty database. Where PostgreSQL is not
// installed it skips the test, unless CI is set.
func Postgres(t testing.TB) string {
	t.Helper()
	server, err := shared()
	skipOrFail(t, err)
	return server.NewDatabase(t, "")
}

// NewServer starts a server for one test, which ends with it. Where PostgreSQL is
// not installed it skips the test, unless CI is set.
func NewServer(t testing.TB) *Server {
	t.Helper()
	_, err := shared()
	skipOrFail(t, err)
	server, err := Launch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// Close ends the server for good.
func (s *Server) Close() {
	s.watched.Close()
	_ = s.watcher.Wait() // says only by which signal it ended
}

func skipOrFail(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("PostgreSQL: %v", err)
	default:
		t.Skipf("PostgreSQL: %v", err)
	}
}

// postgresBinaries is where Debian's postgresql package or the PATH has initdb.
func postgresBinaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		return filepath.Dir(slices.Max(found)), nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", fmt.Errorf("not installed, which Debian's package postgresql fixes: %w", err)
	}
	return filepath.Dir(initdb), nil
}

// Launch starts a server for whoever is no test. Settings, such as "fsync=on", win
// over those that make tests quick.
func Launch(settings ...string) (*Server, error) {
	binaries, err := postgresBinaries()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "expenses-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{folder: folder, binaries: binaries, port: port, settings: append([]string{"fsync=off", "shared_buffers=64MB", "max_connections=200"}, settings...)}
	if err := s.chooseUser(); err != nil {
		return nil, err
	}
	initdb := s.command(filepath.Join(binaries, "initdb"), "--auth=trust", "--username=postgres", "--encoding=UTF8",
		"--locale=C.UTF-8", "--no-sync", "--pgdata="+folder+"/data")
	if output, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, output)
	}
	return s, s.Start()
}

// freePort is a port of loopback that nobody listens on. A socket's path may have
// 107 bytes, and TMPDIR may be long: TCP it is.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

// chooseUser finds an account for the server, which refuses to run as root.
func (s *Server) chooseUser() error {
	if os.Getuid() != 0 {
		return nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		account, err = user.Lookup("nobody")
	}
	if err != nil {
		return err
	}
	uid, _ := strconv.ParseUint(account.Uid, 10, 32)
	gid, _ := strconv.ParseUint(account.Gid, 10, 32)
	s.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.folder, int(uid), int(gid))
}

// command is a program that runs as the server's account in its folder, away
// from the terminal's signals.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	command := exec.Command(name, args...)
	command.Dir = s.folder
	command.SysProcAttr = &syscall.SysProcAttr{Credential: s.credential, Setpgid: true}
	return command
}

// Start starts the server, also one that was halted, under a shell that waits for
// the end of its input, which the end of this process brings.
func (s *Server) Start() error {
	const watch = `"$0" "$@" >>server.log 2>&1 & server=$!; cat; kill -INT $server; wait $server; [ -e keep ] || rm -rf "$PWD"`
	args := []string{
		"-c", watch, filepath.Join(s.binaries, "postgres"), "-D", "data",
		"-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
	}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	s.watcher = s.command("/bin/sh", args...)
	input, err := s.watcher.StdinPipe()
	if err != nil {
		return err
	}
	s.watched = input
	if err := s.watcher.Start(); err != nil {
		return err
	}
	return s.wait()
}

// wait returns when the server answers.
func (s *Server) wait() error {
	db, err := sql.Open("pgx", s.URL("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(s.folder + "/server.log")
			return fmt.Errorf("PostgreSQL does not start: %w: %s", err, text)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Halt stops the server and keeps its data for the next start.
func (s *Server) Halt() error {
	keep := s.folder + "/keep"
	if err := os.WriteFile(keep, nil, 0o600); err != nil {
		return err
	}
	s.Close()
	return os.Remove(keep)
}

// Signal sends a signal to all processes of the server.
func (s *Server) Signal(signal syscall.Signal) error {
	children, err := childrenOf()
	if err != nil {
		return err
	}
	for waiting := children[s.watcher.Process.Pid]; len(waiting) > 0; waiting = waiting[1:] {
		if err := syscall.Kill(waiting[0], signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		waiting = append(waiting, children[waiting[0]]...)
	}
	return nil
}

// childrenOf returns the processes that each process of the machine has started.
func childrenOf() (map[int][]int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	children := map[int][]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended since
		}
		// The name, which may hold anything, stands in parentheses, and before the parent
		// there is the state.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		pid, err1 := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		parent, err2 := strconv.Atoi(fields[1])
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		children[parent] = append(children[parent], pid)
	}
	return children, err
}

// URL names a database of the server, which always has one named postgres.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// NewDatabase creates a database that is dropped with the test, and returns its URL.
// The options are those of CREATE DATABASE, as SQL; none need be given.
func (s *Server) NewDatabase(t testing.TB, options string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	if err := s.exec("CREATE DATABASE " + name + " " + options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return s.URL(name)
}

func (s *Server) exec(statement string) error {
	db, err := sql.Open("pgx", s.URL("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(statement)
	return err
}
