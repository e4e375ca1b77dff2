package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web/internal/page"
)

const (
	// maxSuggestions bounds the names and categories that a form suggests.
	maxSuggestions = 50
)

// Visit is a request of somebody who is signed in and may see what it asks for.
type Visit struct {
	Person *session.Session
	Access team.Access
	Team   team.Team // zero for all teams
	only   string    // the id of the team that was chosen on the page of all
}

// address is that of a query's page or file, with the team that was chosen.
func (v Visit) address(path string, q expense.Query) string {
	values := q.Values()
	if v.only != "" {
		values.Set("team", v.only)
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// viewer names the visitor for what is kept of their pages only.
func (v Visit) viewer() string {
	return strings.Join([]string{v.Person.Issuer, v.Person.Subject, v.Person.Email}, "\n")
}

// path is where the expenses of the visit are.
func (v Visit) path() string {
	if v.Team.ID == "" {
		return "/expenses"
	}
	return "/team/" + v.Team.ID
}

// filePath is where the exported files are, less their extension, and where
// the form of a new expense goes.
func (v Visit) filePath() string {
	if v.Team.ID == "" {
		return "/expenses"
	}
	return "/team/" + v.Team.ID + "/expenses"
}

// teams restricts a query to what the visit is for; nil is all teams.
func (v Visit) teams() []string {
	if id := cmp.Or(v.Team.ID, v.only); id != "" {
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

// actor is who the history says did it.
func (v Visit) actor() expense.Actor {
	return expense.Actor{
		Address: team.NormalizeAddress(v.Person.Email), Name: v.Person.Name, Issuer: v.Person.Issuer, Subject: v.Person.Subject,
	}
}

// mayChange reports whether the visitor may change an expense: their own while
// they are on its team, those of a team that they lead, or any.
func (v Visit) mayChange(e expense.Expense) bool {
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
	return formerTeam(id), true, nil
}

// formerTeam is a team that is no longer in the teams file.
func formerTeam(id string) team.Team { return team.Team{ID: id, Label: id + " (no longer a team)"} }

// movedTo is the team that an expense shall have: that of the visit, unless an
// administrator chooses another. The problem says that there is no such team.
func (s *Site) movedTo(v Visit, chosen string) (id, problem string) {
	if !v.Access.Admin || chosen == "" || chosen == v.Team.ID {
		return v.Team.ID, ""
	}
	if _, ok := s.directory.Current().Team(chosen); !ok {
		return v.Team.ID, "Choose a team."
	}
	return chosen, ""
}

// teamOf returns the team of an expense, which may be a former one.
func (s *Site) teamOf(id string) team.Team {
	if t, ok := s.directory.Current().Team(id); ok {
		return t
	}
	return formerTeam(id)
}

// Denied logs who asked for what is not theirs.
func (s *Site) Denied(r *http.Request, person *session.Session, reason string) error {
	logging.Audit(s.log, r, logging.EventDenied, person.Subject, reason, "path", r.URL.Path)
	return expense.ErrNotFound
}

// today is the date in the site's time zone.
func (s *Site) today() expense.Date { return expense.DateOf(s.now().In(s.zone)) }

// TeamExpenses handles GET /team/{id}.
func (s *Site) TeamExpenses(w http.ResponseWriter, r *http.Request, v Visit) error {
	shared := s.page(v.Person, v.Team.Label)
	if v.Access.CanLog(v.Team.ID) {
		shared.LogURL = v.filePath() + "/new"
	}
	return s.showExpenses(w, r, v, shared)
}

// AllExpenses handles GET /expenses.
func (s *Site) AllExpenses(w http.ResponseWriter, r *http.Request, v Visit) error {
	return s.showExpenses(w, r, v, s.page(v.Person, "All expenses"))
}

// showExpenses answers with a page of expenses, or of what is wrong with its address.
func (s *Site) showExpenses(w http.ResponseWriter, r *http.Request, v Visit, shared page.Page) error {
	if s.notices.awaits(r) {
		shown, err := s.showNoticed(w, r, v, shared)
		if err != nil {
			return s.wrongQuery(w, r, v, shared, err)
		}
		if shown {
			return nil
		}
	}
	known, err := s.revisions(r)
	if err != nil {
		return err
	}
	key := page.ContentKey{
		Page: "expenses", Revision: known.Of(v.Team.ID), Directory: s.directory.Current(), Today: s.today(),
		Team: v.Team.ID, Role: v.Access.Key(), Query: r.URL.RawQuery,
	}
	if r.URL.Query().Get("person") == expense.PersonMe || v.ownOnly() {
		key.Viewer = v.viewer()
	}
	err = s.pages.Show(w, r, shared, key, func() (any, error) { return s.expensesView(r, v, key.Revision) })
	return s.wrongQuery(w, r, v, shared, err)
}

// showNoticed answers with a page of expenses that tells of what was just done, and
// reports whether there is anything to tell. It is nobody else's, so it is rendered
// for this request.
func (s *Site) showNoticed(w http.ResponseWriter, r *http.Request, v Visit, shared page.Page) (shown bool, err error) {
	view, err := s.expensesView(r, v, "")
	if err != nil {
		return false, err
	}
	told := s.notices.take(w, r)
	if told == nil {
		return false, nil
	}
	shared.Title = told.Text + told.Item + told.Rest + " · " + shared.Title
	view.Page, view.Notice = shared, told
	view.Mark(path.Base(told.URL))
	return true, s.pages.Render(w, r, http.StatusOK, "expenses", view)
}

// queryOf reads what a request asks for, within what the visitor may see. The
// visit that comes with it knows which team was chosen on the page of all.
func (s *Site) queryOf(r *http.Request, v Visit) (expense.Query, Visit, error) {
	parameters, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return expense.Query{}, v, expense.QueryFaults{{Text: "The address is not made of name=value pairs joined by &."}}
	}
	if chosen := parameters["team"]; v.Team.ID == "" && len(chosen) == 1 {
		delete(parameters, "team")
		if chosen[0] != "" {
			_, ok, err := s.Team(r.Context(), v.Access, chosen[0])
			if err != nil {
				return expense.Query{}, v, err
			}
			if !ok {
				return expense.Query{}, v, s.Denied(r, v.Person, "not_on_the_team")
			}
			v.only = chosen[0]
		}
	}
	parse := expense.ParseQuery
	if s.approves(v) {
		parse = expense.ParseApprovalQuery
	}
	q, err := parse(parameters)
	if parameters.Get("min")+parameters.Get("max") != "" {
		if wrong := q.ReadBounds(parameters, s.pages.Locales.Of(r).Notation()); wrong != nil {
			var faults expense.QueryFaults
			errors.As(err, &faults)
			err = append(faults, wrong...)
		}
	}
	q.Approval = s.approves(v)
	q.Teams, q.Reader = v.teams(), v.actor()
	return q, v, err
}

// wrongQuery answers, where err says what is not understood of an address, with the
// page's own filter as it was typed, and what is wrong beside its fields. It returns any
// other err, which may be nil; a program gets it in any case.
func (s *Site) wrongQuery(w http.ResponseWriter, r *http.Request, v Visit, shared page.Page, err error) error {
	var faults expense.QueryFaults
	if !errors.As(err, &faults) || !AcceptsPage(r) {
		return err
	}
	s.logFailure(r, failure{Status: http.StatusBadRequest}, err)
	shared.Title = "Error: " + shared.Title
	// What cannot be read of a broken address is left out.
	typed, _ := url.ParseQuery(r.URL.RawQuery)
	return s.pages.Render(w, r, http.StatusBadRequest, "expenses", page.ExpensesView{
		Page: shared, Team: v.Team, Path: v.path(), ClearURL: v.path(), Narrowed: true, Periods: periodLinks(v, expense.Query{Sort: "date", Desc: true}, s.today()),
		Faults: faults, Approval: s.approves(v), People: page.Choices(nil, typed.Get("person")), Categories: page.Choices(nil, typed.Get("category")),
		Filter: page.FilterForm{
			Q: typed.Get("q"), Person: typed.Get("person"), Category: typed.Get("category"), Status: typed.Get("status"), From: typed.Get("from"), To: typed.Get("to"),
			Min: typed.Get("min"), Max: typed.Get("max"), Faults: faults,
		},
	})
}

// expensesView asks the database for a page and for the sums of all pages, and
// builds the links around them. The revision is that of the expenses, or empty.
func (s *Site) expensesView(r *http.Request, v Visit, revision string) (page.ExpensesView, error) {
	q, v, err := s.queryOf(r, v)
	if err != nil {
		return page.ExpensesView{}, err
	}
	listed, sums, err := s.pageAndSummary(r.Context(), v, q, revision)
	if err != nil {
		return page.ExpensesView{}, err
	}
	view := page.ExpensesView{
		Team: v.Team, Admin: v.Access.Admin, Approval: q.Approval, ByStatus: statusLinks(v, q, sums),
		Path: v.path(), Filter: filterOf(v, q), Filtered: q.Filtered() || v.only != "", ClearURL: at(v.path(), expense.Query{Sort: q.Sort, Desc: q.Desc}),
		Periods: periodLinks(v, q, s.today()), Columns: columnsOf(v, q),
		Count: sums.Count, Total: sums.Total, Average: sums.Average(),
		CSVURL: v.address(v.filePath()+".csv", q.First()), JSONURL: v.address(v.filePath()+".json", q.First()),
		ExcelURL: forExcel(v.address(v.filePath()+".csv", q.First())),
	}
	view.Narrowed = view.Filter.Narrowed()
	if v.Team.ID != "" && !view.Filtered {
		view.MayBudget = v.Access.CanBudget(v.Team.ID)
		if view.Budgets, err = s.store.BudgetLines(r.Context(), v.Team.ID, s.today().Month(), s.today()); err != nil {
			return page.ExpensesView{}, err
		}
	}
	s.fillCharts(r, v, q, sums, &view)
	offered := sums
	if view.Filtered {
		if offered, err = s.unfiltered(r.Context(), v, revision); err != nil {
			return page.ExpensesView{}, err
		}
	}
	fillChoices(v, q, offered, &view)
	s.fillRows(v, q, listed, sums, &view)
	s.offerSelecting(r, v, &view)
	return view, nil
}

// fillCharts draws what the sums of a page are made of.
func (s *Site) fillCharts(r *http.Request, v Visit, q expense.Query, sums expense.Summary, view *page.ExpensesView) {
	today := s.today()
	until := today
	if !q.To.IsZero() && q.To.Compare(today) < 0 {
		until = q.To
	}
	filtered := func(change func(*expense.Query)) string {
		narrower := q.First()
		change(&narrower)
		return v.address(v.path(), narrower)
	}
	view.Months = page.MonthChart(sums.ByMonth, until, today, s.pages.Locales.Of(r), func(month expense.Date) string {
		return filtered(func(q *expense.Query) { q.From, q.To = month, monthEnd(month) })
	})
	view.ByCategory = page.BarChart(sums.ByCategory, maxWhere-1, func(g expense.Group) string {
		return filtered(func(q *expense.Query) { q.Category = g.Filter })
	})
	view.ByPerson = page.BarChart(sums.ByPerson, maxBars, func(g expense.Group) string {
		return filtered(func(q *expense.Query) { q.Person = g.Filter })
	})
}

// maxBars is how many people a team's page shows below its list.
const maxBars = 12

// fillChoices lists what the filter offers.
func fillChoices(v Visit, q expense.Query, sums expense.Summary, view *page.ExpensesView) {
	view.People = page.Choices(sums.ByPerson, q.Person)
	if len(v.Access.Logs()) > 0 {
		view.People = append([]page.Choice{{Value: expense.PersonMe, Label: "Me", Chosen: q.Person == expense.PersonMe}}, view.People...)
	}
	view.Categories = page.Choices(sums.ByCategory, q.Category)
	if v.Team.ID == "" && (len(v.Access.Teams) > 1 || v.Access.ReadsAll()) {
		for _, t := range v.Access.Teams {
			view.Teams = append(view.Teams, page.Choice{Value: t.ID, Label: t.Label, Chosen: t.ID == v.only})
		}
		if _, listed := v.Access.CanRead(v.only); v.only != "" && !listed {
			view.Teams = append(view.Teams, page.Choice{Value: v.only, Label: formerTeam(v.only).Label, Chosen: true})
		}
	}
}

// fillRows lists a page's expenses and links its neighbours.
func (s *Site) fillRows(v Visit, q expense.Query, listed expense.Page, sums expense.Summary, view *page.ExpensesView) {
	apart := map[string]string{} // people of one name, by address
	for _, g := range sums.ByPerson {
		if g.Filter != g.Label {
			apart[g.Address] = g.Label
		}
	}
	for _, e := range listed.Expenses {
		e.Person = cmp.Or(apart[e.Address], e.Person)
		view.Rows = append(view.Rows, s.lineOf(e))
		view.Here.Total += e.Amount
	}
	shown := int64(len(listed.Expenses))
	view.Here.First = q.After.Place + 1
	if q.Before != (expense.Cursor{}) {
		view.Here.First = max(1, q.Before.Place+1-shown)
	}
	// Expenses come and go between two pages; both ends of the list are certain.
	if listed.Prev == (expense.Cursor{}) {
		view.Here.First = 1
	} else if listed.Next == (expense.Cursor{}) && shown > 0 {
		view.Here.First = max(1, sums.Count-shown+1)
	}
	view.Here.Last = view.Here.First + shown - 1
	neighbour := q.First()
	if listed.Prev != (expense.Cursor{}) {
		neighbour.Before = listed.Prev
		neighbour.Before.Place = view.Here.First - 1
		view.PrevURL = v.address(v.path(), neighbour)
	} else if shown == 0 && q.After != (expense.Cursor{}) {
		view.PrevURL = v.address(v.path(), q.First())
	}
	if listed.Next != (expense.Cursor{}) {
		neighbour = q.First()
		neighbour.After = listed.Next
		neighbour.After.Place = view.Here.Last
		view.NextURL = v.address(v.path(), neighbour)
	}
}

// lineOf is an expense in a list.
func (s *Site) lineOf(e expense.Expense) page.ExpenseLine {
	return page.ExpenseLine{Expense: e, URL: "/team/" + e.Team + "/expenses/" + e.ID, TeamLabel: s.teamOf(e.Team).Label}
}

// pageAndSummary returns a page and the sums of all pages. Sums of many pages are
// kept for each revision, since they are the same on each and in every order. Those
// of one page are asked for with it: there everybody sees whether they fit.
func (s *Site) pageAndSummary(ctx context.Context, v Visit, q expense.Query, revision string) (expense.Page, expense.Summary, error) {
	key := summaryKey(v, q, revision)
	if sums, ok := s.summaries.Get(key); ok {
		listed, err := s.store.Page(ctx, q, sums.Count)
		return listed, sums, err
	}
	listed, sums, err := s.store.PageAndSummary(ctx, q)
	if err == nil && revision != "" && sums.Count > expense.PageSize {
		s.keepSummary(key, sums)
	}
	return listed, sums, err
}

// unfiltered returns the sums of all that the filter can choose from, which are
// kept too.
func (s *Site) unfiltered(ctx context.Context, v Visit, revision string) (expense.Summary, error) {
	v.only = ""
	q := expense.Query{Teams: v.teams(), Reader: v.actor(), Approval: s.approves(v)}
	key := summaryKey(v, q, revision)
	if sums, ok := s.summaries.Get(key); ok {
		return sums, nil
	}
	sums, err := s.store.Summary(ctx, q)
	if err == nil && revision != "" {
		s.keepSummary(key, sums)
	}
	return sums, err
}

// summaryKey names what sums depend on, which is not the order.
func summaryKey(v Visit, q expense.Query, revision string) string {
	q = q.First()
	q.Sort, q.Desc = "", false
	return strings.Join([]string{revision, v.Access.Key(), v.viewer(), v.address(v.path(), q)}, "\n")
}

func (s *Site) keepSummary(key string, sums expense.Summary) {
	const groupCost = 64 // bytes, with a label of some length
	s.summaries.Put(key, sums, page.KeyCost+groupCost*(len(sums.ByMonth)+len(sums.ByCategory)+len(sums.ByPerson)))
}

// maxSummaries bounds what is kept of sums, in bytes.
const maxSummaries = 512 << 10

// at is the address of a query's page or file.
func at(path string, q expense.Query) string {
	if parameters := q.Values().Encode(); parameters != "" {
		return path + "?" + parameters
	}
	return path
}

// filterOf tells what is asked for as the filter form shows it. The order
// stands in it only where it is not the usual one.
func filterOf(v Visit, q expense.Query) page.FilterForm {
	values := q.Values()
	return page.FilterForm{
		Q: q.Q, Person: q.Person, Category: q.Category, Status: string(q.Status), Team: v.only, From: q.From.String(), To: q.To.String(),
		Min: q.Min.Text, Max: q.Max.Text, Sort: values.Get("sort"), Order: values.Get("order"),
	}
}

// periodLinks offers the usual ranges of dates beside the rest of the filter.
func periodLinks(v Visit, q expense.Query, today expense.Date) []page.Link {
	var links []page.Link
	for _, p := range expense.Periods(today) {
		ranged := q.First()
		ranged.From, ranged.To = p.From, p.To
		links = append(links, page.Link{Label: p.Name, URL: v.address(v.path(), ranged), Current: q.From == p.From && q.To == p.To})
	}
	return links
}

// columnsOf heads the table. A head sorts by its column, and turns the order
// around where that is so already.
func columnsOf(v Visit, q expense.Query) []page.Column {
	heads := []struct{ sort, label string }{
		{"date", "Date"}, {"person", "Name"}, {"", "Team"}, {"item", "Item"}, {"category", "Category"}, {"amount", "Amount"},
	}
	var columns []page.Column
	for _, head := range heads {
		if head.sort == "" {
			if v.Team.ID == "" {
				columns = append(columns, page.Column{Label: head.label})
			}
			continue
		}
		c := page.Column{Label: head.label, Number: head.sort == "amount"}
		sorted := q.First()
		sorted.Sort, sorted.Desc = head.sort, head.sort == "date"
		if q.Sort == head.sort {
			sorted.Desc = !q.Desc
			c.Sorted = map[bool]string{false: "ascending", true: "descending"}[q.Desc]
		}
		c.URL = v.address(v.path(), sorted)
		if head.sort == "amount" && q.Approval {
			columns = append(columns, page.Column{Label: "Status"})
		}
		columns = append(columns, c)
	}
	return columns
}

// filters lists what a query takes for groups, the largest first.
func filters(groups []expense.Group) []string {
	var all []string
	for _, g := range groups[:min(len(groups), maxSuggestions)] {
		all = append(all, g.Filter)
	}
	return all
}
