package page

import (
	"strconv"

	"expense-dashboard/internal/expense"
)

// An ImportView is the view of import.html.
type ImportView struct {
	Page
	Notice  *Notice
	Columns string // those of an export, with commas between them
	Error   string // why the file that was chosen is none; empty before one was
}

// A PreviewView is the view of preview.html: an import before it is confirmed,
// while it runs and once it is over.
type PreviewView struct {
	Page
	Submission string // of its forms
	Notice     *Notice
	URL        string // of this page; what it asks for is posted there
	FileName   string
	State      string // ready, running, done, failed or undone
	Undoing    bool   // it runs, and takes back what was done
	Failing    bool   // the same, because it could not go on
	Refused    bool   // somebody confirmed it although something is wrong

	Done, Rows int64 // of the file, while it runs
	Counts     []ImportCount
	Kept       int64 // expenses that were not taken back
	MayConfirm bool  // nothing is wrong, and something would be done

	Reading   string // how the file is read, in sentences
	Columns   []Question
	Questions []Question

	Wrong, Skipped        []expense.LineError // the first of them
	WrongCount, MoreWrong int64               // lines
	SkippedCount          int64
	MoreSkipped           int64
	New                   []ImportRow
	MoreNew               int64
	Changed               []ImportDifference
	MoreChanged           int64
	Conflicts             []ImportDifference
	ConflictCount         int64
	MoreConflicts         int64
	TakeAll               bool // conflicts are taken from the file
	Deleted               []ImportDifference
	DeletedCount          int64
	MoreDeleted           int64
	Restore               bool                // deleted expenses are brought back
	Left                  []expense.LineError // rows that were not taken, once it is done
	LeftCount             int64
}

// Asks reports whether the page asks something that has to be answered.
func (v PreviewView) Asks() bool {
	for _, q := range v.Questions {
		if q.Open {
			return true
		}
	}
	return false
}

// MoreLeft counts the rows that were not taken and are not named.
func (v PreviewView) MoreLeft() int64 { return v.LeftCount - int64(len(v.Left)) }

// An ImportCount says how many rows come to what.
type ImportCount struct {
	Label string
	Count int64
}

// An ImportRow is a new expense in a file.
type ImportRow struct {
	Line int
	expense.Entry
	TeamLabel string
}

// An ImportDifference is a row of a file that changes an expense.
type ImportDifference struct {
	Line    int
	Item    string // of the expense as it is
	URL     string // of the expense
	Changes []expense.Change
	Taken   bool // although it is in conflict
}

// A Question asks how a file is to be read: by one of the options, or else by what
// is typed.
type Question struct {
	Name, Label, Hint string
	Options           []Option
	Type              string // of an input, where there are no options
	Value             string // chosen or found until now
	Open              bool   // it has to be answered
}

// An Option is a possible answer.
type Option struct{ Value, Label string }

// Grouped writes a number with commas between groups of digits.
func Grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
