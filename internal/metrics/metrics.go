// Package metrics counts what the program does, for Prometheus, and serves the
// counts on an address of its own.
//
// Every label has few values: never a person, an address, a path or anything else
// that a browser or the provider chose. The nil *Metrics counts nothing, so that
// nobody has to ask whether somebody wants to know.
//
// Start reading at [New], which is the list of all of them.
package metrics

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts what the program does, for Prometheus. The nil *Metrics
// counts nothing.
type Metrics struct {
	registry       *prometheus.Registry
	requests       *prometheus.CounterVec
	requestSeconds *prometheus.HistogramVec
	signInResults  *prometheus.CounterVec
	providerCalls  *prometheus.HistogramVec
	endedSessions  *prometheus.CounterVec
	databaseCalls  *prometheus.HistogramVec
}

// New returns metrics that have counted nothing, of a build of the program.
func New(version, goVersion string) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "expense_dashboard_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "expense_dashboard_" + name, Help: help, Buckets: buckets}, labels)
	}
	quick := []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 10}
	m := &Metrics{
		registry:       prometheus.NewRegistry(),
		requests:       counter("http_requests_total", "Requests answered.", "route", "status"),
		requestSeconds: histogram("http_request_duration_seconds", "From a request's header to the end of its answer.", quick, "route"),
		signInResults:  counter("sign_ins_total", "Sign-ins by how they ended: ok, or why not.", "result"),
		providerCalls:  histogram("provider_call_duration_seconds", "Calls to the OpenID provider.", []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, "endpoint", "result"),
		endedSessions:  counter("sessions_ended_total", "Sessions that were ended, by why.", "reason"),
		databaseCalls:  histogram("database_call_duration_seconds", "Calls to the database: reads, and writes in a transaction.", quick, "operation", "result"),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "expense_dashboard_build_info", Help: "1, labeled with what is running."}, []string{"version", "go_version"})
	build.WithLabelValues(version, goVersion).Set(1)
	m.registry.MustRegister(m.requests, m.requestSeconds, m.signInResults, m.providerCalls, m.endedSessions, m.databaseCalls, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// CountDropped counts the lines of the log that were not written.
func (m *Metrics) CountDropped(dropped func() uint64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(
		prometheus.CounterOpts{Name: "expense_dashboard_log_lines_dropped_total", Help: "Lines of the log that could not be written in time."},
		func() float64 { return float64(dropped()) }))
}

// Watch tells at each reading whether people can sign in and whether anything can
// be written.
func (m *Metrics) Watch(signIn, writes func() bool) {
	for name, works := range map[string]func() bool{"sign_in_works": signIn, "writing_works": writes} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Name: "expense_dashboard_" + name, Help: "1 while it does, else 0."},
			func() float64 {
				if works() {
					return 1
				}
				return 0
			}))
	}
}

// Serve answers GET /metrics on a listener until stop is called.
func (m *Metrics) Serve(ctx context.Context, listener net.Listener, log *slog.Logger) (stop func() error) {
	warnings := slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorLog: warnings, MaxRequestsInFlight: 4}))
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          warnings,
	}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are no longer served", "error", err)
		}
	}()
	log.InfoContext(ctx, "metrics on "+listener.Addr().String()+"/metrics")
	return server.Close
}

// Request counts a request by the pattern of its route and its status, which is
// zero where nothing was answered.
func (m *Metrics) Request(pattern string, status int, took time.Duration) {
	if m == nil {
		return
	}
	pattern = cmp.Or(pattern, "none")
	m.requests.WithLabelValues(pattern, strconv.Itoa(status)).Inc()
	m.requestSeconds.WithLabelValues(pattern).Observe(took.Seconds())
}

// SessionEnded counts a session that was ended, by a reason such as
// "asked": one of a few words of the program's own.
func (m *Metrics) SessionEnded(reason string) {
	if m != nil {
		m.endedSessions.WithLabelValues(reason).Inc()
	}
}

// SignedIn counts a sign-in.
func (m *Metrics) SignedIn() {
	if m != nil {
		m.signInResults.WithLabelValues("ok").Inc()
	}
}

// DatabaseCall counts a call of the operation "read" or "write".
func (m *Metrics) DatabaseCall(operation, result string, begun time.Time) {
	if m == nil {
		return
	}
	m.databaseCalls.WithLabelValues(operation, result).Observe(time.Since(begun).Seconds())
}

// ProviderCall counts a call to the provider.
func (m *Metrics) ProviderCall(endpoint, result string, begun time.Time) {
	m.providerCalls.WithLabelValues(endpoint, result).Observe(time.Since(begun).Seconds())
}

// SignInFailed counts a sign-in that failed.
func (m *Metrics) SignInFailed(result string) { m.signInResults.WithLabelValues(result).Inc() }
