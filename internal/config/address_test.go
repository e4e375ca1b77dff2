package config

import (
	"strings"
	"testing"
)

func TestMetricsAddrOfItsOwn(t *testing.T) {
	tests := []struct {
		name, base, listen, metrics string
		refused                     bool
	}{
		{"the address of LISTEN_ADDR", "", "127.0.0.1:4000", "127.0.0.1:4000", true},
		{"another port", "", "127.0.0.1:4000", "127.0.0.1:4001", false},
		{"the port of APP_BASE_URL", "http://localhost:4000", "", "127.0.0.1:4000", true},
		{"the port of APP_BASE_URL, which is not listened on", "http://localhost:4000", "127.0.0.1:4001", "127.0.0.1:4000", false},
		{"the standard port", "", "", ":3000", true},
		{"the port of https", "https://expenses.example.com", "", "127.0.0.1:443", true},
		{"all hosts", "", "127.0.0.1:4000", ":4000", true},
		{"all of IPv4", "", "127.0.0.1:4000", "0.0.0.0:4000", true},
		{"all of IPv6", "", "127.0.0.1:4000", "[::]:4000", true},
		{"a host of all", "", ":4000", "10.0.0.7:4000", true},
		{"another host", "", "127.0.0.1:4000", "127.0.0.2:4000", false},
		{"IPv6 beside IPv4", "", "127.0.0.1:4000", "[::1]:4000", false},
		{"by name", "", "127.0.0.1:4000", "LOCALHOST:4000", true},
		{"mapped into IPv6", "", "127.0.0.1:4000", "[::ffff:127.0.0.1]:4000", true},
		{"another spelling of the port", "", "127.0.0.1:4000", "127.0.0.1:04000", true},
		{"any free port", "", "127.0.0.1:0", "127.0.0.1:0", false},
		{"off", "", ":9090", "", false},
		{"the port of the example", "", ":9090", ":9090", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			variables := rightConfig()
			variables["APP_BASE_URL"], variables["LISTEN_ADDR"], variables["METRICS_ADDR"] = test.base, test.listen, test.metrics
			variables["SESSION_SECRET"] = strings.Repeat("a", 32)
			c, err := Load(lookup(variables))
			if !test.refused {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), "METRICS_ADDR is ") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v, want one problem of METRICS_ADDR", err)
			}
			_, example, _ := strings.Cut(err.Error(), "Example: METRICS_ADDR=")
			if example == "" || overlap(example, c.ListenAddr) {
				t.Errorf("the example %s is wrong, too", example)
			}
		})
	}
}
