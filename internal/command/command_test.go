package command

import (
	"runtime/debug"
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
