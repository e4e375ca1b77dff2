// Package apptest is what tests of the program as a whole share: a development
// provider for it to sign people in with, browsers that keep cookies and read
// answers, a clock that is moved by hand, and a log that can be read while it is
// written. It knows the program by its addresses and its environment only, so that
// the tests of the root, which serve it in their own process, and those of
// acceptance, which start the binary, use the same. Nothing but tests imports it.
// Start reading at Rig.
package apptest

import (
	"crypto/rand"
	"crypto/rsa"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/devidp"
)

// The sample's people, by where they belong.
const (
	Admin       = "hannah.smith@task-vantage.com"
	Legal       = "grace.li@task-vantage.com"
	DevAdvocacy = "frank.wilson+@task-vantage.com"
	Finance     = "carol.lee@task-vantage.com"
	Marketing   = "alice.johnson@task-vantage.com"
	HR          = "sarah.morgan@task-vantage.com"
	Teamless    = "noah.brown@task-vantage.com"
)

// SubjectOf returns the sub of one of the sample's people.
func SubjectOf(t testing.TB, email string) string {
	t.Helper()
	for _, person := range devidp.SamplePeople() {
		if person.Email == email {
			return person.Subject
		}
	}
	t.Fatalf("%s is nobody of the sample", email)
	return ""
}

// SessionSecret is the SESSION_SECRET of a program beside a Rig.
const SessionSecret = "a session secret that only these tests know"

// SigningKey is the provider's key in every test: making one takes longer than
// a whole sign-in.
var SigningKey = sync.OnceValue(func() *rsa.PrivateKey { return NewKey(2048) })

// NewKey returns a new RSA key of so many bits.
func NewKey(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

// A Rig is a provider and what a program beside it has: an address, a database and
// a log. Who embeds it starts the program.
type Rig struct {
	T         testing.TB
	Provider  *devidp.Provider
	BaseURL   string
	Transport http.RoundTripper // of its browsers
	Log       *Buffer
	Database  string // DATABASE_URL
}

// New starts a provider for a program at baseURL, which ends with the test.
func New(t testing.TB, baseURL, databaseURL string, config devidp.Config, faults devidp.Faults) *Rig {
	t.Helper()
	config.RedirectURIs = []string{baseURL + "/authorization-code/callback"}
	config.PostLogoutRedirectURIs = []string{baseURL}
	if config.SigningKey == nil && (config.SigningAlg == "" || config.SigningAlg == "PS256") {
		config.SigningKey = SigningKey()
	}
	provider, err := devidp.Start("127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	provider.SetFaults(faults)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		provider.Close()
	})
	return &Rig{T: t, Provider: provider, BaseURL: baseURL, Transport: transport, Log: &Buffer{}, Database: databaseURL}
}

// Env is the environment of a program beside the rig, with what a test changes of
// it.
func (r *Rig) Env(changed map[string]string) map[string]string {
	env := map[string]string{
		"OKTA_ISSUER": r.Provider.Issuer(), "OKTA_CLIENT_ID": r.Provider.ClientID(), "OKTA_CLIENT_SECRET": r.Provider.ClientSecret(),
		"APP_BASE_URL": r.BaseURL, "SESSION_SECRET": SessionSecret,
		"DATABASE_URL": r.Database, "SAMPLE_DATA": "true",
	}
	maps.Copy(env, changed)
	return env
}

// WaitUntilServing returns nil once the program answers, or what it failed with.
func (r *Rig) WaitUntilServing(failed <-chan error) error {
	b := r.Browser()
	for {
		select {
		case err := <-failed:
			return err
		case <-time.After(10 * time.Millisecond):
		}
		answer, err := b.Client.Get(r.BaseURL + "/healthz")
		if err == nil {
			answer.Body.Close()
			return nil
		}
	}
}

// Browser returns a new one, that has never been anywhere.
func (r *Rig) Browser() *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.T.Fatal(err)
	}
	return &Browser{T: r.T, Home: r.BaseURL, Client: &http.Client{
		Transport: r.Transport, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Twin is another browser with the same cookies, as a thief has it.
func (r *Rig) Twin(b *Browser) *Browser {
	thief := r.Browser()
	for name, value := range b.Cookies() {
		thief.SetCookie(name, value)
	}
	return thief
}

// IsSignedIn reports whether the browser's cookie counts at a copy.
func (r *Rig) IsSignedIn(b *Browser) bool {
	b.T.Helper()
	page := b.Get(r.BaseURL + "/profile")
	if page.Status != http.StatusOK && page.Status != http.StatusSeeOther {
		b.T.Fatalf("GET /profile = %d: %s", page.Status, page.Text())
	}
	return page.Status == http.StatusOK
}

// FreeAddr returns an address of this machine at which nobody listens.
func FreeAddr(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// PortOf returns the port of an address.
func PortOf(t testing.TB, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
