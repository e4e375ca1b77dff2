package spending

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// ActivityPath is where one sees who did what.
const ActivityPath = "/activity"

// Overseen returns the teams of which somebody may see who did what: all for
// administrators and auditors, for others those that they lead.
func Overseen(a team.Access) []team.Team {
	if a.ReadsAll() {
		return a.Teams
	}
	return slices.DeleteFunc(slices.Clone(a.Teams), func(t team.Team) bool { return !a.Leads(t.ID) })
}

// Activity handles GET /activity.
func (s *Spending) Activity(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	q, v, err := s.activityOf(r, v)
	view := s.activityView(r, v, q)
	if faults := expense.QueryFaults(nil); errors.As(err, &faults) && web.AcceptsPage(r) {
		s.LogFailure(r, http.StatusBadRequest, err)
		view.Faults, view.Title = faults, "Error: "+view.Title
		return s.pages.Render(w, r, http.StatusBadRequest, "activity", view)
	}
	if err != nil {
		return err
	}
	done, err := s.store.Activity(r.Context(), q, s.zone, expense.ActivityPage+1)
	if err != nil {
		return err
	}
	if len(done) > expense.ActivityPage {
		done = done[:expense.ActivityPage]
		next := q
		next.After = done[expense.ActivityPage-1].Cursor()
		view.NextURL = activityAddress(v, ActivityPath, next)
	}
	for _, a := range done {
		view.Lines = append(view.Lines, page.ActivityLine{Activity: a, TeamLabel: s.TeamOf(a.Team).Label, URL: "/team/" + a.Team + "/expenses/" + a.Expense})
	}
	return s.pages.Render(w, r, http.StatusOK, "activity", view)
}

// activityView is the page with its filter as it was typed.
func (s *Spending) activityView(r *http.Request, v web.Visit, q expense.ActivityQuery) page.ActivityView {
	// What cannot be read of a broken address is left out.
	typed, _ := url.ParseQuery(r.URL.RawQuery)
	view := page.ActivityView{
		Page: s.Page(v.Person, "Activity"), Person: typed.Get("person"), From: typed.Get("from"), To: typed.Get("to"),
		Filtered: q.Filtered() || v.Only != "" || typed.Has("after"), CSVURL: activityAddress(v, ActivityPath+".csv", q),
	}
	for _, kind := range expense.Kinds {
		view.Kinds = append(view.Kinds, page.Choice{Value: kind, Label: kind, Chosen: kind == typed.Get("kind")})
	}
	if teams := Overseen(v.Access); len(teams) > 1 {
		for _, t := range teams {
			view.Teams = append(view.Teams, page.Choice{Value: t.ID, Label: t.Label, Chosen: t.ID == v.Only})
		}
	}
	return view
}

// activityOf reads what a request asks for, within what the visitor may see.
func (s *Spending) activityOf(r *http.Request, v web.Visit) (expense.ActivityQuery, web.Visit, error) {
	parameters, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return expense.ActivityQuery{}, v, expense.QueryFaults{{Text: "The address is not made of name=value pairs joined by &."}}
	}
	teams := Overseen(v.Access)
	if chosen := parameters[teamName]; len(chosen) == 1 {
		v.Only = chosen[0]
	}
	if v.Only != "" {
		// Administrators and auditors see what was done in a team that is no longer
		// in the teams file.
		_, ok, err := s.Team(r.Context(), v.Access, v.Only)
		if err != nil {
			return expense.ActivityQuery{}, v, err
		}
		if !ok || !v.Access.ReadsAll() && !v.Access.Leads(v.Only) {
			return expense.ActivityQuery{}, v, s.Denied(r, v.Person, "not_on_the_team")
		}
	}
	q, err := expense.ParseActivity(parameters, teamName)
	q.Reader = v.Actor()
	switch {
	case v.Only != "":
		q.Teams = []string{v.Only}
	case !v.Access.ReadsAll():
		q.Teams = []string{}
		for _, t := range teams {
			q.Teams = append(q.Teams, t.ID)
		}
	}
	return q, v, err
}

// activityAddress is that of a query's page or file, with the team that was chosen.
func activityAddress(v web.Visit, path string, q expense.ActivityQuery) string {
	values := q.Values()
	if v.Only != "" {
		values.Set(teamName, v.Only)
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// ActivityCSV handles GET /activity.csv: all that is asked for, on all pages.
func (s *Spending) ActivityCSV(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	q, _, err := s.activityOf(r, v)
	if err != nil {
		return err
	}
	q.After = expense.ActivityCursor{}
	giveBack, err := s.exports.take(r.Context(), v.Person.Subject, maxExportWait)
	if err != nil {
		return err
	}
	defer giveBack()
	ctx, cancel := context.WithTimeout(r.Context(), exportTimeout)
	defer cancel()
	out := &fileAnswer{w: w, mediaType: "text/csv; charset=utf-8; header=present", name: "activity.csv"}
	return expensefile.WriteActivity(out, func(yield func(expense.Activity) error) error {
		return s.store.EachActivity(ctx, q, s.zone, yield)
	})
}
