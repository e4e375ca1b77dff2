package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// printResults prints the table of the scenes.
func printResults(out io.Writer, results []result) {
	fmt.Fprintln(out, "| page | bytes | bare handler | this program | ratio | wanted |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | --- |")
	for _, r := range results {
		fmt.Fprintf(out, "| %s | %d | %.1f µs | %.1f µs | %.2f | at least %.2f |\n", r.name, r.bytes, microseconds(r.bare), microseconds(r.program), r.ratio, r.atLeast)
	}
}

// printUnseen prints the table of pages that were not seen before.
func printUnseen(out io.Writer, results []unseen) {
	if results == nil {
		return
	}
	fmt.Fprintln(out, "\n| page that was not seen before | bytes | a page of 20 | this one | times as much | wanted |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | --- |")
	for _, r := range results {
		fmt.Fprintf(out, "| %s | %d | %.0f µs | %.0f µs | %.2f | at most 2.00 |\n", r.name, r.bytes, microseconds(r.other), microseconds(r.cost), r.ratio)
	}
}

// printBefore prints the table of pages that were not seen before beside another program.
func printBefore(out io.Writer, results []unseen) {
	fmt.Fprintln(out, "| page that was not seen before | bytes | before | this program | ratio | wanted |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | --- |")
	for _, r := range results {
		fmt.Fprintf(out, "| %s | %d | %.0f µs | %.0f µs | %.2f | at most 0.50 |\n", r.name, r.bytes, microseconds(r.other), microseconds(r.cost), r.ratio)
	}
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

const mega = 1e6

func megabytes(size int64) float64 { return float64(size) / mega }

// printProgram prints the table of what does not depend on a page.
func printProgram(out io.Writer, opts options, started time.Duration, idle, loaded int64) error {
	binary, err := os.Stat(opts.program)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n| with %d expenses | | wanted |\n| --- | ---: | --- |\n", opts.rows+opts.others+20)
	fmt.Fprintf(out, "| memory, idle | %.1f MB | under 30 MB |\n", megabytes(idle))
	fmt.Fprintf(out, "| memory, the most under load | %.1f MB | under 64 MB |\n", megabytes(loaded))
	fmt.Fprintf(out, "| start to the first answer | %.0f ms | under 100 ms |\n", float64(started)/float64(time.Millisecond))
	fmt.Fprintf(out, "| binary | %.1f MB | under 30 MB |\n", megabytes(binary.Size()))
	return nil
}
