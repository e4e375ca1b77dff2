package acceptance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/apptest"
	"expense-dashboard/internal/devidp"
	"expense-dashboard/internal/storetest"
)

var updateGolden = flag.Bool("update", false, "write what doctor prints to testdata/doctor")

// A patient is a program that could be started, with one thing wrong.
type patient struct {
	name   string
	faults devidp.Faults
	env    map[string]string // {dir} stands for the working directory
	files  map[string]string // in the working directory
	change func(t *testing.T, p *devidp.Provider, env map[string]string)
}

const tidyTeams = `{"teams": [{"id": "sales", "label": "Sales"}], "members": {"ann@example.com": "sales"}}`

// TestDoctor compares what doctor prints with testdata/doctor, for the
// development provider with each fault and for each mistake of a configuration.
func TestDoctor(t *testing.T) {
	golden, err := filepath.Abs("testdata/doctor")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range patients() {
		t.Run(p.name, func(t *testing.T) {
			dir, variables, provider := p.admit(t)
			before := listing(t, dir)
			text, status := runDoctor(t, variables)
			if after := listing(t, dir); after != before {
				t.Errorf("doctor changed files:\n%s\nbefore:\n%s", after, before)
			}
			tidy := strings.NewReplacer(dir, "DIR", strings.TrimSuffix(provider.Issuer(), "/oauth2/default"), "http://127.0.0.1:PORT",
				strings.TrimPrefix(strings.TrimSuffix(provider.Issuer(), "/oauth2/default"), "http://"), "127.0.0.1:PORT")
			// The program's own schema version, which each migration changes.
			tidied := regexp.MustCompile(`(version|up to|it to) [1-9]\d?\b`).ReplaceAllString(tidy.Replace(text), "$1 N")
			tidied = regexp.MustCompile(`\{"use":"sig"[^}]*\}`).ReplaceAllString(tidied, "JWK")
			tidied = regexp.MustCompile(`127\.0\.0\.1:\d+/oauth2`).ReplaceAllString(tidied, "127.0.0.1:PORT/oauth2")
			got := fmt.Sprintf("%s\nexit status %d\n", tidied, status)
			file := filepath.Join(golden, strings.ReplaceAll(p.name, " ", "-")+".golden")
			if *updateGolden {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			for _, hidden := range []string{provider.ClientSecret(), variables["SESSION_SECRET"], "canary"} {
				if hidden != "" && strings.Contains(text, hidden) {
					t.Errorf("a secret shows in %s", text)
				}
			}
		})
	}
}

// admit makes the working directory and the provider of a patient.
func (p patient) admit(t *testing.T) (dir string, variables map[string]string, provider *devidp.Provider) {
	t.Helper()
	provider, err := devidp.Start("127.0.0.1:0", devidp.Config{SigningKey: apptest.SigningKey(), RedirectURIs: []string{"http://localhost:3000/authorization-code/callback"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { provider.Close() })
	provider.SetFaults(p.faults)
	dir = t.TempDir()
	t.Chdir(dir)
	prepareDatabase(t, "expenses.db")
	for name, content := range p.files {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if p.files["teams.json"] == "" {
		if err := os.WriteFile("teams.json", []byte(tidyTeams), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{
		"OKTA_ISSUER": provider.Issuer(), "OKTA_CLIENT_ID": provider.ClientID(), "OKTA_CLIENT_SECRET": provider.ClientSecret(),
		"SESSION_SECRET": "0123456789abcdef0123456789abcdef", "TEAMS_FILE": "teams.json",
	}
	maps.Copy(env, p.env)
	if p.change != nil {
		p.change(t, provider, env)
	}
	return dir, env, provider
}

// withClientKey has the client prove with a key who it is, which the provider takes.
func withClientKey(t *testing.T, p *devidp.Provider, env map[string]string) {
	public := writeClientKey(t, "key.pem")
	provider, err := devidp.Start("127.0.0.1:0", devidp.Config{
		SigningKey: apptest.SigningKey(), ClientID: p.ClientID(), ClientKey: public, RedirectURIs: []string{"http://localhost:3000/authorization-code/callback"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { provider.Close() })
	env["OKTA_ISSUER"], env["OKTA_PRIVATE_KEY_FILE"], env["OKTA_CLIENT_SECRET"] = provider.Issuer(), "key.pem", ""
}

// writeClientKey keeps a new key in a file of the working directory.
func writeClientKey(t *testing.T, name string) crypto.PublicKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err == nil {
		err = os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key.Public()
}

// prepareDatabase makes a database as the program leaves it that has ended.
func prepareDatabase(t *testing.T, file string) {
	t.Helper()
	made, err := emptyDatabase()
	if err == nil {
		err = os.WriteFile(file, made, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// emptyDatabase is what the program makes at its first start: to make one for each
// test would take longer than the test.
var emptyDatabase = sync.OnceValues(func() ([]byte, error) {
	program, err1 := binary()
	shared, err2 := folder()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	file := filepath.Join(shared, "empty.db")
	provider, err := devidp.Start("127.0.0.1:0", devidp.Config{SigningKey: apptest.SigningKey()})
	if err != nil {
		return nil, err
	}
	defer provider.Close()
	command := exec.Command(program)
	// It ends, with its database made, for its address is the provider's.
	command.Dir, command.Env = shared, environ(map[string]string{
		"OKTA_ISSUER": provider.Issuer(), "OKTA_CLIENT_ID": provider.ClientID(), "OKTA_CLIENT_SECRET": provider.ClientSecret(),
		"LISTEN_ADDR": strings.TrimSuffix(strings.TrimPrefix(provider.Issuer(), "http://"), "/oauth2/default"), "DATABASE_URL": "sqlite:" + file,
	})
	if out, err := command.CombinedOutput(); command.ProcessState.ExitCode() != 1 {
		return nil, fmt.Errorf("the program ended with %v: %s", err, out)
	}
	return os.ReadFile(file)
})

// A diagnosis is what doctor prints with --json.
type diagnosis struct {
	OK     bool
	Checks []struct{ Check, Status, Found, Fix string }
}

// text is the diagnosis as doctor prints it without --json.
func (d diagnosis) text() string {
	var text strings.Builder
	count := map[string]int{}
	for _, c := range d.Checks {
		count[c.Status]++
		fmt.Fprintf(&text, "%-4s  %-15s  %s\n", c.Status, c.Check, c.Found)
		if c.Fix != "" {
			fmt.Fprintf(&text, "%23s-> %s\n", "", c.Fix)
		}
	}
	fmt.Fprintf(&text, "\n%d ok, %d to look at, %d failed\n", count["ok"], count["warn"], count["fail"])
	return text.String()
}

// runDoctor returns what doctor prints and the exit status, and checks that
// --json tells the same.
func runDoctor(t *testing.T, variables map[string]string) (text string, status int) {
	t.Helper()
	text, _, status = typed(t, variables, "doctor")
	encoded, _, again := typed(t, variables, "doctor", "--json")
	var told diagnosis
	if err := json.Unmarshal([]byte(encoded), &told); err != nil {
		t.Fatalf("%v in %s", err, encoded)
	}
	if again != status || told.OK != (status == 0) {
		t.Errorf("exit status %d, with --json %d and ok %v", status, again, told.OK)
	}
	if told.text() != text {
		t.Errorf("--json tells:\n%s\nbut the text is:\n%s", told.text(), text)
	}
	return text, status
}

// listing says which files there are below dir, how large, and since when.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var list strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		fmt.Fprintln(&list, path, info.Mode(), info.Size(), info.ModTime())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list.String()
}

func patients() []patient {
	all := []patient{{name: "healthy"}}
	all = append(all, discoveryPatients()...)
	all = append(all, providerPatients()...)
	all = append(all, configPatients()...)
	all = append(all, teamsPatients()...)
	return append(all, databasePatients()...)
}

// absent is the value of a member that is left out.
const absent = "\x00absent"

// metadata sets one member of the discovery document; absent leaves it out.
func metadata(name string, value any) devidp.Faults {
	return devidp.Faults{Discovery: func(members map[string]any) {
		members[name] = value
		if value == absent {
			delete(members, name)
		}
	}}
}

func discoveryPatients() []patient {
	return []patient{
		{name: "discovery of another issuer", faults: metadata("issuer", "https://other.example.com")},
		{name: "discovery of no issuer", faults: metadata("issuer", absent)},
		{name: "discovery without authorization endpoint", faults: metadata("authorization_endpoint", absent)},
		{name: "discovery with token endpoint by http", faults: metadata("token_endpoint", "http://example.com/token")},
		{name: "discovery with relative keys", faults: metadata("jwks_uri", "/v1/keys")},
		{name: "discovery without userinfo", faults: metadata("userinfo_endpoint", absent)},
		{name: "discovery without end session", faults: metadata("end_session_endpoint", absent)},
		{name: "discovery with end session by javascript", faults: metadata("end_session_endpoint", "javascript:alert(1)")},
		{name: "discovery without PKCE", faults: metadata("code_challenge_methods_supported", absent)},
		{name: "discovery with plain PKCE", faults: metadata("code_challenge_methods_supported", []string{"plain"})},
		{name: "discovery with another algorithm", faults: metadata("id_token_signing_alg_values_supported", []string{"ES256"})},
		{name: "discovery with another client authentication", faults: metadata("token_endpoint_auth_methods_supported", []string{"private_key_jwt"})},
	}
}

// instead answers in the place of an endpoint.
func instead(endpoint string, status int, body string, header ...string) devidp.Faults {
	return devidp.Faults{Intercept: func(asked string) http.HandlerFunc {
		if asked != endpoint {
			return nil
		}
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}}
}

// offBy makes the provider's clock differ. Its answer is no discovery document,
// which is no matter here.
func offBy(skew time.Duration) func(*testing.T, *devidp.Provider, map[string]string) {
	return func(_ *testing.T, p *devidp.Provider, _ map[string]string) {
		p.SetFaults(devidp.Faults{Intercept: func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", time.Now().Add(skew).UTC().Format(http.TimeFormat))
				w.WriteHeader(http.StatusNotFound)
			}
		}})
	}
}

func providerPatients() []patient {
	const discovery = "openid-configuration"
	return []patient{
		{name: "provider gone", change: func(_ *testing.T, p *devidp.Provider, _ map[string]string) { p.Close() }},
		{name: "provider answers 404", faults: instead(discovery, 404, "canary")},
		{name: "provider answers 429", faults: instead(discovery, 429, "canary", "Retry-After", "30")},
		{name: "provider answers 503", faults: instead(discovery, 503, "canary")},
		{name: "provider redirects", faults: instead(discovery, 302, "", "Location", "https://example.com")},
		{name: "provider answers a page", faults: instead(discovery, 200, "<html>canary</html>")},
		{name: "provider answers too much", faults: instead(discovery, 200, strings.Repeat(" ", 1<<20+1))},
		{name: "clock behind by half an hour", change: offBy(30*time.Minute + 300*time.Millisecond)},
		{name: "clock ahead by two minutes", change: offBy(-2*time.Minute + 300*time.Millisecond)},
		{name: "keys gone", faults: instead("keys", 500, "canary")},
		{name: "keys of no use", faults: devidp.Faults{Keys: func([]map[string]any) []map[string]any {
			return []map[string]any{{"kty": "oct", "k": "Y2FuYXJ5"}}
		}}},
		{name: "secret refused", env: map[string]string{"OKTA_CLIENT_SECRET": "canary secret"}},
		{name: "groups", files: map[string]string{"teams.json": `{"teams": [{"id": "sales", "label": "Sales"}], "members": {}, "groups": {"Expenses Sales": "sales"}}`}},
		{name: "client key", change: withClientKey},
		{name: "client key that is none", env: map[string]string{"OKTA_PRIVATE_KEY_FILE": "key.pem"}, files: map[string]string{"key.pem": "canary"}},
		{name: "client key that Okta does not take", change: func(t *testing.T, _ *devidp.Provider, env map[string]string) {
			writeClientKey(t, "key.pem")
			env["OKTA_PRIVATE_KEY_FILE"] = "key.pem"
		}},
		{name: "token endpoint out of order", faults: instead("token", 500, "canary")},
		{name: "token endpoint answers a page", faults: instead("token", 200, "<html>canary</html>")},
	}
}

func configPatients() []patient {
	return []patient{
		{name: "near misses", env: map[string]string{"OKTA_SCOPE": "openid", "SESION_IDLE_TIMEOUT": "1h", "OKTA_CLIENT_ID": `"0oa1"`}},
		{name: "nothing set", env: map[string]string{
			"OKTA_ISSUER": "", "OKTA_CLIENT_ID": "", "OKTA_CLIENT_SECRET": "", "SESSION_SECRET": "", "TEAMS_FILE": "",
		}},
		{name: "everything wrong", env: map[string]string{
			"OKTA_ISSUER": "https://{yourOktaDomain}", "OKTA_CLIENT_SECRET": " ", "APP_BASE_URL": "http://example.com/", "SESSION_SECRET": "canary",
			"LISTEN_ADDR": "3000", "METRICS_ADDR": "9090", "LOG_FORMAT": "xml", "DATABASE_URL": " ", "TEAMS_FILE": " ",
		}},
		{name: "env file malformed", env: map[string]string{"CURRENCY": "Q"}, files: map[string]string{".env": "LOG_LEVEL=zzz\ncanary secret\n"}},
		{name: "secret easily guessed", env: map[string]string{"SESSION_SECRET": "0123456789abcdef0123456789abcdef," + strings.Repeat("canary", 6)}},
		{name: "https", env: map[string]string{"APP_BASE_URL": "https://expenses.example.com", "LISTEN_ADDR": "127.0.0.1:3000", "POST_LOGOUT_URL": "https://www.example.com/bye"}},
		{name: "metrics for this machine", env: map[string]string{"METRICS_ADDR": "127.0.0.1:9090"}},
		{name: "metrics on the port of the program", env: map[string]string{"METRICS_ADDR": ":3000"}},
		{name: "metrics for everybody", env: map[string]string{"METRICS_ADDR": ":9090"}},
		{name: "loopback by number", env: map[string]string{"APP_BASE_URL": "http://127.0.0.1:3000"}},
		{name: "another port", env: map[string]string{"LISTEN_ADDR": "127.0.0.1:4000"}},
	}
}

func teamsPatients() []patient {
	file := func(content string) map[string]string { return map[string]string{"teams.json": content} }
	return []patient{
		{name: "teams file missing", env: map[string]string{"TEAMS_FILE": "no.json"}},
		{name: "teams file no JSON", files: file("{teams}")},
		{name: "teams file empty of teams", files: file(`{"teams": [], "members": {}}`)},
		{name: "teams file wrong", files: file(`{
  "teams": [{"id": "sales", "label": "Sales"}, {"id": "sales", "label": "Sales 2"}],
  "members": {"ann@example.com": "sale", "ANN@example.com": "sales", "bob": "sales"}
}`)},
		{name: "teams file odd", files: file(`{
  "teams": [{"id": "sales", "label": "Sales"}, {"id": "legal", "label": "Legal"}],
  "members": {"Ärzte@example.com": "sales", "ann+@example.com": "sales", "bob@localhost": "sales", "a@b@example.com": "sales", "eve@example.com": [], "root@example.com": "admin"}
}`)},
	}
}

func databasePatients() []patient {
	execute := func(statement string) func(*testing.T, *devidp.Provider, map[string]string) {
		return func(t *testing.T, _ *devidp.Provider, _ map[string]string) {
			db := storetest.DB(t, "sqlite:expenses.db")
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
			db.Close() // which puts everything into the one file
		}
	}
	url := func(value string) map[string]string { return map[string]string{"DATABASE_URL": value} }
	return []patient{
		{name: "database not there yet", env: url("sqlite:new.db")},
		{name: "database without folder", env: url("sqlite:no/new.db")},
		{name: "database behind", change: execute(`DELETE FROM goose_db_version WHERE version_id > 0`)},
		{name: "database empty", change: execute(`DROP TABLE goose_db_version`)},
		{name: "database of a newer program", change: execute(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, 1)`)},
		{name: "database no database", env: url("sqlite:notes.txt"), files: map[string]string{"notes.txt": strings.Repeat("canary ", 1000)}},
		{name: "database of another kind", env: url("mysql://root:canary@localhost/expenses")},
		{name: "database postgres gone", env: url("postgres://expenses:canary@127.0.0.1:1/expenses")},
	}
}

// TestDoctorOfAnotherCurrency sets another currency than that of the expenses, and takes
// the extension away by which PostgreSQL searches quickly.
func TestDoctorOfAnotherCurrency(t *testing.T) {
	t.Chdir(t.TempDir())
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		p := startProgram(t, setup{env: map[string]string{"DATABASE_URL": databaseURL}})
		p.terminate()
		variables := p.Env(map[string]string{"DATABASE_URL": databaseURL})
		text, _ := runDoctor(t, variables)
		if strings.Contains(text, "currency") || strings.Contains(text, "pg_trgm") {
			t.Errorf("of what is right doctor says:\n%s", text)
		}
		want := []string{"fail  currency         CURRENCY is EUR and the expenses of the database are in USD", "-> set CURRENCY=USD, or use another database"}
		if strings.HasPrefix(databaseURL, "postgres") {
			if _, err := storetest.DB(t, databaseURL).Exec(`DROP EXTENSION pg_trgm CASCADE`); err != nil {
				t.Fatal(err)
			}
			want = append(want, "warn  search           PostgreSQL has no extension pg_trgm", "run CREATE EXTENSION pg_trgm; and then run expense-dashboard repair")
		}
		variables["CURRENCY"] = "eur"
		text, status := runDoctor(t, variables)
		for _, line := range want {
			if !strings.Contains(text, line) || status != 2 {
				t.Errorf("exit status %d, and doctor does not say %q:\n%s", status, line, text)
			}
		}
		delete(variables, "CURRENCY")
		if _, stderr, status := typed(t, variables, "repair"); status != 0 {
			t.Fatalf("repair ends with %d: %s", status, stderr)
		}
		if text, _ := runDoctor(t, variables); strings.Contains(text, "pg_trgm") {
			t.Errorf("after repair doctor says:\n%s", text)
		}
	})
}

// TestDoctorBesideProgram looks at a database that a program has open, whose
// last write is still in the write-ahead log.
func TestDoctorBesideProgram(t *testing.T) {
	t.Parallel()
	r := startProgram(t, setup{})
	if _, err := os.Stat(strings.TrimPrefix(r.Database, "sqlite:") + "-wal"); err != nil {
		t.Fatal("there is no write-ahead log, so this shows nothing")
	}
	text, _ := runDoctor(t, r.Env(nil))
	if !strings.Contains(text, "reached, schema version") || !strings.Contains(text, "which is this program's") {
		t.Errorf("doctor says:\n%s", text)
	}
	b := r.Browser()
	b.SignIn(finance)
	b.LogExpense("finance", apptest.ExpenseForm())
}
