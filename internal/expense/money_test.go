package expense

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

// in returns a currency by its code.
func in(t testing.TB, code string) Currency {
	t.Helper()
	c, err := ParseCurrency(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseCurrency(t *testing.T) {
	for code, digits := range map[string]int{"USD": 2, "usd": 2, " Eur ": 2, "JPY": 0, "KWD": 3, "CLF": 4, "SLE": 2, "ZWG": 2, "XCG": 2} {
		if c := in(t, code); c.Digits() != digits || c.Code() != strings.ToUpper(strings.TrimSpace(code)) {
			t.Errorf("%q is %s with %d digits", code, c.Code(), c.Digits())
		}
	}
	for _, code := range []string{"", "$", "US", "USDX", "XXX", "BTC", "usd\x00"} {
		if c, err := ParseCurrency(code); err == nil {
			t.Errorf("%q is taken for %s", code, c.Code())
		}
	}
}

func TestPlain(t *testing.T) {
	for _, test := range []struct {
		money         Money
		usd, jpy, kwd string
	}{
		{0, "0.00", "0", "0.000"},
		{5, "0.05", "5", "0.005"},
		{-5, "-0.05", "-5", "-0.005"},
		{-500, "-5.00", "-500", "-0.500"},
		{123456789, "1234567.89", "123456789", "123456.789"},
		{math.MaxInt64, "92233720368547758.07", "9223372036854775807", "9223372036854775.807"},
		{math.MinInt64, "-92233720368547758.08", "-9223372036854775808", "-9223372036854775.808"},
	} {
		for code, want := range map[string]string{"USD": test.usd, "JPY": test.jpy, "KWD": test.kwd} {
			if got := in(t, code).Plain(test.money); got != want {
				t.Errorf("%d in %s is %s, want %s", int64(test.money), code, got, want)
			}
		}
	}
}

// notations are those of readers in two kinds of country.
func notations(t testing.TB, code string) (english, german Notation) {
	c := in(t, code)
	return Notation{c, ".", []string{"USD", "US$", "$", "¥"}}, Notation{c, ",", []string{"USD", "$", "¥"}}
}

func TestParseAmount(t *testing.T) {
	const both = "both"
	for _, test := range []struct {
		currency, locale, text, want string // in plain form
	}{
		{"USD", both, "1234.50", "1234.50"},
		{"USD", both, "1234,50", "1234.50"},
		{"USD", both, "1234.5", "1234.50"},
		{"USD", both, "12,5", "12.50"},
		{"USD", both, "1234", "1234.00"},
		{"USD", both, "1,234.50", "1234.50"},
		{"USD", both, "1.234,50", "1234.50"},
		{"USD", both, "1 234,50", "1234.50"},
		{"USD", both, "1\u00a0234\u202f567,80", ""},
		{"USD", both, "1\u202f234\u202f567,80", "1234567.80"},
		{"USD", both, "1’234.50", "1234.50"},
		{"USD", both, "1'234.50", "1234.50"},
		{"USD", both, "1,234,567", "1234567.00"},
		{"USD", both, "1.234.567", "1234567.00"},
		{"USD", both, "12,34,567.80", "1234567.80"},
		{"USD", "en", "1,234", "1234.00"},
		{"USD", "de", "1.234", "1234.00"},
		{"USD", both, "$1,234.50", "1234.50"},
		{"USD", both, "12,50 $", "12.50"},
		{"USD", both, "usd 5", "5.00"},
		{"USD", both, "5\u00a0USD", "5.00"},
		{"USD", "en", "US$5", "5.00"},
		{"USD", both, " \t1234.50\r\n", "1234.50"},
		{"USD", both, "-5", "-5.00"},
		{"USD", both, "\u22125,50", "-5.50"},
		{"USD", both, "- $5", "-5.00"},
		{"USD", both, "$-5", "-5.00"},
		{"USD", both, "0.01", "0.01"},
		{"USD", both, "007.50", "7.50"},
		{"USD", both, "10000000", "10000000.00"},
		{"USD", both, "-10.000.000,00", "-10000000.00"},
		{"USD", both, strings.Repeat("0", 100) + "1", "1.00"},
		{"JPY", both, "1234", "1234"},
		{"JPY", both, "¥1,234,567", "1234567"},
		{"JPY", "en", "1,234", "1234"},
		{"JPY", "de", "1.234", "1234"},
		{"KWD", "en", "1.234", "1.234"},
		{"KWD", "de", "1,234", "1.234"},
		{"KWD", both, "1,234.567", "1234.567"},
		{"KWD", both, "1.5", "1.500"},
	} {
		english, german := notations(t, test.currency)
		for locale, n := range map[string]Notation{"en": english, "de": german} {
			if test.locale != both && test.locale != locale {
				continue
			}
			t.Run(test.currency+" "+locale+" "+test.text, func(t *testing.T) {
				got, problem := n.Parse(test.text)
				if test.want == "" && problem == "" || test.want != "" && (problem != "" || n.Currency.Plain(got) != test.want) {
					t.Errorf("%s, %q, want %q", n.Currency.Plain(got), problem, test.want)
				}
			})
		}
	}
}

// What is not an amount, or could be two, gets a sentence that says so.
func TestParseAmountAsks(t *testing.T) {
	for _, test := range []struct{ name, currency, locale, text, want string }{
		{"nothing", "USD", "en", " \t", "Enter an amount, like 1234.50."},
		{"nothing in German", "USD", "de", "", "Enter an amount, like 1234,50."},
		{"nothing in yen", "JPY", "en", "", "Enter an amount, like 1234."},
		{"a point that groups elsewhere", "USD", "en", "1.234", "“1.234” can be read in two ways. Write 1234.00, or an amount with at most two decimals."},
		{"a comma that groups elsewhere", "USD", "de", "1,234", "“1,234” can be read in two ways. Write 1234,00, or an amount with at most two decimals."},
		{"a comma in dinars", "KWD", "en", "1,234", "“1,234” can mean 1234.000 or 1.234. Write it in one of these ways."},
		{"a point in dinars", "KWD", "de", "1.234", "“1.234” can mean 1234,000 or 1,234. Write it in one of these ways."},
		{"a point in yen", "JPY", "en", "1.234", "“1.234” can be read in two ways. Write 1234, or an amount with no decimals."},
		{"four decimals", "USD", "en", "12.3456", "“12.3456” has more decimals than USD: write an amount with at most two decimals."},
		{"decimals of yen", "JPY", "en", "12.50", "“12.50” has more decimals than JPY: write an amount with no decimals."},
		{"zero", "USD", "en", "0.00", "Enter an amount other than zero."},
		{"minus zero", "USD", "en", "-0", "Enter an amount other than zero."},
		{"too much", "USD", "en", "10000000.01", "Enter an amount of at most 10000000.00."},
		{"too much of a refund", "USD", "en", "-10000000.01", "Enter an amount of at most 10000000.00."},
		{"past int64", "USD", "en", strings.Repeat("9", 30), "Enter an amount of at most 10000000.00."},
		{"wraps int64", "USD", "en", "184467440737095516.17", "Enter an amount of at most 10000000.00."},
		{"a long group", "USD", "en", "1,2345", "“1,2345” has more decimals"},
		{"groups of two kinds", "USD", "en", "1,234.567.89", "“1,234.567.89” has a mark out of place. Write it like 1234.50."},
		{"two commas", "USD", "en", "1,,234", "“1,,234” has a mark out of place"},
		{"no digit behind", "USD", "en", "5.", "“5.” has a mark out of place"},
		{"no digit before", "USD", "en", ".50", "“.50” is not an amount. Write it like 1234.50."},
		{"plus", "USD", "en", "+5", "is not an amount"},
		{"minus alone", "USD", "en", "-", "is not an amount"},
		{"two minuses", "USD", "en", "-$-5", "is not an amount"},
		{"two symbols", "USD", "en", "$$5", "is not an amount"},
		{"another currency", "USD", "en", "€5", "“€5” is not an amount"},
		{"an exponent", "USD", "en", "1e309", "is not an amount"},
		{"hexadecimal", "USD", "en", "0x10", "is not an amount"},
		{"an underscore", "USD", "en", "1_000", "is not an amount"},
		{"not a number", "USD", "en", "NaN", "is not an amount"},
		{"infinity", "USD", "en", "Inf", "is not an amount"},
		{"Arabic-Indic digits", "USD", "en", "١٢٣", "is not an amount"},
		{"full-width digits", "USD", "en", "１２", "is not an amount"},
		{"NUL", "USD", "en", "5\x00", `“5\x00” is not an amount`},
		{"not UTF-8", "USD", "en", "5\xff", `“5\xff” is not an amount`},
		{"long", "USD", "en", strings.Repeat("é", 100_000), "“" + strings.Repeat("é", 40) + "…” is not an amount"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, german := notations(t, test.currency)
			if test.locale == "de" {
				n = german
			}
			if got, problem := n.Parse(test.text); !strings.HasPrefix(problem, test.want) && !strings.Contains(problem, test.want) || got != 0 {
				t.Errorf("%d, %q, want %q", int64(got), problem, test.want)
			}
		})
	}
}

// An amount as a form shows it is read as the same amount by whoever reads so.
func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"", "1,234.50", "$0.5", "-$5", "10,000,000.01", "1e309", "NaN", "0x1", "٣", "1,23", "1.234", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, code := range []string{"USD", "JPY", "KWD", "CLF"} {
			english, german := notations(t, code)
			for _, n := range []Notation{english, german} {
				money, problem := n.Parse(text)
				if problem != "" {
					if !utf8.ValidString(problem) || len(problem) > 600 {
						t.Errorf("%q: a sentence of %d bytes: %q", text, len(problem), problem)
					}
					continue
				}
				if money == 0 || max(money, -money) > n.Currency.Max() {
					t.Errorf("%q is %d, out of bounds", text, int64(money))
				}
				if again, problem := n.Parse(n.Plain(money)); again != money {
					t.Errorf("%q is %d, but %q is %d, %s", text, int64(money), n.Plain(money), int64(again), problem)
				}
			}
		}
	})
}
