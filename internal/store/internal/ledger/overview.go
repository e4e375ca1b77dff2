package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/budget"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/query"
)

// Overview returns what teams spent as a reader sees it on a day, all of one
// moment; nil is all teams. Deciding are the teams in which the reader decides.
func (s *Ledger) Overview(ctx context.Context, reader expense.Actor, teams, deciding []string, today expense.Date) (expense.Overview, error) {
	var o expense.Overview
	err := s.db.Snapshot(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		o = expense.Overview{} // a read that fails may be tried again
		if o.Teams, err = s.teamTotals(ctx, tx, reader, teams, deciding, today); err != nil {
			return err
		}
		month := query.Statement{Query: expense.Query{Teams: teams, From: today.StartOfMonth(0), To: today.StartOfMonth(1).AddDays(-1)}}
		if o.Month, err = s.summary(ctx, tx, month); err != nil {
			return err
		}
		all := query.Statement{Query: expense.Query{Teams: teams, Sort: "date", Desc: true}}
		latest, err := s.page(ctx, tx, all, expense.LatestSize)
		o.Latest = latest.Expenses[:min(len(latest.Expenses), expense.LatestSize)]
		return err
	})
	if err != nil {
		return expense.Overview{}, fmt.Errorf("overview: %w", err)
	}
	return o, nil
}

// The names under which teamTotals finds parts of a month.
const (
	soFar    = "so far"
	before   = "before"
	mine     = "mine"
	toDecide = "to decide"
	limit    = "budget"
)

// teamTotals asks for the months of each team, and for the days of this month
// and the last that have been.
func (s *Ledger) teamTotals(ctx context.Context, db database.Querier, reader expense.Actor, teams, deciding []string, today expense.Date) ([]expense.TeamTotal, error) {
	var b database.Builder
	q := query.Statement{Query: expense.Query{Teams: teams}}
	days := func(name string, from, to expense.Date) string {
		return ` UNION ALL SELECT team, '` + name + `', COUNT(*), CAST(SUM(amount_cents) AS BIGINT) FROM expenses
			WHERE deleted_at IS NULL` + q.WhereTeam(&b) + ` AND date >= ` + b.Arg(from) + ` AND date <= ` + b.Arg(to) + ` GROUP BY team`
	}
	text := `SELECT team, month AS period, n, cents FROM group_sums WHERE kind = 'month' AND n > 0` + q.WhereTeam(&b) +
		` UNION ALL SELECT team, '` + mine + `', CAST(SUM(n) AS BIGINT), CAST(SUM(cents) AS BIGINT) FROM sums
			WHERE n > 0` + q.WhereTeam(&b) + ` AND month = ` + b.Arg(today.Month()) + `
			AND person IN (SELECT id FROM people WHERE COALESCE(joined, id) = ` + query.ReaderRoot(&b, reader) + `) GROUP BY team` +
		days(soFar, today.StartOfMonth(0), today) + days(before, today.StartOfMonth(-1), today.SameDayBefore()) +
		` UNION ALL SELECT team, '` + limit + `', 0, amount_cents FROM (` + budget.InForce(&b, q, today.Month()) + `) AS held WHERE category IS NULL`
	if len(deciding) > 0 {
		text += ` UNION ALL ` + undecided(&b, reader, deciding)
	}
	text += ` ORDER BY 1`
	year := today.Month()[:len("2006-")]
	var totals []expense.TeamTotal
	err := s.eachTeamGroup(ctx, db, text, b.Args, func(team string, g expense.Group) {
		if len(totals) == 0 || totals[len(totals)-1].Team != team {
			totals = append(totals, expense.TeamTotal{Team: team, ByMonth: expense.LastMonths(today)})
		}
		t := &totals[len(totals)-1]
		switch {
		case g.Label == soFar:
			t.SoFar = t.SoFar.Plus(g)
		case g.Label == before:
			t.Before = t.Before.Plus(g)
		case g.Label == limit:
			t.Budget = g.Total
		case g.Label == toDecide:
			t.Undecided = g
		case g.Label == mine:
			t.Mine = t.Mine.Plus(g)
		default:
			t.Add(g)
			if strings.HasPrefix(g.Label, year) {
				t.Year = t.Year.Plus(g)
			}
		}
	})
	return totals, err
}

// eachTeamGroup calls fn for each row of a statement with the columns team,
// label, n and cents.
func (s *Ledger) eachTeamGroup(ctx context.Context, db database.Querier, text string, args []any, fn func(team string, g expense.Group)) error {
	return s.db.Each(ctx, db, text, args, func(scan func(...any) error) error {
		var (
			team string
			g    expense.Group
		)
		if err := scan(&team, &g.Label, &g.Count, &g.Total); err != nil {
			return err
		}
		fn(team, g)
		return nil
	})
}
