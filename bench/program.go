package main

import (
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"expense-dashboard/internal/devidp"
)

const (
	adminAddress  = "admin@example.com"
	adminName     = "Ada Admin"
	memberAddress = "member@example.com"
	// teams has one of 20 expenses and one of many, and lacks the colleagues.
	teams = `{"teams": [{"id": "few", "label": "Few"}, {"id": "many", "label": "Many"}, {"id": "team-0", "label": "Sales"},
		{"id": "team-1", "label": "Support"}, {"id": "team-2", "label": "Design"}],
		"members": {"` + adminAddress + `": "admin", "` + memberAddress + `": ["few", "many"]%s}}`
)

// A program is the real one, on a database of ours and beside a provider.
type program struct {
	path, folder string
	data         string // folder of its SQLite database
	address      string // on which it listens
	baseURL      string
	databaseURL  string
	provider     *devidp.Provider
	free         bool      // to use both processors
	group        string    // folder of the control group that it runs in; empty for ours
	command      *exec.Cmd // while it runs
	logFile      *os.File
}

// newProgram starts a provider, and leaves the program to be started. Its
// database is a file in the folder.
func newProgram(path, folder string) (*program, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p := &program{path: path, folder: folder, data: folder, address: address, baseURL: "http://" + address}
	p.databaseURL = "sqlite:" + p.database()
	p.provider, err = devidp.Start("127.0.0.1:0", providerConfig(p.baseURL))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(folder, "teams.json"), teamsFile(), 0o600); err != nil {
		return nil, err
	}
	p.logFile, err = os.OpenFile(filepath.Join(folder, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	return p, err
}

// providerConfig is that of the provider of a program at an address.
func providerConfig(baseURL string) devidp.Config {
	return devidp.Config{
		RedirectURIs:           []string{baseURL + "/authorization-code/callback"},
		PostLogoutRedirectURIs: []string{baseURL},
		People: []devidp.Person{
			{Subject: "00u-ada", Name: adminName, Email: adminAddress},
			{Subject: "00u-mel", Name: "Mel Member", Email: memberAddress},
		},
	}
}

// fill fills the database by the program's own import, so that it is laid out as
// the program does, and a large one by copies of what was imported.
func (p *program) fill(opts options) error {
	if err := p.start(); err != nil {
		return err
	}
	imported := min(opts.rows, importedRows)
	admin, err := p.signIn(adminAddress)
	if err == nil {
		err = p.importAll(admin, imported, opts.others)
	}
	if err := errors.Join(err, p.stop()); err != nil || imported == opts.rows {
		return err
	}
	return p.multiply(opts.rows)
}

// teamsFile is the teams with all their members. The provider knows no colleague
// and takes anybody at their address.
func teamsFile() []byte {
	var members strings.Builder
	for i := range colleagues {
		fmt.Fprintf(&members, ",\n\t\t%q: [\"few\", \"many\"]", colleague(i+1))
	}
	return fmt.Appendf(nil, teams, members.String())
}

// discardLog lets the log of the next start go nowhere: that of hours would fill
// the disk.
func (p *program) discardLog() (err error) {
	p.logFile.Close()
	p.logFile, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	return err
}

func (p *program) database() string { return filepath.Join(p.data, "expenses.db") }

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// start returns when the program has answered once.
func (p *program) start() error {
	p.command = pinned(p.path)
	if p.free {
		p.command = exec.Command(p.path)
		p.command.Env = os.Environ()
	}
	if p.group != "" {
		args := append([]string{"-c", `echo $$ >"$0" && exec "$@"`, filepath.Join(p.group, "cgroup.procs")}, p.command.Args...)
		env := append(p.command.Env, "GOMEMLIMIT="+fmt.Sprint(groupLimit/4*3))
		p.command = exec.Command("/bin/sh", args...)
		p.command.Env = env
	}
	p.command.Dir = p.folder
	p.command.Env = append(p.command.Env,
		"OKTA_ISSUER="+p.provider.Issuer(), "OKTA_CLIENT_ID="+p.provider.ClientID(), "OKTA_CLIENT_SECRET="+p.provider.ClientSecret(),
		"APP_BASE_URL="+p.baseURL, "LISTEN_ADDR="+p.address, "SESSION_SECRET=a secret for measuring that is long enough",
		"TEAMS_FILE="+filepath.Join(p.folder, "teams.json"), "DATABASE_URL="+p.databaseURL)
	p.command.Stderr = p.logFile
	if err := p.command.Start(); err != nil {
		p.command = nil
		return err
	}
	if err := p.await("/healthz"); err != nil {
		return errors.Join(err, p.stop())
	}
	return nil
}

// await returns when a path is answered with 200.
func (p *program) await(path string) error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(500 * time.Microsecond) {
		answer, err := http.Get("http://" + p.address + path)
		if err != nil {
			continue
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return nil
		}
	}
	text, _ := os.ReadFile(p.logFile.Name())
	return fmt.Errorf("the program does not answer: %s", text)
}

