package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/loopback"
)

// answer is an http.ResponseWriter that knows what was answered.
type answer struct {
	http.ResponseWriter
	status int // zero until the header is written
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(data []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(data)
}

// Unwrap serves http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Logged gives each request a reference, logs it in one line once it is
// answered, and turns a panic into an error page. The query is left out: it
// holds codes.
func (s *Site) Logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answer{ResponseWriter: w}
		info := &logging.RequestInfo{Begun: time.Now(), Reference: newReference(), Addr: logging.ClientAddr(r, s.proxies)}
		r = logging.WithInfo(r, info)
		// An answer that is cut off panics on, and is logged all the same.
		defer func() { s.answered(a, r, info) }()
		defer func() {
			if cause := recover(); cause != nil {
				s.recovered(a, r, cause)
			}
		}()
		next.ServeHTTP(a, r)
		if a.status == 0 {
			// What a handler leaves unsaid net/http says.
			a.status = http.StatusOK
		}
	})
}

// answered writes the access log and counts the request.
func (s *Site) answered(a *answer, r *http.Request, info *logging.RequestInfo) {
	took := time.Since(info.Begun)
	logging.Answered(s.log, r, a.status, took)
	s.metrics.Request(r.Pattern, a.status, took)
}

// recovered answers for a handler that panicked. Where an answer has begun it
// can only be cut off.
func (s *Site) recovered(a *answer, r *http.Request, cause any) {
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	s.log.ErrorContext(r.Context(), "panic", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if a.status != 0 {
		panic(http.ErrAbortHandler)
	}
	s.Fail(a, r, errPanic)
}

// Secured sets the headers that every answer carries. Nothing is stored by a
// browser or a proxy unless a handler says otherwise.
func (s *Site) Secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), s.headers)
		if r.Body != http.NoBody {
			limit := int64(MaxBody)
			if FormPage(r.URL.EscapedPath()) != "" {
				limit = MaxForm
			}
			if r.URL.Path == ImportPath {
				limit = MaxUpload
			}
			r.Body = http.MaxBytesReader(w, r.Body, limit)
		}
		next.ServeHTTP(w, r)
	})
}

// contentSecurityPolicy lets pages load our stylesheet and pictures, and forms go
// to us. There are no scripts that connect-src would serve: it is there for a
// browser's own tools, which look for robots.txt.
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// securityHeaders returns the headers of every answer of a site at an origin. They
// are shared: a handler sets its own in their place.
func securityHeaders(baseURL string) http.Header {
	h := http.Header{}
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
	// On loopback it would hold for every program on every port.
	if u, err := url.Parse(baseURL); err == nil && u.Scheme == "https" && !loopback.Host(u.Hostname()) {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	return h
}

// SameOrigin refuses what another site makes a browser send, other than GET
// and HEAD.
func (s *Site) SameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	// Behind a proxy the Host header need not be the origin that browsers see.
	if err := protection.AddTrustedOrigin(s.baseURL); err != nil {
		panic("base URL is no origin: " + err.Error())
	}
	protection.SetDenyHandler(s.Handle(func(http.ResponseWriter, *http.Request) error { return errCrossSite }))
	return protection.Handler(next)
}
