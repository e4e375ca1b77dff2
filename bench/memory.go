package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
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
	// groupLimit is how many bytes a control group has in which the same rows are
	// imported, and groupSlower how many times as long that may take.
	groupLimit, groupSlower = 96_000_000, 2.0
)

// giveBack asks for everything at once that takes memory, and prints how long the
// program keeps it; before that it imports rows with little memory, and with as much
// as the program likes.
func giveBack(p *program, out io.Writer) error {
	if err := p.start(); err != nil {
		return err
	}
	admin, err1 := p.signIn(adminAddress)
	member, err2 := p.signIn(memberAddress)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	limited, errLimited := p.importLimited(admin)
	if errLimited != nil && !errors.Is(errLimited, errNotHere) {
		return errLimited
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
	took := time.Since(begun)
	if _, err := p.printMemory(out, fmt.Sprintf("after an import of %d rows (%.1f s)", memoryRows, took.Seconds())); err != nil {
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
		var err error
		if after, err = p.printMemory(out, fmt.Sprintf("%d minutes later", minute+1)); err != nil {
			return err
		}
	}
	return printMemoryVerdict(out, limited, took, errLimited, after)
}

// printMemoryVerdict says how an import with little memory went, and what is kept.
func printMemoryVerdict(out io.Writer, limited, took time.Duration, errLimited error, kept int64) error {
	ratio := float64(limited) / float64(took)
	if errLimited != nil {
		fmt.Fprintf(out, "\nAn import in a control group: %v.\n", errLimited)
	} else {
		fmt.Fprintf(out, "\nAn import of %d rows took %.1f s in a control group of %.0f MB, %.2f times as long as without (at most %.0f is wanted).\n",
			memoryRows, limited.Seconds(), megabytes(groupLimit), ratio, groupSlower)
	}
	var errs []error
	if errLimited == nil && ratio > groupSlower {
		errs = append(errs, errors.New("little memory makes an import slow"))
	}
	if kept > memoryKept {
		errs = append(errs, fmt.Errorf("the program keeps %.1f MB", megabytes(kept)))
	}
	return errors.Join(errs...)
}

// importLimited starts the program in a control group with little memory, and again
// with ours, and returns how long an import took there.
func (p *program) importLimited(admin *visitor) (time.Duration, error) {
	group, err := limitedGroup()
	if err != nil {
		return 0, err
	}
	defer os.Remove(group)
	p.group = group
	err = errors.Join(p.stop(), p.start())
	p.group = ""
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := p.importRows(admin, "team-0", memoryRows, usualNote); err != nil {
		return 0, fmt.Errorf("with %.0f MB: %w", megabytes(groupLimit), err)
	}
	took := time.Since(begun)
	return took, errors.Join(p.stop(), p.start())
}

// limitedGroup makes a control group, of version 2 or 1, and returns its folder.
func limitedGroup() (string, error) {
	for _, version := range []struct{ parent, limit string }{{"/sys/fs/cgroup", "memory.max"}, {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}} {
		folder, err := os.MkdirTemp(version.parent, "expense-bench-")
		if err != nil {
			continue
		}
		// A folder that is no control group has no such file.
		file, err := os.OpenFile(filepath.Join(folder, version.limit), os.O_WRONLY, 0)
		if err == nil {
			_, err = fmt.Fprint(file, int64(groupLimit))
			err = errors.Join(err, file.Close())
		}
		if err == nil {
			return folder, nil
		}
		os.Remove(folder)
	}
	return "", fmt.Errorf("%w: only root can make a control group with a limit of memory", errNotHere)
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
