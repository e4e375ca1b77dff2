package web

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"expense-dashboard/internal/digest"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/session"
)

// MaxSubmission bounds the token of a form, in bytes.
const MaxSubmission = 64

// NewSubmission returns the token of a form that is shown to a person: a random
// part, by which the form counts once, and a mark of whose form it is. The mark is
// no secret: it keeps people from mistakes and nobody from anything else.
func NewSubmission(subject string) string {
	id := expense.NewID()
	return id + "." + submissionMark(id, subject)
}

func submissionMark(id, subject string) string { return digest.Of("submission", id, subject)[:20] }

// isMarked reports whether a token says whose form it is. Those that programs
// make up do not.
func isMarked(submission string) bool { return strings.Contains(submission, ".") }

// isOf reports whether a marked token is of a form that was shown to a person.
func isOf(submission, subject string) bool {
	id, mark, _ := strings.Cut(submission, ".")
	return mark == submissionMark(id, subject)
}

// ReadForm reads the fields of a form that a person sends. One that was shown to
// somebody else in the same browser is refused.
func ReadForm(r *http.Request, person *session.Session) error {
	if err := r.ParseForm(); err != nil {
		return BadForm(err)
	}
	submission := r.PostForm.Get("submission")
	if len(submission) > MaxSubmission {
		return &FormError{Text: "submission has up to " + strconv.Itoa(MaxSubmission) + " characters"}
	}
	if isMarked(submission) && !isOf(submission, person.Subject) {
		return ErrOfAnother
	}
	return nil
}

// BadForm is what is wrong with a form that cannot be read at all.
func BadForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errTooSlow
	}
	return &FormError{Text: "the form is not made of name=value pairs joined by &"}
}

// ListPath returns the address of a list of ours with its filter and its page, or
// nothing where an address is something else.
func ListPath(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || len(address) > 4000 {
		return ""
	}
	id, isTeam := strings.CutPrefix(u.Path, "/team/")
	if u.Path != "/expenses" && (!isTeam || id == "" || strings.ContainsAny(id, `/\`)) {
		return ""
	}
	list := url.URL{Path: u.Path, RawQuery: u.RawQuery}
	return list.RequestURI()
}

// OpenedFrom is the list from which a form was opened: the one that the address
// names, or else the page on which its link stood.
func (s *Site) OpenedFrom(r *http.Request) string {
	if list := ListPath(r.URL.Query().Get("return_to")); list != "" {
		return list
	}
	from, ok := strings.CutPrefix(r.Referer(), s.baseURL+"/")
	if !ok {
		return ""
	}
	return ListPath("/" + from)
}

// FormPage returns the page of the form that posts to a path, or nothing where no
// form does.
func FormPage(path string) string {
	page, _ := formPage(path)
	return page
}

// formPage is FormPage, and whether it is the form of an expense. What stands
// behind the page's own path is what is done there.
func formPage(path string) (page string, isEntry bool) {
	if page, ok := sessionsPage(path); ok {
		return page, false
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	first := func(n int) string { return "/" + strings.Join(parts[:n], "/") }
	switch {
	case parts[0] == "team" && len(parts) == 3 && parts[2] == "expenses":
		return path + "/new", true
	case parts[0] == "team" && len(parts) >= 4 && parts[2] == "expenses":
		return first(4), len(parts) == 4
	case parts[0] == "team" && len(parts) == 3:
		return path, false
	case path == ImportPath:
		return path, false
	case strings.HasPrefix(path, ImportPath+"/") && len(parts) >= 3:
		return first(3), false
	case len(parts) > 1 && (parts[0] == "expenses" || parts[0] == "categories" || parts[0] == "people"):
		return first(1), false
	}
	return "", false
}

// sessionsPage is the page that a form about sessions or people is on, if path is one.
func sessionsPage(path string) (page string, ok bool) {
	switch {
	case strings.HasPrefix(path, "/profile/sessions/"):
		return "/profile", true
	case strings.HasPrefix(path, SessionsPath+"/"):
		return SessionsPath, true
	case strings.HasPrefix(path, PeoplePath+"/"):
		return PeoplePath, true
	default:
		return "", false
	}
}
