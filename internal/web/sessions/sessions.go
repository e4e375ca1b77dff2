package sessions

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/openid/claims"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/sessions"
	"expense-dashboard/internal/web"
	pagepkg "expense-dashboard/internal/web/internal/page"
)

// ownSessions lists the sessions of a person. Where the database does not serve
// there are none, for the rest of the profile needs no database.
func (s *Sessions) ownSessions(r *http.Request, person *session.Session) ([]pagepkg.SessionLine, error) {
	records, err := s.store.Sessions(r.Context(), sessions.Query{Subject: person.Subject, Limit: sessions.PageSize}, s.now())
	if err != nil && !fault.IsUnavailable(err) {
		return nil, err
	}
	return s.sessionLines(records, person, "/profile/sessions/"), nil
}

func (s *Sessions) sessionLines(records []sessions.Record, person *session.Session, path string) []pagepkg.SessionLine {
	lines := make([]pagepkg.SessionLine, len(records))
	for i, r := range records {
		lines[i] = pagepkg.SessionLine{
			ID: r.IDHash, Subject: r.Subject, Name: r.Name, Address: r.Address, Browser: browserName(r.UserAgent),
			SignedInAt: r.SignedInAt, LastUsed: s.sessions.Records().LastUsed(r), Own: r.IDHash == digest.Of(person.ID), EndURL: path + r.IDHash + "/end",
		}
	}
	return lines
}

// EndOwnSession handles POST /profile/sessions/{id}/end.
func (s *Sessions) EndOwnSession(w http.ResponseWriter, r *http.Request, person *session.Session) error {
	q := sessions.Query{Subject: person.Subject, IDHash: r.PathValue("id"), Limit: 1}
	return s.endFound(w, r, q, person, "own", "/profile")
}

// EndSession handles POST /sessions/{id}/end.
func (s *Sessions) EndSession(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	if err := r.ParseForm(); err != nil {
		return web.BadForm(err)
	}
	return s.endFound(w, r, sessions.Query{IDHash: r.PathValue("id"), Limit: 1}, v.Person, "administrator", searchedSessions(r.PostForm.Get("q")))
}

// searchedSessions is the list of sessions, narrowed as it was when a form of it
// was sent.
func searchedSessions(search string) string {
	if search == "" {
		return web.SessionsPath
	}
	return web.SessionsPath + "?" + url.Values{"q": {session.Bounded(search, claims.MaxAddressLength)}}.Encode()
}

// endFound ends the sessions that a query finds, of which there must be one.
func (s *Sessions) endFound(w http.ResponseWriter, r *http.Request, q sessions.Query, by *session.Session, reason, page string) error {
	if err := web.ReadForm(r, by); err != nil {
		return err
	}
	found, err := s.store.Sessions(r.Context(), q, s.now())
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return s.endedBefore(w, r, q, page)
	}
	if err := s.endRecords(r, found, by, reason); err != nil {
		return err
	}
	return s.ToldAt(w, r, page, fmt.Sprintf("Ended the session of %s: %s.", found[0].Name, browserName(found[0].UserAgent)))
}

// endedBefore answers a form about sessions that does not find one that stands: one
// that was ended already is over by whichever form came first.
func (s *Sessions) endedBefore(w http.ResponseWriter, r *http.Request, q sessions.Query, page string) error {
	q.Ended = true
	found, err := s.store.Sessions(r.Context(), q, s.now())
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return expense.ErrNotFound
	}
	return s.ToldAt(w, r, page, "That is over already.")
}

// endRecords ends sessions and logs each. Those that the database cannot take
// now are over on this copy only, which the error says.
func (s *Sessions) endRecords(r *http.Request, records []sessions.Record, by *session.Session, reason string) error {
	var endings []sessions.Ending
	for _, record := range records {
		endings = append(endings, session.EndingOf(record.IDHash, record.ExpiresAt))
	}
	err := s.sessions.Records().End(r.Context(), endings, reason, s.now())
	for _, record := range records {
		logging.Audit(s.log, r, logging.EventSessionEnded, record.Subject, reason, "by", by.Subject)
	}
	return err
}

// EndOwnOthers handles POST /profile/sessions/end-others.
func (s *Sessions) EndOwnOthers(w http.ResponseWriter, r *http.Request, person *session.Session) error {
	if err := web.ReadForm(r, person); err != nil {
		return err
	}
	ended := 0
	for {
		// One more than a page, for the one that stays is among them.
		found, err := s.store.Sessions(r.Context(), sessions.Query{Subject: person.Subject, Limit: sessions.PageSize + 1}, s.now())
		if err != nil {
			return err
		}
		var others []sessions.Record
		for _, record := range found {
			if record.IDHash != digest.Of(person.ID) {
				others = append(others, record)
			}
		}
		if len(others) == 0 {
			break
		}
		if err := s.endRecords(r, others, person, "own"); err != nil {
			return err
		}
		ended += len(others)
	}
	return s.ToldAt(w, r, "/profile", fmt.Sprintf("Ended %d other %s.", ended, plural(ended, "session")))
}

