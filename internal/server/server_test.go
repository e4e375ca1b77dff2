package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// serving serves a handler until the test ends it, and returns its address and
// what Serve returns.
func serving(t *testing.T, ctx context.Context, drain time.Duration, handler http.HandlerFunc) (addr string, ended <-chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	server := New(ctx, handler, time.Minute, log)
	result := make(chan error, 1)
	go func() { result <- Serve(ctx, server, listener, drain, log) }()
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String(), result
}

// TestDrain goes on asking while the server stops: each answer asks for the end
// of its connection, until nobody listens any more.
func TestDrain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	addr, ended := serving(t, ctx, time.Second, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	client := &http.Client{Transport: &http.Transport{}}
	get := func() (closes bool, err error) {
		response, err := client.Get("http://" + addr)
		if err != nil {
			return false, err
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		return response.Close, err
	}
	if closes, err := get(); closes || err != nil {
		t.Fatalf("before: the connection ends %v, %v", closes, err)
	}
	cancel()
	served := 0
	for {
		closes, err := get()
		if errors.Is(err, syscall.ECONNREFUSED) {
			break
		}
		// The last of them may be waiting to be accepted when nobody is to accept it.
		if err == nil && !closes {
			t.Fatal("an answer keeps its connection open while the server stops")
		}
		served++
	}
	if served < 2 {
		t.Errorf("%d requests were served while the server was stopping", served)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

// TestRequestInFlight is answered, though nobody takes new ones.
func TestRequestInFlight(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begun, goOn := make(chan struct{}), make(chan struct{})
	addr, ended := serving(t, ctx, 0, func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-goOn
		fmt.Fprint(w, "whole")
	})
	answer := make(chan string, 1)
	go func() {
		response, err := http.Get("http://" + addr)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		answer <- string(body)
	}()
	<-begun
	cancel()
	for {
		connection, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		connection.Close()
	}
	close(goOn)
	if got := <-answer; got != "whole" {
		t.Errorf("got %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

// raw sends bytes on a connection and returns everything that comes back until
// its end.
func raw(t *testing.T, addr, sent string) string {
	t.Helper()
	connection, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	// The server may have answered, and closed, before it has everything.
	_, _ = io.WriteString(connection, sent)
	if err := connection.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(connection)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("after %q: %v", got, err)
	}
	return string(got)
}

// TestSmuggling sends requests that are one for whoever goes by their length and
// two for whoever goes by their chunks, and wants nothing behind the first taken
// for a request.
func TestSmuggling(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	addr, _ := serving(t, t.Context(), 0, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Path)
	})
	const second = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	for name, fields := range map[string]string{
		"length before chunks":  "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		"chunks before length":  "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
		"length of both":        "Content-Length: 40\r\nTransfer-Encoding: chunked\r\n",
		"length of nothing":     "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
		"chunks by themselves":  "Transfer-Encoding: chunked\r\n",
		"chunks twice":          "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"chunks and more":       "Transfer-Encoding: chunked, identity\r\nContent-Length: 5\r\n",
		"chunks misspelt":       "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n",
		"chunks behind a space": "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n",
		"chunks behind a tab":   "Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n",
		"lengths that differ":   "Content-Length: 5\r\nContent-Length: 40\r\n",
		"length with a sign":    "Content-Length: +5\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := raw(t, addr, "POST /first HTTP/1.1\r\nHost: a\r\n"+fields+"\r\n0\r\n\r\n"+second)
			if n := strings.Count(got, "HTTP/1."); n != 1 {
				t.Errorf("%d answers: %q", n, got)
			}
		})
	}
	for _, path := range asked {
		if path != "/first" {
			t.Errorf("%s is taken for a request", path)
		}
	}
	if len(asked) == 0 {
		t.Error("no request came through, so this test sees nothing")
	}
}

// TestNoRequest sends what is no request that a handler could get, and wants
// answers that say so in a line, hold nothing of it and end the connection.
func TestNoRequest(t *testing.T) {
	addr, _ := serving(t, t.Context(), 0, func(http.ResponseWriter, *http.Request) { t.Error("a handler was asked") })
	for _, test := range []struct {
		name, sent string
		status     int
	}{
		{"a field too long", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("canary", MaxHeader/3) + "\r\n\r\n", 431},
		{"a path too long", "GET /" + strings.Repeat("canary", MaxHeader/3) + " HTTP/1.1\r\nHost: a\r\n\r\n", 431},
		{"TLS", "\x16\x03\x01canary\r\n\r\n", 400},
		{"no host", "GET /canary HTTP/1.1\r\n\r\n", 400},
		{"a host that is none", "GET / HTTP/1.1\r\nHost: <canary>\r\n\r\n", 400},
		{"a method that is none", "G<canary>T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"a field that is none", "GET / HTTP/1.1\r\nHost: a\r\n<canary>: a\r\n\r\n", 400},
		{"a later version", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
		{"an unknown encoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: canary\r\n\r\n", 501},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := raw(t, addr, test.sent)
			response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil)
			if err != nil {
				t.Fatalf("%v in %q", err, got)
			}
			defer response.Body.Close()
			if response.StatusCode != test.status || !response.Close || len(got) > 220 || strings.Contains(got, "canary") ||
				!strings.HasPrefix(response.Header.Get("Content-Type"), "text/plain") {
				t.Errorf("got %q, want %d in a line", got, test.status)
			}
		})
	}
}
