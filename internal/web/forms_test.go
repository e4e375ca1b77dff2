package web

import "testing"

func TestFormPage(t *testing.T) {
	for path, want := range map[string]string{
		"/team/finance/expenses":            "/team/finance/expenses/new",
		"/team/finance/expenses/abc":        "/team/finance/expenses/abc",
		"/team/finance/expenses/abc/delete": "/team/finance/expenses/abc",
		"/team/finance/expenses/abc/x":      "/team/finance/expenses/abc",
		"/team/finance/budget":              "/team/finance/budget",
		"/expenses/import":                  "/expenses/import",
		"/expenses/import/abc/discard":      "/expenses/import/abc",
		"/expenses/selected":                "/expenses",
		"/categories/7/rename":              "/categories",
		"/people/7/join":                    "/people",
		"/sessions/abc/end":                 "/sessions",
		"/profile/sessions/end-others":      "/profile",
		"/logout":                           "",
		"/logout/backchannel":               "",
		"/team/finance":                     "",
		"/expenses":                         "",
		"/":                                 "",
	} {
		if got := FormPage(path); got != want {
			t.Errorf("%s is sent from %q, want %q", path, got, want)
		}
	}
}

func TestListPath(t *testing.T) {
	for address, want := range map[string]string{
		"/expenses": "/expenses", "/team/finance?q=a%20b&after=x": "/team/finance?q=a%20b&after=x", "/expenses#top": "/expenses",
		"": "", "/": "", "/profile": "", "/team/": "", "/team/finance/expenses": "", "//evil.example/expenses": "", "https://evil.example/expenses": "",
		"expenses": "", `/team/a\b`: "", "/team/%2e%2e%2fprofile": "", "javascript:alert(1)": "", "/expenses\r\nX: y": "", "/%zz": "",
	} {
		if got := ListPath(address); got != want {
			t.Errorf("%q leads to %q, want %q", address, got, want)
		}
	}
}

func TestSubmissionsBelongToAPerson(t *testing.T) {
	token := NewSubmission("carol")
	if !isMarked(token) || len(token) > MaxSubmission || !isOf(token, "carol") || isOf(token, "hannah") || isOf("abc.", "carol") || isMarked("abc") {
		t.Errorf("%q is not Carol's alone", token)
	}
}
