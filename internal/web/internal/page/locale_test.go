package page

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

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
	l := newLocales()
	for _, test := range []struct{ header, tag, money, day, month string }{
		{"", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"*", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"en", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"en-US,en;q=0.9", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"en-GB", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"en-US,de;q=0.9", "", "-$1,234,567.80", "21 Nov 2026", "Nov 2026"},
		{"de", "de", "-1.234.567,80\u00a0$", "21. Nov. 2026", "Nov. 2026"},
		{"de-AT;q=0.8,en;q=0.5", "de", "-1.234.567,80\u00a0$", "21. Nov. 2026", "Nov. 2026"},
		{"de-CH", "de-CH", "-$\u00a01’234’567.80", "21. Nov. 2026", "Nov. 2026"},
		{"fr-CA", "fr", "-1\u00a0234\u00a0567,80\u00a0$US", "21 nov. 2026", "nov. 2026"},
		{"es-ES", "es", "-1.234.567,80\u00a0US$", "21 nov 2026", "nov 2026"},
		{"es-AR,es;q=0.9", "es", "-1.234.567,80\u00a0US$", "21 nov 2026", "nov 2026"},
		{"es-MX,es;q=0.9,en;q=0.8", "es-MX", "-USD\u00a01,234,567.80", "21 nov 2026", "nov 2026"},
		{"it", "it", "-1.234.567,80\u00a0USD", "21 nov 2026", "nov 2026"},
		{"nl-BE", "nl", "-US$\u00a01.234.567,80", "21 nov 2026", "nov 2026"},
		{"pt-BR", "pt", "-US$\u00a01.234.567,80", "21 de nov. de 2026", "nov. de 2026"},
		{"pt-PT", "pt-PT", "-1\u00a0234\u00a0567,80\u00a0US$", "21 de nov. de 2026", "nov. de 2026"},
		{"pl", "pl", "-1\u00a0234\u00a0567,80\u00a0USD", "21 lis 2026", "lis 2026"},
		{"sv", "sv", "-1\u00a0234\u00a0567,80\u00a0US$", "21 nov. 2026", "nov. 2026"},
		{"da", "da", "-1.234.567,80\u00a0US$", "21. nov. 2026", "nov. 2026"},
		{"nb-NO,nn;q=0.9", "nb", "-1\u00a0234\u00a0567,80\u00a0USD", "21. nov. 2026", "nov. 2026"},
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

// Every locale has all that it needs, and a day in it names each of its parts.
func TestLocaleRowsAreWhole(t *testing.T) {
	for _, l := range newLocales().all {
		for month := range 12 {
			day := l.dayText(expense.NewDate(2026, 1, 21).StartOfMonth(month).AddDays(20))
			if l.months[month] == "" || !strings.Contains(day, "21") || !strings.Contains(day, l.months[month]) || !strings.Contains(day, "2026") {
				t.Errorf("%q: day %q in the month %q", l.tag, day, l.months[month])
			}
		}
		if l.group == "" || l.decimal == "" || l.group == l.decimal || l.before+l.after == "" {
			t.Errorf("%q: %q, %q, %q, %q", l.tag, l.before, l.group, l.decimal, l.after)
		}
	}
}

func BenchmarkLocaleOf(b *testing.B) {
	l, r := newLocales(), asking("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7")
	for b.Loop() {
		l.Of(r)
	}
}

func BenchmarkNewPages(b *testing.B) {
	for b.Loop() {
		if _, err := New(os.DirFS("../../../.."), os.DirFS("../../../.."), 1<<20); err != nil {
			b.Fatal(err)
		}
	}
}
