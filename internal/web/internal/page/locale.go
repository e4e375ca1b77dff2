package page

import (
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"expense-dashboard/internal/cache"
	"expense-dashboard/internal/duration"
	"expense-dashboard/internal/expense"
)

// A Locale is how a reader writes dates and amounts. The words of a page are
// English in all of them.
type Locale struct {
	tag            string // BCP 47; empty for English, the language of the page
	before, after  string // what stands around the digits of an amount in dollars
	group, decimal string
	months         [12]string // abbreviated, as a page shows them
	day, month     string     // patterns in which D, M and Y stand for day, month and year
}

// localeRow is what is known of the languages that share it: their tags, the
// first for all that are like them, and the rest of a locale. The separators of
// digits come from golang.org/x/text, which has no public names of months and
// no place for the sign of a currency.
type localeRow struct{ tags, before, after, months, day, month string }

// localeRows follow the Unicode CLDR. Spanish is there twice, since 1.200,00 and
// 1,200.00 mean the same to readers on two sides of a border.
func localeRows() []localeRow {
	const nbsp = "\u00a0"
	const german = "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."
	const spanish = "ene feb mar abr may jun jul ago sept oct nov dic"
	const portuguese = "jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez."
	return []localeRow{
		{"en", "$", "", "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", "D M Y", "M Y"},
		{"de", "", nbsp + "$", german, "D. M Y", "M Y"},
		{"de-CH de-LI", "$" + nbsp, "", german, "D. M Y", "M Y"},
		{"fr", "", nbsp + "$US", "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.", "D M Y", "M Y"},
		{"es es-AR es-BO es-CL es-CO es-CR es-EC es-PY es-UY es-VE", "", nbsp + "US$", spanish, "D M Y", "M Y"},
		{"es-MX es-419 es-US es-CU es-DO es-GT es-HN es-NI es-PA es-PE es-PR es-SV", "USD" + nbsp, "", spanish, "D M Y", "M Y"},
		{"it", "", nbsp + "USD", "gen feb mar apr mag giu lug ago set ott nov dic", "D M Y", "M Y"},
		{"nl", "US$" + nbsp, "", "jan feb mrt apr mei jun jul aug sep okt nov dec", "D M Y", "M Y"},
		{"pt pt-BR", "US$" + nbsp, "", portuguese, "D de M de Y", "M de Y"},
		{"pt-PT pt-AO pt-MZ", "", nbsp + "US$", portuguese, "D de M de Y", "M de Y"},
		{"pl", "", nbsp + "USD", "sty lut mar kwi maj cze lip sie wrz paź lis gru", "D M Y", "M Y"},
		{"sv", "", nbsp + "US$", "jan. feb. mars apr. maj juni juli aug. sep. okt. nov. dec.", "D M Y", "M Y"},
		{"da", "", nbsp + "US$", "jan. feb. mar. apr. maj jun. jul. aug. sep. okt. nov. dec.", "D. M Y", "M Y"},
		{"nb no", "", nbsp + "USD", "jan. feb. mars apr. mai juni juli aug. sep. okt. nov. des.", "D. M Y", "M Y"},
		{"ja", "$", "", "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月", "Y年MD日", "Y年M"},
	}
}

// locales chooses a locale for a reader. All are made once.
type locales struct {
	all     []*Locale // English first
	byTag   []*Locale // as the matcher counts
	matcher language.Matcher
	chosen  *cache.Cache[string, *Locale] // by header, of which browsers send few
}

func newLocales() *locales {
	l := &locales{chosen: cache.New[string, *Locale](maxChosen)}
	var tags []language.Tag
	for _, row := range localeRows() {
		made := row.locale()
		l.all = append(l.all, made)
		for name := range strings.FieldsSeq(row.tags) {
			tags = append(tags, language.MustParse(name))
			l.byTag = append(l.byTag, made)
		}
	}
	l.matcher = language.NewMatcher(tags)
	return l
}

func (row localeRow) locale() *Locale {
	tag, _, _ := strings.Cut(row.tags, " ")
	made := &Locale{tag: tag, before: row.before, after: row.after, day: row.day, month: row.month}
	copy(made.months[:], strings.Fields(row.months))
	sample := message.NewPrinter(language.MustParse(tag)).Sprint(number.Decimal(1234567.89, number.Scale(2)))
	separators := strings.FieldsFunc(sample, unicode.IsDigit)
	made.group, made.decimal = separators[0], separators[len(separators)-1]
	if tag == "en" {
		made.tag = ""
	}
	return made
}

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
	return l.byTag[i]
}

// Money returns an amount as the reader writes it, as in 1.200,00 $.
func (l *Locale) Money(m expense.Money) string {
	return m.Format(l.before, l.group, l.decimal, l.after)
}

// dayText returns a date as the reader writes it, as in 21. Nov. 2026.
func (l *Locale) dayText(d expense.Date) string { return l.fill(l.day, d) }

// monthText returns a date's month and year, as in Nov. 2026.
func (l *Locale) monthText(d expense.Date) string { return l.fill(l.month, d) }

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

// mark tells a screen reader which language a text is in, where that is not the
// page's.
func (l *Locale) mark(text string) template.HTML {
	escaped := template.HTMLEscapeString(text)
	if l.tag == "" {
		return template.HTML(escaped)
	}
	return template.HTML(`<span lang="` + l.tag + `">` + escaped + `</span>`)
}

// templateFuncs are what templates call to show amounts, dates and times.
func (l *Locale) templateFuncs() template.FuncMap {
	return template.FuncMap{
		"money": func(m expense.Money) template.HTML { return l.mark(l.Money(m)) },
		"day":   func(d expense.Date) template.HTML { return l.mark(l.dayText(d)) },
		"moment": func(t time.Time) template.HTML {
			t = t.UTC()
			return l.mark(l.dayText(expense.DateOf(t))+t.Format(", 15:04")) + " UTC"
		},
		"words": duration.InWords,
	}
}
