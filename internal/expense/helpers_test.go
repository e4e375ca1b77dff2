package expense

import (
	"time"
)

func lunch() Entry {
	return Entry{
		Team: "finance", Date: NewDate(2026, time.March, 2), Person: "Alice Johnson", Owner: alice.Address,
		Item: "Team Lunch", Category: "Meals", Amount: 18050, Note: "with the auditors",
	}
}

var (
	// alice and bob are two people who work on expenses in tests.
	alice = Actor{"alice.johnson@task-vantage.com", "Alice Johnson"}
	bob   = Actor{"bob.smith@task-vantage.com", "Bob Smith"}
)
