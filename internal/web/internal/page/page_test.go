package page

import (
	"flag"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/team"
)

const hostile = `"><script>alert('1')</script><b onclick=x style=y>&`

// A pageState is a page as a person can see it.
type pageState struct {
	name  string
	page  string
	view  any
	title string
	want  []string // in the page, as HTML
	not   []string // in no place of the page
}

var (
	testTeam    = team.Team{ID: "finance", Label: "Finance"}
	testEnglish = newLocales(expense.Dollars(), time.UTC).english()
	testMonths  = []expense.Group{group("2026-02", 1, 100), group("2026-03", 1, 100000)}

	testExpense = expense.Expense{ID: "abc", Version: 3, Entry: expense.Entry{
		Team: "finance", Date: expense.NewDate(2026, 3, 2), Person: "Alice Johnson", Item: "Team Lunch", Category: "Meals", Amount: 100, Note: "two\nlines",
	}}
	testDeleted = expense.Expense{ID: "abc", Version: 3, Entry: testExpense.Entry, DeletedAt: time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC)}

	hostileExpense = expense.Expense{Entry: expense.Entry{Person: hostile, Item: hostile, Category: hostile, Note: hostile + "</textarea>"}}

	testHistory = []expense.Event{
		{At: time.Date(2026, 3, 3, 8, 30, 0, 0, time.UTC), Actor: expense.Actor{Address: "hannah.smith@example.com", Name: "Hannah Smith"}, Action: "changed", Changes: []expense.Change{{Field: "amount", Old: "2.00", New: "1.00"}, {Field: "note", Old: "", New: "two\nlines"}}},
		{At: time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC), Actor: expense.Actor{Address: "x@example.com", Name: "Iris"}, Action: "restored", Changes: nil},
		{At: time.Date(2026, 3, 2, 8, 20, 0, 0, time.UTC), Actor: expense.Actor{Address: "x@example.com", Name: "Iris"}, Action: "deleted", Changes: nil},
		{At: time.Date(2026, 3, 2, 8, 10, 0, 0, time.UTC), Actor: expense.Actor{Address: "x@example.com", Name: "Iris"}, Action: "imported", Changes: nil},
		{At: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), Actor: expense.Actor{Address: "alice@example.com"}, Action: "created", Changes: nil},
	}
)

// testExpenses returns a team's page with two expenses, and what edit makes of it.
func testExpenses(edit func(*ExpensesView)) ExpensesView {
	booth := expense.Expense{ID: "def", Entry: expense.Entry{Date: expense.NewDate(2026, 2, 28), Person: "Bob Smith", Item: "Event Booth", Category: "Events", Amount: 100000}}
	v := ExpensesView{
		Page: Page{Title: "Finance", SignedIn: true, Name: "Carol Lee"}, Team: testTeam, Path: "/team/finance", ClearURL: "/team/finance",
		Periods: []Link{{"This month", "/team/finance?from=2026-03-01&to=2026-03-31", false}, {"Last month", "/team/finance?from=2026-02-01&to=2026-02-28", false}},
		Columns: []Column{
			{"Date", "/team/finance?order=asc&sort=date", "descending", false},
			{"Name", "/team/finance?sort=person", "", false},
			{"Item", "/team/finance?sort=item", "", false},
			{"Category", "/team/finance?sort=category", "", false},
			{"Amount", "/team/finance?sort=amount", "", true},
		},
		Rows:  []ExpenseLine{{testExpense, "/team/finance/expenses/abc", "Finance", false, false}, {booth, "/team/finance/expenses/def", "Finance", false, false}},
		Count: 2, Total: 100100, Average: 50050, Months: testMonthChart(testMonths),
		ByCategory: BarChart([]expense.Group{group("Events", 1, 100000), group("Meals", 1, 100)}, 12, linkToGroup), ByPerson: BarChart([]expense.Group{group("Bob Smith", 1, 100000), group("Alice Johnson", 1, 100)}, 12, linkToGroup),
		NextURL: "/team/finance?after=x", CSVURL: "/team/finance/expenses.csv", JSONURL: "/team/finance/expenses.json",
		People: Choices(people("Alice Johnson", "Bob Smith"), ""), Categories: Choices(people("Events", "Meals"), ""),
		Here: Part{1, 2, 100100},
	}
	edit(&v)
	return v
}

// testDashboard returns a dashboard with figures, and what edit makes of it.
func testDashboard(edit func(*DashboardView)) DashboardView {
	soFar, before := group("", 1, 100000), group("", 1, 100)
	v := DashboardView{
		Page:  Page{Title: "Dashboard", SignedIn: true, Name: "Carol Lee", LogURL: "/team/finance/expenses/new"},
		Month: "March", LastMonth: "February", Count: 2, AllURL: "/team/finance",
		Tiles: []Tile{
			{"March so far", soFar, testEnglish.Compared(soFar, before, "February"), "/team/finance?from=2026-03-01&to=2026-03-15", "show them"},
			{"This year", group("", 2, 100100), "", "/team/finance?from=2026-01-01&to=2026-12-31", "show them"},
			{"You, in March", soFar, "", "/team/finance?person=me", "show mine"},
		},
		Months: testMonthChart(testMonths), ByCategory: BarChart([]expense.Group{group("Events", 1, 100000)}, 5, linkToGroup),
		Latest: []ExpenseLine{{testExpense, "/team/finance/expenses/abc", "Finance", false, false}},
	}
	edit(&v)
	return v
}

// people returns groups that are found by their labels.
func people(names ...string) []expense.Group {
	var groups []expense.Group
	for _, name := range names {
		groups = append(groups, expense.Group{Label: name, Filter: name, Count: 1, Total: 1})
	}
	return groups
}

func testLines() []TeamLine {
	sparks := Sparks([][]expense.Group{testMonths, {group("2026-02", 0, 0), group("2026-03", 0, 0)}})
	return []TeamLine{{testTeam, sparks[0], 100000, 100, 100100, nil}, {team.Team{ID: "hr", Label: "HR"}, sparks[1], 0, 0, 0, nil}}
}

// testForm returns the form of testExpense as it was typed, and what edit makes of
// it.
func testForm(edit func(*ExpenseFormView)) ExpenseFormView {
	f := ExpenseFormView{
		Action: "/team/finance/expenses/abc", Typed: expense.Form{Date: "2026-03-02", Person: "Alice Johnson", Item: "Team Lunch", Category: "Meals", Amount: "1.00", Note: "two\nlines", Refund: false}, Amounts: testEnglish.Notation(),
		Categories: []string{"Events", "Meals"}, MaxDate: "2027-03-05",
	}
	edit(&f)
	return f
}

