package main

import (
	"context"
	"flag"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"expense-dashboard/internal/devidp"
)

var flapFor = flag.Duration("flap", 20*time.Second, "how long the provider flaps in TestFlappingProvider")

// TestFlappingProvider changes what is wrong with the provider all the time
// while two people work and three sign in, again and again.
func TestFlappingProvider(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as -flap says")
	}
	t.Parallel()
	r := startProgram(t, setup{})
	workers := []*browser{r.Browser(), r.Browser()}
	workers[0].SignIn(admin)
	workers[1].SignIn(finance)
	ctx, cancel := context.WithTimeout(t.Context(), *flapFor)
	defer cancel()
	var rounds, in, out atomic.Int32
	var people sync.WaitGroup
	people.Go(func() { flap(ctx, r.Provider) })
	for _, b := range workers {
		people.Go(func() {
			for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
				for _, path := range []string{"/dashboard", "/team/finance", "/profile", "/readyz", "/healthz"} {
					b.Get(path).Check(t, http.StatusOK)
				}
				rounds.Add(1)
			}
		})
	}
	for range 3 {
		people.Go(func() {
			for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
				if signsInOrIsTold(t, r) {
					in.Add(1)
				} else {
					out.Add(1)
				}
			}
		})
	}
	people.Wait()
	t.Logf("%d rounds of work, %d sign-ins, %d that failed", rounds.Load(), in.Load(), out.Load())
	if rounds.Load() == 0 || in.Load() == 0 || out.Load() == 0 {
		t.Error("that shows nothing")
	}
	r.Browser().SignIn(hr)
}

// flap changes what the provider's endpoints answer until ctx is done, and
// fixes them then. Nothing hangs for longer than its turn.
func flap(ctx context.Context, provider *devidp.Provider) {
	defer provider.SetFaults(devidp.Faults{})
	for turn := 0; ctx.Err() == nil; turn++ {
		over, end := context.WithTimeout(ctx, 300*time.Millisecond)
		handlers := []http.HandlerFunc{
			nil,
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
			nil,
			func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"`)
				_ = http.NewResponseController(w).Flush()
				<-over.Done()
				panic(http.ErrAbortHandler)
			},
			nil,
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusServiceUnavailable)
			},
		}
		handler := handlers[turn%len(handlers)]
		provider.SetFaults(devidp.Faults{Intercept: func(endpoint string) http.HandlerFunc {
			if slices.Contains([]string{"token", "userinfo", "keys", "openid-configuration"}, endpoint) {
				return handler
			}
			return nil
		}})
		<-over.Done()
		end()
	}
}

// signsInOrIsTold signs somebody in. Where that fails, they must have no
// session, and be told by one of the statuses for a provider that is away.
func signsInOrIsTold(t *testing.T, r *rig) bool {
	b := r.Browser()
	page := b.Get(b.BeginSignIn(hr).String())
	switch page.Status {
	case http.StatusSeeOther:
		b.Get("/dashboard").Check(t, http.StatusOK, "/team/hr")
		return true
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if page.Header.Get("Retry-After") == "" {
			t.Errorf("status %d without Retry-After", page.Status)
		}
	default:
		t.Errorf("a sign-in fails with %d: %s", page.Status, page.Text())
	}
	b.Get("/dashboard").Check(t, http.StatusSeeOther)
	return false
}
