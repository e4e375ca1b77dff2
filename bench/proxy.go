package main

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// A proxy is how requests come to the program, all with the host that browsers
// know: it gives each to the next of the copies in use. What is for the provider goes
// there.
type proxy struct {
	host     string
	copies   []http.RoundTripper
	inUse    int // how many of them
	provider http.RoundTripper
	pace     <-chan time.Time // each request waits for one of these; nil for no wait
	requests atomic.Int64     // so far
}

// newProxy leads to copies of the program that listen on these addresses.
func newProxy(host string, addresses ...string) *proxy {
	p := &proxy{host: host, provider: transportTo(""), inUse: len(addresses)}
	for _, address := range addresses {
		p.copies = append(p.copies, transportTo(address))
	}
	return p
}

// transportTo keeps connections to an address open, or to what a request names
// where that is empty.
func transportTo(address string) *http.Transport {
	return &http.Transport{
		MaxIdleConnsPerHost: desks, IdleConnTimeout: 30 * time.Second,
		DialContext: func(ctx context.Context, network, named string) (net.Conn, error) {
			if address != "" {
				named = address
			}
			return new(net.Dialer).DialContext(ctx, network, named)
		},
	}
}

// RoundTrip implements http.RoundTripper.
func (p *proxy) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != p.host {
		return p.provider.RoundTrip(r)
	}
	if p.pace != nil {
		<-p.pace
	}
	number := p.requests.Add(1)
	return p.copies[number%int64(p.inUse)].RoundTrip(r)
}