// pageStates holds each page in each of its states.
var pageStates = []pageState{
	{
		"home of a guest", "home",
		HomeView{},
		"Expense Dashboard",
		[]string{`<a class="button" href="/login">Sign in</a>`, "log expenses and manage your team’s spending on the dashboard"},
		[]string{"Sign out", `<nav`, `"/dashboard"`},
	},
	{
		"home, signed out", "home",
		HomeView{Notice: &Notice{Text: "You are signed out."}},
		"Expense Dashboard",
		[]string{"role=\"status\">\n<p>You are signed out.</p>", `href="/login">Sign in</a>`},
		[]string{"Sign out"},
	},
	{
		"home signed in", "home",
		HomeView{Page: Page{SignedIn: true, Name: "Carol Lee", LogURL: "/team/finance/expenses/new"}},
		"Expense Dashboard",
		[]string{
			"<h1>Welcome, Carol Lee</h1>", `href="/dashboard">Go to dashboard</a>`, `<a class="button quiet" href="/team/finance/expenses/new">Log an expense</a>`,
			`<a class="brand" href="/dashboard">`, `<form method="post" action="/logout">`,
		},
		[]string{"Sign in<", "aria-current"},
	},
	{
		"home of somebody on no team", "home",
		HomeView{Page: Page{SignedIn: true, Name: "Noah"}, Teamless: true},
		"Expense Dashboard",
		[]string{"<h1>Welcome, Noah</h1>", "You are not on a team yet", `<a class="button" href="/profile">Go to your profile</a>`},
		[]string{"See what your team spent", "/new", "Go to dashboard"},
	},
	{
		"home without a name, of who logs nothing", "home",
		HomeView{Page: Page{SignedIn: true}},
		"Expense Dashboard",
		[]string{"<h1>Welcome</h1>"},
		[]string{"/new"},
	},
	{
		"dashboard of one team", "dashboard", testDashboard(func(v *DashboardView) { v.Team = &testTeam }),
		"Dashboard · Expense Dashboard",
		[]string{
			"<h1>Finance</h1>", `href="/dashboard" aria-current="page"`, "<dt>March so far</dt>", "<strong>$1,000.00</strong>", "1 expense · $999.00 more than at this point in February",
			`<a href="/team/finance?from=2026-03-01&amp;to=2026-03-15">show them<span class="unseen">: March so far</span></a>`, ">show mine<",
			"Last 12 months</h2>", `<li class="present"><a href="/m/2026-03">`, `<span class="unseen">Mar 2026: $1,000.00</span>`, "Jan 2026: nothing</span></li>",
			"Where March went</h2>", `<a href="/g/Events">Events</a><span class="number">$1,000.00</span>`, "Latest</h2>", `<a href="/team/finance/expenses/abc">Team Lunch</a>`,
			`<a href="/team/finance">All 2 expenses</a>`, `class="button log" href="/team/finance/expenses/new"`,
		},
		[]string{"You are not part", "not verified", "/sessions", "By team", "Team</th>"},
	},
	{
		"dashboard of several teams", "dashboard", testDashboard(func(v *DashboardView) { v.Lines, v.Total = testLines(), testLines()[0] }),
		"Dashboard · Expense Dashboard",
		[]string{
			"<h1>Your teams</h1>", "By team</h2>", `<a href="/team/hr">HR</a>`, `<th scope="col" role="columnheader" class="number">March</th>`, `<tfoot role="rowgroup">`,
			`viewBox="0 0 120 100"`, `<td role="cell" class="number muted">$1.00</td>`, `<td role="cell">Finance</td>`,
		},
		[]string{"/expenses/import", "/sessions", "/people"},
	},
	{
		"dashboard of an administrator", "dashboard", testDashboard(func(v *DashboardView) { v.Admin, v.ReadsAll, v.Lines = true, true, testLines() }),
		"Dashboard · Expense Dashboard",
		[]string{"<h1>All teams</h1>", `href="/expenses/import">Import</a>`, `href="/sessions">Who is signed in</a>`, `href="/people">People</a>`},
		nil,
	},
	{
		"dashboard of an auditor who reads nothing yet", "dashboard",
		DashboardView{Page: Page{Title: "Dashboard", SignedIn: true, Name: "Victor"}, ReadsAll: true, Tiles: []Tile{{Label: "March so far"}}},
		"Dashboard · Expense Dashboard",
		[]string{"No expenses yet.", "What is logged will be summed up here", "0 expenses<"},
		[]string{"/new", "<svg", "show"},
	},
	{
		"dashboard of a team without expenses", "dashboard",
		DashboardView{Page: Page{Title: "Dashboard", SignedIn: true, Name: "Carol", LogURL: "/team/finance/expenses/new"}, Team: &testTeam, Tiles: []Tile{{Label: "March so far"}}},
		"Dashboard · Expense Dashboard",
		[]string{`<a href="/team/finance/expenses/new">Log the first one</a>`},
		[]string{"<svg", "Latest"},
	},
	{
		"dashboard without a team", "dashboard",
		DashboardView{Page: Page{Title: "Dashboard", SignedIn: true, Name: "Nora"}, Email: "nora@example.com"},
		"Dashboard · Expense Dashboard",
		[]string{"You are not part of any teams yet.", "administrator", "nora@example.com", "<h1>Dashboard</h1>"},
		[]string{"not verified", "/team/", "No expenses"},
	},
	{
		"dashboard, address not verified", "dashboard",
		DashboardView{Page: Page{Title: "Dashboard", SignedIn: true, Name: "Nora"}, Email: "nora@example.com", Unverified: true},
		"Dashboard · Expense Dashboard",
		[]string{"Okta has not verified", "nora@example.com", "sign in again"},
		[]string{"You are not part", "/team/"},
	},
	{
		"several expenses, what changes", "selected", testSelected(func(v *SelectedView) {
			v.Item, v.Value, v.Again, v.Gone = "Travel", "Travel", 1, 2
			v.Lines[0].Changes = []expense.Change{{Field: "category", Old: "Meals", New: "Travel"}}
			v.Lines[1].Same = true
		}),
		"Change the category of 2 expenses to Travel · Expense Dashboard",
		[]string{
			"<h1>Change the category of 2 expenses to Travel</h1>", `name="value" value="Travel"`, `name="expense" value="abc"><input type="hidden" name="version" value="3">`, `name="confirm" value="yes">Change 2 expenses</button>`,
			"2 expenses, $1,001.00</h2>", `<span class="what">category:</span> <del>Meals</del> <span class="to">to</span> <ins>Travel</ins></li>`, "needs no change", "One of them was already approved or sent back", "2 of those that you selected were deleted in the meantime", `name="return_to" value="/team/finance?q=a"`,
		},
		[]string{"Preview", `role="alert"`, "Error: "},
	},
	{
		"several expenses, asked for the category", "selected", testSelected(func(v *SelectedView) {
			v.Title, v.Verb = "Change the category of 2 expenses", "Change the category of 2 expenses"
			v.Field = SelectedField{Name: "value", Label: "Category", Length: 50, Suggestions: []string{"Meals"}}
		}),
		"Change the category of 2 expenses · Expense Dashboard",
		[]string{`<label for="value">Category</label>`, `list="known"`, `<option value="Meals">`, `<button class="button">Preview</button>`},
		[]string{"confirm", "Error: "},
	},
	{
		"several expenses, a team that is none", "selected", testSelected(func(v *SelectedView) {
			v.Title, v.Verb, v.Gone = "Move 2 expenses", "Move 2 expenses", 1
			v.Field = SelectedField{Name: "value", Label: "Team", Error: "Choose a team.", Options: []Choice{{"finance", "Finance", true}}}
		}),
		"Error: Move 2 expenses · Expense Dashboard",
		[]string{`<option value="finance" selected>Finance</option>`, `id="value-error">Choose a team.`, "One of those that you selected was deleted in the meantime"},
		[]string{"confirm"},
	},
	{
		"several expenses, some of them not the reader’s to decide", "selected", testSelected(func(v *SelectedView) {
			v.Title, v.Verb, v.Decides, v.Own, v.Refused, v.Lines = "Approve 1 expense", "Approve 1 expense", true, true, v.Lines[1:], v.Lines[:1]
		}),
		"Error: Approve 1 expense · Expense Dashboard",
		[]string{"One of these is not yours to decide, so nothing was done", "Nobody decides about", "Go on without it", "1 expense, $1.00</h2>"},
		[]string{"confirm"},
	},
	{
		"several expenses, changed meanwhile, and sent before", "selected", testSelected(func(v *SelectedView) {
			v.Lines[0].Changes = []expense.Change{{Field: "status", Old: "logged", New: "sent-back"}}
			v.Stale, v.Before, v.Again, v.Lines[0].Touched = true, "Deleted 2 expenses.", 2, true
		}),
		"Error: Change the category of 2 expenses to Travel · Expense Dashboard",
		[]string{"Somebody has changed some of these in the meantime", "<strong>changed in the meantime</strong>", "<del>Logged</del>", "<ins>Sent back</ins>", "Done already: Deleted 2 expenses.", "2 of them were already approved or sent back", "confirm"},
		nil,
	},
	{
		"several expenses, none of which can be changed", "selected", testSelected(func(v *SelectedView) {
			v.Problem, v.Lines = "No expense is selected.", nil
			v.Title, v.Verb, v.Item = "Nothing to change", "Nothing to change", ""
		}),
		"Error: Nothing to change · Expense Dashboard",
		[]string{"<h1>Nothing to change</h1>", "No expense is selected.", `<a class="button" href="/team/finance?q=a">Back to the list</a>`},
		[]string{"confirm", "<h2"},
	},
	{
		"choice of a team", "choose",
		ChooseTeamView{Page: Page{Title: "Log an expense", SignedIn: true, Name: "Diana", LogURL: "/expenses/new"}, Teams: []Link{{Label: "Finance", URL: "/team/finance/expenses/new"}, {Label: "HR", URL: "/team/hr/expenses/new"}}},
		"Log an expense · Expense Dashboard",
		[]string{"For which team?</h2>", `<a href="/team/hr/expenses/new">HR</a>`, `href="/expenses/new" aria-current="page"`},
		nil,
	},
	{
		"expenses", "expenses", testExpenses(func(v *ExpensesView) {
			v.LogURL = "/team/finance/expenses/new"
			v.Rows[1].New = true
			v.Notice = &Notice{Text: "The expense was deleted.", UndoURL: "/team/finance/expenses/abc/restore", Version: 7}
		}),
		"Finance · Expense Dashboard",
		[]string{
			"<h1>Finance</h1>", `tabindex="-1" autofocus role="status"`, `<tr role="row" class="new">`, `action="/team/finance/expenses/abc/restore"><input type="hidden" name="version" value="7"><button class="button quiet">Undo`,
			`href="/team/finance/expenses/new">Log<span class="wide"> an expense</span></a>`, `href="/expenses" aria-current="true">Expenses`, `method="get" action="/team/finance"`,
			`<th scope="col" role="columnheader" aria-sort="descending"><a href="/team/finance?order=asc&amp;sort=date#list">Date<span class="arrow" aria-hidden="true"> ↓</span></a></th>`,
			`<time datetime="2026-03-02">2 Mar 2026</time>`, `<a href="/team/finance/expenses/abc">Team Lunch</a>`, `class="number">$1.00</td>`,
			"All 2 expenses</th>", ">This page</th>", "1–2 of 2<", `class="number">$1,001.00</td></tr>`, `<dt>Average</dt><dd>$500.50</dd>`, `<span class="unseen">Mar 2026: $1,000.00</span>`, `<a href="/m/2026-02">`,
			`rel="next" href="/team/finance?after=x#list">Next</a>`, `href="/team/finance/expenses.csv">Download as CSV</a>`, "Download as JSON",
			`<option value="Alice Johnson">`, `>This month</a>`, `<details><summary>More filters`, `<a href="/g/Events">Events</a>`,
		},
		[]string{"Team</th>", "Clear the filter", "Nothing matches", "No expenses yet", "Previous", "/expenses/import", `name="sort"`, "Only with"},
	},
	{
		"expenses, filtered, the last page", "expenses", testExpenses(func(v *ExpensesView) {
			v.Filtered, v.ClearURL, v.NextURL, v.PrevURL = true, "/team/finance?sort=amount", "", "/team/finance?q=lunch"
			v.Narrowed, v.Teams = true, []Choice{{"finance", "Finance", true}}
			v.People, v.Categories = Choices(people("Alice Johnson", "alice"), "Alice"), Choices(nil, "Meals")
			v.Filter = FilterForm{Q: "lunch", Person: "Alice", Category: "Meals", Team: "finance", From: "2026-03-01", To: "2026-03-31", Min: "10.00", Max: "99.50", Sort: "amount", Order: "asc"}
			v.Periods[0].Current = true
			v.Columns[0].Sorted, v.Columns[4].Sorted = "", "ascending"
			v.Count = 1
		}),
		"Finance · Expense Dashboard",
		[]string{
			`name="q" type="search" value="lunch"`, `<option value="alice" selected>`, `<option value="Meals" selected>`, `<option value="finance" selected>Finance`, "<details open>",
			`name="from" type="date" value="2026-03-01"`, `value="10.00"`, `name="to" type="date" value="2026-03-31"`,
			`type="hidden" name="sort" value="amount"`, `type="hidden" name="order" value="asc"`,
			`href="/team/finance?sort=amount">Clear the filter</a>`, `aria-current="true">This month</a>`, `rel="prev" href="/team/finance?q=lunch#list">Previous</a>`, "All 1 that match<",
			`class="number" aria-sort="ascending">`, `<span class="arrow" aria-hidden="true"> ↑</span>`, "Only with “lunch” by Alice for Meals of finance from 2026-03-01 to 2026-03-31 of at least 10.00 and at most 99.50.",
		},
		[]string{">Next<", "Undo", "↓"},
	},
	{
		"expenses of all teams", "expenses", testExpenses(func(v *ExpensesView) {
			v.Title, v.Team, v.Admin, v.Path = "All expenses", team.Team{}, true, "/expenses"
			v.Columns = slices.Insert(v.Columns, 2, Column{Label: "Team"})
		}),
		"All expenses · Expense Dashboard",
		[]string{"<h1>All expenses</h1>", `role="columnheader">Team</th>`, `<td role="cell">Finance</td>`, `href="/expenses/import">Import</a>`, `action="/expenses"`, `colspan="5"`},
		[]string{"Log<"},
	},
	{
		"expenses of which one can be selected", "expenses", testExpenses(func(v *ExpensesView) {
			v.Rows[0].Pick = true
			v.Selecting, v.ReturnTo = []Choice{{Value: "category", Label: "Change category"}, {Value: "delete", Label: "Delete"}}, "/team/finance?q=a&sort=item"
		}),
		"Finance · Expense Dashboard",
		[]string{
			`<table class="ledger picks"`, `class="pick"><span class="unseen">Select</span></th>`, `<label><input type="checkbox" name="expense" value="abc" form="selected">`, `<span class="unseen">Select Team Lunch, 2 Mar 2026</span></label>`,
			`<form id="selected" class="actions" method="post" action="/expenses/selected">`, `name="return_to" value="/team/finance?q=a&amp;sort=item"`, `<button class="button quiet" name="action" value="category">Change category</button>`,
			`<td role="cell" class="pick"></td><th scope="row" role="rowheader" colspan="4">`, `<td role="cell" class="pick"></td><td role="cell" class="date">`,
		},
		[]string{`value="move"`},
	},
	{
		"expenses, a place after the last", "expenses", testExpenses(func(v *ExpensesView) {
			v.Rows, v.NextURL, v.PrevURL = nil, "", "/team/finance"
		}),
		"Finance · Expense Dashboard",
		[]string{"There is nothing on this page of the list.", ">Previous</a>"},
		[]string{"<tfoot", "No expenses yet"},
	},
	{
		"too many to add up", "expenses",
		testExpenses(func(v *ExpensesView) {
			v.Filtered, v.Filter.Q, v.Count, v.More = true, "lunch", 20000, true
			v.Months, v.ByCategory, v.ByPerson = Chart{}, Chart{}, Chart{}
		}),
		"Finance · Expense Dashboard",
		[]string{"More than 20,000 expenses match", "Narrow the filter", "1–2 of more than 20,000", "This page"},
		[]string{"<figure", "Average", "All 20,000", "By category"},
	},
	{
		"no expenses", "expenses",
		ExpensesView{Page: Page{Title: "Finance", SignedIn: true, Name: "Carol Lee", LogURL: "/team/finance/expenses/new"}, Team: testTeam, Path: "/team/finance"},
		"Finance · Expense Dashboard",
		[]string{"<h1>Finance</h1>", "No expenses yet.", "What Finance spends", "Log<"},
		[]string{"<table", "<svg", "$0.00", "Nothing matches", `role="search"`},
	},
	{
		"no expenses of any team", "expenses",
		ExpensesView{Page: Page{Title: "All expenses", SignedIn: true, Name: "Hannah Smith"}, Admin: true, Path: "/expenses"},
		"All expenses · Expense Dashboard",
		[]string{"What your teams spend", "/expenses/import"},
		[]string{"<table"},
	},
	{
		"nothing matches", "expenses",
		ExpensesView{Page: Page{Title: "Finance", SignedIn: true, Name: "Carol Lee"}, Team: testTeam, Path: "/team/finance", Filter: FilterForm{Q: "yacht"}, Filtered: true, ClearURL: "/team/finance"},
		"Finance · Expense Dashboard",
		[]string{"Nothing matches.", `value="yacht"`, `<a href="/team/finance">show all expenses</a>`, "No expense of Finance matches this filter"},
		[]string{"<table", "<svg", "No expenses yet"},
	},
	{
		"expense of somebody else", "expense",
		ExpenseView{Page: Page{Title: "Team Lunch", SignedIn: true, Name: "Carol Lee"}, Team: testTeam, Expense: testExpense, Form: ExpenseFormView{Action: "/team/finance/expenses/abc"}, History: testHistory},
		"Team Lunch · Expense Dashboard",
		[]string{
			"<h1>Team Lunch</h1>", `<dd class="amount">$1.00</dd>`, `href="/team/finance">Finance</a>`, "two\nlines", "History</h2>",
			"<strong>Hannah Smith</strong> changed it", `<time datetime="2026-03-03T08:30:00Z">`, `amount:</span> <del>2.00</del> <span class="to">to</span> <ins>1.00</ins>`,
			"<del>nothing</del>", "<strong>alice@example.com</strong> logged it",
		},
		[]string{"<button class", "/delete", "/restore", `<input type="hidden"`},
	},
	{
		"expense of one’s own", "expense",
		ExpenseView{
			Page: Page{Title: "Team Lunch", SignedIn: true, Name: "Alice Johnson"}, Notice: &Notice{Text: "Saved."}, Team: testTeam, Expense: testExpense, MayChange: true,
			Form: testForm(func(f *ExpenseFormView) { f.Version = 3 }), History: testHistory,
		},
		"Team Lunch · Expense Dashboard",
		[]string{
			"Saved.", `<form class="fields entry" method="post" action="/team/finance/expenses/abc">`, `name="version" value="3"`, "Save changes", `action="/team/finance/expenses/abc/delete"`,
			`value="2026-03-02" required`, `max="2027-03-05"`, `maxlength="200" value="Team Lunch" required`, `inputmode="decimal"`, "\ntwo\nlines</textarea>", `<option value="Meals">`,
		},
		[]string{"Undo", `name="person"`, `name="submission"`, "Now:", "/restore", "have errors"},
	},
	{
		"expense that was deleted", "expense",
		ExpenseView{Page: Page{Title: "Team Lunch", SignedIn: true, Name: "Alice Johnson"}, Team: testTeam, Expense: testDeleted, MayChange: true, Form: ExpenseFormView{Action: "/team/finance/expenses/abc"}, History: testHistory},
		"Team Lunch · Expense Dashboard",
		[]string{"This expense was deleted</strong> on", `action="/team/finance/expenses/abc/restore"><input type="hidden" name="version" value="3"><button class="button">Restore`},
		[]string{"Save changes", "/delete"},
	},
	{
		"expense of somebody else that was deleted", "expense",
		ExpenseView{Page: Page{Title: "Team Lunch", SignedIn: true, Name: "Carol Lee"}, Team: testTeam, Expense: testDeleted, Form: ExpenseFormView{Action: "/team/finance/expenses/abc"}},
		"Team Lunch · Expense Dashboard",
		[]string{"This expense was deleted"},
		[]string{"/restore", "/delete", "History</h2>"},
	},
	{
		"expense that somebody else changed meanwhile", "expense",
		ExpenseView{
			Page: Page{Title: "Team Lunch", SignedIn: true, Name: "Hannah Smith"}, Team: testTeam, Expense: testExpense, MayChange: true, History: testHistory,
			Form: testForm(func(f *ExpenseFormView) {
				f.Admin, f.Version, f.Current = true, 3, &testExpense
				f.Typed.Item, f.Typed.Amount, f.Typed.Person, f.Typed.Note = "Dinner", "1", "Bob", "two\r\nlines"
			}),
		},
		"Team Lunch · Expense Dashboard",
		[]string{
			`role="alert"`, "Somebody else changed this expense in the meantime", `id="item-now">Now: <strong>Team Lunch</strong>`, `id="person-now">Now: <strong>Alice Johnson</strong>`,
			`value="Dinner"`, "Save mine over it", `<a href="/team/finance/expenses/abc">discard what you typed</a>`, `aria-describedby="item-now `, `name="version" value="3"`,
		},
		[]string{"date-now", "amount-now", "category-now", "note-now", "Save changes"},
	},
	{
		"expense whose date, category, amount and note somebody else changed", "expense",
		ExpenseView{
			Page: Page{Title: "Team Lunch", SignedIn: true, Name: "Alice Johnson"}, Team: testTeam, Expense: testExpense, MayChange: true,
			Form: testForm(func(f *ExpenseFormView) {
				f.Version, f.Current = 3, &expense.Expense{Entry: expense.Entry{Date: expense.NewDate(2026, 1, 9), Person: "Alice Johnson", Item: "Team Lunch", Category: "Travel", Amount: 123456}}
			}),
		},
		"Team Lunch · Expense Dashboard",
		[]string{"<strong>2026-01-09</strong>", "<strong>Travel</strong>", "<strong>1234.56</strong>", `id="note-now">Now: <strong>nothing</strong>`},
		[]string{"item-now"},
	},
	{
		"expense that somebody else deleted meanwhile", "expense",
		ExpenseView{
			Page: Page{Title: "Team Lunch", SignedIn: true, Name: "Alice Johnson"}, Team: testTeam, Expense: testDeleted, MayChange: true,
			Form: testForm(func(f *ExpenseFormView) { f.Version, f.Current = 3, &testDeleted }),
		},
		"Team Lunch · Expense Dashboard",
		[]string{"Somebody else deleted this expense in the meantime", "/restore", `value="Team Lunch"`},
		[]string{"Save", "/delete"},
	},
	{
		"categories", "categories",
		CategoriesView{Page: Page{Title: "Categories", SignedIn: true, Name: "Hannah Smith"}, Closed: true, Lines: []CategoryLine{
			{expense.Category{ID: 1, Label: "Meals", Was: "Food", Count: 2, Total: 100}, "/categories/1", ""},
			{expense.Category{ID: 2, Label: "Trips", Merged: 3}, "/categories/2", "Travel"},
			{expense.Category{ID: 4, Label: "Gifts", Retired: true}, "/categories/4", ""},
		}},
		"Categories · Expense Dashboard",
		[]string{"Only the categories of this list", "Allow new categories", `action="/categories/1/rename"`, `action="/categories/1/retire"`, "was Food", "another name of Travel", `action="/categories/2/undo"`, "retired", "2 expenses, $1.00"},
		[]string{`action="/categories/2/rename"`, `action="/categories/4/retire"`, "no categories yet"},
	},
	{
		"no categories", "categories",
		CategoriesView{Page: Page{Title: "Categories", SignedIn: true, Name: "Hannah Smith"}},
		"Categories · Expense Dashboard",
		[]string{"can add a new category", "Allow only these", "no categories yet"},
		[]string{"<table"},
	},
	{
		"budgets", "budget",
		BudgetView{
			Page: Page{Title: "Budget", SignedIn: true, Name: "Carol Lee"}, Team: testTeam, Month: "2026-11", MaySet: true, Form: BudgetForm{Version: 3, Month: "2026-11", Categories: []string{"Meals"}},
			Lines: []expense.Budget{
				{Month: "2026-11", Today: expense.NewDate(2026, 11, 15), Amount: 10000, Spent: 12000, SoFar: 12000},
				{Month: "2026-11", Today: expense.NewDate(2026, 11, 15), Category: "Meals", Amount: 10000, Spent: 4000, SoFar: 4000},
			},
			History: []expense.BudgetChange{{Actor: expense.Actor{Name: "Diana Park"}, Month: "2026-11", Amount: 10000}, {Actor: expense.Actor{Address: "a@example.com"}, Month: "2026-12", Category: "Meals"}},
		},
		"Budget of Finance · Expense Dashboard",
		[]string{"$120.00 of $100.00 spent: <strong>over by $20.00</strong>; at this rate $240.00 by the end of the month</li>", "Meals: $40.00 of $100.00 spent: $60.00 left; at this rate $80.00 by the end of the month<", `name="version" value="3"`, "<strong>Diana Park</strong> set $100.00 a month for everything the team spends starting Nov 2026", "ended the budget for Meals"},
		[]string{"There is no budget", "have errors", "in the meantime"},
	},
	{
		"budgets, a form that is stale and not right", "budget",
		BudgetView{
			Page: Page{Title: "Budget", SignedIn: true, Name: "Carol Lee"}, Team: testTeam, Month: "2026-11", MaySet: true,
			Form: BudgetForm{Month: "x", Amount: "-1", MonthError: "Wrong month.", CategoryError: "Wrong category.", AmountError: "Wrong amount.", Stale: true},
		},
		"Error: Budget of Finance · Expense Dashboard",
		[]string{"3 fields have errors", `<a href="#amount">Amount per month: Wrong amount.</a>`, `aria-describedby="amount-error amount-hint" aria-invalid="true"`, "Somebody else has set a budget in the meantime", "There is no budget for this month."},
		[]string{">History<"},
	},
	{
		"budgets, for who does not set them", "budget",
		BudgetView{Page: Page{Title: "Budget", SignedIn: true, Name: "Carol Lee"}, Team: testTeam, Month: "2026-11"},
		"Budget of Finance · Expense Dashboard",
		[]string{"There is no budget for this month."},
		[]string{"<button class"},
	},
	{
		"expense to decide about", "expense",
		ExpenseView{
			Page: Page{Title: "Team Lunch", SignedIn: true, Name: "Diana Park"}, Team: testTeam, Expense: testExpense, Approval: true, MayDecide: true,
			Form: ExpenseFormView{Action: "/team/finance/expenses/abc", ReasonError: "Enter a reason."}, History: []expense.Event{{Action: "approved"}, {Action: "sent-back"}},
		},
		"Team Lunch · Expense Dashboard",
		[]string{`action="/team/finance/expenses/abc/approve"`, `action="/team/finance/expenses/abc/send-back"`, `id="reason-error">Enter a reason.`, "<p>Status: <strong>Logged</strong></p>", "approved it", "sent it back"},
		nil,
	},
	{
		"expenses that are approved", "expenses", testExpenses(func(v *ExpensesView) {
			v.Approval, v.Filter.Status, v.Narrowed = true, "approved", true
			v.Columns = slices.Insert(v.Columns, 4, Column{Label: "Status"})
			v.Rows[0].Status = expense.StatusSentBack
			v.ByStatus = []StatusSum{{group("Approved", 1, 100), "/team/finance?status=approved"}}
			v.Budgets = []expense.Budget{{Amount: 10000, Spent: 4000}}
		}),
		"Finance · Expense Dashboard",
		[]string{`<option value="approved" selected>Approved`, `<td role="cell">Sent back</td>`, `colspan="5"`, `<dt><a href="/team/finance?status=approved">Approved: 1</a></dt><dd>$1.00`, "In all: $40.00 of $100.00 spent: $60.00 left"},
		[]string{"Set a budget"},
	},
	{
		"new expense", "new",
		NewExpenseView{Page{Title: "Log an expense", SignedIn: true, Name: "Alice Johnson"}, &Notice{Text: "Your session had ended.", Warning: true}, testTeam, ExpenseFormView{Action: "/team/finance/expenses", Amounts: testEnglish.Notation(), Submission: "once", MaxDate: "2027-03-05"}},
		"Log an expense · Expense Dashboard",
		[]string{
			"<h1>Log an expense for Finance</h1>", ">Log and add another</button>", "Your session had ended.", `action="/team/finance/expenses"><input type="hidden" name="submission" value="once">`, "Log expense</button>",
			`type="date" min="2000-01-01" max="2027-03-05"`, `list="categories"`, `maxlength="2000"`, `maxlength="50"`,
		},
		[]string{`name="version"`, `name="person"`, "aria-invalid"},
	},
	{
		"new expense by an admin", "new",
		NewExpenseView{Page{Title: "Log an expense", SignedIn: true, Name: "Hannah Smith"}, &Notice{Text: "Your session had ended.", Warning: true}, testTeam, ExpenseFormView{Action: "/team/finance/expenses", Amounts: testEnglish.Notation(), Admin: true}},
		"Log an expense · Expense Dashboard",
		[]string{`<label for="person">Person</label>`},
		[]string{`name="submission"`, "max="},
	},
	{
		"new expense with errors", "new",
		NewExpenseView{Page{Title: "Log an expense", SignedIn: true, Name: "Hannah Smith"}, &Notice{Text: "Your session had ended.", Warning: true}, testTeam, testForm(func(f *ExpenseFormView) {
			f.Admin, f.Submission = true, "once"
			f.Typed = expense.Form{Date: "2026-02-31", Amount: "-1"}
			f.Errors = expense.FieldErrors{Date: "Wrong date.", Person: "Wrong person.", Item: "Wrong item.", Category: "Wrong category.", Amount: "Wrong amount.", Note: "Wrong note."}
		})},
		"Error: Log an expense · Expense Dashboard",
		[]string{
			"6 fields have errors", `<a href="#date">Date: Wrong date.</a>`, `id="item-error">Wrong item.</p>`, `value="-1"`, `value="2026-02-31"`,
			`aria-describedby="amount-error " aria-invalid="true"`, `id="note-error"`,
		},
		[]string{"Now:"},
	},
	{
		"new expense with one error", "new",
		NewExpenseView{Page{Title: "Log an expense", SignedIn: true, Name: "Alice Johnson"}, &Notice{Text: "Your session had ended.", Warning: true}, testTeam, testForm(func(f *ExpenseFormView) { f.Errors.Item = "Wrong item." })},
		"Error: Log an expense · Expense Dashboard",
		[]string{"One field has an error", `<a href="#item">`},
		[]string{`href="#date"`},
	},
	{
		"import", "import",
		ImportView{Page: Page{Title: "Import", SignedIn: true, Name: "Hannah Smith"}, Notice: &Notice{Text: "2 expenses were added."}, Columns: expensefile.Columns},
		"Import · Expense Dashboard",
		[]string{"<h1>Import expenses</h1>", "2 expenses were added.", `method="post" action="/expenses/import" enctype="multipart/form-data"`, `name="file" type="file" accept=".csv,.txt,.tsv,text/csv,text/plain"`, "<code>" + expensefile.Columns + "</code>"},
		[]string{"Nothing was taken", "aria-invalid"},
	},
	{
		"import of what is no table", "import",
		ImportView{Page: Page{Title: "Import", SignedIn: true, Name: "Hannah Smith"}, Columns: expensefile.Columns, Error: "This is an Excel workbook: save it as CSV."},
		"Error: Import · Expense Dashboard",
		[]string{"This file cannot be read", "This is an Excel workbook", `aria-describedby="file-error file-hint" aria-invalid="true"`},
		nil,
	},
	{
		"people", "people",
		PeopleView{
			Page: Page{Title: "People", SignedIn: true, Name: "Hannah Smith"}, Notice: &Notice{Text: "Separated."},
			People: []PersonLine{
				{Person: expense.Person{ID: 7, Name: hostile, Address: "carol.lee@example.com", Count: 2, Total: 300}, JoinURL: "/people/7/join", PartURL: "/people/7/part"},
				{Person: expense.Person{ID: 8, Name: "C. Lee", Joined: 7}, Is: expense.Person{ID: 7, Name: "Carol Lee"}, JoinURL: "/people/8/join", PartURL: "/people/8/part"},
			},
		},
		"People · Expense Dashboard",
		[]string{"<h1>People</h1>", "Separated.", `action="/people/7/join"`, "no address is known", "Joined to Carol Lee", `action="/people/8/part"`, `<option value="carol.lee@example.com">`},
		[]string{`action="/people/8/join"`, `<option value="8">`},
	},
	{
		"people without anybody", "people",
		PeopleView{Page: Page{Title: "People", SignedIn: true, Name: "Hannah Smith"}},
		"People · Expense Dashboard",
		[]string{"Nobody is known yet."},
		[]string{"<table"},
	},
	{
		"preview", "preview", testPreview("ready", func(*PreviewView) {}),
		"Import · Expense Dashboard",
		[]string{
			"<h1>Check before you import</h1>", `<th scope="row">New</th><td class="number">1,234</td>`, "<button class=\"button\">Import</button>", `name="look" value="again"`,
			`action="/expenses/import/x/discard"`, "Take all 2 from the file", `id="take-7" name="take" value="7" checked`, "Bring this expense back", "<del>1.00</del>", "And 1,233 more.",
			"<p>And 1 more, which cannot be chosen one by one: they stay as they are, unless you take all 2.</p>",
		},
		[]string{"have errors", "/undo", "Undo this import", "Answer these first"},
	},
	{
		"preview that asks", "preview", testPreview("ready", func(v *PreviewView) {
			v.Refused, v.MayConfirm, v.WrongCount, v.MoreWrong = true, false, 102, 100
			v.Wrong = []expense.LineError{{Line: 2, Text: "amount: " + hostile}, {Line: 17, Text: "team: There is no team \"x\"."}}
			v.Questions = []Question{{Name: "dates", Label: "What comes first in 03/04/2026?", Hint: "For the whole file.", Open: true, Options: []Option{{"", "Choose"}, {"day-first", "The day"}}}, {Name: "person", Label: "Person of all rows", Type: "text", Value: hostile, Open: true}}
		}),
		"Error: Import · Expense Dashboard",
		[]string{"Nothing was imported: 102 lines have errors", "Answer these first", "<strong>Line 17</strong>", "And 100 more.", `<option value="day-first">The day</option>`, `<details open>`},
		[]string{`<button class="button">Import</button>`},
	},
	{
		"import under way", "preview", testPreview("running", func(v *PreviewView) { v.Done, v.Rows = 12000, 50000 }),
		"Importing: Import · Expense Dashboard",
		[]string{"Importing, 12,000 of 50,000."},
		[]string{"/undo", "/discard", "<form class=\"fields"},
	},
	{
		"import taken back at the moment", "preview", testPreview("running", func(v *PreviewView) { v.Undoing, v.Done = true, 12000 }),
		"Undoing: Import · Expense Dashboard",
		[]string{"Undoing: 12,000 left."},
		nil,
	},
	{
		"import done", "preview", testPreview("done", func(v *PreviewView) {
			v.Left, v.LeftCount = []expense.LineError{{Line: 3, Text: "Somebody changed this expense in the meantime, and that stands."}}, 1
		}),
		"Imported: Import · Expense Dashboard",
		[]string{`action="/expenses/import/x/undo"`, "One row was left alone", "<strong>Line 3</strong>", "Skipped", "<strong>Line 9</strong>"},
		[]string{"/discard"},
	},
	{
		"import taken back", "preview", testPreview("undone", func(v *PreviewView) { v.Kept = 2 }),
		"Import · Expense Dashboard",
		[]string{"What this import did was undone. 2 expenses were kept"},
		[]string{"/undo", "/discard"},
	},
	{
		"import that failed", "preview", testPreview("failed", func(*PreviewView) {}),
		"Import · Expense Dashboard",
		[]string{"The import could not be finished"},
		[]string{"/undo", "/discard"},
	},
	{
		"profile of a member", "profile",
		ProfileView{
			Page: Page{Title: "Profile", SignedIn: true, Name: "Carol Lee"}, Email: "carol.lee@example.com", Teams: []team.Team{{ID: "finance", Label: "Finance"}},
			SignedInAt: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
			EndsAt:     time.Date(2026, 3, 1, 22, 0, 0, 0, time.FixedZone("", 3600)),
			Address:    "carol.lee@example.com", Rules: []team.Rule{{Line: 12, Text: `"carol.lee@example.com": "finance"`}, {Line: 20, Text: `"Leads": {"finance": "lead"}`, Group: "Leads"}}, RuleFile: "the teams file",
			Issuer: "dev-123456.okta.com", Methods: []string{"a password", "a one-time code"},
			IdleTimeout: time.Hour, Now: time.Date(2026, 3, 1, 9, 1, 30, 0, time.UTC),
		},
		"Profile · Expense Dashboard",
		[]string{"Carol Lee", "carol.lee@example.com", `<a href="/team/finance">Finance</a>`, `<time datetime="2026-03-01T21:00:00Z">1 Mar 2026, 21:00 UTC</time>`, `<time datetime="2026-03-01T09:00:00Z">`, "in 11 hours 58 minutes. If you are away for 1 hour, it ends sooner: at <time datetime=\"2026-03-01T10:01:30Z\">", "Why you see this</h2>", "<code>&#34;carol.lee@example.com&#34;: &#34;finance&#34;</code>", "Line 12 of the teams file.", "dev-123456.okta.com, with a password, a one-time code", `href="/profile" aria-current="page"`},
		[]string{"Administrator", "not verified"},
	},
	{
		"profile of an admin", "profile",
		ProfileView{
			Page: Page{Title: "Profile", SignedIn: true, Name: "Hannah Smith"}, Email: "hannah.smith@example.com", Admin: true, Rules: []team.Rule{{Line: 20, Text: `"hannah.smith@example.com": "admin"`}},
			Teams: []team.Team{{ID: "finance", Label: "Finance"}, {ID: "hr", Label: "HR"}}, IdleTimeout: time.Hour,
		},
		"Profile · Expense Dashboard",
		[]string{"Administrator", "all teams", "/team/hr"},
		[]string{"None"},
	},
	{
		"profile of somebody on no team", "profile",
		ProfileView{Page: Page{Title: "Profile", SignedIn: true, Name: "Nora"}, Email: "Nora@example.com", Address: "nora@example.com", RuleFile: "the built-in sample", IdleTimeout: time.Hour},
		"Profile · Expense Dashboard",
		[]string{"Why you see no team", "An administrator of the dashboard can add you.", "<details open>", "None: the built-in sample names neither this address nor a group of yours.", "<dd class=\"address\">nora@example.com"},
		[]string{"<code>", "Line "},
	},
	{
		"profile, address not verified", "profile",
		ProfileView{Page: Page{Title: "Profile", SignedIn: true, Name: ""}, Email: "nora@example.com", Unverified: true, Fix: "do this", IdleTimeout: time.Hour},
		"Profile · Expense Dashboard",
		[]string{"Okta has not verified", "Okta gave no name", "None is looked up", "For you who run this site:</strong> do this."},
		[]string{"/team/"},
	},
	{
		"profile with sessions", "profile",
		ProfileView{
			Page: Page{Title: "Profile", SignedIn: true, Name: "Carol Lee"}, Email: "carol.lee@example.com", IdleTimeout: time.Hour, Notice: &Notice{Text: "Ended 1 other session."},
			Sessions: []SessionLine{{Browser: "Firefox on Linux", Own: true}, {Browser: "Safari on iPhone", EndURL: "/profile/sessions/x/end"}},
		},
		"Profile · Expense Dashboard",
		[]string{"Ended 1 other session.", "Where you are signed in", "Firefox on Linux", "This one", `action="/profile/sessions/x/end"`, "End all others"},
		nil,
	},
	{
		"sessions", "sessions",
		SessionsView{
			Page: Page{Title: "Who is signed in", SignedIn: true, Name: "Hannah Smith"}, Search: "carol", IdleTimeout: time.Hour, NextURL: "/sessions?after=x",
			Lines: []SessionLine{
				{Subject: "00u1", Name: "Carol Lee", Address: "carol.lee@example.com", Browser: "Firefox on Linux", LastUsed: time.UnixMilli(1_772_400_000_000), EndURL: "/sessions/x/end"},
				{Subject: "00u2", Name: "Carola Li", Address: "carola.li@example.com", Browser: "Safari on iPhone", EndURL: "/sessions/y/end"},
			},
		},
		"Who is signed in · Expense Dashboard",
		[]string{"Carol Lee", `value="carol"`, `action="/sessions/x/end"`, `name="sub" value="00u1"`, `<input type="hidden" name="q" value="carol">`, "1 hour", "Next page", "1 Mar 2026, 21:20 UTC</time></td>", "Not known</td>", "<summary>End<span class=\"unseen\"> a session of Carola Li: Safari on iPhone</span></summary>", `<p class="back"><a href="/dashboard">`},
		[]string{"This one</span>", "Nobody"},
	},
	{
		"hostile sessions", "sessions",
		SessionsView{
			Page: Page{Title: "Who is signed in", SignedIn: true, Name: hostile}, Search: hostile, NextURL: "javascript:alert(1)",
			Lines: []SessionLine{{Subject: hostile, Name: hostile, Address: hostile, Browser: hostile, EndURL: "javascript:alert(1)"}},
		},
		"Who is signed in · Expense Dashboard", nil, nil,
	},
	{
		"no sessions", "sessions",
		SessionsView{Page: Page{Title: "Who is signed in", SignedIn: true, Name: "Hannah Smith"}, Search: "x"},
		"Who is signed in · Expense Dashboard",
		[]string{"Nobody with such an address is signed in.", `href="/sessions">Show everybody`},
		[]string{"<table"},
	},
	{
		"activity", "activity",
		ActivityView{
			Page: Page{Title: "Activity", SignedIn: true, Name: "Hannah Smith"}, Person: "carol", Filtered: true, NextURL: "/activity?after=x", CSVURL: "/activity.csv",
			Kinds: []Choice{{Value: "created", Label: "created"}, {Value: "sent-back", Label: "sent-back", Chosen: true}}, Teams: []Choice{{Value: "finance", Label: "Finance"}},
			Lines: []ActivityLine{{Activity: expense.Activity{Event: testHistory[0], Item: "Team Lunch"}, TeamLabel: "Finance", URL: "/team/finance/expenses/abc"}},
		},
		"Activity · Expense Dashboard",
		[]string{`value="carol"`, `<option value="sent-back" selected>sent back`, `href="/team/finance/expenses/abc"`, "Team Lunch", "Next page", `href="/activity.csv"`, "Clear the filter"},
		[]string{"Nothing matches"},
	},
	{
		"hostile activity", "activity",
		ActivityView{
			Page: Page{Title: "Activity", SignedIn: true, Name: hostile}, Person: hostile, From: hostile, To: hostile, NextURL: "javascript:alert(1)", CSVURL: "javascript:alert(1)",
			Lines: []ActivityLine{{Activity: expense.Activity{Event: expense.Event{Actor: expense.Actor{Name: hostile, Address: hostile}, Action: hostile, Changes: []expense.Change{{Field: hostile, Old: hostile, New: hostile}}}, Item: hostile}, TeamLabel: hostile, URL: "javascript:alert(1)"}},
		},
		"Activity · Expense Dashboard", nil, nil,
	},
	{
		"activity, not understood", "activity",
		ActivityView{Page: Page{Title: "Error: Activity", SignedIn: true, Name: "Hannah Smith"}, From: "yesterday", Faults: expense.QueryFaults{{Parameter: "from", Text: "Enter the date."}}},
		"Error: Activity · Expense Dashboard",
		[]string{`role="alert"`, "Enter the date.", `value="yesterday"`, `href="/activity"`},
		[]string{"Nothing matches", "What was done, the latest first"},
	},
	{
		"no activity", "activity",
		ActivityView{Page: Page{Title: "Activity", SignedIn: true, Name: "Hannah Smith"}},
		"Activity · Expense Dashboard",
		[]string{"Nothing has been done yet."},
		[]string{"<ol", "Clear the filter"},
	},
	{
		"error with an action", "error",
		ErrorView{Heading: "Sign-in took too long", Message: "Too much time went by.", Next: "Start again.", Reference: "K7QX", ActionLabel: "Sign in again", ActionURL: "/login"},
		"Sign-in took too long · Expense Dashboard",
		[]string{"<h1>Sign-in took too long</h1>", "Too much time went by.", "Start again.", "<code>K7QX</code>", `href="/login">Sign in again</a>`},
		[]string{"Sign out"},
	},
	{
		"error with nothing but a message", "error",
		ErrorView{Page: Page{SignedIn: true}, Heading: "Page not found", Message: "There is no page here."},
		"Page not found · Expense Dashboard",
		[]string{"<h1>Page not found</h1>", "Sign out"},
		[]string{"reference", `class="button"`},
	},
	{
		"sign-out question", "signout",
		SignOutView{Page{Title: "Sign out?", SignedIn: true, Name: "Carol Lee"}},
		"Sign out? · Expense Dashboard",
		[]string{"<h1>Sign out?</h1>", `<form method="post" action="/logout"><button class="button">`, `<a href="/">`},
		nil,
	},
	{
		"page that goes on", "onward",
		OnwardView{Page{Title: "Signing out"}, "Signing out", "/login?return_to=%2F&b=c"},
		"Signing out · Expense Dashboard",
		[]string{"<h1>Signing out</h1>", `href="/login?return_to=%2F&amp;b=c"`},
		nil,
	},
	{
		"hostile dashboard", "dashboard",
		DashboardView{Page: Page{Title: hostile, SignedIn: true, Name: hostile}, Email: hostile, Team: &team.Team{ID: hostile, Label: hostile}, Tiles: []Tile{{hostile, group("", 1, 1), "", "javascript:alert(1)", hostile}}, Month: hostile, AllURL: "javascript:alert(1)", ByCategory: BarChart([]expense.Group{group(hostile, 1, 1)}, 5, func(expense.Group) string { return "javascript:alert(1)" }), Latest: []ExpenseLine{{hostileExpense, "javascript:alert(1)", hostile, true, false}}},
		hostile + " · Expense Dashboard",
		[]string{html.EscapeString("</script>")},
		nil,
	},
	{
		"hostile comparison", "dashboard",
		DashboardView{Page: Page{Title: "Dashboard", SignedIn: true, Name: hostile}, Admin: true, Tiles: []Tile{{}}, Month: hostile[:10], LastMonth: hostile[:10], Lines: []TeamLine{{Team: team.Team{ID: hostile, Label: hostile}}}},
		"Dashboard · Expense Dashboard",
		[]string{html.EscapeString("</script>")},
		nil,
	},
	{
		"hostile expenses", "expenses", testExpenses(func(v *ExpensesView) {
			v.Page, v.Team, v.Path, v.Filtered = Page{Title: hostile, SignedIn: true, Name: hostile, LogURL: "javascript:alert(1)"}, team.Team{ID: hostile, Label: hostile}, "/team/"+hostile, true
			v.Notice = &Notice{Text: hostile, Item: hostile, Rest: hostile, UndoURL: hostile, Version: 1}
			v.Filter = FilterForm{Q: hostile, Person: hostile, Category: hostile, Team: hostile, From: hostile, To: hostile, Sort: hostile, Order: hostile}
			v.ClearURL, v.PrevURL, v.NextURL, v.CSVURL, v.JSONURL = "javascript:alert(1)", hostile, hostile, hostile, hostile
			v.Periods, v.Columns = []Link{{hostile, hostile, true}}, []Column{{hostile, hostile, "ascending", false}}
			v.Rows = []ExpenseLine{{expense.Expense{Entry: expense.Entry{Date: expense.NewDate(2026, 3, 2), Person: hostile, Item: hostile, Category: hostile}}, hostile, hostile, true, true}}
			bad := Chart{Bars: []Bar{{Group: group(hostile, 1, 1), Month: hostile, Year: hostile, Short: hostile, URL: "javascript:alert(1)", Up: 1, Down: 1}}, Before: &Bar{Group: group(hostile, 1, 1)}}
			v.Months, v.ByCategory, v.ByPerson = bad, bad, bad
			v.People, v.Categories, v.Teams = Choices(people(hostile), hostile), Choices(nil, hostile), []Choice{{hostile, hostile, true}}
		}),
		hostile + " · Expense Dashboard",
		[]string{html.EscapeString("</script>")},
		[]string{"javascript:"},
	},
	{
		"hostile expense", "expense",
		ExpenseView{
			Page: Page{Title: hostile, SignedIn: true, Name: hostile}, Notice: &Notice{Text: hostile, Item: hostile, Rest: hostile, UndoURL: hostile, Version: 1}, Team: team.Team{ID: hostile, Label: hostile}, Expense: hostileExpense, MayChange: true,
			Form: ExpenseFormView{
				Action: "javascript:alert(1)", Admin: true, Submission: hostile, Version: 1, Typed: expense.Form{Date: hostile, Person: hostile, Item: hostile, Category: hostile, Amount: hostile, Note: "</textarea>" + hostile, Refund: false},
				Errors: expense.FieldErrors{Date: hostile, Person: hostile, Item: hostile, Category: hostile, Amount: hostile, Note: hostile}, Current: &hostileExpense, Categories: []string{hostile}, MaxDate: hostile,
			},
			History: []expense.Event{{Actor: expense.Actor{Address: hostile, Name: hostile}, Action: hostile, Changes: []expense.Change{{Field: hostile, Old: hostile, New: hostile}}}},
		},
		"Error: " + hostile + " · Expense Dashboard",
		[]string{html.EscapeString("</textarea>")},
		[]string{"javascript:"},
	},
	{
		"hostile address without a team", "dashboard",
		DashboardView{Page: Page{Title: "Dashboard", SignedIn: true, Name: hostile}, Email: hostile},
		"Dashboard · Expense Dashboard", nil, nil,
	},
	{
		"hostile profile", "profile",
		ProfileView{Page: Page{Title: "Profile", SignedIn: true, Name: hostile}, Email: hostile, Unverified: true, Teams: []team.Team{{ID: hostile, Label: hostile}}, Fix: hostile, Address: hostile, RuleFile: hostile, Issuer: hostile, Methods: []string{hostile}},
		"Profile · Expense Dashboard", nil, nil,
	},
	{
		"hostile error", "error",
		ErrorView{Page: Page{}, Heading: hostile, Message: hostile, Next: hostile, Reference: hostile, ActionLabel: hostile[:10], ActionURL: "javascript:alert(1)", Fix: hostile},
		hostile + " · Expense Dashboard", nil,
		[]string{"javascript:"},
	},
}

