package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const unit = "examples/expense-dashboard@.service"

// TestUnit holds the unit of systemd to what its own tools find, where they are
// installed, and to a restart after every end that nobody asked for.
func TestUnit(t *testing.T) {
	t.Parallel()
	text := document(t, unit)
	for _, line := range []string{"Restart=always", "StartLimitIntervalSec=0", "RestartPreventExitStatus=2", "DynamicUser=yes", "UMask=0077", "MemoryMax=512M"} {
		if !slices.Contains(strings.Split(text, "\n"), line) {
			t.Errorf("%s has no %s", unit, line)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	// What it starts has to be there.
	name := filepath.Join(t.TempDir(), "expense-dashboard@3001.service")
	program, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	started := strings.Replace(text, "ExecStart=/usr/local/bin/expense-dashboard", "ExecStart="+program, 1)
	if err := os.WriteFile(name, []byte(started), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := exec.Command(analyze, "verify", name).CombinedOutput(); err != nil || len(found) > 0 {
		t.Errorf("verify: %v: %s", err, found)
	}
	// The threshold is in tenths.
	if found, err := exec.Command(analyze, "security", "--offline=true", "--threshold=20", name).CombinedOutput(); err != nil {
		t.Errorf("security: %v: %s", err, found)
	}
}

// TestDockerfile reads the image's recipe, for there need be no engine to build it.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	text := document(t, "examples/Dockerfile")
	stages := strings.Split(text, "\nFROM ")
	image := stages[len(stages)-1]
	for _, test := range []struct{ what, in, want string }{
		{"built with the version of Go that go.mod names", text, `(?m)^FROM golang:` + regexp.QuoteMeta(goVersion(t)) + `\.\d+ AS build$`},
		{"built without cgo", text, `CGO_ENABLED=0 go build`},
		{"nothing but the program in the image", image, `^scratch\n`},
		{"nobody's user, by number", image, `(?m)^USER [1-9]\d{3,}:[1-9]\d{3,}$`},
		{"data for that user alone", image, `COPY --from=build --chown=65532:65532 --chmod=0700 /owned /`},
		{"the program by itself, which gets the signals", image, `(?m)^ENTRYPOINT \["/expense-dashboard"\]$`},
		{"an example that publishes on loopback", text, `(?m)^#\t.*docker run .*-p 127\.0\.0\.1:3000:3000`},
		{"an example that is read-only and may nothing", text, `(?m)^#\t.*docker run --read-only --tmpfs /tmp --cap-drop ALL`},
		{"an example that waits for the end of requests", text, `(?m)^#\t.*docker run .*--stop-timeout (1[5-9]|[2-9]\d)`},
	} {
		if !regexp.MustCompile(test.want).MatchString(test.in) {
			t.Errorf("not %s", test.what)
		}
	}
	if published := regexp.MustCompile(`(?:-p|--publish) (?:\d|0\.0\.0\.0|\[::\])\d*:`).FindString(text); published != "" {
		t.Errorf("published to everybody: %s", published)
	}
	// Settings of the image are in everybody's hands.
	if secret := regexp.MustCompile(`(?m)^(?:ENV|ARG|LABEL) .*(?:SECRET|PASSWORD|KEY|TOKEN|OKTA_).*$`).FindString(text); secret != "" {
		t.Errorf("a secret in the image: %s", secret)
	}
	ignored := strings.Fields(document(t, "examples/Dockerfile.dockerignore"))
	if !slices.Contains(ignored, ".env") {
		t.Errorf("the build is given .env: only %q are left out", ignored)
	}
}

// goVersion is that of the program's module, without the last of its numbers.
func goVersion(t *testing.T) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^go (\d+\.\d+)\.\d+$`).FindStringSubmatch(document(t, "go.mod"))
	if found == nil {
		t.Fatal("go.mod names no version of Go")
	}
	return found[1]
}
