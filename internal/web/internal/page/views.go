package page

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/team"
)

// A SessionLine is a session in a list.
type SessionLine struct {
	ID, Subject, Name, Address string
	Browser                    string // in plain words
	SignedInAt                 time.Time
	LastUsed                   time.Time // zero where it is not known
	Own                        bool      // the one that looks at the list
	EndURL                     string    // where the form that ends it posts to
}

// A PersonLine is a person in the list of people.
type PersonLine struct {
	expense.Person
	Is               expense.Person // whom they were joined to; zero for nobody
	JoinURL, PartURL string         // where the forms post to
	Typed            string         // into the form that joins them
}

// Filled is what the form that joins somebody to this person takes.
func (l PersonLine) Filled() string {
	if l.Address != "" {
		return l.Address
	}
	return strconv.FormatInt(l.ID, 10)
}

// A PeopleView is the view of people.html.
type PeopleView struct {
	Page
	Notice     *Notice
	People     []PersonLine
	Submission string // of its forms
}

// A SessionsView is the view of sessions.html.
type SessionsView struct {
	Page
	Notice      *Notice
	Search      string // as it was typed
	Lines       []SessionLine
	Submission  string        // of its forms
	NextURL     string        // empty on the last page
	IdleTimeout time.Duration // an unused session is listed, and over after this long
}

// An ActivityLine is one thing that was done, in a list.
type ActivityLine struct {
	expense.Activity
	TeamLabel string
	URL       string // of the expense
}

// An ActivityView is the view of activity.html.
type ActivityView struct {
	Page
	Person, From, To string // the filter, as it was typed
	Kinds, Teams     []Choice
	Faults           expense.QueryFaults // of the address: where there are any, nothing is listed
	Filtered         bool
	Lines            []ActivityLine
	NextURL          string // empty on the last page
	CSVURL           string
}

// An ExpensesView is the view of expenses.html: a team's page, or the page of all
// teams that somebody may read.
type ExpensesView struct {
	Page
	// What stands above the list and below it, where that is rendered already: it is the
	// same on each page of the list.
	Above, Below template.HTML
	Notice       *Notice
	Team         team.Team // zero on the page of all teams
	Admin        bool
	Path         string // of this page, without a query: where the filter form goes
	Filter       FilterForm
	Faults       expense.QueryFaults // of the address: where there are any, nothing is listed
	Filtered     bool                // whether anything but the order is asked for
	Narrowed     bool                // whether one of the fields is used that fold
	ClearURL     string              // this page without a filter
	Periods      []Link
	Approval     bool             // whether expenses are approved
	Budgets      []expense.Budget // of the present month, where nothing is filtered
	MayBudget    bool             // sets them
	ByStatus     []StatusSum      // the same
	Columns      []Column         // Date, Name, Team on the page over all teams, Item, Category, Amount
	Rows         []ExpenseLine
	Selecting    []Choice // what can be done to selected rows; empty where none can be selected
	ReturnTo     string   // this page, after that

	// Of exactly what is filtered, on all pages.
	Count          int64
	More           bool // there are more than Count, too many to add up
	Total, Average expense.Money
	Months         Chart
	ByCategory     Chart
	ByPerson       Chart

	Here             Part   // of the list that this page is
	PrevURL, NextURL string // empty where there is no such page
	CSVURL, JSONURL  string
	ExcelURL         string   // the CSV file as Excel reads it
	People           []Choice // for the filter, and so on
	Categories       []Choice
	Teams            []Choice
}

// Span is how many columns stand before the amounts.
func (v ExpensesView) Span() int { return max(4, len(v.Columns)-1) }

// Statuses offers the statuses for the filter.
func (v ExpensesView) Statuses() []Choice {
	var all []Choice
	for _, s := range expense.Statuses {
		all = append(all, Choice{Value: string(s), Label: s.String(), Chosen: v.Filter.Status == string(s)})
	}
	return all
}

// HasField reports whether a parameter of the address has a field in the filter.
func (v ExpensesView) HasField(parameter string) bool {
	switch parameter {
	case "team":
		return len(v.Teams) > 0
	case "status":
		return v.Approval
	default:
		return slices.Contains([]string{"q", "person", "category", "from", "to", "min", "max"}, parameter)
	}
}

// A StatusSum is what the expenses of a status come to, with where they are listed.
type StatusSum struct {
	expense.Group
	URL string
}

// A Part is the part of a list that a page shows: its first and its last row,
// from 1, and what its rows come to.
type Part struct {
	First, Last int64
	Total       expense.Money
}

