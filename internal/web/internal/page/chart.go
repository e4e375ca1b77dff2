package page

import (
	"fmt"
	"math/bits"
	"time"

	"expense-dashboard/internal/expense"
)

// A chart is groups of expenses drawn as bars, and the table behind it.
type chart struct {
	Bars  []bar
	Ticks []tick // below each place for a bar in a chart of months
	Width int    // of a chart of months, in the units of its bars
	Peak  bar    // the largest one; without a label where there is none
	// Rows have the labels that readers see. Together they are all expenses,
	// also those that are too far back for a bar.
	Rows []expense.Group
}

// A bar is a group with its place in a picture, which starts at the top left. A
// bar that lies has only a width.
type bar struct {
	expense.Group
	X, Y, Width, Height int
}

// A tick is what stands below a bar: a short month, a year, or nothing.
type tick struct{ Month, Year string }

const (
	maxBars    = 12   // of a chart with bars that lie, without that of the others
	maxMonths  = 24   // of a chart of months
	minMonths  = 12   // for which it has place, so that few bars are not wide
	barLength  = 1000 // of the longest bar that lies
	barHeight  = 100  // of the highest bar that stands
	monthWidth = 10
	monthGap   = 1 // on each side of a bar
)

// MonthChart draws groups that are labelled with months, like 2006-01, and stand
// in their order: the last 24 up to the last one, those without expenses too.
func MonthChart(groups []expense.Group, l *Locale) chart {
	if len(groups) == 0 {
		return chart{}
	}
	first, last := monthOf(groups[0].Label), monthOf(groups[len(groups)-1].Label)
	count := min(monthsFrom(first, last)+1, maxMonths)
	start := last.StartOfMonth(1 - count)
	known := map[expense.Date]expense.Group{}
	var earlier expense.Group
	for _, g := range groups {
		month := monthOf(g.Label)
		if month.Compare(start) < 0 {
			earlier.Count += g.Count
			earlier.Total += g.Total
		}
		known[month] = g
	}
	var c chart
	if earlier.Count > 0 {
		earlier.Label = "Before " + l.monthText(start)
		c.Rows = append(c.Rows, earlier)
	}
	for i := range count {
		month := start.StartOfMonth(i)
		g := known[month]
		g.Label = l.monthText(month)
		c.Rows = append(c.Rows, g)
		c.Bars = append(c.Bars, bar{Group: g, X: i*monthWidth + monthGap, Width: monthWidth - 2*monthGap})
	}
	c.findPeak()
	for i := range c.Bars {
		height := scaled(c.Bars[i].Total, c.Peak.Total, barHeight)
		c.Bars[i].Y, c.Bars[i].Height = barHeight-height, height
	}
	c.Ticks = monthTicks(start, count, l)
	c.Width = len(c.Ticks) * monthWidth
	return c
}

// monthTicks names each month, or the first of each quarter where there are too
// many. The year stands below January, or below the first month in a chart
// without one.
func monthTicks(start expense.Date, count int, l *Locale) []tick {
	ticks := make([]tick, max(count, minMonths))
	years := 0
	for i := range count {
		month := start.StartOfMonth(i).T
		if count <= minMonths || month.Month()%3 == time.January {
			ticks[i].Month = l.monthName(month.Month())
		}
		if month.Month() == time.January {
			ticks[i].Year = month.Format("2006")
			years++
		}
	}
	if years == 0 {
		ticks[0].Year = start.T.Format("2006")
	}
	return ticks
}

// BarChart draws groups, of which the largest stands first. Where there are many,
// the smaller ones are one bar at the end.
func BarChart(groups []expense.Group) chart {
	var others expense.Group
	if len(groups) > maxBars+1 {
		for _, g := range groups[maxBars:] {
			others.Count += g.Count
			others.Total += g.Total
		}
		others.Label = fmt.Sprintf("%d others", len(groups)-maxBars)
		groups = groups[:maxBars]
	}
	var c chart
	c.Rows = append(c.Rows, groups...)
	if others.Label != "" {
		c.Rows = append(c.Rows, others)
	}
	for _, g := range c.Rows {
		c.Bars = append(c.Bars, bar{Group: g})
	}
	c.findPeak()
	for i := range c.Bars {
		c.Bars[i].Width = scaled(c.Bars[i].Total, c.Peak.Total, barLength)
	}
	return c
}

// findPeak sets the largest bar, the first of equals.
func (c *chart) findPeak() {
	for _, b := range c.Bars {
		if b.Total > c.Peak.Total {
			c.Peak = b
		}
	}
}

// scaled is how much of a size shows a part of a whole: at least 1 where the part
// is anything, so that it is seen.
func scaled(part, whole expense.Money, size int) int {
	if part <= 0 || whole <= 0 {
		return 0
	}
	// The product may not fit into 64 bits.
	high, low := bits.Mul64(uint64(min(part, whole)), uint64(size))
	length, _ := bits.Div64(high, low, uint64(whole))
	return max(1, int(length))
}

// monthOf returns the first day of a month that is written like 2006-01, or no
// date.
func monthOf(label string) expense.Date {
	date, _ := expense.ParseDate(label + "-01")
	return date
}

// monthsFrom is how many months after first last is; the years 1 to 9999 fit.
func monthsFrom(first, last expense.Date) int {
	return max(0, 12*(last.T.Year()-first.T.Year())+int(last.T.Month())-int(first.T.Month()))
}