func (p *program) stop() error {
	http.DefaultClient.CloseIdleConnections()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := p.command.Wait()
	p.command = nil
	return err
}

func (p *program) close() {
	if p.command != nil {
		_ = p.stop()
	}
	p.logFile.Close()
	p.provider.Close()
}

// measureStart is the median time from the start to the first answer, with the
// database there is.
func (p *program) measureStart() (time.Duration, error) {
	var times []time.Duration
	for range 9 {
		begun := time.Now()
		if err := p.start(); err != nil {
			return 0, err
		}
		times = append(times, time.Since(begun))
		if err := p.stop(); err != nil {
			return 0, err
		}
	}
	return median(times), nil
}

// A visitor is somebody who is signed in.
type visitor struct{ cookies string }

// signIn signs in and keeps the cookies.
func (p *program) signIn(address string) (*visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	ended, err := signIn(&http.Client{Jar: jar}, p.baseURL, address)
	if err != nil {
		return nil, err
	}
	var cookies []string
	for _, cookie := range jar.Cookies(ended) {
		// A host's cookies are shared between its ports.
		if !strings.HasPrefix(cookie.Name, "devidp") {
			cookies = append(cookies, cookie.Name+"="+cookie.Value)
		}
	}
	slices.Sort(cookies)
	return &visitor{strings.Join(cookies, "; ")}, nil
}

// signIn signs a browser in through the provider's page and returns where it
// ends.
func signIn(client *http.Client, baseURL, address string) (*url.URL, error) {
	page, err := client.Get(baseURL + "/login")
	if err != nil {
		return nil, err
	}
	page.Body.Close()
	dashboard, err := client.PostForm(page.Request.URL.String(), url.Values{"email": {address}})
	if err != nil {
		return nil, err
	}
	dashboard.Body.Close()
	ended := dashboard.Request.URL
	if ended.Path != "/dashboard" || dashboard.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("sign-in of %s ends at %s with %s", address, ended.Path, dashboard.Status)
	}
	return ended, nil
}

// find returns the last text of a page that matches.
func (p *program) find(who *visitor, target, expression string) (string, error) {
	answer, err := fetch(p.baseURL, scene{target: target, who: who})
	if err != nil {
		return "", fmt.Errorf("%s: %w", target, err)
	}
	found := regexp.MustCompile(expression).FindAllString(string(answer.Body), -1)
	if len(found) == 0 {
		return "", fmt.Errorf("%s: nothing like %s", target, expression)
	}
	return found[len(found)-1], nil
}

// nextPage returns the address of the page behind that of a list.
func (p *program) nextPage(who *visitor, target string) (string, error) {
	link, err := p.find(who, target, nextLink.String())
	if err != nil {
		return "", err
	}
	next, err := url.Parse(html.UnescapeString(nextLink.FindStringSubmatch(link)[1]))
	if err != nil {
		return "", err
	}
	// As a request has it, without the place in the page.
	return next.RequestURI(), nil
}
