// Package weburl says which URLs this program lets a browser or itself be sent
// to: absolute ones, https or http on loopback, with a host that is a host name.
//
// It reads nothing and asks nobody. What a URL is for, and what else it must not
// have, is for whoever takes it. Start reading at Check.
package weburl

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"expense-dashboard/internal/loopback"
)

// Check parses an absolute URL and says what is wrong with it: it must be
// https, or http where the host is loopback, and name no user.
func Check(value string) (u *url.URL, problem string) {
	if strings.ContainsAny(value, "{}<>") {
		return nil, "still holds a placeholder"
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || strings.ContainsAny(value, " \\"):
		return nil, "is not an absolute URL"
	case !hostName.MatchString(u.Hostname()) && !isAddress(u.Hostname()):
		return nil, "has a host that is no host name"
	case u.User != nil:
		return nil, "holds a user name or password, which a URL for browsers must not"
	case u.Scheme == "http" && !loopback.Host(u.Hostname()):
		return nil, "is http, which is only allowed where the host is loopback: use https"
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, "is neither https nor http"
	case u.Port() != "" && !isPort(u.Port()):
		return nil, "has a port that is not a number from 1 to 65535"
	}
	return u, ""
}

// hostName keeps out what net/url lets through and a header, such as the content
// security policy, would take for its own syntax.
var hostName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

func isAddress(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Zone() == ""
}

func isPort(port string) bool {
	n, err := strconv.Atoi(port)
	return err == nil && n >= 1 && n <= 65535
}

// Origin is the scheme and host of an absolute URL.
func Origin(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
