package signin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestCallbacksForget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewCallbacks()
		var runs atomic.Int64
		run := func(state string) Outcome {
			return c.Do(t.Context(), Login{State: state}, time.Now(), func(context.Context) Outcome {
				runs.Add(1)
				return Outcome{RawIDToken: state}
			})
		}
		kept := func() map[string]*callbackCall {
			c.mu.Lock()
			defer c.mu.Unlock()
			return maps.Clone(c.byState)
		}
		for range 3 {
			if got := run("a").RawIDToken; got != "a" {
				t.Errorf("the outcome is of %q", got)
			}
		}
		login := Login{State: "a"}
		time.Sleep(callbackMemory)
		if run("a"); runs.Load() != 1 || c.IsUsed(login, time.Now()) {
			t.Errorf("%d runs within %s, want 1", runs.Load(), callbackMemory)
		}
		time.Sleep(time.Second)
		if !c.IsUsed(login, time.Now()) || c.IsUsed(Login{State: "b"}, time.Now()) {
			t.Errorf("after %s nobody knows who was here", callbackMemory)
		}
		if kept()["a"].outcome.RawIDToken != "" {
			t.Errorf("after %s, though nobody came, the outcome is still there", callbackMemory)
		}
		if got := run("a"); !errors.Is(got.Err, ErrUsedLogin) {
			t.Errorf("after %s the outcome is %v, want %v", callbackMemory, got.Err, ErrUsedLogin)
		}
		run("b")
		time.Sleep(usedMemory + time.Second)
		if len(kept()) != 0 {
			t.Errorf("after %s, though nobody came, %d are remembered", usedMemory, len(kept()))
		}
		if run("a"); runs.Load() != 3 {
			t.Errorf("%d runs after %s, want 3", runs.Load(), usedMemory)
		}
		var first *callbackCall
		for i := range maxCallbacks + 20 {
			time.Sleep(time.Millisecond)
			if run(fmt.Sprint(i)); i == 0 {
				first = kept()["0"]
			}
		}
		if first.fades.Stop() {
			t.Error("a flood leaves behind what forgets those that made room")
		}
		if all := kept(); len(all) != maxCallbacks || all["a"] != nil || all["19"] != nil || all["20"] == nil {
			t.Errorf("%d outcomes are remembered, or not the latest", len(all))
		}
	})
}

// taken is how many bytes of memory are in use.
func taken() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// What is remembered of a callback is small, however long its address was. No other
// test runs meanwhile.
func TestCallbacksKeepNoAddress(t *testing.T) {
	const number, most = 200, 4 << 10
	c, before := NewCallbacks(), taken()
	for i := range number {
		address := fmt.Sprintf("state=%020d&padding=%s", i, strings.Repeat("x", 50<<10))
		c.Do(t.Context(), Login{State: address[len("state="):][:20]}, time.Now(), func(context.Context) Outcome { return Outcome{} })
	}
	if each := (taken() - before) / number; each > most {
		t.Errorf("a callback takes %d bytes, want %d at most", each, most)
	}
	runtime.KeepAlive(c)
}

// A panic in a sign-in is an error for everybody who waits for it, and not the
// end of the program or of their patience.
func TestCallbackThatPanics(t *testing.T) {
	t.Parallel()
	c := NewCallbacks()
	outcome := c.Do(t.Context(), Login{State: "a"}, time.Now(), func(context.Context) Outcome { panic("test") })
	if !errors.Is(outcome.Err, errPanicked) {
		t.Errorf("the outcome is %+v", outcome)
	}
}
