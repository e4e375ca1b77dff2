package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/devidp"
)

// Each flag changes what it says, and nothing else does.
func TestWorlds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		args     []string
		endpoint string
		status   int
		text     string
	}{
		{"none", nil, "/.well-known/openid-configuration", 200, `"issuer"`},
		{"captive portal", []string{"-captive-portal"}, "/.well-known/openid-configuration", 200, "Sign in to this network"},
		{"odd keys", []string{"-odd-keys"}, "/v1/keys", 200, `"x5t":"odd"`},
		{"UserInfo refuses", []string{"-userinfo-status", "403"}, "/v1/userinfo", 403, "{}"},
		{"the token endpoint is busy", []string{"-token-status", "429"}, "/v1/token", 429, "{}"},
		{"pushed requests", []string{"-require-par"}, "/.well-known/openid-configuration", 200, `"require_pushed_authorization_requests":true`},
		{"another algorithm", []string{"-signing-alg", "ES256"}, "/v1/keys", 200, `"crv":"P-256"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			opts, err := parseFlags(test.args, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			provider, err := devidp.Start("127.0.0.1:0", opts.config)
			if err != nil {
				t.Fatal(err)
			}
			defer provider.Close()
			provider.SetFaults(opts.faults())
			response, err := http.Get(provider.Issuer() + test.endpoint)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != test.status || !strings.Contains(string(body), test.text) {
				t.Errorf("%s = %d %s, %v", test.endpoint, response.StatusCode, body, err)
			}
		})
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	opts, err := parseFlags([]string{"-rotate-keys", "1ms", "-signing-alg", "EdDSA"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := devidp.Start("127.0.0.1:0", opts.config)
	if err != nil {
		t.Fatal(err)
	}
	defer provider.Close()
	first := provider.SigningKey()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- opts.rotate(ctx, provider) }()
	for same := true; same; time.Sleep(time.Millisecond) {
		now, err1 := json.Marshal(provider.SigningKey().Public())
		before, err2 := json.Marshal(first.Public())
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		same = string(now) == string(before)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
