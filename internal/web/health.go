package web

import (
	"context"
	"net/http"
	"time"

	"expense-dashboard/internal/store/fault"
)

// signInPatience is for how long after the start a copy that cannot sign anybody in
// is not ready. A copy that restarts while the provider is away serves everybody
// who is signed in, and is ready after that.
const signInPatience = time.Minute

// Healthz handles GET /healthz: the process serves.
func (s *Site) Healthz(w http.ResponseWriter, _ *http.Request) error {
	plain(w, http.StatusOK, "ok")
	return nil
}

// Readyz handles GET /readyz: whether requests are to be sent here, in one line.
func (s *Site) Readyz(w http.ResponseWriter, r *http.Request) error {
	if why := s.notReady(r.Context()); why != "" {
		plain(w, http.StatusServiceUnavailable, why)
		return nil
	}
	line := "ok"
	if err := s.auth.Ready(); err != nil {
		line += ": nobody can sign in: " + err.Error()
	}
	if err := s.store.PingWrites(r.Context()); err != nil {
		s.log.WarnContext(r.Context(), "database not writable", "error", err)
		line += ": nothing can be written: " + fault.Reason(err)
	}
	plain(w, http.StatusOK, line)
	return nil
}

// notReady returns why this copy of the program must get no requests, or "".
func (s *Site) notReady(ctx context.Context) string {
	if s.stopping() {
		return "stopping"
	}
	if err := s.store.Ping(ctx); err != nil {
		s.log.WarnContext(ctx, "database not ready", "error", err)
		return "the database cannot be read: " + fault.Reason(err)
	}
	if err := s.sessions.Records().Ready(ctx); err != nil {
		s.log.WarnContext(ctx, "sessions not ready", "error", err)
		return "it is not known yet which sessions have ended"
	}
	if err := s.auth.Ready(); err != nil && s.now().Sub(s.begun) < signInPatience {
		return err.Error()
	}
	return ""
}

// plain answers with one line.
func plain(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(line + "\n"))
}
