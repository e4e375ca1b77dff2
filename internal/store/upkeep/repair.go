package upkeep

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/search"
	"expense-dashboard/internal/store/revision"
)

const (
	// maxCompared is up to how many expenses all sums are compared with the rows. Of
	// more, so many months of teams are.
	maxCompared   = 200_000
	sampledMonths = 20
	repairTimeout = database.PrepareTimeout
	standing      = ` FROM expenses WHERE deleted_at IS NULL`
	sumsOfRows    = `SELECT team, substr(date, 1, 7) AS month, category, person, COUNT(*) AS n, CAST(SUM(amount_cents) AS BIGINT) AS cents` + standing
	groupedBySums = ` GROUP BY team, substr(date, 1, 7), category, person`
	groupsOfSums  = `SELECT team, 'month' AS kind, month, 0 AS ref, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(cents) AS BIGINT) AS cents FROM sums GROUP BY team, month
		UNION ALL SELECT team, 'category', '', category, CAST(SUM(n) AS BIGINT), CAST(SUM(cents) AS BIGINT) FROM sums GROUP BY team, category
		UNION ALL SELECT team, 'person', '', person, CAST(SUM(n) AS BIGINT), CAST(SUM(cents) AS BIGINT) FROM sums GROUP BY team, person`
	keptSums       = `SELECT team, month, category, person, n, cents FROM sums WHERE (n <> 0 OR cents <> 0)`
	keptGroups     = `SELECT team, kind, month, ref, n, cents FROM group_sums WHERE (n <> 0 OR cents <> 0)`
	groupsThatHold = `SELECT * FROM (` + groupsOfSums + `) AS g WHERE n <> 0 OR cents <> 0`
)

// wrongSums counts the sums that are not those of the rows, in all or in a sample.
func wrongSums(ctx context.Context, db database.Querier) (wrong int64, sampled bool, err error) {
	var expenses int64
	if err := db.QueryRowContext(ctx, `SELECT COUNT(*)`+standing).Scan(&expenses); err != nil {
		return 0, false, err
	}
	if expenses <= maxCompared {
		for _, pair := range [][2]string{{sumsOfRows + groupedBySums, keptSums}, {groupsThatHold, keptGroups}} {
			more, err := differing(ctx, db, pair[0], pair[1])
			if err != nil {
				return 0, false, err
			}
			wrong += more
		}
		return wrong, false, nil
	}
	var counted int64
	err = db.QueryRowContext(ctx, `SELECT COALESCE(CAST(SUM(n) AS BIGINT), 0) FROM group_sums WHERE kind = 'month'`).Scan(&counted)
	if err != nil {
		return 0, true, err
	}
	if counted != expenses {
		wrong++
	}
	months, err := someMonths(ctx, db)
	if err != nil {
		return 0, true, err
	}
	for _, m := range months {
		more, err := differing(ctx, db,
			sumsOfRows+` AND team = $1 AND date >= $2 || '-01' AND date <= $2 || '-31'`+groupedBySums, keptSums+` AND team = $1 AND month = $2`, m[0], m[1])
		if err != nil {
			return 0, true, err
		}
		wrong += more
	}
	return wrong, true, nil
}

// differing counts the rows of one statement that another one has not, and those
// that the other one has alone.
func differing(ctx context.Context, db database.Querier, one, other string, args ...any) (rows int64, err error) {
	err = db.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM (SELECT * FROM (`+one+`) AS a EXCEPT SELECT * FROM (`+other+`) AS b) AS more)
		+ (SELECT COUNT(*) FROM (SELECT * FROM (`+other+`) AS a EXCEPT SELECT * FROM (`+one+`) AS b) AS less)`, args...).Scan(&rows)
	return rows, err
}

// someMonths returns months of teams, by chance.
func someMonths(ctx context.Context, db database.Querier) (months [][2]string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT team, month FROM group_sums WHERE kind = 'month' ORDER BY random() LIMIT $1`, sampledMonths)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var m [2]string
		if err := rows.Scan(&m[0], &m[1]); err != nil {
			return nil, err
		}
		months = append(months, m)
	}
	return months, rows.Err()
}

// Repaired counts what Repair has found wrong and made right.
type Repaired struct {
	Sums int64 // rows of sums
	Keys int64 // texts by which expenses and people are found and sorted
}

// Repair makes all that is derived from the expenses anew: sums, what they are found
// and sorted by, and revisions. Programs go on using the database meanwhile, and
// their writes wait. It brings no database up to date.
func Repair(ctx context.Context, databaseURL string) (found Repaired, err error) {
	ctx, cancel := context.WithTimeout(ctx, repairTimeout)
	defer cancel()
	defer func() { err = inWords(databaseURL, err) }()
	state, err := Inspect(ctx, databaseURL)
	switch {
	case err != nil:
		return found, fmt.Errorf("repair: %w", err)
	case state.Missing:
		return found, fmt.Errorf("repair: %w", nothing(databaseURL))
	case state.Version < state.Known:
		return found, fmt.Errorf("repair: the database has schema version %d: start the program first, which brings it to %d", state.Version, state.Known)
	}
	s, err := database.Open(databaseURL, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return found, fmt.Errorf("repair: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = s.TransactAgain(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if s.File() == "" {
			if _, err := tx.ExecContext(ctx, `LOCK TABLE expenses IN SHARE ROW EXCLUSIVE MODE`); err != nil {
				return err
			}
		}
		if found.Keys, err = repairKeys(ctx, tx); err != nil {
			return err
		}
		if found.Sums, _, err = wrongSums(ctx, tx); err != nil {
			return err
		}
		return remakeSums(ctx, tx)
	})
	if err == nil {
		err = repairWords(ctx, s)
	}
	if err != nil {
		return Repaired{}, fmt.Errorf("repair: %w", err)
	}
	return found, nil
}

