package expense

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// Date is a calendar date without a time of day and without a zone: the day
// that stands on a receipt. The zero Date is no date. Two Dates that name the
// same day are equal by ==.
type Date struct {
	T time.Time // midnight in UTC, or zero
}

// NewDate returns the date of a day, which counts on over the ends of months as
// time.Date does: the 0th of March is the last of February.
func NewDate(year int, month time.Month, day int) Date {
	return Date{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// DateOf returns the date that a clock in t's zone shows at t.
func DateOf(t time.Time) Date {
	return NewDate(t.Date())
}

// errDateRange is a day before all that a Date can be.
var errDateRange = errors.New("a date is from 0001-01-02 to 9999-12-31")

// ParseDate reads a date in the one form YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%s is not a date: write it like 2006-01-31", QuoteShort(s))
	}
	if t.Year() == 0 || t.IsZero() {
		return Date{}, fmt.Errorf("%s: %w", QuoteShort(s), errDateRange)
	}
	return Date{t}, nil
}

// String returns d as YYYY-MM-DD, or nothing where d is no date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.T.Format(time.DateOnly)
}

// Month returns d's month as YYYY-MM.
func (d Date) Month() string { return d.T.Format("2006-01") }

// IsZero reports whether d is no date.
func (d Date) IsZero() bool { return d == Date{} }

// Compare is -1 where d comes before other, 0 on the same day, 1 after it.
func (d Date) Compare(other Date) int { return d.T.Compare(other.T) }

// AddDays returns the date that many days after d.
func (d Date) AddDays(days int) Date { return Date{d.T.AddDate(0, 0, days)} }

// StartOfMonth returns the first day of the month that many months after d's.
func (d Date) StartOfMonth(after int) Date {
	year, month, _ := d.T.Date()
	return NewDate(year, month+time.Month(after), 1)
}

// Value is the form of d in the database: YYYY-MM-DD.
func (d Date) Value() (driver.Value, error) { return d.String(), nil }

// Scan reads the form that Value writes.
func (d *Date) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("a date column holds a %T", value)
	}
	var err error
	*d, err = ParseDate(text)
	return err
}

// Period is a range of dates with a name, both ends included.
type Period struct {
	Name     string
	From, To Date
}

// Periods lists the ranges that a page of expenses offers on a day.
func Periods(today Date) []Period {
	span := func(name string, first, months int) Period {
		from := today.StartOfMonth(first)
		return Period{name, from, from.StartOfMonth(months).AddDays(-1)}
	}
	month := int(today.T.Month()) - 1
	return []Period{
		span("This month", 0, 1),
		span("Last month", -1, 1),
		span("This quarter", -(month % 3), 3),
		span("This year", -month, 12),
	}
}
