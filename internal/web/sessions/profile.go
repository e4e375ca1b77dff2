package sessions

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// profileJSON is the profile for programs.
type profileJSON struct {
	Name          string     `json:"name"`
	Email         string     `json:"email"`
	EmailVerified bool       `json:"email_verified"` // false only where Okta says so
	Admin         bool       `json:"admin"`
	Teams         []teamJSON `json:"teams"`
	SignedInAt    time.Time  `json:"signed_in_at"`
	EndsAt        time.Time  `json:"session_ends_at"`
}

type teamJSON struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

// Profile handles GET /profile, as a page or as JSON.
func (s *Sessions) Profile(w http.ResponseWriter, r *http.Request, person *session.Session) error {
	access, ends := s.Access(person), person.EndsAt
	w.Header().Set("Vary", "Accept")
	if web.PrefersJSON(r) {
		teams := make([]teamJSON, len(access.Teams))
		for i, t := range access.Teams {
			teams[i] = teamJSON(t)
		}
		w.Header().Set("Content-Type", "application/json")
		return json.NewEncoder(w).Encode(profileJSON{
			Name: person.Name, Email: person.Email, EmailVerified: !person.Unverified,
			Admin: access.Admin, Teams: teams, SignedInAt: person.SignedInAt.UTC(), EndsAt: ends.UTC(),
		})
	}
	lines, err := s.ownSessions(r, person)
	if err != nil {
		return err
	}
	view := s.profileView(person, access)
	view.Notice, view.Sessions = s.TakeNotice(w, r), lines
	return s.pages.Render(w, r, http.StatusOK, "profile", view)
}

// profileView answers "why do I see this?".
func (s *Sessions) profileView(person *session.Session, access team.Access) page.ProfileView {
	view := page.ProfileView{
		Submission: web.NewSubmission(person.Subject),
		Page:       s.Page(person, "Profile"), Email: person.Email, Unverified: person.Unverified, Fix: s.ForOperator(s.auth.Fix(openid.EmailUnverified)),
		Admin: access.Admin, Auditor: access.Auditor, Teams: access.Teams, Address: team.NormalizeAddress(person.Email), RuleFile: s.directory.Name(),
		SignedInAt: person.SignedInAt, EndsAt: person.EndsAt, IdleTimeout: s.sessions.IdleTimeout(), Now: s.now(),
	}
	if !person.Unverified {
		view.Rules = s.directory.Current().Rules(person.Email, person.GroupNames())
	}
	if issuer, err := url.Parse(s.auth.Issuer()); err == nil {
		view.Issuer = issuer.Host
	}
	for method := range strings.FieldsSeq(person.Methods) {
		view.Methods = append(view.Methods, openid.MethodName(method))
	}
	return view
}
