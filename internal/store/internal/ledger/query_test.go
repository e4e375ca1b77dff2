package ledger_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/internal/query"
	"expense-dashboard/internal/store/internal/search"
	"expense-dashboard/internal/storetest"
)

// matches says in Go what a query means.
func matches(q expense.Query, e expense.Expense) bool {
	words, found := search.Text(e.Item, e.Note, e.Person, e.Category), true
	for _, term := range search.Terms(q.Q) {
		found = found && strings.Contains(words, term)
	}
	return found && (q.Teams == nil || slices.Contains(q.Teams, e.Team)) &&
		(q.Person == "" || expense.Fold(q.Person) == expense.Fold(e.Person)) && (q.Category == "" || expense.CategoryKey(q.Category) == expense.CategoryKey(e.Category)) &&
		(q.Min.Text == "" || e.Amount >= q.Min.Amount) && (q.Max.Text == "" || e.Amount <= q.Max.Amount) &&
		(q.From.IsZero() || e.Date.Compare(q.From) >= 0) && (q.To.IsZero() || e.Date.Compare(q.To) <= 0)
}

// expected is the whole list that a query asks for, made in Go.
func expected(q expense.Query, all []expense.Expense) []expense.Expense {
	var list []expense.Expense
	for _, e := range all {
		if matches(q, e) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b expense.Expense) int {
		x, y := q.CursorAt(a), q.CursorAt(b)
		order := strings.Compare(x.Value, y.Value)
		if q.Sort == "amount" {
			order = int(a.Amount - b.Amount)
		}
		if q.Desc {
			order = -order
		}
		return cmp.Or(order, cmp.Compare(b.Seq, a.Seq), strings.Compare(b.ID, a.ID))
	})
	return list
}

// checkPrevious follows the link back from a page.
func checkPrevious(t testing.TB, s *fixture.Store, q expense.Query, page, want expense.Page) {
	t.Helper()
	back := q.First()
	back.Before = page.Prev
	back, err := expense.ParseQuery(back.Values())
	if err != nil {
		t.Fatal(err)
	}
	q.After, q.Before = expense.Cursor{}, back.Before
	got, err := s.Page(t.Context(), q, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v: the page before has %d expenses, to %v, from %v; want %d, to %v, from %v", q, len(got.Expenses), got.Next, got.Prev, len(want.Expenses), want.Next, want.Prev)
	}
}

// walk returns the expenses of all pages, as somebody sees them who follows the
// links, and calls between after each page; where it is nil, it looks back from each. Every other page is asked for without
// the sums.
func walk(t testing.TB, s *fixture.Store, q expense.Query, between func()) []expense.Expense {
	t.Helper()
	var list []expense.Expense
	var before expense.Page
	for number := 0; ; number++ {
		page, summary, err := s.PageAndSummary(t.Context(), q)
		if err == nil && number%2 == 1 {
			page, err = s.Page(t.Context(), q, summary.Count)
		}
		if err != nil {
			t.Fatal(err)
		}
		// However many match, the second page is the same: found first, or read in order.
		for _, matches := range []int64{0, 1 << 20} {
			if between != nil || number != 1 {
				break
			}
			if other, err := s.Page(t.Context(), q, matches); err != nil || !reflect.DeepEqual(other, page) {
				t.Fatalf("%+v, of %d that match: another page of %d expenses, %v", q, matches, len(other.Expenses), err)
			}
		}
		if between != nil {
			// What others write meanwhile is on other pages.
		} else if number > 0 {
			checkPrevious(t, s, q, page, before)
		} else if page.Prev != (expense.Cursor{}) {
			t.Fatal("the first page has one before it")
		}
		before = page
		list = append(list, page.Expenses...)
		if page.Next == (expense.Cursor{}) {
			return list
		}
		if len(page.Expenses) != expense.PageSize {
			t.Fatalf("a page of %d before the last", len(page.Expenses))
		}
		next := q
		next.After = page.Next
		if next, err = expense.ParseQuery(next.Values()); err != nil {
			t.Fatal(err)
		}
		q.After = next.After
		if between != nil {
			between()
		}
	}
}

func TestPagesHoldWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		all := fixture.ManyExpenses(t, s, 170)
		base := []expense.Query{
			{},
			{Teams: []string{"finance"}},
			{Teams: []string{"finance", "hr"}},
			{Teams: []string{}},
			{Teams: []string{"x"}},
			{Q: "BANANA"},
			{Min: expense.Bound{Amount: 1500, Text: "15.00"}},
			{Teams: []string{"hr"}, Min: expense.Bound{Amount: 500, Text: "5.00"}, Max: expense.Bound{Amount: 900, Text: "9.00"}},
			{Q: "%"},
			{Q: "_"},
			{Q: `\`},
			{Q: `'`},
			{Q: `"`},
			{Q: "ČAJ"},
			{Q: "C\u030cAJ"},
			{Q: "日本"},
			{Q: "ÄNG"},
			{Q: "O'B"},
			{Q: "a%a"},
			{Q: "quarterly"},
			{Q: "'; DROP TABLE expenses; --"},
			{Person: "ALICE"},
			{Person: "ÉLAN"},
			{Person: "Al"},
			{Category: "überfahrt"},
			{Category: "MEALS", Person: "bob", Teams: []string{"hr"}},
			{From: expense.NewDate(2026, 2, 1)},
			{To: expense.NewDate(2026, 2, 1)},
			{From: expense.NewDate(2026, 2, 1), To: expense.NewDate(2026, 2, 1), Q: "a"},
		}
		for i, q := range base {
			sorts := strings.Split(expense.SortNames, ", ")
			if i > 2 {
				// A filter goes with each order alike.
				sorts = sorts[i%len(sorts):][:1]
			}
			for _, q.Sort = range sorts {
				for _, q.Desc = range []bool{false, true} {
					want := expected(q, all)
					if got := walk(t, s, q, nil); !reflect.DeepEqual(got, want) {
						t.Errorf("%+v: the pages have %d expenses in another order than the %d expected", q, len(got), len(want))
					}
					var streamed []expense.Expense
					err := s.Each(t.Context(), q, func(e expense.Expense) error { streamed = append(streamed, e); return nil })
					if err != nil || !reflect.DeepEqual(streamed, want) {
						t.Errorf("%+v: the stream has %d expenses, want %d, %v", q, len(streamed), len(want), err)
					}
				}
			}
			checkSummary(t, s, q, expected(q, all))
		}
	})
}

// checkSummary compares a summary with the sums made in Go.
func checkSummary(t *testing.T, s *fixture.Store, q expense.Query, list []expense.Expense) {
	t.Helper()
	summary, err := s.Summary(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var total expense.Money
	months, categories, persons := map[string]expense.Money{}, map[string]expense.Money{}, map[string]expense.Money{}
	for _, e := range list {
		total += e.Amount
		months[e.Date.String()[:7]] += e.Amount
		categories[expense.Fold(e.Category)] += e.Amount
		persons[expense.Fold(e.Person)] += e.Amount
	}
	if summary.Count != int64(len(list)) || summary.Total != total || summary.Average() != expense.Average(total, int64(len(list))) {
		t.Errorf("%+v: %d and %v, want %d and %v", q, summary.Count, summary.Total, len(list), total)
	}
	for name, pair := range map[string]struct {
		got  []expense.Group
		want map[string]expense.Money
	}{"month": {summary.ByMonth, months}, "category": {summary.ByCategory, categories}, "person": {summary.ByPerson, persons}} {
		got := map[string]expense.Money{}
		for _, g := range pair.got {
			got[expense.Fold(g.Label)] = g.Total
		}
		if !reflect.DeepEqual(got, pair.want) || len(got) != len(pair.got) {
			t.Errorf("%+v by %s: %v, want %v", q, name, pair.got, pair.want)
		}
	}
}

// TestSumsFollowEveryWrite compares the sums, which are kept beside the expenses,
// with the expenses, while many people write at once.
func TestSumsFollowEveryWrite(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		all := fixture.ManyExpenses(t, s, 60)
		var wg sync.WaitGroup
		for writer := range 4 {
			random := rand.New(rand.NewPCG(5, uint64(writer)))
			wg.Go(func() {
				for range 40 {
					writeSomething(t, s, random, all[random.IntN(len(all))])
				}
			})
		}
		wg.Wait()
		file := strings.ReplaceAll(fixture.Exported(t, s), ",Travel,", ",Trains,")
		fixture.Imported(t, s, file+",2026-03-02,finance,Zoë,Lunch,Meals,12.50,\n")
		var list []expense.Expense
		if err := s.Each(t.Context(), expense.Query{}, func(e expense.Expense) error { list = append(list, e); return nil }); err != nil {
			t.Fatal(err)
		}
		for _, q := range []expense.Query{
			{},
			{Teams: []string{"hr"}},
			{Teams: []string{"hr", "finance"}},
			{Teams: []string{}},
			{Person: "ALICE"},
			{Category: "trains"},
			{From: expense.NewDate(2026, 2, 1), To: expense.NewDate(2026, 2, 28)},
			{From: expense.NewDate(2026, 2, 2)},
			{To: expense.NewDate(2026, 2, 27)},
			{Q: "a"},
		} {
			checkSummary(t, s, q, expected(q, list))
		}
		for _, teams := range [][]string{nil, {"finance"}, {"finance", "hr"}, {}} {
			checkOverview(t, s, teams, expense.NewDate(2026, 11, 22), list)
			checkOverview(t, s, teams, expense.NewDate(2026, 3, 31), list)
		}
	})
}

