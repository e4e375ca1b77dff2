package web

import (
	"cmp"
	"context"
	"net/http"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web/internal/page"
)

// Visit is a request of somebody who is signed in and may see what it asks for.
type Visit struct {
	Person *session.Session
	Access team.Access
	Team   team.Team // zero for all teams
	Only   string    // the id of the team that was chosen on the page of all
	// Directory is the State of the directory that gives the access. What the visit shows
	// is of this one, or of a later one.
	Directory int64
}

// Visit begins that of a person, by the directory as it is now.
func (s *Site) Visit(person *session.Session) Visit {
	directory := s.directory.Current()
	return Visit{Person: person, Access: access(directory, person), Directory: directory.State()}
}

// Path is where the expenses of the visit are.
func (v Visit) Path() string {
	if v.Team.ID == "" {
		return "/expenses"
	}
	return "/team/" + v.Team.ID
}

// FilePath is where the exported files are, less their extension, and where
// the form of a new expense goes.
func (v Visit) FilePath() string {
	if v.Team.ID == "" {
		return "/expenses"
	}
	return "/team/" + v.Team.ID + "/expenses"
}

// Teams restricts a query to what the visit is for; nil is all teams.
func (v Visit) Teams() []string {
	if id := cmp.Or(v.Team.ID, v.Only); id != "" {
		return []string{id}
	}
	if v.Access.ReadsAll() {
		return nil
	}
	ids := []string{}
	for _, t := range v.Access.Teams {
		ids = append(ids, t.ID)
	}
	return ids
}

// Actor is who the history says did it.
func (v Visit) Actor() expense.Actor {
	return expense.Actor{
		Address: team.NormalizeAddress(v.Person.Email), Name: v.Person.Name, Issuer: v.Person.Issuer, Subject: v.Person.Subject,
	}
}

// MayChange reports whether the visitor may change an expense: their own while
// they are on its team, those of a team that they lead, or any.
func (v Visit) MayChange(e expense.Expense) bool {
	return v.Access.CanChange(e.Team, e.Mine)
}

// Team returns the team with an id if its reader may see it. One that is no
// longer in the teams file is there for those who read all teams, as long as it
// has expenses.
func (s *Site) Team(ctx context.Context, access team.Access, id string) (team.Team, bool, error) {
	if t, ok := access.CanRead(id); ok || !access.ReadsAll() {
		return t, ok, nil
	}
	sums, err := s.store.Summary(ctx, expense.Query{Teams: []string{id}})
	if err != nil || sums.Count == 0 {
		return team.Team{}, false, err
	}
	return FormerTeam(id), true, nil
}

// FormerTeam is a team that is no longer in the teams file.
func FormerTeam(id string) team.Team { return team.Team{ID: id, Label: id + " (no longer a team)"} }

// TeamOf returns the team of an expense, which may be a former one.
func (s *Site) TeamOf(id string) team.Team {
	if t, ok := s.directory.Current().Team(id); ok {
		return t
	}
	return FormerTeam(id)
}

// Denied logs who asked for what is not theirs.
func (s *Site) Denied(r *http.Request, person *session.Session, reason string) error {
	logging.Audit(s.log, r, logging.EventDenied, person.Subject, reason, "path", r.URL.Path)
	return expense.ErrNotFound
}

// Today is the date in the site's time zone.
func (s *Site) Today() expense.Date { return expense.DateOf(s.now().In(s.zone)) }

// LineOf is an expense in a list, which has a status where its team approves expenses.
func (s *Site) LineOf(e expense.Expense) page.ExpenseLine {
	if !s.directory.Current().Approval(e.Team) {
		e.Status = ""
	}
	return page.ExpenseLine{Expense: e, URL: "/team/" + e.Team + "/expenses/" + e.ID, TeamLabel: s.TeamOf(e.Team).Label}
}

// Approving lists the teams of what a visit is for that approve expenses: its own, or
// those of all that it reads.
func (s *Site) Approving(v Visit) []string {
	var ids []string
	for _, t := range v.Access.Teams {
		if (v.Team.ID == "" || v.Team.ID == t.ID) && s.directory.Current().Approval(t.ID) {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// Approves reports whether any does.
func (s *Site) Approves(v Visit) bool { return s.Approving(v) != nil }
