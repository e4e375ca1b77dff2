package expense

// A Status is what was decided about an expense. Whoever changes what the expense
// says makes it StatusLogged again.
type Status string

// The statuses, in the order in which a filter offers them.
const (
	StatusLogged   Status = "logged" // nobody has decided yet
	StatusApproved Status = "approved"
	StatusSentBack Status = "sent-back" // with a reason, which the history holds
)

// Statuses are all of them.
var Statuses = [...]Status{StatusLogged, StatusApproved, StatusSentBack}

// String says it for people.
func (s Status) String() string {
	switch s {
	case StatusApproved:
		return "Approved"
	case StatusSentBack:
		return "Sent back"
	default:
		return "Logged"
	}
}

// MaxReason is the longest reason for sending an expense back, in characters.
const MaxReason = 500

// CheckReason reads the reason for sending an expense back. The problem is a sentence
// for whoever wrote it.
func CheckReason(typed string) (reason, problem string) {
	return checkLine(typed, "a reason", MaxReason)
}

// MaxUndecided is up to which number undecided expenses are counted.
const MaxUndecided = 100

// Decided returns an expense as a decision makes it, and what that changes.
func (e Expense) Decided(status Status, reason string) (Expense, []Change) {
	changes := []Change{{Field: "status", Old: string(e.Status), New: string(status)}}
	if reason != "" {
		changes = append(changes, Change{Field: "reason", New: reason})
	}
	e.Status = status
	return e, changes
}
