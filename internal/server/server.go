// Package server is net/http with a limit on everything that a client can take
// its time with, and with an end that no client notices.
//
// It knows nothing of what is served: no route, no header of the site's and no
// page. Where its context is done it is stopping: each answer then closes its
// connection, so that proxies turn to other copies, and after a while it takes
// no more.
//
// Start reading at [Serve].
package server

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// ShutdownTimeout is how long requests in flight have to finish.
	ShutdownTimeout = 10 * time.Second
	// AnswerTimeout is how long a request may take from its header to the end of
	// its answer, unless its handler grants more.
	AnswerTimeout = 60 * time.Second
	// MaxHeader bounds a request's header in bytes: ten cookies of an ID Token and
	// what else a browser sends.
	MaxHeader = 64 << 10
)

// New returns a server whose connections live for keepAlive without a request.
// What net/http logs of its own goes to log. Once ctx is done, each answer closes
// its connection.
func New(ctx context.Context, handler http.Handler, keepAlive time.Duration, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           closing(ctx, handler),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      AnswerTimeout,
		IdleTimeout:       keepAlive,
		MaxHeaderBytes:    MaxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		// net/http would answer OPTIONS * without our headers.
		DisableGeneralOptionsHandler: true,
	}
}

// closing asks for the end of a connection with each answer once ctx is done,
// and with the answer to each request that came in chunks: one that said its
// length too may be two for whatever passed it on, and nothing behind it may be
// taken for a request (RFC 9112, 6.1).
func closing(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil || len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// Serve answers requests until ctx is done, goes on for the time of drain, so
// that whoever asks whether this copy is ready can turn to another, and then lets
// the requests in flight finish, for ShutdownTimeout at most. It returns nil
// where ctx was the cause of the end.
func Serve(ctx context.Context, server *http.Server, listener net.Listener, drain time.Duration, log *slog.Logger) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	log.Info("stopping", "drain", drain.String())
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-time.After(drain):
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), ShutdownTimeout)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		log.Warn("requests were cut off", "error", err)
		return server.Close()
	}
	return nil
}
