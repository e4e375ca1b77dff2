package main

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/storetest"
)

// In the first minute a copy that can sign nobody in is not ready; after that it
// serves whoever is signed in, and says what it cannot do.
func TestReadyWithoutSignIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, why string }{
		{"the provider is not reached", "the OpenID provider has not been reached"},
		{"no key is usable", "no usable key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := apptest.NewClock()
			unreached := test.name == "the provider is not reached"
			none := devidp.Faults{Keys: func([]map[string]any) []map[string]any { return nil }}
			r := startSite(t, setup{clock: clock, unreached: unreached, faults: none})
			b := r.Browser()
			b.Get("/readyz").Check(t, http.StatusServiceUnavailable, test.why)
			clock.Advance(59 * time.Second)
			b.Get("/readyz").Check(t, http.StatusServiceUnavailable, test.why)
			clock.Advance(time.Second)
			later := b.Get("/readyz")
			if later.Check(t, http.StatusOK, "ok", test.why); strings.Count(later.Body, "\n") != 1 {
				t.Errorf("it is no line: %q", later.Body)
			}
			r.Provider.SetFaults(devidp.Faults{})
			if err := r.site.signIn.client.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if body := b.Get("/readyz").Body; body != "ok\n" {
				t.Errorf("when it is back /readyz says %q", body)
			}
		})
	}
}

// A database that takes no writes serves readers, and it is said.
func TestReadyWithoutWrites(t *testing.T) {
	t.Parallel()
	r := startSite(t, setup{})
	other, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(r.Database, "sqlite:")+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	b := r.Browser()
	b.Get("/readyz").Check(t, http.StatusOK, "ok: nothing can be written: it ")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if body := b.Get("/readyz").Body; body != "ok\n" {
		t.Errorf("when it is writable again /readyz says %q", body)
	}
}

// TestFirstRequestAfterReady starts without PostgreSQL, and has whoever is signed
// in come by as soon as the copy says that it is ready.
func TestFirstRequestAfterReady(t *testing.T) {
	t.Parallel()
	server := storetest.NewServer(t)
	env := map[string]string{"DATABASE_URL": server.URL("postgres"), "SAMPLE_DATA": "true"}
	first := startProgram(t, setup{env: env})
	b := first.Browser()
	b.SignIn(finance)
	if err := server.Halt(); err != nil {
		t.Fatal(err)
	}
	again := startProgram(t, setup{env: env})
	visitor := again.Browser()
	for name, value := range b.Cookies() {
		visitor.SetCookie(name, value)
	}
	visitor.Get("/readyz").Check(t, http.StatusServiceUnavailable, "database")
	visitor.Get("/dashboard").Check(t, http.StatusServiceUnavailable)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	waitUntilReady(again)
	visitor.Get("/dashboard").Check(t, http.StatusOK, "Carol Lee")
	visitor.Get("/team/finance").Check(t, http.StatusOK, "Carol Lee")
}
