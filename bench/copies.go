package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// copiesTurns is how many turns one copy has, and how many two have.
	copiesTurns = 9
	copiesTurn  = 4 * time.Second
	// copiesRows are brought in for the team of many, and copiesFewRows for the
	// other one.
	copiesRows, copiesFewRows = 19_800, 200
)

// A turn is what came of a while in which one copy answered, or two.
type turn struct {
	copies              int
	rate                float64       // requests a second
	program, postgreSQL time.Duration // of the processor, for one request; of the program's copies together
}

// compareCopies lets people use one copy of the program and two by turns, on one
// PostgreSQL database, which has to be empty, and prints what a request costs.
func compareCopies(opts options, folder string, out io.Writer) error {
	programs, err := startPair(opts, folder)
	if err != nil {
		return err
	}
	defer closePair(programs)
	if err := pinSelf(); err != nil {
		return err
	}
	first, second := programs[0], programs[1]
	way := newProxy(first.address, first.address, second.address)
	people, err := newTraffic(first.baseURL, way)
	if err != nil {
		return err
	}
	if err := people.people[0].fillEmpty(); err != nil {
		return err
	}
	var turns []turn
	for number := range 2 * (copiesTurns + 1) {
		way.inUse = 1 + number%2
		t, err := measureTurn(people, way, programs)
		if err != nil {
			return fmt.Errorf("copies in use: %d: %w", way.inUse, err)
		}
		// The first turn of each opens connections and fills caches.
		if number >= 2 {
			turns = append(turns, t)
		}
	}
	printTurns(out, turns)
	return nil
}

// startPair starts two copies of the program that know the same, each on an
// address of its own.
func startPair(opts options, folder string) ([]*program, error) {
	first, err := newProgram(opts.program, folder)
	if err != nil {
		return nil, err
	}
	first.databaseURL = opts.copies
	second := *first
	if second.address, err = freeAddress(); err != nil {
		first.close()
		return nil, err
	}
	programs := []*program{first, &second}
	for _, p := range programs {
		if err := errors.Join(p.start(), p.await("/readyz")); err != nil {
			closePair(programs)
			return nil, err
		}
	}
	return programs, nil
}

// closePair stops both; what they share is closed with the first.
func closePair(programs []*program) {
	if programs[1].command != nil {
		_ = programs[1].stop()
	}
	programs[0].close()
}

// measureTurn lets people work for a turn.
func measureTurn(people *traffic, way *proxy, programs []*program) (t turn, err error) {
	program, postgreSQL, err := copiesTime(programs)
	if err != nil {
		return t, err
	}
	requests, begun := way.requests.Load(), time.Now()
	ctx, stop := context.WithTimeout(context.Background(), copiesTurn)
	defer stop()
	if err := people.run(ctx); err != nil {
		return t, err
	}
	took := time.Since(begun)
	requests = way.requests.Load() - requests
	programAfter, postgreSQLAfter, err := copiesTime(programs)
	if err != nil {
		return t, err
	}
	return turn{
		copies: way.inUse, rate: float64(requests) / took.Seconds(),
		program:    (programAfter - program) / time.Duration(requests),
		postgreSQL: (postgreSQLAfter - postgreSQL) / time.Duration(requests),
	}, nil
}

// copiesTime is what the copies and PostgreSQL used of the processors so far.
func copiesTime(programs []*program) (ours, postgreSQL time.Duration, err error) {
	for _, p := range programs {
		spent, err := processorTime(p.command.Process.Pid)
		if err != nil {
			return 0, 0, err
		}
		ours += spent
	}
	postgreSQL, err = postgreSQLTime()
	return ours, postgreSQL, err
}

// postgreSQLTime is what all PostgreSQL processes of this machine used of the
// processors, those included that have ended meanwhile, to a hundredth of a
// second. Where there is none it is zero.
func postgreSQLTime() (time.Duration, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	var ticks int64
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // It has ended since.
		}
		rest, ok := strings.CutPrefix(string(text[bytes.IndexByte(text, '('):]), "(postgres) ")
		if !ok {
			continue
		}
		// utime, stime, cutime and cstime, the 14th to the 17th field.
		for _, field := range strings.Fields(rest)[11:15] {
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", file, err)
			}
			ticks += n
		}
	}
	return time.Duration(ticks) * time.Second / 100, nil
}

// fillEmpty brings expenses in from a file, as an administrator does. A database
// that has some already is somebody's.
func (p *person) fillEmpty() error {
	page, err := p.get("/expenses")
	if err != nil {
		return err
	}
	if !strings.Contains(page, "No expenses yet.") {
		return errors.New("the database holds expenses: give the URL of an empty one")
	}
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	file, err := parts.CreateFormFile("file", "expenses.csv")
	if err != nil {
		return err
	}
	if _, err := file.Write(importedFile()); err != nil {
		return err
	}
	if err := parts.Close(); err != nil {
		return err
	}
	answer, body, err := p.do(http.MethodPost, "/expenses/import", parts.FormDataContentType(), &form)
	if err != nil {
		return err
	}
	if !strings.Contains(body, fmt.Sprintf("Imported: %d added", copiesRows+copiesFewRows)) {
		return fmt.Errorf("the import leads to %s and is not done", answer.Request.URL.Path)
	}
	return nil
}

// importedFile is much like what fill adds.
func importedFile() []byte {
	var file bytes.Buffer
	file.WriteString("id,date,team,person,item,category,amount,note\r\n")
	for i := range copiesRows + copiesFewRows {
		team := "many"
		if i < copiesFewRows {
			team = "few"
		}
		fmt.Fprintf(&file, ",%d-%02d-%02d,%s,Person %d,Item %d,Category %d,%d.25,a note of some length about what it was\r\n",
			firstYear+i*31%years, 1+i*37%12, 1+i*41%28, team, i*43%40, i*47%5000, i*53%categories, 1+i*7907%5000)
	}
	return file.Bytes()
}

// printTurns prints the turns, and what they come to.
func printTurns(out io.Writer, turns []turn) {
	fmt.Fprintln(out, "| copies | requests a second | the program, for a request | PostgreSQL, for a request |")
	fmt.Fprintln(out, "| ---: | ---: | ---: | ---: |")
	columns := map[int]*struct {
		rates             []float64
		ours, postgreSQLs []time.Duration
	}{1: {}, 2: {}}
	var ratios []float64
	for i, t := range turns {
		printTurn(out, strconv.Itoa(t.copies), t)
		c := columns[t.copies]
		c.rates, c.ours, c.postgreSQLs = append(c.rates, t.rate), append(c.ours, t.program), append(c.postgreSQLs, t.postgreSQL)
		if t.copies == 2 {
			ratios = append(ratios, float64(turns[i-1].program)/float64(t.program))
		}
	}
	for copies := 1; copies <= 2; copies++ {
		c := columns[copies]
		printTurn(out, fmt.Sprintf("median of %d", copies), turn{copies, median(c.rates), median(c.ours), median(c.postgreSQLs)})
	}
	fmt.Fprintf(out, "\nThe processor time of a request with one copy is %.2f of that with two: with a processor each,"+
		" two copies answer %.2f times as much as one, as long as PostgreSQL keeps up.\n", median(ratios), 2*median(ratios))
}

func printTurn(out io.Writer, what string, t turn) {
	fmt.Fprintf(out, "| %s | %.0f | %.0f µs | %.0f µs |\n", what, t.rate, microseconds(t.program), microseconds(t.postgreSQL))
}
