// Expense Dashboard shows teams their expenses, to people who sign in by OpenID
// Connect.
//
// The program is four files: this one starts, wires and stops it; routes.go is
// the map of the site; auth.go is sign-in and sign-out; teams.go says who may see
// which team. Everything else is a package below internal/, see
// docs/architecture.md.
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
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"expense-dashboard/internal/command"
	"expense-dashboard/internal/config"
	"expense-dashboard/internal/doctor"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/importing"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/memory"
	"expense-dashboard/internal/metrics"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/server"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/signin"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/upkeep"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/entries"
	"expense-dashboard/internal/web/imports"
	"expense-dashboard/internal/web/managing"
	"expense-dashboard/internal/web/sessions"
	"expense-dashboard/internal/web/spending"
)

//go:embed templates
var templateFS embed.FS

//go:embed static
var staticFS embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	// Whoever reads the log may go away, and the program goes on.
	signal.Ignore(syscall.SIGPIPE)
	// The collector comes before the kernel ends what takes too much. SQLite's
	// memory is not Go's.
	if limit := memory.Limit(os.DirFS("/")); limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit / 4 * 3)
	}
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run is the program: it does what its arguments ask for, prints why it ended
// where that is no good end, and returns its exit status.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	lines := logging.NewQueue(stderr)
	defer lines.Close()
	err := commands().Run(ctx, command.Invocation{Args: args, Environ: environ, Stdout: stdout, Stderr: lines})
	return report(err, lines)
}

// commands is what the program can do.
func commands() command.Table {
	return command.Table{
		Serve: func(ctx context.Context, i command.Invocation) error {
			return serve(ctx, config.Read(i.Environ), i.Stderr)
		},
		Commands: []command.Command{
			{Name: "doctor", Arguments: "[--json]", Summary: "check the configuration, Okta, the teams file and the database, and say what to do", Run: diagnose},
			{Name: "backup", Arguments: "FILE", Summary: "copy a SQLite database to a new file while the program goes on", Run: backup},
			{Name: "repair", Summary: "make sums and all else that is derived from the expenses anew, while the program goes on", Run: repair},
			{Name: "end-sessions", Summary: "end every session that has begun, as the last step of restoring a PostgreSQL database", Run: endSessions},
		},
	}
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
		for _, hint := range configuration.Hints {
			fmt.Fprintf(stderr, "  Note: %s\n", hint)
		}
		return 2
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "expense-dashboard: %v\n\n%s", err, commands().Usage())
		return 2
	case errors.As(err, &fault):
		fmt.Fprintf(stderr, "expense-dashboard: %v\n  Likely fix: %s.\n", err, fault.Fix)
		return 1
	}
	fmt.Fprintf(stderr, "expense-dashboard: %v\n", err)
	if isMisset(err) {
		return 2
	}
	return 1
}

// isMisset reports whether a command has failed because of what it was told.
func isMisset(err error) bool {
	var copying *upkeep.BackupError
	var access *upkeep.AccessError
	var checks *doctor.FailedError
	return errors.As(err, &copying) || errors.As(err, &access) && access.Misset || errors.As(err, &checks) && checks.Misset
}

// databaseURL returns DATABASE_URL, which is all that some commands need to know.
func databaseURL(i command.Invocation) (string, error) {
	address, err := config.Read(i.Environ).DatabaseURL()
	// A store that is not started asks nothing of the database.
	db, storeErr := store.Open(address, slog.New(slog.DiscardHandler), nil)
	if err := errors.Join(err, of("DATABASE_URL is", storeErr)); err != nil {
		return "", &config.Error{Err: err}
	}
	return address, db.Close()
}

