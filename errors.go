package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

var (
	errNotSignedIn = errors.New("not signed in")
	errForbidden   = errors.New("not theirs to change")
	errBusy        = errors.New("too many exports at once")
	errCrossSite   = errors.New("cross-site request refused")
	errTooSlow     = errors.New("the form took too long to come")
	errPanic       = errors.New("panic")
)

// methodError is a request with a method that its path has not got. Allow
// lists those it has.
type methodError struct{ Allow string }

func (e *methodError) Error() string { return "method not allowed" }

// failure is what a person is told of an error: fixed, plain sentences that
// hold nothing of the error itself.
type failure struct {
	Status                 int
	Heading, Message, Next string
	ActionLabel, ActionURL string
	RetryAfter             time.Duration // zero for no Retry-After
}

// explain maps every error that a handler returns to what people are told.
func (s *site) explain(err error) failure {
	var signIn *signInError
	var method *methodError
	var query *queryError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &signIn):
		f := s.explainSignIn(signIn.Failure)
		f.RetryAfter = signIn.RetryAfter
		return f
	case errors.Is(err, errNotFound):
		return failure{
			Status: http.StatusNotFound, Heading: "Page not found",
			Message:     "There is no such page, or it is not one that you may see.",
			Next:        "Check the address. If you should have access, ask an administrator of the dashboard.",
			ActionLabel: "Go to dashboard", ActionURL: "/dashboard",
		}
	case errors.Is(err, errNotSignedIn):
		return failure{
			Status: http.StatusUnauthorized, Heading: "You are not signed in",
			Message: "Only people who are signed in can have this.", Next: "Sign in and try again.",
			ActionLabel: "Sign in", ActionURL: "/login",
		}
	case errors.Is(err, errForbidden):
		return failure{
			Status: http.StatusForbidden, Heading: "Not yours to change",
			Message:     "Only whose expense it is and administrators can change it, so nothing was done.",
			ActionLabel: "Go to dashboard", ActionURL: "/dashboard",
		}
	case errors.As(err, &query):
		return failure{
			Status: http.StatusBadRequest, Heading: "That address is not understood",
			Message:     "Something behind the question mark is not what this page knows: " + query.Text + ".",
			Next:        "Correct the address, or start again from the dashboard.",
			ActionLabel: "Go to dashboard", ActionURL: "/dashboard",
		}
	case isUnavailable(err):
		return failure{
			Status: http.StatusServiceUnavailable, Heading: "The expenses cannot be reached right now",
			Message: "Nothing was lost and nothing was changed, and you stay signed in.", Next: "Try again in a moment.",
			RetryAfter: 5 * time.Second,
		}
	case errors.Is(err, errBusy):
		return failure{
			Status: http.StatusServiceUnavailable, Heading: "Too many files at once",
			Message: "Other files are being made right now.", Next: "Try again in a moment.",
			RetryAfter: 5 * time.Second,
		}
	case errors.As(err, &method):
		return failure{
			Status: http.StatusMethodNotAllowed, Heading: "That does not work here",
			Message:     "This address does not take that kind of request.",
			ActionLabel: "Go to the home page", ActionURL: "/",
		}
	case errors.Is(err, errCrossSite):
		return failure{
			Status: http.StatusForbidden, Heading: "Refused",
			Message: "That came from another site, so nothing was done.", Next: "Do it again from here.",
			ActionLabel: "Go to the home page", ActionURL: "/",
		}
	case errors.Is(err, errTooSlow):
		return failure{
			Status: http.StatusRequestTimeout, Heading: "That took too long",
			Message: "What was sent did not arrive in time, so nothing was done.", Next: "Send it again, from a faster connection if you can.",
		}
	case errors.As(err, &tooLarge):
		return failure{
			Status: http.StatusRequestEntityTooLarge, Heading: "Too much at once",
			Message: "More was sent than this page takes, so nothing was done.",
		}
	}
	return failure{
		Status: http.StatusInternalServerError, Heading: "Something went wrong",
		Message: "The mistake is ours, and it has been noted.", Next: "Try again in a moment.",
		ActionLabel: "Go to the home page", ActionURL: "/",
	}
}

