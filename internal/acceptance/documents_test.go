package acceptance

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository's folder, wherever a test goes.
var root = func() string {
	folder, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return folder
}()

// document returns a file of the repository.
func document(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// documents returns the names of the pages that people read, each by its path
// in the repository.
func documents(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("docs/*.md: %q, %v", pages, err)
	}
	names := []string{"README.md", "SECURITY.md", "examples/README.md"}
	for _, page := range pages {
		names = append(names, "docs/"+filepath.Base(page))
	}
	return names
}

// TestReadmeIsShort holds the README to what is read in one sitting.
func TestReadmeIsShort(t *testing.T) {
	readme := document(t, "README.md")
	if len(readme) > 15_000 {
		t.Errorf("README.md has %d bytes, at most 15,000 are wanted", len(readme))
	}
	for _, page := range documents(t) {
		if page != "README.md" && !strings.Contains(readme, "]("+page+")") {
			t.Errorf("README.md does not lead to %s", page)
		}
	}
}

// TestDocumentedFiles holds what the documents link and name against the
// repository.
func TestDocumentedFiles(t *testing.T) {
	links := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range documents(t) {
		t.Run(page, func(t *testing.T) {
			for _, link := range links.FindAllStringSubmatch(document(t, page), -1) {
				path, anchor, _ := strings.Cut(link[1], "#")
				if strings.Contains(path, ":") {
					continue // of another site
				}
				target := page
				if path != "" {
					target = filepath.Join(filepath.Dir(page), path)
				}
				if _, err := os.Stat(filepath.Join(root, target)); err != nil {
					t.Errorf("%s: %v", link[1], err)
					continue
				}
				if anchor != "" && !anchors(document(t, target))[anchor] {
					t.Errorf("%s: there is no such heading", link[1])
				}
			}
		})
	}
}

// TestArchitectureNamesEachPackage holds the tour of the packages against the
// folders that there are.
func TestArchitectureNamesEachPackage(t *testing.T) {
	folders, err := os.ReadDir(filepath.Join(root, "internal"))
	if err != nil {
		t.Fatal(err)
	}
	tour := document(t, "docs/architecture.md")
	for _, folder := range folders {
		if folder.IsDir() && !strings.Contains(tour, "](../internal/"+folder.Name()+")") {
			t.Errorf("docs/architecture.md does not name internal/%s", folder.Name())
		}
	}
}

// anchors returns the fragments by which the headings of a page are linked.
func anchors(page string) map[string]bool {
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	all := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(page, -1) {
		all[strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(heading[1]), ""), " ", "-")] = true
	}
	return all
}

// TestDocumentedMakeTargets holds the targets that documents name against the
// Makefile, and the Makefile against what it says of itself.
func TestDocumentedMakeTargets(t *testing.T) {
	makefile := "\n" + document(t, "Makefile")
	count := 0
	for _, page := range documents(t) {
		for _, named := range regexp.MustCompile("(?m)`make ([a-z]+)|^make ([a-z]+)").FindAllStringSubmatch(document(t, page), -1) {
			count++
			if !strings.Contains(makefile, "\n"+named[1]+named[2]+":") {
				t.Errorf("%s: no such target: %s", page, named[0])
			}
		}
	}
	if count == 0 {
		t.Error("no document names a make target")
	}
	for _, target := range strings.Fields(regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindStringSubmatch(makefile)[1]) {
		if !strings.Contains(makefile, "\n## "+target+": ") {
			t.Errorf("make help does not list %s", target)
		}
	}
}

// TestDocumentedEvents holds the events of the log that the handbook explains against
// those that the program writes.
func TestDocumentedEvents(t *testing.T) {
	written := map[string]bool{}
	named := regexp.MustCompile(`(?:"event", |\bEvent[A-Z]\w*\s*= )"([a-z_]+)"`)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		for _, found := range named.FindAllSubmatch(data, -1) {
			written[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(document(t, "docs/operations.md"), "| `event` | means |")
	table, _, _ = strings.Cut(table, "\n\n")
	explained := map[string]bool{}
	for row := range strings.Lines(table) {
		names, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " | ")
		for name := range strings.SplitSeq(names, ", ") {
			explained[strings.Trim(name, "`")] = written[strings.Trim(name, "`")]
		}
	}
	for name := range written {
		if !explained[name] {
			t.Errorf("docs/operations.md does not explain the event %s", name)
		}
	}
	for name, is := range explained {
		if !is && strings.Trim(name, "|- \n") != "" {
			t.Errorf("docs/operations.md explains the event %s, which nothing writes", name)
		}
	}
	if len(written) < 10 {
		t.Errorf("only %d events are found", len(written))
	}
}

// TestSecurity holds SECURITY.md against the tests: each promise names some, and
// each that it names is there.
func TestSecurity(t *testing.T) {
	written := testsWritten(t)
	names := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	_, promises, _ := strings.Cut(document(t, "SECURITY.md"), "\n## What is promised")
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
}

// testsWritten returns the names of all tests and fuzz targets of the program.
func testsWritten(t *testing.T) map[string]bool {
	t.Helper()
	written := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git") {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, test := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(source, -1) {
			written[string(test[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return written
}
