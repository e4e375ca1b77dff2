package web

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/logging"
	"expense-dashboard/internal/session"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web/internal/page"
)

const (
	// MaxExports is how many files may be made at once: each holds a connection
	// to the database for as long as its reader takes.
	maxExports = 2
	// exportTimeout bounds the making of one file, and exportPatience how long
	// its reader may take for the next few kilobytes.
	exportTimeout  = 15 * time.Minute
	exportPatience = 30 * time.Second
	// maxSuggestions bounds the names and categories that a form suggests.
	maxSuggestions = 50
)

// Visit is a request of somebody who is signed in and may see what it asks for.
type Visit struct {
	Person *session.Session
	Access team.Access
	Team   team.Team // zero for all teams
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
	if v.Team.ID != "" {
		return []string{v.Team.ID}
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
	return s.showExpenses(w, r, v, s.page(v.Person, v.Team.Label))
}

// AllExpenses handles GET /expenses.
func (s *Site) AllExpenses(w http.ResponseWriter, r *http.Request, v Visit) error {
	return s.showExpenses(w, r, v, s.page(v.Person, "All teams"))
}

// showExpenses answers with a page of expenses. One with a notice is nobody
// else's, so it is rendered for this request.
func (s *Site) showExpenses(w http.ResponseWriter, r *http.Request, v Visit, shared page.Page) error {
	if _, err := queryOf(r, v); err != nil {
		return s.wrongQuery(w, r, v, shared, err)
	}
	if told := s.notices.take(w, r); told != nil {
		view, err := s.expensesView(r, v, "")
		if err != nil {
			return err
		}
		view.Page, view.Notice = shared, told
		return s.pages.Render(w, r, http.StatusOK, "expenses", view)
	}
	known, err := s.revisions(r)
	if err != nil {
		return err
	}
	key := page.ContentKey{
		Page: "expenses", Revision: known.Of(v.Team.ID), Directory: s.directory.Current(), Today: s.today(),
		Team: v.Team.ID, Admin: v.Access.Admin, Query: r.URL.RawQuery,
	}
	if r.URL.Query().Get("person") == expense.PersonMe {
		key.Reader = v.Person.Issuer + " " + v.Person.Subject + " " + v.Person.Email
	}
	return s.pages.Show(w, r, shared, key, func() (any, error) { return s.expensesView(r, v, key.Revision) })
}

// queryOf reads what a request asks for, within what the visitor may see.
func queryOf(r *http.Request, v Visit) (expense.Query, error) {
	parameters, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return expense.Query{}, expense.QueryFaults{{Text: "The address is not made of name=value pairs joined by &."}}
	}
	q, err := expense.ParseQuery(parameters)
	q.Teams, q.Reader = v.teams(), v.actor()
	return q, err
}

// wrongQuery answers a query that is not understood with the page's own filter, as
// it was typed, and what is wrong beside its fields. A program gets the error.
func (s *Site) wrongQuery(w http.ResponseWriter, r *http.Request, v Visit, shared page.Page, err error) error {
	var faults expense.QueryFaults
	if !errors.As(err, &faults) || !AcceptsPage(r) {
		return err
	}
	s.logFailure(r, failure{Status: http.StatusBadRequest}, err)
	// What cannot be read of a broken address is left out.
	typed, _ := url.ParseQuery(r.URL.RawQuery)
	return s.pages.Render(w, r, http.StatusBadRequest, "expenses", page.ExpensesView{
		Page: shared, Team: v.Team, Path: v.path(), ClearURL: v.path(), Periods: periodLinks(v, expense.Query{Sort: "date", Desc: true}, s.today()),
		Faults: faults,
		Filter: page.FilterForm{
			Q: typed.Get("q"), Person: typed.Get("person"), Category: typed.Get("category"), From: typed.Get("from"), To: typed.Get("to"),
			Faults: faults,
		},
	})
}

// expensesView asks the database for a page and for the sums of all pages, and
// builds the links around them. The revision is that of the expenses, or empty.
func (s *Site) expensesView(r *http.Request, v Visit, revision string) (page.ExpensesView, error) {
	q, err := queryOf(r, v)
	if err != nil {
		return page.ExpensesView{}, err
	}
	listed, sums, err := s.pageAndSummary(r.Context(), v, q, revision)
	if err != nil {
		return page.ExpensesView{}, err
	}
	unfiltered := expense.Query{Sort: q.Sort, Desc: q.Desc}
	view := page.ExpensesView{
		Team: v.Team, CanLog: v.Access.CanLog(v.Team.ID), Admin: v.Access.Admin,
		Path: v.path(), Filter: filterOf(q), Filtered: q.Filtered(), ClearURL: at(v.path(), unfiltered),
		Periods: periodLinks(v, q, s.today()), Columns: columnsOf(v, q),
		Count: sums.Count, Total: sums.Total, Average: sums.Average(),
		Months: page.MonthChart(sums.ByMonth, s.pages.Locales.Of(r)), ByCategory: page.BarChart(sums.ByCategory), ByPerson: page.BarChart(sums.ByPerson),
		CSVURL: at(v.filePath()+".csv", q.First()), JSONURL: at(v.filePath()+".json", q.First()),
		People: filters(sums.ByPerson), Categories: filters(sums.ByCategory),
	}
	apart := map[string]string{} // of one name, by address
	for _, g := range sums.ByPerson {
		if g.Filter != g.Label {
			apart[g.Address] = g.Label
		}
	}
	for _, e := range listed.Expenses {
		e.Person = cmp.Or(apart[e.Address], e.Person)
		view.Rows = append(view.Rows, page.ExpenseLine{Expense: e, URL: "/team/" + e.Team + "/expenses/" + e.ID, TeamLabel: s.teamOf(e.Team).Label})
	}
	if q.After != (expense.Cursor{}) {
		view.FirstURL = at(v.path(), q.First())
	}
	if listed.Next != (expense.Cursor{}) {
		next := q
		next.After = listed.Next
		view.NextURL = at(v.path(), next)
	}
	return view, nil
}

