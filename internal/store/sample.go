package store

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"expense-dashboard/internal/expense"
)

//go:embed sample/expenses.csv
var sampleExpenses string

// SampleFile is a small file of expenses, in the form of CSV, to try an import
// with.
func SampleFile() string { return sampleExpenses }

// fillSample fills a database without expenses, deleted ones counted, with the
// sample, dated over the months before today. Two programs that do so at once
// fill it once.
func fillSample(ctx context.Context, tx *sql.Tx, today expense.Date, c expense.Currency) error {
	var filled bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM expenses)`).Scan(&filled); err != nil || filled {
		return err
	}
	entries, err := sampleEntries(today, c)
	if err != nil {
		return err
	}
	now := time.Now().Truncate(time.Millisecond).UTC()
	adding, err := newAdder(ctx, newResolver(tx, expense.Actor{Name: "Sample data"}), expense.ActionCreated, "import_key", now, len(entries))
	if err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	for i, entry := range entries {
		e := expense.Expense{ID: expense.NewID(), Entry: entry, Version: 1, CreatedAt: now}
		if err := adding.add(ctx, e, fmt.Sprintf("sample %d", i)); err != nil {
			return fmt.Errorf("sample: %w", err)
		}
	}
	if err := adding.flush(ctx); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	return nil
}

// sampleEntries reads the embedded sample, which has the columns team, name,
// item and amount in whole units of the currency.
func sampleEntries(today expense.Date, c expense.Currency) ([]expense.Entry, error) {
	records, err := csv.NewReader(strings.NewReader(sampleExpenses)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("sample: %w", err)
	}
	var entries []expense.Entry
	for i, record := range records[1:] {
		units, err := strconv.ParseInt(record[3], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("sample: %w", err)
		}
		entries = append(entries, expense.Entry{
			Team: record[0],
			// 37 and 150 have no common divisor: the days differ, and each team's
			// lie scattered over the five months.
			Date:     today.AddDays(-1 - i*37%150),
			Person:   record[1],
			Item:     record[2],
			Category: sampleCategory(record[2]),
			Amount:   c.Of(units),
		})
	}
	return entries, nil
}

func sampleCategory(item string) string {
	switch item {
	case "Team Lunch":
		return "Meals"
	case "Conference Travel":
		return "Travel"
	case "Event Booth", "Team Offsite":
		return "Events"
	case "Product Launch Campaign", "Promotional Material":
		return "Marketing"
	case "Compliance Training":
		return "Training"
	case "Internet", "Payroll Processing":
		return "Services"
	default:
		return "Other"
	}
}
