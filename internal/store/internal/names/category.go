package names

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/search"
	"expense-dashboard/internal/store/revision"
)

// categoryTimeout bounds a merge, which writes each expense of a category.
const categoryTimeout = 2 * time.Minute

// ErrNoCategory is a category that is not there.
var ErrNoCategory = fmt.Errorf("no such category: %w", expense.ErrNotFound)

// Categories lists all categories, by name.
func (s *Names) Categories(ctx context.Context) (all expense.Categories, err error) {
	const text = `SELECT c.id, c.label, c.retired, COALESCE(c.merged, 0), c.was, COALESCE((SELECT 1 FROM settings WHERE name = 'categories' AND value = 'closed'), 0),
			CAST(COALESCE(SUM(g.n), 0) AS BIGINT), CAST(COALESCE(SUM(g.cents), 0) AS BIGINT)
		FROM categories AS c LEFT JOIN group_sums AS g ON g.kind = 'category' AND g.ref = c.id
		GROUP BY c.id, c.label, c.retired, c.merged, c.was, c.key ORDER BY c.key`
	err = s.db.Call(ctx, func(ctx context.Context) error {
		all = expense.Categories{}
		return s.db.Each(ctx, s.db.Read(), text, nil, func(scan func(...any) error) error {
			var (
				c               expense.Category
				retired, closed int64
			)
			err := scan(&c.ID, &c.Label, &retired, &c.Merged, &c.Was, &closed, &c.Count, &c.Total)
			c.Retired, all.Closed = retired == 1, closed == 1
			all.List = append(all.List, c)
			return err
		})
	})
	if err != nil {
		return expense.Categories{}, fmt.Errorf("categories: %w", err)
	}
	return all, nil
}

// Mean makes an entry's category the one of which it is another name.
func (r *Resolver) Mean(ctx context.Context, e *expense.Entry) error {
	key := expense.CategoryKey(e.Category)
	label, asked := r.meant[key]
	if !asked {
		err := r.Tx.QueryRowContext(ctx, `SELECT w.label FROM categories AS c JOIN categories AS w ON w.id = c.merged WHERE c.key = $1`, key).Scan(&label)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		r.meant[key] = label
	}
	if label != "" {
		e.Category = label
	}
	return nil
}

