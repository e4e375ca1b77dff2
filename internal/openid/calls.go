package openid

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"expense-dashboard/internal/metrics"
)

// countedTransport counts the calls to the provider.
type countedTransport struct {
	base    http.RoundTripper // a providerTransport, whose errors tell the status
	metrics *metrics.Metrics
}

// RoundTrip implements http.RoundTripper.
func (t *countedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	begun := time.Now()
	response, err := t.base.RoundTrip(r)
	t.metrics.ProviderCall(endpointOf(r), callResult(err), begun)
	return response, err
}

// endpointOf names the endpoint of a call by the shape of its request, whatever
// address the provider has for it.
func endpointOf(r *http.Request) string {
	switch {
	case r.Context().Value(pushing{}) != nil:
		return "push"
	case r.Method == http.MethodPost:
		return "token"
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		return "discovery"
	case r.Header.Get("Authorization") != "":
		return "userinfo"
	default:
		return "keys"
	}
}

// callResult names how a call to the provider ended: ok, its status, or
// "timeout", "canceled", "unreachable" or "bad_answer".
func callResult(err error) string {
	var status *StatusError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &status):
		return strconv.Itoa(status.Code)
	case isTimeout(err), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case isUnreachable(err):
		return "unreachable"
	default:
		return "bad_answer"
	}
}
