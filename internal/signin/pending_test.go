package signin

import (
	"net/url"
	"strings"
	"testing"

	"expense-dashboard/internal/openid"
)

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/", "/dashboard", "/team/finance", "/team/dev-advocacy?sort=amount&order=desc", "/profile?a=%2F%2Fevil.example",
		"/team/a%20b", "/?next=https://evil.example", "/a/b//c", "/loginx", "/team/%E2%9C%93", "/" + strings.Repeat("a", maxReturnTo-1),
	} {
		if got := LocalPath(path); got != path {
			t.Errorf("localPath(%.80q) = %.80q, want the same", path, got)
		}
	}
	for _, path := range []string{
		"", " ", "dashboard", "?a=b", "#a", ".", "..", "./a", "//", "//evil.example", "///evil.example", "/\t/evil.example", "/\n/evil.example", "/\r/evil.example",
		"/\\evil.example", "\\\\evil.example", "/%5Cevil.example", "/%5cevil.example", "/%2F/evil.example", "/%2f%2fevil.example", "/%2Fevil.example",
		"https://evil.example", "HTTPS://evil.example", "https:evil.example", "https:/evil.example", "http:///evil.example", "javascript:alert(1)", "data:text/html,x",
		"//user@evil.example", "/@evil.example\\", "user:pass@evil.example/", "/\u2028", "/ü", "/a b", " /dashboard", "\t/dashboard", "/\x00", "/\x7f", "/%zz", "/%00\\",
		"／／evil.example", "/／evil.example", "//evil。example", "/login", "/login?return_to=/login", "/logout", "/logout?a",
		"/./logout", "/x/../logout", "/%2e/logout", "/x/%2E%2e/login", "//./logout", "/logout/", "/logout/.", "/logout/frontchannel?sid=a", "/team/hr/../../authorization-code/callback", "/authorization-code/callback?code=a", "/" + strings.Repeat("a", maxReturnTo),
	} {
		if got := LocalPath(path); got != "/dashboard" {
			t.Errorf("localPath(%.80q) = %.80q, want the dashboard", path, got)
		}
	}
}

func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/", "//evil.example", `/\evil.example`, "/%5Cevil.example", "/%2F/evil.example", "/\t/evil.example", "https://evil.example", "/a?b#c", "javascript:x", "/..//evil.example", "/.//evil.example"} {
		f.Add(seed)
	}
	const origin = "https://expenses.example.com"
	home, err := url.Parse(origin + openid.CallbackPath)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, returnTo string) {
		path := LocalPath(returnTo)
		if path != returnTo && path != "/dashboard" {
			t.Fatalf("localPath(%q) = %q", returnTo, path)
		}
		// A browser drops tabs and line breaks and takes \ for /.
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(path)
		target, err := home.Parse(seen)
		if err != nil || target.Scheme+"://"+target.Host != origin || target.User != nil || strings.HasPrefix(seen, "//") {
			t.Fatalf("localPath(%q) leads to %v, %v", returnTo, target, err)
		}
	})
}
