package ledger_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/internal/ledger"
	"expense-dashboard/internal/storetest"
)

// TestTooManyToAddUp asks for more than is added up while somebody waits.
func TestTooManyToAddUp(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		all := fixture.ManyExpenses(t, s, 60)
		q := expense.Query{Q: "quarterly", Sort: "date", Desc: true}
		whole, err := s.Summary(t.Context(), q)
		if err != nil || whole.More || whole.Count == 0 {
			t.Fatalf("%+v, %v", whole, err)
		}
		s.AddAtMost(100, 3)
		listed, sums, err := s.PageAndSummary(t.Context(), q)
		if err != nil || !reflect.DeepEqual(sums, expense.Summary{Group: expense.Group{Count: 3}, More: true}) || len(listed.Expenses) != int(whole.Count) {
			t.Errorf("%d expenses, %+v, %v", len(listed.Expenses), sums, err)
		}
		inAll := expense.Query{Min: expense.Bound{Text: "0.01", Amount: 1}}
		if sums, err := s.Summary(t.Context(), inAll); err != nil || sums.More || sums.Count == 0 {
			t.Errorf("by amount: %+v, %v", sums, err)
		}
		s.AddAtMost(5, 100)
		if sums, err := s.Summary(t.Context(), inAll); err != nil || sums.Count != 5 || !sums.More {
			t.Errorf("by amount, too many: %+v, %v", sums, err)
		}
		if sums, err := s.Summary(t.Context(), expense.Query{}); err != nil || sums.More || int(sums.Count) != len(all) {
			t.Errorf("without a filter: %+v, %v", sums, err)
		}
	})
}

// TestSearchesArePlannedAnew wants PostgreSQL to plan a search for its words, however often
// there was one before: by a plan for any words it would fetch and sort all that hold a
// common one, which takes seconds of a million.
func TestSearchesArePlannedAnew(t *testing.T) {
	t.Parallel()
	s := fixture.Started(t, storetest.Postgres(t))
	fixture.ManyExpenses(t, s, 60)
	s.DB.Read().SetMaxOpenConns(1) // whose prepared statements are looked at
	for range 12 {
		if _, _, err := s.PageAndSummary(t.Context(), expense.Query{Q: "quarterly", Sort: "date", Desc: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Summary(t.Context(), expense.Query{Category: "Meals"}); err != nil {
			t.Fatal(err)
		}
	}
	var others, searches int
	err := s.DB.Read().QueryRow(`SELECT COUNT(*), COUNT(*) FILTER (WHERE statement LIKE '%words LIKE $%' AND statement NOT LIKE '%prepared%') FROM pg_prepared_statements
		WHERE generic_plans + custom_plans > 0 AND name <> ''`).Scan(&others, &searches)
	if err != nil || others == 0 || searches > 0 {
		t.Errorf("of %d prepared statements %d search, %v", others, searches, err)
	}
}

// TestWordsThatMostHold wants SQLite not to be asked for each expense that holds a word
// of most of them, where it could be asked for those that hold another one.
func TestWordsThatMostHold(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		lunch := fixture.Lunch()
		lunch.Note = "quarterly report"
		for i := range 10 {
			if i == 7 {
				lunch.Item = "Kiwi"
			}
			fixture.Created(t, s, lunch)
		}
		for _, test := range []struct {
			words, asked string
			want         int64
		}{
			{"kiwi", `"kiwi"`, 3},
			{"report kiwi quarterly", `"kiwi"`, 3},
			{"report absent", `"absent"`, 0},
			{"quarterly report", `"quarterly" AND "report"`, 10},
			{"kiwi absent", `"kiwi" AND "absent"`, 0},
		} {
			q := expense.Query{Q: test.words, Sort: "date"}
			page, sums, err := s.PageAndSummary(t.Context(), q)
			if err != nil || sums.Count != test.want || int64(len(page.Expenses)) != test.want {
				t.Errorf("%s: %d listed and %d added up, %v", test.words, len(page.Expenses), sums.Count, err)
			}
			statement, err := s.Statement(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			b := s.DB.Builder()
			statement.Parts(&b, 100)
			if !b.Postgres && !slices.Contains(b.Args, any(test.asked)) {
				t.Errorf("%s: the index is asked for %v, want %s", test.words, b.Args, test.asked)
			}
		}
	})
}

// TestWordsOfATeam searches teams of few expenses, each of which is looked at, and the
// same teams where they seem to have a million.
func TestWordsOfATeam(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		s, db := fixture.Started(t, databaseURL), storetest.DB(t, databaseURL)
		fixture.ManyExpenses(t, s, 120)
		for _, teams := range [][]string{{"hr"}, {"hr", "finance"}} {
			for _, sort := range []string{"date", "amount"} {
				q := expense.Query{Q: "quarterly an", Teams: teams, Sort: sort, Desc: true}
				few, sums, err := s.PageAndSummary(t.Context(), q)
				if err != nil || sums.Count == 0 || int(sums.Count) != len(few.Expenses) {
					t.Fatalf("%v: %d listed, %+v, %v", teams, len(few.Expenses), sums, err)
				}
				for _, by := range []string{"+", "-"} {
					if _, err := db.Exec(`UPDATE group_sums SET n = n ` + by + ` 1000000 WHERE kind = 'month'`); err != nil {
						t.Fatal(err)
					}
					many, again, err := s.PageAndSummary(t.Context(), q)
					if err != nil || !reflect.DeepEqual(many, few) || !reflect.DeepEqual(again, sums) {
						t.Errorf("%v by %s: %d listed and %+v, %v; want %d and %+v", teams, sort, len(many.Expenses), again, err, len(few.Expenses), sums)
					}
				}
			}
		}
	})
}

