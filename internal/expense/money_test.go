package expense

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMoneyFormat(t *testing.T) {
	tests := []struct {
		money         Money
		String, plain string
	}{
		{0, "$0.00", "0.00"},
		{5, "$0.05", "0.05"},
		{-5, "-$0.05", "-0.05"},
		{-500, "-$5.00", "-5.00"},
		{99999, "$999.99", "999.99"},
		{120000, "$1,200.00", "1200.00"},
		{12345678, "$123,456.78", "123456.78"},
		{123456789, "$1,234,567.89", "1234567.89"},
		{MaxMoney, "$10,000,000.00", "10000000.00"},
		{math.MaxInt64, "$92,233,720,368,547,758.07", "92233720368547758.07"},
		{math.MinInt64, "-$92,233,720,368,547,758.08", "-92233720368547758.08"},
	}
	for _, tt := range tests {
		if got := tt.money.String(); got != tt.String {
			t.Errorf("Money(%d).String() = %q, want %q", int64(tt.money), got, tt.String)
		}
		if got := tt.money.Plain(); got != tt.plain {
			t.Errorf("Money(%d).Plain() = %q, want %q", int64(tt.money), got, tt.plain)
		}
	}
}

func TestParseMoney(t *testing.T) {
	tests := []struct {
		text string
		want Money
	}{
		{"1234.50", 123450},
		{"1234.5", 123450},
		{"1234", 123400},
		{"1,234.50", 123450},
		{"12,345", 1234500},
		{"123,456", 12345600},
		{"1,234,567.89", 123456789},
		{"$1,234.50", 123450},
		{"$5", 500},
		{" \t1234.50\r\n", 123450},
		{"\u00a01234.50\u00a0", 123450},
		{"0", 0},
		{"0.01", 1},
		{"007.50", 750},
		{"10000000", MaxMoney},
		{"10,000,000.00", MaxMoney},
		{strings.Repeat("0", 100) + "1", 100},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			if got, err := ParseMoney(tt.text); err != nil || got != tt.want {
				t.Errorf("parseMoney(%q) = %d, %v, want %d", tt.text, int64(got), err, int64(tt.want))
			}
		})
	}
}

func TestParseMoneyRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "the amount is missing: write it like 1234.50"},
		{"white space", " \t\n", "the amount is missing: write it like 1234.50"},
		{"three decimals", "12.345", `"12.345" has more than two decimals`},
		{"three decimals of zero", "12.000", `"12.000" has more than two decimals`},
		{"negative", "-5", `"-5" is below zero`},
		{"negative with dollar sign", "-$5.00", `"-$5.00" is below zero`},
		{"negative zero", "-0", `"-0" is below zero`},
		{"one cent too much", "10000000.01", `"10000000.01" is over the limit of $10,000,000.00`},
		{"past int64", "99999999999999999999999", `"99999999999999999999999" is over the limit of $10,000,000.00`},
		{"wraps int64", "184467440737095516.17", `"184467440737095516.17" is over the limit of $10,000,000.00`},
		{"short group", "1,23", `"1,23" has a comma out of place: write it like 1234.50 or 1,234.50`},
		{"long group", "1,2345", `"1,2345" has a comma out of place: write it like 1234.50 or 1,234.50`},
		{"long first group", "1234,567", `"1234,567" has a comma out of place: write it like 1234.50 or 1,234.50`},
		{"no first group", ",123", `",123" has a comma out of place: write it like 1234.50 or 1,234.50`},
		{"no last group", "123,", `"123," has a comma out of place: write it like 1234.50 or 1,234.50`},
		{"two commas", "1,,234", `"1,,234" has a comma out of place: write it like 1234.50 or 1,234.50`},
		{"decimal comma after zero", "0,123", `"0,123" has a comma out of place: write it like 1234.50 or 1,234.50`},
		{"decimal comma", "1.234,50", `"1.234,50" is not an amount: write it like 1234.50`},
		{"comma among the decimals", "1.2,3", `"1.2,3" is not an amount: write it like 1234.50`},
		{"no dollars", ".50", `".50" is not an amount: write it like 1234.50`},
		{"no cents", "5.", `"5." is not an amount: write it like 1234.50`},
		{"two points", "1.2.3", `"1.2.3" is not an amount: write it like 1234.50`},
		{"plus", "+5", `"+5" is not an amount: write it like 1234.50`},
		{"minus alone", "-", `"-" is not an amount: write it like 1234.50`},
		{"minus after dollar sign", "$-5", `"$-5" is not an amount: write it like 1234.50`},
		{"minus sign U+2212", "−1", `"−1" is not an amount: write it like 1234.50`},
		{"two dollar signs", "$$5", `"$$5" is not an amount: write it like 1234.50`},
		{"dollar sign after", "5$", `"5$" is not an amount: write it like 1234.50`},
		{"space inside", "1 234", `"1 234" is not an amount: write it like 1234.50`},
		{"exponent", "1e309", `"1e309" is not an amount: write it like 1234.50`},
		{"hexadecimal", "0x10", `"0x10" is not an amount: write it like 1234.50`},
		{"underscore", "1_000", `"1_000" is not an amount: write it like 1234.50`},
		{"not a number", "NaN", `"NaN" is not an amount: write it like 1234.50`},
		{"infinity", "Inf", `"Inf" is not an amount: write it like 1234.50`},
		{"Arabic-Indic digits", "١٢٣", `"١٢٣" is not an amount: write it like 1234.50`},
		{"full-width digits", "１２", `"１２" is not an amount: write it like 1234.50`},
		{"NUL", "5\x00", `"5\x00" is not an amount: write it like 1234.50`},
		{"not UTF-8", "5\xff", `"5\xff" is not an amount: write it like 1234.50`},
		{"long", strings.Repeat("é", 100_000), `"` + strings.Repeat("é", 40) + `…" is not an amount: write it like 1234.50`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseMoney(tt.text)
			if err == nil {
				t.Fatalf("parseMoney = %v, want an error", got)
			}
			if err.Error() != tt.want {
				t.Errorf("error is %q, want %q", err, tt.want)
			}
		})
	}
}

func FuzzParseMoney(f *testing.F) {
	for _, seed := range []string{"", "1,234.50", "$0.5", "-$5", "10,000,000.01", "1e309", "NaN", "0x1", "٣", "1,23", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		money, err := ParseMoney(text)
		if err != nil {
			if message := err.Error(); !utf8.ValidString(message) || len(message) > 600 {
				t.Errorf("parseMoney(%q): error of %d bytes: %q", text, len(message), message)
			}
			return
		}
		if money < 0 || money > MaxMoney {
			t.Errorf("parseMoney(%q) = %d, out of bounds", text, int64(money))
		}
		for _, written := range []string{money.String(), money.Plain()} {
			if again, err := ParseMoney(written); err != nil || again != money {
				t.Errorf("parseMoney(%q) = %d, but %q reads as %d, %v", text, int64(money), written, int64(again), err)
			}
		}
	})
}
