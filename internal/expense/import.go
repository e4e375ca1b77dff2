package expense

import (
	"slices"
	"strings"
	"time"
)

// ImportRow is one right row of an uploaded file.
type ImportRow struct {
	Line    int    // where it starts in the file, from 1
	ID      string // of the expense that it changes or is, or nothing for a new one
	Version int64  // of the expense that the file saw; 0 where it does not say
	Entry   Entry  // with an owner where the row names one, or a person by address
	// Key is the same for the same row in another file, of a row without an ID.
	Key string
}

// LineError is what is wrong in a line of an uploaded file, or why it was left
// out.
type LineError struct {
	Line int    // from 1
	Text string // a sentence for who uploaded it
}

// Outcome is what a row of a file comes to.
type Outcome string

// The outcomes of rows. A conflict would undo what somebody did after the file
// was made; a deleted one is of an expense that was deleted since.
const (
	OutcomeNew       Outcome = "new"
	OutcomeChanged   Outcome = "changed"
	OutcomeUnchanged Outcome = "unchanged"
	OutcomeConflict  Outcome = "conflict"
	OutcomeDeleted   Outcome = "deleted"
)

// Comparison is a row of a file beside the expense that it is about.
type Comparison struct {
	Row     ImportRow
	Outcome Outcome
	Current Expense  // as it is now; zero for a new one
	Changes []Change // what the row makes of it
	// Later is set where the expense was touched after the file had been looked
	// at, so that nobody has seen what the row would undo.
	Later bool
}

// Last is what was done last to an expense.
type Last struct {
	At      time.Time
	Action  string
	Changes []Change
}

// alters reports whether an expense was there before.
func (l Last) alters() bool {
	return l.Action != ActionCreated && (l.Action != ActionImported || len(l.Changes) > 0)
}

// Compare puts a row beside the expense that it names or is. The row of a file
// without versions is in conflict with what was done after shown, the newest
// change that the file is known to hold. Whatever was done after checked, when
// the file was looked at, is in conflict; a zero time is that of nothing.
func (row ImportRow) Compare(current Expense, last Last, c Currency, shown, checked time.Time) Comparison {
	row.Entry = row.entry(current)
	found := Comparison{Row: row, Current: current, Changes: current.Diff(row.Entry, c)}
	found.Later = !checked.IsZero() && last.At.After(checked)
	switch {
	case current.Deleted():
		found.Outcome = OutcomeDeleted
	case len(found.Changes) == 0, row.ID == "":
		// A row without an id that was imported before stays what became of it.
		found.Outcome, found.Changes = OutcomeUnchanged, nil
	case found.Later, row.Version > 0 && row.Version < current.Version,
		row.Version == 0 && last.alters() && last.At.After(shown):
		found.Outcome = OutcomeConflict
	default:
		found.Outcome = OutcomeChanged
	}
	return found
}

// entry returns what an expense is by a row of it: what the row only writes in
// another way is as it was. A file that names persons only says nothing of the
// owner, unless it names another one by an address.
func (row ImportRow) entry(current Expense) Entry {
	e := row.Entry
	if Fold(e.Person) == Fold(current.Person) || current.Address != "" && strings.EqualFold(e.Person, current.Address) {
		e.Person, e.Address, e.PersonID = current.Person, current.Address, current.PersonID
	}
	if e.Owner == "" || e.Owner == current.Owner {
		e.Owner, e.OwnerID = current.Owner, current.OwnerID
	}
	if CategoryKey(e.Category) == CategoryKey(current.Category) {
		e.Category = current.Category
	}
	return e
}

// Shows reports whether a file with this row was made after what was done last
// to its expense, as far as the row tells: it says of each field that was changed
// then what is there now.
func (row ImportRow) Shows(current Expense, last Last, c Currency) bool {
	differs := current.Diff(row.entry(current), c)
	return !slices.ContainsFunc(last.Changes, func(done Change) bool {
		return slices.ContainsFunc(differs, func(is Change) bool { return is.Field == done.Field })
	})
}
