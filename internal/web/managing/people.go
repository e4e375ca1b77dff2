package managing

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"expense-dashboard/internal/address"
	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	pagepkg "expense-dashboard/internal/web/internal/page"
)

// People handles GET /people.
func (s *Managing) People(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	return s.renderPeople(w, r, http.StatusOK, v, s.TakeNotice(w, r))
}

func (s *Managing) renderPeople(w http.ResponseWriter, r *http.Request, status int, v web.Visit, told *pagepkg.Notice) error {
	people, err := s.store.People(r.Context())
	if err != nil {
		return err
	}
	byID := make(map[int64]expense.Person, len(people))
	for _, p := range people {
		byID[p.ID] = p
	}
	view := pagepkg.PeopleView{Page: s.Page(v.Person, "People"), Notice: told, Submission: web.NewSubmission(v.Person.Subject)}
	for _, p := range people {
		path := web.PeoplePath + "/" + strconv.FormatInt(p.ID, 10)
		line := pagepkg.PersonLine{Person: p, JoinURL: path + "/join", PartURL: path + "/part"}
		if r.PathValue("id") == strconv.FormatInt(p.ID, 10) {
			line.Typed = r.PostForm.Get("into")
		}
		if p.Joined != 0 {
			line.Is = byID[p.Joined]
		}
		view.People = append(view.People, line)
	}
	return s.pages.Render(w, r, status, "people", view)
}

// JoinPerson handles POST /people/{id}/join: the person is the one whom into names,
// by the number of their row or by their address.
func (s *Managing) JoinPerson(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	if err := web.ReadForm(r, v.Person); err != nil {
		return err
	}
	id, err := personID(r.PathValue("id"))
	if err != nil {
		return err
	}
	into, err := s.personNamed(r, r.PostForm.Get("into"))
	if err == nil {
		err = s.store.JoinPeople(r.Context(), id, into)
	}
	return s.toldPeople(w, r, v, err, logging.EventPeopleJoined, "Joined. Their expenses belong to one person now.", id, into)
}

// PartPerson handles POST /people/{id}/part.
func (s *Managing) PartPerson(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	if err := web.ReadForm(r, v.Person); err != nil {
		return err
	}
	id, err := personID(r.PathValue("id"))
	if err != nil {
		return err
	}
	err = s.store.PartPeople(r.Context(), id)
	return s.toldPeople(w, r, v, err, logging.EventPeopleParted, "Separated. They are two people again.", id, 0)
}

// toldPeople leads back to the page with what came of it, or shows why nothing did.
func (s *Managing) toldPeople(w http.ResponseWriter, r *http.Request, v web.Visit, err error, event, done string, id, into int64) error {
	var refused *expense.PersonError
	switch {
	case errors.As(err, &refused):
		return s.renderPeople(w, r, http.StatusUnprocessableEntity, v, &pagepkg.Notice{Text: refused.Text})
	case err != nil:
		return err
	}
	logging.Audit(s.log, r, event, v.Person.Subject, "administrator", "person", id, "into", into)
	return s.ToldAt(w, r, web.PeoplePath, done)
}

// personNamed returns the person that a form names.
func (s *Managing) personNamed(r *http.Request, named string) (int64, error) {
	named = strings.TrimSpace(named)
	if !strings.Contains(named, "@") {
		id, err := personID(named)
		if err != nil {
			return 0, &expense.PersonError{Text: "Choose who this is: pick somebody from the list."}
		}
		return id, nil
	}
	people, err := s.store.People(r.Context())
	if err != nil {
		return 0, err
	}
	for _, p := range people {
		if p.Address == team.NormalizeAddress(named) && p.Joined == 0 {
			return p.ID, nil
		}
	}
	if problem := address.Problem(named); problem != "" {
		return 0, &expense.PersonError{Text: "This is not an email address: it " + problem + ". Pick somebody from the list."}
	}
	return 0, &expense.PersonError{Text: "Nobody is known by this address. Pick somebody from the list."}
}

// personID reads the number of a person in an address or a form.
func personID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, expense.ErrNotFound
	}
	return id, nil
}
