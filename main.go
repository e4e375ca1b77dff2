package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"expense-dashboard/internal/command"
	"expense-dashboard/internal/config"
	"expense-dashboard/internal/doctor"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/metrics"
	"expense-dashboard/internal/openid"
	serverpkg "expense-dashboard/internal/server"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/signin"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
)

func appCommands() []command.Command {
	return []command.Command{
		{"doctor", "[--json]", "check the configuration, Okta, the teams file and the database, and say what to do", doctorCommand},
		{"backup", "FILE", "copy a SQLite database to a new file while the program goes on", backupCommand},
	}
}

// backupCommand copies the database of DATABASE_URL.
func backupCommand(ctx context.Context, i command.Invocation) error {
	arguments, err := command.Parse(flag.NewFlagSet("backup", flag.ContinueOnError), i, 1)
	if err != nil {
		return err
	}
	getenv, err := config.WithDotEnv(i.Getenv)
	if err != nil {
		return err
	}
	l := &config.Loader{Getenv: getenv}
	databaseURL := l.DatabaseURL()
	if err := errors.Join(l.Problems...); err != nil {
		return &config.Error{err}
	}
	if err := store.Backup(ctx, databaseURL, arguments[0]); err != nil {
		return err
	}
	_, err = fmt.Fprintf(i.Stdout, "The database is copied to %s. To restore it, stop the program and put the copy in the database's place.\n", arguments[0])
	return err
}

// doctorCommand prints what it finds, and fails where something has failed.
func doctorCommand(ctx context.Context, i command.Invocation) error {
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "print JSON")
	if _, err := command.Parse(flags, i, 0); err != nil {
		return err
	}
	d := doctor.Examine(ctx, i.Getenv)
	failed := d.Count(doctor.StatusFail)
	var err error
	if *asJSON {
		encoder := json.NewEncoder(i.Stdout)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(doctor.Diagnosis{OK: failed == 0, Checks: d.Findings})
	} else {
		_, err = io.WriteString(i.Stdout, d.Text())
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("doctor: checks that failed: %d", failed)
	}
	return err
}

// tableSet hands the commands of the program to whoever runs them.
var tableSet = func() bool {
	command.Table.Own = appCommands()
	command.Table.Serve = func(ctx context.Context, getenv func(string) string, stderr io.Writer) error {
		return run(ctx, nil, getenv, stderr)
	}
	return true
}()

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	// The collector comes when as much was allocated as lives, which is next to
	// nothing until the caches are full. These bytes count, but no page of them is
	// ever touched, so that they take no memory.
	uncollected := make([]byte, 6<<20)
	lines := logging.NewLineWriter(os.Stderr)
	err := command.Run(ctx, command.Invocation{Args: os.Args[1:], Getenv: os.Getenv, Stdout: os.Stdout, Stderr: lines})
	lines.Flush()
	runtime.KeepAlive(uncollected)
	os.Exit(report(err, os.Stderr))
}

// report prints why the program ended and returns its exit status: 2 for what
// whoever started it has to change, 1 for everything else.
func report(err error, stderr io.Writer) int {
	var configuration *config.Error
	var usage *command.UsageError
	var fault *openid.DiscoveryError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &configuration):
		problems := strings.ReplaceAll(configuration.Error(), "\n", "\n  ")
		fmt.Fprintf(stderr, "expense-dashboard: change the configuration and start again:\n  %s\n", problems)
		return 2
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "expense-dashboard: %v\n\n%s", err, command.UsageText())
		return 2
	case errors.As(err, &fault):
		fmt.Fprintf(stderr, "expense-dashboard: %v\n  Likely mend: %s.\n", err, fault.Mend)
		return 1
	default:
		fmt.Fprintf(stderr, "expense-dashboard: %v\n", err)
		return 1
	}
}

// run is the program: it reads the configuration through getenv, serves until
// ctx is done and logs to stderr.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	if len(args) > 0 {
		return &command.UsageError{fmt.Sprintf("%q is not known: serving takes no arguments", args[0])}
	}
	cfg, err := config.Load(getenv)
	log := logging.New(cfg.LogFormat, stderr)
	directory, directoryErr := team.Open(cfg.TeamsFile, log)
	var counted *metrics.Metrics
	if cfg.MetricsAddr != "" {
		counted = metrics.New(command.BuildVersion())
	}
	db, storeErr := store.Open(cfg.DatabaseURL, log, counted)
	if err := errors.Join(err, of("TEAMS_FILE", directoryErr), of("DATABASE_URL is", storeErr)); err != nil {
		return &config.Error{err}
	}
	defer db.Close()
	if counted != nil {
		stop, err := counted.Serve(ctx, cfg.MetricsAddr, log)
		if err != nil {
			return err
		}
		defer stop()
	}
	if err := db.Start(ctx, cfg.SampleData); err != nil {
		return err
	}
	s, err := newSite(cfg, parts{
		directory: directory, store: db, log: log, requests: logging.NewAccessLog(cfg.LogFormat, stderr, log),
		metrics: counted, now: time.Now, keptPages: web.KeptPages,
	})
	if err != nil {
		return err
	}
	if err := connectAtStart(ctx, s.signIn.client, log); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.ListenAddr)
	if err != nil {
		return fmt.Errorf("%w: free the port or set LISTEN_ADDR and APP_BASE_URL to another", err)
	}
	if cfg.SessionSecretMade {
		log.WarnContext(ctx, "SESSION_SECRET is not set: sessions end when the program does")
	}
	log.InfoContext(ctx, "ready, open "+cfg.BaseURL, "listen", listener.Addr().String())
	return serve(ctx, serverpkg.Listener{listener.(*net.TCPListener)}, s, log)
}