// explainSignIn words a failed sign-in.
func (s *site) explainSignIn(reason signInFailure) failure {
	f := failure{Heading: "You are not signed in", ActionLabel: "Sign in again", ActionURL: "/login"}
	switch reason {
	case noPendingLogin:
		f.Status = http.StatusBadRequest
		f.Message = "This sign-in was not begun in this browser, took longer than 10 minutes, or has been used already."
		f.Next = "Sign in again. If this page comes back, your browser keeps no cookies for this site: allow cookies, and open the site at " + s.baseURL + "."
	case malformedCallback:
		f.Status = http.StatusBadRequest
		f.Message = "The address that your browser came back with is incomplete or has been changed."
		f.Next = "Sign in again."
	case foreignIssuer:
		f.Status = http.StatusBadRequest
		f.Message = "That sign-in belongs to another Okta organization than the one this site trusts."
		f.Next = "Sign in again from here."
	case codeRefused:
		f.Status = http.StatusBadRequest
		f.Message = "Okta no longer accepts this sign-in: it took too long, or it has been used already."
		f.Next = "Sign in again."
	case databaseUnavailable:
		f.Status = http.StatusServiceUnavailable
		f.Message = "Your sign-in cannot be recorded right now, and without that nobody is let in."
		f.Next = "Try again in a moment. Whoever is signed in already stays signed in."
	case accessDenied:
		f.Status = http.StatusForbidden
		f.Message = "Okta did not let you in: you refused, or you are not assigned to this app."
		f.Next = "If you should have access, ask your Okta administrator to assign you to the app."
	case providerBusy:
		f.Status = http.StatusTooManyRequests
		f.Message = "Okta is busy and asks us to wait."
		f.Next = "Try again in a minute."
	case providerUnreachable:
		f.Status = http.StatusServiceUnavailable
		f.Message = "Okta cannot be reached right now."
		f.Next = "Try again in a minute. Whoever is signed in already stays signed in."
	case providerTimeout:
		f.Status = http.StatusGatewayTimeout
		f.Message = "Okta did not answer in time."
		f.Next = "Try again in a minute."
	case providerRefused:
		f.Status = http.StatusBadGateway
		f.Message = "Okta refused this application, not you: something is set up wrong between the two."
		f.Next = "Tell whoever runs this site."
	default:
		f.Status = http.StatusBadGateway
		f.Message = "Okta's answer could not be verified, so it was not believed."
		f.Next = "Try again. If it happens again, tell whoever runs this site."
	}
	return f
}

// fail answers with the error's page, or with JSON where the client takes no
// pages, and logs the cause once under the reference that the answer shows.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := s.explain(err)
	reference := referenceOf(r)
	s.logFailure(r, f, err)
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	if f.RetryAfter > 0 {
		header.Set("Retry-After", fmt.Sprint(seconds(f.RetryAfter)))
	}
	var method *methodError
	if errors.As(err, &method) {
		header.Set("Allow", method.Allow)
	}
	if f.Status == http.StatusUnauthorized {
		// RFC 9110, 15.5.2 asks for a challenge; no registered scheme names cookies.
		header.Set("WWW-Authenticate", `Cookie realm="Expense Dashboard", form-action="/login"`)
	}
	if !acceptsPage(r) {
		header.Set("Content-Type", "application/json")
		w.WriteHeader(f.Status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": f.Heading, "message": f.Message, "reference": reference})
		return
	}
	view := errorView{
		page: s.page(s.sessions.load(w, r), f.Heading), Heading: f.Heading, Message: f.Message, Next: f.Next,
		Reference: reference, ActionLabel: f.ActionLabel, ActionURL: f.ActionURL,
	}
	if err := s.pages.render(w, f.Status, "error", view); err != nil {
		s.log.ErrorContext(r.Context(), "error page not rendered", "error", err)
		http.Error(w, f.Heading, f.Status)
	}
}

// logFailure logs why a request failed: what the program or the provider did
// as an error or a warning, what a browser did as information.
func (s *site) logFailure(r *http.Request, f failure, err error) {
	level := slog.LevelInfo
	switch {
	case f.Status == http.StatusInternalServerError:
		level = slog.LevelError
	case f.Status > http.StatusInternalServerError:
		level = slog.LevelWarn
	}
	info := infoOf(r)
	attributes := []any{"status", f.Status, "error", err, "addr", info.Addr, "sub", info.Subject}
	var signIn *signInError
	switch {
	case errors.As(err, &signIn):
		s.log.Log(r.Context(), level, "sign-in failed", append(attributes, "event", eventSignInFailed, "reason", string(signIn.Failure))...)
	case errors.Is(err, errForbidden):
		s.log.Log(r.Context(), level, "denied", append(attributes, "event", eventDenied, "reason", "not_theirs_to_change")...)
	case errors.Is(err, errCrossSite):
		s.log.Log(r.Context(), level, "denied", append(attributes, "event", eventDenied, "reason", "cross_site")...)
	default:
		s.log.Log(r.Context(), level, "request failed", attributes...)
	}
}
