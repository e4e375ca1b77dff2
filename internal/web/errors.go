package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/loopback"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/web/internal/page"
)

var (
	// ErrNotSignedIn is somebody who would have to be.
	ErrNotSignedIn = errors.New("not signed in")
	// ErrUnconfirmed is somebody who is signed in and would have to show the provider
	// again that it is them, which takes a browser that shows pages.
	ErrUnconfirmed = errors.New("signed in, and to be confirmed by the provider")
	// ErrForbidden is what somebody may read, and not do.
	ErrForbidden = errors.New("not theirs to change")
	// ErrCannotLog is a form for a new expense that is not theirs to fill in.
	ErrCannotLog = fmt.Errorf("%w: they log for no team here", ErrForbidden)
	// ErrCannotDecide is a decision about what is not theirs to decide.
	ErrCannotDecide = fmt.Errorf("%w: they decide about nothing here", ErrForbidden)
	// ErrCannotMove is an expense that only somebody else can move to another team.
	ErrCannotMove = fmt.Errorf("%w: they move nothing", ErrForbidden)
	// ErrCannotBudget is a budget that is not theirs to set.
	ErrCannotBudget = fmt.Errorf("%w: they set no budget here", ErrForbidden)
	// ErrOwnDecision is a decision about what is somebody's own.
	ErrOwnDecision = errors.New("their own to decide")
	// ErrBusy is a file that cannot be made now.
	ErrBusy = errors.New("too many exports at once")
	// ErrOfAnother is a form that was shown to somebody else in the same browser.
	ErrOfAnother = errors.New("the form was shown to somebody else")
	// ErrGone is an answer that its reader does not take to its end.
	ErrGone = errors.New("the client takes nothing more")
	// ErrTouched is several expenses of which none is as it was left.
	ErrTouched = errors.New("everything has been touched since")
	// ErrNoUndo is an import of which there is nothing to take back.
	ErrNoUndo    = errors.New("import is not one that can be taken back")
	errCrossSite = errors.New("cross-site request refused")
	errUnkept    = errors.New("what was typed is too long to be kept")
	errTooSlow   = errors.New("the form took too long to come")
	errPanic     = errors.New("panic")
)

// statusGone stands in the log and the metrics for a request whose sender went away
// before it was answered: no status of HTTP, and what other servers write there.
const statusGone = 499

// methodError is a request with a method that its path has not got. Allow
// lists those it has.
type methodError struct{ Allow string }

func (e *methodError) Error() string { return "method not allowed" }

// FormError is a form that is not understood: none of our pages sends it so. Its text is
// for the person who sent it: it says what is understood.
type FormError struct{ Text string }

// Error implements error.
func (e *FormError) Error() string { return "form: " + e.Text }

// failure is what a person is told of an error: fixed, plain sentences that
// hold nothing of the error itself.
type failure struct {
	Status                 int
	Heading, Message, Next string
	ActionLabel, ActionURL string
	// Fix is what the operator can change so that it does not happen again; it
	// may be empty. People see it only where the site is on loopback.
	Fix        string
	RetryAfter time.Duration // zero for no Retry-After
}

// explain maps every error that a handler returns to what people are told.
func (s *Site) explain(err error) failure {
	var signIn *openid.SignInError
	var method *methodError
	var query *expense.QueryError
	var faults expense.QueryFaults
	var form *FormError
	var kept *keptError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &signIn):
		return s.explainSignIn(signIn, err)
	case errors.As(err, &query):
		return told(http.StatusBadRequest, "This address does not work",
			"Part of it is not understood: "+query.Text+".",
			"Correct the address, or start again from the dashboard.").offering("Go to dashboard", "/dashboard")
	case errors.As(err, &faults):
		return told(http.StatusBadRequest, "This address does not work",
			"The part after the question mark is not understood. "+faults.Text(""),
			"Correct the address, or start again from the dashboard.").offering("Go to dashboard", "/dashboard")
	case errors.As(err, &form):
		return told(http.StatusBadRequest, "This form does not work",
			"What was sent is not understood: "+form.Text+". Nothing was changed.",
			"Open the page again and send the form from there.").offering("Go to dashboard", "/dashboard")
	case errors.As(err, &kept):
		return told(http.StatusServiceUnavailable, "Not saved yet",
			"The expenses cannot be reached right now, so nothing was changed. What you typed is kept in this browser for 10 minutes.",
			"Open the form again in a moment, and send it once more.").offering("Back to the form", kept.Page).after(5 * time.Second)
	case fault.IsUnavailable(err):
		return told(http.StatusServiceUnavailable, "The expenses cannot be reached right now",
			"Nothing was lost and nothing was changed, and you stay signed in.", "Try again in a moment.").after(5 * time.Second)
	case errors.As(err, &method):
		return told(http.StatusMethodNotAllowed, "That does not work here",
			"This address does not accept that kind of request.", "").offering("Go to the home page", "/")
	case errors.As(err, &tooLarge) && tooLarge.Limit == MaxUpload:
		return told(http.StatusRequestEntityTooLarge, "Too much at once",
			"A file may have up to 40 MB, and this one has more. Nothing was imported.",
			"Split it into several files, each with the row that names the columns, and import one after the other.").offering("Import another file", ImportPath)
	case errors.As(err, &tooLarge):
		return told(http.StatusRequestEntityTooLarge, "Too much at once",
			"A form may have up to 1 MB, and this one has more. Nothing was saved.",
			"Go back in your browser, where what you typed still is, shorten it and send it again. A note has up to "+page.Grouped(expense.MaxNote)+" characters.")
	}
	return explainKind(err)
}