// A FilterForm is the filter as it stands in the address, texts as typed, with
// what is not understood of it.
type FilterForm struct {
	Q, Person, Category, Team, From, To, Min, Max, Sort, Order string
	Faults                                                     expense.QueryFaults
	Status                                                     string
}

// Fault is what is not understood of a field, or empty.
func (f FilterForm) Fault(field string) string { return f.Faults.Text(field) }

// Narrowed reports whether one of the fields is used that fold.
func (f FilterForm) Narrowed() bool {
	return f.Person != "" || f.Category != "" || f.Status != "" || f.Team != "" || f.From != "" || f.To != "" || f.Min != "" || f.Max != ""
}

// Mark marks the expense with an id, of which a notice speaks. In a list by date it
// stands first within its day, also where it was changed and not logged just now.
func (v ExpensesView) Mark(id string) {
	at := slices.IndexFunc(v.Rows, func(row ExpenseLine) bool { return row.ID == id })
	if at < 0 {
		return
	}
	v.Rows[at].New = true
	if v.Filter.Sort != "" && v.Filter.Sort != "date" {
		return
	}
	for ; at > 0 && v.Rows[at-1].Date == v.Rows[at].Date; at-- {
		v.Rows[at-1], v.Rows[at] = v.Rows[at], v.Rows[at-1]
	}
}

// maxChoices bounds the people and the categories that a filter offers.
const maxChoices = 50

// Choices offers groups, and what was chosen too where it is none of them.
func Choices(groups []expense.Group, chosen string) []Choice {
	var all []Choice
	found := chosen == "" || chosen == expense.PersonMe
	for _, g := range groups[:min(len(groups), maxChoices)] {
		is := chosen != "" && expense.Fold(g.Filter) == expense.Fold(chosen)
		found = found || is
		all = append(all, Choice{Value: g.Filter, Label: g.Label, Chosen: is})
	}
	if !found {
		all = append(all, Choice{Value: chosen, Label: chosen, Chosen: true})
	}
	return all
}

// Suggestions lists what a form suggests of groups, the largest first.
func Suggestions(groups []expense.Group) []string {
	var all []string
	for _, g := range groups[:min(len(groups), maxChoices)] {
		all = append(all, g.Filter)
	}
	return all
}

// A Choice is one of a short list.
type Choice struct {
	Value, Label string
	Chosen       bool
}

// A Link is an address with what it is called. Current marks where one is.
type Link struct {
	Label, URL string
	Current    bool
}

// A Column is a column's head, with the address that sorts by it.
type Column struct {
	Label  string
	URL    string // empty where the column does not sort
	Sorted string // "ascending", "descending" or empty, as aria-sort has it
	Number bool
}

// An ExpenseLine is an expense in a table, with where it leads.
type ExpenseLine struct {
	expense.Expense
	URL       string
	TeamLabel string // shown on the page over all teams
	New       bool   // what a notice speaks of
	Pick      bool   // can be selected
}

// A Notice is told once, on the page after an action.
type Notice struct {
	// What it says: Text, then the name of an expense, which may be written from
	// right to left, and what follows it. The last two may be empty.
	Text, Item, Rest string
	URL              string // of the expense; empty where there is none to see
	// Undo posts Version to UndoURL and comes back to ReturnTo; empty where nothing
	// can be undone.
	UndoURL    string
	Version    int64
	Submission string // of the form that undoes it
	ReturnTo   string // a list of ours, or empty
	Warning    bool   // of something that has still to be done
	Quiet      bool   // does not take the focus
}

// An ExpenseView is the view of expense.html: one expense, for those who may
// change it a form, and its history.
type ExpenseView struct {
	Page
	Notice    *Notice
	Team      team.Team
	Expense   expense.Expense
	MayChange bool
	Approval  bool   // whether the team's expenses are approved
	MayDecide bool   // whether the reader decides about this one
	LikeURL   string // of the form that logs it again; empty where that may not be
	Form      ExpenseFormView
	History   []expense.Event
}

// A NewExpenseView is the view of new.html.
type NewExpenseView struct {
	Page
	Notice *Notice
	Team   team.Team
	Form   ExpenseFormView
}

// A ChooseTeamView is the view of choose.html: for which team an expense is logged.
type ChooseTeamView struct {
	Page
	Teams []Link
}