func newTestPages(t *testing.T) *Pages {
	t.Helper()
	p, err := New(os.DirFS("../../../.."), os.DirFS("../../../.."), expense.Dollars(), time.UTC, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var statesFolder = flag.String("states", "", "write each page in each of its states to this `folder`, for tools that look at them")

func TestRender(t *testing.T) {
	p := newTestPages(t)
	for i, tt := range pageStates {
		t.Run(tt.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			if err := p.Render(rec, httptest.NewRequest(http.MethodGet, "/", nil), http.StatusTeapot, tt.page, tt.view); err != nil {
				t.Fatal(err)
			}
			body := rec.Body.String()
			if *statesFolder != "" {
				if err := os.WriteFile(filepath.Join(*statesFolder, fmt.Sprintf("%03d.html", i)), rec.Body.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if rec.Code != http.StatusTeapot {
				t.Errorf("status = %d, want the one given", rec.Code)
			}
			if got := rec.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
				t.Errorf("Content-Type = %q", got)
			}
			if got := rec.Header().Get("Content-Length"); got != strconv.Itoa(len(body)) {
				t.Errorf("Content-Length = %s, want %d", got, len(body))
			}
			_, title, _ := strings.Cut(body, "<title>")
			title, _, _ = strings.Cut(title, "</title>")
			if got := html.UnescapeString(title); got != tt.title {
				t.Errorf("title = %q, want %q", got, tt.title)
			}
			for _, s := range tt.want {
				if !strings.Contains(body, s) {
					t.Errorf("page lacks %q:\n%s", s, body)
				}
			}
			for _, s := range tt.not {
				if strings.Contains(body, s) {
					t.Errorf("page holds %q:\n%s", s, body)
				}
			}
		})
	}
}

var (
	idAttr     = regexp.MustCompile(`\sid="([^"]*)"`)
	inlineAttr = regexp.MustCompile(`(?i)<[a-z](?:[^>"]|"[^"]*")*\s(style|on[a-z]+)\s*=`)
)

// TestPagesAreWellMade checks what holds of every page: one heading of the
// first level, ids that occur once, landmarks, and nothing that the content
// security policy forbids.
func TestPagesAreWellMade(t *testing.T) {
	p := newTestPages(t)
	for _, tt := range pageStates {
		t.Run(tt.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			if err := p.Render(rec, httptest.NewRequest(http.MethodGet, "/", nil), http.StatusOK, tt.page, tt.view); err != nil {
				t.Fatal(err)
			}
			body := rec.Body.String()
			for _, tag := range []string{"<html lang=\"en\">", "<h1>", "<header>", "<main ", "<footer>", `href="#content"`, `id="content"`} {
				if n := strings.Count(body, tag); n != 1 {
					t.Errorf("%s occurs %d times, want once", tag, n)
				}
			}
			for _, bad := range []string{"<script", "<style", "javascript:", "data:", "http:", "https:"} {
				if strings.Contains(strings.ToLower(body), bad) {
					t.Errorf("page holds %q:\n%s", bad, body)
				}
			}
			if m := inlineAttr.FindString(body); m != "" {
				t.Errorf("page holds an inline style or script: %s", m)
			}
			seen := map[string]bool{}
			for _, m := range idAttr.FindAllStringSubmatch(body, -1) {
				if seen[m[1]] {
					t.Errorf("id %q occurs twice", m[1])
				}
				seen[m[1]] = true
			}
			if n := strings.Count(body, `aria-current="page"`); n > 1 {
				t.Errorf("%d pages are marked as the current one", n)
			}
		})
	}
}

var (
	control   = regexp.MustCompile(`<(?:input|textarea|select)\s[^>]*>`)
	ariaRefs  = regexp.MustCompile(`\s(?:aria-describedby|aria-labelledby|for|list)="([^"]*)"`)
	localLink = regexp.MustCompile(`href="#([^"]*)"`)
)

// testSelected is what is to be done to two expenses.
func testSelected(edit func(*SelectedView)) SelectedView {
	one, other := testExpense, testExpense
	one.ID, one.Version, other.ID, other.Version, other.Amount, other.Item = "abc", 3, "def", 1, 100000, "Event booth"
	v := SelectedView{
		Page: Page{Title: "Change the category of 2 expenses to Travel", SignedIn: true, Name: "Diana Park"}, Verb: "Change the category of 2 expenses to ", Button: "Change 2 expenses", Action: "category", ReturnTo: "/team/finance?q=a", Submission: "s.m",
		Lines: []SelectedLine{{ExpenseLine: ExpenseLine{Expense: one, URL: "/team/finance/expenses/abc"}}, {ExpenseLine: ExpenseLine{Expense: other, URL: "/team/finance/expenses/def"}}},
	}
	edit(&v)
	return v
}

// testPreview is an import in a state, with something of everything.
func testPreview(state string, change func(*PreviewView)) PreviewView {
	v := PreviewView{
		Page: Page{Title: "Import", SignedIn: true, Name: "Hannah Smith"}, URL: "/expenses/import/x", FileName: "march.csv", State: state, MayConfirm: true,
		Counts: []ImportCount{{"New", 1234}, {"With errors", 0}}, Reading: "Read as UTF-8 text.",
		Columns: []Question{{Name: "column-0", Label: "Datum", Value: "date", Options: []Option{{"ignore", "Ignored"}, {"date", "Date"}}}},
		New:     []ImportRow{{2, testExpense.Entry, "Finance"}}, MoreNew: 1233,
		Changed:   []ImportDifference{{Line: 5, Item: hostile, URL: "/team/finance/expenses/x", Changes: []expense.Change{{Field: "note", Old: "", New: hostile}}}},
		Conflicts: []ImportDifference{{Line: 7, Item: "Taxi", URL: "/team/finance/expenses/y", Changes: []expense.Change{{Field: "amount", Old: "1.00", New: "2.00"}}, Taken: true}}, ConflictCount: 2, MoreConflicts: 1,
		Deleted: []ImportDifference{{Line: 8, Item: "Tea"}}, DeletedCount: 1,
		Skipped: []expense.LineError{{Line: 9, Text: "It is a total."}}, SkippedCount: 1,
	}
	change(&v)
	return v
}

// TestFormsAreWellMade checks what holds of every control: a label, and where it
// is not right the error that it is described by. What refers to an id finds it.
func TestFormsAreWellMade(t *testing.T) {
	p := newTestPages(t)
	for _, tt := range pageStates {
		t.Run(tt.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			if err := p.Render(rec, httptest.NewRequest(http.MethodGet, "/", nil), http.StatusOK, tt.page, tt.view); err != nil {
				t.Fatal(err)
			}
			body := rec.Body.String()
			errors := strings.Count(body, `class="wrong"`)
			for _, tag := range control.FindAllString(body, -1) {
				if strings.Contains(tag, `type="hidden"`) {
					continue
				}
				if strings.Contains(body, "<label>"+tag+"<span") {
					continue // its label is around it
				}
				id := idAttr.FindStringSubmatch(tag)
				if id == nil || strings.Count(body, `<label for="`+id[1]+`">`) != 1 {
					t.Errorf("no label, or more than one: %s", tag)
					continue
				}
				wrong := strings.Contains(tag, `aria-invalid="true"`)
				if strings.Contains(body, `id="`+id[1]+`-error"`) {
					errors--
					if !wrong || !strings.Contains(tag, `aria-describedby="`+id[1]+"-error") {
						t.Errorf("not tied to its error: %s", tag)
					}
				} else if wrong && tt.page != "import" {
					t.Errorf("called wrong without an error: %s", tag)
				}
			}
			if errors != 0 {
				t.Errorf("%d errors stand beside no field", errors)
			}
			for _, m := range slices.Concat(ariaRefs.FindAllStringSubmatch(body, -1), localLink.FindAllStringSubmatch(body, -1)) {
				for id := range strings.FieldsSeq(m[1]) {
					// This is what html/template makes of javascript:.
					if id == "ZgotmplZ" {
						continue
					}
					if !strings.Contains(body, ` id="`+id+`"`) {
						t.Errorf("%s refers to no id", strings.TrimSpace(m[0]))
					}
				}
			}
		})
	}
}