// writeSomething changes, deletes or restores an expense, or adds one. That
// somebody else was first is fine.
func writeSomething(t *testing.T, s *fixture.Store, random *rand.Rand, e expense.Expense) {
	now, err := s.Expense(t.Context(), expense.Actor{}, e.Team, e.ID)
	if err == nil {
		entry := now.Entry
		switch random.IntN(4) {
		case 0:
			entry.Amount++
			entry.Category, entry.Person = fmt.Sprint("Category ", random.IntN(3)), fmt.Sprint("Person ", random.IntN(3))
			entry.Date = expense.NewDate(2026, time.Month(1+random.IntN(3)), 5)
			_, err = s.Update(t.Context(), fixture.Alice, e.ID, now.Version, entry)
		case 1:
			_, err = s.Delete(t.Context(), fixture.Alice, e.ID, now.Version)
		case 2:
			_, err = s.Restore(t.Context(), fixture.Alice, e.ID, now.Version)
		default:
			_, _, err = s.Create(t.Context(), fixture.Alice, entry, "")
		}
	}
	var conflict *expense.ConflictError
	if err != nil && !errors.As(err, &conflict) {
		t.Error(err)
	}
}

func TestSummaryOrder(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		for i, amount := range []expense.Money{100, 300, 200} {
			entry := fixture.Lunch()
			entry.Date = expense.NewDate(2026, time.Month(3-i), 1)
			entry.Category, entry.Person, entry.Amount = fmt.Sprint("c", i), fmt.Sprint("p", i), amount
			fixture.Created(t, s, entry)
		}
		summary, err := s.Summary(t.Context(), expense.Query{})
		got := fmt.Sprint(summary.Count, summary.Total, err)
		for _, groups := range [][]expense.Group{summary.ByMonth, summary.ByCategory, summary.ByPerson} {
			for _, g := range groups {
				got += fmt.Sprintf(" %s %d %d", g.Label, g.Count, g.Total)
			}
		}
		want := "3 600 <nil> 2026-01 1 200 2026-02 1 300 2026-03 1 100 c1 1 300 c2 1 200 c0 1 100 p1 1 300 p2 1 200 p0 1 100"
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestPagesWhileExpensesComeAndGo(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		all := fixture.ManyExpenses(t, s, 300)
		random := rand.New(rand.NewPCG(3, 4))
		gone := map[string]bool{}
		for _, sort := range strings.Split(expense.SortNames, ", ") {
			list := walk(t, s, expense.Query{Sort: sort}, func() {
				victim := all[random.IntN(len(all))]
				if !gone[victim.ID] {
					gone[victim.ID] = true
					if _, err := s.Delete(t.Context(), fixture.Alice, victim.ID, 1); err != nil {
						t.Fatal(err)
					}
				}
				fixture.Created(t, s, fixture.Lunch())
			})
			seen := map[string]int{}
			for _, e := range list {
				seen[e.ID]++
			}
			for _, e := range all {
				if n := seen[e.ID]; n > 1 || n == 0 && !gone[e.ID] {
					t.Errorf("by %s: %s is seen %d times", sort, e.ID, n)
				}
			}
		}
	})
}

// TestSumsOfAnyDays compares the sums of days, of which some are whole months, with
// the expenses.
func TestSumsOfAnyDays(t *testing.T) {
	t.Parallel()
	day := expense.NewDate
	ranges := [][2]expense.Date{{}, {day(2026, 1, 15)}, {{}, day(2026, 2, 14)}, {day(2026, 2, 1)}, {{}, day(2026, 2, 28)}}
	for from := -3; from < 95; from += 7 {
		for length := -40; length < 95; length += 9 {
			ranges = append(ranges, [2]expense.Date{day(2026, 1, from), day(2026, 1, from+length)})
		}
	}
	for month := range 4 {
		for _, last := range []expense.Date{day(2026, 1, 5), day(2026, 1, 31), day(2026, 3, 20), day(2026, 3, 31)} {
			ranges = append(ranges, [2]expense.Date{day(2026, time.Month(1+month), 1), last})
		}
	}
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		all := fixture.ManyExpenses(t, s, 300)
		for _, days := range ranges {
			for _, q := range []expense.Query{{}, {Teams: []string{"finance"}, Category: "Meals", Person: "Alice"}} {
				q.From, q.To = days[0], days[1]
				var want expense.Money
				count := map[string]int64{}
				for _, e := range all {
					if matches(q, e) {
						want += e.Amount
						count[e.Date.Month()]++
					}
				}
				got, err := s.Summary(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				counted := map[string]int64{}
				for _, g := range got.ByMonth {
					counted[g.Label] = g.Count
				}
				if got.Total != want || !maps.Equal(count, counted) {
					t.Errorf("%s to %s: %d by month %v, want %d by month %v", q.From, q.To, got.Total, counted, want, count)
				}
			}
		}
	})
}

