package logging

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientAddr(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		name, connection string
		forwarded        []string
		want             string
	}{
		{"no proxy", "203.0.113.9:5000", nil, "203.0.113.9:5000"},
		{"no proxy that says it is one", "203.0.113.9:5000", []string{"198.51.100.1"}, "203.0.113.9:5000"},
		{"proxy that says nothing", "10.0.0.1:5000", nil, "10.0.0.1"},
		{"proxy", "10.0.0.1:5000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"proxy on IPv6", "[fd00::1]:5000", []string{"2001:db8::1"}, "2001:db8::1"},
		{"proxy mapped into IPv6", "[::ffff:10.0.0.1]:5000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"client that writes the header too", "10.0.0.1:5000", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"client that says it is a proxy", "10.0.0.1:5000", []string{"10.9.9.9, 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.0.0.1:5000", []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"two headers", "10.0.0.1:5000", []string{"1.1.1.1", "198.51.100.1,10.0.0.2"}, "198.51.100.1"},
		{"only proxies", "10.0.0.1:5000", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"with a port", "10.0.0.1:5000", []string{"198.51.100.1:1234"}, "198.51.100.1"},
		{"with a port on IPv6", "10.0.0.1:5000", []string{"[2001:db8::1]:1234"}, "2001:db8::1"},
		{"garbage", "10.0.0.1:5000", []string{"unknown"}, "10.0.0.1"},
		{"garbage before a proxy", "10.0.0.1:5000", []string{"1.1.1.1, _hidden, 10.0.0.2"}, "10.0.0.2"},
		{"a forged line", "10.0.0.1:5000", []string{"1.1.1.1\" event=sign_in"}, "10.0.0.1"},
		{"empty", "10.0.0.1:5000", []string{""}, "10.0.0.1"},
		{"zone", "10.0.0.1:5000", []string{"fe80::1%eth0 event=sign_in"}, "fe80::1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr, r.Header["X-Forwarded-For"] = test.connection, test.forwarded
			if got := ClientAddr(r, proxies); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := ClientAddr(r, nil); got != test.connection {
				t.Errorf("without proxies: got %q, want %q", got, test.connection)
			}
		})
	}
}
