// Package memory finds out how much memory the program may have, which Go itself
// does not ask: in a container or a unit of systemd with a limit, the kernel ends
// whatever takes more, and the collector has to come in time.
//
// It also gives back what a burst of requests took, within a minute or two of its
// end, where Go by itself would take five and more.
//
// Start reading at [Limit] and [GiveBack].
package memory

import (
	"context"
	"io/fs"
	"path"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

const (
	// usual is how many bytes of Go's the program takes at most in a long day, so
	// that more are those of a burst.
	usual = 40 << 20
	// interval is how often somebody looks.
	interval = time.Minute
)

// GiveBack returns to the system, until ctx is done, what is not used, whenever
// the program has more than usual. Collecting for that takes some milliseconds.
func GiveBack(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			giveBack(usual)
		}
	}
}

// giveBack returns what is not used, where Go has more than so many bytes.
func giveBack(most uint64) {
	if taken() > most {
		debug.FreeOSMemory()
	}
}

// taken returns how many bytes Go has of the system's and has not given back.
func taken() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

// Limit returns the least limit in bytes of the control group (version 2) that
// this process is in, and of all above it, or zero where there is none. The root
// is that of the machine's files.
func Limit(root fs.FS) int64 {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	least := int64(0)
	for line := range strings.Lines(string(groups)) {
		// A line is hierarchy:controllers:path, and of version 2 the first is 0.
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::/")
		if !ok {
			continue
		}
		for group = path.Join("sys/fs/cgroup", group); group != "sys/fs" && group != "."; group = path.Dir(group) {
			text, err := fs.ReadFile(root, path.Join(group, "memory.max"))
			if err != nil {
				continue
			}
			// It is "max" where there is none.
			if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && limit > 0 && (least == 0 || limit < least) {
				least = limit
			}
		}
	}
	return least
}
