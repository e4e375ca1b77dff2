package memory

import (
	"runtime/debug"
	"testing"
	"testing/fstest"
)

func TestGiveBack(t *testing.T) {
	burst := make([][]byte, 64)
	for i := range burst {
		burst[i] = make([]byte, 1<<20)
		for j := 0; j < len(burst[i]); j += 4096 {
			burst[i][j] = 1
		}
	}
	full := taken()
	clear(burst)
	if giveBack(1 << 40); taken()+32<<20 < full {
		t.Error("something is given back, though there is little to give")
	}
	if giveBack(1); taken()+32<<20 > full {
		t.Errorf("of %d bytes %d are kept", full, taken())
	}
}

func TestSpare(t *testing.T) {
	percent := func() int {
		now := debug.SetGCPercent(-1)
		debug.SetGCPercent(now)
		return now
	}
	defer debug.SetGCPercent(debug.SetGCPercent(90))
	first, second := Spare(), Spare()
	if got := percent(); got != 30 {
		t.Errorf("%d while two tasks run, want a third of 90", got)
	}
	first()
	if got := percent(); got != 30 {
		t.Errorf("%d while one task runs, want a third of 90", got)
	}
	second()
	if got := percent(); got != 90 {
		t.Errorf("%d behind them, want 90", got)
	}
	debug.SetGCPercent(-1)
	end := Spare()
	if got := percent(); got != -1 {
		t.Errorf("%d where there is no collector", got)
	}
	end()
}

func TestLimit(t *testing.T) {
	const unit = "sys/fs/cgroup/system.slice/expense-dashboard.service/memory.max"
	for _, test := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"no control groups", nil, 0},
		{"in a container", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "100663296\n"}, 100663296},
		{"of a unit", map[string]string{"proc/self/cgroup": "0::/system.slice/expense-dashboard.service\n", unit: "536870912\n"}, 536870912},
		{"of the unit's slice", map[string]string{
			"proc/self/cgroup": "0::/system.slice/expense-dashboard.service\n", unit: "536870912\n", "sys/fs/cgroup/system.slice/memory.max": "268435456\n",
		}, 268435456},
		{"none", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 0},
		{"version 1 beside", map[string]string{"proc/self/cgroup": "4:memory:/x\n0::/\n", "sys/fs/cgroup/memory.max": "100663296\n"}, 100663296},
		{"version 1", map[string]string{"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory.max": "100663296\n"}, 0},
		{"a path that leads out", map[string]string{"proc/self/cgroup": "0::/../../etc\n", "etc/memory.max": "1\n"}, 0},
		{"no number", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "-1\n"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := fstest.MapFS{}
			for name, text := range test.files {
				root[name] = &fstest.MapFile{Data: []byte(text)}
			}
			if got := Limit(root); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
