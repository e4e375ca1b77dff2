package main

import (
	"net/http"

	"expense-dashboard/internal/session"
	"expense-dashboard/internal/web"
)

// onTeam is a handler for those on the team that the path names, and for
// administrators. A team that somebody is not on looks like one that does not
// exist.
func (s *app) onTeam(h func(http.ResponseWriter, *http.Request, web.Visit) error) web.Handler {
	return s.signedIn(func(w http.ResponseWriter, r *http.Request, person *session.Session) error {
		access := s.Access(person)
		team, ok := access.Allows(r.PathValue("id"))
		if !ok {
			return s.Denied(r, person, "not_on_the_team")
		}
		return h(w, r, web.Visit{person, access, team})
	})
}

// forAdmins is a handler for administrators. For everybody else there is no
// such page.
func (s *app) forAdmins(h func(http.ResponseWriter, *http.Request, web.Visit) error) web.Handler {
	return s.signedIn(func(w http.ResponseWriter, r *http.Request, person *session.Session) error {
		access := s.Access(person)
		if !access.Admin {
			return s.Denied(r, person, "not_an_administrator")
		}
		return h(w, r, web.Visit{Person: person, Access: access})
	})
}
