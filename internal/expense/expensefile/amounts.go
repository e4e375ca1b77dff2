package expensefile

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The marks that may stand before the decimals of an amount.
const (
	DecimalPoint = "point"
	DecimalComma = "comma"
)

// symbols are the signs of money, with the currencies that they stand for.
var symbols = map[string][]string{
	"$":   {"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "CLP", "COP", "ARS", "TWD"},
	"US$": {"USD"}, "CA$": {"CAD"}, "A$": {"AUD"}, "NZ$": {"NZD"}, "HK$": {"HKD"},
	"€": {"EUR"}, "£": {"GBP"}, "¥": {"JPY", "CNY"}, "￥": {"JPY", "CNY"}, "円": {"JPY"},
	"₹": {"INR"}, "₩": {"KRW"}, "₽": {"RUB"}, "₺": {"TRY"}, "₪": {"ILS"}, "₫": {"VND"}, "₴": {"UAH"},
	"KR": {"SEK", "NOK", "DKK", "ISK"}, "KR.": {"SEK", "NOK", "DKK", "ISK"}, "ZŁ": {"PLN"}, "KČ": {"CZK"}, "FT": {"HUF"},
	"FR": {"CHF"}, "FR.": {"CHF"}, "SFR.": {"CHF"}, "R$": {"BRL"}, "R": {"ZAR"}, "EURO": {"EUR"}, "EUROS": {"EUR"},
}

// A writtenAmount is an amount as it stands in a cell: digits with points,
// commas and other marks between them.
type writtenAmount struct {
	negative bool
	digits   string    // without sign, currency and the marks that only ever group
	money    [2]string // what stands before and behind it, in capitals; may be empty
	// decimal is the mark that it must have, if only one can be meant; either
	// is set where both can: 1,234 and 1.234.
	decimal string
	either  bool
}

// readAmount reads an amount in any of its forms, and reports whether it has
// one: a sign before or behind it, or parentheses for one below zero, with the
// currency's sign or code.
func readAmount(cell string) (writtenAmount, bool) {
	var a writtenAmount
	text := strings.TrimFunc(cell, isSpace)
	if inner, ok := strings.CutPrefix(text, "("); ok {
		if inner, ok = strings.CutSuffix(inner, ")"); !ok {
			return a, false
		}
		a.negative, text = true, strings.TrimFunc(inner, isSpace)
	}
	first := strings.IndexFunc(text, func(r rune) bool { return unicode.IsDigit(r) || r == '.' || r == ',' })
	last := strings.LastIndexFunc(text, unicode.IsDigit)
	if first < 0 || last < first {
		return a, false
	}
	// A point of the currency's sign, as in Fr. 5, is none of the number's.
	if rest := text[first:]; rest[0] == '.' && first > 0 && isLetter(text[:first]) {
		first += 1 + strings.IndexFunc(rest[1:], func(r rune) bool { return !isSpace(r) })
	}
	before, behind := text[:first], text[last+1:]
	behind = strings.TrimPrefix(behind, ".") // 12. is 12
	before, negativeBefore := cutSign(before)
	behind, negativeBehind := cutSign(behind)
	signs := 0
	for _, negative := range []bool{a.negative, negativeBefore, negativeBehind} {
		if negative {
			signs++
		}
	}
	before, behind = strings.TrimFunc(before, isSpace), strings.TrimFunc(behind, isSpace)
	if signs > 1 {
		return a, false
	}
	a.negative, a.money = signs == 1, [2]string{strings.ToUpper(before), strings.ToUpper(behind)}
	return a.number(text[first : last+1])
}

// cutSign takes a sign off what stands beside a number.
func cutSign(text string) (rest string, negative bool) {
	for _, minus := range []string{"-", "\u2212", "\u2013"} {
		if before, behind, ok := strings.Cut(text, minus); ok {
			return before + behind, true
		}
	}
	return strings.Replace(text, "+", "", 1), false
}

func isLetter(text string) bool {
	r, _ := utf8.DecodeLastRuneInString(text)
	return unicode.IsLetter(r)
}

// isSpace reports whether r is white space, those kinds included that stand
// between groups of digits and do not break.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r == '\u202f' || r == '\u2007' }

// number reads digits with the marks between them.
func (a writtenAmount) number(text string) (writtenAmount, bool) {
	var plain strings.Builder
	for _, part := range splitGroups(text) {
		if part == "" {
			return a, false
		}
		plain.WriteString(part)
	}
	a.digits = plain.String()
	if strings.Trim(a.digits, "0123456789.,") != "" {
		return a, false
	}
	points, commas := strings.Count(a.digits, "."), strings.Count(a.digits, ",")
	switch {
	case points == 0 && commas == 0:
		return a, true
	case points > 0 && commas > 0:
		// The decimals stand behind whichever comes last, and it comes once.
		a.decimal = DecimalPoint
		if strings.LastIndexByte(a.digits, ',') > strings.LastIndexByte(a.digits, '.') {
			a.decimal = DecimalComma
		}
	case points > 1:
		a.decimal = DecimalComma
	case commas > 1:
		a.decimal = DecimalPoint
	default:
		a.decimal, a.either = oneMark(a.digits)
	}
	if a.either {
		return a, true
	}
	_, ok := a.in(a.decimal)
	return a, ok
}

// splitGroups splits a number at marks that only ever group digits: apostrophes
// and spaces. Groups have three digits, but for the first; else there is a group
// that is empty.
func splitGroups(text string) []string {
	groups := strings.FieldsFunc(text, func(r rune) bool { return isSpace(r) || r == '\'' || r == '’' })
	for i, group := range groups[1:] {
		whole := strings.IndexAny(group, ".,")
		if whole < 0 || i < len(groups)-2 {
			whole = len(group)
		}
		if whole != 3 {
			return []string{""}
		}
	}
	if first := groups[0]; len(groups) > 1 && (len(first) > 3 || strings.ContainsAny(first, ".,")) {
		return []string{""}
	}
	return groups
}

// oneMark tells which decimal mark a number has that has one mark, once. Three
// digits behind it may be decimals or a group, unless what stands before cannot
// be one: nothing, a zero, more than three digits.
func oneMark(digits string) (decimal string, either bool) {
	at := strings.IndexAny(digits, ".,")
	decimal = map[byte]string{'.': DecimalPoint, ',': DecimalComma}[digits[at]]
	before, behind := digits[:at], digits[at+1:]
	if len(behind) == 3 && before != "" && before[0] != '0' && len(before) <= 3 {
		return "", true
	}
	return decimal, false
}

// in returns the number as 1234.50, or -1234.50, with a mark before its
// decimals, and whether it is one.
func (a writtenAmount) in(decimal string) (string, bool) {
	mark, group := ".", ","
	if decimal == DecimalComma {
		mark, group = ",", "."
	}
	whole, fraction, marked := strings.Cut(a.digits, mark)
	if strings.ContainsAny(fraction, ".,") || (marked && fraction == "") || !rightlyGrouped(whole, group) {
		return "", false
	}
	plain := strings.ReplaceAll(whole, group, "")
	if plain == "" {
		plain = "0"
	}
	if marked {
		plain += "." + fraction
	}
	if a.negative {
		plain = "-" + plain
	}
	return plain, true
}

// rightlyGrouped reports whether the marks of a whole number, if it has any,
// stand before each group of three digits.
func rightlyGrouped(whole, mark string) bool {
	groups := strings.Split(whole, mark)
	if len(groups) == 1 {
		return true
	}
	if first := groups[0]; first == "" || len(first) > 3 || first[0] == '0' {
		return false
	}
	return !slices.ContainsFunc(groups[1:], func(group string) bool { return len(group) != 3 })
}

// isZero reports whether no digit of the number counts.
func (a writtenAmount) isZero() bool { return strings.Trim(a.digits, "0.,") == "" }

// foreign returns what an amount names that is not a currency's code or a sign
// that stands for it too, or nothing.
func (a writtenAmount) foreign(code string) string {
	for _, name := range a.money {
		if name != "" && name != code && !slices.Contains(symbols[name], code) {
			return name
		}
	}
	return ""
}
