package server

import (
	"log/slog"
	"net/http"
	"time"
)

const (
	ShutdownTimeout = 10 * time.Second
	// answerTimeout is how long a request may take from its header to the end of
	// its answer, unless its handler grants more.
	AnswerTimeout = 60 * time.Second
	// maxHeader bounds a request's header: ten cookies of an ID Token and what
	// else a browser sends.
	MaxHeader = 64 << 10
)

// newServer returns a server with a limit on everything that a client can take
// its time with. What net/http logs of its own goes to log.
func New(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      AnswerTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    MaxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ConnContext:       withClientConn,
		// net/http would answer OPTIONS * without our headers.
		DisableGeneralOptionsHandler: true,
	}
}
