package openid

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/openid/claims"
)

// Only https, or http between two ends on loopback.
func TestEndpointURL(t *testing.T) {
	t.Parallel()
	tests := []struct {
		issuer, endpoint string
		ok               bool
	}{
		{"https://idp.example.com", "https://idp.example.com/token", true},
		{"https://idp.example.com", "https://other.example.com/token?x=y", true},
		{"https://idp.example.com", "http://idp.example.com/token", false},
		{"https://idp.example.com", "http://127.0.0.1/token", false},
		{"https://idp.example.com", "http://localhost/token", false},
		{"http://localhost:1", "http://127.0.0.1:2/token", true},
		{"http://localhost:1", "http://[::1]:2/token", true},
		{"http://localhost:1", "https://idp.example.com/token", true},
		{"http://localhost:1", "http://localhost.example.com/token", false},
		{"http://localhost:1", "http://0.0.0.0/token", false},
		{"http://localhost:1", "ftp://localhost/token", false},
	}
	for _, test := range tests {
		c := claims.Claims{"x": []byte(`"` + test.endpoint + `"`)}
		if _, err := EndpointURL(c, "x", test.issuer); (err == nil) != test.ok {
			t.Errorf("%s of %s: %v, want ok %v", test.endpoint, test.issuer, err, test.ok)
		}
	}
}

// Errors of the provider's client hold nothing of a body or a query.
func TestProviderClientTellsNothing(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", upstreamText)
		status := http.StatusOK
		if r.URL.Path == "/error" {
			status = http.StatusBadRequest
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"error":"`+upstreamText+`","`+upstreamText)
	}))
	t.Cleanup(server.Close)
	for _, path := range []string{"/error", "/malformed"} {
		_, err := GetClaims(context.Background(), NewHTTPClient(HTTPOptions{}), server.URL+path, "the access token")
		if err == nil || strings.Contains(err.Error(), upstreamText) || strings.Contains(err.Error(), "access token") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func FuzzParseAuthResponse(f *testing.F) {
	for _, seed := range []string{
		"", "state=a&code=b", "state=a&error=access_denied", "state=a&state=b&code=c", "state=&code=", "state=a&code=b&iss=", "state=a;code=b",
		"%zz", "state=a&code=b&iss=https%3A%2F%2Fidp.example.com", "State=a&Code=b", "state=%00&code=%ff", "state[]=a&code[]=b",
	} {
		f.Add(seed)
	}
	p := &Provider{issuer: "https://idp.example.com", sendsIss: true}
	f.Fuzz(func(t *testing.T, query string) {
		response, err := ParseAuthResponse(query)
		if err != nil {
			if response != (AuthResponse{}) {
				t.Errorf("%q: %v with %+v", query, err, response)
			}
			return
		}
		values, err := url.ParseQuery(query)
		if err != nil || !slices.Equal(values["state"], []string{response.State}) || response.State == "" || response.Code == "" && response.Error == "" {
			t.Errorf("%q is read as %+v", query, response)
		}
		if err := response.Check(p); err == nil && (response.Iss != p.issuer || response.Error != "" || response.Code == "") {
			t.Errorf("%q is believed: %+v", query, response)
		}
	})
}

func TestWaitOfTheProvider(t *testing.T) {
	const date = "Sun, 22 Nov 2026 10:00:00 GMT"
	at := func(s int64) string { return fmt.Sprint(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC).Unix() + s) }
	for _, test := range []struct {
		name, retryAfter, reset string
		status                  int
		want                    time.Duration
	}{
		{"neither", "", "", 429, 0},
		{"Retry-After", "7", "", 429, 7 * time.Second},
		{"Retry-After wins", "7", at(20), 429, 7 * time.Second},
		{"reset by the provider's clock", "", at(42), 429, 42 * time.Second},
		{"reset is over", "", at(-5), 429, 0},
		{"reset in a year", "", at(31536000), 429, time.Hour},
		{"reset beyond all dates", "", "253402300799", 429, time.Hour},
		{"reset is no number", "", upstreamText, 429, 0},
		{"reset of an answer that is not refused for it", "", at(42), 503, 0},
		{"Retry-After in the past", "-3", "", 503, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := &http.Response{StatusCode: test.status, Header: http.Header{"Date": {date}}}
			response.Header.Set("Retry-After", test.retryAfter)
			response.Header.Set("X-Rate-Limit-Reset", test.reset)
			if got := waitOf(response); got != test.want {
				t.Errorf("waitOf = %v, want %v", got, test.want)
			}
		})
	}
}
