package page

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"expense-dashboard/internal/expense"
)

func asking(header string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if header != "" {
		r.Header.Set("Accept-Language", header)
	}
	return r
}

func TestLocales(t *testing.T) {
	l := newLocales(expense.Dollars(), time.UTC)
	for _, test := range []struct{ header, tag, money, day, month string }{
		{"", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"*", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"en", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"en-US,en;q=0.9", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"en-GB", "", "-US$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"en-US,de;q=0.9", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"de", "de", "-1.234.567,80\u00a0$", "21. Nov. 2026", "Nov. 2026"},
		{"de-AT;q=0.8,en;q=0.5", "de-AT", "-$\u00a01.234.567,80", "21. Nov. 2026", "Nov. 2026"},
		{"de-CH", "de-CH", "$-1'234'567.80", "21. Nov. 2026", "Nov. 2026"},
		{"fr-CA", "fr-CA", "-1\u00a0234\u00a0567,80\u00a0$\u00a0US", "21 nov. 2026", "nov. 2026"},
		{"es-ES", "es", "-1.234.567,80\u00a0US$", "21 nov 2026", "nov 2026"},
		{"es-AR,es;q=0.9", "es-AR", "-US$\u00a01.234.567,80", "21 nov 2026", "nov 2026"},
		{"es-MX,es;q=0.9,en;q=0.8", "es-MX", "-$1,234,567.80", "21 nov 2026", "nov 2026"},
		{"it", "it", "-1.234.567,80\u00a0$", "21 nov 2026", "nov 2026"},
		{"nl-BE", "nl-BE", "US$\u00a0-1.234.567,80", "21 nov 2026", "nov 2026"},
		{"pt-BR", "pt-BR", "-US$\u00a01.234.567,80", "21 de nov. de 2026", "nov. de 2026"},
		{"pt-PT", "pt-PT", "-1\u00a0234\u00a0567,80\u00a0US$", "21 de nov. de 2026", "nov. de 2026"},
		{"pl", "pl", "-1\u00a0234\u00a0567,80\u00a0$", "21 lis 2026", "lis 2026"},
		{"sv", "sv", "\u22121\u00a0234\u00a0567,80\u00a0US$", "21 nov. 2026", "nov. 2026"},
		{"da", "da", "-1.234.567,80\u00a0US$", "21. nov. 2026", "nov. 2026"},
		{"nb-NO,nn;q=0.9", "nb", "\u22121\u00a0234\u00a0567,80\u00a0$", "21. nov. 2026", "nov. 2026"},
		{"ja", "ja", "-$1,234,567.80", "2026年11月21日", "2026年11月"},
		{"xx", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"zh-CN,zh;q=0.9", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"is,de;q=0.5", "de", "-1.234.567,80\u00a0$", "21. Nov. 2026", "Nov. 2026"},
		{"de;q=0,en", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"de;q=x", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{`"><script>`, "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"de," + strings.Repeat("fr-", maxAcceptLanguage), "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
	} {
		t.Run(test.header, func(t *testing.T) {
			got, date := l.Of(asking(test.header)), expense.NewDate(2026, 11, 21)
			if got.tag != test.tag || got.Money(-123456780) != test.money || got.dayText(date) != test.day || got.monthText(date) != test.month {
				t.Errorf("%q, %q, %q, %q, want %q, %q, %q, %q", got.tag, got.Money(-123456780), got.dayText(date), got.monthText(date), test.tag, test.money, test.day, test.month)
			}
		})
	}
}

// Amounts have the decimals of their currency in every locale.
func TestLocaleCurrencies(t *testing.T) {
	for _, test := range []struct{ header, currency, money string }{
		{"en", "JPY", "-¥123,456"},
		{"ja", "JPY", "-￥123,456"},
		{"de", "JPY", "-123.456\u00a0¥"},
		{"en", "KWD", "-KWD\u00a0123.456"},
		{"fr-CA", "EUR", "-1\u00a0234,56\u00a0€"},
		{"sv", "SLE", "\u22121\u00a0234,56\u00a0SLE"},
		{"es-MX", "XCG", "-Cg.1,234.56"},
	} {
		c, err := expense.ParseCurrency(test.currency)
		if err != nil {
			t.Fatal(err)
		}
		if got := newLocales(c, time.UTC).Of(asking(test.header)).Money(-123456); got != test.money {
			t.Errorf("%s in %s: %q, want %q", test.header, test.currency, got, test.money)
		}
	}
}

// Every locale has all that it needs, and a day in it names each of its parts.
func TestLocaleRowsAreWhole(t *testing.T) {
	for _, l := range newLocales(expense.Dollars(), time.UTC).all {
		for month := range 12 {
			day := l.dayText(expense.NewDate(2026, 1, 21).StartOfMonth(month).AddDays(20))
			if l.months[month] == "" || !strings.Contains(day, "21") || !strings.Contains(day, l.months[month]) || !strings.Contains(day, "2026") {
				t.Errorf("%q: day %q in the month %q", l.tag, day, l.months[month])
			}
		}
		for _, amount := range []expense.Money{123456789, -5, 100} {
			if read, problem := l.Notation().Parse(l.Money(amount)); read != amount {
				t.Errorf("%q: %d is shown as %q and read as %d, %s", l.tag, amount, l.Money(amount), read, problem)
			}
		}
	}
}

func BenchmarkLocaleOf(b *testing.B) {
	l, r := newLocales(expense.Dollars(), time.UTC), asking("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7")
	for b.Loop() {
		l.Of(r)
	}
}

func BenchmarkNewPages(b *testing.B) {
	for b.Loop() {
		if _, err := New(os.DirFS("../../../.."), os.DirFS("../../../.."), expense.Dollars(), time.UTC, 1<<20); err != nil {
			b.Fatal(err)
		}
	}
}

// A time is the site's own, by the name of its zone.
func TestMomentNamesItsZone(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.July, 1, 22, 30, 0, 0, time.UTC)
	for _, test := range []struct {
		zone *time.Location
		want template.HTML
	}{
		{time.UTC, "1 Jul 2026, 22:30 UTC"},
		{time.FixedZone("CEST", 2*60*60), "2 Jul 2026, 00:30 CEST"},
		{time.FixedZone("-03", -3*60*60), "1 Jul 2026, 19:30 UTC-03"},
	} {
		if got := newLocales(expense.Dollars(), test.zone).english().moment(at); got != test.want {
			t.Errorf("in %s it is %q, want %q", test.zone, got, test.want)
		}
	}
}