// of names the variable that an error is about.
func of(variable string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %w", variable, err)
}

// parts are what a site is made of beside its configuration.
type parts struct {
	directory *team.File
	store     *store.Store
	log       *slog.Logger
	requests  *logging.AccessLog
	metrics   *metrics.Metrics // nil where nobody asks for them
	now       func() time.Time
	keptPages int           // bytes of rendered pages that are kept
	timeout   time.Duration // of one call to the provider; zero is openid.SignInTimeout
}

// newSite builds the site and what signs people in.
func newSite(cfg config.Config, p parts) (*app, error) {
	secure := strings.HasPrefix(cfg.BaseURL, "https:")
	records := session.NewRecords(p.store, p.log, p.metrics)
	sessions, err1 := session.New(session.Config{
		Secrets: cfg.SessionSecrets, Secure: secure, IdleTimeout: cfg.IdleTimeout, MaxAge: cfg.MaxAge, Now: p.now, Records: records,
	})
	pending, err2 := signin.NewPending(cfg.SessionSecrets, secure, p.now)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	client := openid.New(openid.Config{
		Issuer: cfg.Issuer, ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret, Scopes: cfg.Scopes,
		RedirectURL: cfg.BaseURL + openid.CallbackPath, PostLogoutURL: cfg.PostLogoutURL,
		HTTP: openid.NewHTTPClient(openid.HTTPOptions{Timeout: p.timeout, Metrics: p.metrics}), Log: p.log, Now: p.now,
	})
	// Ended sessions are known before the first request where the database serves.
	records.Refresh(context.Background())
	site, err := web.New(web.Config{
		BaseURL: cfg.BaseURL, Secrets: cfg.SessionSecrets, Proxies: cfg.TrustedProxies,
		Templates: templateFS, Static: staticFS, KeptPages: p.keptPages,
		Auth: client, Sessions: sessions, Directory: p.directory, Store: p.store,
		Log: p.log, AccessLog: p.requests, Metrics: p.metrics, Now: p.now,
	})
	if err != nil {
		return nil, err
	}
	signIn := &authenticator{
		baseURL: cfg.BaseURL, client: client, pending: pending, callbacks: signin.NewCallbacks(), sessions: sessions, log: p.log, now: p.now,
	}
	return &app{
		Site: site, baseURL: cfg.BaseURL, signIn: signIn, sessions: sessions, directory: p.directory, store: p.store,
		metrics: p.metrics, backChannelLogout: cfg.BackChannelLogout, universalLogout: cfg.UniversalLogout,
	}, nil
}

// connectAtStart discovers the provider. A lasting fault is returned; with a
// passing one the program serves and keeps trying.
func connectAtStart(ctx context.Context, auth *openid.Client, log *slog.Logger) error {
	err := auth.Connect(ctx)
	var fault *openid.DiscoveryError
	if errors.As(err, &fault) && fault.Lasting {
		return fmt.Errorf("discover OKTA_ISSUER: %w", err)
	}
	if err != nil {
		log.WarnContext(ctx, "provider not reached, nobody can sign in until it is", "event", "discovery_failed", "error", err)
	}
	return nil
}

// serve answers requests until ctx is done, then lets those in flight finish,
// for shutdownTimeout at most.
func serve(ctx context.Context, listener net.Listener, s *app, log *slog.Logger) error {
	server := serverpkg.New(s.routes(), log)
	background, stop := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	tasks.Go(func() { s.signIn.client.KeepConnected(background) })
	tasks.Go(func() { s.directory.Watch(background) })
	defer tasks.Wait()
	defer stop()

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	log.Info("stopping")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), serverpkg.ShutdownTimeout)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		log.Warn("requests were cut off", "error", err)
		return server.Close()
	}
	return nil
}

//go:embed templates
var templateFS embed.FS

//go:embed static
var staticFS embed.FS
