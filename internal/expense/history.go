package expense

import (
	"time"
)

// What was done to an expense.
const (
	ActionCreated  = "created"
	ActionChanged  = "changed"
	ActionDeleted  = "deleted"
	ActionRestored = "restored"
	ActionImported = "imported"
)

// Event is one thing that was done to an expense.
type Event struct {
	At      time.Time // in UTC, to the millisecond
	Actor   Actor
	Action  string
	Changes []Change
}

// Detail is what the page of an expense shows, all of one moment.
type Detail struct {
	Expense    Expense
	History    []Event // the latest first
	Categories []Group // of its team, the largest first
}