// explainKind is explain for errors that say nothing beyond their kind.
func explainKind(err error) failure {
	switch {
	case errors.Is(err, expense.ErrNotFound):
		return told(http.StatusNotFound, "Page not found",
			"There is no such page, or it is not one that you may see.",
			"Check the address. If you should have access, ask an administrator of the dashboard.").offering("Go to dashboard", "/dashboard")
	case errors.Is(err, ErrNotSignedIn):
		return told(http.StatusUnauthorized, "You are not signed in",
			"This is only for people who are signed in.", "Sign in and try again.").offering("Sign in", "/login")
	case errors.Is(err, ErrUnconfirmed):
		return told(http.StatusUnauthorized, "Confirm that it is you",
			"You are signed in, and it is time to confirm that it is you, so nothing was done.",
			"Open this page in your browser, which asks for that, and then try again.").offering("Go to dashboard", "/dashboard")
	case errors.Is(err, ErrForbidden), errors.Is(err, ErrOwnDecision):
		return explainForbidden(err).offering("Go to dashboard", "/dashboard")
	case errors.Is(err, ErrBusy):
		return told(http.StatusServiceUnavailable, "Too many downloads at once",
			"Other downloads are being prepared right now.", "Try again in a moment.").after(5 * time.Second)
	case errors.Is(err, errCrossSite):
		return told(http.StatusForbidden, "Refused",
			"That came from another site, so nothing was done.", "Do it again from here.").offering("Go to the home page", "/")
	case errors.Is(err, ErrNoUndo):
		return told(http.StatusConflict, "There is nothing to undo",
			"This file was not imported, or its import is not finished.", "").offering("Import", ImportPath)
	case errors.Is(err, ErrTouched):
		return told(http.StatusConflict, "There is nothing to undo",
			"Somebody has changed all of these expenses since, so they stay as they are.", "").offering("All expenses", "/expenses")
	case errors.Is(err, ErrOfAnother):
		return told(http.StatusConflict, "This form is somebody else’s",
			"It was opened while somebody else was signed in in this browser, so nothing was saved in your name.",
			"Open the form again to fill it in yourself, or sign out and let them sign in.").offering("Go to dashboard", "/dashboard")
	case errors.Is(err, errUnkept):
		return told(http.StatusUnauthorized, "Your session has ended",
			"Nothing was saved, and what you typed is too long to be kept while you sign in.",
			"Go back in your browser: it is still there. Sign in in another tab, then send it again.").offering("Sign in", "/login")
	case errors.Is(err, errTooSlow):
		return told(http.StatusRequestTimeout, "That took too long",
			"What was sent did not arrive in time, so nothing was done.", "Send it again, from a faster connection if you can.")
	}
	return told(http.StatusInternalServerError, "Something went wrong",
		"The mistake is ours, and it has been noted.", "Try again in a moment.").offering("Go to the home page", "/")
}

