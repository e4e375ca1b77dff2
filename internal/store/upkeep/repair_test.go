package upkeep_test

import (
	"testing"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/store/upkeep"
	"expense-dashboard/internal/storetest"
)

// TestRepair spoils all that is derived, lets a program go on with the database, and
// makes it right under its hands.
func TestRepair(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		s, db := fixture.Started(t, databaseURL), storetest.DB(t, databaseURL)
		all := fixture.ManyExpenses(t, s, 80)
		state, err := upkeep.Inspect(t.Context(), databaseURL)
		if err != nil || state.WrongSums != 0 || state.Sampled {
			t.Fatalf("before: %+v, %v", state, err)
		}
		for _, text := range []string{
			`UPDATE sums SET cents = cents + 5000000 WHERE month = '2026-02'`,
			`DELETE FROM group_sums WHERE kind = 'person'`,
			`UPDATE expenses SET item = 'Renamed', person_key = 'x', category_key = 'y' WHERE id = '` + all[0].ID + `'`,
			`UPDATE people SET name = 'Zora' WHERE key = 'zoë'`,
		} {
			if _, err := db.Exec(text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		if state, err := upkeep.Inspect(t.Context(), databaseURL); err != nil || state.WrongSums == 0 {
			t.Fatalf("spoilt: %+v, %v", state, err)
		}
		before, err := s.Revisions(t.Context(), fixture.FarFuture)
		if err != nil {
			t.Fatal(err)
		}
		found, err := upkeep.Repair(t.Context(), databaseURL)
		if err != nil || found.Sums == 0 || found.Keys < 3 {
			t.Errorf("%+v, %v", found, err)
		}
		fixture.CheckSums(t, db)
		if after, err := s.Revisions(t.Context(), fixture.FarFuture); err != nil || after.Of("hr") == before.Of("hr") {
			t.Errorf("pages that were kept still stand, %v", err)
		}
		if summary, err := s.Summary(t.Context(), expense.Query{Q: "renamed"}); err != nil || summary.Count != 1 {
			t.Errorf("%+v, %v", summary, err)
		}
		if summary, err := s.Summary(t.Context(), expense.Query{Person: "zora"}); err != nil || summary.Count == 0 {
			t.Errorf("%+v, %v", summary, err)
		}
		if again, err := upkeep.Repair(t.Context(), databaseURL); err != nil || again != (upkeep.Repaired{}) {
			t.Errorf("again: %+v, %v", again, err)
		}
	})
}
