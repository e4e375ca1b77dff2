package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"expense-dashboard/internal/storetest"
)

const (
	// readers and writers ask while a fault is played.
	readers, writers = 4, 2
	// patience is how long a reader or a writer waits for an answer.
	patience = 15 * time.Second
	// givenUp is how long the program may take to serve again.
	givenUp = 60 * time.Second
)

// A fault is something that happens to the program while people use it.
type fault struct {
	name string
	// cause is what the log says of it; empty where it is the log that is taken
	// away, or where nothing is to be said.
	cause string
	play  func(f *faults) error
}

// faults are played on one program, one after the other, for length each.
type faults struct {
	*program
	length  time.Duration
	admin   *visitor
	member  *visitor
	server  *storetest.Server // of PostgreSQL; nil on SQLite
	ownDisk bool              // whether the SQLite database is on a small disk of its own
	logged  []string          // items whose expense was acknowledged
}

// anyFaults are played on SQLite, in this order.
func anyFaults() []fault {
	return []fault{
		{"nothing", "", func(f *faults) error { time.Sleep(f.length); return nil }},
		{"restart (SIGTERM)", "stopping", func(f *faults) error { return f.restart(f.stop) }},
		{"kill -9", "", func(f *faults) error { return f.restart(f.kill) }},
		{"the log's reader gone", "", func(f *faults) error { return f.withLog(brokenPipe) }},
		{"the log's reader stuck", "", func(f *faults) error { return f.withLog(stuckPipe) }},
		{"the log's disk full", "", func(f *faults) error { return f.withLog(fullLog) }},
		{"the provider away at the start", "provider not reached", (*faults).withoutProvider},
		{"2,000 idle connections", "", (*faults).idleConnections},
		{"a scanner", `status=404`, (*faults).scanner},
		{"requests that are none", "", (*faults).malformed},
		{"four exports and an import", "", (*faults).burst},
		{"SQLite: the disk full", "disk is full", (*faults).fillDisk},
		{"SQLite: the -wal file deleted", "write-ahead log was deleted", (*faults).deleteLog},
	}
}

// postgresFaults are played on PostgreSQL, in this order.
func postgresFaults() []fault {
	return []fault{
		{"PostgreSQL: stopped and started", "connection refused", (*faults).withoutServer},
		{"PostgreSQL: hung (SIGSTOP)", "deadline exceeded", (*faults).hangServer},
		{"PostgreSQL: connections killed", "", (*faults).killConnections},
		{"PostgreSQL: read-only", "read-only", (*faults).readOnly},
	}
}

// playFaults plays the faults whose name begins with opts.only, and prints what
// people saw of each.
func playFaults(opts options, folder string, out io.Writer) error {
	fmt.Fprintln(out, "| what was done | requests | what clients saw | longest without a page | without a write | served again after | lost | doubled | in the log |")
	fmt.Fprintln(out, "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | --- |")
	var bad []string
	for _, database := range []struct {
		faults []fault
		open   func(f *faults) (done func(), err error)
	}{{anyFaults(), (*faults).onSmallDisk}, {postgresFaults(), (*faults).onPostgres}} {
		chosen := slices.DeleteFunc(database.faults, func(one fault) bool { return !strings.HasPrefix(one.name, opts.only) })
		if len(chosen) == 0 {
			continue
		}
		worse, err := playOn(opts, folder, chosen, database.open, out)
		if err != nil {
			return err
		}
		bad = append(bad, worse...)
	}
	if bad != nil {
		return fmt.Errorf("something was lost, doubled or not named: %s", strings.Join(bad, ", "))
	}
	return nil
}

// errNotHere is a fault that cannot be played on this machine.
var errNotHere = errors.New("not played here")

