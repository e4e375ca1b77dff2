package team

import (
	"os"
	"regexp"
	"testing"
)

// TestDocumentedTeamsFiles reads the teams files that the documents show.
func TestDocumentedTeamsFiles(t *testing.T) {
	for _, test := range []struct{ document, admin string }{
		{"README.md", "you@example.com"},
		{"docs/configuration.md", "cleo.diaz@example.com"},
	} {
		t.Run(test.document, func(t *testing.T) {
			document, err := os.ReadFile("../../" + test.document)
			if err != nil {
				t.Fatal(err)
			}
			file := regexp.MustCompile("(?s) *```json\n( *\\{\\s*\"teams\".*?)```").FindSubmatch(document)
			if file == nil {
				t.Fatal("it shows no teams file")
			}
			directory, err := Parse(file[1])
			if err != nil {
				t.Fatal(err)
			}
			if !directory.Access(test.admin, nil).Admin {
				t.Errorf("%s is no administrator", test.admin)
			}
		})
	}
}

// TestTeamsFileOfMakeRun reads the teams file of `make run`: the built-in one, with
// approval for the team that has a lead.
func TestTeamsFileOfMakeRun(t *testing.T) {
	file, err := os.ReadFile("../../examples/teams.json")
	if err != nil {
		t.Fatal(err)
	}
	directory, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	if !directory.Approval("finance") || directory.Approval("hr") || !directory.Access("diana.park@task-vantage.com", nil).CanDecide("finance") {
		t.Error("finance approves nothing, or Diana Park does not decide")
	}
}
