package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	configpkg "expense-dashboard/internal/config"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/openid"
	serverpkg "expense-dashboard/internal/server"
	storepkg "expense-dashboard/internal/store"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
)

// The helpers that these tests share with those of the binary, under short names.
type (
	browser = apptest.Browser
	reply   = apptest.Reply
	clock   = apptest.Clock
)

// The sample's people, by where they belong.
const (
	admin       = apptest.Admin
	legal       = apptest.Legal
	devAdvocacy = apptest.DevAdvocacy
	finance     = apptest.Finance
	marketing   = apptest.Marketing
	hr          = apptest.HR
	teamless    = apptest.Teamless
)

const otherSecret = "another session secret that is just as long"

// A setup is what a test changes of the usual provider and program.
type setup struct {
	env      map[string]string // beside what is needed to start
	provider devidp.Config
	faults   devidp.Faults
	clock    *clock // of the site; nil is the machine's
	https    bool   // of the site
	// clientTimeout shortens the deadline of a single call to the provider;
	// zero leaves it.
	clientTimeout time.Duration
	unreached     bool      // the site is not connected to the provider
	forgetful     bool      // the site keeps no rendered page
	log           io.Writer // of the site; nil is the rig's
}

// A rig is the program, or only its site, beside a provider of its own.
type rig struct {
	*apptest.Rig
	site *app // nil where the whole program runs
}

// startSite serves a site without run, so that a test can move its clock and
// reach its parts.
func startSite(t testing.TB, s setup) *rig {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	scheme := "http"
	if s.https {
		scheme = "https"
	}
	r := newRig(t, scheme+"://"+server.Listener.Addr().String(), s)
	r.site = r.copy(t, s)
	server.Config = serverpkg.New(t.Context(), r.site.routes(), time.Minute, logging.New("text", slog.LevelInfo, r.Log))
	if s.https {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	r.Transport = server.Client().Transport
	return r
}

// copy builds a site as run does, one of any number that share a database.
func (r *rig) copy(t testing.TB, s setup) *app {
	t.Helper()
	cfg, err := configpkg.Load(r.variables(s).Get)
	if err != nil {
		t.Fatal(err)
	}
	var out io.Writer = r.Log
	if s.log != nil {
		out = s.log
	}
	log := logging.New(cfg.LogFormat, cfg.LogLevel, out)
	directory, err := team.Open(cfg.TeamsFile, log)
	if err != nil {
		t.Fatal(err)
	}
	store, err := openStore(cfg, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if err := store.Start(t.Context(), cfg.SampleData); err != nil {
		t.Fatal(err)
	}
	clientKey, err := openid.OpenClientKey(cfg.PrivateKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	p := parts{directory: directory, store: store, clientKey: clientKey, log: log, stopping: func() bool { return false }, now: time.Now, keptPages: web.KeptPages, timeout: s.clientTimeout}
	if s.clock != nil {
		p.now = s.clock.Now
	}
	if s.forgetful {
		p.keptPages = 0
	}
	built, err := newSite(cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	if !s.unreached {
		if err := built.signIn.client.Connect(t.Context()); err != nil {
			t.Fatalf("connect: %v", err)
		}
	}
	// Imports run as beside the whole program, and end before the database goes.
	background, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var imports sync.WaitGroup
	imports.Go(func() { built.importer.Run(background) })
	t.Cleanup(func() { stop(); imports.Wait() })
	return built
}

// startProgram starts the program as main does, waits until it serves, and
// stops it at the end of the test.
func startProgram(t *testing.T, s setup) *rig {
	t.Helper()
	return startProgramAt(t, "127.0.0.1", s)
}

// startProgramAt is startProgram for a name of this machine.
func startProgramAt(t *testing.T, host string, s setup) *rig {
	t.Helper()
	for range 5 {
		r := newRig(t, "http://"+host+":"+apptest.PortOf(t, apptest.FreeAddr(t)), s)
		ended := r.run(t, s)
		if err := r.WaitUntilServing(ended); err == nil {
			return r
		} else if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("run = %v\n%s", err, r.Log)
		}
	}
	t.Fatal("no free port stays free")
	return nil
}

// run starts the program; what it returns with comes by the channel. At the end
// of the test it is stopped, and must then return nil.
func (r *rig) run(t *testing.T, s setup) <-chan error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended, failed := make(chan error, 1), make(chan error, 1)
	go func() {
		err := serve(ctx, r.variables(s), r.Log)
		if ctx.Err() == nil {
			failed <- err
			err = nil
		}
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run = %v after it was stopped", err)
		}
	})
	return failed
}

// newRig starts a provider for a program at baseURL.
func newRig(t testing.TB, baseURL string, s setup) *rig {
	t.Helper()
	if s.clock != nil && s.provider.Now == nil {
		s.provider.Now = s.clock.Now
	}
	file := filepath.Join(t.TempDir(), "expenses.db")
	if s.env["DATABASE_URL"] == "" && s.env["SAMPLE_DATA"] == "" {
		sample, err := sampleDatabase()
		if err == nil {
			err = os.WriteFile(file, sample, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return &rig{Rig: apptest.New(t, baseURL, "sqlite:"+file, s.provider, s.faults)}
}

// sampleDatabase is the file that the first start with the sample leaves: making
// it takes longer than most tests.
var sampleDatabase = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "expenses-sample-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "expenses.db")
	store, err := storepkg.Open("sqlite:"+file, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(store.Start(context.Background(), true), store.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// variables are what the program is configured with.
func (r *rig) variables(s setup) configpkg.Variables { return configpkg.Of(r.Env(s.env)) }
