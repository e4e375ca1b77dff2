package page

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"expense-dashboard/internal/expense"
)

// A Chart is groups of expenses drawn as bars. It is its own table: each bar
// says what it stands for.
type Chart struct {
	Bars   []Bar
	Before *Bar // of a chart of months, what is too far back for it; nil for nothing
}

// A Bar is a group with its size in a picture. A bar that stands has heights,
// one that lies has a width.
type Bar struct {
	expense.Group        // its label as readers see it
	Month, Year   string // below a bar of a month; the year may be empty
	Short         string // about the total, as in 7.1k; empty for none
	URL           string // of the expenses; empty where there are none
	Present       bool   // whether it is the present month
	// Of one that stands: what is free above it, its part above the line, and its
	// part below, where refunds are more than what was spent.
	Free, Up, Down int
	// Of one that lies, and of one in a row of small ones: where it begins and how
	// large it is.
	X, Y, Width, Height int
}

const (
	months      = 12   // of a chart of months
	barLength   = 1000 // of the longest bar that lies
	barHeight   = 112  // of the highest bar that stands, in pixels
	sparkHeight = 100  // of the highest bar in a row of small ones
	sparkWidth  = 10   // of the place of one of them
	sparkGap    = 1    // on each side of it
)

// MonthChart draws twelve months up to that of a day, which is the present one or
// lies before it: groups are labelled with months, like 2006-01. Each bar leads
// to link's address of its month. There is no chart where it would be one bar or
// none.
func MonthChart(groups []expense.Group, until, today expense.Date, l *Locale, link func(month expense.Date) string) Chart {
	byMonth := map[string]expense.Group{}
	start := until.StartOfMonth(1 - months)
	var earlier expense.Group
	for _, g := range groups {
		byMonth[g.Label] = g
		if g.Label < start.Month() {
			earlier = earlier.Plus(g)
		}
	}
	var c Chart
	shown := 0
	for i := range months {
		month := start.StartOfMonth(i)
		g := byMonth[month.Month()]
		bar := Bar{Group: g, Month: l.monthName(month.T.Month()), Present: month == today.StartOfMonth(0)}
		bar.Label = l.monthText(month)
		if month.T.Month() == 1 || i == 0 && month.T.Month() != 12 {
			bar.Year = month.T.Format("2006")
		}
		if g.Count > 0 {
			shown++
			bar.URL, bar.Short = link(month), l.short(g.Total)
		}
		c.Bars = append(c.Bars, bar)
	}
	if shown < 2 {
		return Chart{}
	}
	if earlier.Count > 0 {
		earlier.Label = "Before " + l.monthText(start)
		c.Before = &Bar{Group: earlier}
	}
	c.stand()
	return c
}

// stand gives the bars their heights on a common line.
func (c *Chart) stand() {
	highest, deepest := extremes(c.Bars)
	top := scaled(highest, highest+deepest, barHeight)
	bottom := scaled(deepest, highest+deepest, barHeight)
	for i := range c.Bars {
		b := &c.Bars[i]
		b.Up, b.Down = scaled(b.Total, highest+deepest, barHeight), scaled(-b.Total, highest+deepest, barHeight)
		b.Free = top - b.Up
		b.Height = bottom - b.Down
	}
}

// extremes are the largest total, and how far the lowest lies below zero.
func extremes(bars []Bar) (highest, deepest expense.Money) {
	for _, b := range bars {
		highest, deepest = max(highest, b.Total), max(deepest, -b.Total)
	}
	return highest, deepest
}

// Sparks draws the months of several teams as rows of small bars, on one scale.
func Sparks(teams [][]expense.Group) []Chart {
	charts := make([]Chart, len(teams))
	var all []Bar
	for i, groups := range teams {
		for _, g := range groups {
			charts[i].Bars = append(charts[i].Bars, Bar{Group: g})
		}
		all = append(all, charts[i].Bars...)
	}
	highest, deepest := extremes(all)
	line := scaled(highest, highest+deepest, sparkHeight)
	for i := range charts {
		for j := range charts[i].Bars {
			b := &charts[i].Bars[j]
			b.X, b.Width = j*sparkWidth+sparkGap, sparkWidth-2*sparkGap
			up, down := scaled(b.Total, highest+deepest, sparkHeight), scaled(-b.Total, highest+deepest, sparkHeight)
			b.Y, b.Height = line-up, up+down
		}
	}
	return charts
}

// BarChart draws groups, of which the largest stands first, as at most most bars
// that lead to link's address. Where there are more, the smaller ones are one bar
// at the end.
func BarChart(groups []expense.Group, most int, link func(g expense.Group) string) Chart {
	var c Chart
	for i, g := range groups {
		if i >= most && len(groups) > most+1 {
			others := expense.Group{Label: fmt.Sprintf("%d others", len(groups)-i)}
			for _, other := range groups[i:] {
				others = others.Plus(other)
			}
			c.Bars = append(c.Bars, Bar{Group: others})
			break
		}
		c.Bars = append(c.Bars, Bar{Group: g, URL: link(g)})
	}
	highest, _ := extremes(c.Bars)
	for i := range c.Bars {
		c.Bars[i].Width = scaled(c.Bars[i].Total, highest, barLength)
	}
	return c
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

// short writes about an amount, in whole units of the currency: 600, 7.1k, 71k,
// 1.2m. Between two of these forms it rounds to the nearest.
func (l *Locale) short(m expense.Money) string {
	sign := ""
	if m < 0 {
		sign, m = "−", -m
	}
	unit := l.currency.Of(1)
	round := func(of expense.Money) int64 { return int64((m + of/2) / of) }
	tenth := func(of expense.Money, letter string) string {
		tenths := round(of / 10)
		if tenths >= 100 {
			return strconv.FormatInt(round(of), 10) + letter
		}
		return strings.TrimSuffix(fmt.Sprintf("%d%s%d", tenths/10, l.notation.Decimal, tenths%10), l.notation.Decimal+"0") + letter
	}
	switch {
	case round(unit) < 1000:
		return sign + strconv.FormatInt(max(1, round(unit)), 10)
	case round(unit*1000) < 1000:
		return sign + tenth(unit*1000, "k")
	default:
		return sign + tenth(unit*1_000_000, "m")
	}
}