// TestPagesSortNothing asks each database how it would make a page: from an
// index in its order, wherever the page starts.
func TestPagesSortNothing(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		fixture.ManyExpenses(t, s, 800)
		// Few would be left near an end, and a database may well sort those.
		middle := expense.Expense{ID: strings.Repeat("m", 26), Entry: expense.Entry{Date: expense.NewDate(2026, 2, 14), Person: "Bob", Item: "Banana", Category: "Meals", Amount: 1000}}
		explain := "EXPLAIN QUERY PLAN "
		if s.DB.File() == "" {
			explain = "EXPLAIN "
		}
		if _, err := s.DB.Write().Exec("ANALYZE"); err != nil {
			t.Fatal(err)
		}
		for _, q := range []expense.Query{{}, {Teams: []string{"finance"}}} {
			for _, q.Sort = range strings.Split(expense.SortNames, ", ") {
				for _, q.Desc = range []bool{false, true} {
					turned := q.Desc != (q.Sort == "date")
					if turned && s.DB.File() == "" {
						continue // PostgreSQL knows how many equal values there are to put in place
					}
					for _, q.After = range []expense.Cursor{{}, q.CursorAt(middle)} {
						plan := explained(t, s, q, explain)
						// The page itself is put in order once more.
						inner, _, _ := strings.Cut(plan, "named")
						if s.DB.File() == "" {
							_, inner, _ = strings.Cut(plan, "Limit")
						}
						whole := regexp.MustCompile(`TEMP B-TREE|>  Sort`)
						if few := q.Sort == "item" || q.Sort == "amount"; turned && few {
							// Of one item or amount there are not that many.
							inner = strings.Replace(inner, "USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY", "", 1)
						} else if turned {
							// Two pages' worth are put in order, and what is between.
							inner = strings.Replace(inner, "USE TEMP B-TREE FOR ORDER BY", "", 1)
						}
						if whole.MatchString(inner) || !strings.Contains(plan, "expenses_") {
							t.Errorf("%+v:\n%s", q, plan)
						}
					}
				}
			}
		}
	})
}

// TestTwoWaysToAPage asks SQLite how it would find the expenses of a category or
// person in a month. Both ways have to be there, of which one is taken by the
// number of expenses: by an index of what is asked for, and by that of the order.
func TestTwoWaysToAPage(t *testing.T) {
	t.Parallel()
	s := fixture.Started(t, storetest.SQLite(t))
	fixture.ManyExpenses(t, s, 60)
	month := expense.Query{From: expense.NewDate(2026, 2, 1), To: expense.NewDate(2026, 2, 28)}
	for _, teams := range [][]string{{"finance"}, {"finance", "hr"}, nil} {
		month.Teams = teams
		ofCategory, ofPerson, ofMe := month, month, month
		ofCategory.Category, ofPerson.Person, ofMe.Person = "Travel", "Bob", expense.PersonMe
		order, days := "expenses_", "expenses_date"
		if teams != nil {
			days = "expenses_team_date"
		}
		if len(teams) == 1 {
			order = "expenses_team_"
		}
		for _, way := range []struct {
			expense.Query
			index string
		}{{month, days}, {ofCategory, "expenses_team_category_date"}, {ofPerson, "expenses_team_person_date"}, {ofMe, "expenses_team_person_date"}} {
			for _, way.Sort = range []string{"item", "amount"} {
				for _, way.Desc = range []bool{false, true} {
					plan := explained(t, s, way.Query, "EXPLAIN QUERY PLAN ")
					if !strings.Contains(plan, way.index+" (") || !strings.Contains(plan, order+way.Sort) {
						t.Errorf("%+v:\n%s", way, plan)
					}
				}
			}
		}
	}
}

