package acceptance

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var lighthouse = flag.String("lighthouse", "", "score the pages with this Lighthouse `program`")

// A lighthouseReport is what we read of Lighthouse's JSON.
type lighthouseReport struct {
	Categories map[string]struct {
		Score     float64 // 0 to 1
		AuditRefs []struct{ ID string }
	}
	Audits map[string]struct {
		Title string
		Score *float64
	}
}

// TestLighthouse scores each page of the running program, and prints a table. It
// runs with -lighthouse. A page may score less than 100 only for its speed, and
// there 99.
func TestLighthouse(t *testing.T) {
	if *lighthouse == "" {
		t.Skip("no -lighthouse")
	}
	program := findChromium()
	if program == "" {
		t.Fatal("no Chromium: scripts/install-needs installs one")
	}
	r := startOnLocalhost(t, setup{})
	guest, member, administrator := r.Browser(), r.Browser(), r.Browser()
	member.SignIn(finance)
	administrator.SignIn(admin)
	expense := member.Get("/team/finance").LinkAfter(`class="item"><a href="`)
	row := func(cells ...string) {
		t.Logf("%-52s %13s %14s %14s %5s", cells[0], cells[1], cells[2], cells[3], cells[4])
	}
	categories := []string{"performance", "accessibility", "best-practices", "seo"}
	row(slices.Concat([]string{"page"}, categories)...)
	for _, page := range []struct {
		b    *browser
		path string
	}{
		{guest, "/"},
		{member, "/"},
		{member, "/dashboard"},
		{member, "/profile"},
		{member, "/team/finance"},
		{member, "/team/finance?q=lunch"},
		{member, "/team/finance/expenses/new"},
		{member, expense},
		{administrator, "/dashboard"},
		{administrator, "/expenses"},
		{administrator, "/expenses/import"},
		{administrator, "/sessions"},
	} {
		report := score(t, page.b, program, page.path)
		cells := []string{page.path}
		for _, name := range categories {
			score := int(100*report.Categories[name].Score + 0.5)
			cells = append(cells, strconv.Itoa(score))
			if score < 99 || (score < 100 && name != "performance") {
				t.Errorf("%s: %s is %d: %s", page.path, name, score, strings.Join(report.faults(name), "; "))
			}
		}
		row(cells...)
	}
}

// faults names the audits of a category that are not whole.
func (r *lighthouseReport) faults(category string) []string {
	var faults []string
	for _, ref := range r.Categories[category].AuditRefs {
		if audit := r.Audits[ref.ID]; audit.Score != nil && *audit.Score < 0.9 {
			faults = append(faults, audit.Title)
		}
	}
	return faults
}

// score runs Lighthouse on a page as the browser's person sees it.
func score(t *testing.T, b *browser, chromium, path string) *lighthouseReport {
	t.Helper()
	var cookies []string
	for name, value := range b.Cookies() {
		cookies = append(cookies, name+"="+value)
	}
	slices.Sort(cookies)
	headers, err := json.Marshal(map[string]string{"Cookie": strings.Join(cookies, "; ")})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	headerFile, reportFile := filepath.Join(dir, "headers.json"), filepath.Join(dir, "report.json")
	if err := os.WriteFile(headerFile, headers, 0o600); err != nil {
		t.Fatal(err)
	}
	flags := "--headless=new --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
	if os.Geteuid() == 0 {
		flags += " --no-sandbox"
	}
	command := exec.CommandContext(t.Context(), *lighthouse, b.Home+path, "--quiet", "--output=json", "--output-path="+reportFile,
		"--extra-headers="+headerFile, "--chrome-flags="+flags, "--only-categories=performance,accessibility,best-practices,seo")
	command.Env = append(os.Environ(), "CHROME_PATH="+chromium)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", path, err, out)
	}
	data, err := os.ReadFile(reportFile)
	if err != nil {
		t.Fatal(err)
	}
	var report lighthouseReport
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	return &report
}
