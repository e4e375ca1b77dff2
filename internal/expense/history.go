package expense

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// What was done to an expense.
const (
	ActionCreated  = "created"
	ActionChanged  = "changed"
	ActionDeleted  = "deleted"
	ActionRestored = "restored"
	ActionImported = "imported"
	ActionApproved = "approved"
	ActionSentBack = "sent-back"
)

// Event is one thing that was done to an expense.
type Event struct {
	At      time.Time // in UTC, to the millisecond
	Actor   Actor
	Action  string
	Changes []Change
}

// Undoable reports whether what was changed can be taken back: not whose it is, of which
// a history has no more than a name.
func (e Event) Undoable() bool {
	return !slices.ContainsFunc(e.Changes, func(c Change) bool { return c.Field == "person" || c.Field == "owner" })
}

// Old returns what a field said before, or nothing where it was not changed.
func (e Event) Old(field string) string {
	for _, change := range e.Changes {
		if change.Field == field {
			return change.Old
		}
	}
	return ""
}

// Detail is what the page of an expense shows, all of one moment.
type Detail struct {
	Expense    Expense
	History    []Event // the latest first
	Categories []Group // of its team, the largest first
}

// WasLoggedAs reports whether the expense said what entry says when it was logged,
// whatever was made of it since. Whose it is and what was decided about it do not count,
// because they are no part of a form.
func (d Detail) WasLoggedAs(entry Entry, c Currency) bool {
	was := fieldsOf(d.Expense.Entry, c)
	for _, event := range d.History {
		for _, change := range event.Changes {
			was[change.Field] = change.Old
		}
	}
	maps.DeleteFunc(was, func(field, text string) bool {
		return field == "owner" || field == "status" || field == "reason" || text == ""
	})
	want := fieldsOf(entry, c)
	delete(want, "owner")
	// A person may be written by the address, and a category in another spelling.
	if Fold(was["person"]) == Fold(want["person"]) || strings.EqualFold(d.Expense.Address, want["person"]) {
		delete(was, "person")
		delete(want, "person")
	}
	was["category"], want["category"] = CategoryKey(was["category"]), CategoryKey(want["category"])
	return maps.Equal(was, want)
}

// fieldsOf returns the fields of an entry that say something, as a history has
// them.
func fieldsOf(e Entry, c Currency) map[string]string {
	fields := map[string]string{}
	for _, change := range (Entry{}).Diff(e, c) {
		fields[change.Field] = change.New
	}
	return fields
}
