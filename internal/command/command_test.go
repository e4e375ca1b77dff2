package command

import (
	"errors"
	"flag"
	"io"
	"runtime/debug"
	"slices"
	"testing"
)

func TestVersion(t *testing.T) {
	build := func(version string, settings ...string) *debug.BuildInfo {
		info := &debug.BuildInfo{Main: debug.Module{Version: version}}
		for i := 0; i < len(settings); i += 2 {
			info.Settings = append(info.Settings, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
		}
		return info
	}
	tests := []struct {
		name string
		info *debug.BuildInfo
		want string
	}{
		{"release", build("v1.2.3", "vcs.revision", "abc"), "v1.2.3"},
		{"working copy", build("(devel)", "vcs.revision", "abc", "vcs.modified", "false"), "revision abc"},
		{"changed working copy", build("(devel)", "vcs.revision", "abc", "vcs.modified", "true"), "revision abc with changes"},
		{"no version control", build("(devel)"), "of unknown version"},
		{"nothing known", build(""), "of unknown version"},
	}
	for _, test := range tests {
		if got := versionOf(test.info); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		name      string
		args      []string
		arguments int
		problem   string // none where it is empty
	}{
		{"an argument", []string{"a"}, 1, ""},
		{"none", nil, 0, ""},
		{"white space", []string{" "}, 1, ""},
		{"a missing one", nil, 1, "backup: an argument is missing"},
		{"an empty one", []string{""}, 1, "backup: the argument is empty"},
		{"one too many", []string{"a", "b"}, 1, `backup: "b" is one argument too many`},
		{"an empty one too many", []string{""}, 0, `backup: "" is one argument too many`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse(flag.NewFlagSet("backup", flag.ContinueOnError), Invocation{Args: test.args}, test.arguments)
			var usage *UsageError
			switch {
			case test.problem == "":
				if err != nil || !slices.Equal(got, test.args) {
					t.Errorf("got %q, %v", got, err)
				}
			case !errors.As(err, &usage) || usage.Problem != test.problem:
				t.Errorf("got %v, want %q", err, test.problem)
			}
		})
	}
}

// TestHelpTakesOneCommand and refuses what stands behind it.
func TestHelpTakesOneCommand(t *testing.T) {
	for _, args := range [][]string{{"help", "version", "extra"}, {"--help", "version", "extra"}, {"help", "nothing"}, {"help", ""}} {
		var usage *UsageError
		if err := (Table{}).Run(t.Context(), Invocation{Args: args, Stdout: io.Discard}); !errors.As(err, &usage) {
			t.Errorf("%q: got %v, want a *UsageError", args, err)
		}
	}
	if err := (Table{}).Run(t.Context(), Invocation{Args: []string{"help", "version"}, Stdout: io.Discard}); err != nil {
		t.Error(err)
	}
}
