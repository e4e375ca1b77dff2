package expense

import (
	"slices"
	"time"
)

// MaxSelected is to how many expenses something is done at once at most.
const MaxSelected = 200

// What can be done to several expenses at once.
const (
	SelectedCategory = "category" // another category
	SelectedMove     = "move"     // another team
	SelectedDelete   = "delete"
	SelectedApprove  = "approve"
	SelectedSendBack = "send-back"
)

// Selection is what is done to several expenses at once: to all of them or to none.
type Selection struct {
	Action   string // one of the above
	Value    string // the category, or the id of the team, where Action needs one
	Reason   string // for sending them back
	Expenses []Seen
}

// Seen is an expense in the version that somebody saw.
type Seen struct {
	ID      string
	Version int64
}

// SelectionDone is what came of a selection.
type SelectionDone struct {
	ID            string // by which it is taken back
	Action, Value string
	Changed       int // of the expenses; the others were so already
}

// Of returns what a selection makes of an expense, and what that changes. It reports
// false where the expense is so already.
func (s Selection) Of(e Expense, c Currency, now time.Time) (Expense, []Change, bool) {
	before := e
	switch s.Action {
	case SelectedDelete:
		e.DeletedAt = now
		return e, nil, !before.Deleted()
	case SelectedApprove:
		return e.decidedBy(StatusApproved, "")
	case SelectedSendBack:
		return e.decidedBy(StatusSentBack, s.Reason)
	case SelectedMove:
		e.Team = s.Value
	default:
		if CategoryKey(e.Category) != CategoryKey(s.Value) {
			e.Category = s.Value
		}
	}
	changes := before.Diff(e.Entry, c)
	if len(changes) > 0 {
		e.Status = StatusLogged
	}
	return e, changes, len(changes) > 0
}

// decidedBy is Decided, and false where that was decided already.
func (e Expense) decidedBy(status Status, reason string) (Expense, []Change, bool) {
	if e.Status == status {
		return e, nil, false
	}
	e, changes := e.Decided(status, reason)
	return e, changes, true
}

// Done is what the history calls what a selection does to an expense.
func (s Selection) Done() string {
	switch s.Action {
	case SelectedDelete:
		return ActionDeleted
	case SelectedApprove:
		return ActionApproved
	case SelectedSendBack:
		return ActionSentBack
	default:
		return ActionChanged
	}
}

// IDs returns the ids of the expenses of a selection, in one order.
func (s Selection) IDs() []string {
	var ids []string
	for _, e := range s.Expenses {
		ids = append(ids, e.ID)
	}
	slices.Sort(ids)
	return ids
}

// SentBeforeError is a selection whose form came before with something else in it.
type SentBeforeError struct {
	Before SelectionDone // what came of it then
}

// Error implements error.
func (e *SentBeforeError) Error() string {
	return "the form came before, and then was to " + e.Before.Action
}
