package openid

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// probedProvider answers discovery when something comes by answers, with that status,
// and tells of each request by arrived.
func probedProvider(t *testing.T) (c *Client, arrived chan struct{}, answers chan int) {
	t.Helper()
	arrived, answers = make(chan struct{}, 10), make(chan int, 10)
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(<-answers)
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"jwks_uri":%q}`, server.URL, server.URL+"/a", server.URL+"/t", server.URL+"/k")
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(answers) })
	return clientOf(t, server.URL, ""), arrived, answers
}

// Whoever asks first may go away: the others wait for the same answer, which is
// remembered.
func TestReachableOutlivesWhoeverAsked(t *testing.T) {
	t.Parallel()
	c, arrived, answers := probedProvider(t)
	gone, leave := context.WithCancel(t.Context())
	first, second := make(chan bool, 1), make(chan bool, 1)
	go func() { first <- c.Reachable(gone) }()
	<-arrived
	go func() { second <- c.Reachable(t.Context()) }()
	leave()
	// It leaves though nothing has answered yet.
	if <-first {
		t.Error("whoever went away is told that the provider answers")
	}
	if c.Reachable(gone) {
		t.Error("whoever is gone is told that the provider answers")
	}
	answers <- http.StatusOK
	if !<-second || !c.Reachable(t.Context()) {
		t.Error("the provider is taken for unreachable since somebody else went away")
	}
	if len(arrived) > 0 {
		t.Error("the provider is asked more than once")
	}
}

// An answer holds for a while, a bad one too.
func TestReachableRemembers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		status int
		want   bool
	}{{"it answers", http.StatusOK, true}, {"it does not", http.StatusServiceUnavailable, false}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, arrived, answers := probedProvider(t)
			var later atomic.Int64
			begun := time.Now()
			c.config.Now = func() time.Time { return begun.Add(time.Duration(later.Load())) }
			ask := func() bool {
				answers <- test.status
				return c.Reachable(t.Context())
			}
			if ask() != test.want || len(arrived) != 1 {
				t.Fatalf("asked %d times, want %v", len(arrived), test.want)
			}
			later.Store(int64(probeMemory) - 1)
			if c.Reachable(t.Context()) != test.want || len(arrived) != 1 {
				t.Errorf("asked %d times, want %v as before", len(arrived), test.want)
			}
			later.Store(int64(probeMemory))
			if ask() != test.want || len(arrived) != 2 {
				t.Errorf("asked %d times, want %v anew", len(arrived), test.want)
			}
		})
	}
}
