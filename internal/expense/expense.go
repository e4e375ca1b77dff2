package expense

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// The longest texts of an expense, in characters.
const (
	MaxItem     = 200
	MaxPerson   = 200
	MaxCategory = 50
	MaxNote     = 2000
)

// MaxDaysAhead is how many days after the present one an expense may be dated.
const MaxDaysAhead = 31

// Expense is what somebody spent for a team, as the database holds it.
type Expense struct {
	ID string // 26 characters, not guessable
	Entry
	Seq       int64 // grows with each expense that is logged: of two of one day the later has more
	Version   int64 // 1 when created, one more with each change
	CreatedAt time.Time
	DeletedAt time.Time // zero while the expense stands
	Status    Status    // where the team's expenses are approved; StatusLogged elsewhere
	Mine      bool      // whether it is the reader's own; false where nobody is said to read it
	// Involved is set where the reader owns, spent or logged it, so that others decide.
	Involved bool
}

// Deleted reports whether e was deleted and not restored.
func (e Expense) Deleted() bool { return !e.DeletedAt.IsZero() }

// Entry is the part of an expense that a person writes and may change.
type Entry struct {
	Team     string
	Date     Date
	Person   string // the present name of who spent it
	Address  string // of the same person, as last told; nothing where only a name is known
	PersonID int64  // of the same person; zero lets Person say who is meant: an address or a name
	Owner    string // the address of whose it is to change, or nothing where only a name is known
	OwnerID  int64  // of the same; zero lets Owner say who is meant, or PersonID where Owner is empty
	Item     string
	Category string // as it was spelled last
	Amount   Money
	Note     string
}

// Actor is who does something to an expense, or reads it. The history keeps the
// address and the name; whose an expense is, the issuer's host and the subject say,
// and the address alone until somebody has signed in with it.
type Actor struct {
	Address, Name   string
	Issuer, Subject string
}

// NewID returns an identifier with 130 random bits, which nobody guesses from
// another one.
func NewID() string {
	return strings.ToLower(rand.Text())
}

// IsID reports whether s has the form that NewID gives.
func IsID(s string) bool {
	return len(s) == 26 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// Fold returns the form of a text by which it is searched and sorted: without
// regard to case, and the same for é typed as one character or as two.
func Fold(s string) string {
	return strings.ToLower(norm.NFC.String(s))
}

// Form is an expense as it was typed.
type Form struct {
	Date, Person, Item, Category, Amount, Note string
	Refund                                     bool // the amount came back, whatever its sign
}

// FieldErrors holds a sentence for each field that is not right, and nothing for
// the others.
type FieldErrors struct {
	Date, Person, Item, Category, Amount, Note string
}

// Any reports whether a field is not right.
func (e FieldErrors) Any() bool { return e != FieldErrors{} }

// List returns the sentences, each after the name of its field.
func (e FieldErrors) List() []string {
	var list []string
	for _, field := range [][2]string{
		{"date", e.Date},
		{"person", e.Person},
		{"item", e.Item},
		{"category", e.Category},
		{"amount", e.Amount},
		{"note", e.Note},
	} {
		if field[1] != "" {
			list = append(list, field[0]+": "+field[1])
		}
	}
	return list
}

// Check reads what was typed. Amounts are in the notation of who typed
// them. The Entry, which still lacks its team and owner, is whole only where the
// FieldErrors hold nothing. Dates are right from the
// year 2000 to MaxDaysAhead after today.
func (f Form) Check(today Date, amounts Notation) (Entry, FieldErrors) {
	var (
		entry    Entry
		problems FieldErrors
	)
	entry.Date, problems.Date = checkDate(f.Date, today)
	entry.Person, problems.Person = checkLine(f.Person, "a person", MaxPerson)
	entry.Item, problems.Item = checkLine(f.Item, "an item", MaxItem)
	entry.Category, problems.Category = checkLine(f.Category, "a category", MaxCategory)
	entry.Amount, problems.Amount = amounts.Parse(f.Amount)
	if f.Refund {
		entry.Amount = min(entry.Amount, -entry.Amount)
	}
	entry.Note, problems.Note = checkNote(f.Note)
	return entry, problems
}

// LastDay returns the latest date that an expense may have on a day: a mistyped
// year would stretch every chart.
func LastDay(today Date) Date { return today.AddDays(MaxDaysAhead) }

func checkDate(typed string, today Date) (Date, string) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return Date{}, "Enter a date."
	}
	date, err := ParseDate(typed)
	if err != nil && !errors.Is(err, errDateRange) {
		return Date{}, "Enter the date as year-month-day, like 2006-01-31."
	}
	first, last := NewDate(2000, time.January, 1), LastDay(today)
	if date.Compare(last) > 0 {
		return Date{}, fmt.Sprintf("Enter a date from %v to %v: %v is more than %d days ahead.", first, last, date, MaxDaysAhead)
	}
	if date.Compare(first) < 0 {
		return Date{}, fmt.Sprintf("Enter a date from %v to %v.", first, last)
	}
	return date, ""
}

// Diff lists what has to change in e to make it other, in the order of the
// columns of an export, amounts in plain form.
func (e Entry) Diff(other Entry, c Currency) []Change {
	var changes []Change
	add := func(field, from, to string) {
		if from != to {
			changes = append(changes, Change{field, from, to})
		}
	}
	add("date", e.Date.String(), other.Date.String())
	add("team", e.Team, other.Team)
	add("person", e.Person, other.Person)
	add("owner", e.Owner, other.Owner)
	add("item", e.Item, other.Item)
	add("category", e.Category, other.Category)
	add("amount", c.Plain(e.Amount), c.Plain(other.Amount))
	add("note", e.Note, other.Note)
	return changes
}

// Undo returns e with the fields as they were before some changes, but for whose it is.
func (e Entry) Undo(changes []Change, c Currency) (Entry, error) {
	for _, change := range changes {
		var err error
		switch change.Field {
		case "date":
			e.Date, err = ParseDate(change.Old)
		case "team":
			e.Team = change.Old
		case "item":
			e.Item = change.Old
		case "category":
			e.Category = change.Old
		case "amount":
			var problem string
			if e.Amount, problem = PlainNotation(c).Parse(change.Old); problem != "" {
				err = errors.New(problem)
			}
		case "note":
			e.Note = change.Old
		}
		if err != nil {
			return e, fmt.Errorf("%s as it was: %w", change.Field, err)
		}
	}
	return e, nil
}

// Change is one field of an expense before and after.
type Change struct {
	Field, Old, New string
}

// Average is a total shared equally, rounded to the nearest minor unit and half of
// one away from zero.
func Average(total Money, count int64) Money {
	if count == 0 {
		return 0
	}
	quotient, rest := int64(total)/count, int64(total)%count
	if 2*max(rest, -rest) >= count {
		quotient += int64(cmp.Compare(total, 0))
	}
	return Money(quotient)
}

// ErrNotFound is an expense that is not there, or not for who asks.
var ErrNotFound = errors.New("no such expense")

// ConflictError is a change to an expense that somebody else changed meanwhile.
type ConflictError struct {
	Current Expense // as it is now
}

// Error implements error.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("expense %s was changed meanwhile, to version %d", e.Current.ID, e.Current.Version)
}
