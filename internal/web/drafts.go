package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/signin"
	"expense-dashboard/internal/store/fault"
)

// draftMaxAge is how long a form waits for its writer to sign in again.
const draftMaxAge = signin.PendingMaxAge

// Why a form was kept and not saved.
const (
	sessionEnded = "Your session had ended when you sent it."
	databaseAway = "The expenses could not be reached when you sent it."
)

// Draft is the form of an expense that waits in the browser of who wrote it.
type Draft struct {
	Fields url.Values
	Why    string // it was not saved
	Writer string // as in the cookie of that name; may be empty
}

// isOf reports whether a person wrote the draft. The token of a form of ours says
// so; for any other the browser remembers who used it.
func (d Draft) isOf(person *session.Session) bool {
	if submission := d.Fields.Get("submission"); isMarked(submission) {
		return isOf(submission, person.Subject)
	}
	return d.Writer != "" && d.Writer == writerMark(person.Subject)
}

func writerMark(subject string) string { return digest.Of("writer", subject)[:20] }

// Remember notes in the browser who uses it, for what is sent when their session
// is over.
func (s *Site) Remember(w http.ResponseWriter, r *http.Request, person *session.Session) {
	mark := writerMark(person.Subject)
	if writer, sent := session.Sent(r, s.notices.writer); sent && writer == mark {
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.notices.writer, Value: mark, Path: "/", Secure: s.notices.store.Options.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// ReturnTo is where somebody who has to sign in first comes back to: the same
// page or, after a form, the page of the form, for which what was typed is kept
// in the browser. The error is errUnkept where that is too much.
func (s *Site) ReturnTo(w http.ResponseWriter, r *http.Request) (string, error) {
	if r.Method != http.MethodPost {
		return r.URL.RequestURI(), nil
	}
	page, isEntry := formPage(r.URL.EscapedPath())
	if !isEntry {
		return page, nil
	}
	writer, _ := session.Sent(r, s.notices.writer)
	kept, err := s.keepDraft(w, r, page, sessionEnded, writer)
	if err == nil && !kept {
		err = errUnkept
	}
	return page, err
}

// keepDraft keeps the form of an expense in the browser, for its page. It
// reports false if there is more of it than any expense may hold.
func (s *Site) keepDraft(w http.ResponseWriter, r *http.Request, page, why, writer string) (kept bool, err error) {
	if err := r.ParseForm(); err != nil {
		return false, BadForm(err)
	}
	d := Draft{Fields: url.Values{}, Why: why, Writer: writer}
	for _, name := range []string{"date", "person", "item", "category", "amount", "refund", "note", "team", "submission", "version", "return_to"} {
		if r.PostForm.Has(name) {
			d.Fields.Set(name, r.PostForm.Get(name))
		}
	}
	text, err := json.Marshal(d)
	if err != nil {
		return false, err
	}
	return s.drafts.Save(w, r, page, string(text))
}

// TakeDraft returns the form that a person wrote and that was kept for this page,
// and drops it. One that somebody else wrote stays where it is, unseen.
func (s *Site) TakeDraft(w http.ResponseWriter, r *http.Request, person *session.Session) (d Draft, ok bool) {
	text := s.drafts.Load(r, r.URL.EscapedPath())
	if text == "" || json.Unmarshal([]byte(text), &d) != nil || !d.isOf(person) {
		return Draft{}, false
	}
	s.drafts.Forget(w, r)
	return d, true
}

// keptError is a form that the database could not take, and that waits in the
// browser for its Page to be opened again.
type keptError struct {
	Page string
	Err  error
}

// Error implements error.
func (e *keptError) Error() string { return e.Err.Error() }

// Unwrap returns why the database could not take it.
func (e *keptError) Unwrap() error { return e.Err }

// Keeping is a handler of an expense's form that loses nothing where the
// database does not serve.
func (s *Site) Keeping(h func(http.ResponseWriter, *http.Request, Visit) error) func(http.ResponseWriter, *http.Request, Visit) error {
	return func(w http.ResponseWriter, r *http.Request, v Visit) error {
		err := h(w, r, v)
		if !fault.IsUnavailable(err) {
			return err
		}
		page, _ := formPage(r.URL.EscapedPath())
		kept, keepErr := s.keepDraft(w, r, page, databaseAway, writerMark(v.Person.Subject))
		if !kept || keepErr != nil {
			return errors.Join(err, keepErr)
		}
		return &keptError{page, err}
	}
}