// explainForbidden words what somebody may see and not do, and who may.
func explainForbidden(err error) failure {
	switch {
	case errors.Is(err, ErrCannotLog):
		return told(http.StatusForbidden, "Not yours to log",
			"You cannot log expenses here, so nothing was done.",
			"People on a team log its expenses, and so do administrators. To be added to a team, ask an administrator of the dashboard.")
	case errors.Is(err, ErrCannotDecide):
		return told(http.StatusForbidden, "Not yours to decide",
			"You can see this but not decide about it, so nothing was done.",
			"Where expenses are approved, the team’s leads and administrators decide about them, but never about what they own, spent or logged themselves.")
	case errors.Is(err, ErrOwnDecision):
		return told(http.StatusForbidden, "Not yours to decide",
			"You cannot decide about an expense that is your own or that you logged, so nothing was done.",
			"Another lead of the team or an administrator can.")
	case errors.Is(err, ErrCannotMove):
		return told(http.StatusForbidden, "Not yours to move",
			"You cannot move expenses to another team, so nothing was done.", "Only administrators can.")
	case errors.Is(err, ErrCannotBudget):
		return told(http.StatusForbidden, "Not yours to change",
			"You can see this budget but not set it, so nothing was done.",
			"The budget of a team is set by its leads and by administrators.")
	}
	return told(http.StatusForbidden, "Not yours to change",
		"You can see this but not change it, so nothing was done.",
		"An expense can be changed by its owner while they are on the team, by the team’s leads and by administrators.")
}

func told(status int, heading, message, next string) failure {
	return failure{Status: status, Heading: heading, Message: message, Next: next}
}

// offering adds a link to go on with.
func (f failure) offering(label, url string) failure {
	f.ActionLabel, f.ActionURL = label, url
	return f
}

// after says how long to wait before trying again.
func (f failure) after(wait time.Duration) failure {
	f.RetryAfter = wait
	return f
}

// Fail answers with the error's page, or with JSON where the client takes no
// pages, and logs the cause once under the reference that the answer shows.
func (s *Site) Fail(w http.ResponseWriter, r *http.Request, err error) {
	f := s.explain(err)
	reference := logging.ReferenceOf(r)
	s.logFailure(r, f, err)
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	if f.RetryAfter > 0 {
		header.Set("Retry-After", fmt.Sprint(session.Seconds(f.RetryAfter)))
	}
	var method *methodError
	if errors.As(err, &method) {
		header.Set("Allow", method.Allow)
	}
	if f.Status == http.StatusUnauthorized {
		// RFC 9110, 15.5.2 asks for a challenge; no registered scheme names cookies.
		header.Set("WWW-Authenticate", `Cookie realm="Expense Dashboard", form-action="/login"`)
	}
	if !AcceptsPage(r) {
		header.Set("Content-Type", "application/json")
		w.WriteHeader(f.Status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": f.Heading, "message": f.Message, "reference": reference})
		return
	}
	view := page.ErrorView{
		Page: s.Page(s.sessions.Load(r), f.Heading), Heading: f.Heading, Message: f.Message, Next: f.Next,
		Reference: reference, ActionLabel: f.ActionLabel, ActionURL: f.ActionURL, Fix: s.ForOperator(f.Fix),
	}
	if err := s.pages.Render(w, r, f.Status, "error", view); err != nil {
		s.log.ErrorContext(r.Context(), "error page not rendered", "error", err)
		http.Error(w, f.Heading, f.Status)
	}
}

// ForOperator returns a fix where who reads the page runs the site too, which
// is on loopback, and nothing elsewhere.
func (s *Site) ForOperator(fix string) string {
	if u, err := url.Parse(s.baseURL); err != nil || !loopback.Host(u.Hostname()) {
		return ""
	}
	return fix
}

// LogFailure logs why a request failed that is answered with a page of its own.
func (s *Site) LogFailure(r *http.Request, status int, err error) {
	s.logFailure(r, failure{Status: status}, err)
}

// logFailure logs why a request failed: what the program or the provider did
// as an error or a warning, what a browser did as information.
func (s *Site) logFailure(r *http.Request, f failure, err error) {
	level := slog.LevelInfo
	switch {
	case f.Status == http.StatusInternalServerError:
		level = slog.LevelError
	case f.Status > http.StatusInternalServerError || f.Status == http.StatusTooManyRequests:
		level = slog.LevelWarn
	}
	info := logging.InfoOf(r)
	attributes := []any{"status", f.Status, "error", err, "addr", info.Addr, "sub", info.Subject}
	var signIn *openid.SignInError
	switch {
	case errors.As(err, &signIn):
		if f.Fix != "" {
			attributes = append(attributes, "fix", f.Fix)
		}
		s.log.Log(r.Context(), level, "sign-in failed", append(attributes, "event", logging.EventSignInFailed, "reason", string(signIn.Failure))...)
	case errors.Is(err, ErrForbidden):
		s.log.Log(r.Context(), level, "denied", append(attributes, "event", logging.EventDenied, "reason", "not_theirs_to_change")...)
	case errors.Is(err, errCrossSite):
		s.log.Log(r.Context(), level, "denied", append(attributes, "event", logging.EventDenied, "reason", "cross_site")...)
	default:
		s.log.Log(r.Context(), level, "request failed", attributes...)
	}
}