func TestRenderWritesNothingAfterAnError(t *testing.T) {
	p := newTestPages(t)
	for _, tt := range []struct {
		name string
		page string
		view any
	}{
		{"no such page", "nowhere", HomeView{}},
		{"the layout alone", "layout", HomeView{}},
		{"view of another page", "expenses", HomeView{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			if err := p.Render(rec, httptest.NewRequest(http.MethodGet, "/", nil), http.StatusOK, tt.page, tt.view); err == nil {
				t.Error("render gave no error")
			}
			if rec.Body.Len() > 0 || len(rec.Header()) > 0 {
				t.Errorf("wrote %v %q", rec.Header(), rec.Body)
			}
		})
	}
}

// getStatic asks for a static file of a site whose 404 page says "our own".
func getStatic(p *Pages, target string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
	r.Header = header
	rec := httptest.NewRecorder()
	if !p.Static(rec, r) {
		http.Error(rec, "our own", http.StatusNotFound)
	}
	return rec
}

func TestStaticFiles(t *testing.T) {
	p := newTestPages(t)
	const (
		short     = "public, max-age=300"
		immutable = "public, max-age=31536000, immutable"
	)
	style, err := p.staticURL("style.css")
	if err != nil {
		t.Fatal(err)
	}
	icon, err := p.staticURL("favicon.svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, target, contentType, caching string }{
		{"style as linked", style, "text/css; charset=utf-8", immutable},
		{"icon as linked", icon, "image/svg+xml", immutable},
		{"no version", "/static/style.css", "text/css; charset=utf-8", short},
		{"other version", "/static/style.css?v=0", "text/css; charset=utf-8", short},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := getStatic(p, tt.target, nil)
			if rec.Code != http.StatusOK || rec.Body.Len() == 0 {
				t.Fatalf("status %d with %d bytes", rec.Code, rec.Body.Len())
			}
			if got := rec.Header().Get("Content-Type"); got != tt.contentType {
				t.Errorf("Content-Type = %q, want %q", got, tt.contentType)
			}
			if got := rec.Header().Get("Cache-Control"); got != tt.caching {
				t.Errorf("Cache-Control = %q, want %q", got, tt.caching)
			}
			etag := rec.Header().Get("ETag")
			again := getStatic(p, tt.target, http.Header{"If-None-Match": {etag}})
			if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
				t.Errorf("with If-None-Match %s: status %d with %d bytes, want an empty 304", etag, again.Code, again.Body.Len())
			}
			changed := getStatic(p, tt.target, http.Header{"If-None-Match": {`"0"`}})
			if changed.Code != http.StatusOK {
				t.Errorf("with another ETag: status %d, want 200", changed.Code)
			}
		})
	}
}

