package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"expense-dashboard/internal/storetest"
)

const (
	// besideAlone is how long people are by themselves first, and besidePace what each
	// of them pauses behind an answer.
	besideAlone, besidePace = 10 * time.Second, 20 * time.Millisecond
	// besideMemory is how many bytes the program may take, and besideWait how long
	// nobody who writes may wait.
	besideMemory, besideWait = 80 * mega, 250 * time.Millisecond
	// besideFirst is the number of the first row, behind all that fill a database.
	besideFirst = 10_000_000
	// maxFile is how many bytes a file may have that is imported.
	maxFile = 40_000_000
)

// besideImports imports many expenses on SQLite and on PostgreSQL while people sign
// in, read and write, and prints how long they wait.
func besideImports(opts options, folder string, out io.Writer) error {
	fmt.Fprintf(out, "| beside an import of %d | requests | median | 99th percentile | slowest | alone, median | alone, slowest |\n", opts.imports)
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	server, err := storetest.Launch("fsync=on")
	if err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	defer server.Close()
	var verdicts []string
	for _, database := range []struct{ name, url string }{{"SQLite", ""}, {"PostgreSQL", server.URL("postgres")}} {
		if !strings.HasPrefix(database.name, opts.only) {
			continue
		}
		verdict, err := besideImport(opts, folder, database.name, database.url, out)
		if err != nil {
			return fmt.Errorf("%s: %w", database.name, err)
		}
		verdicts = append(verdicts, verdict)
	}
	fmt.Fprintln(out, "\n"+strings.Join(verdicts, "\n"))
	return nil
}

// besideImport prints the rows of a database, and returns what there is to say of
// its import.
func besideImport(opts options, folder, name, databaseURL string, out io.Writer) (string, error) {
	p, err := newProgram(opts.program, folder)
	if err != nil {
		return "", err
	}
	defer p.close()
	p.free = true
	if databaseURL != "" {
		p.databaseURL = databaseURL
	}
	if err := errors.Join(p.fill(opts), p.start()); err != nil {
		return "", err
	}
	admin, err1 := p.signIn(adminAddress)
	member, err2 := p.signIn(memberAddress)
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	alone, err := p.people(member, func() error { time.Sleep(besideAlone); return nil })
	if err != nil {
		return "", err
	}
	begun := time.Now()
	beside, err := p.people(member, func() error { return p.importRows(admin, "many", opts.imports, opts.note) })
	if err != nil {
		return "", err
	}
	took := time.Since(begun)
	most, err := memory(p.command.Process.Pid, "VmHWM")
	if err != nil {
		return "", err
	}
	for i, l := range beside {
		fmt.Fprintf(out, "| %s: %s | %d | %s | %s | %s | %s | %s |\n", name, l.name, l.requests(),
			milliseconds(l.at(50)), milliseconds(l.at(99)), milliseconds(l.at(100)), milliseconds(alone[i].at(50)), milliseconds(alone[i].at(100)))
	}
	verdict := fmt.Sprintf("%s: the import took %.0f s, and the program %.1f MB at most (%.0f are wanted).", name, took.Seconds(), megabytes(most), megabytes(besideMemory))
	for _, l := range beside {
		if strings.HasPrefix(l.name, "logging") && l.at(100) > besideWait {
			verdict += fmt.Sprintf(" %d of %d who were %s waited longer than %v.", l.longer(besideWait), l.requests(), l.name, besideWait)
		}
	}
	return verdict, nil
}

// waits are how long people waited for one kind of thing.
type waits struct {
	name string
	all  []time.Duration
}

func (w waits) requests() int { return len(w.all) }

// at is a percentile.
func (w waits) at(percent int) time.Duration {
	if len(w.all) == 0 {
		return 0
	}
	slices.Sort(w.all)
	return w.all[(len(w.all)-1)*percent/100]
}

// longer counts those that waited longer than so long.
func (w waits) longer(than time.Duration) int {
	count := 0
	for _, took := range w.all {
		if took > than {
			count++
		}
	}
	return count
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", microseconds(d)/1000) }

// people sign in, read and write, one of each kind, until during returns.
func (p *program) people(member *visitor, during func() error) ([]waits, error) {
	kinds := []struct {
		name string
		do   func(i int) (time.Duration, error)
	}{
		{"signing in, to the dashboard", p.timedSignIn},
		{"a page of 20", func(int) (time.Duration, error) { return p.timed(member, "/team/few") }},
		{"a page of 50, not seen before", func(i int) (time.Duration, error) {
			return p.timed(member, "/team/many?to="+dayOf(i%unseenPages).Format(time.DateOnly))
		}},
		{"logging in another team", func(int) (time.Duration, error) { return p.timedWrite(member, "few") }},
		{"logging in the team of the rows", func(int) (time.Duration, error) { return p.timedWrite(member, "many") }},
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	all, errs := make([]waits, len(kinds)), make([]error, len(kinds))
	var working sync.WaitGroup
	for k, kind := range kinds {
		all[k].name = kind.name
		working.Go(func() {
			for i := 0; ctx.Err() == nil && errs[k] == nil; i++ {
				took, err := kind.do(i)
				all[k].all, errs[k] = append(all[k].all, took), err
				time.Sleep(besidePace)
			}
		})
	}
	err := during()
	stop()
	working.Wait()
	return all, errors.Join(append(errs, err)...)
}

// timedSignIn signs the next colleague in.
func (p *program) timedSignIn(i int) (time.Duration, error) {
	begun := time.Now()
	_, err := p.signIn(colleague(1 + i%colleagues))
	return time.Since(begun), err
}

// timedWrite logs an expense, and returns how long the answer to its form took.
func (p *program) timedWrite(who *visitor, team string) (time.Duration, error) {
	form := url.Values{
		"date": {time.Now().AddDate(0, 0, -1).Format(time.DateOnly)}, "item": {"Lunch"}, "amount": {"12.50"}, "category": {"Category 1"},
	}
	begun := time.Now()
	if status, _ := p.send(who, http.MethodPost, "/team/"+team+"/expenses", form); status != "303" {
		return 0, fmt.Errorf("an expense is answered with %s", status)
	}
	return time.Since(begun), nil
}

// importRows imports so many expenses of a team, each with a note of so many
// characters, as one file or, where that is too large, as several.
func (p *program) importRows(admin *visitor, team string, rows, note int) error {
	const head = "id,date,team,person,item,category,amount,note\r\n"
	file := bytes.NewBufferString(head)
	for i := range rows {
		writeRow(file, besideFirst+i, team, note)
		if file.Len() < maxFile-4096 && i+1 < rows {
			continue
		}
		if err := p.importFile(admin, file.Bytes()); err != nil {
			return err
		}
		file = bytes.NewBufferString(head)
	}
	return nil
}
