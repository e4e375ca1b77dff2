package page

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/bojanz/currency"

	"expense-dashboard/internal/expense"
)

// TestNumbersAreTheLibrarys compares each length and sign of a number with what the library
// makes of it, in all regions and in currencies of none to three decimals.
func TestNumbersAreTheLibrarys(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	amounts := []int64{0, 1, -1, 10, 99, 100, 101, 1000, -1000, 999_99, math.MaxInt64, math.MinInt64 + 1}
	for limit := int64(10); limit > 0 && limit < math.MaxInt64/10; limit *= 10 {
		amounts = append(amounts, limit-1, random.Int64N(limit), -random.Int64N(limit))
	}
	for _, code := range []string{"USD", "EUR", "JPY", "KWD", "CHF"} {
		c, err := expense.ParseCurrency(code)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range localeRows() {
			for tag := range strings.FieldsSeq(row.tags) {
				made, formatter := row.locale(tag, c, time.UTC), currency.NewFormatter(currency.NewLocale(tag))
				formatter.MaxDigits = currency.DefaultDigits
				for _, amount := range amounts {
					known, err := currency.NewAmountFromInt64(amount, code)
					if err != nil {
						t.Fatal(err)
					}
					if got, want := made.Money(expense.Money(amount)), formatter.Format(known); got != want {
						t.Errorf("%d %s in %s: %q, want %q", amount, code, tag, got, want)
					}
				}
			}
		}
	}
}