// backup copies the database of DATABASE_URL.
func backup(ctx context.Context, i command.Invocation) error {
	arguments, err := command.Parse(flag.NewFlagSet("backup", flag.ContinueOnError), i, 1)
	if err != nil {
		return err
	}
	address, err := databaseURL(i)
	if err != nil {
		return err
	}
	held, err := upkeep.Backup(ctx, address, arguments[0])
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(i.Stdout, `The database is copied to %s: expenses: %d, people: %d, bytes: %d, as of %s. The copy is whole.
To restore it, stop the program, put the copy in the database's place and start it again. Everybody then signs in again.
`, arguments[0], held.Expenses, held.People, held.Bytes, held.At.Format(time.RFC3339))
	return err
}

// repair makes anew what the database of DATABASE_URL derives from the expenses.
func repair(ctx context.Context, i command.Invocation) error {
	if _, err := command.Parse(flag.NewFlagSet("repair", flag.ContinueOnError), i, 0); err != nil {
		return err
	}
	address, err := databaseURL(i)
	if err != nil {
		return err
	}
	found, err := upkeep.Repair(ctx, address)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(i.Stdout, "Everything that is derived from the expenses is made anew. Sums that were wrong: %d, other entries: %d.\n", found.Sums, found.Keys)
	return err
}

// endSessions ends every session of the database of DATABASE_URL.
func endSessions(ctx context.Context, i command.Invocation) error {
	if _, err := command.Parse(flag.NewFlagSet("end-sessions", flag.ContinueOnError), i, 0); err != nil {
		return err
	}
	address, err := databaseURL(i)
	if err != nil {
		return err
	}
	stood, err := upkeep.EndEvery(ctx, address, logging.New("text", slog.LevelWarn, i.Stderr))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(i.Stdout, "Every session that had begun is over; of those recorded %d stood. Everybody signs in again.\n", stood)
	return err
}

// diagnose prints what the doctor finds, and fails where something has failed.
func diagnose(ctx context.Context, i command.Invocation) error {
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "print JSON")
	if _, err := command.Parse(flags, i, 0); err != nil {
		return err
	}
	d := doctor.Examine(ctx, i.Environ)
	var err error
	if *asJSON {
		encoder := json.NewEncoder(i.Stdout)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(d.Diagnosis())
	} else {
		_, err = io.WriteString(i.Stdout, d.Text())
	}
	if err != nil {
		return err
	}
	return d.Err()
}

// serve reads the configuration, builds the parts, and answers requests until ctx
// is done. It logs to stderr.
func serve(ctx context.Context, variables config.Variables, stderr io.Writer) error {
	cfg, err := variables.Load()
	log := logging.New(cfg.LogFormat, cfg.LogLevel, stderr)
	directory, directoryErr := team.Open(cfg.TeamsFile, log)
	clientKey, keyErr := openid.OpenClientKey(cfg.PrivateKeyFile)
	var counted *metrics.Metrics
	if cfg.MetricsAddr != "" {
		counted = metrics.New(command.BuildVersion())
	}
	db, storeErr := openStore(cfg, log, counted)
	if err := errors.Join(err, of("OKTA_PRIVATE_KEY_FILE", keyErr), of("TEAMS_FILE", directoryErr), of("DATABASE_URL is", storeErr)); err != nil {
		return &config.Error{Err: err, Hints: variables.Hints()}
	}
	defer db.Close()
	if counted != nil {
		if queue, ok := stderr.(*logging.Queue); ok {
			counted.CountDropped(queue.Dropped)
		}
		listener, err := listen("METRICS_ADDR", cfg.MetricsAddr, "METRICS_ADDR")
		if err != nil {
			return err
		}
		defer counted.Serve(ctx, listener, log)()
	}
	if err := db.Start(ctx, cfg.SampleData); err != nil {
		return startError(err)
	}
	warnOfIssuers(ctx, db, cfg.Issuer, log)
	s, err := newSite(cfg, parts{
		directory: directory, store: db, clientKey: clientKey, log: log, metrics: counted, now: time.Now, keptPages: web.KeptPages,
		stopping: func() bool { return ctx.Err() != nil },
	})
	if err != nil {
		return err
	}
	if counted != nil {
		counted.Watch(func() bool { return s.signIn.client.Ready() == nil }, func() bool { return db.PingWrites(ctx) == nil })
	}
	if err := connectAtStart(ctx, s.signIn.client, log); err != nil {
		return err
	}
	listener, err := listen("LISTEN_ADDR", cfg.ListenAddr, "LISTEN_ADDR and APP_BASE_URL")
	if err != nil {
		return err
	}
	for _, hint := range variables.Hints() {
		log.WarnContext(ctx, hint.String())
	}
	if cfg.SessionSecretMade {
		log.WarnContext(ctx, "SESSION_SECRET is not set: sessions end when the program does")
	}
	defer s.keepUp(ctx)()
	log.InfoContext(ctx, "ready, open "+cfg.BaseURL, "listen", listener.Addr().String())
	return server.Serve(ctx, server.New(ctx, s.routes(), cfg.KeepAliveTimeout, log), listener, cfg.DrainDelay, log)
}