// An ExpenseFormView is the form of an expense, as it was typed, with what is
// wrong beside each field.
type ExpenseFormView struct {
	Action     string           // where it posts to
	Admin      bool             // shows the field person
	Amounts    expense.Notation // of the reader
	Submission string           // so that sending it twice counts once, and only by who opened it
	ReturnTo   string           // the list to come back to; empty for the team's page
	Chosen     string           // the id of the team to which it is moved; empty for its own
	Version    int64            // of an expense to change
	Typed      expense.Form
	Errors     expense.FieldErrors
	Team       team.Team   // of an expense to change
	Teams      []team.Team // to which it can be moved; empty where that is not offered
	TeamError  string      // what is wrong with the choice
	// Current is what somebody else made of the expense meanwhile; nil unless
	// there is a conflict. Sending the form again then overwrites it.
	Current *expense.Expense
	// ByReader says that whoever reads this made of it what it is now.
	ByReader bool
	// Logged is what came of the same form before, with other content, and LoggedURL
	// its page; nil where nothing did.
	Logged      *expense.Expense
	LoggedURL   string
	Reason      string   // for sending it back, as it was typed
	ReasonError string   // what is wrong with it
	Categories  []string // suggestions
	Items       []string // the same: what its writer logged of late
	// Another says that the next expense is logged after this one, with the same
	// date and category: Enter does so, and the item has the focus.
	Another bool
	First   bool   // the item has the focus, which nothing that went wrong has
	MaxDate string // the latest date
}

// A formField is a field of the form of an expense, with all that stands beside
// it.
type formField struct {
	Name, Label, Hint string
	Placeholder       string
	Wide              bool   // takes a row of its own
	Type              string // of the input, or textarea
	Value             string // as it was typed
	Error             string
	Now               string // what somebody else made of it, where that differs
	Optional          bool
	Mode              string // inputmode of HTML; may be empty
	Length            int    // the most characters it takes; 0 where its type says so
}

// Fields returns the fields in the order in which they are filled in.
func (f ExpenseFormView) Fields() []formField {
	fields := []formField{
		{Name: "item", Label: "Item", Type: "text", Value: f.Typed.Item, Error: f.Errors.Item, Length: expense.MaxItem},
		{Name: "amount", Label: "Amount in " + f.Amounts.Currency.Code(), Placeholder: f.Amounts.Example(), Type: "text", Value: f.Typed.Amount, Error: f.Errors.Amount, Length: 40, Mode: f.inputMode()},
		{Name: "category", Label: "Category", Type: "text", Value: f.Typed.Category, Error: f.Errors.Category, Length: expense.MaxCategory},
		{Name: "date", Label: "Date", Type: "date", Value: f.Typed.Date, Error: f.Errors.Date},
		{Name: "person", Label: "Person", Hint: "Who spent it. An email address makes it theirs to change.", Type: "text", Value: f.Typed.Person, Error: f.Errors.Person, Length: expense.MaxPerson, Wide: true},
		{Name: "note", Label: "Note", Type: "textarea", Value: f.Typed.Note, Error: f.Errors.Note, Optional: true, Length: expense.MaxNote, Wide: true},
	}
	if f.Current != nil {
		for i := range fields {
			fields[i].Now = f.now(fields[i])
		}
	}
	if !f.Admin {
		return slices.Delete(fields, 4, 5)
	}
	return fields
}

// inputMode is the keyboard that a telephone shows for an amount: with the mark of
// its own region, if the currency has decimals.
func (f ExpenseFormView) inputMode() string {
	if f.Amounts.Currency.Digits() == 0 {
		return "numeric"
	}
	return "decimal"
}

// now is what the current expense has in a field, unless the same was typed.
func (f ExpenseFormView) now(field formField) string {
	var now string
	switch field.Name {
	case "date":
		now = f.Current.Date.String()
	case "person":
		now = f.Current.Person
	case "item":
		now = f.Current.Item
	case "category":
		now = f.Current.Category
	case "amount":
		typed, problem := f.Amounts.Parse(field.Value)
		if f.Typed.Refund {
			typed = min(typed, -typed)
		}
		if problem == "" && typed == f.Current.Amount {
			return ""
		}
		return f.Amounts.Plain(f.Current.Amount)
	case "note":
		now = f.Current.Note
	}
	if strings.TrimSpace(strings.ReplaceAll(field.Value, "\r\n", "\n")) == now {
		return ""
	}
	if now == "" {
		return "nothing"
	}
	return now
}

// Problems returns the fields that are not right.
func (f ExpenseFormView) Problems() []formField {
	var wrong []formField
	for _, field := range f.Fields() {
		if field.Error != "" {
			wrong = append(wrong, field)
		}
	}
	return wrong
}