// remakeSums fills the tables of sums from the rows, and renews the revisions.
func remakeSums(ctx context.Context, tx *sql.Tx) error {
	for _, text := range []string{
		`DELETE FROM sums`, `DELETE FROM group_sums`,
		`INSERT INTO sums ` + sumsOfRows + groupedBySums,
		`INSERT INTO group_sums ` + groupsOfSums,
	} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	teams, err := texts(ctx, tx, `SELECT team FROM revisions UNION SELECT team FROM sums`)
	if err != nil {
		return err
	}
	return revision.Lock(ctx, tx, teams...)
}

func texts(ctx context.Context, db database.Querier, text string) (all []string, err error) {
	rows, err := db.QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// repairKeys makes the texts right by which people and expenses are found and
// sorted, and counts those that were not.
func repairKeys(ctx context.Context, tx *sql.Tx) (wrong int64, err error) {
	folded := []struct {
		read, write string
		keys        func(a, b string) []any
	}{
		{
			`SELECT id, name, '', key, folded FROM people`, `UPDATE people SET key = $2, folded = $3 WHERE id = $1`,
			func(name, _ string) []any { return []any{expense.Fold(name), search.Text(name)} },
		},
		{
			`SELECT id, label, '', key, folded FROM categories`, `UPDATE categories SET key = $2, folded = $3 WHERE id = $1`,
			func(label, _ string) []any { return []any{expense.CategoryKey(label), search.Text(label)} },
		},
		{
			`SELECT id, item, note, item_key, folded FROM expenses`, `UPDATE expenses SET item_key = $2, folded = $3 WHERE id = $1`,
			func(item, note string) []any { return []any{expense.Fold(item), search.Text(item, note)} },
		},
	}
	for _, of := range folded {
		more, err := refold(ctx, tx, of.read, of.write, of.keys)
		if err != nil {
			return 0, err
		}
		wrong += more
	}
	for _, text := range []string{
		`UPDATE expenses SET person_key = (SELECT w.key FROM people AS p JOIN people AS w ON w.id = COALESCE(p.joined, p.id) WHERE p.id = expenses.person)
			WHERE person_key <> (SELECT w.key FROM people AS p JOIN people AS w ON w.id = COALESCE(p.joined, p.id) WHERE p.id = expenses.person)`,
		`UPDATE expenses SET category_key = (SELECT key FROM categories WHERE id = expenses.category)
			WHERE category_key <> (SELECT key FROM categories WHERE id = expenses.category)`,
	} {
		result, err := tx.ExecContext(ctx, text)
		if err != nil {
			return 0, err
		}
		more, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		wrong += more
	}
	return wrong, nil
}

// refold reads rows of an id, two texts and their two keys, and writes the keys of
// those where they are not what the texts give.
func refold(ctx context.Context, tx *sql.Tx, read, write string, keys func(a, b string) []any) (wrong int64, err error) {
	rows, err := tx.QueryContext(ctx, read)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var writes [][]any
	for rows.Next() {
		var (
			id               any
			a, b, one, other string
		)
		if err := rows.Scan(&id, &a, &b, &one, &other); err != nil {
			return 0, err
		}
		want := keys(a, b)
		if want[0] != one || want[1] != other {
			writes = append(writes, append([]any{id}, want...))
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	for _, args := range writes {
		if _, err := tx.ExecContext(ctx, write, args...); err != nil {
			return 0, err
		}
	}
	return int64(len(writes)), nil
}

// indexedAtOnce bounds what one transaction adds to the index of the search, so that
// others can write between two.
const indexedAtOnce = 500

// repairWords makes the index of the search anew: on SQLite a part at a time, so that
// others can write between two; on PostgreSQL where it is missing or not what the
// expenses say.
func repairWords(ctx context.Context, s *database.DB) error {
	if s.File() == "" {
		return s.TransactAgain(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE expenses AS e SET folded = e.folded
				FROM people AS p, people AS w, categories AS c
				WHERE p.id = e.person AND w.id = COALESCE(p.joined, p.id) AND c.id = e.category AND e.words <> e.folded || w.folded || c.folded`)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `SELECT index_words()`)
			return err
		})
	}
	var last int64
	if err := s.Write().QueryRowContext(ctx, `SELECT MAX(COALESCE((SELECT MAX(n) FROM expenses), 0), COALESCE((SELECT MAX(rowid) FROM expense_words), 0))`).Scan(&last); err != nil {
		return err
	}
	for first := int64(0); first <= last; first += indexedAtOnce {
		err := s.TransactAgain(ctx, func(ctx context.Context, tx *sql.Tx) error {
			for _, text := range []string{
				`DELETE FROM expense_words WHERE rowid >= $1 AND rowid < $2`,
				`INSERT INTO expense_words (rowid, words) SELECT n, words FROM expense_texts WHERE n >= $1 AND n < $2`,
			} {
				if _, err := tx.ExecContext(ctx, text, first, first+indexedAtOnce); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