func TestStaticRefusesWhatIsNoFile(t *testing.T) {
	p := newTestPages(t)
	for _, target := range []string{
		"/static/", "/static", "/static/.", "/static/..", "/static/none.css", "/static/style.css/",
		"/static//style.css", "/static/../pages.go", "/static/../static/style.css", "/static/../templates/home.html",
		"/static/templates/home.html", "/static/static/style.css", "/static/STYLE.CSS", "/static/style.css\x00", "/static/..\\pages.go", "style.css/..",
	} {
		t.Run(target, func(t *testing.T) {
			rec := getStatic(p, target, nil)
			if rec.Code != http.StatusNotFound || !strings.Contains(rec.Body.String(), "our own") {
				t.Errorf("status %d %q, want the site's 404", rec.Code, rec.Body)
			}
			if rec.Header().Get("ETag") != "" || strings.Contains(rec.Header().Get("Cache-Control"), "public") {
				t.Errorf("a 404 that may be kept: %v", rec.Header())
			}
		})
	}
}

// TestStyleFetchesNothing keeps the stylesheet within the content security
// policy, which allows no fonts, no data URLs and no other origin.
func TestStyleFetchesNothing(t *testing.T) {
	body := getStatic(newTestPages(t), "/static/style.css", nil).Body.String()
	for _, bad := range []string{"url(", "@import", "data:", "http"} {
		if strings.Contains(body, bad) {
			t.Errorf("style.css holds %q", bad)
		}
	}
	if len(body) > 20<<10 {
		t.Errorf("style.css has %d bytes, want at most 20 KB", len(body))
	}
}

