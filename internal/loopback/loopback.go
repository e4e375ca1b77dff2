// Package loopback says which hosts can only be this machine: addresses of 127.0.0.0/8
// and ::1, and the names localhost and below it, which browsers and resolvers keep on the
// machine (RFC 6761, 6.3).
//
// Much is allowed between two ends on one machine and nowhere else: http without TLS,
// cookies without Secure, a database without encryption, the sample data. This is the one
// place that says what that means. It resolves no name and asks no network: a name that
// happens to lead here today is not loopback. Start reading at Host.
package loopback

import (
	"net/netip"
	"strings"
)

// Host reports whether host, a name or an address without brackets, can
// only mean this machine.
func Host(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback()
	}
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