// MayUse returns a *expense.CategoryError unless an expense can be given a category.
func (r *Resolver) MayUse(ctx context.Context, label string) error {
	key := expense.CategoryKey(label)
	if err, asked := r.usable[key]; asked {
		return err
	}
	var known, retired, closed int64
	err := r.Tx.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(MAX(w.retired), 0), (SELECT COUNT(*) FROM settings WHERE name = 'categories' AND value = 'closed')
		FROM categories AS c JOIN categories AS w ON w.id = COALESCE(c.merged, c.id) WHERE c.key = $1`, key).Scan(&known, &retired, &closed)
	if err != nil {
		return err
	}
	r.usable[key] = expense.CategoryProblem(known > 0, retired == 1, closed > 0)
	return r.usable[key]
}

// lockCategories gives every team another revision, and keeps others from writing
// expenses meanwhile.
func lockCategories(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT team FROM revisions`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var teams []string
	for rows.Next() {
		var team string
		if err := rows.Scan(&team); err != nil {
			return err
		}
		teams = append(teams, team)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	return revision.Lock(ctx, tx, teams...)
}

// RenameCategory gives a category another name. Where another category has it, the
// first is merged into that: its expenses are the other's, and its name another name
// of it. UndoCategory takes back either. The error is ErrNoCategory, or a
// *expense.CategoryError where the category is merged already.
func (s *Names) RenameCategory(ctx context.Context, id int64, name string) (merged bool, err error) {
	err = s.changeCategory(ctx, id, func(ctx context.Context, tx *sql.Tx, c expense.Category) error {
		merged = false
		if c.Merged != 0 {
			return &expense.CategoryError{Text: "This is another name of a category already. Undo that first."}
		}
		key := expense.CategoryKey(name)
		var into int64
		err := tx.QueryRowContext(ctx, `SELECT COALESCE(merged, id) FROM categories WHERE key = $1 AND id <> $2`, key, id).Scan(&into)
		switch {
		case err == nil && into != id:
			merged = true
			return merge(ctx, tx, id, into)
		case err == nil:
			return &expense.CategoryError{Text: "This is another name of the same category already. Undo that first."}
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE categories SET label = $2, key = $3, folded = $4, was = $5 WHERE id = $1`, id, name, key, search.Text(name), c.Label)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("rename category: %w", err)
	}
	return merged, nil
}

// merge makes a category another name of one that is none itself, and remembers which
// expenses it had.
func merge(ctx context.Context, tx *sql.Tx, id, into int64) error {
	for _, text := range []string{
		`DELETE FROM merged_expenses WHERE category = $1 AND $2 <> $1`,
		`INSERT INTO merged_expenses (category, expense) SELECT category, id FROM expenses WHERE category = $1 AND $2 <> $1`,
		`UPDATE expenses SET category = $2 WHERE category = $1`,
		`UPDATE categories SET merged = $2 WHERE id = $1 OR merged = $1`,
	} {
		if _, err := tx.ExecContext(ctx, text, id, into); err != nil {
			return err
		}
	}
	return nil
}

// RetireCategory lets no expense be given a category any more; those that have it keep
// it. The error is ErrNoCategory.
func (s *Names) RetireCategory(ctx context.Context, id int64) error {
	err := s.changeCategory(ctx, id, func(ctx context.Context, tx *sql.Tx, _ expense.Category) error {
		_, err := tx.ExecContext(ctx, `UPDATE categories SET retired = 1 WHERE id = $1`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("retire category: %w", err)
	}
	return nil
}

// UndoCategory takes back the last of what was done to a category: that it was merged,
// whose expenses it gets back that nobody has given another one since, or retired, or
// renamed. Where that is not what done says, it was taken back already, and nothing is
// done; an empty done takes back whatever there is. The error is ErrNoCategory, or a *expense.CategoryError where there is
// nothing to undo, or where another category has the name by now.
func (s *Names) UndoCategory(ctx context.Context, id int64, done string) error {
	err := s.changeCategory(ctx, id, func(ctx context.Context, tx *sql.Tx, c expense.Category) error {
		switch last := c.Done(); {
		case done != "" && last != done:
			return nil
		case last == expense.CategoryMerged:
			return part(ctx, tx, c)
		case last == expense.CategoryRetired:
			_, err := tx.ExecContext(ctx, `UPDATE categories SET retired = 0 WHERE id = $1`, id)
			return err
		case last == "":
			return &expense.CategoryError{Text: "There is nothing to undo."}
		}
		var taken int64
		key := expense.CategoryKey(c.Was)
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM categories WHERE key = $1 AND id <> $2`, key, id).Scan(&taken); err != nil {
			return err
		}
		if taken > 0 {
			return &expense.CategoryError{Text: "Another category has this name by now: rename that one first."}
		}
		_, err := tx.ExecContext(ctx, `UPDATE categories SET label = $2, key = $3, folded = $4, was = '' WHERE id = $1`, id, c.Was, key, search.Text(c.Was))
		return err
	})
	if err != nil {
		return fmt.Errorf("undo of a category: %w", err)
	}
	return nil
}

// part undoes merge.
func part(ctx context.Context, tx *sql.Tx, c expense.Category) error {
	_, err := tx.ExecContext(ctx, `UPDATE expenses SET category = $1 WHERE category = $2
		AND id IN (SELECT expense FROM merged_expenses WHERE category = $1)`, c.ID, c.Merged)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM merged_expenses WHERE category = $1`, c.ID); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE categories SET merged = NULL WHERE id = $1`, c.ID)
	return err
}

// changeCategory runs fn with a category as it is when nobody else writes.
func (s *Names) changeCategory(ctx context.Context, id int64, fn func(context.Context, *sql.Tx, expense.Category) error) error {
	limited, cancel := context.WithTimeout(ctx, categoryTimeout)
	defer cancel()
	return s.db.ChangeWithin(ctx, limited, func(ctx context.Context, tx *sql.Tx) error {
		if err := lockCategories(ctx, tx); err != nil {
			return err
		}
		c := expense.Category{ID: id}
		var retired int64
		err := tx.QueryRowContext(ctx, `SELECT label, retired, COALESCE(merged, 0), was FROM categories WHERE id = $1`, id).Scan(&c.Label, &retired, &c.Merged, &c.Was)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNoCategory
		}
		if err != nil {
			return err
		}
		c.Retired = retired == 1
		return fn(ctx, tx, c)
	})
}

// CloseCategories closes the list of categories, or opens it again.
func (s *Names) CloseCategories(ctx context.Context, closed bool) error {
	value := map[bool]string{false: "open", true: "closed"}[closed]
	err := s.db.Change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('categories', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, value)
		return err
	})
	if err != nil {
		return fmt.Errorf("close categories: %w", err)
	}
	return nil
}
