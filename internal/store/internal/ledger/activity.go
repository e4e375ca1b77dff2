package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/query"
	"expense-dashboard/internal/team"
)

// Activity returns the first of what q asks for, the latest first, limit at most. The
// days of q are those of zone.
func (s *Ledger) Activity(ctx context.Context, q expense.ActivityQuery, zone *time.Location, limit int) ([]expense.Activity, error) {
	b := s.db.Builder()
	text := `SELECT h.at, h.actor_address, h.actor_name, h.action, h.changes, h.expense, h.version, e.team, e.item
		FROM history AS h JOIN expenses AS e ON e.id = h.expense WHERE 1 = 1` + whereActivity(&b, q, zone) +
		` ORDER BY h.at DESC, h.expense DESC, h.version DESC LIMIT ` + strconv.Itoa(limit)
	var done []expense.Activity
	err := s.db.Call(ctx, func(ctx context.Context) error {
		done = nil
		return s.db.Each(ctx, s.db.Read(), text, b.Args, func(scan func(...any) error) error {
			a, err := scanActivity(scan)
			done = append(done, a)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("activity: %w", err)
	}
	return done, nil
}

// EachActivity calls fn for all of what q asks for, the latest first, and ends with
// fn's first error. It holds nothing of the database while fn runs.
func (s *Ledger) EachActivity(ctx context.Context, q expense.ActivityQuery, zone *time.Location, fn func(expense.Activity) error) error {
	for {
		done, err := s.Activity(ctx, q, zone, eachBatch)
		if err != nil {
			return err
		}
		for _, a := range done {
			if err := fn(a); err != nil {
				return err
			}
		}
		if len(done) < eachBatch {
			return nil
		}
		q.After = done[len(done)-1].Cursor()
	}
}

// whereActivity returns the condition of what q asks for, after an AND.
func whereActivity(b *database.Builder, q expense.ActivityQuery, zone *time.Location) string {
	condition := ""
	switch {
	case q.Teams == nil:
	case len(q.Teams) == 0:
		condition += " AND 1 = 0"
	default:
		condition += " AND e.team IN (" + b.List(q.Teams) + ")"
	}
	if q.Kind != "" {
		condition += " AND h.action = " + b.Arg(q.Kind)
	}
	if q.Person != "" {
		condition += whereActor(b, q)
	}
	if !q.From.IsZero() {
		condition += " AND h.at >= " + b.Arg(startOf(q.From, zone).UnixMilli())
	}
	if !q.To.IsZero() {
		condition += " AND h.at < " + b.Arg(startOf(q.To.AddDays(1), zone).UnixMilli())
	}
	if q.After != (expense.ActivityCursor{}) {
		condition += fmt.Sprintf(" AND (h.at, h.expense, h.version) < (%s, %s, %s)", b.Arg(q.After.At), b.Arg(q.After.Expense), b.Arg(q.After.Version))
	}
	return condition
}

// whereActor returns the part of the condition that says who did it, after an AND: by
// an address, under whatever address or name that person is known, or by a name, as
// it was then or is now.
func whereActor(b *database.Builder, q expense.ActivityQuery) string {
	const addresses = "h.actor_address IN (SELECT p.address FROM people AS p WHERE p.address <> '' AND COALESCE(p.joined, p.id) IN "
	switch {
	case q.Person == expense.PersonMe:
		return " AND (h.actor_address = " + b.Arg(q.Reader.Address) + " OR " + addresses + "(" + query.ReaderRoot(b, q.Reader) + ")))"
	case strings.Contains(q.Person, "@"):
		return " AND (h.actor_address = " + b.Arg(team.NormalizeAddress(q.Person)) + " OR " + addresses + query.AddressRoot(b, q.Person) + "))"
	default:
		return " AND (h.actor_name = " + b.Arg(q.Person) + " OR " + addresses + "(SELECT COALESCE(w.joined, w.id) FROM people AS w WHERE w.key = " + b.Arg(expense.Fold(q.Person)) + ")))"
	}
}

// startOf is when a day begins in a time zone.
func startOf(d expense.Date, zone *time.Location) time.Time {
	year, month, day := d.T.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, zone)
}

func scanActivity(scan func(...any) error) (expense.Activity, error) {
	var (
		a       expense.Activity
		at      int64
		changes string
	)
	if err := scan(&at, &a.Actor.Address, &a.Actor.Name, &a.Action, &changes, &a.Expense, &a.Version, &a.Team, &a.Item); err != nil {
		return expense.Activity{}, err
	}
	a.At = time.UnixMilli(at).UTC()
	if err := json.Unmarshal([]byte(changes), &a.Changes); err != nil {
		return expense.Activity{}, fmt.Errorf("changes: %w", err)
	}
	return a, nil
}