// TestListOfManyTeams lists what somebody on very many teams sees.
func TestListOfManyTeams(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		all := fixture.ManyExpenses(t, s, 40)
		for _, count := range []int{90, 600} {
			teams := []string{"hr", "finance"}
			for n := range count {
				teams = append(teams, fmt.Sprint("team-", n))
			}
			for _, desc := range []bool{false, true} {
				listed, err := s.Page(t.Context(), expense.Query{Teams: teams, Sort: "date", Desc: desc}, 0)
				if err != nil || len(listed.Expenses) != len(all) {
					t.Errorf("%d teams, %t: %d listed, %v; want %d", count, desc, len(listed.Expenses), err, len(all))
				}
			}
		}
	})
}

// TestSumsFollowSQL writes rows by hand, as an operator or another program may.
func TestSumsFollowSQL(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		s, db := fixture.Started(t, databaseURL), storetest.DB(t, databaseURL)
		all := fixture.ManyExpenses(t, s, 60)
		var other int64
		if err := db.QueryRow(`SELECT MAX(id) FROM people`).Scan(&other); err != nil {
			t.Fatal(err)
		}
		copied := strings.ReplaceAll(ledger.RowColumns, "id, seq,", "'"+expense.NewID()+"', 0,")
		for _, text := range []string{
			`UPDATE expenses SET amount_cents = amount_cents + 5000000 WHERE id = '` + all[0].ID + `'`,
			`UPDATE expenses SET amount_cents = 5 WHERE team = 'hr'`,
			`UPDATE expenses SET team = 'legal', date = '2025-12-31' WHERE id = '` + all[1].ID + `'`,
			fmt.Sprintf(`UPDATE expenses SET person = %d WHERE id = '%s'`, other, all[2].ID),
			`UPDATE expenses SET category = (SELECT MIN(id) FROM categories) WHERE team = 'finance'`,
			`UPDATE expenses SET deleted_at = 1 WHERE id = '` + all[3].ID + `'`,
			`UPDATE expenses SET deleted_at = NULL WHERE id = '` + all[3].ID + `'`,
			`INSERT INTO expenses (` + ledger.RowColumns + `) SELECT ` + copied + ` FROM expenses WHERE id = '` + all[4].ID + `'`,
			`DELETE FROM history WHERE expense = '` + all[5].ID + `'`,
			`DELETE FROM expenses WHERE id = '` + all[5].ID + `'`,
		} {
			before, err := s.Revisions(t.Context(), fixture.FarFuture)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			fixture.CheckSums(t, db)
			after, err := s.Revisions(t.Context(), fixture.FarFuture)
			if err != nil || (after.Of("") == before.Of("")) != strings.HasPrefix(text, "DELETE FROM history") {
				t.Errorf("%s: the revision is %s and was %s, %v", text, after.Of(""), before.Of(""), err)
			}
		}
		var wrong, last int
		err := db.QueryRow(`SELECT COUNT(*) FROM expenses AS e JOIN people AS p ON p.id = e.person JOIN categories AS c ON c.id = e.category
			WHERE e.person_key <> p.key OR e.category_key <> c.key`).Scan(&wrong)
		if err != nil || wrong > 0 {
			t.Errorf("%d rows are sorted by the key of somebody else, %v", wrong, err)
		}
		if err := db.QueryRow(`SELECT COUNT(*) FROM expenses WHERE seq = 61`).Scan(&last); err != nil || last != 1 {
			t.Errorf("what is added by hand is the last %d times, %v", last, err)
		}
	})
}
