package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	configpkg "expense-dashboard/internal/config"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/openid"
	serverpkg "expense-dashboard/internal/server"
	"expense-dashboard/internal/session"
	storepkg "expense-dashboard/internal/store"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
)

// The sample's people, by where they belong.
const (
	admin       = "hannah.smith@task-vantage.com"
	legal       = "grace.li@task-vantage.com"
	devAdvocacy = "frank.wilson+@task-vantage.com"
	finance     = "carol.lee@task-vantage.com"
	marketing   = "alice.johnson@task-vantage.com"
	hr          = "sarah.morgan@task-vantage.com"
	teamless    = "noah.brown@task-vantage.com"
)

const (
	testSecret  = "a session secret that only these tests know"
	otherSecret = "another session secret that is just as long"
)

// signingKey is the provider's key in every test: making one takes longer than
// a whole sign-in.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })

func newKey(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

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
	t         testing.TB
	provider  *devidp.Provider
	baseURL   string
	transport http.RoundTripper // of its browsers
	log       *lockedBuffer
	database  string // DATABASE_URL
	site      *app   // nil where the whole program runs
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
	server.Config = serverpkg.New(t.Context(), r.site.routes(), time.Minute, logging.New("text", slog.LevelInfo, r.log))
	if s.https {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	r.transport = server.Client().Transport
	return r
}

// copy builds a site as run does, one of any number that share a database.
func (r *rig) copy(t testing.TB, s setup) *app {
	t.Helper()
	cfg, err := configpkg.Load(r.variables(s).Get)
	if err != nil {
		t.Fatal(err)
	}
	var out io.Writer = r.log
	if s.log != nil {
		out = s.log
	}
	log := logging.New(cfg.LogFormat, cfg.LogLevel, out)
	directory, err := team.Open(cfg.TeamsFile, log)
	if err != nil {
		t.Fatal(err)
	}
	store, err := storepkg.Open(cfg.DatabaseURL, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if err := store.Start(t.Context(), cfg.SampleData); err != nil {
		t.Fatal(err)
	}
	p := parts{directory: directory, store: store, log: log, stopping: func() bool { return false }, now: time.Now, keptPages: web.KeptPages, timeout: s.clientTimeout}
	if s.clock != nil {
		p.now = s.clock.now
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
		r := newRig(t, "http://"+host+":"+portOf(t, freeAddr(t)), s)
		ended := r.run(t, s)
		if err := r.waitUntilServing(ended); err == nil {
			return r
		} else if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("run = %v\n%s", err, r.log)
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
		err := serve(ctx, r.variables(s), r.log)
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

func (r *rig) waitUntilServing(failed <-chan error) error {
	b := r.browser()
	for {
		select {
		case err := <-failed:
			return err
		case <-time.After(10 * time.Millisecond):
		}
		answer, err := b.client.Get(r.baseURL + "/healthz")
		if err == nil {
			answer.Body.Close()
			return nil
		}
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// newRig starts a provider for a program at baseURL.
func newRig(t testing.TB, baseURL string, s setup) *rig {
	t.Helper()
	config := s.provider
	config.RedirectURIs = []string{baseURL + "/authorization-code/callback"}
	config.PostLogoutRedirectURIs = []string{baseURL}
	if config.SigningKey == nil {
		config.SigningKey = signingKey()
	}
	if s.clock != nil && config.Now == nil {
		config.Now = s.clock.now
	}
	provider, err := devidp.Start("127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	provider.SetFaults(s.faults)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		provider.Close()
	})
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
	return &rig{t: t, provider: provider, baseURL: baseURL, transport: transport, log: &lockedBuffer{}, database: "sqlite:" + file}
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
func (r *rig) variables(s setup) configpkg.Variables {
	env := map[string]string{
		"OKTA_ISSUER": r.provider.Issuer(), "OKTA_CLIENT_ID": r.provider.ClientID(), "OKTA_CLIENT_SECRET": r.provider.ClientSecret(),
		"APP_BASE_URL": r.baseURL, "SESSION_SECRET": testSecret,
		"DATABASE_URL": r.database, "SAMPLE_DATA": "true",
	}
	maps.Copy(env, s.env)
	return configpkg.Of(env)
}

// A browser keeps cookies and follows redirects when told to.
type browser struct {
	t      testing.TB
	home   string // what targets are relative to
	client *http.Client
	trail  []string // of the last visit: the address of every answer
}

// browser returns a new one, that has never been anywhere.
func (r *rig) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return &browser{t: r.t, home: r.baseURL, client: &http.Client{
		Transport: r.transport, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// A reply is an answer to a browser, read whole.
type reply struct {
	status int
	header http.Header
	body   string
	url    *url.URL
}

// location is where a redirect leads to, as an absolute address.
func (r *reply) location() string {
	target, err := r.url.Parse(r.header.Get("Location"))
	if err != nil || r.header.Get("Location") == "" {
		return ""
	}
	return target.String()
}

// send sends a request, with header fields as name, value, name, value. A form
// that is not nil is its body.
func (b *browser) send(method, target string, form url.Values, fields ...string) *reply {
	b.t.Helper()
	if form != nil {
		fields = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, fields...)
	}
	return b.sendBody(method, target, strings.NewReader(form.Encode()), fields...)
}

// sendBody is send with any body.
func (b *browser) sendBody(method, target string, body io.Reader, fields ...string) *reply {
	b.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.home + target
	}
	request, err := http.NewRequest(method, target, body)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	for i := 0; i < len(fields); i += 2 {
		request.Header.Set(fields[i], fields[i+1])
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range response.Header["Set-Cookie"] {
		if len(cookie) > 4096 {
			b.t.Errorf("%s %s sets a cookie of %d bytes, more than browsers keep: %.40s…", method, request.URL.Path, len(cookie), cookie)
		}
	}
	return &reply{response.StatusCode, response.Header, string(content), request.URL}
}

func (b *browser) get(target string, fields ...string) *reply {
	b.t.Helper()
	return b.send(http.MethodGet, target, nil, fields...)
}

func (b *browser) post(target string, form url.Values, fields ...string) *reply {
	b.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	return b.send(http.MethodPost, target, form, fields...)
}

// follow follows redirects from an answer to the page behind them.
func (b *browser) follow(r *reply) *reply {
	b.t.Helper()
	b.trail = []string{r.url.String()}
	for r.location() != "" {
		if len(b.trail) > 20 {
			b.t.Fatalf("redirects without end: %q", b.trail)
		}
		r = b.get(r.location())
		b.trail = append(b.trail, r.url.String())
	}
	return r
}

func (b *browser) visit(target string) *reply {
	b.t.Helper()
	return b.follow(b.get(target))
}

// choose answers the provider's page, which r must be, with an address, and
// follows redirects to the end.
func (b *browser) choose(r *reply, email string) *reply {
	b.t.Helper()
	if r.status != http.StatusOK || !strings.Contains(r.body, "Development sign-in") {
		b.t.Fatalf("%s is no sign-in page of the provider: %d %s", r.url, r.status, r.text())
	}
	return b.follow(b.post(r.url.String(), url.Values{"email": {email}}))
}

// signIn signs in by the provider's page and must arrive at the dashboard.
func (b *browser) signIn(email string) *reply {
	b.t.Helper()
	r := b.choose(b.visit("/login"), email)
	if r.status != http.StatusOK || r.url.Path != "/dashboard" {
		b.t.Fatalf("sign-in of %s ends at %s with %d: %s", email, r.url.Path, r.status, r.text())
	}
	return r
}

// beginSignIn signs in at the provider and returns the address that it sends
// the browser back to.
func (b *browser) beginSignIn(email string) *url.URL {
	b.t.Helper()
	login := b.get("/login")
	if login.status != http.StatusSeeOther {
		b.t.Fatalf("GET /login = %d: %s", login.status, login.text())
	}
	callback, err := url.Parse(b.post(login.location(), url.Values{"email": {email}}).location())
	if err != nil || callback.Path != openid.CallbackPath {
		b.t.Fatalf("the provider sends the browser to %v, %v", callback, err)
	}
	return callback
}

// cookies returns what the browser would send to sign out, less the provider's
// own, for cookies of one host are shared between its ports.
func (b *browser) cookies() map[string]string {
	home, err := url.Parse(b.home + session.LogoutPath)
	if err != nil {
		b.t.Fatal(err)
	}
	values := map[string]string{}
	for _, cookie := range b.client.Jar.Cookies(home) {
		if cookie.Name != "devidp_session" {
			values[cookie.Name] = cookie.Value
		}
	}
	return values
}

// setCookie puts a cookie for the whole site into the browser.
func (b *browser) setCookie(name, value string) {
	home, err := url.Parse(b.home)
	if err != nil {
		b.t.Fatal(err)
	}
	b.client.Jar.SetCookies(home, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// check asserts a reply's status and what its page must hold; a text that
// begins with "!" must not be there.
func (r *reply) check(t testing.TB, status int, texts ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("%s = %d, want %d: %s", r.url.Path, r.status, status, r.text())
	}
	for _, text := range texts {
		unwanted, not := strings.CutPrefix(text, "!")
		if not && strings.Contains(r.body, unwanted) {
			t.Errorf("%s holds %q", r.url.Path, unwanted)
		} else if !not && !strings.Contains(r.body, text) {
			t.Errorf("%s does not hold %q: %s", r.url.Path, text, r.text())
		}
	}
}

// text is what is inside of a page's layout, or all of any other body.
func (r *reply) text() string {
	if _, inside, ok := strings.Cut(r.body, "<main"); ok {
		return strings.ReplaceAll(inside[:strings.Index(inside, "</main")], "\n", " ")
	}
	return r.body
}

// A clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

// newClock returns a clock that shows the present to a millisecond, which is
// what sessions keep.
func newClock() *clock { return &clock{at: time.Now().Truncate(time.Millisecond)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func (c *clock) advance(d time.Duration) { c.set(c.now().Add(d)) }

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