// listen takes the address that a variable holds or, where that is not set, stands
// for. Its error says which variables to change, among others.
func listen(variable, addr, change string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	var unknown *net.DNSError
	switch {
	case err == nil:
		return listener, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s %s: address already in use: free the port or set %s to another", variable, addr, change)
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &unknown) && unknown.IsNotFound:
		_, port, _ := net.SplitHostPort(addr)
		return nil, &config.Error{Err: fmt.Errorf("%s is %q, which is no address of this machine. Example: %s=127.0.0.1:%s", variable, addr, variable, port)}
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s %s: the user that runs the program may not listen there: allow it or set %s to another", variable, addr, change)
	}
	return nil, fmt.Errorf("%s %s: this machine does not let the program listen there: set %s to another", variable, addr, change)
}

// keepUp keeps what is known of the provider, the teams and the sessions up to date,
// until ctx is done or stop is called, which waits for the end. Sessions are used
// until the last request is answered, which is after ctx is done.
func (s *app) keepUp(ctx context.Context) (stop func()) {
	background, cancel := context.WithCancel(ctx)
	serving, served := context.WithCancel(context.WithoutCancel(ctx))
	var tasks sync.WaitGroup
	tasks.Go(func() { s.signIn.client.KeepConnected(background) })
	tasks.Go(func() { s.directory.Watch(background) })
	tasks.Go(func() { memory.GiveBack(background) })
	tasks.Go(func() { s.importer.Run(background) })
	tasks.Go(func() { s.sessions.Records().KeepUses(serving) })
	return func() {
		cancel()
		served()
		tasks.Wait()
	}
}

// warnOfIssuers tells of people who have signed in by another issuer's host, where
// the database can tell: to this one they are strangers.
func warnOfIssuers(ctx context.Context, db *store.Store, issuer string, log *slog.Logger) {
	if u, err := url.Parse(issuer); err == nil {
		if people, err := db.ForeignIssuers(ctx, strings.ToLower(u.Host)); err == nil && people > 0 {
			log.WarnContext(ctx, "people have signed in by another issuer than OKTA_ISSUER: an administrator can join them at /people to who they are now", "people", people)
		}
	}
}

// of names the variable that an error is about.
func of(variable string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %w", variable, err)
}

// openStore returns the store of a configuration, which is not started yet. A
// currency that is none is a problem of the configuration already.
func openStore(cfg config.Config, log *slog.Logger, counted *metrics.Metrics) (*store.Store, error) {
	db, err := store.Open(cfg.DatabaseURL, log, counted)
	if err != nil {
		return nil, err
	}
	if currency, err := expense.ParseCurrency(cfg.Currency); err == nil {
		db.Hold(currency)
	}
	return db, nil
}

// startError names the variable that a database does not agree with, where it is
// that.
func startError(err error) error {
	var other *fault.CurrencyError
	if errors.As(err, &other) {
		return &config.Error{Err: of("CURRENCY", other)}
	}
	return err
}

