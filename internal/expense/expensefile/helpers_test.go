package expensefile

import (
	"time"

	"expense-dashboard/internal/expense"
)

func lunch() expense.Entry {
	return expense.Entry{
		Team: "finance", Date: expense.NewDate(2026, time.March, 2), Person: "Alice Johnson", Owner: alice.Address,
		Item: "Team Lunch", Category: "Meals", Amount: 18050, Note: "with the auditors",
	}
}

var (
	// alice and bob are two people who work on expenses in tests.
	alice = expense.Actor{"alice.johnson@task-vantage.com", "Alice Johnson"}
	bob   = expense.Actor{"bob.smith@task-vantage.com", "Bob Smith"}
)
