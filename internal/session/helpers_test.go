package session

import (
	"log/slog"
	"runtime"
	"testing"

	"expense-dashboard/internal/store"
	"expense-dashboard/internal/storetest"
)

// forEachStore runs a test on an empty store of each database.
func forEachStore(t *testing.T, test func(*testing.T, *store.Store)) {
	storetest.EachURL(t, func(t *testing.T, databaseURL string) { test(t, startedStore(t, databaseURL)) })
}

func openedStore(t testing.TB, databaseURL string) *store.Store {
	t.Helper()
	s, err := store.Open(databaseURL, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// startedStore opens a store that is closed with the test.
func startedStore(t testing.TB, databaseURL string) *store.Store {
	t.Helper()
	s := openedStore(t, databaseURL)
	if err := s.Start(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// taken is how many bytes of memory are in use.
func taken() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
