package expensefile

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"expense-dashboard/internal/expense"
)

// The orders in which a date with slashes may be.
const (
	DayFirst   = "day-first"
	MonthFirst = "month-first"
)

// clockPattern is a time of day behind a date, with or without a zone. The date
// is the one that stands there, whatever the zone.
var clockPattern = regexp.MustCompile(`^(?:T| +)\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?$`)

// dateForms are the forms of dates, each followed by a time or nothing.
var dateForms = [...]struct {
	pattern *regexp.Regexp
	read    func(groups []string) writtenDate
}{
	{regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})`), yearFirst},
	{regexp.MustCompile(`^(\d{4})/(\d{1,2})/(\d{1,2})`), yearFirst},
	{regexp.MustCompile(`^(\d{4})\.(\d{1,2})\.(\d{1,2})`), yearFirst},
	{regexp.MustCompile(`^(\d{1,2})\. ?(\d{1,2})\. ?(\d{4}|\d{2})`), dayFirst},
	{regexp.MustCompile(`^(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})`), slashed},
	{regexp.MustCompile(`^(\d{1,2})-(\d{1,2})-(\d{4}|\d{2})`), slashed},
	{regexp.MustCompile(`^(\d{1,2})[- ]([A-Za-z]{3,9})\.?[-, ] ?(\d{4}|\d{2})`), dayAndName},
	{regexp.MustCompile(`^([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})`), nameAndDay},
}

func yearFirst(g []string) writtenDate {
	return writtenDate{year: number(g[1]), month: number(g[2]), day: number(g[3])}
}

func dayFirst(g []string) writtenDate {
	return writtenDate{year: fullYear(g[3]), month: number(g[2]), day: number(g[1])}
}

func slashed(g []string) writtenDate {
	return writtenDate{year: fullYear(g[3]), month: number(g[1]), day: number(g[2]), either: true}
}

func dayAndName(g []string) writtenDate {
	return writtenDate{year: fullYear(g[3]), month: monthNamed(g[2]), day: number(g[1])}
}

func nameAndDay(g []string) writtenDate {
	return writtenDate{year: number(g[3]), month: monthNamed(g[1]), day: number(g[2])}
}

// A writtenDate is a date as it stands in a cell. Of one with slashes the order
// of day and month is not known by itself.
type writtenDate struct {
	year, month, day int
	either           bool // month and day may be the other way round
}

// readDate reads a date in any of its forms, and reports whether it has one.
func readDate(cell string) (writtenDate, bool) {
	cell = strings.TrimSpace(cell)
	for _, form := range dateForms {
		groups := form.pattern.FindStringSubmatch(cell)
		if groups == nil {
			continue
		}
		rest := cell[len(groups[0]):]
		return form.read(groups), rest == "" || clockPattern.MatchString(rest)
	}
	return writtenDate{}, false
}

// number reads digits that a pattern has found.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// fullYear reads a year of four digits, or of two in this century.
func fullYear(digits string) int {
	if len(digits) == 2 {
		return 2000 + number(digits)
	}
	return number(digits)
}

// monthNamed returns the month of an English name or its first letters, or 0.
func monthNamed(name string) int {
	for month := time.January; month <= time.December; month++ {
		if strings.HasPrefix(strings.ToLower(month.String()), strings.ToLower(name)) {
			return int(month)
		}
	}
	return 0
}

// order returns the only order in which d is a day, or nothing where both or
// none will do. Only numbers up to 12 can be months.
func (d writtenDate) order() string {
	switch first, second := d.month, d.day; {
	case !d.either:
	case first > 12 && second <= 12:
		return DayFirst
	case second > 12 && first <= 12:
		return MonthFirst
	}
	return ""
}

// in returns d in an order, and whether there is such a day.
func (d writtenDate) in(order string) (expense.Date, bool) {
	if d.either && order == DayFirst {
		d.month, d.day = d.day, d.month
	}
	date := expense.NewDate(d.year, time.Month(d.month), d.day)
	return date, int(date.T.Month()) == d.month && date.T.Day() == d.day
}

// DateIn returns the day that is written with slashes, in an order, and whether
// there is such a day.
func DateIn(written, order string) (expense.Date, bool) {
	d, ok := readDate(written)
	if !ok {
		return expense.Date{}, false
	}
	return d.in(order)
}

// ambiguous reports whether d is two different days by its order.
func (d writtenDate) ambiguous() bool {
	return d.either && d.month <= 12 && d.day <= 12 && d.month != d.day
}
