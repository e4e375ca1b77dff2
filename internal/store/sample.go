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
	"expense-dashboard/internal/store/internal/ledger"
	"expense-dashboard/internal/store/internal/names"
	"expense-dashboard/internal/store/revision"
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
	filled, err := hasExpenses(ctx, tx)
	if err != nil || filled {
		return err
	}
	entries, err := sampleEntries(today, c)
	if err != nil {
		return err
	}
	// Another program may be filling it now: whoever has the teams looks again.
	teams := make([]string, len(entries))
	for i, entry := range entries {
		teams[i] = entry.Team
	}
	if err := revision.Lock(ctx, tx, teams...); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	if filled, err := hasExpenses(ctx, tx); err != nil || filled {
		return err
	}
	now := time.Now().Truncate(time.Millisecond).UTC()
	adding, err := ledger.NewAdder(ctx, names.NewResolver(tx, expense.Actor{Name: "Sample data"}), expense.ActionCreated, "import_key", now, len(entries))
	if err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	var finance []string // the ids of its expenses
	for i, entry := range entries {
		e := expense.Expense{ID: expense.NewID(), Entry: entry, Version: 1, CreatedAt: now}
		if entry.Team == sampleTeam {
			finance = append(finance, e.ID)
		}
		if err := adding.Add(ctx, e, fmt.Sprintf("sample %d", i)); err != nil {
			return fmt.Errorf("sample: %w", err)
		}
	}
	if err := adding.Flush(ctx); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	if err := manageSample(ctx, tx, finance, today, now, c); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	return nil
}

// hasExpenses reports whether there is an expense, deleted ones counted.
func hasExpenses(ctx context.Context, tx *sql.Tx) (has bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM expenses)`).Scan(&has)
	return has, err
}

// sampleTeam is the team of the sample that has a lead, who has decided about some of
// its expenses and set a budget.
const sampleTeam = "finance"

// manageSample approves one of the team's expenses, sends one back, and sets a budget
// that the latest one is over.
func manageSample(ctx context.Context, tx *sql.Tx, ids []string, today expense.Date, now time.Time, c expense.Currency) error {
	lead := expense.Actor{Address: "diana.park@task-vantage.com", Name: "Diana Park"}
	for i, decided := range []struct {
		action  string
		status  expense.Status
		changes []expense.Change
	}{
		{expense.ActionApproved, expense.StatusApproved, nil},
		{expense.ActionSentBack, expense.StatusSentBack, []expense.Change{{Field: "reason", New: "The receipt is missing."}}},
	} {
		e := expense.Expense{ID: ids[i+1], Version: 2}
		changes := append([]expense.Change{{Field: "status", Old: string(expense.StatusLogged), New: string(decided.status)}}, decided.changes...)
		if _, err := tx.ExecContext(ctx, `UPDATE expenses SET status = $2, version = $3 WHERE id = $1`, e.ID, string(decided.status), e.Version); err != nil {
			return err
		}
		if err := ledger.Record(ctx, tx, lead, decided.action, e, now, changes); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO budgets (team, version, month, category, amount_cents, at, actor_address, actor_name)
		VALUES ($1, 1, $2, NULL, $3, $4, $5, $6)`, sampleTeam, today.StartOfMonth(-1).Month(), int64(c.Of(1000)), now.UnixMilli(), lead.Address, lead.Name)
	return err
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
