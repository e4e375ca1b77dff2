package web

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/sessions"

	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/secret"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/store/revision"
	"expense-dashboard/internal/web/internal/page"
)

// noticeMaxAge is how long a notice waits for its page.
const noticeMaxAge = time.Minute

// notices tells people what came of an action, on the next page and only there:
// an encrypted cookie takes the notice over the redirect.
type notices struct {
	store *sessions.CookieStore
	name  string
	// wrote is the name of the cookie of those who have just written, and writer
	// that of the cookie that says who uses the browser.
	wrote, writer string
	// signedOut is the name of the cookie of those who have just signed out.
	signedOut string
}

func newNotices(secrets []secret.Text, secure bool) (*notices, error) {
	store, err := session.NewCookieStore(secrets, "notice", secure, noticeMaxAge)
	if err != nil {
		return nil, err
	}
	return &notices{store: store, name: session.CookieName("notice", secure, "/"), wrote: session.CookieName(wroteCookie, secure, "/"), writer: session.CookieName("writer", secure, "/"), signedOut: session.CookieName("signed_out", secure, "/")}, nil
}

// PutNotice keeps a notice for the next page of who sends the request.
func (s *Site) PutNotice(w http.ResponseWriter, r *http.Request, told page.Notice) error {
	cookie := sessions.NewSession(s.notices.store, s.notices.name)
	cookie.Options = s.notices.store.Options
	cookie.Values = map[any]any{
		"subject": logging.InfoOf(r).Subject, "text": told.Text, "item": told.Item, "rest": told.Rest, "url": told.URL,
		"undo": told.UndoURL, "version": strconv.FormatInt(told.Version, 10), "return_to": told.ReturnTo,
	}
	return s.notices.store.Save(r, w, cookie)
}

// AwaitsNotice reports whether a browser sends a notice, which may be nobody's.
func (s *Site) AwaitsNotice(r *http.Request) bool {
	_, sent := session.Sent(r, s.notices.name)
	return sent
}

// TakeNotice returns the notice that waits for this page, or nil, and drops it. That of
// somebody else is dropped unseen.
func (s *Site) TakeNotice(w http.ResponseWriter, r *http.Request) *page.Notice {
	if !s.AwaitsNotice(r) {
		return nil
	}
	session.Forget(w, s.notices.name, s.notices.store.Options)
	values, ok := session.Open(s.notices.store, r, s.notices.name)
	if !ok {
		return nil
	}
	text := func(name string) string { value, _ := values[name].(string); return value }
	version, err := strconv.ParseInt(text("version"), 10, 64)
	if subject := logging.InfoOf(r).Subject; err != nil || subject == "" || text("subject") != subject {
		return nil
	}
	return &page.Notice{
		Submission: NewSubmission(logging.InfoOf(r).Subject),
		Text:       text("text"), Item: text("item"), Rest: text("rest"), URL: text("url"),
		UndoURL: text("undo"), Version: version, ReturnTo: text("return_to"),
	}
}

// NoteSignOut lets the home page tell a browser that it is signed out: a cookie
// without content, for a notice is somebody's and a guest is nobody.
func (s *Site) NoteSignOut(w http.ResponseWriter) {
	http.SetCookie(w, sessions.NewCookie(s.notices.signedOut, "1", s.notices.store.Options))
}

// takeSignOut reports whether a guest has just signed out, once.
func (n *notices) takeSignOut(w http.ResponseWriter, r *http.Request) bool {
	_, sent := session.Sent(r, n.signedOut)
	if sent {
		session.Forget(w, n.signedOut, n.store.Options)
	}
	return sent
}

// A browser that has just written something says so for a while, by a cookie
// without content. It lasts much longer than revision.Age, so that another copy
// of the program asks the database before it shows its writer a page.
const (
	wroteCookie = "wrote"
	wroteMaxAge = 5 // seconds
)

// NoteWrite tells the browser that it has written something.
func (s *Site) NoteWrite(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{
		Name: s.notices.wrote, Value: "1", Path: "/", MaxAge: wroteMaxAge,
		Secure: s.notices.store.Options.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// Revisions returns the revisions of the expenses as a request may see them:
// not older than its sender's own writes, which ended before it began.
func (s *Site) Revisions(r *http.Request) (*revision.Revisions, error) {
	since := time.Now().Add(-revision.Age)
	if _, sent := session.Sent(r, s.notices.wrote); sent {
		since = logging.InfoOf(r).Begun
	}
	return s.store.Revisions(r.Context(), since)
}

// Done leads back after a write, with what came of it: to the list from which the
// form was opened, or to the team's page.
func (s *Site) Done(w http.ResponseWriter, r *http.Request, v Visit, told page.Notice) error {
	told.ReturnTo = ListPath(r.PostForm.Get("return_to"))
	if err := s.PutNotice(w, r, told); err != nil {
		return err
	}
	s.NoteWrite(w)
	SeeOther(w, cmp.Or(told.ReturnTo, v.Path()))
	return nil
}

// ToldAt leads to a page, which tells of what came of an action.
func (s *Site) ToldAt(w http.ResponseWriter, r *http.Request, path, text string) error {
	if err := s.PutNotice(w, r, page.Notice{Text: text}); err != nil {
		return err
	}
	SeeOther(w, path)
	return nil
}
