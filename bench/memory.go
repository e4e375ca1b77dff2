package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// memoryConnections are open at once, each after one request.
	memoryConnections = 10_000
	// memoryRows are imported at once.
	memoryRows = 50_000
	// memoryBack is how long the program may keep what a burst took, and memoryKept
	// how many bytes it may have then, of which some hold pages for the next who ask.
	memoryBack, memoryKept = 5 * time.Minute, 64 * mega
)

// giveBack asks for everything at once that takes memory, and prints how long the
// program keeps it.
func giveBack(p *program, out io.Writer) error {
	if err := p.start(); err != nil {
		return err
	}
	admin, err := p.signIn(adminAddress)
	if err != nil {
		return err
	}
	member, err := p.signIn(memberAddress)
	if err != nil {
		return err
	}
	time.Sleep(2 * time.Second)
	fmt.Fprintln(out, "| when | VmRSS |\n| --- | ---: |")
	if _, err := p.printMemory(out, "before"); err != nil {
		return err
	}
	begun := time.Now()
	if err := p.importRows(admin, "team-2", memoryRows, usualNote); err != nil {
		return err
	}
	if _, err := p.printMemory(out, fmt.Sprintf("after an import of %d rows (%.1f s)", memoryRows, time.Since(begun).Seconds())); err != nil {
		return err
	}
	begun = time.Now()
	if err := p.takeMemory(admin, member); err != nil {
		return err
	}
	if _, err := p.printMemory(out, fmt.Sprintf("after %d connections, an import of %d rows and four exports (%.0f s)", memoryConnections, memoryRows, time.Since(begun).Seconds())); err != nil {
		return err
	}
	after := int64(0)
	for minute := range int(memoryBack / time.Minute) {
		time.Sleep(time.Minute)
		if after, err = p.printMemory(out, fmt.Sprintf("%d minutes later", minute+1)); err != nil {
			return err
		}
	}
	if after > memoryKept {
		return fmt.Errorf("the program keeps %.1f MB", megabytes(after))
	}
	return nil
}

// printMemory prints what the program takes now, and at most so far.
func (p *program) printMemory(out io.Writer, when string) (int64, error) {
	now, err := memory(p.command.Process.Pid, "VmRSS")
	if err != nil {
		return 0, err
	}
	most, err := memory(p.command.Process.Pid, "VmHWM")
	fmt.Fprintf(out, "| %s | %.1f MB, at most %.1f MB so far |\n", when, megabytes(now), megabytes(most))
	return now, err
}

// takeMemory returns when everything is over and all connections are closed.
func (p *program) takeMemory(admin, member *visitor) error {
	var open []net.Conn
	defer func() {
		for _, connection := range open {
			connection.Close()
		}
	}()
	answer := make([]byte, 4096)
	for range memoryConnections {
		connection, err := net.Dial("tcp", p.address)
		if err != nil {
			return err
		}
		open = append(open, connection)
		if _, err := io.WriteString(connection, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			return err
		}
		if _, err := connection.Read(answer); err != nil {
			return err
		}
	}
	var asking sync.WaitGroup
	var errs [5]error
	for i := range 4 {
		asking.Go(func() {
			// Two are made at a time, and the others are told so.
			if status, _ := p.send(member, "GET", "/team/many/expenses.csv", nil); status != "200" && status != "503" {
				errs[i] = fmt.Errorf("an export is %s", status)
			}
		})
	}
	asking.Go(func() { errs[4] = p.importRows(admin, "team-1", memoryRows, usualNote) })
	asking.Wait()
	return errors.Join(errs[:]...)
}
