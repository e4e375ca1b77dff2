package config

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"expense-dashboard/internal/loopback"
)

func isPort(port string) bool {
	n, err := strconv.Atoi(port)
	return err == nil && n >= 1 && n <= 65535
}

func (l *Loader) listenAddr(baseURL string) string {
	return cmp.Or(l.address("LISTEN_ADDR", "127.0.0.1:3000"), DefaultListenAddr(baseURL))
}

// address reads a variable that holds an address to listen on, or "" if it is
// not set.
func (l *Loader) address(name, example string) string {
	value := l.optional(name, example)
	if value == "" {
		return ""
	}
	_, port, err := net.SplitHostPort(value)
	if err != nil || (port != "0" && !isPort(port)) {
		l.problem(name, fmt.Sprintf("is %q, which is not host:port or :port", value), example)
	}
	return value
}

// DefaultListenAddr is the port of the base URL, on loopback where that is.
func DefaultListenAddr(baseURL string) string {
	u, err := url.Parse(baseURL)
	if err != nil {
		return ""
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	switch host := u.Hostname(); {
	case host == "::1":
		return net.JoinHostPort(host, port)
	case loopback.Host(host):
		return net.JoinHostPort("127.0.0.1", port)
	default:
		return ":" + port
	}
}

// metricsAddr reads METRICS_ADDR, which is no address that the program itself
// listens on.
func (l *Loader) metricsAddr(listenAddr string) string {
	const name = "METRICS_ADDR"
	example := "127.0.0.1:9090"
	if overlap(example, listenAddr) {
		example = "127.0.0.1:9091"
	}
	value := l.address(name, example)
	if overlap(value, listenAddr) {
		l.problem(name, fmt.Sprintf("is %q, and the program itself listens on %s: give the metrics another port", value, listenAddr), example)
	}
	return value
}

// overlap reports whether only one of two addresses can be listened on at a time.
// A port of 0 stands for any that is free.
func overlap(one, other string) bool {
	oneHost, onePort, oneErr := net.SplitHostPort(one)
	otherHost, otherPort, otherErr := net.SplitHostPort(other)
	port, numberErr := strconv.Atoi(onePort)
	if number, err := strconv.Atoi(otherPort); oneErr != nil || otherErr != nil || numberErr != nil || err != nil || port == 0 || port != number {
		return false
	}
	oneHost, otherHost = plainHost(oneHost), plainHost(otherHost)
	return oneHost == "" || otherHost == "" || oneHost == otherHost
}

// plainHost returns the one spelling of a host to listen on, which is empty where
// it stands for all there are.
func plainHost(host string) string {
	host = strings.ToLower(host)
	if host == "localhost" {
		return "127.0.0.1"
	}
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return host
	case addr.Unmap().IsUnspecified():
		return ""
	}
	return addr.Unmap().String()
}
