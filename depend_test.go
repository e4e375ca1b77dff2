package main

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

// TestProductLinks proves that nothing made for development or tests is part
// of the program, and that what it is made of can be seen at all.
func TestProductLinks(t *testing.T) {
	linked := strings.Fields(string(goCommand(t, "list", "-deps", ".")))
	for _, pkg := range []string{"expense-dashboard", "github.com/coreos/go-oidc/v3/oidc", "net/http"} {
		if !slices.Contains(linked, pkg) {
			t.Errorf("%s is not linked, so this test sees nothing", pkg)
		}
	}
	for _, pkg := range linked {
		local := strings.HasPrefix(pkg, "expense-dashboard/")
		if local || pkg == "testing" || pkg == "net/http/httptest" || strings.HasPrefix(pkg, "github.com/chromedp/") {
			t.Errorf("the program links %s", pkg)
		}
	}
}

// goCommand returns what the go command prints.
func goCommand(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	return out
}
