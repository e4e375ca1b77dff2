package ledger

import (
	"context"
	"errors"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/database"
	"expense-dashboard/internal/store/internal/query"
)

var errTooMany = errors.New("too many parts to add up")

// tallied adds up the parts of the sums of q, unless there are too many.
func (s *Ledger) tallied(ctx context.Context, db database.Querier, q query.Statement) (expense.Summary, error) {
	b := s.db.Builder()
	most := s.mostParts
	if q.Q != "" {
		most = s.mostFound
	}
	text := q.Parts(&b, most+1)
	t, read := newTally(), int64(0)
	var r partRow
	err := s.db.Each(ctx, db, text, b.Arguments(), func(scan func(...any) error) error {
		if err := scan(&r.kind, &r.text, &r.more, &r.category, &r.person, &r.n, &r.cents); err != nil {
			return err
		}
		if r.kind == query.PartSum {
			if read++; read > most {
				return errTooMany
			}
		}
		t.add(r)
		return nil
	})
	if errors.Is(err, errTooMany) {
		return expense.Summary{Group: expense.Group{Count: most}, More: true}, nil
	}
	return t.summary(), err
}

// partRow is a row of the statement of parts.
type partRow struct {
	kind             int64
	text, more       string // a month and a status; a label; a name and an address
	category, person int64  // by id; of a person, whom they are joined with comes first
	n, cents         int64
}

// tally adds up sums by month, status, category and person, whose names may come
// after them.
type tally struct {
	months, statuses   map[string]*expense.Group
	categories, people map[int64]*expense.Group // by id
	roots              map[int64]int64          // whom a person is joined with
	called             map[int64]expense.Group  // by a root's id, the name and the address
}

func newTally() *tally {
	return &tally{
		months: map[string]*expense.Group{}, statuses: map[string]*expense.Group{},
		categories: map[int64]*expense.Group{}, people: map[int64]*expense.Group{},
		roots: map[int64]int64{}, called: map[int64]expense.Group{},
	}
}

func (t *tally) add(r partRow) {
	switch r.kind {
	case query.PartCategory:
		groupOf(t.categories, r.category).Label = r.text
	case query.PartPerson:
		t.roots[r.person] = r.category
		t.called[r.category] = expense.Group{Label: r.text, Address: r.more}
	default:
		for _, g := range []*expense.Group{groupOf(t.months, r.text), groupOf(t.categories, r.category), groupOf(t.people, r.person)} {
			g.Count += r.n
			g.Total += expense.Money(r.cents)
		}
		if r.more != "" {
			g := groupOf(t.statuses, r.more)
			g.Count += r.n
			g.Total += expense.Money(r.cents)
		}
	}
}

func groupOf[K comparable](groups map[K]*expense.Group, key K) *expense.Group {
	g := groups[key]
	if g == nil {
		g = &expense.Group{}
		groups[key] = g
	}
	return g
}

// summary returns the sums, in no order.
func (t *tally) summary() (s expense.Summary) {
	for month, g := range t.months {
		g.Label = month
		s.Add("month", *g)
	}
	for status, g := range t.statuses {
		g.Label = status
		s.Add("status", *g)
	}
	for _, g := range t.categories {
		if g.Count > 0 {
			s.Add("category", *g)
		}
	}
	joined := map[int64]*expense.Group{}
	for id, g := range t.people {
		root := groupOf(joined, t.roots[id])
		*root = root.Plus(*g)
	}
	for root, g := range joined {
		g.Label, g.Address = t.called[root].Label, t.called[root].Address
		s.Add("person", *g)
	}
	return s
}
