package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"expense-dashboard/internal/devidp"
)

// restart ends the program in a way, and starts it again, for as long as a fault
// is played.
func (f *faults) restart(end func() error) error {
	for begun := time.Now(); time.Since(begun) < f.length; time.Sleep(f.length / 8) {
		if err := end(); err != nil {
			return err
		}
		if err := f.start(); err != nil {
			return err
		}
	}
	return nil
}

// kill ends the program in the midst of what it does.
func (p *program) kill() error {
	if err := p.command.Process.Kill(); err != nil {
		return err
	}
	_ = p.command.Wait()
	p.command = nil
	return nil
}

// withLog starts the program with another standard error, and again with its own.
func (f *faults) withLog(open func() (file *os.File, done func(), err error)) error {
	file, done, err := open()
	if err != nil {
		return err
	}
	defer done()
	own := f.logFile
	f.logFile = file
	err = f.restartOnce()
	file.Close()
	f.logFile = own
	if err != nil {
		return err
	}
	time.Sleep(f.length)
	return f.restartOnce()
}

func (f *faults) restartOnce() error {
	if err := f.stop(); err != nil {
		return err
	}
	return f.start()
}

// brokenPipe is a log whose reader goes away.
func brokenPipe() (*os.File, func(), error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	return write, func() {}, read.Close()
}

// stuckPipe is a log whose reader reads nothing.
func stuckPipe() (*os.File, func(), error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	return write, func() { read.Close() }, nil
}

// fullLog is a log on a disk that is full.
func fullLog() (*os.File, func(), error) {
	file, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	return file, func() {}, err
}

// withoutProvider starts the program while there is no provider, and lets it come
// back.
func (f *faults) withoutProvider() error {
	address := strings.TrimPrefix(f.provider.Issuer(), "http://")
	address, _, _ = strings.Cut(address, "/")
	config := providerConfig(f.baseURL)
	config.ClientID, config.ClientSecret = f.provider.ClientID(), f.provider.ClientSecret()
	if err := errors.Join(f.stop(), f.provider.Close(), f.start()); err != nil {
		return err
	}
	time.Sleep(f.length)
	provider, err := devidp.Start(address, config)
	if err != nil {
		return err
	}
	f.provider = provider
	for deadline := time.Now().Add(givenUp); ; time.Sleep(100 * time.Millisecond) {
		if _, err := f.signIn(memberAddress); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// idleConnections opens connections and asks nothing.
func (f *faults) idleConnections() error {
	var open []net.Conn
	defer func() {
		for _, connection := range open {
			connection.Close()
		}
	}()
	for range 2000 {
		connection, err := net.Dial("tcp", f.address)
		if err != nil {
			return err
		}
		open = append(open, connection)
	}
	time.Sleep(f.length)
	return nil
}

// deleteLog deletes what SQLite has not yet written to its file, and starts the
// program again.
func (f *faults) deleteLog() error {
	if err := os.Remove(f.database() + "-wal"); err != nil {
		return err
	}
	time.Sleep(f.length)
	return f.restartOnce()
}

// scanner asks for what is not there.
func (f *faults) scanner() error {
	guest := &visitor{}
	for i, begun := 0, time.Now(); time.Since(begun) < f.length; i++ {
		path := []string{"/wp-login.php", "/.env", "/.git/config", "/admin", "/team/finance'--", "/static/../main.go"}[i%6]
		if status, _ := f.send(guest, http.MethodGet, fmt.Sprintf("%s?%d", path, i), nil); status >= "500" && status <= "599" {
			return fmt.Errorf("%s is answered with %s", path, status)
		}
	}
	return nil
}

// malformed sends what is no request.
func (f *faults) malformed() error {
	for begun := time.Now(); time.Since(begun) < f.length; {
		for _, sent := range []string{
			"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 100_000) + "\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
		} {
			connection, err := net.Dial("tcp", f.address)
			if err != nil {
				return err
			}
			_, _ = io.WriteString(connection, sent)
			answer, err := io.ReadAll(connection)
			connection.Close()
			if err != nil && !errors.Is(err, syscall.ECONNRESET) {
				return err
			}
			if strings.Count(string(answer), "HTTP/1.1 ") > 1 {
				return fmt.Errorf("%.60q has more than one answer", sent)
			}
		}
	}
	text, err := os.ReadFile(f.logFile.Name())
	if err == nil && strings.Contains(string(text), "path=/smuggled") {
		err = errors.New("a second request was smuggled in")
	}
	return err
}

// burst exports everything four times at once, and imports a file meanwhile.
func (f *faults) burst() error {
	var asking sync.WaitGroup
	var errs [5]error
	for i := range 4 {
		asking.Go(func() {
			// Two are made at a time, and the others are told so.
			if status, _ := f.send(f.member, http.MethodGet, "/team/many/expenses.csv", nil); status != "200" && status != "503" {
				errs[i] = fmt.Errorf("an export is %s", status)
			}
		})
	}
	asking.Go(func() { errs[4] = f.importRows(f.admin, "team-1", 1000, usualNote) })
	asking.Wait()
	return errors.Join(errs[:]...)
}
