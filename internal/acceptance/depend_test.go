package acceptance

import (
	"encoding/json"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestDirectDependencies keeps in sight what the program is made of. Whoever
// adds a module adds here why it earns its place.
func TestDirectDependencies(t *testing.T) {
	reasons := map[string]string{
		"github.com/bojanz/currency":          "digits, marks and formats of every currency in every locale (Unicode CLDR)",
		"github.com/chromedp/chromedp":        "tests only: drives a real browser without anything beside Go and Chromium",
		"github.com/coreos/go-oidc/v3":        "discovery and ID Token verification, the most used implementation",
		"github.com/go-jose/go-jose/v4":       "signatures and keys (JWS, JWK); go-oidc uses it too",
		"github.com/gorilla/securecookie":     "encrypts and authenticates cookies; sessions uses it too",
		"github.com/gorilla/sessions":         "sessions in cookies, with key rotation",
		"github.com/jackc/pgx/v5":             "PostgreSQL without cgo, the driver that is kept up",
		"github.com/joho/godotenv":            "reads .env files with the quoting that people know",
		"github.com/pressly/goose/v3":         "schema migrations from embedded files, under a lock",
		"github.com/prometheus/client_golang": "metrics in the form that Prometheus reads, by its own project",
		"golang.org/x/oauth2":                 "the authorization code flow with PKCE, kept by the Go team",
		"golang.org/x/text":                   "é is searched and sorted the same, typed as one character or two",
		"modernc.org/libc":                    "tests only: speaks to SQLite itself, to ask what becomes of a statement",
		"modernc.org/sqlite":                  "SQLite without cgo: a database without a server",
	}
	var module struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(goCommand(t, "mod", "edit", "-json"), &module); err != nil {
		t.Fatal(err)
	}
	var direct []string
	for _, required := range module.Require {
		if !required.Indirect {
			direct = append(direct, required.Path)
		}
	}
	slices.Sort(direct)
	if want := slices.Sorted(maps.Keys(reasons)); !slices.Equal(direct, want) {
		t.Errorf("direct dependencies:\n  %s\nexpected, each with its reason:\n  %s", strings.Join(direct, "\n  "), strings.Join(want, "\n  "))
	}
}

// TestImports holds which package of ours uses which: a new arrow is a line of
// this table, for somebody to read and to ask what for. docs/architecture.md
// says how the packages are meant.
func TestImports(t *testing.T) {
	want := map[string]string{
		".":                       "command config digest doctor expense importing logging memory metrics openid openid/claims openid/token server session signin store store/fault store/sessions store/upkeep team web web/entries web/imports web/managing web/sessions web/spending weburl",
		"address":                 "expense",
		"cache":                   "",
		"command":                 "spelling",
		"config":                  "loopback secret spelling weburl",
		"devidp":                  "",
		"digest":                  "",
		"doctor":                  "config duration loopback openid openid/claims openid/token store/fault store/upkeep team",
		"duration":                "",
		"expense":                 "",
		"expense/expensefile":     "address digest expense",
		"importing":               "address expense expense/expensefile memory store store/fault store/imports team",
		"logging":                 "",
		"loopback":                "",
		"memory":                  "",
		"metrics":                 "",
		"openid":                  "loopback metrics openid/claims openid/token secret weburl",
		"openid/claims":           "",
		"openid/token":            "digest openid/claims weburl",
		"secret":                  "",
		"server":                  "",
		"session":                 "cache digest metrics secret store/fault store/sessions team",
		"signin":                  "openid openid/token secret session",
		"spelling":                "",
		"store":                   "expense metrics store/fault store/imports store/internal/batch store/internal/budget store/internal/database store/internal/ledger store/internal/names store/internal/search store/revision store/sessions",
		"store/fault":             "",
		"store/imports":           "address expense store/internal/database store/internal/ledger store/internal/names store/internal/query store/revision",
		"store/internal/batch":    "digest expense store/internal/database store/internal/ledger store/internal/names store/internal/query store/revision",
		"store/internal/budget":   "expense store/internal/database store/internal/names store/internal/query store/revision",
		"store/internal/database": "expense loopback metrics store/fault",
		"store/internal/ledger":   "digest expense store/internal/budget store/internal/database store/internal/names store/internal/query store/internal/search store/revision team",
		"store/internal/names":    "address expense store/internal/database store/internal/search store/revision team",
		"store/internal/query":    "expense store/internal/database store/internal/search team",
		"store/internal/search":   "",
		"store/revision":          "digest expense store/internal/database",
		"store/sessions":          "expense store/internal/database store/internal/names team",
		"store/upkeep":            "expense store store/fault store/internal/database store/internal/search store/revision",
		"team":                    "address expense",
		"web":                     "digest duration expense importing logging loopback metrics openid secret session signin store store/fault store/revision team web/internal/page",
		"web/entries":             "address expense store team web web/internal/page",
		"web/imports":             "expense expense/expensefile importing server session store store/imports team web web/internal/page",
		"web/internal/page":       "cache duration expense team",
		"web/managing":            "address expense logging store team web web/internal/page",
		"web/sessions":            "digest expense logging openid openid/claims session store store/fault store/sessions team web web/internal/page",
		"web/spending":            "cache expense expense/expensefile openid store team web web/internal/page",
		"weburl":                  "loopback",
	}
	got := ourImports(t)
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if got[name] != want[name] {
			t.Errorf("%s imports\n  %s\nand is meant to import\n  %s", name, got[name], want[name])
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("there is no package %s", name)
	}
}

// TestTour wants docs/architecture.md to name each package below those that it uses.
func TestTour(t *testing.T) {
	_, tour, _ := strings.Cut(document(t, "docs/architecture.md"), "## A tour of the packages")
	tour, _, _ = strings.Cut(tour, "\n## ")
	place := func(name string) int { return strings.Index(tour, "](../internal/"+name+")") }
	for name, imports := range ourImports(t) {
		if name == "." {
			continue
		}
		if place(name) < 0 {
			t.Errorf("the tour of docs/architecture.md does not name %s", name)
		}
		for used := range strings.FieldsSeq(imports) {
			if place(used) > place(name) {
				t.Errorf("docs/architecture.md names %s above %s, which it uses", name, used)
			}
		}
	}
}

// ourImports returns which packages of ours each of those imports that are not for tests
// alone, parted by spaces, by their names below internal; "." is the root.
func ourImports(t *testing.T) map[string]string {
	t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(string(goCommand(t, "list", "-f", `{{.ImportPath}}: {{join .Imports " "}}`, ".", "./internal/..."))) {
		name, imports, _ := strings.Cut(line, ":")
		var ours []string
		for _, path := range strings.Fields(imports) {
			if path, ok := strings.CutPrefix(path, "expense-dashboard/internal/"); ok {
				ours = append(ours, path)
			}
		}
		if name = strings.TrimPrefix(name, "expense-dashboard/internal/"); name == "expense-dashboard" {
			name = "."
		}
		if !forTests[name] {
			got[name] = strings.Join(ours, " ")
		}
	}
	return got
}

// TestHomes wants what is the business of one package to be known by no other.
func TestHomes(t *testing.T) {
	homes := map[string]string{ // by what is imported; a slash at the end, of either, is a beginning
		"database/sql":                      "store store/",
		"database/sql/":                     "expense store/", // expense has a driver.Valuer
		"modernc.org/":                      "store/fault store/internal/database store/upkeep",
		"github.com/jackc/":                 "store/fault store/internal/database store/upkeep",
		"github.com/pressly/":               "store/internal/database",
		"html/template":                     "web/internal/page devidp",
		"github.com/coreos/":                ". openid openid/token doctor",
		"golang.org/x/oauth2":               ". openid doctor",
		"github.com/go-jose/":               "openid openid/token devidp",
		"github.com/gorilla/securecookie":   "session",
		"github.com/gorilla/sessions":       "session web", // web keeps notices in a cookie
		"github.com/joho/":                  "config",
		"github.com/prometheus/":            "metrics",
		"expense-dashboard/internal/config": ". doctor",
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(goCommand(t, "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, ".", "./internal/..."))) {
		names := strings.Fields(line)
		name := strings.TrimPrefix(names[0], "expense-dashboard/internal/")
		if name == "expense-dashboard" {
			name = "."
		}
		for _, imported := range names[1:] {
			for what, home := range homes {
				if imported != what && (!strings.HasSuffix(what, "/") || !strings.HasPrefix(imported, what)) {
					continue
				}
				seen[what] = true
				isHome := func(of string) bool { return of == name || strings.HasSuffix(of, "/") && strings.HasPrefix(name, of) }
				if !forTests[name] && !slices.ContainsFunc(strings.Fields(home), isHome) {
					t.Errorf("%s imports %s, which is the business of %s", name, imported, home)
				}
			}
		}
	}
	for what := range homes {
		if !seen[what] {
			t.Errorf("nobody imports %s, so this test sees nothing of it", what)
		}
	}
}

// forTests holds the packages that only tests use.
var forTests = map[string]bool{"acceptance": true, "apptest": true, "store/internal/fixture": true, "storetest": true}

// TestProductLinks proves that nothing made for development or tests is part
// of the program, and that what it is made of can be seen at all.
func TestProductLinks(t *testing.T) {
	linked := strings.Fields(string(goCommand(t, "list", "-deps", ".")))
	for _, pkg := range []string{"expense-dashboard", "expense-dashboard/internal/store", "github.com/coreos/go-oidc/v3/oidc", "net/http"} {
		if !slices.Contains(linked, pkg) {
			t.Errorf("%s is not linked, so this test sees nothing", pkg)
		}
	}
	for _, pkg := range linked {
		ours, local := strings.CutPrefix(pkg, "expense-dashboard/internal/")
		if local && (ours == "devidp" || forTests[ours]) || pkg == "testing" || pkg == "net/http/httptest" || strings.HasPrefix(pkg, "github.com/chromedp/") {
			t.Errorf("the program links %s", pkg)
		}
	}
}

// goCommand returns what the go command prints in the repository's folder.
func goCommand(t *testing.T, args ...string) []byte {
	t.Helper()
	command := exec.Command("go", args...)
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	return out
}
