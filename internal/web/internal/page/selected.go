package page

import "expense-dashboard/internal/expense"

// A SelectedView is the view of selected.html: what is to be done to several expenses
// at once, before it is done.
type SelectedView struct {
	Page
	Verb, Item            string // what is done, to so many, and the category or the team
	Button                string // what is done, in few words
	Action, Value, Reason string // as the form sends them on
	ReturnTo, Submission  string
	Lines                 []SelectedLine // to which it is done
	Field                 SelectedField  // that is asked for first; without a name nothing is
	Problem               string         // why nothing can be done; may be empty
	Refused               []SelectedLine // that are not the reader's
	Decides               bool           // what is refused is a decision
	Own                   bool           // because they are the reader's own
	Stale                 bool           // somebody changed some of them meanwhile
	Before                string         // what came of the same form with something else in it
	Gone                  int            // were deleted in the meantime
	Again                 int            // were decided about, and wait for a decision again
}

// A SelectedField is what an action needs to know.
type SelectedField struct {
	Name, Label, Value, Error string
	Length                    int
	Options                   []Choice // for a choice; the others are typed
	Suggestions               []string
}

// A SelectedLine is an expense with what becomes of it.
type SelectedLine struct {
	ExpenseLine
	Changes []expense.Change
	Same    bool // nothing: it is so already
	Touched bool // by somebody else meanwhile
}

// Changed is how many expenses it is done to.
func (v SelectedView) Changed() int {
	count := 0
	for _, l := range v.Lines {
		if !l.Same {
			count++
		}
	}
	return count
}

// Total is what the expenses come to.
func (v SelectedView) Total() expense.Money {
	var total expense.Money
	for _, l := range v.Lines {
		total += l.Amount
	}
	return total
}