// parts are what a site is made of beside its configuration.
type parts struct {
	directory *team.File
	store     *store.Store
	clientKey *openid.ClientKey // nil where the client has a secret
	log       *slog.Logger
	metrics   *metrics.Metrics // nil where nobody asks for them
	now       func() time.Time
	keptPages int           // bytes of rendered pages that are kept
	timeout   time.Duration // of one call to the provider; zero is openid.SignInTimeout
	stopping  func() bool   // whether the program is about to end
}

// newSite builds the site and what signs people in.
func newSite(cfg config.Config, p parts) (*app, error) {
	secure := strings.HasPrefix(cfg.BaseURL, "https:")
	records := session.NewRecords(p.store.Registry, p.log, p.metrics)
	sessionStore, err1 := session.New(session.Config{
		Secrets: cfg.SessionSecrets, Secure: secure, IdleTimeout: cfg.IdleTimeout, MaxAge: cfg.MaxAge, Now: p.now, Records: records,
	})
	pending, err2 := signin.NewPending(cfg.SessionSecrets, secure, p.now)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	client := openid.New(openid.Config{
		Issuer: cfg.Issuer, ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret, ClientKey: p.clientKey, ClientAuth: cfg.ClientAuth,
		Scopes: cfg.Scopes, SigningAlg: cfg.IDTokenAlg, EmailClaim: cfg.EmailClaim, GroupsClaim: cfg.GroupsClaim,
		RedirectURL: cfg.BaseURL + openid.CallbackPath, PostLogoutURL: cfg.PostLogoutURL,
		HTTP: openid.NewHTTPClient(openid.HTTPOptions{Timeout: p.timeout, Metrics: p.metrics}), Log: p.log, Now: p.now,
	})
	// Ended sessions are known before the first request where the database serves.
	records.Refresh(context.Background())
	importer := importing.New(p.store, p.directory, p.store.Currency(), func() expense.Date { return expense.DateOf(p.now().In(cfg.TimeZone)) }, p.log)
	var signIn *authenticator
	siteConfig := web.Config{
		BaseURL: cfg.BaseURL, Secrets: cfg.SessionSecrets, Proxies: cfg.TrustedProxies,
		Templates: templateFS, Static: staticFS, KeptPages: p.keptPages,
		Auth: client, Sessions: sessionStore, Directory: p.directory, Store: p.store, Importer: importer,
		Fresh: func(person *session.Session) bool { return signIn.isFresh(person) },
		Log:   p.log, Metrics: p.metrics, Now: p.now, Zone: cfg.TimeZone, Stopping: p.stopping,
	}
	site, err := web.New(siteConfig)
	if err != nil {
		return nil, err
	}
	signIn = &authenticator{
		baseURL: cfg.BaseURL, client: client, pending: pending, callbacks: signin.NewCallbacks(), given: signin.NewGiven(), sessions: sessionStore, directory: p.directory,
		policy: signInPolicy{prompt: cfg.Prompt, recheck: cfg.Recheck, stepUpMaxAge: cfg.StepUpMaxAge, stepUpACR: cfg.StepUpACR},
		log:    p.log, now: p.now,
	}
	return &app{
		Site: site, Spending: spending.New(site, siteConfig), Entries: entries.New(site, siteConfig), Imports: imports.New(site, siteConfig),
		Managing: managing.New(site, siteConfig), Sessions: sessions.New(site, siteConfig),
		baseURL: cfg.BaseURL, signIn: signIn, sessions: sessionStore, directory: p.directory, store: p.store, importer: importer,
		metrics: p.metrics, backChannelLogout: cfg.BackChannelLogout, universalLogout: cfg.UniversalLogout, frontChannelLogout: cfg.FrontChannelLogout,
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
		log.WarnContext(ctx, "provider not reached, nobody can sign in until it is", "event", openid.EventDiscoveryFailed, "error", err, "fix", openid.FixOf(err))
	}
	return nil
}
