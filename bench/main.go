// Bench measures what a request costs the program beside a bare net/http handler
// that writes the same bytes.
//
//	bench [flags] PROGRAM
//	bench -soak 1h [-rows NUMBER] PROGRAM
//	bench -faults 2s [-only NAME] PROGRAM
//	bench -import 200000 [-rows NUMBER] [-note NUMBER] [-only NAME] PROGRAM
//	bench -memory PROGRAM
//	bench -copies postgres://USER@HOST:5432/DATABASE PROGRAM
//
// Both are servers of their own with GOMAXPROCS=1, pinned to one processor; the
// load comes from this process, pinned to another. The program runs with
// everything on: a SQLite database, signed-in people, security headers, and the
// access log, which goes to a file. The bare handler knows the body and all
// header fields of each answer and looks at nothing of a request but its target.
// By turns each answers the same requests, with the same cookies, for a moment;
// what is compared is the processor time that its process took, and none of PostgreSQL's
// with -postgres. Then pages that
// the program has not rendered before are compared with each other, and what
// somebody waits for who searches all teams is timed.
//
// With -before the pages that were not seen before are asked for of another program too,
// such as the one of an earlier revision, by turns with this one and each with a database
// of its own.
//
// With -soak people use the program for a long time instead: they sign in
// through the provider's page, read lists in all orders, search, log expenses,
// change, delete and restore them, download files, sign out and in again as
// somebody else. There are so many different pages that what the program keeps
// of them is full all the time. What they get is checked, and what they wrote has
// to be there. They send a fixed number of requests a second, so that nothing
// but the program itself makes its memory grow, and that is printed at even
// steps. The log is thrown away.
//
// With -faults things go wrong, one after the other, while people read lists and
// log expenses: the program is restarted and killed, its log and its provider are
// taken away, it is scanned and asked for what it has not got, the disk of its
// database is full, and PostgreSQL, one of its own, is stopped, hung, cut off and
// read-only. Who gets no answer to a form sends it again. In the end everything that was acknowledged has to be
// there, once, and the log has to say what happened.
//
// With -import so many rows are imported into a database that has some, on SQLite
// and on a PostgreSQL of its own, while people sign in, read, and log expenses, also
// in the team of the rows. How long they wait is printed beside how long they wait
// without an import, and what memory the program took at most. It may use both
// processors. Rows with long notes are as many files as are needed.
//
// With -memory 10,000 connections are open, 50,000 rows are imported and all
// expenses are exported four times, at once, and what the program takes is printed
// for the five minutes behind that.
//
// With -copies the same people, as fast as they are answered, use one copy of the
// program and two copies by turns, which share a PostgreSQL database. Each request
// goes to the next copy, as behind a proxy without sticky sessions, so that a
// session that began on one copy is used on the other, and whoever writes on one
// must find it on the other. All copies run on the one processor of the servers:
// two do not answer more than one here. What is compared is how much processor
// time a request costs the copies together. If it is the same with two as with
// one, the copies do not get in each other's way, and two that have a processor
// each answer twice as much as one; if two need a tenth more for a request, that
// much is lost.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"expense-dashboard/internal/storetest"
)

// A scene is a request that is measured.
type scene struct {
	name    string
	target  string
	who     *visitor // nil is a guest
	atLeast float64  // the ratio that is wanted
}

// A result is what came of a scene: the medians over its turns.
type result struct {
	scene
	bytes         int
	program, bare time.Duration // of the processor, for one request
	// ratio is of two turns that follow each other: how fast a processor is drifts
	// on a machine that others use too.
	ratio float64
}

// options are what the flags say.
type options struct {
	program      string
	rows, others int
	turns        int
	length       time.Duration
	only         string
	soak         time.Duration // zero for none
	copies       string        // URL of a database; empty for none
	faults       time.Duration // for each; zero for none
	memory       bool
	imports      int // rows; zero for none
	note         int // characters of each of them
	postgres     bool
	before       string // another program; empty for none
}

