package page

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bojanz/currency"
	"golang.org/x/text/language"

	"expense-dashboard/internal/cache"
	"expense-dashboard/internal/duration"
	"expense-dashboard/internal/expense"
)

// A Locale is how a reader writes dates and amounts. The words of a page are
// English in all of them.
type Locale struct {
	tag        string // BCP 47; empty for English, the language of the page
	currency   expense.Currency
	zone       *time.Location // of the times that a page shows
	amounts    numbers
	counts     numbers // without a currency
	notation   expense.Notation
	months     [12]string // abbreviated, as a page shows them
	day, month string     // patterns in which D, M and Y stand for day, month and year
}

// localeRow is what is known of the languages that share it: their tags, the
// first for all that are like them, and how they write dates. How each of them
// writes amounts is known to github.com/bojanz/currency.
type localeRow struct{ tags, months, day, month string }

// localeRows follow the Unicode CLDR. A tag with a region stands there where the
// region writes amounts in a way of its own.
func localeRows() []localeRow {
	const german = "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."
	const spanish = "ene feb mar abr may jun jul ago sept oct nov dic"
	const portuguese = "jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez."
	return []localeRow{
		{"en en-AT en-AU en-BE en-CA en-CH en-DE en-DK en-FI en-GB en-IE en-IN en-NL en-NZ en-SE en-SG en-ZA", "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", "D M Y", "M Y"},
		{"de de-AT de-CH de-LI de-LU", german, "D. M Y", "M Y"},
		{"fr fr-CA fr-CH fr-LU", "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.", "D M Y", "M Y"},
		{"es es-AR es-BO es-CL es-CO es-CR es-EC es-PY es-UY es-VE es-MX es-419 es-US es-CU es-DO es-GT es-HN es-NI es-PA es-PE es-PR es-SV", spanish, "D M Y", "M Y"},
		{"it it-CH", "gen feb mar apr mag giu lug ago set ott nov dic", "D M Y", "M Y"},
		{"nl nl-BE", "jan feb mrt apr mei jun jul aug sep okt nov dec", "D M Y", "M Y"},
		{"pt pt-BR pt-PT pt-AO pt-MZ", portuguese, "D de M de Y", "M de Y"},
		{"pl", "sty lut mar kwi maj cze lip sie wrz paź lis gru", "D M Y", "M Y"},
		{"sv", "jan. feb. mars apr. maj juni juli aug. sep. okt. nov. dec.", "D M Y", "M Y"},
		{"da", "jan. feb. mar. apr. maj jun. jul. aug. sep. okt. nov. dec.", "D. M Y", "M Y"},
		{"nb no", "jan. feb. mars apr. mai juni juli aug. sep. okt. nov. des.", "D. M Y", "M Y"},
		{"ja", "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月", "Y年MD日", "Y年M"},
	}
}

// locales chooses a locale for a reader. All are made once.
type locales struct {
	all     []*Locale // English first, as the matcher counts
	matcher language.Matcher
	chosen  *cache.Cache[string, *Locale] // by header, of which browsers send few
}

func newLocales(c expense.Currency, zone *time.Location) *locales {
	l := &locales{chosen: cache.New[string, *Locale](maxChosen)}
	var tags []language.Tag
	for _, row := range localeRows() {
		for name := range strings.FieldsSeq(row.tags) {
			tags = append(tags, language.MustParse(name))
			l.all = append(l.all, row.locale(name, c, zone))
		}
	}
	l.matcher = language.NewMatcher(tags)
	return l
}

// locale returns what one of the row's tags makes of it.
func (row localeRow) locale(tag string, c expense.Currency, zone *time.Location) *Locale {
	region := currency.NewLocale(tag)
	amounts, counts := currency.NewFormatter(region), currency.NewFormatter(region)
	amounts.MaxDigits = currency.DefaultDigits
	counts.CurrencyDisplay = currency.DisplayNone
	made := &Locale{tag: tag, currency: c, zone: zone, amounts: newNumbers(amounts, c.Code()), counts: newNumbers(counts, withoutDecimals), day: row.day, month: row.month}
	copy(made.months[:], strings.Fields(row.months))
	made.notation = expense.Notation{Currency: c, Decimal: decimalMark(region), Symbols: symbolsOf(c, region)}
	if tag == "en" || strings.HasPrefix(tag, "en-") {
		made.tag = ""
	}
	return made
}

// withoutDecimals is a currency that has none.
const withoutDecimals = "JPY"

// decimalMark is what a region writes before the decimals of an amount.
func decimalMark(region currency.Locale) string {
	numbers := currency.NewFormatter(region)
	numbers.CurrencyDisplay = currency.DisplayNone
	half, err := currency.NewAmount("0.50", "USD")
	if err != nil {
		panic("half a dollar is no amount: " + err.Error())
	}
	return strings.Trim(numbers.Format(half), "05")
}

