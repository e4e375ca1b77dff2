package openid

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
)

// ProxyError is an outbound proxy that does not let a call through to the provider.
// It is a fault of the network, which passes.
type ProxyError struct {
	Proxy  string // host and port
	Target string // of the CONNECT request, host and port
	Status int
}

func (e *ProxyError) Error() string {
	switch e.Status {
	case http.StatusProxyAuthRequired:
		return fmt.Sprintf("the proxy at %s asks for a password: put the right one into HTTPS_PROXY", e.Proxy)
	case http.StatusForbidden:
		return fmt.Sprintf("the proxy at %s does not let this program through to %s: it answers CONNECT with status 403", e.Proxy, e.Target)
	default:
		return fmt.Sprintf("the proxy at %s does not reach %s: it answers CONNECT with status %d", e.Proxy, e.Target, e.Status)
	}
}

// checkProxyAnswer is http.Transport.OnProxyConnectResponse. The transport itself
// would tell the proxy's words and neither its address nor the status.
func checkProxyAnswer(_ context.Context, proxy *url.URL, request *http.Request, response *http.Response) error {
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return &ProxyError{Proxy: proxy.Host, Target: request.Host, Status: response.StatusCode}
}

// NotJSONError is an answer with status 200 that is something else than JSON.
type NotJSONError struct{ MediaType string } // as mediaTypeOf names it

func (e *NotJSONError) Error() string { return "status 200 with " + e.MediaType + " and not JSON" }

// fix says what such an answer most likely is.
func (e *NotJSONError) fix() string {
	if e.MediaType != mediaTypePage {
		return "check that OKTA_ISSUER is the issuer and not another address"
	}
	return "check that OKTA_ISSUER is the issuer and not a page of your Okta org; if it is, open it from this machine: a maintenance page, or a network that wants a sign-in of its own (a captive portal), answers in its place"
}

const mediaTypePage = "a page (text/html)"

// mediaTypeOf names the media type of an answer that is no JSON, or returns "". A
// type that is not known here is not repeated.
func mediaTypeOf(header http.Header) string {
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	switch {
	case header.Get("Content-Type") == "":
		return "no media type"
	case err != nil:
		return "a malformed media type"
	}
	switch mediaType {
	case "application/json":
		return ""
	case "text/html", "application/xhtml+xml":
		return mediaTypePage
	case "text/plain", "text/xml", "application/xml", "application/jwt", "application/x-www-form-urlencoded":
		return mediaType
	default:
		return "another media type"
	}
}

// Unreached says in words why a call does not come through to the provider, of which
// err is the fault, or returns "" where it does. Nothing of err itself is in them.
func Unreached(err error) string {
	var (
		certificate *tls.CertificateVerificationError
		proxy       *ProxyError
		dns         *net.DNSError
		network     *net.OpError
	)
	switch {
	case errors.As(err, &proxy):
		return proxy.Error()
	case errors.As(err, &certificate):
		return certificateFault(certificate.Err)
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no host is called " + dns.Name
	case errors.As(err, &dns):
		return "the name server does not say where " + dns.Name + " is"
	case isTimeout(err):
		return "it does not answer in time"
	case errors.As(err, &network) && network.Op == "dial" && network.Addr != nil:
		return "nobody answers at " + network.Addr.String()
	case isUnreachable(err):
		return "the connection was cut"
	}
	return ""
}

// certificateFault says what is wrong with the certificate of a host.
func certificateFault(err error) string {
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &host):
		return "its certificate is that of another host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired, or is not valid yet by this machine's clock"
	}
	return "its certificate is from nobody whom this machine trusts"
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// isUnreachable reports whether err is a connection's, or that of a proxy on the
// way, and not an answer's.
func isUnreachable(err error) bool {
	var network *net.OpError
	var proxy *ProxyError
	return errors.As(err, &network) || errors.As(err, &proxy) || isTimeout(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
