package names_test

import (
	"errors"
	"testing"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/internal/fixture"
)

// TestCategories renames, merges, retires and takes each back, with the sums after each.
func TestCategories(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		ids := map[string]int64{}
		for _, name := range []string{"Meals", "Food", "Food"} {
			entry := fixture.Lunch()
			entry.Category = name
			fixture.Created(t, s, entry)
		}
		list := func() map[string]expense.Category {
			t.Helper()
			all, err := s.Categories(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			byName := map[string]expense.Category{}
			for _, c := range all.List {
				byName[c.Label] = c
			}
			return byName
		}
		sums := func(want map[string]int64) {
			t.Helper()
			found, err := s.Summary(t.Context(), expense.Query{})
			if err != nil || len(found.ByCategory) != len(want) {
				t.Fatalf("%+v, %v; want %v", found.ByCategory, err, want)
			}
			for _, g := range found.ByCategory {
				page, _, err := s.PageAndSummary(t.Context(), expense.Query{Category: g.Filter, Sort: "date", Desc: true})
				if g.Count != want[g.Label] || int64(len(page.Expenses)) != g.Count || err != nil {
					t.Errorf("%s has %d, and lists %d; want %d, %v", g.Label, g.Count, len(page.Expenses), want[g.Label], err)
				}
			}
		}
		for name, c := range list() {
			ids[name] = c.ID
		}
		check := func(merged bool, want bool, err error) {
			t.Helper()
			if err != nil || merged != want {
				t.Fatalf("merged %v, %v", merged, err)
			}
		}
		merged, err := s.RenameCategory(t.Context(), ids["Food"], "Food and drink")
		check(merged, false, err)
		sums(map[string]int64{"Meals": 1, "Food and drink": 2})
		merged, err = s.RenameCategory(t.Context(), ids["Food"], "meals")
		check(merged, true, err)
		sums(map[string]int64{"Meals": 3})
		entry := fixture.Lunch()
		entry.Category = "food and DRINK" // another name of it by now
		if e := fixture.Created(t, s, entry); e.Category != "Meals" {
			t.Errorf("an expense of the merged name has %q", e.Category)
		}
		var refused *expense.CategoryError
		if _, err := s.RenameCategory(t.Context(), ids["Food"], "Other"); !errors.As(err, &refused) {
			t.Errorf("a merged one is renamed: %v", err)
		}
		if _, err := s.RenameCategory(t.Context(), 12345, "Other"); !errors.Is(err, expense.ErrNotFound) {
			t.Errorf("one that is not there is renamed: %v", err)
		}
		if err := s.UndoCategory(t.Context(), ids["Food"], ""); err != nil {
			t.Fatal(err)
		}
		sums(map[string]int64{"Meals": 2, "Food and drink": 2})
		if err := s.UndoCategory(t.Context(), ids["Food"], ""); err != nil || list()["Food"].Count != 2 {
			t.Errorf("after both are taken back: %+v, %v", list(), err)
		}
		if err := s.UndoCategory(t.Context(), ids["Food"], ""); !errors.As(err, &refused) {
			t.Errorf("nothing is taken back: %v", err)
		}

		if err := s.RetireCategory(t.Context(), ids["Food"]); err != nil {
			t.Fatal(err)
		}
		entry.Category = "food"
		if _, _, err := s.Create(t.Context(), fixture.Alice, entry, ""); !errors.As(err, &refused) {
			t.Errorf("a retired one takes an expense: %v", err)
		}
		page, err := s.Page(t.Context(), expense.Query{Category: "Food", Sort: "date"}, 2)
		if err != nil {
			t.Fatal(err)
		}
		kept := page.Expenses[0]
		changed := kept.Entry
		changed.Note = "changed"
		if _, err := s.Update(t.Context(), fixture.Alice, kept.ID, kept.Version, changed); err != nil {
			t.Errorf("what has a retired one is not changed: %v", err)
		}
		if err := errors.Join(s.UndoCategory(t.Context(), ids["Food"], ""), s.CloseCategories(t.Context(), true)); err != nil {
			t.Fatal(err)
		}
		fixture.Created(t, s, entry)
		entry.Category = "Yachts"
		if _, _, err := s.Create(t.Context(), fixture.Alice, entry, ""); !errors.As(err, &refused) {
			t.Errorf("a closed list takes another: %v", err)
		}
		if err := s.CloseCategories(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		fixture.Created(t, s, entry)
		fixture.CheckSums(t, s.DB.Read())
	})
}
