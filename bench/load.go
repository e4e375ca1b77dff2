package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"golang.org/x/sys/unix"
)

const (
	serverProcessor = "0"
	clientProcessor = "1"
	// connections are open at once.
	connections = 8
	// language is what a browser sends.
	language = "en-US,en;q=0.9"
)

// newClient returns a client that keeps its connections open.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
}

// newTargeter makes the requests of a scene for a server: those for its targets, in
// turn.
func newTargeter(baseURL string, who *visitor, targets ...string) vegeta.Targeter {
	header := http.Header{"Accept": {"text/html"}, "Accept-Language": {language}}
	if who != nil {
		header.Set("Cookie", who.cookies)
	}
	var all []vegeta.Target
	for _, target := range targets {
		all = append(all, vegeta.Target{Method: http.MethodGet, URL: baseURL + target, Header: header})
	}
	return vegeta.NewStaticTargeter(all...)
}

// attack sends requests as fast as they are answered and returns the processor
// time that each cost the process, and the size of a body. Any answer but 200 is
// an error.
func attack(client *http.Client, requests vegeta.Targeter, pid int, length time.Duration) (cost time.Duration, size int, err error) {
	attacker := vegeta.NewAttacker(vegeta.Workers(connections), vegeta.MaxWorkers(connections), vegeta.Client(client))
	before, err := processorTime(pid)
	if err != nil {
		return 0, 0, err
	}
	answers := 0
	for answer := range attacker.Attack(requests, vegeta.Rate{}, length, "") {
		if answer.Code != http.StatusOK || answer.Error != "" {
			attacker.Stop()
			return 0, 0, fmt.Errorf("status %d %s", answer.Code, answer.Error)
		}
		answers, size = answers+1, len(answer.Body)
	}
	after, err := processorTime(pid)
	if err != nil {
		return 0, 0, err
	}
	return (after - before) / time.Duration(answers), size, nil
}

// processorTime is what a process used so far, from its processor-time clock,
// which is exact to the nanosecond where /proc/PID/stat counts in hundredths of
// a second. The clock's number is made as clock_getcpuclockid(3) does.
func processorTime(pid int) (time.Duration, error) {
	const scheduled = 2
	var spent unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &spent); err != nil {
		return 0, fmt.Errorf("processor time of %d: %w", pid, err)
	}
	return time.Duration(spent.Nano()), nil
}

// memory reads a size from /proc/PID/status, in bytes.
func memory(pid int, name string) (int64, error) {
	kilobytes, err := status(pid, name)
	return kilobytes << 10, err
}

// status reads a number from /proc/PID/status.
func status(pid int, name string) (int64, error) {
	lines, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(lines)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			return strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		}
	}
	return 0, fmt.Errorf("no %s of process %d", name, pid)
}

// pinned is a command that runs as a server on its processor, with one thread
// of Go's at a time.
func pinned(name string, args ...string) *exec.Cmd {
	command := exec.Command("taskset", append([]string{"--cpu-list", serverProcessor, name}, args...)...)
	command.Env = append(os.Environ(), "GOMAXPROCS=1")
	return command
}

// pinSelf moves all threads of this process to the other processor.
func pinSelf() error {
	out, err := exec.Command("taskset", "--all-tasks", "--pid", "--cpu-list", clientProcessor, strconv.Itoa(os.Getpid())).CombinedOutput()
	if err != nil {
		return fmt.Errorf("taskset: %w: %s", err, out)
	}
	return nil
}
