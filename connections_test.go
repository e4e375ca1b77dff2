package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// body is a text of a length that tells where it was cut or mixed up.
func body(length int) []byte {
	var text bytes.Buffer
	for text.Len() < length {
		fmt.Fprintf(&text, "%d of %d\n", text.Len(), length)
	}
	return text.Bytes()[:length]
}

// TestAnswersAreWhole asks for bodies of lengths around every limit, many times
// on each connection and on many at once.
func TestAnswersAreWhole(t *testing.T) {
	t.Parallel()
	pages, err := newPages()
	if err != nil {
		t.Fatal(err)
	}
	lengths := []int{0, 1, fitsHeader - 1, fitsHeader, fitsHeader + 1, 4095, 4096, 4097, 8192, 50_000, maxHeld - 1, maxHeld, maxHeld + 1, 2 * maxHeld}
	address := startServer(t, io.Discard, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		length, _ := strconv.Atoi(r.URL.Query().Get("length"))
		w.Header().Set("Content-Length", strconv.Itoa(length))
		pages.writeWhole(w, r, body(length))
	}), func(*http.Server) {})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
			defer client.CloseIdleConnections()
			for _, length := range append(lengths, lengths...) {
				for _, method := range []string{http.MethodGet, http.MethodHead} {
					want := body(length)
					if method == http.MethodHead {
						want = nil
					}
					request, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("http://%s/?length=%d", address, length), nil)
					if err != nil {
						t.Error(err)
						return
					}
					answer, err := client.Do(request)
					if err != nil {
						t.Error(err)
						return
					}
					got, err := io.ReadAll(answer.Body)
					answer.Body.Close()
					if err != nil || !bytes.Equal(got, want) || answer.ContentLength != int64(length) {
						t.Errorf("%s %d: %d bytes of %d, %v", method, length, len(got), answer.ContentLength, err)
					}
				}
			}
		})
	}
	clients.Wait()
}

// TestHeldBytesWait holds two writes, of which the client must see nothing, and
// lets a third go.
func TestHeldBytesWait(t *testing.T) {
	ours, theirs := connectedPair(t)
	c := &clientConn{TCPConn: ours}
	var held bytes.Buffer
	c.held = &held
	for _, part := range []string{"header ", "and body"} {
		if n, err := c.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	c.held = nil
	if held.String() != "header and body" {
		t.Errorf("held %q", held.String())
	}
	if _, err := c.Write([]byte("first")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 100)
	if n, err := theirs.Read(got); err != nil || string(got[:n]) != "first" {
		t.Errorf("the client has %q, %v", got[:n], err)
	}
}

// TestBrokenConnectionIsClosed lets the write of a held answer fail. The client
// must not wait for the rest of it.
func TestBrokenConnectionIsClosed(t *testing.T) {
	pages, err := newPages()
	if err != nil {
		t.Fatal(err)
	}
	address := startServer(t, io.Discard, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := body(8 << 10)
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		if err := http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0)); err != nil {
			t.Error(err)
		}
		pages.writeWhole(w, r, text)
	}), func(*http.Server) {})
	answer, err := http.Get("http://" + address)
	if err == nil {
		defer answer.Body.Close()
		_, err = io.ReadAll(answer.Body)
	}
	if err == nil {
		t.Error("an answer came whole after its deadline")
	}
}

// TestWriteDeadlines moves the deadline of a connection to and fro.
func TestWriteDeadlines(t *testing.T) {
	ours, _ := connectedPair(t)
	c := &clientConn{TCPConn: ours}
	now := time.Now()
	for _, step := range []struct {
		name     string
		deadline time.Time
		passed   bool
	}{
		{"none", time.Time{}, false},
		{"far", now.Add(time.Hour), false},
		{"past", now.Add(-time.Second), true},
		{"past, a little later", now.Add(-time.Second / 2), true},
		{"far again", now.Add(time.Hour), false},
		{"far, a little later", now.Add(time.Hour + deadlineSlack/2), false},
		{"past again", time.Unix(1, 0), true},
		{"none again", time.Time{}, false},
	} {
		if err := c.SetWriteDeadline(step.deadline); err != nil {
			t.Fatal(err)
		}
		_, err := c.Write([]byte("x"))
		if errors.Is(err, os.ErrDeadlineExceeded) != step.passed {
			t.Errorf("%s: %v", step.name, err)
		}
	}
}

// connectedPair returns both ends of a connection.
func connectedPair(t *testing.T) (ours, theirs *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialed, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialed.Close(); accepted.Close() })
	return accepted.(*net.TCPConn), dialed.(*net.TCPConn)
}
