package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/joho/godotenv"

	"expense-dashboard/internal/config"
	"expense-dashboard/internal/team"
)

// variablesRead returns the sorted names of the variables that make up the
// configuration.
func variablesRead() []string {
	names := map[string]bool{}
	// An empty environment is refused, but only once every variable was asked for.
	_, _ = config.Load(func(name string) string { names[name] = true; return "" })
	return slices.Sorted(maps.Keys(names))
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestEnvExample holds .env.example against the program.
func TestEnvExample(t *testing.T) {
	example := readFile(t, ".env.example")
	assignments := regexp.MustCompile(`(?m)^(# )?([A-Z][A-Z0-9_]+)=.*$`).FindAllStringSubmatch(example, -1)
	var named, active []string
	for _, assignment := range assignments {
		named = append(named, assignment[2])
		if assignment[1] == "" {
			active = append(active, assignment[2])
		}
	}
	required := []string{"OKTA_ISSUER", "OKTA_CLIENT_ID", "OKTA_CLIENT_SECRET"}
	if want := append(slices.Clone(required), "SAMPLE_DATA"); !slices.Equal(active, want) {
		t.Errorf("set in the file: %q, want only what is required and the sample: %q", active, want)
	}
	slices.Sort(named)
	if want := variablesRead(); !slices.Equal(named, want) {
		t.Errorf("the file names\n%q, the program reads\n%q", named, want)
	}

	t.Run("unchanged it is refused", func(t *testing.T) {
		_, err := config.Load(lookup(dotEnv(t, example)))
		if err == nil {
			t.Fatal("placeholders were accepted")
		}
		for _, name := range append(required, "placeholder") {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("the error does not speak of %s: %v", name, err)
			}
		}
	})
	t.Run("filled in and with every line in force it is accepted", func(t *testing.T) {
		filled := regexp.MustCompile(`(?m)^# ([A-Z][A-Z0-9_]+=)`).ReplaceAllString(example, "$1")
		filled = strings.NewReplacer(
			"{yourOktaDomain}", "dev-123456.okta.com", "{yourClientID}", "0oa1", "{yourClientSecret}", "a$b",
			"{the output of openssl rand -hex 32}", strings.Repeat("0f", 32),
		).Replace(filled)
		c, err := config.Load(lookup(dotEnv(t, filled)))
		if err != nil {
			t.Fatal(err)
		}
		if c.ClientSecret != "a$b" {
			t.Error("the client secret was changed on its way, though it is in single quotes")
		}
		if _, err := team.Parse([]byte(readFile(t, c.TeamsFile))); err != nil {
			t.Error(err)
		}
	})
}

// dotEnv returns what a .env file says.
func dotEnv(t *testing.T, content string) map[string]string {
	t.Helper()
	variables, err := godotenv.Unmarshal(content)
	if err != nil {
		t.Fatal(err)
	}
	return variables
}

// TestReadme holds README.md against the program and the repository.
func TestReadme(t *testing.T) {
	readme := readFile(t, "README.md")

	t.Run("the configuration table names each variable once", func(t *testing.T) {
		var named []string
		for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z][A-Z0-9_]+)` \\|").FindAllStringSubmatch(readme, -1) {
			named = append(named, row[1])
		}
		slices.Sort(named)
		if want := variablesRead(); !slices.Equal(named, want) {
			t.Errorf("the table names\n%q, the program reads\n%q", named, want)
		}
	})
	t.Run("each make target exists", func(t *testing.T) {
		makefile := readFile(t, "Makefile")
		targets := regexp.MustCompile("`make ([a-z]+)|(?m)^make ([a-z]+)").FindAllStringSubmatch(readme, -1)
		if len(targets) == 0 {
			t.Fatal("the README names no make target")
		}
		for _, target := range targets {
			if !strings.Contains("\n"+makefile, "\n"+target[1]+target[2]+":") {
				t.Errorf("no such target: %s", target[0])
			}
		}
	})
	t.Run("each file that it links or names exists", func(t *testing.T) {
		links := regexp.MustCompile("\\]\\(([^):#]+)\\)|`([a-z_][a-z_/]*\\.(?:go|json|csv|css|html))`").FindAllStringSubmatch(readme, -1)
		if len(links) == 0 {
			t.Fatal("the README links nothing")
		}
		for _, link := range links {
			if _, err := os.Stat(link[1] + link[2]); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestSecurity holds SECURITY.md against the tests: each promise names some, and
// each that it names is there.
func TestSecurity(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{}
	for _, file := range files {
		for _, test := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(readFile(t, file), -1) {
			written[test[1]] = true
		}
	}
	names := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	_, promises, _ := strings.Cut(readFile(t, "SECURITY.md"), "\n## What is promised")
	promises, _, _ = strings.Cut(promises, "\n## What is not promised")
	rows := 0
	for line := range strings.Lines(promises) {
		promise, shownBy, isRow := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		if !isRow || promise == "promise" || promise == "---" {
			continue
		}
		rows++
		tests := names.FindAllStringSubmatch(shownBy, -1)
		if len(tests) == 0 {
			t.Errorf("nothing shows: %s", promise)
		}
		for _, test := range tests {
			if !written[test[1]] {
				t.Errorf("there is no %s, which shows: %s", test[1], promise)
			}
		}
	}
	if rows < 40 {
		t.Errorf("%d promises", rows)
	}
	if !strings.Contains(readFile(t, "README.md"), "](SECURITY.md)") {
		t.Error("the README does not lead to SECURITY.md")
	}
}
