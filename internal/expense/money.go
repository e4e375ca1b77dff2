package expense

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Money is an amount in integer cents.
type Money int64

// MaxMoney is the largest amount that ParseMoney takes: ten million.
const MaxMoney Money = 10_000_000_00

// String returns m as a page shows it: $1,200.00, or -$5.00 below zero.
func (m Money) String() string {
	return m.Format("$", ",", ".", "")
}

// Plain returns m as a file carries it: 1200.00, or -5.00 below zero.
func (m Money) Plain() string {
	return m.Format("", "", ".", "")
}

func (m Money) Format(before, separator, decimal, after string) string {
	// Enough for the longest amount there can be, with separators of 2 bytes.
	text := make([]byte, 0, 48)
	magnitude := uint64(m)
	if m < 0 {
		// Negating the unsigned value is right for the smallest int64 too.
		magnitude = -magnitude
		text = append(text, '-')
	}
	text = append(text, before...)
	dollars := strconv.AppendUint(make([]byte, 0, 20), magnitude/100, 10)
	for i, digit := range dollars {
		if i > 0 && (len(dollars)-i)%3 == 0 {
			text = append(text, separator...)
		}
		text = append(text, digit)
	}
	cents := byte(magnitude % 100)
	text = append(text, decimal...)
	text = append(text, '0'+cents/10, '0'+cents%10)
	return string(append(text, after...))
}

// ParseMoney reads an amount as a person writes it: 1234.50, 1234.5, 1234,
// 1,234.50 or $1,234.50, with white space around it. Zero is an amount; one
// below zero, one over MaxMoney and one with more than two decimals are not.
// The errors are sentences for the person who filled in the form.
func ParseMoney(s string) (Money, error) {
	text := strings.TrimSpace(s)
	if text == "" {
		return 0, errors.New("the amount is missing: write it like 1234.50")
	}
	unsigned, negative := strings.CutPrefix(text, "-")
	dollars, cents, hasPoint := strings.Cut(strings.TrimPrefix(unsigned, "$"), ".")
	digits := strings.ReplaceAll(dollars, ",", "")
	switch {
	case !isDigits(digits), hasPoint && !isDigits(cents):
		return 0, fmt.Errorf("%s is not an amount: write it like 1234.50", QuoteShort(text))
	case !isGrouped(dollars):
		return 0, fmt.Errorf("%s has a comma out of place: write it like 1234.50 or 1,234.50", QuoteShort(text))
	case negative:
		return 0, fmt.Errorf("%s is below zero", QuoteShort(text))
	case len(cents) > 2:
		return 0, fmt.Errorf("%s has more than two decimals", QuoteShort(text))
	}
	// Only digits are left, so that the one possible error is a number too large.
	amount, err := strconv.ParseInt(digits+(cents + "00")[:2], 10, 64)
	if err != nil || Money(amount) > MaxMoney {
		return 0, fmt.Errorf("%s is over the limit of %v", QuoteShort(text), MaxMoney)
	}
	return Money(amount), nil
}

// isDigits reports whether s is one or more of the digits 0 to 9.
func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// isGrouped reports whether the commas in a whole number, if it has any, stand
// before each group of three digits. A number with commas cannot begin with 0:
// 0,123 is a fraction where the comma is the decimal sign.
func isGrouped(number string) bool {
	groups := strings.Split(number, ",")
	if len(groups) == 1 {
		return true
	}
	if first := groups[0]; first == "" || len(first) > 3 || first[0] == '0' {
		return false
	}
	for _, group := range groups[1:] {
		if len(group) != 3 {
			return false
		}
	}
	return true
}
