package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

const (
	// soakRate is how many requests a second people send at most.
	soakRate = 200
	// soakLines are printed, and soakSamples taken for each.
	soakLines, soakSamples = 12, 20
	// soakGrowth is the most by which memory may grow from the second quarter to
	// the last one and still be called flat.
	soakGrowth = 1.05
)

// A sample is what the program takes at a moment.
type sample struct {
	resident, anonymous int64 // bytes
	threads             int64
	files               int   // descriptors
	log                 int64 // of the database not yet in its file, in bytes
}

// soak lets people use the program for a while, prints what it takes meanwhile,
// and says whether its memory stays flat.
func soak(p *program, length time.Duration, out io.Writer) error {
	if err := p.discardLog(); err != nil {
		return err
	}
	if err := p.start(); err != nil {
		return err
	}
	if err := pinSelf(); err != nil {
		return err
	}
	way := newProxy(p.address, p.address)
	pace := time.NewTicker(time.Second / soakRate)
	defer pace.Stop()
	way.pace = pace.C
	people, err := newTraffic(p.baseURL, way)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- people.run(ctx) }()
	resident, err := watch(p, way, length, failed, out)
	if err != nil {
		return err
	}
	stop()
	if err := <-failed; err != nil {
		return err
	}
	printVerdict(out, resident)
	return nil
}

// watch prints a line of a table at even steps, and returns the resident sizes
// at steps between them.
func watch(p *program, way *proxy, length time.Duration, failed <-chan error, out io.Writer) ([]int64, error) {
	fmt.Fprintln(out, "| after | requests | VmRSS | RssAnon | threads | open files | -wal file |")
	fmt.Fprintln(out, "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	begun := time.Now()
	var resident []int64
	for step := 1; step <= soakLines*soakSamples; step++ {
		until := begun.Add(length * time.Duration(step) / (soakLines * soakSamples))
		select {
		case err := <-failed:
			return nil, err
		case <-time.After(time.Until(until)):
		}
		s, err := p.sample()
		if err != nil {
			return nil, err
		}
		resident = append(resident, s.resident)
		if step%soakSamples == 0 {
			fmt.Fprintf(out, "| %v | %d | %.1f MB | %.1f MB | %d | %d | %.1f MB |\n", time.Since(begun).Round(time.Second),
				way.requests.Load(), megabytes(s.resident), megabytes(s.anonymous), s.threads, s.files, megabytes(s.log))
		}
	}
	return resident, nil
}

// printVerdict compares the means of the second and the last quarter.
func printVerdict(out io.Writer, resident []int64) {
	quarter := len(resident) / 4
	second, last := mean(resident[quarter:2*quarter]), mean(resident[3*quarter:])
	word := "flat"
	if last > soakGrowth*second {
		word = "growing"
	}
	fmt.Fprintf(out, "\nMemory is %s: VmRSS is %.1f MB on average in the second quarter and %.1f MB in the last, a ratio of %.3f (flat is up to %.2f).\n",
		word, second/mega, last/mega, last/second, soakGrowth)
}

func mean(values []int64) float64 {
	var sum float64
	for _, value := range values {
		sum += float64(value)
	}
	return sum / float64(len(values))
}

// sample reads what the program takes now.
func (p *program) sample() (s sample, err error) {
	pid := p.command.Process.Pid
	var errs [5]error
	s.resident, errs[0] = memory(pid, "VmRSS")
	s.anonymous, errs[1] = memory(pid, "RssAnon")
	s.threads, errs[2] = status(pid, "Threads")
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	s.files, errs[3] = len(files), err
	if log, err := os.Stat(p.database() + "-wal"); err == nil {
		s.log = log.Size()
	} else if !errors.Is(err, fs.ErrNotExist) {
		errs[4] = err
	}
	return s, errors.Join(errs[:]...)
}
