package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/sessions"
)

// noticeMaxAge is how long a notice waits for its page.
const noticeMaxAge = time.Minute

// notices tells people what came of an action, on the next page and only there:
// an encrypted cookie takes the notice over the redirect.
type notices struct {
	store *sessions.CookieStore
	name  string
}

func newNotices(secrets []secret, secure bool) (*notices, error) {
	store, err := newCookieStore(secrets, "notice", secure, noticeMaxAge)
	if err != nil {
		return nil, err
	}
	return &notices{store: store, name: cookieName("notice", secure, "/")}, nil
}

// put keeps a notice for the next page.
func (n *notices) put(w http.ResponseWriter, r *http.Request, told notice) error {
	cookie := sessions.NewSession(n.store, n.name)
	cookie.Options = n.store.Options
	cookie.Values = map[any]any{"text": told.Text, "undo": told.UndoURL, "version": strconv.FormatInt(told.Version, 10)}
	return n.store.Save(r, w, cookie)
}

// take returns the notice that waits for this page, or nil, and drops it.
func (n *notices) take(w http.ResponseWriter, r *http.Request) *notice {
	if _, err := r.Cookie(n.name); err != nil {
		return nil
	}
	forget(w, n.name, n.store.Options)
	cookie, err := n.store.New(r, n.name)
	if err != nil {
		return nil
	}
	text := func(name string) string { value, _ := cookie.Values[name].(string); return value }
	version, err := strconv.ParseInt(text("version"), 10, 64)
	if err != nil {
		return nil
	}
	return &notice{Text: text("text"), UndoURL: text("undo"), Version: version}
}
