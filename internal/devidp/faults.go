package devidp

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
)

// Faults change what a provider answers. A nil field changes nothing. The hooks
// may run at the same time as one another.
//
// A hook that is given a map changes it in place.
type Faults struct {
	// Discovery changes the discovery document.
	Discovery func(metadata map[string]any)
	// Authorize changes the parameters of the authorization response, errors too.
	Authorize func(response url.Values)
	// Claims changes the claims of the ID Token before they are signed.
	Claims func(claims map[string]any)
	// Payload changes the ID Token's claims as JSON before they are signed, for
	// what a map cannot hold, such as a claim that is there twice.
	Payload func(payload []byte) []byte
	// Header changes the JOSE header, which holds "alg" and "kid", before the
	// ID Token is signed. See Provider.Sign for the algorithms.
	Header func(header map[string]any)
	// IDToken has the last word on the ID Token.
	IDToken func(signed string) string
	// LogoutClaims changes the claims of a Logout Token, or of the JWT of a global
	// token revocation request, before they are signed; LogoutPayload, LogoutHeader
	// and LogoutToken are to these what the four before are to the ID Token.
	LogoutClaims  func(claims map[string]any)
	LogoutPayload func(payload []byte) []byte
	LogoutHeader  func(header map[string]any)
	LogoutToken   func(signed string) string
	// Token changes the token response, ID Token and all.
	Token func(response map[string]any)
	// UserInfo changes the claims that UserInfo answers with.
	UserInfo func(claims map[string]any)
	// Keys changes the published keys.
	Keys func(keys []map[string]any) []map[string]any
	// Intercept may return a handler that takes the place of an endpoint, named
	// by the last element of its path: "openid-configuration", "authorize",
	// "token", "userinfo", "keys" or "logout". Nil leaves the endpoint as it is.
	Intercept func(endpoint string) http.HandlerFunc
}

// SetFaults takes the place of all faults set before. Faults{} mends everything.
func (p *Provider) SetFaults(faults Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = faults
}

func (p *Provider) currentFaults() Faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// Request is a request as an endpoint saw it.
type Request struct {
	Method string
	Query  url.Values // the part of it that can be read
	Form   url.Values // of a body that is application/x-www-form-urlencoded
	Header http.Header
}

const (
	maxBody     = 64 << 10 // bytes of a request
	maxRequests = 1000     // remembered for an endpoint
)

// record remembers a request to endpoint and leaves its body to be read again.
func (p *Provider) record(endpoint string, w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	r.Body = io.NopCloser(bytes.NewReader(body))
	// What cannot be parsed is the endpoint's to refuse.
	_ = again.ParseForm()
	seen := Request{Method: r.Method, Query: r.URL.Query(), Form: again.PostForm, Header: again.Header}

	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[endpoint]++
	kept := p.requests[endpoint]
	if len(kept) == maxRequests {
		kept = kept[1:]
	}
	p.requests[endpoint] = append(kept, seen)
	return nil
}

// Requests returns the last 1,000 requests to endpoint, the oldest first. The
// endpoints are named as for Faults.Intercept.
func (p *Provider) Requests(endpoint string) []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests[endpoint])
}

// Count returns how many requests endpoint has had.
func (p *Provider) Count(endpoint string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[endpoint]
}

// ResetRequests forgets all requests and sets the counts to zero.
func (p *Provider) ResetRequests() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.requests)
	clear(p.counts)
}
