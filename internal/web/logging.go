package web

import (
	"net/http"
	"net/url"

	"expense-dashboard/internal/web/internal/page"
)

// NewForAnyTeam handles GET /expenses/new: the form of the one team for which
// somebody may log, or a choice among several.
func (s *Site) NewForAnyTeam(w http.ResponseWriter, r *http.Request, v Visit) error {
	teams := v.Access.Logs()
	query := ""
	if returnTo := r.URL.Query().Get("return_to"); returnTo != "" {
		query = "?" + url.Values{"return_to": {returnTo}}.Encode()
	}
	switch len(teams) {
	case 0:
		return ErrForbidden
	case 1:
		SeeOther(w, "/team/"+teams[0].ID+"/expenses/new"+query)
		return nil
	}
	view := page.ChooseTeamView{Page: s.page(v.Person, "Log an expense")}
	for _, t := range teams {
		view.Teams = append(view.Teams, page.Link{Label: t.Label, URL: "/team/" + t.ID + "/expenses/new" + query})
	}
	return s.pages.Render(w, r, http.StatusOK, "choose", view)
}
