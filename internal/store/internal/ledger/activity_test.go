package ledger_test

import (
	"slices"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/fixture"
)

// TestActivity asks in each way for what two people did to expenses of two teams.
func TestActivity(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		mine := fixture.Created(t, s, fixture.Lunch())
		other := fixture.Lunch()
		other.Team, other.Item = "hr", "Chairs"
		foreign := fixture.Created(t, s, other)
		entry := mine.Entry
		entry.Item = "Dinner"
		if _, err := s.Update(t.Context(), fixture.Bob, mine.ID, 1, entry); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Delete(t.Context(), fixture.Alice, foreign.ID, 1); err != nil {
			t.Fatal(err)
		}
		today := expense.DateOf(time.Now().UTC())
		tests := []struct {
			name string
			q    expense.ActivityQuery
			want []string // kinds and items, in whatever order within a millisecond
		}{
			{"everything", expense.ActivityQuery{}, []string{"deleted Chairs", "changed Dinner", "created Chairs", "created Dinner"}},
			{"of a team", expense.ActivityQuery{Teams: []string{"finance"}}, []string{"changed Dinner", "created Dinner"}},
			{"of no team", expense.ActivityQuery{Teams: []string{}}, nil},
			{"of a kind", expense.ActivityQuery{Kind: "created"}, []string{"created Chairs", "created Dinner"}},
			{"by an address", expense.ActivityQuery{Person: " " + fixture.Bob.Address}, []string{"changed Dinner"}},
			{"by a name", expense.ActivityQuery{Person: fixture.Bob.Name}, []string{"changed Dinner"}},
			{"by the reader", expense.ActivityQuery{Person: "me", Reader: fixture.Bob}, []string{"changed Dinner"}},
			{"by nobody", expense.ActivityQuery{Person: "nobody@example.com"}, nil},
			{"of today", expense.ActivityQuery{From: today, To: today}, []string{"deleted Chairs", "changed Dinner", "created Chairs", "created Dinner"}},
			{"before today", expense.ActivityQuery{To: today.AddDays(-1)}, nil},
			{"after today", expense.ActivityQuery{From: today.AddDays(1)}, nil},
		}
		for _, test := range tests {
			var got, paged []string
			done, err := s.Activity(t.Context(), test.q, time.UTC, 100)
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			for _, a := range done {
				got = append(got, a.Action+" "+a.Item)
			}
			for q := test.q; ; {
				one, err := s.Activity(t.Context(), q, time.UTC, 1)
				if err != nil {
					t.Fatalf("%s: %v", test.name, err)
				}
				if len(one) == 0 {
					break
				}
				paged = append(paged, one[0].Action+" "+one[0].Item)
				q.After = one[0].Cursor()
			}
			if sorted := slices.Sorted(slices.Values(got)); !slices.Equal(sorted, slices.Sorted(slices.Values(test.want))) || !slices.Equal(got, paged) {
				t.Errorf("%s: %q, page by page %q, want %q", test.name, got, paged, test.want)
			}
		}
		done, err := s.Activity(t.Context(), expense.ActivityQuery{Kind: "changed"}, time.UTC, 1)
		if err != nil || len(done) != 1 || done[0].ChangesText() != "item: "+mine.Item+" → Dinner" || done[0].Actor.Name != fixture.Bob.Name {
			t.Errorf("the change is told as %+v, %v", done, err)
		}
	})
}
