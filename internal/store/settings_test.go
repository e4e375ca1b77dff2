package store_test

import (
	"errors"
	"strings"
	"testing"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/store/fault"
	"expense-dashboard/internal/store/internal/fixture"
	"expense-dashboard/internal/storetest"
)

// holding opens the database for a currency and starts it.
func holding(t *testing.T, databaseURL, code string) (*fixture.Store, error) {
	t.Helper()
	c, err := expense.ParseCurrency(code)
	if err != nil {
		t.Fatal(err)
	}
	s := fixture.Opened(t, databaseURL)
	s.Hold(c)
	return s, s.Start(t.Context(), false)
}

// A database keeps the currency of its first expense. Without expenses it takes
// any.
func TestCurrencyIsTheDatabases(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, databaseURL string) {
		for _, code := range []string{"USD", "KWD", "EUR"} {
			if _, err := holding(t, databaseURL, code); err != nil {
				t.Fatalf("%s in an empty database: %v", code, err)
			}
		}
		s, err := holding(t, databaseURL, "JPY")
		if err != nil {
			t.Fatal(err)
		}
		e := fixture.Created(t, s, fixture.Lunch())
		if _, err := s.Delete(t.Context(), fixture.Alice, e.ID, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := holding(t, databaseURL, "JPY"); err != nil {
			t.Errorf("the same again: %v", err)
		}
		var other *fault.CurrencyError
		refused, err := holding(t, databaseURL, "USD")
		if !errors.As(err, &other) || *other != (fault.CurrencyError{Database: "JPY", Configured: "USD"}) || !strings.Contains(err.Error(), "CURRENCY=JPY") {
			t.Errorf("another: %v", err)
		}
		if err := refused.Ping(t.Context()); err == nil {
			t.Error("another serves all the same")
		}
	})
}

// Refunds are expenses below zero: in every sum, and first in the order of
// amounts.
func TestRefundsCount(t *testing.T) {
	t.Parallel()
	fixture.ForEach(t, func(t *testing.T, s *fixture.Store) {
		refund := fixture.Lunch()
		refund.Item, refund.Amount = "Returned chairs", -20050
		fixture.Created(t, s, fixture.Lunch())
		e := fixture.Created(t, s, refund)
		for _, q := range []expense.Query{{}, {Q: fixture.Lunch().Person}, {Person: fixture.Lunch().Person}} {
			sums, err := s.Summary(t.Context(), q)
			if err != nil || sums.Total != -2000 || sums.Count != 2 || sums.Average() != -1000 || sums.ByMonth[0].Total != -2000 {
				t.Errorf("%+v: %+v, %v", q, sums, err)
			}
		}
		page, err := s.Page(t.Context(), expense.Query{Sort: "amount"}, 2)
		if err != nil || len(page.Expenses) != 2 || page.Expenses[0].ID != e.ID {
			t.Errorf("by amount: %+v, %v", page, err)
		}
		refund.Amount = 100
		changed, err := s.Update(t.Context(), fixture.Alice, e.ID, 1, refund)
		if err != nil || changed.Amount != 100 {
			t.Errorf("changed: %+v, %v", changed, err)
		}
	})
}
