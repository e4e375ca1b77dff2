package spending

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/openid"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// maxWhere is how many categories a dashboard and a team's page show beside
// their charts.
const maxWhere = 5

// Dashboard handles GET /dashboard: the overview of somebody's team, or of each
// of their teams.
func (s *Spending) Dashboard(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	shared := s.Page(v.Person, "Dashboard")
	known, err := s.Revisions(r)
	if err != nil {
		return err
	}
	key := page.ContentKey{
		Page: "dashboard", Revision: known.Of(""), Directory: v.Directory, Today: s.Today(),
		Role: v.Access.Key(), Viewer: viewer(v), Name: v.Person.Name, Email: v.Person.Email, Unverified: v.Person.Unverified,
	}
	return s.pages.Show(w, r, shared, key, func() (any, error) { return s.dashboardView(r, v, shared) })
}

func (s *Spending) dashboardView(r *http.Request, v web.Visit, shared page.Page) (any, error) {
	view := page.DashboardView{
		Page: shared, Email: v.Person.Email, Unverified: v.Person.Unverified, Fix: s.ForOperator(s.auth.Fix(openid.EmailUnverified)),
		Admin: v.Access.Admin, Oversees: v.Access.ReadsAll() || len(Overseen(v.Access)) > 0, ReadsAll: v.Access.ReadsAll(),
	}
	if len(v.Access.Teams) == 0 && !view.ReadsAll {
		return view, nil
	}
	o, err := s.store.Overview(r.Context(), v.Actor(), v.Teams(), s.deciding(v), s.Today())
	if err != nil {
		return nil, err
	}
	if len(v.Access.Teams) == 1 && !view.ReadsAll {
		v.Team = v.Access.Teams[0]
		view.Team = &v.Team
	}
	s.fillOverview(r, v, &view, o)
	return view, nil
}

// fillOverview puts what teams spent into a dashboard, with links to the lists
// of what each figure is made of.
func (s *Spending) fillOverview(r *http.Request, v web.Visit, view *page.DashboardView, o expense.Overview) {
	l, today, sum := s.pages.Locales.Of(r), s.Today(), o.Total(s.Today())
	month, lastMonth := today.StartOfMonth(0), today.StartOfMonth(-1)
	view.Month, view.LastMonth = month.T.Month().String(), lastMonth.T.Month().String()
	list := func(q expense.Query) string {
		q.Sort, q.Desc = "date", true
		return at(v.Path(), q)
	}
	if sum.Undecided.Count > 0 {
		view.Decide = &page.Link{Label: undecidedText(sum.Undecided.Count), URL: s.undecidedURL(v)}
	}
	view.AllURL, view.Count = list(expense.Query{}), sum.Count
	year := expense.NewDate(today.T.Year(), 1, 1)
	view.Tiles = []page.Tile{
		{Label: view.Month + " so far", Group: sum.SoFar, Compared: l.Compared(sum.SoFar, sum.Before, view.LastMonth), URL: list(expense.Query{From: month, To: today}), Link: "show them"},
		{Label: "This year", Group: sum.Year, URL: list(expense.Query{From: year, To: expense.NewDate(today.T.Year(), 12, 31)}), Link: "show them"},
	}
	if len(v.Access.Logs()) > 0 {
		view.Tiles = append(view.Tiles, page.Tile{Label: "You, in " + view.Month, Group: sum.Mine, URL: list(expense.Query{Person: expense.PersonMe, From: month, To: monthEnd(month)}), Link: "show mine"})
	}
	view.ByCategory = page.BarChart(o.Month.ByCategory, maxWhere, func(g expense.Group) string {
		return list(expense.Query{Category: g.Filter, From: month, To: monthEnd(month)})
	})
	for _, e := range o.Latest {
		view.Latest = append(view.Latest, s.LineOf(e))
	}
	view.Months = page.MonthChart(sum.ByMonth, today, today, l, func(m expense.Date) string { return list(expense.Query{From: m, To: monthEnd(m)}) })
	if view.Team != nil && len(o.Teams) == 1 {
		view.Budget = budgetOf(o.Teams[0], today)
	}
	if view.Team == nil {
		view.Lines = s.teamLines(v.Access, o.Teams, today)
		for _, line := range view.Lines {
			view.Total.SoFar += line.SoFar
			view.Total.LastMonth += line.LastMonth
			view.Total.Year += line.Year
		}
	}
}

// budgetOf is a team's budget of the present month, or nil.
func budgetOf(total expense.TeamTotal, today expense.Date) *expense.Budget {
	if total.Budget == 0 {
		return nil
	}
	return &expense.Budget{
		Month: today.Month(), Today: today, Amount: total.Budget, Spent: total.ByMonth[len(total.ByMonth)-1].Total, SoFar: total.SoFar.Total,
	}
}

// monthEnd is the last day of a month.
func monthEnd(month expense.Date) expense.Date { return month.StartOfMonth(1).AddDays(-1) }

// teamLines puts the totals of the database beside the teams that somebody
// reads, in the file's order, those without expenses too, and behind them the
// teams that are no longer in the teams file.
func (s *Spending) teamLines(access team.Access, totals []expense.TeamTotal, today expense.Date) []page.TeamLine {
	byTeam := map[string]expense.TeamTotal{}
	for _, total := range totals {
		byTeam[total.Team] = total
	}
	var lines []page.TeamLine
	var months [][]expense.Group
	add := func(t team.Team, total expense.TeamTotal) {
		if total.ByMonth == nil {
			total.ByMonth = expense.LastMonths(today)
		}
		last := total.ByMonth[len(total.ByMonth)-2]
		lines = append(lines, page.TeamLine{Team: t, SoFar: total.SoFar.Total, LastMonth: last.Total, Year: total.Year.Total, Budget: budgetOf(total, today)})
		months = append(months, total.ByMonth)
	}
	for _, t := range access.Teams {
		add(t, byTeam[t.ID])
		delete(byTeam, t.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(byTeam)) {
		if total := byTeam[id]; access.ReadsAll() && total.Count > 0 {
			add(web.FormerTeam(id), total)
		}
	}
	for i, chart := range page.Sparks(months) {
		lines[i].Months = chart
	}
	return lines
}

// deciding lists the teams in which a visitor decides.
func (s *Spending) deciding(v web.Visit) []string {
	var ids []string
	for _, t := range v.Access.Teams {
		if v.Access.CanDecide(t.ID) && s.directory.Current().Approval(t.ID) {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// undecidedURL lists what may wait for a visitor's decision: of the team that they
// decide for, or of all where there are several.
func (s *Spending) undecidedURL(v web.Visit) string {
	if ids := s.deciding(v); v.Team.ID == "" && len(ids) == 1 {
		v.Only = ids[0]
	}
	return address(v, v.Path(), expense.Query{Sort: "date", Desc: true, Status: expense.StatusLogged})
}

// undecidedText says how many expenses wait for a decision.
func undecidedText(count int64) string {
	if count > expense.MaxUndecided {
		return fmt.Sprintf("More than %d expenses wait for your decision", expense.MaxUndecided)
	}
	if count == 1 {
		return "One expense waits for your decision"
	}
	return fmt.Sprintf("%d expenses wait for your decision", count)
}