// pageAndSummary returns a page and the sums of all pages. Sums of many pages are
// kept for each revision, since they are the same on each and in every order. Those
// of one page are asked for with it: there everybody sees whether they fit.
func (s *Site) pageAndSummary(ctx context.Context, v Visit, q expense.Query, revision string) (expense.Page, expense.Summary, error) {
	unordered := q.First()
	unordered.Sort, unordered.Desc = "", false
	key := revision + " " + at(v.path(), unordered)
	if q.Person == expense.PersonMe {
		key += " " + q.Reader.Issuer + " " + q.Reader.Subject + " " + q.Reader.Address
	}
	if sums, ok := s.summaries.Get(key); ok {
		listed, err := s.store.Page(ctx, q, sums.Count)
		return listed, sums, err
	}
	listed, sums, err := s.store.PageAndSummary(ctx, q)
	if err == nil && revision != "" && sums.Count > expense.PageSize {
		const groupCost = 64 // bytes, with a label of some length
		s.summaries.Put(key, sums, page.KeyCost+groupCost*(len(sums.ByMonth)+len(sums.ByCategory)+len(sums.ByPerson)))
	}
	return listed, sums, err
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
func filterOf(q expense.Query) page.FilterForm {
	values := q.Values()
	return page.FilterForm{
		Q: q.Q, Person: q.Person, Category: q.Category, From: q.From.String(), To: q.To.String(),
		Sort: values.Get("sort"), Order: values.Get("order"),
	}
}

// periodLinks offers the usual ranges of dates beside the rest of the filter.
func periodLinks(v Visit, q expense.Query, today expense.Date) []page.Link {
	var links []page.Link
	for _, p := range expense.Periods(today) {
		ranged := q.First()
		ranged.From, ranged.To = p.From, p.To
		links = append(links, page.Link{Label: p.Name, URL: at(v.path(), ranged), Current: q.From == p.From && q.To == p.To})
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
		c.URL = at(v.path(), sorted)
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

// teamLines puts the totals of the database beside the teams, in their order,
// those without expenses too, and behind them the teams that are no longer in
// the teams file.
func teamLines(teams []team.Team, totals []expense.TeamTotal, l *page.Locale) []page.TeamLine {
	byTeam := map[string]expense.TeamTotal{}
	for _, total := range totals {
		byTeam[total.Team] = total
	}
	var lines []page.TeamLine
	add := func(t team.Team, total expense.TeamTotal) {
		lines = append(lines, page.TeamLine{Team: t, Count: total.Count, Total: total.Total, Months: page.MonthChart(total.ByMonth, l)})
	}
	for _, t := range teams {
		add(t, byTeam[t.ID])
		delete(byTeam, t.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(byTeam)) {
		if total := byTeam[id]; total.Count > 0 {
			add(formerTeam(id), total)
		}
	}
	return lines
}

// ExportCSV handles GET /team/{id}/expenses.csv and GET /expenses.csv.
func (s *Site) ExportCSV(w http.ResponseWriter, r *http.Request, v Visit) error {
	return s.export(w, r, v, ".csv", "text/csv; charset=utf-8; header=present", expensefile.WriteCSV)
}

// ExportJSON handles GET /team/{id}/expenses.json and GET /expenses.json.
func (s *Site) ExportJSON(w http.ResponseWriter, r *http.Request, v Visit) error {
	return s.export(w, r, v, ".json", "application/json", expensefile.WriteJSON)
}

// export streams all that is asked for, on all pages, as a file.
func (s *Site) export(w http.ResponseWriter, r *http.Request, v Visit, extension, mediaType string,
	write func(io.Writer, expense.Currency, func(func(expense.Expense) error) error) error,
) error {
	q, err := queryOf(r, v)
	if err != nil {
		return err
	}
	select {
	case s.exports <- struct{}{}:
		defer func() { <-s.exports }()
	default:
		return errBusy
	}
	ctx, cancel := context.WithTimeout(r.Context(), exportTimeout)
	defer cancel()
	name := "expenses"
	if v.Team.ID != "" {
		name = v.Team.ID + "-expenses"
	}
	out := &fileAnswer{w: w, mediaType: mediaType, name: name + extension}
	return write(out, s.store.Currency(), func(yield func(expense.Expense) error) error { return s.store.Each(ctx, q, yield) })
}

// fileAnswer answers with a file that a browser saves. Its headers are set with
// the first bytes, so that what fails before them is still an error page, and
// its reader gets exportPatience for each write.
type fileAnswer struct {
	w               http.ResponseWriter
	mediaType, name string
	begun           bool
}

func (f *fileAnswer) Write(data []byte) (int, error) {
	if !f.begun {
		f.begun = true
		f.w.Header().Set("Content-Type", f.mediaType)
		f.w.Header().Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
	}
	err := http.NewResponseController(f.w).SetWriteDeadline(time.Now().Add(exportPatience))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return f.w.Write(data)
}
