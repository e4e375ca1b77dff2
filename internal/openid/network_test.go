package openid

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"expense-dashboard/internal/openid/claims"
)

// clientOf is a client of an issuer that reaches it by a proxy, or straight where
// that is empty.
func clientOf(t *testing.T, issuer, proxy string) *Client {
	t.Helper()
	wrap := func(network http.RoundTripper) http.RoundTripper {
		transport := network.(*http.Transport)
		transport.Proxy = nil
		if proxy != "" {
			u, err := url.Parse(proxy)
			if err != nil {
				t.Fatal(err)
			}
			u.User = url.UserPassword("user", "the password of the proxy")
			transport.Proxy = http.ProxyURL(u)
		}
		t.Cleanup(transport.CloseIdleConnections)
		return transport
	}
	return New(Config{
		Issuer: issuer, ClientID: "client", ClientSecret: "the secret", HTTP: NewHTTPClient(HTTPOptions{Wrap: wrap}),
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
}

// A proxy that refuses is a fault of the network, which passes: the program goes
// on, and the log says which proxy it is.
func TestProxyThatRefuses(t *testing.T) {
	t.Parallel()
	for status, text := range map[int]string{
		http.StatusProxyAuthRequired:  "asks for a password",
		http.StatusForbidden:          "does not let this program through to idp.example.com:443",
		http.StatusBadGateway:         "does not reach idp.example.com:443: it answers CONNECT with status 502",
		http.StatusServiceUnavailable: "answers CONNECT with status 503",
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodConnect {
					t.Errorf("the proxy is asked %s %s", r.Method, r.URL)
				}
				w.WriteHeader(status)
				_, _ = io.WriteString(w, upstreamText)
			}))
			t.Cleanup(proxy.Close)
			c := clientOf(t, "https://idp.example.com/oauth2/default", proxy.URL)
			err := c.Connect(t.Context())
			var fault *DiscoveryError
			if !errors.As(err, &fault) || fault.Lasting {
				t.Fatalf("connect = %v, want a passing fault", err)
			}
			want := "the proxy at " + strings.TrimPrefix(proxy.URL, "http://") + " " + text
			if !strings.Contains(err.Error(), strings.TrimSuffix(want, " "+text)) || !strings.Contains(err.Error(), text) ||
				strings.Contains(err.Error(), "the password of the proxy") || strings.Contains(err.Error(), upstreamText) {
				t.Errorf("connect = %v, want %s", err, want)
			}
			p, err := newProvider(claims.Claims{
				"issuer": []byte(`"https://idp.example.com/oauth2/default"`), "authorization_endpoint": []byte(`"https://idp.example.com/a"`),
				"token_endpoint": []byte(`"https://idp.example.com/t"`),
			}, Config{Issuer: "https://idp.example.com/oauth2/default", SigningAlg: "RS256"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Exchange(context.Background(), p, "code", strings.Repeat("v", 43))
			var failed *SignInError
			if !errors.As(err, &failed) || failed.Failure != ProviderUnreachable || failed.RetryAfter == 0 || !strings.Contains(err.Error(), text) {
				t.Errorf("a sign-in ends with %v", err)
			}
		})
	}
}

// What is no discovery document is named for what it is.
func TestAnswersThatAreNoDiscoveryDocument(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, mediaType string
		status          int
		lasting         bool
		text, fix       string
	}{
		{"a page", "text/html; charset=utf-8", 200, true, "status 200 with a page (text/html) and not JSON", "captive portal"},
		{"a text", "text/plain", 200, true, "status 200 with text/plain and not JSON", "OKTA_ISSUER is the issuer"},
		{"a media type of their own", "application/" + upstreamText, 200, true, "another media type", "OKTA_ISSUER is the issuer"},
		{"a maintenance page", "text/html", 503, false, "status 503 with a page (text/html)", ""},
		{"a page that is not there", "text/html", 404, true, "status 404 with a page (text/html)", "ends with its ID"},
		{"a proxy for plain http that asks for a password", "text/html", 407, false, "status 407 with a page", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", test.mediaType)
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, "<html>"+upstreamText)
			}))
			t.Cleanup(server.Close)
			err := clientOf(t, server.URL, "").Connect(t.Context())
			var fault *DiscoveryError
			if !errors.As(err, &fault) || fault.Lasting != test.lasting || !strings.Contains(err.Error(), test.text) ||
				!strings.Contains(fault.Fix, test.fix) || strings.Contains(err.Error()+fault.Fix, upstreamText) {
				t.Errorf("connect = %v, %+v", err, fault)
			}
		})
	}
}

// TestUnreached says of each fault of the network what it is, and shows none of Go's
// errors.
func TestUnreached(t *testing.T) {
	t.Parallel()
	dial := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://idp.example.com", Err: &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, Err: err}}
	}
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"refused", dial(syscall.ECONNREFUSED), "nobody answers at 192.0.2.1:443"},
		{"no such host", dial(&net.DNSError{Name: "idp.example.com", IsNotFound: true}), "no host is called idp.example.com"},
		{"no name server", dial(&net.DNSError{Name: "idp.example.com"}), "the name server does not say where idp.example.com is"},
		{"too late", &url.Error{Op: "Get", Err: context.DeadlineExceeded}, "it does not answer in time"},
		{"cut", &url.Error{Op: "Get", Err: io.ErrUnexpectedEOF}, "the connection was cut"},
		{"another host", &tls.CertificateVerificationError{Err: x509.HostnameError{Host: "x", Certificate: &x509.Certificate{}}}, "its certificate is that of another host"},
		{"too old", &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}, "its certificate has expired, or is not valid yet by this machine's clock"},
		{"of nobody", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "its certificate is from nobody whom this machine trusts"},
		{"an answer", &StatusError{Code: 404}, ""},
	} {
		if got := Unreached(test.err); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestIssuerOnAPlainPort(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	err := clientOf(t, strings.Replace(server.URL, "http:", "https:", 1), "").Connect(t.Context())
	var fault *DiscoveryError
	if !errors.As(err, &fault) || !fault.Lasting || !strings.Contains(err.Error(), "answers in http without TLS") || !strings.Contains(fault.Fix, "port") {
		t.Errorf("connect = %v, %+v", err, fault)
	}
}
