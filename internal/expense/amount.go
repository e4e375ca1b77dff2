package expense

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Notation is how somebody writes amounts: the marks of their locale, in the
// currency of the site.
type Notation struct {
	Currency Currency
	Decimal  string   // the mark before the decimals: a point or a comma
	Symbols  []string // that may stand before or behind the number, as $ and USD
}

// PlainNotation is that of files and of programs: 1234.50.
func PlainNotation(c Currency) Notation {
	return Notation{Currency: c, Decimal: ".", Symbols: []string{c.code}}
}

// Plain returns m as a form shows it to who writes so: 1234.50 or 1234,50.
func (n Notation) Plain(m Money) string { return n.Currency.plain(m, n.Decimal) }

// Example is an amount as a hint shows it.
func (n Notation) Example() string { return n.Plain(n.Currency.Of(2469) / 2) }

// Parse reads an amount as n's writer or any other may write it: 1234.50,
// 1,234.50, 1.234,50, 1 234,50, 1’234.50, with a minus and a symbol of the
// currency around it. It never guesses: what means one amount with a decimal
// point and another with a decimal comma is asked about, unless the writer's own
// mark settles it. The problem is a sentence for them, or empty: zero is no amount of
// an expense.
func (n Notation) Parse(typed string) (m Money, problem string) {
	m, problem = n.parse(typed)
	if problem == "" && m == 0 {
		return 0, "Enter an amount other than zero."
	}
	return m, problem
}

// parse is Parse for whom zero is an amount too.
func (n Notation) parse(typed string) (m Money, problem string) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return 0, "Enter an amount, like " + n.Example() + "."
	}
	number, negative := n.strip(typed)
	foreign := ","
	if n.Decimal == "," {
		foreign = "."
	}
	own, other := n.read(number, n.Decimal), n.read(number, foreign)
	switch {
	case own.amount && own.decimals == 0 && other.amount && own.money != other.money:
		return 0, fmt.Sprintf("%s can mean %s or %s. Write it in one of these ways.", quoted(typed), n.Plain(own.money), n.Plain(other.money))
	case own.amount:
		m = own.money
	case other.amount && own.number:
		return 0, fmt.Sprintf("%s can be read in two ways. Write %s, or an amount with %s.", quoted(typed), n.Plain(other.money), n.decimals())
	case other.amount:
		m = other.money
	default:
		return 0, n.fault(typed, number, own, other)
	}
	if m > n.Currency.Max() {
		return 0, "Enter an amount of at most " + n.Plain(n.Currency.Max()) + "."
	}
	if negative {
		m = -m
	}
	return m, ""
}

// fault says why neither mark makes an amount of a number.
func (n Notation) fault(typed, number string, own, other reading) string {
	switch {
	case own.tooLarge || other.tooLarge:
		return "Enter an amount of at most " + n.Plain(n.Currency.Max()) + "."
	case own.number || other.number:
		return fmt.Sprintf("%s has more decimals than %s: write an amount with %s.", quoted(typed), n.Currency.code, n.decimals())
	case number != "" && strings.Trim(number, "0123456789.,'’ \u00a0\u202f\u2009") == "" && isDigits(number[:1]):
		return fmt.Sprintf("%s has a mark out of place. Write it like %s.", quoted(typed), n.Example())
	}
	return fmt.Sprintf("%s is not an amount. Write it like %s.", quoted(typed), n.Example())
}

// decimals says how many decimals an amount may have.
func (n Notation) decimals() string {
	switch n.Currency.digits {
	case 0:
		return "no decimals"
	case 2:
		return "at most two decimals"
	}
	return fmt.Sprintf("at most %d decimals", n.Currency.digits)
}

// strip takes the sign and the symbol of the currency off a number. What is left
// is no number where there were two of either.
func (n Notation) strip(text string) (number string, negative bool) {
	text = strings.Trim(text, "\u200e\u200f\u061c")
	text, negative = cutSign(text)
	for _, symbol := range n.Symbols {
		if symbol == "" {
			continue
		}
		rest, before := cutPrefixFold(text, symbol)
		if !before {
			rest, before = cutSuffixFold(text, symbol)
		}
		if !before {
			continue
		}
		rest = strings.TrimSpace(rest)
		if !negative {
			rest, negative = cutSign(rest)
		}
		return rest, negative
	}
	return text, negative
}

// cutSign takes a minus, or a dash typed for one, from the front.
func cutSign(text string) (string, bool) {
	for _, minus := range []string{"-", "\u2212", "\u2013"} {
		if rest, ok := strings.CutPrefix(text, minus); ok {
			return strings.TrimLeft(rest, " \u00a0\u202f\u200e\u200f"), true
		}
	}
	return text, false
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if at := len(s) - len(suffix); at >= 0 && strings.EqualFold(s[at:], suffix) {
		return s[:at], true
	}
	return s, false
}

// reading is what a text means with one decimal mark.
type reading struct {
	number   bool // it is a number, with however many decimals
	amount   bool // and one that the currency can have
	tooLarge bool // for any sum
	decimals int
	money    Money
}

// read reads a number without sign and symbol, in which a mark stands before the
// decimals.
func (n Notation) read(number, decimal string) reading {
	whole, fraction, hasDecimals := strings.Cut(number, decimal)
	digits, ok := ungroup(whole, decimal)
	if !ok || hasDecimals && !isDigits(fraction) {
		return reading{}
	}
	r := reading{number: true, decimals: len(fraction)}
	if len(fraction) > n.Currency.digits {
		return r
	}
	padded := fraction + strings.Repeat("0", n.Currency.digits-len(fraction))
	// Only digits are left, so that the one possible error is a number too large.
	minor, err := strconv.ParseInt(digits+padded, 10, 64)
	if err != nil {
		r.tooLarge = true
		return r
	}
	r.amount, r.money = true, Money(minor)
	return r
}

// ungroup takes the marks between the groups of a whole number away: one kind of
// mark, before each group of three digits or, as in India, before the last three
// and each two before them. A number with marks does not begin with 0: 0,123 is
// a fraction.
func ungroup(whole, decimal string) (digits string, ok bool) {
	if isDigits(whole) {
		return whole, true
	}
	for _, mark := range []string{",", ".", "'", "’", " ", "\u00a0", "\u202f", "\u2009"} {
		if mark == decimal || !strings.Contains(whole, mark) {
			continue
		}
		groups := strings.Split(whole, mark)
		digits = strings.Join(groups, "")
		first, middle, last := groups[0], groups[1:len(groups)-1], groups[len(groups)-1]
		pairs := slices.IndexFunc(middle, func(g string) bool { return len(g) != 2 }) < 0 && len(first) <= 2
		threes := slices.IndexFunc(middle, func(g string) bool { return len(g) != 3 }) < 0 && len(first) <= 3
		return digits, isDigits(digits) && first != "" && first[0] != '0' && len(last) == 3 && (pairs || threes)
	}
	return "", false
}

// isDigits reports whether s is one or more of the digits 0 to 9.
func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// quoted puts what somebody typed between quotation marks, for a sentence about
// it, and cuts it after 40 characters.
func quoted(s string) string {
	return "“" + strings.Trim(QuoteShort(s), `"`) + "”"
}
