package loopback

import (
	"net/netip"
	"strings"
)

// isLoopback reports whether host, a name or an address without brackets, can
// only mean this machine.
func Host(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback()
	}
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
