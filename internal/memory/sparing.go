package memory

import (
	"runtime/debug"
	"sync"
)

var sparing struct {
	sync.Mutex
	tasks, percent int
}

// Spare makes the collector come three times as often until end is called, once, for a
// task in the background that holds memory for long: it costs some percent of the
// processor, and takes a third off what Go has.
func Spare() (end func()) {
	sparing.Lock()
	defer sparing.Unlock()
	if sparing.tasks++; sparing.tasks == 1 {
		sparing.percent = debug.SetGCPercent(-1)
		less := sparing.percent
		if less > 2 { // a negative one is no collector, which stays so
			less /= 3
		}
		debug.SetGCPercent(less)
	}
	return func() {
		sparing.Lock()
		defer sparing.Unlock()
		if sparing.tasks--; sparing.tasks == 0 {
			debug.SetGCPercent(sparing.percent)
		}
	}
}
