package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"expense-dashboard/internal/devidp"
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
	length time.Duration
	admin  *visitor
	member *visitor
	logged []string // items whose expense was acknowledged
}

// allFaults are in the order in which they are played.
func allFaults() []fault {
	return []fault{
		{"nothing", "", func(f *faults) error { time.Sleep(f.length); return nil }},
		{"restart (SIGTERM)", "stopping", func(f *faults) error { return f.restart(f.stop) }},
		{"kill -9", "", func(f *faults) error { return f.restart(f.kill) }},
		{"the log's reader gone", "", func(f *faults) error { return f.withLog(brokenPipe) }},
		{"the log's reader stuck", "", func(f *faults) error { return f.withLog(stuckPipe) }},
		{"the log's disk full", "", func(f *faults) error {
			return f.withLog(func() (*os.File, func(), error) {
				file, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
				return file, func() {}, err
			})
		}},
		{"the provider away at the start", "provider not reached", (*faults).withoutProvider},
		{"2,000 idle connections", "", (*faults).idleConnections},
		{"the -wal and -shm files deleted", "", (*faults).deleteLog},
		{"a scanner", `status=404`, (*faults).scanner},
		{"requests that are none", "", (*faults).malformed},
		{"four exports and an import", "", (*faults).burst},
	}
}

// playFaults plays the faults whose name begins with opts.only, and prints what
// people saw of each.
func playFaults(p *program, opts options, out io.Writer) error {
	if err := p.start(); err != nil {
		return err
	}
	f := &faults{program: p, length: opts.faults}
	var err1, err2 error
	f.admin, err1 = p.signIn(adminAddress)
	f.member, err2 = p.signIn(memberAddress)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	fmt.Fprintln(out, "| what was done | requests | what clients saw | longest without service | lost | doubled | in the log |")
	fmt.Fprintln(out, "| --- | ---: | --- | ---: | ---: | ---: | --- |")
	var bad []string
	for _, one := range allFaults() {
		if !strings.HasPrefix(one.name, opts.only) {
			continue
		}
		seen, err := f.underLoad(one)
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		fmt.Fprintln(out, seen)
		if seen.lost+seen.doubled > 0 || seen.named == "no" {
			bad = append(bad, one.name)
		}
	}
	if bad != nil {
		return fmt.Errorf("something was lost, doubled or not named: %s", strings.Join(bad, ", "))
	}
	return nil
}

// A sight is what people saw while a fault was played.
type sight struct {
	name          string
	statuses      map[string]int // and errors in a word
	gap           time.Duration  // the longest without an answer of 200
	lost, doubled int
	named         string // whether the log says what it was: "yes", "no" or "-"
}

// String is a line of the table.
func (s sight) String() string {
	requests := 0
	var seen []string
	for _, status := range slices.Sorted(maps.Keys(s.statuses)) {
		requests += s.statuses[status]
		seen = append(seen, fmt.Sprintf("%d × %s", s.statuses[status], status))
	}
	return fmt.Sprintf("| %s | %d | %s | %.1f s | %d | %d | %s |", s.name, requests, strings.Join(seen, ", "), s.gap.Seconds(), s.lost, s.doubled, s.named)
}

// underLoad plays a fault while people read and write, waits until the program
// serves again, and looks whether everything that was acknowledged is there once.
func (f *faults) underLoad(one fault) (sight, error) {
	before, err := f.logFile.Seek(0, io.SeekEnd)
	if err != nil {
		return sight{}, err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	l := &load{faults: f, statuses: map[string]int{}, served: time.Now()}
	var asking sync.WaitGroup
	for range readers {
		asking.Go(func() { l.repeat(ctx, l.read) })
	}
	for i := range writers {
		asking.Go(func() {
			l.write(ctx, fmt.Sprintf("%s %d", regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(one.name), "-"), i))
		})
	}
	err = one.play(f)
	if err == nil {
		err = f.await("/readyz")
	}
	time.Sleep(f.length / 4)
	stop()
	asking.Wait()
	if err != nil {
		return sight{}, err
	}
	l.sawAnswer()
	s := sight{name: one.name, statuses: l.statuses, gap: l.gap, named: "-"}
	if s.lost, s.doubled, err = f.count(); err != nil {
		return s, err
	}
	if one.cause != "" {
		s.named = "no"
		text, err := os.ReadFile(f.logFile.Name())
		if err != nil {
			return s, err
		}
		if strings.Contains(string(text[min(int(before), len(text)):]), one.cause) {
			s.named = "yes"
		}
	}
	return s, nil
}

// load is what people do while a fault is played.
type load struct {
	*faults
	mu       sync.Mutex
	statuses map[string]int
	served   time.Time // when an answer of 200 came last
	gap      time.Duration
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
	l.statuses[status]++
	l.mu.Unlock()
	if status == "200" {
		l.sawAnswer()
	}
}

func (l *load) sawAnswer() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gap = max(l.gap, time.Since(l.served))
	l.served = time.Now()
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

// deleteLog deletes what SQLite keeps beside its file, and starts the program again:
// what it acknowledges after that has to be in the file all the same.
func (f *faults) deleteLog() error {
	if err := errors.Join(os.Remove(f.database()+"-wal"), os.Remove(f.database()+"-shm")); err != nil {
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
	asking.Go(func() {
		var file strings.Builder
		file.WriteString("id,date,team,person,item,category,amount,note\r\n")
		for i := range 5000 {
			writeRow(&file, i, "team-1")
		}
		errs[4] = f.importFile(f.admin, []byte(file.String()))
	})
	asking.Wait()
	return errors.Join(errs[:]...)
}
