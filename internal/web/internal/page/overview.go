package page

import (
	"html/template"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/team"
)

// A DashboardView is the view of dashboard.html: what somebody's team spent, or
// each of their teams.
type DashboardView struct {
	Page
	Email      string
	Unverified bool   // Okta says that Email is not verified
	Fix        string // of that, for who runs the site; may be empty
	Admin      bool
	ReadsAll   bool
	Oversees   bool // sees who did what

	Team       *team.Team // the only one; nil where there are several or none
	Month      string     // the present one, as in November
	LastMonth  string
	Tiles      []Tile
	Budget     *expense.Budget // of the only team; nil where none holds
	Decide     *Link           // to what waits for the reader's decision; nil where nothing does
	Months     Chart           // of the only team
	Lines      []TeamLine
	Total      TeamLine // of all lines
	ByCategory Chart    // of the present month
	Latest     []ExpenseLine
	AllURL     string // of the list of all expenses
	Count      int64  // of these
}

// A Tile is a figure: what the expenses of some time come to.
type Tile struct {
	Label string // as in This year
	expense.Group
	Compared template.HTML // with what; may be empty
	URL      string        // of the expenses; empty where there are none
	Link     string        // what URL is called
}

// A TeamLine is a team in the comparison of several.
type TeamLine struct {
	Team                   team.Team
	Months                 Chart
	SoFar, LastMonth, Year expense.Money
	Budget                 *expense.Budget // of the present month; nil where none holds
}

// Compared says how a month so far compares with the days up to the same of the
// month before, which is called name.
func (l *Locale) Compared(soFar, before expense.Group, name string) template.HTML {
	switch difference := soFar.Total - before.Total; {
	case before.Count == 0:
		return template.HTML("nothing at this point in " + name)
	case difference == 0:
		return template.HTML("as much as at this point in " + name)
	case difference < 0:
		return l.mark(l.Money(-difference)) + template.HTML(" less than at this point in "+name)
	default:
		return l.mark(l.Money(difference)) + template.HTML(" more than at this point in "+name)
	}
}