// EndPerson handles POST /sessions/end: all sessions of the person whose subject
// the form names, also those that are just beginning.
func (s *Sessions) EndPerson(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	if err := web.ReadForm(r, v.Person); err != nil {
		return err
	}
	subject := r.PostForm.Get("sub")
	if subject == "" {
		return expense.ErrNotFound
	}
	q := sessions.Query{Subject: subject, Limit: 1}
	found, err := s.store.Sessions(r.Context(), q, s.now())
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return s.endedBefore(w, r, q, web.SessionsPath)
	}
	e, _, err := s.sessions.Records().EndingOfAll(r.Context(), sessions.EndSubject, subject, s.now(), s.sessions.MaxAge())
	if err != nil {
		return err
	}
	err = s.sessions.Records().End(r.Context(), []sessions.Ending{e}, "administrator", s.now())
	logging.Audit(s.log, r, logging.EventSessionEnded, subject, "administrator_all", "by", v.Person.Subject)
	if err != nil {
		return err
	}
	return s.ToldAt(w, r, searchedSessions(r.PostForm.Get("q")), "Ended all sessions of "+found[0].Name+".")
}

func plural(count int, noun string) string {
	if count == 1 {
		return noun
	}
	return noun + "s"
}

// AllSessions handles GET /sessions.
func (s *Sessions) AllSessions(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	parameters := r.URL.Query()
	after, err := parseSessionCursor(parameters.Get("after"))
	if err != nil {
		return &expense.QueryError{Text: "after is where a page starts, as the link to the next page has it"}
	}
	search := session.Bounded(parameters.Get("q"), claims.MaxAddressLength)
	if strings.ContainsRune(search, 0) {
		return &expense.QueryError{Text: "q is part of an address"}
	}
	found, err := s.store.Sessions(r.Context(), sessions.Query{Search: search, After: after, Limit: sessions.PageSize + 1}, s.now())
	if err != nil {
		return err
	}
	view := pagepkg.SessionsView{
		Page: s.Page(v.Person, "Who is signed in"), Notice: s.TakeNotice(w, r), Search: search, IdleTimeout: s.sessions.IdleTimeout(),
		Submission: web.NewSubmission(v.Person.Subject),
	}
	if len(found) > sessions.PageSize {
		found = found[:sessions.PageSize]
		last := found[sessions.PageSize-1]
		next := url.Values{"after": {strconv.FormatInt(last.SignedInAt.UnixMilli(), 10) + "." + last.IDHash}}
		if search != "" {
			next.Set("q", search)
		}
		view.NextURL = web.SessionsPath + "?" + next.Encode()
	}
	view.Lines = s.sessionLines(found, v.Person, web.SessionsPath+"/")
	return s.pages.Render(w, r, http.StatusOK, "sessions", view)
}

func parseSessionCursor(text string) (sessions.Cursor, error) {
	if text == "" {
		return sessions.Cursor{}, nil
	}
	at, idHash, _ := strings.Cut(text, ".")
	milliseconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || len(idHash) != len(digest.Of()) || strings.Trim(idHash, "0123456789abcdef") != "" {
		return sessions.Cursor{}, errors.New("malformed cursor")
	}
	return sessions.Cursor{SignedInAt: milliseconds, IDHash: idHash}, nil
}

// browserName says in plain words what a User-Agent header names, and nothing
// that only the header says: whoever sends it may write anything.
func browserName(userAgent string) string {
	first := func(names ...[2]string) string {
		for _, name := range names {
			if strings.Contains(userAgent, name[0]) {
				return name[1]
			}
		}
		return ""
	}
	// The order matters: most browsers name those before them too.
	browser := first([2]string{"Edg", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"SamsungBrowser/", "Samsung Internet"},
		[2]string{"Firefox/", "Firefox"}, [2]string{"FxiOS/", "Firefox"}, [2]string{"CriOS/", "Chrome"}, [2]string{"Chrome/", "Chrome"},
		[2]string{"Safari/", "Safari"}, [2]string{"curl/", "curl"}, [2]string{"Go-http-client/", "a Go program"})
	system := first([2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Windows", "Windows"},
		[2]string{"CrOS", "ChromeOS"}, [2]string{"Mac OS X", "macOS"}, [2]string{"Linux", "Linux"})
	switch {
	case browser == "" && system == "":
		return "an unknown browser"
	case browser == "":
		return "an unknown browser on " + system
	case system == "":
		return browser
	default:
		return browser + " on " + system
	}
}
