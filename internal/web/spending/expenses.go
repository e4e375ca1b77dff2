package spending

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

// teamName is the parameter that chooses a team on a page of all.
const teamName = "team"

// address is that of a query's page or file, with the team that was chosen.
func address(v web.Visit, path string, q expense.Query) string {
	values := q.Values()
	if v.Only != "" {
		values.Set(teamName, v.Only)
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// viewer names the visitor for what is kept of their pages only.
func viewer(v web.Visit) string {
	return strings.Join([]string{v.Person.Issuer, v.Person.Subject, v.Person.Email}, "\n")
}

// TeamExpenses handles GET /team/{id}.
func (s *Spending) TeamExpenses(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	shared := s.Page(v.Person, v.Team.Label)
	if v.Access.CanLog(v.Team.ID) {
		shared.LogURL = v.FilePath() + "/new"
	}
	return s.showExpenses(w, r, v, shared)
}

// AllExpenses handles GET /expenses.
func (s *Spending) AllExpenses(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	return s.showExpenses(w, r, v, s.Page(v.Person, "All expenses"))
}

// showExpenses answers with a page of expenses, or of what is wrong with its address.
func (s *Spending) showExpenses(w http.ResponseWriter, r *http.Request, v web.Visit, shared page.Page) error {
	if s.AwaitsNotice(r) {
		shown, err := s.showNoticed(w, r, v, shared)
		if err != nil {
			return s.wrongQuery(w, r, v, shared, err)
		}
		if shown {
			return nil
		}
	}
	known, err := s.Revisions(r)
	if err != nil {
		return err
	}
	key := page.ContentKey{
		Page: "expenses", Revision: known.Of(v.Team.ID), Directory: v.Directory, Today: s.Today(),
		Team: v.Team.ID, Role: v.Access.Key(), Query: r.URL.RawQuery,
	}
	if r.URL.Query().Get("person") == expense.PersonMe || ownOnly(v) {
		key.Viewer = viewer(v)
	}
	err = s.pages.Show(w, r, shared, key, func() (any, error) { return s.expensesView(r, v, key) })
	return s.wrongQuery(w, r, v, shared, err)
}

// showNoticed answers with a page of expenses that tells of what was just done, and
// reports whether there is anything to tell. It is nobody else's, so it is rendered
// for this request.
func (s *Spending) showNoticed(w http.ResponseWriter, r *http.Request, v web.Visit, shared page.Page) (shown bool, err error) {
	view, err := s.expensesView(r, v, page.ContentKey{})
	if err != nil {
		return false, err
	}
	told := s.TakeNotice(w, r)
	if told == nil {
		return false, nil
	}
	shared.Title = told.Text + told.Item + told.Rest + " · " + shared.Title
	view.Page, view.Notice = shared, told
	view.Mark(path.Base(told.URL))
	return true, s.pages.Render(w, r, http.StatusOK, "expenses", view)
}

// queryOf reads what a request asks for, within what the visitor may see. The
// visit that comes with it knows which team was chosen on the page of all. What the
// request may have besides is its caller's to read.
func (s *Spending) queryOf(r *http.Request, v web.Visit, besides ...string) (expense.Query, web.Visit, error) {
	parameters, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return expense.Query{}, v, expense.QueryFaults{{Text: "The address is not made of name=value pairs joined by &."}}
	}
	if v.Team.ID == "" {
		besides = append(besides, teamName)
		if v, err = s.narrowed(r, v, parameters[teamName]); err != nil {
			return expense.Query{}, v, err
		}
	}
	if s.Approves(v) {
		besides = append(besides, expense.StatusName)
	}
	q, err := expense.ParseQuery(parameters, besides...)
	if parameters.Get("min")+parameters.Get("max") != "" {
		if wrong := q.ReadBounds(parameters, s.pages.Locales.Of(r).Notation()); wrong != nil {
			var faults expense.QueryFaults
			errors.As(err, &faults)
			err = append(faults, wrong...)
		}
	}
	q.Approving = s.Approving(v)
	q.Teams, q.Reader = v.Teams(), v.Actor()
	if q.Status != "" {
		q = q.Approved()
	}
	return q, v, err
}

// narrowed is a visit of the page of all with the team that was chosen there.
func (s *Spending) narrowed(r *http.Request, v web.Visit, chosen []string) (web.Visit, error) {
	if len(chosen) != 1 || chosen[0] == "" {
		return v, nil
	}
	_, ok, err := s.Team(r.Context(), v.Access, chosen[0])
	if err != nil {
		return v, err
	}
	if !ok {
		return v, s.Denied(r, v.Person, "not_on_the_team")
	}
	v.Only = chosen[0]
	return v, nil
}

// wrongQuery answers, where err says what is not understood of an address, with the
// page's own filter as it was typed, and what is wrong beside its fields. It returns any
// other err, which may be nil; a program gets it in any case.
func (s *Spending) wrongQuery(w http.ResponseWriter, r *http.Request, v web.Visit, shared page.Page, err error) error {
	var faults expense.QueryFaults
	if !errors.As(err, &faults) || !web.AcceptsPage(r) {
		return err
	}
	s.LogFailure(r, http.StatusBadRequest, err)
	// What cannot be read of a broken address is left out.
	typed, _ := url.ParseQuery(r.URL.RawQuery)
	q, v, err := s.understood(r, v, typed, faults)
	if err != nil {
		return err
	}
	shared.Title = "Error: " + shared.Title
	view := page.ExpensesView{
		Page: shared, Team: v.Team, Path: v.Path(), ClearURL: at(v.Path(), expense.Query{Sort: q.Sort, Desc: q.Desc}), Narrowed: true, Periods: periodLinks(v, q, s.Today()),
		Faults: faults, Approval: s.Approves(v), Filter: filterOf(v, q),
	}
	view.Filter.Q, view.Filter.Person, view.Filter.Category, view.Filter.Status = typed.Get("q"), typed.Get("person"), typed.Get("category"), typed.Get("status")
	view.Filter.From, view.Filter.To, view.Filter.Min, view.Filter.Max = typed.Get("from"), typed.Get("to"), typed.Get("min"), typed.Get("max")
	view.Filter.Faults = faults
	fillChoices(v, expense.Query{Person: typed.Get("person"), Category: typed.Get("category")}, expense.Summary{}, &view)
	return s.pages.Render(w, r, http.StatusBadRequest, "expenses", view)
}

// understood reads an address without the parameters of which faults are, and without
// the place in a list, which belongs to all the others.
func (s *Spending) understood(r *http.Request, v web.Visit, typed url.Values, faults expense.QueryFaults) (expense.Query, web.Visit, error) {
	sound := maps.Clone(typed)
	maps.DeleteFunc(sound, func(name string, _ []string) bool {
		return faults.Text(name) != "" || name == "after" || name == "before"
	})
	r = r.Clone(r.Context())
	r.URL.RawQuery = sound.Encode()
	return s.queryOf(r, v)
}

// expensesView asks the database for a page and for the sums of all pages, and
// builds the links around them. The key is that of the page, without a revision where it
// is nobody else's.
func (s *Spending) expensesView(r *http.Request, v web.Visit, key page.ContentKey) (page.ExpensesView, error) {
	q, v, err := s.queryOf(r, v)
	if err != nil {
		return page.ExpensesView{}, err
	}
	listed, sums, err := s.pageAndSummary(r.Context(), v, q, key.Revision)
	if err != nil {
		return page.ExpensesView{}, err
	}
	view := page.ExpensesView{
		Team: v.Team, Admin: v.Access.Admin, Approval: q.Approving != nil, Path: v.Path(),
		Filtered: q.Filtered() || v.Only != "", ClearURL: at(v.Path(), expense.Query{Sort: q.Sort, Desc: q.Desc}), Columns: columnsOf(v, q),
		Count: sums.Count, More: sums.More, Total: sums.Total, Average: sums.Average(),
		CSVURL: address(v, v.FilePath()+".csv", q.First()), JSONURL: address(v, v.FilePath()+".json", q.First()),
		ExcelURL: forExcel(address(v, v.FilePath()+".csv", q.First())),
	}
	s.fillRows(v, q, listed, sums, &view)
	s.offerSelecting(r, v, &view)
	around := sync.OnceValues(func() (any, error) {
		around := view
		err := s.fillAround(r, v, q, sums, key.Revision, &around)
		return around, err
	})
	if key.Revision == "" || view.PrevURL+view.NextURL == "" {
		whole, err := around()
		return whole.(page.ExpensesView), err
	}
	key.Query = address(v, v.Path(), q.First())
	if view.Above, err = s.pages.Part(r, key, "above", around); err != nil {
		return page.ExpensesView{}, err
	}
	view.Below, err = s.pages.Part(r, key, "people", around)
	return view, err
}

// fillAround fills in what stands around a list, the same on each page of it: the filter
// and what the expenses come to.
func (s *Spending) fillAround(r *http.Request, v web.Visit, q expense.Query, sums expense.Summary, revision string, view *page.ExpensesView) error {
	var err error
	view.ByStatus, view.Filter, view.Periods = statusLinks(v, q, sums), filterOf(v, q), periodLinks(v, q, s.Today())
	view.Narrowed = view.Filter.Narrowed()
	if v.Team.ID != "" && !view.Filtered {
		view.MayBudget = v.Access.CanBudget(v.Team.ID)
		if view.Budgets, err = s.store.BudgetLines(r.Context(), v.Team.ID, s.Today().Month(), s.Today()); err != nil {
			return err
		}
	}
	if !sums.More {
		s.fillCharts(r, v, q, sums, view)
	}
	offered := sums
	if view.Filtered {
		if offered, err = s.unfiltered(r.Context(), v, revision); err != nil {
			return err
		}
	}
	fillChoices(v, q, offered, view)
	return nil
}

// fillCharts draws what the sums of a page are made of.
func (s *Spending) fillCharts(r *http.Request, v web.Visit, q expense.Query, sums expense.Summary, view *page.ExpensesView) {
	today := s.Today()
	until := today
	if !q.To.IsZero() && q.To.Compare(today) < 0 {
		until = q.To
	}
	filtered := func(change func(*expense.Query)) string {
		narrower := q.First()
		change(&narrower)
		return address(v, v.Path(), narrower)
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
func fillChoices(v web.Visit, q expense.Query, sums expense.Summary, view *page.ExpensesView) {
	view.People = page.Choices(sums.ByPerson, q.Person)
	if len(v.Access.Logs()) > 0 {
		view.People = append([]page.Choice{{Value: expense.PersonMe, Label: "Me", Chosen: q.Person == expense.PersonMe}}, view.People...)
	}
	view.Categories = page.Choices(sums.ByCategory, q.Category)
	if v.Team.ID == "" && (len(v.Access.Teams) > 1 || v.Access.ReadsAll()) {
		for _, t := range v.Access.Teams {
			view.Teams = append(view.Teams, page.Choice{Value: t.ID, Label: t.Label, Chosen: t.ID == v.Only})
		}
		if _, listed := v.Access.CanRead(v.Only); v.Only != "" && !listed {
			view.Teams = append(view.Teams, page.Choice{Value: v.Only, Label: web.FormerTeam(v.Only).Label, Chosen: true})
		}
	}
}

// fillRows lists a page's expenses and links its neighbours.
func (s *Spending) fillRows(v web.Visit, q expense.Query, listed expense.Page, sums expense.Summary, view *page.ExpensesView) {
	apart := map[string]string{} // people of one name, by address
	for _, g := range sums.ByPerson {
		if g.Filter != g.Label {
			apart[g.Address] = g.Label
		}
	}
	view.Rows = make([]page.ExpenseLine, 0, len(listed.Expenses))
	for _, e := range listed.Expenses {
		e.Person = cmp.Or(apart[e.Address], e.Person)
		view.Rows = append(view.Rows, s.LineOf(e))
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
	} else if listed.Next == (expense.Cursor{}) && shown > 0 && !sums.More {
		view.Here.First = max(1, sums.Count-shown+1)
	}
	view.Here.Last = view.Here.First + shown - 1
	neighbour := q.First()
	if listed.Prev != (expense.Cursor{}) {
		neighbour.Before = listed.Prev
		neighbour.Before.Place = view.Here.First - 1
		view.PrevURL = address(v, v.Path(), neighbour)
	} else if shown == 0 && q.After != (expense.Cursor{}) {
		view.PrevURL = address(v, v.Path(), q.First())
	}
	if listed.Next != (expense.Cursor{}) {
		neighbour = q.First()
		neighbour.After = listed.Next
		neighbour.After.Place = view.Here.Last
		view.NextURL = address(v, v.Path(), neighbour)
	}
}

// pageAndSummary returns a page and the sums of all pages. Sums of many pages are
// kept for each revision, since they are the same on each and in every order. Those
// of one page are asked for with it: there everybody sees whether they fit.
func (s *Spending) pageAndSummary(ctx context.Context, v web.Visit, q expense.Query, revision string) (expense.Page, expense.Summary, error) {
	key := summaryKey(v, q, revision)
	if sums, ok := s.summaries.Get(key); ok {
		listed, err := s.store.Page(ctx, q, sums.Matches())
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
func (s *Spending) unfiltered(ctx context.Context, v web.Visit, revision string) (expense.Summary, error) {
	v.Only = ""
	q := expense.Query{Teams: v.Teams(), Reader: v.Actor(), Approving: s.Approving(v)}
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
func summaryKey(v web.Visit, q expense.Query, revision string) string {
	q = q.First()
	q.Sort, q.Desc = "", false
	return strings.Join([]string{revision, strconv.FormatInt(v.Directory, 10), v.Access.Key(), viewer(v), address(v, v.Path(), q)}, "\n")
}

func (s *Spending) keepSummary(key string, sums expense.Summary) {
	const groupCost = 130 // bytes, with a label of some length and room to grow
	groups := len(sums.ByMonth) + len(sums.ByCategory) + len(sums.ByPerson) + len(sums.ByStatus)
	s.summaries.Put(key, sums, page.KeyCost+len(key)+groupCost*groups)
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
func filterOf(v web.Visit, q expense.Query) page.FilterForm {
	values := q.Values()
	return page.FilterForm{
		Q: q.Q, Person: q.Person, Category: q.Category, Status: string(q.Status), Team: v.Only, From: q.From.String(), To: q.To.String(),
		Min: q.Min.Text, Max: q.Max.Text, Sort: values.Get("sort"), Order: values.Get("order"),
	}
}

// periodLinks offers the usual ranges of dates beside the rest of the filter.
func periodLinks(v web.Visit, q expense.Query, today expense.Date) []page.Link {
	var links []page.Link
	for _, p := range expense.Periods(today) {
		ranged := q.First()
		ranged.From, ranged.To = p.From, p.To
		links = append(links, page.Link{Label: p.Name, URL: address(v, v.Path(), ranged), Current: q.From == p.From && q.To == p.To})
	}
	return links
}

// columnsOf heads the table. A head sorts by its column, and turns the order
// around where that is so already.
func columnsOf(v web.Visit, q expense.Query) []page.Column {
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
		c.URL = address(v, v.Path(), sorted)
		if head.sort == "amount" && q.Approving != nil {
			columns = append(columns, page.Column{Label: "Status"})
		}
		columns = append(columns, c)
	}
	return columns
}

// statusLinks are the sums by status of a list, each with the list of its own.
func statusLinks(v web.Visit, q expense.Query, sums expense.Summary) []page.StatusSum {
	var all []page.StatusSum
	for _, g := range sums.ByStatus {
		of := q.First()
		of.Status = expense.Status(g.Filter)
		all = append(all, page.StatusSum{Group: g, URL: address(v, v.Path(), of)})
	}
	return all
}

// offerSelecting lets those rows of a list be selected that their reader may change,
// and lists what can be done to them.
func (s *Spending) offerSelecting(r *http.Request, v web.Visit, view *page.ExpensesView) {
	some := false
	for i := range view.Rows {
		view.Rows[i].Pick = v.MayChange(view.Rows[i].Expense)
		some = some || view.Rows[i].Pick
	}
	if !some {
		return
	}
	view.Selecting = append(view.Selecting, page.Choice{Value: expense.SelectedCategory, Label: "Change category"})
	if v.Access.Admin && len(s.directory.Current().Teams()) > 1 {
		view.Selecting = append(view.Selecting, page.Choice{Value: expense.SelectedMove, Label: "Move"})
	}
	if id := cmp.Or(v.Team.ID, v.Only); slices.ContainsFunc(s.deciding(v), func(team string) bool { return id == "" || id == team }) {
		view.Selecting = append(view.Selecting, page.Choice{Value: expense.SelectedApprove, Label: "Approve"}, page.Choice{Value: expense.SelectedSendBack, Label: "Send back"})
	}
	view.Selecting = append(view.Selecting, page.Choice{Value: expense.SelectedDelete, Label: "Delete"})
	view.ReturnTo = v.Path()
	if r.URL.RawQuery != "" {
		view.ReturnTo += "?" + r.URL.RawQuery
	}
}

// ownOnly reports whether a visitor may change nothing of some team of a list but their
// own, so that the list is theirs.
func ownOnly(v web.Visit) bool {
	return slices.ContainsFunc(v.Access.Logs(), func(t team.Team) bool {
		return !v.Access.Leads(t.ID) && (v.Team.ID == "" || v.Team.ID == t.ID)
	})
}
