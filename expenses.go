package main

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
)

// An Expense is what one person spent on one item for a team.
type Expense struct {
	Team   string // ID
	Person string
	Item   string
	Amount Money
}

//go:embed sample/expenses.csv
var sampleExpensesCSV string

// sampleExpenses reads the built-in sample: the columns team, person, item and
// amount in dollars.
func sampleExpenses() ([]Expense, error) {
	records, err := csv.NewReader(strings.NewReader(sampleExpensesCSV)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("sample expenses: %w", err)
	}
	var expenses []Expense
	for _, record := range records[1:] {
		amount, err := parseMoney(record[3])
		if err != nil {
			return nil, fmt.Errorf("sample expenses: %w", err)
		}
		expenses = append(expenses, Expense{Team: record[0], Person: record[1], Item: record[2], Amount: amount})
	}
	return expenses, nil
}

// expensesOf returns those of one team, in their order.
func expensesOf(expenses []Expense, team string) []Expense {
	return slices.Collect(func(yield func(Expense) bool) {
		for _, e := range expenses {
			if e.Team == team && !yield(e) {
				return
			}
		}
	})
}

// total adds up what was spent.
func total(expenses []Expense) Money {
	var sum Money
	for _, e := range expenses {
		sum += e.Amount
	}
	return sum
}