// symbolsOf lists what stands around an amount in a currency, the longest first:
// the code, and the symbols that it has in a region and where it is at home.
func symbolsOf(c expense.Currency, region currency.Locale) []string {
	symbols := []string{c.Code()}
	for _, of := range []currency.Locale{region, currency.NewLocale("en"), currency.NewLocale("en-GB")} {
		if symbol, ok := currency.GetSymbol(c.Code(), of); ok && !slices.Contains(symbols, symbol) {
			symbols = append(symbols, symbol)
		}
	}
	slices.SortStableFunc(symbols, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return symbols
}

// Notation is how the reader writes amounts into a form.
func (l *Locale) Notation() expense.Notation { return l.notation }

// english is the locale of who names no language that we have data for.
func (l *locales) english() *Locale { return l.all[0] }

// maxAcceptLanguage bounds the header that is looked at, in bytes.
const maxAcceptLanguage = 200

// Of returns the locale of a request (RFC 9110, 12.5.4): that of the language
// its reader likes best among those that are here, or English.
func (l *locales) Of(r *http.Request) *Locale {
	header := r.Header.Get("Accept-Language")
	if header == "" || len(header) > maxAcceptLanguage {
		return l.english()
	}
	chosen, ok := l.chosen.Get(header)
	if !ok {
		chosen = l.match(header)
		l.chosen.Put(header, chosen, KeyCost+len(header))
	}
	return chosen
}

// maxChosen bounds what is kept of headers, in bytes.
const maxChosen = 128 << 10

func (l *locales) match(header string) *Locale {
	wanted, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return l.english()
	}
	_, i, confidence := l.matcher.Match(wanted...)
	if confidence < language.High {
		return l.english()
	}
	return l.all[i]
}

// Money returns an amount as the reader writes it, as in 1.200,00 $.
func (l *Locale) Money(m expense.Money) string { return l.amounts.text(int64(m)) }

// number returns a count as the reader groups digits, as in 1.200.
func (l *Locale) number(n int64) template.HTML { return l.mark(l.counts.text(n)) }

// dayText returns a date as the reader writes it, as in 21. Nov. 2026.
func (l *Locale) dayText(d expense.Date) string { return l.fill(l.day, d) }

// monthText returns a date's month and year, as in Nov. 2026.
func (l *Locale) monthText(d expense.Date) string { return l.fill(l.month, d) }

// Month returns a month like 2006-01 as the reader writes it, as in Nov. 2026. What
// is no such month stays as it is.
func (l *Locale) Month(month string) string {
	at, err := time.Parse("2006-01", month)
	if err != nil {
		return month
	}
	return l.monthText(expense.DateOf(at))
}

// dated returns a date for people and for programs.
func (l *Locale) dated(d expense.Date) template.HTML {
	return `<time datetime="` + escaped(d.String()) + `">` + l.mark(l.dayText(d)) + `</time>`
}

// amount returns an amount in a table, with what tells a refund from an expense.
func (l *Locale) amount(m expense.Money) template.HTML {
	text := l.mark(l.Money(m))
	if m < 0 {
		return `<span class="badge">Refund</span> ` + text
	}
	return text
}

func (l *Locale) monthName(month time.Month) string { return l.months[month-1] }

func (l *Locale) fill(pattern string, d expense.Date) string {
	year, month, day := d.T.Date()
	text := make([]byte, 0, 32)
	for i := range len(pattern) {
		switch letter := pattern[i]; letter {
		case 'D':
			text = strconv.AppendInt(text, int64(day), 10)
		case 'M':
			text = append(text, l.monthName(month)...)
		case 'Y':
			text = strconv.AppendInt(text, int64(year), 10)
		default:
			text = append(text, letter)
		}
	}
	return string(text)
}

// moment returns a time of the site's zone, which it names, as in 21. Nov. 2026,
// 15:04 CET. A zone without a name is told by how far it is from UTC.
func (l *Locale) moment(t time.Time) template.HTML {
	t = t.In(l.zone)
	name := t.Format("MST")
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		name = "UTC" + name
	}
	return l.mark(l.dayText(expense.DateOf(t))+t.Format(", 15:04")) + " " + escaped(name)
}

// mark tells a screen reader which language a text is in, where that is not the
// page's.
func (l *Locale) mark(text string) template.HTML {
	if l.tag == "" {
		return escaped(text)
	}
	return `<span lang="` + escaped(l.tag) + `">` + escaped(text) + `</span>`
}

// templateFuncs are what templates call to show amounts, dates and times.
func (l *Locale) templateFuncs() template.FuncMap {
	return template.FuncMap{
		"number":   l.number,
		"money":    func(m expense.Money) template.HTML { return l.mark(l.Money(m)) },
		"day":      func(d expense.Date) template.HTML { return l.mark(l.dayText(d)) },
		"amount":   l.amount,
		"dated":    l.dated,
		"rows":     l.rows,
		"moment":   l.moment,
		"month":    func(month string) template.HTML { return l.mark(l.Month(month)) },
		"worded":   worded,
		"words":    duration.InWords,
		"grouped":  Grouped,
		"isolated": isolated,
	}
}

// worded is a value that was changed, for people: a status has a name of its own.
func worded(field, value string) string {
	if field != "status" || value == "" {
		return value
	}
	return expense.Status(value).String()
}
