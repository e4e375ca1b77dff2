package weburl

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ value, problem string }{
		{"https://dev-123456.okta.com/oauth2/default", ""},
		{"http://localhost:3000", ""},
		{"http://[::1]:3000/x", ""},
		{"http://dev.example.com", "is http"},
		{"ftp://dev.example.com", "is neither https nor http"},
		{"/path", "is not an absolute URL"},
		{"https:///x", "is not an absolute URL"},
		{"https://a b", "is not an absolute URL"},
		{"https://a;b", "no host name"},
		{"https://me:pass@example.com", "user name or password"},
		{"https://example.com:0", "has a port"},
		{"https://{yourOktaDomain}", "placeholder"},
	} {
		u, problem := Check(test.value)
		if (problem == "") != (test.problem == "") || !strings.Contains(problem, test.problem) || (u == nil) != (problem != "") {
			t.Errorf("Check(%q) = %v, %q, want %q", test.value, u, problem, test.problem)
		}
	}
}