// playOn plays faults on a program with a database of its own, and returns the
// names of those that went badly.
func playOn(opts options, folder string, list []fault, open func(*faults) (func(), error), out io.Writer) (bad []string, err error) {
	p, err := newProgram(opts.program, folder)
	if err != nil {
		return nil, err
	}
	f := &faults{program: p, length: opts.faults}
	closeDatabase, err := open(f)
	switch {
	case errors.Is(err, errNotHere):
		p.close()
		for _, one := range list {
			printSkipped(out, one, err)
		}
		return nil, nil
	case err == nil:
		defer closeDatabase()
	}
	defer p.close()
	if err == nil {
		err = f.begin(opts)
	}
	if err != nil {
		return nil, err
	}
	for _, one := range list {
		seen, err := f.underLoad(one)
		if errors.Is(err, errNotHere) {
			printSkipped(out, one, err)
			continue
		}
		if err != nil {
			return bad, fmt.Errorf("%s: %w", one.name, err)
		}
		fmt.Fprintln(out, seen)
		if seen.lost+seen.doubled > 0 || seen.named == "no" {
			bad = append(bad, one.name)
		}
	}
	return bad, nil
}

func printSkipped(out io.Writer, one fault, why error) {
	fmt.Fprintf(out, "| %s | %v | | | | | | | |\n", one.name, why)
}

// begin fills the database, and signs people in.
func (f *faults) begin(opts options) error {
	if err := f.fill(opts); err != nil {
		return err
	}
	if err := f.start(); err != nil {
		return err
	}
	var err1, err2 error
	f.admin, err1 = f.signIn(adminAddress)
	f.member, err2 = f.signIn(memberAddress)
	return errors.Join(err1, err2)
}

// A sight is what people saw while a fault was played.
type sight struct {
	name          string
	statuses      map[string]int // and errors in a word
	pages, writes gap
	again         time.Duration // from the end of the fault until people could read and write
	lost, doubled int
	named         string // whether the log says what it was: "yes", "no" or "-"
}

// A gap is the longest time in which nobody got what they asked for.
type gap struct {
	last    time.Time // when somebody did
	longest time.Duration
}

func (g *gap) end() {
	g.longest = max(g.longest, time.Since(g.last))
	g.last = time.Now()
}

// String is a line of the table.
func (s sight) String() string {
	requests := 0
	var seen []string
	for _, status := range slices.Sorted(maps.Keys(s.statuses)) {
		requests += s.statuses[status]
		seen = append(seen, fmt.Sprintf("%d × %s", s.statuses[status], status))
	}
	return fmt.Sprintf("| %s | %d | %s | %.1f s | %.1f s | %.1f s | %d | %d | %s |", s.name, requests, strings.Join(seen, ", "),
		s.pages.longest.Seconds(), s.writes.longest.Seconds(), s.again.Seconds(), s.lost, s.doubled, s.named)
}

// underLoad plays a fault while people read and write, waits until both are served
// again, and looks whether everything that was acknowledged is there once.
func (f *faults) underLoad(one fault) (sight, error) {
	before, err := f.logFile.Seek(0, io.SeekEnd)
	if err != nil {
		return sight{}, err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	now := gap{last: time.Now()}
	l := &load{faults: f, statuses: map[string]int{}, pages: now, writes: now}
	var asking sync.WaitGroup
	for range readers {
		asking.Go(func() { l.repeat(ctx, l.read) })
	}
	for i := range writers {
		asking.Go(func() {
			l.write(ctx, fmt.Sprintf("%s %d", regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(one.name), "-"), i))
		})
	}
	s := sight{name: one.name, named: "-"}
	if err = one.play(f); err == nil {
		s.again, err = l.servedAgain()
	}
	stop()
	asking.Wait()
	if err != nil {
		return sight{}, err
	}
	s.statuses, s.pages, s.writes = l.statuses, l.pages, l.writes
	if s.lost, s.doubled, err = f.count(); err != nil || one.cause == "" {
		return s, err
	}
	s.named = "no"
	text, err := os.ReadFile(f.logFile.Name())
	if err == nil && strings.Contains(string(text[min(int(before), len(text)):]), one.cause) {
		s.named = "yes"
	}
	return s, err
}