// TestSumsOfDaysReadNoExpense asks SQLite how it would add up a part of a month.
func TestSumsOfDaysReadNoExpense(t *testing.T) {
	t.Parallel()
	s := fixture.Started(t, storetest.SQLite(t))
	for _, test := range []struct {
		teams, approving []string
		index            string
	}{
		{[]string{"finance"}, nil, "expenses_team_date"},
		{[]string{"finance"}, []string{"finance"}, "expenses_team_date"},
		{nil, nil, "expenses_date"},
		{nil, []string{"finance", "hr"}, "expenses_team_date"},
	} {
		q := expense.Query{Teams: test.teams, To: expense.NewDate(2026, 2, 14), Approving: test.approving}
		b := s.DB.Builder()
		text := query.Statement{Query: q}.Parts(&b, 1)
		if plan := planOf(t, s, "EXPLAIN QUERY PLAN "+text, b.Args); !strings.Contains(plan, "COVERING INDEX "+test.index+" ") {
			t.Errorf("%+v:\n%s", q, plan)
		}
	}
}

// TestPagesOfFewAndOfMany pages through what filters leave of so many expenses
// that both ways to a page are taken.
func TestPagesOfFewAndOfMany(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		all := fixture.ManyExpenses(t, s, 1000)
		for _, q := range []expense.Query{
			{Category: "Meals"},
			{Category: "Travel", Person: "Alice"},
			{From: expense.NewDate(2026, 1, 20)},
			{From: expense.NewDate(2026, 2, 3), To: expense.NewDate(2026, 2, 5)},
			{Category: "Meals", To: expense.NewDate(2026, 3, 20)},
			{Teams: []string{"hr"}, Person: "Bob"},
			{Person: "nobody"},
		} {
			for _, q.Sort = range strings.Split(expense.SortNames, ", ") {
				want := expected(q, all)
				if got := walk(t, s, q, nil); !reflect.DeepEqual(got, want) {
					t.Errorf("%+v: the pages have %d expenses in another order than the %d expected", q, len(got), len(want))
				}
			}
		}
	})
}

func explained(t *testing.T, s *fixture.Store, q expense.Query, explain string) string {
	t.Helper()
	b := s.DB.Builder()
	text := query.Statement{Query: q}.Page(&b, 100, expense.PageSize+1)
	return planOf(t, s, explain+text, b.Args)
}

// planOf returns the lines that a statement of explanation answers.
func planOf(t *testing.T, s *fixture.Store, text string, args []any) string {
	t.Helper()
	rows, err := s.DB.Read().Query(text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		line := values[len(values)-1].(*any)
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprint(*line))
	}
	return strings.Join(lines, "\n")
}

// TestSearchFollowsEveryWrite searches for what is written in each of the ways in
// which words of an expense change.
func TestSearchFollowsEveryWrite(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		found := func(q string, want int64) {
			t.Helper()
			summary, err := s.Summary(t.Context(), expense.Query{Q: q})
			if err != nil {
				t.Fatal(err)
			}
			if summary.Count != want {
				t.Errorf("%q finds %d expenses, want %d", q, summary.Count, want)
			}
		}
		e := fixture.Created(t, s, fixture.Lunch())
		found("zürich", 0)
		entry := e.Entry
		entry.Item, entry.Category = "Straßenbahn in Zürich", "Café"
		e, err := s.Update(t.Context(), fixture.Alice, e.ID, e.Version, entry)
		if err != nil {
			t.Fatal(err)
		}
		for q, want := range map[string]int64{"zurich": 1, "strassenbahn CAFE": 1, "zurich absent": 0, "straße": 1, "rich": 1, "zu": 1, "ri": 0, "i": 1, `"`: 0, "%": 0, `'`: 0, "OR": 0, "*": 0, "bahn  in": 1} {
			found(q, want)
		}
		for _, statement := range []string{
			`UPDATE people SET name = 'Łucja', key = 'łucja', folded = '  lucja' WHERE id = (SELECT person FROM expenses WHERE id = '` + e.ID + `')`,
			`UPDATE categories SET folded = '  bistro' WHERE key = 'café'`,
			`UPDATE expenses SET folded = '  tram' WHERE id = '` + e.ID + `'`,
		} {
			if _, err := s.DB.Write().ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		for q, want := range map[string]int64{"lucja tram bistro": 1, "cafe": 0, "zurich": 0} {
			found(q, want)
		}
		if _, err := s.DB.Write().ExecContext(t.Context(), `UPDATE expenses SET folded = ''`); err != nil {
			t.Fatal(err)
		}
		if err := s.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		found("zurich", 1)
	})
}
