package config

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/joho/godotenv"
)

// readDocument returns a file of the repository.
func readDocument(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestEnvExample holds .env.example against the program.
func TestEnvExample(t *testing.T) {
	example := readDocument(t, ".env.example")
	assignments := regexp.MustCompile(`(?m)^(# )?([A-Z][A-Z0-9_]+)=.*$`).FindAllStringSubmatch(example, -1)
	var named, active []string
	for _, assignment := range assignments {
		named = append(named, assignment[2])
		if assignment[1] == "" {
			active = append(active, assignment[2])
		}
	}
	required := []string{"OKTA_ISSUER", "OKTA_CLIENT_ID", "OKTA_CLIENT_SECRET"}
	if !slices.Equal(active, required) {
		t.Errorf("set in the file: %q, want only what is required: %q", active, required)
	}
	slices.Sort(named)
	if want := names(); !slices.Equal(named, want) {
		t.Errorf("the file names\n%q, the program reads\n%q", named, want)
	}

	t.Run("unchanged it is refused", func(t *testing.T) {
		_, err := Load(lookup(dotEnv(t, example)))
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
		filled := regexp.MustCompile(`(?m)^# [A-Z][A-Z0-9_]+=`).ReplaceAllStringFunc(example, func(line string) string {
			name := strings.Trim(line, "# =")
			if base, inFile := strings.CutSuffix(name, "_FILE"); inFile && slices.Contains(inFiles, base) {
				return line // and the variable itself cannot be set both
			}
			return name + "="
		})
		filled = strings.NewReplacer(
			"{yourOktaDomain}", "dev-123456.okta.com", "{yourClientID}", "0oa1", "{yourClientSecret}", "a$B",
			"{the output of openssl rand -hex 32}", strings.Repeat("0f", 32),
			"/etc/expense-dashboard/client-key.pem", "documents_test.go", "TEAMS_FILE=teams.json", "TEAMS_FILE=documents_test.go", // files that are there
		).Replace(filled)
		c, err := Load(lookup(dotEnv(t, filled)))
		if err != nil {
			t.Fatal(err)
		}
		if c.ClientSecret != "a$B" {
			t.Error("the client secret was changed on its way, though it is in single quotes")
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

// TestDollarsInDotEnv holds what docs/configuration.md says of $ in a .env file.
func TestDollarsInDotEnv(t *testing.T) {
	for _, test := range []struct{ name, line, want string }{
		{"single quotes keep everything", `NAME='ab$CD\n#"'`, `ab$CD\n#"`},
		{"before a small letter it stays", `NAME=ab$cd`, `ab$cd`},
		{"before a small letter it stays, in double quotes too", `NAME="ab$cd"`, `ab$cd`},
		{"before a capital letter it begins a name", `NAME=ab$CD`, `ab`},
		{"before a digit it begins a name", `NAME="ab$1c"`, `abc`},
		{"before _ it begins a name", `NAME=ab$_`, `ab`},
		{"in braces too", `NAME=ab${CD}e`, `abe`},
		{"of a variable of the file", "CD=x\nNAME=ab$CD", `abx`},
		{"escaped it stays", `NAME=ab\$CD`, `ab$CD`},
		{"escapes in double quotes", `NAME="a\nb\tc"`, "a\nbtc"},
		{"a comment begins behind a space", `NAME=a#b #c`, `a#b`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := dotEnv(t, test.line)["NAME"]; got != test.want {
				t.Errorf("%s\nis %q, want %q", test.line, got, test.want)
			}
		})
	}
}

// TestConfigurationDocument holds the tables of docs/configuration.md and of the
// README against the program.
func TestConfigurationDocument(t *testing.T) {
	rows := func(document string) []string {
		// Variables of Go's own stand in the section on the network.
		document, _, _ = strings.Cut(document, "\n## Network")
		var named []string
		for _, row := range regexp.MustCompile("(?m)^\\|(?: `[A-Z][A-Z0-9_]+`,?)+ \\|").FindAllString(document, -1) {
			named = append(named, regexp.MustCompile("[A-Z][A-Z0-9_]+").FindAllString(row, -1)...)
		}
		slices.Sort(named)
		return named
	}
	want := names()
	if named := rows(readDocument(t, "docs/configuration.md")); !slices.Equal(named, want) {
		t.Errorf("docs/configuration.md names\n%q, the program reads\n%q", named, want)
	}
	inReadme := rows(readDocument(t, "README.md"))
	if len(inReadme) != 7 {
		t.Errorf("the README names %q, want the seven that one sets", inReadme)
	}
	for _, name := range inReadme {
		if !slices.Contains(want, name) {
			t.Errorf("the README names %s, which the program does not read", name)
		}
	}
}
