package expense

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/bojanz/currency"
)

// Money is an amount in integer minor units of the site's [Currency]: cents of
// dollars, whole yen. Below zero it is a refund.
type Money int64

// maxUnits is the largest amount of an expense or a refund, in whole dollars,
// yen or whatever the currency has.
const maxUnits = 10_000_000

// Currency is the one currency of all amounts of a site (ISO 4217). [Dollars]
// and [ParseCurrency] make one.
type Currency struct {
	code   string
	digits int // of its minor units: 2 for cents, 0 for yen
}

// Dollars returns the US dollar, which is the currency where none is chosen.
func Dollars() Currency { return Currency{"USD", 2} }

// ParseCurrency reads a code of ISO 4217 in whatever case. The error says what
// is wrong with it.
func ParseCurrency(code string) (Currency, error) {
	code = strings.ToUpper(strings.TrimSpace(code))
	digits, ok := currency.GetDigits(code)
	if !ok {
		return Currency{}, fmt.Errorf("%s is no currency of ISO 4217: write three letters like USD, EUR or JPY", QuoteShort(code))
	}
	return Currency{code, int(digits)}, nil
}

// Code returns the three letters of ISO 4217.
func (c Currency) Code() string { return c.code }

// Digits returns how many decimals an amount has: 2 in USD, 0 in JPY, 3 in KWD.
func (c Currency) Digits() int { return c.digits }

// Of returns so many whole units of the currency.
func (c Currency) Of(units int64) Money {
	for range c.digits {
		units *= 10
	}
	return Money(units)
}

// Max returns the largest amount that an expense may have; a refund may have as
// much below zero.
func (c Currency) Max() Money { return c.Of(maxUnits) }

// Plain returns m as a file carries it: 1200.00 in USD, 1200 in JPY, 1.200 in
// KWD, with a minus before it below zero.
func (c Currency) Plain(m Money) string { return c.plain(m, ".") }

// plain is Plain with another decimal mark.
func (c Currency) plain(m Money, decimal string) string {
	sign, magnitude := "", uint64(m)
	if m < 0 {
		// Negating the unsigned value is right for the smallest int64 too.
		sign, magnitude = "-", -magnitude
	}
	digits := strconv.FormatUint(magnitude, 10)
	if c.digits == 0 {
		return sign + digits
	}
	if missing := c.digits + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole := len(digits) - c.digits
	return sign + digits[:whole] + decimal + digits[whole:]
}
