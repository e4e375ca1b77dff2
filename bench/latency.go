package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// searches is how often each kind of search is asked for.
const searches = 60

// A latency is how long somebody waits for a page, who asks for one at a time.
type latency struct {
	name     string
	requests int
	median   time.Duration
	slowest  time.Duration // at the 95th percentile
}

// measureLatencies lets one person search all teams.
func measureLatencies(p *program) ([]latency, error) {
	admin, err := p.signIn(adminAddress)
	if err != nil {
		return nil, err
	}
	var all []latency
	// Of each address the program has seen nothing.
	for _, kind := range []struct{ name, words string }{
		{"search in all teams, a few hits", "item+4321"},
		{"search in all teams, everything is a hit", "note"},
		{"search in all teams, two words", "length+person"},
		{"search in all teams, a word of all and one of few", "person+77"},
		{"search in all teams, no hit", "nowhere"},
		{"search in all teams, two letters", "it"},
	} {
		l, err := p.wait(admin, kind.name, func(i int) (string, bool) {
			// All expenses are later than these days.
			return "/expenses?q=" + kind.words + "&from=" + time.Date(2000, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), i < searches
		})
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// wait asks for one page after the other.
func (p *program) wait(who *visitor, name string, at func(i int) (path string, more bool)) (latency, error) {
	var waits []time.Duration
	for i := 0; ; i++ {
		path, more := at(i)
		if !more {
			return summed(name, waits), nil
		}
		took, err := p.timed(who, path)
		if err != nil {
			return latency{}, err
		}
		waits = append(waits, took)
	}
}

// timed asks for a page once and returns how long that took.
func (p *program) timed(who *visitor, path string) (time.Duration, error) {
	begun := time.Now()
	if status, _ := p.send(who, http.MethodGet, path, nil); status != "200" {
		return 0, fmt.Errorf("%s is answered with %s", path, status)
	}
	return time.Since(begun), nil
}

func summed(name string, waits []time.Duration) latency {
	slices.Sort(waits)
	if len(waits) == 0 {
		return latency{name: name}
	}
	return latency{name, len(waits), waits[len(waits)/2], waits[len(waits)*95/100]}
}

// printLatencies prints the table of how long people wait.
func printLatencies(out io.Writer, all []latency) {
	fmt.Fprintln(out, "\n| what somebody waits for | requests | median | 95th percentile |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: |")
	for _, l := range all {
		fmt.Fprintf(out, "| %s | %d | %.1f ms | %.1f ms |\n", l.name, l.requests, microseconds(l.median)/1000, microseconds(l.slowest)/1000)
	}
}
