package expense

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// PageSize is how many expenses a page shows.
const PageSize = 50

// Page is one page of the expenses that a query asks for.
type Page struct {
	Expenses []Expense
	Next     Cursor // where the next page starts; zero on the last page
	Prev     Cursor // where the previous page ends; zero on the first page
}

// Summary is what the expenses that a query asks for come to, on all of
// its pages.
type Summary struct {
	Group
	ByMonth    []Group // by month, like 2006-01, the earliest first
	ByCategory []Group // by category, the largest first
	ByPerson   []Group // by person, the largest first
	ByStatus   []Group // by status, in the order of Statuses, where a query asks for them
	// More says that there are more expenses than Count, too many to add up: then
	// nothing else is known of them.
	More bool
}

// Matches is about how many expenses there are, for whoever asks for a page of them:
// where they are too many to add up, very many.
func (s Summary) Matches() int64 {
	if s.More {
		return math.MaxInt32
	}
	return s.Count
}

// Group is a number of expenses that have something in common.
type Group struct {
	Label   string // as readers see it: a person's with the address where another has the same name
	Address string // of a person; empty where it is not known
	Filter  string // what a query takes for a category or a person
	Count   int64
	Total   Money
}

// Average is what one of the expenses comes to, to the nearest minor unit.
func (g Group) Average() Money { return Average(g.Total, g.Count) }

// Plus is g with the expenses of another group, under g's label.
func (g Group) Plus(other Group) Group {
	g.Count += other.Count
	g.Total += other.Total
	return g
}

// TeamTotal is what a team spent, in all and by month, as seen on a day.
type TeamTotal struct {
	Team string
	Group
	ByMonth   []Group // the twelve months up to the day's, the earliest first, empty ones too
	Year      Group   // the day's year
	SoFar     Group   // the day's month, up to the day
	Before    Group   // the month before, up to the same day
	Budget    Money   // of the day's month; zero where none holds
	Undecided Group   // what waits for the reader's decision, up to MaxUndecided and one more
	Mine      Group   // what the reader spent in the day's month
}

// End takes off the expense that is one too many, puts a page that was read
// backwards in order, and says where its neighbours are.
func (p *Page) End(q Query) {
	more := len(p.Expenses) > PageSize
	p.Expenses = p.Expenses[:min(len(p.Expenses), PageSize)]
	backwards := q.Before != (Cursor{})
	if backwards {
		slices.Reverse(p.Expenses)
	}
	if len(p.Expenses) == 0 {
		return
	}
	if more || backwards {
		p.Next = q.CursorAt(p.Expenses[len(p.Expenses)-1])
	}
	if q.After != (Cursor{}) || backwards && more {
		p.Prev = q.CursorAt(p.Expenses[0])
	}
}

// Sort puts the groups into their order, and tells people of one name apart.
func (s *Summary) Sort() {
	tellApart(s.ByPerson)
	slices.SortFunc(s.ByMonth, func(a, b Group) int { return strings.Compare(a.Label, b.Label) })
	largest := func(a, b Group) int { return cmp.Or(cmp.Compare(b.Total, a.Total), strings.Compare(a.Label, b.Label)) }
	slices.SortFunc(s.ByStatus, func(a, b Group) int {
		return cmp.Compare(slices.Index(Statuses[:], Status(a.Filter)), slices.Index(Statuses[:], Status(b.Filter)))
	})
	slices.SortFunc(s.ByCategory, largest)
	slices.SortFunc(s.ByPerson, largest)
}

// tellApart adds their addresses to the labels of people who have one name.
func tellApart(people []Group) {
	named := map[string]int{}
	for _, g := range people {
		named[Fold(g.Label)]++
	}
	for i, g := range people {
		if named[Fold(g.Label)] > 1 && g.Address != "" {
			people[i].Label, people[i].Filter = g.Label+" ("+g.Address+")", g.Address
		}
	}
}

// Add takes one group into the sums to which it belongs. Each expense is in one
// month, so that the months make the whole.
func (s *Summary) Add(kind string, g Group) {
	g.Filter = g.Label
	switch kind {
	case "month":
		s.ByMonth = append(s.ByMonth, g)
		s.Count += g.Count
		s.Total += g.Total
	case "status":
		g.Label = Status(g.Filter).String()
		s.ByStatus = append(s.ByStatus, g)
	case "category":
		s.ByCategory = append(s.ByCategory, g)
	case "person":
		s.ByPerson = append(s.ByPerson, g)
	}
}

// Add takes a month into the team's total, and into ByMonth where it is one of
// the twelve.
func (t *TeamTotal) Add(month Group) {
	t.Count += month.Count
	t.Total += month.Total
	for i, of := range t.ByMonth {
		if of.Label == month.Label {
			t.ByMonth[i] = month
		}
	}
}