// load is what people do while a fault is played.
type load struct {
	*faults
	mu       sync.Mutex
	statuses map[string]int
	pages    gap // without an answer of 200
	writes   gap // without one that something was written
}

// servedAgain returns how long it takes from now until somebody gets a page and
// somebody can write.
func (l *load) servedAgain() (time.Duration, error) {
	over := time.Now()
	for time.Since(over) < givenUp {
		l.mu.Lock()
		served := l.pages.last.After(over) && l.writes.last.After(over)
		l.mu.Unlock()
		if served {
			return time.Since(over), nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return 0, fmt.Errorf("nobody is served %v after it was over", givenUp)
}

// repeat asks until ctx is done.
func (l *load) repeat(ctx context.Context, ask func()) {
	for ctx.Err() == nil {
		ask()
		time.Sleep(2 * time.Millisecond)
	}
}

// saw notes an answer.
func (l *load) saw(status string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.statuses[status]++
	switch status {
	case "200":
		l.pages.end()
	case "303":
		l.writes.end()
	}
}

// browser keeps no cookies, follows nothing and has the patience of a person.
var browser = &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// send sends a request of somebody's and returns the answer's status, or in a word
// why there is none.
func (p *program) send(who *visitor, method, path string, form url.Values) (status, body string) {
	request, err := http.NewRequest(method, p.baseURL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "error", ""
	}
	request.Header.Set("Accept", "text/html")
	request.Header.Set("Cookie", who.cookies)
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	answer, err := browser.Do(request)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused", ""
	case err != nil && os.IsTimeout(err):
		return "timed out", ""
	case err != nil:
		return "cut off", ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "cut off", ""
	}
	return fmt.Sprint(answer.StatusCode), string(text)
}

// read looks at a list.
func (l *load) read() {
	status, _ := l.send(l.member, http.MethodGet, "/team/few", nil)
	l.saw(status)
}

// submissionField holds what makes a form count once, however often it is sent.
var submissionField = regexp.MustCompile(`name="submission" value="([^"]+)"`)

// write logs one expense after the other, as a person does: where no answer comes
// it sends the same form again.
func (l *load) write(ctx context.Context, name string) {
	for number := 0; ctx.Err() == nil; number++ {
		status, page := l.send(l.member, http.MethodGet, "/team/few/expenses/new", nil)
		l.saw(status)
		field := submissionField.FindStringSubmatch(page)
		if field == nil {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		item := fmt.Sprintf("Fault %s %d", name, number)
		form := url.Values{
			"date": {time.Now().AddDate(0, 0, -1).Format(time.DateOnly)}, "item": {item}, "amount": {"12.50"}, "category": {"Category 1"}, "submission": {field[1]},
		}
		l.insist(item, form)
	}
}

// insist sends a form until it is acknowledged.
func (l *load) insist(item string, form url.Values) {
	for deadline := time.Now().Add(givenUp); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		status, _ := l.send(l.member, http.MethodPost, "/team/few/expenses", form)
		l.saw(status)
		if status == "303" {
			l.mu.Lock()
			l.logged = append(l.logged, item)
			l.mu.Unlock()
			return
		}
	}
}

// count returns how many expenses that were acknowledged are missing, and how many
// stand there more than once.
func (f *faults) count() (lost, doubled int, err error) {
	status, file := f.send(f.member, http.MethodGet, "/team/few/expenses.csv", nil)
	if status != "200" {
		return 0, 0, fmt.Errorf("the export of all expenses is %s", status)
	}
	stand := map[string]int{}
	for line := range strings.Lines(file) {
		if i := strings.Index(line, ",Fault "); i >= 0 {
			item, _, _ := strings.Cut(line[i+1:], ",")
			stand[item]++
		}
	}
	for _, item := range f.logged {
		if stand[item] == 0 {
			lost++
		}
	}
	for _, n := range stand {
		doubled += n - 1
	}
	return lost, doubled, nil
}
