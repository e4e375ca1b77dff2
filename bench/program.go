package main

import (
	"database/sql"
	"errors"
	"fmt"
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

	_ "modernc.org/sqlite"

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
	address      string // on which it listens
	baseURL      string
	databaseURL  string
	provider     *devidp.Provider
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
	p := &program{path: path, folder: folder, address: address, baseURL: "http://" + address}
	p.databaseURL = "sqlite:" + p.database()
	p.provider, err = devidp.Start("127.0.0.1:0", devidp.Config{
		RedirectURIs:           []string{p.baseURL + "/authorization-code/callback"},
		PostLogoutRedirectURIs: []string{p.baseURL},
		People: []devidp.Person{
			{Subject: "00u-ada", Name: adminName, Email: adminAddress},
			{Subject: "00u-mel", Name: "Mel Member", Email: memberAddress},
		},
	})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(folder, "teams.json"), teamsFile(), 0o600); err != nil {
		return nil, err
	}
	p.logFile, err = os.Create(filepath.Join(folder, "log"))
	return p, err
}

// fill fills the database, as the program itself lays it out.
func (p *program) fill(opts options) error {
	if err := p.start(); err != nil {
		return err
	}
	if err := p.stop(); err != nil {
		return err
	}
	return fill(p.database(), opts.rows, opts.others)
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

func (p *program) database() string { return filepath.Join(p.folder, "expenses.db") }

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

// lastPage returns the address of the last page of a list: it starts after the
// fiftieth expense from the end, which is where the second page of the list
// turned around starts.
func (p *program) lastPage(who *visitor, target, backwards string) (string, error) {
	next, err := p.find(who, backwards, `after=[A-Za-z0-9_-]+`)
	if err != nil {
		return "", err
	}
	cursor, err := decodeCursor(strings.TrimPrefix(next, "after="))
	if err != nil {
		return "", err
	}
	cursor[1] = "asc"
	return target + "&after=" + encodeCursor(cursor), nil
}

// fill adds expenses of forty persons and twelve categories over three years.
func fill(file string, rows, others int) (err error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=synchronous(OFF)&_pragma=cache_size(-200000)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	for _, statement := range []string{
		fmt.Sprintf(fillStatement, rows+others+20, rows, rows+others),
		historyStatement, sumStatement, groupStatement, revisionStatement, "ANALYZE",
	} {
		if _, err := db.Exec(statement); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	return nil
}

// What an expense says is mixed from its number, so that each category has
// expenses of every person in every month. The ids are as far from the order of
// the rows as random ones.
const fillStatement = `
	WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %[1]d),
	mixed (i, team, a, b) AS (SELECT i, CASE WHEN i <= %[2]d THEN 'many' WHEN i <= %[3]d THEN 'team-' || (i %% 3) ELSE 'few' END,
		i * 2654435761 %% 4294967291 / 1000, i * 2246822519 %% 4294967291 / 1000 FROM n),
	named (i, team, digits, date, person, item, category) AS (SELECT i, team,
		replace(replace(replace(replace(CAST(1000000000 + i * 7919 %% 999999937 AS TEXT), '0', 'a'), '1', 'b'), '8', 'c'), '9', 'd'),
		(2024 + a %% 3) || '-' || substr(101 + a / 3 %% 12, 2) || '-' || substr(101 + a / 36 %% 28, 2),
		'Person ' || (b %% 40), 'Item ' || (b / 40 %% 5000), 'Category ' || (a / 1008 %% 12) FROM mixed)
	INSERT INTO expenses (id, team, date, person, owner, item, category, amount_cents, note, version, created_at, deleted_at,
		person_key, item_key, category_key, search)
	SELECT digits || 'aaaaaaaaaaaaaaaa', team, date, person, '', item, category,
		1 + i * 7907 %% 500000, 'a note of some length about what it was', 1, 0, NULL,
		lower(person), lower(item), lower(category), lower(item) || ' a note of some length about what it was'
	FROM named`

const historyStatement = `
	INSERT INTO history (expense, version, at, actor_address, actor_name, action, changes)
	SELECT id, 1, 0, '', 'Somebody', 'imported', '[]' FROM expenses ORDER BY id`

const sumStatement = `
	INSERT INTO sums (team, month, category_key, person_key, category, person, n, cents)
	SELECT team, substr(date, 1, 7), category_key, person_key, MIN(category), MIN(person), COUNT(*), SUM(amount_cents)
	FROM expenses GROUP BY 1, 2, 3, 4`

const groupStatement = `
	INSERT INTO group_sums (team, kind, key, label, n, cents)
	SELECT team, 'month', month, month, SUM(n), SUM(cents) FROM sums GROUP BY team, month
	UNION ALL SELECT team, 'category', category_key, MIN(category), SUM(n), SUM(cents) FROM sums GROUP BY team, category_key
	UNION ALL SELECT team, 'person', person_key, MIN(person), SUM(n), SUM(cents) FROM sums GROUP BY team, person_key`

const revisionStatement = `
	INSERT INTO revisions (team, revision) SELECT DISTINCT team, 'filled' FROM expenses`
