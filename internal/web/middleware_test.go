package web

import "testing"

func TestStrictTransportSecurity(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, baseURL, want string }{
		{"https", "https://expenses.example.com", "max-age=31536000"},
		{"https on loopback, whose name other programs share", "https://localhost:3000", ""},
		{"http", "http://127.0.0.1:3000", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := securityHeaders(test.baseURL).Get("Strict-Transport-Security"); got != test.want {
				t.Errorf("%s: %q, want %q", test.baseURL, got, test.want)
			}
		})
	}
}