// TestEveryPageIsShown fails when a page is added without a state here.
func TestEveryPageIsShown(t *testing.T) {
	p := newTestPages(t)
	for name := range p.templates[p.Locales.english()] {
		if !slices.ContainsFunc(pageStates, func(s pageState) bool { return s.page == name }) {
			t.Errorf("page %s has no state in pageStates", name)
		}
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, sort, id, want string }{
		{"the last of its day", "", "c", "a c* b d"},
		{"the first of its day", "", "b", "a b* c d"},
		{"alone in its day", "date", "d", "a b c d*"},
		{"in a list by amount", "amount", "c", "a b c* d"},
		{"on another page", "", "x", "a b c d"},
	} {
		v := ExpensesView{Filter: FilterForm{Sort: test.sort}}
		for i, day := range []int{3, 2, 2, 1} {
			v.Rows = append(v.Rows, ExpenseLine{Expense: expense.Expense{ID: "abcd"[i : i+1], Entry: expense.Entry{Date: expense.NewDate(2026, 3, day)}}})
		}
		v.Mark(test.id)
		var got []string
		for _, row := range v.Rows {
			if row.New {
				row.ID += "*"
			}
			got = append(got, row.ID)
		}
		if text := strings.Join(got, " "); text != test.want {
			t.Errorf("%s: the rows are %s, want %s", test.name, text, test.want)
		}
	}
}