func main() {
	log.SetFlags(0)
	if os.Getenv(bareVariable) != "" {
		log.Fatal(serveBare(os.Stdin))
	}
	var opts options
	flag.IntVar(&opts.rows, "rows", 100_000, "`number` of expenses in the team of many, at least 200")
	flag.IntVar(&opts.others, "others", 0, "`number` of expenses in the three other teams together")
	flag.IntVar(&opts.turns, "turns", 21, "`number` of turns of each server in each scene")
	flag.DurationVar(&opts.length, "turn", 200*time.Millisecond, "how long a turn takes")
	flag.StringVar(&opts.only, "only", "", "what the `name` of a scene begins with to be played; empty for all")
	flag.DurationVar(&opts.soak, "soak", 0, "let people use the program for this `duration` instead, and print whether its memory stays flat")
	flag.StringVar(&opts.copies, "copies", "", "let people use one copy of the program and two by turns instead, on the empty PostgreSQL database of this `URL`, and print what a request costs")
	flag.BoolVar(&opts.memory, "memory", false, "ask for all at once that takes memory instead, and print for five minutes how the program gives it back")
	flag.DurationVar(&opts.faults, "faults", 0, "let things go wrong under load instead, each for this `duration`, and print what people see of it")
	flag.IntVar(&opts.imports, "import", 0, "import this `number` of rows while people use the program instead, on SQLite and on PostgreSQL, and print how long they wait")
	flag.IntVar(&opts.note, "note", usualNote, "`number` of characters of the note of each of these rows, at most 2000")
	flag.BoolVar(&opts.postgres, "postgres", false, "measure with a PostgreSQL of its own instead of SQLite")
	flag.StringVar(&opts.before, "before", "", "`path` of another program, beside which pages that were not seen before are measured instead")
	flag.Parse()
	if opts.program = flag.Arg(0); flag.NArg() != 1 || opts.rows < 200 {
		flag.Usage()
		os.Exit(2)
	}
	// Programs are started in folders of their own.
	for _, path := range []*string{&opts.program, &opts.before} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		*path = absolute
	}
	if err := run(opts, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run makes a database and plays what the flags ask for.
func run(opts options, out io.Writer) error {
	folder, err := os.MkdirTemp("", "expense-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if opts.copies != "" {
		return compareCopies(opts, folder, out)
	}
	if opts.faults > 0 {
		return playFaults(opts, folder, out)
	}
	if opts.imports > 0 {
		return besideImports(opts, folder, out)
	}
	if opts.before != "" {
		return compareBefore(opts, folder, out)
	}
	p, err := newProgram(opts.program, folder)
	if err != nil {
		return err
	}
	defer p.close()
	if opts.postgres {
		server, err := storetest.Launch("fsync=off")
		if err != nil {
			return fmt.Errorf("PostgreSQL: %w", err)
		}
		defer server.Close()
		p.databaseURL = server.URL("postgres")
	}
	if err := p.fill(opts); err != nil {
		return err
	}
	if opts.memory {
		return giveBack(p, out)
	}
	if opts.soak > 0 {
		return soak(p, opts.soak, out)
	}
	return compare(p, opts, out)
}

// compare drives both servers and prints the tables.
func compare(p *program, opts options, out io.Writer) error {
	started, err := p.measureStart()
	if err != nil {
		return err
	}
	if err := p.start(); err != nil {
		return err
	}
	time.Sleep(2 * time.Second)
	idle, err := memory(p.command.Process.Pid, "VmRSS")
	if err != nil {
		return err
	}
	results, err := measure(p, opts)
	if err != nil {
		return err
	}
	unseen, err := measureUnseen(p, opts)
	if err != nil {
		return err
	}
	var waits []latency
	if opts.only == "" {
		if waits, err = measureLatencies(p); err != nil {
			return err
		}
	}
	loaded, err := memory(p.command.Process.Pid, "VmHWM")
	if err != nil {
		return err
	}
	printResults(out, results)
	printUnseen(out, unseen)
	if waits != nil {
		printLatencies(out, waits)
	}
	return printProgram(out, opts, started, idle, loaded)
}

// measure signs in and plays each scene.
func measure(p *program, opts options) ([]result, error) {
	scenes, err := newScenes(p)
	if err != nil {
		return nil, err
	}
	bare, err := startBare(scenes, p.baseURL)
	if err != nil {
		return nil, err
	}
	defer bare.close()
	if err := pinSelf(); err != nil {
		return nil, err
	}
	var results []result
	for _, s := range scenes {
		if !strings.HasPrefix(s.name, opts.only) {
			continue
		}
		r, err := play(s, p, bare, opts)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// newScenes signs people in and finds the addresses that are measured.
func newScenes(p *program) ([]scene, error) {
	admin, err := p.signIn(adminAddress)
	if err != nil {
		return nil, err
	}
	member, err := p.signIn(memberAddress)
	if err != nil {
		return nil, err
	}
	style, err := p.find(nil, "/", `/static/style\.css\?v=[0-9a-f]+`)
	if err != nil {
		return nil, err
	}
	second, err := p.nextPage(member, "/team/many?sort=item&order=asc")
	if err != nil {
		return nil, err
	}
	return []scene{
		{"home, guest", "/", nil, 0.6},
		{"home, signed in", "/", member, 0.6},
		{"dashboard, admin, five teams with totals", "/dashboard", admin, 0.6},
		{"team page, 20 expenses", "/team/few", member, 0.6},
		{"team page, 50 of many, newest first", "/team/many", member, 0.6},
		{"team page, 50 of many, sorted by amount", "/team/many?sort=amount&order=desc", member, 0.6},
		{"team page, 50 of many, second page by item", second, member, 0.6},
		{"team page, 50 of many, one category of a month", "/team/many?category=Category+3&from=2024-02-01&to=2024-02-28", member, 0.6},
		{"static file", style, nil, 0.6},
	}, nil
}

// play lets both servers answer a scene by turns and takes the medians.
func play(s scene, p *program, bare *bareServer, opts options) (result, error) {
	var ours, theirs []time.Duration
	var ratios []float64
	r := result{scene: s}
	client := newClient()
	defer client.CloseIdleConnections()
	toProgram, toBare := newTargeter(p.baseURL, s.who, s.target), newTargeter(bare.baseURL, s.who, s.target)
	for turn := range opts.turns + 1 {
		cost, _, err := attack(client, toProgram, p.command.Process.Pid, opts.length)
		if err != nil {
			return r, err
		}
		bareCost, size, err := attack(client, toBare, bare.command.Process.Pid, opts.length)
		if err != nil {
			return r, fmt.Errorf("bare handler: %w", err)
		}
		// The first turn opens connections and fills caches.
		if turn > 0 {
			ours, theirs, r.bytes = append(ours, cost), append(theirs, bareCost), size
			ratios = append(ratios, float64(bareCost)/float64(cost))
		}
	}
	r.program, r.bare, r.ratio = median(ours), median(theirs), median(ratios)
	return r, nil
}

func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
