package main

import (
	"net/http"

	"expense-dashboard/internal/session"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/spending"
)

// visitor is a handler for people who are signed in, of whom it has to know what
// they may do.
type visitor = func(http.ResponseWriter, *http.Request, web.Visit) error

// forEverybody is a handler for all teams that somebody may read.
func (s *app) forEverybody(h visitor) web.Handler {
	return s.signedIn(func(w http.ResponseWriter, r *http.Request, person *session.Session) error {
		return h(w, r, s.Visit(person))
	})
}

// onTeam is a handler for those who may read the team that the path names. A
// team that somebody may not read looks like one that does not exist.
func (s *app) onTeam(h visitor) web.Handler {
	return s.forEverybody(func(w http.ResponseWriter, r *http.Request, v web.Visit) error {
		team, ok, err := s.Team(r.Context(), v.Access, r.PathValue("id"))
		if err != nil {
			return err
		}
		if !ok {
			return s.Denied(r, v.Person, "not_on_the_team")
		}
		v.Team = team
		return h(w, r, v)
	})
}

// forLoggers is a handler for those who may log expenses for the team that the
// path names. Who may only read it is refused.
func (s *app) forLoggers(h visitor) web.Handler {
	return s.onTeam(func(w http.ResponseWriter, r *http.Request, v web.Visit) error {
		if !v.Access.CanLog(v.Team.ID) {
			return web.ErrCannotLog
		}
		return h(w, r, v)
	})
}

// forAdmins is a handler for administrators. For everybody else there is no
// such page.
func (s *app) forAdmins(h visitor) web.Handler {
	return s.forEverybody(func(w http.ResponseWriter, r *http.Request, v web.Visit) error {
		if !v.Access.Admin {
			return s.Denied(r, v.Person, "not_an_administrator")
		}
		return h(w, r, v)
	})
}

// forOverseers is a handler for administrators, auditors, and those who lead a team.
// For everybody else there is no such page.
func (s *app) forOverseers(h visitor) web.Handler {
	return s.forEverybody(func(w http.ResponseWriter, r *http.Request, v web.Visit) error {
		if !v.Access.ReadsAll() && len(spending.Overseen(v.Access)) == 0 {
			return s.Denied(r, v.Person, "oversees_nothing")
		}
		return h(w, r, v)
	})
}
