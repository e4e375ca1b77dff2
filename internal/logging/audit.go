package logging

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// RequestInfo is what the log lines of a request share.
type RequestInfo struct {
	Begun     time.Time // by this machine's clock
	Reference string
	Addr      string // of the client, see ClientAddr
	Subject   string // of whoever is signed in, once that is known
}

// requestInfoKey is the context key of a request's *RequestInfo.
type requestInfoKey struct{}

// InfoOf returns what is known of a request. The handlers of one request run
// one after the other, so that it needs no lock.
func InfoOf(r *http.Request) *RequestInfo { return infoIn(r.Context()) }

func infoIn(ctx context.Context) *RequestInfo {
	info, ok := ctx.Value(requestInfoKey{}).(*RequestInfo)
	if !ok {
		return &RequestInfo{Begun: time.Now()}
	}
	return info
}

// ReferenceOf returns the reference that a request's log lines carry.
func ReferenceOf(r *http.Request) string { return InfoOf(r).Reference }

// WithInfo returns a request whose lines share info.
func WithInfo(r *http.Request, info *RequestInfo) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), requestInfoKey{}, info))
}

// The names of the events that an audit searches for. Each line of one has the
// person's sub, which is empty where nobody is known, the client's addr, the ref of
// the request and a reason. What concerns no request has none of these.
const (
	EventSignIn             = "sign_in"
	EventSignInFailed       = "sign_in_failed"
	EventEmailUnverified    = "email_unverified"
	EventGroupsDropped      = "groups_dropped"
	EventUserInfoRefused    = "userinfo_refused"
	EventRecheckPostponed   = "recheck_postponed"
	EventSignOut            = "sign_out"
	EventSessionEnded       = "session_ended"
	EventBackChannelLogout  = "backchannel_logout"
	EventUniversalLogout    = "universal_logout"
	EventFrontChannelLogout = "front_channel_logout"
	EventDenied             = "denied"
	EventPeopleJoined       = "people_joined"
	EventPeopleParted       = "people_parted"
)

// Audit logs an event, and returns when its line is written or a quarter of a
// second has passed. What a request chose, such as a path or a header, is
// quoted by slog and cannot begin a line of its own.
func Audit(log *slog.Logger, r *http.Request, event, subject, reason string, more ...any) {
	writeEvent(r.Context(), log, slog.LevelInfo, event, subject, reason, more)
}

// AuditWarning is Audit for what somebody may have to look at; ctx is the request's,
// or comes from it.
func AuditWarning(ctx context.Context, log *slog.Logger, event, subject, reason string, more ...any) {
	writeEvent(ctx, log, slog.LevelWarn, event, subject, reason, more)
}

func writeEvent(ctx context.Context, log *slog.Logger, level slog.Level, event, subject, reason string, more []any) {
	attributes := []any{"event", event, "sub", subject, "addr", infoIn(ctx).Addr, "reason", reason}
	log.Log(ctx, level, strings.ReplaceAll(event, "_", " "), append(attributes, more...)...)
}

// ClientAddr returns the address of a request's client for the log: that of the
// connection or, where that is a trusted proxy's, the last address in
// X-Forwarded-For that is none. Whatever stands before it anybody could have
// written. What is no address ends the search.
func ClientAddr(r *http.Request, proxies []netip.Prefix) string {
	if len(proxies) == 0 {
		return r.RemoteAddr
	}
	connection, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	client := connection.Addr().Unmap()
	if !isProxy(client, proxies) {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, ok := parseHop(strings.TrimSpace(hop))
		if !ok {
			break
		}
		client = addr
		if !isProxy(client, proxies) {
			break
		}
	}
	return client.String()
}

func isProxy(addr netip.Addr, proxies []netip.Prefix) bool {
	return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// parseHop reads an address, to which some proxies add the port.
func parseHop(hop string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(hop); err == nil {
		return withPort.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(hop)
	return addr.Unmap().WithZone(""), err == nil
}
