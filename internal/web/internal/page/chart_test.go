package page

import (
	"fmt"
	"math"
	"testing"

	"expense-dashboard/internal/expense"
)

// manyGroups returns groups whose totals fall by a dollar down to a dollar.
func manyGroups(count int) []expense.Group {
	groups := make([]expense.Group, count)
	for i := range groups {
		groups[i] = expense.Group{Label: fmt.Sprintf("Group %d", i+1), Count: 1, Total: expense.Money(count-i) * 100}
	}
	return groups
}

// months returns so many months from January 2020 on, a dollar each.
func months(count int) []expense.Group {
	groups := make([]expense.Group, count)
	for i := range groups {
		groups[i] = expense.Group{Label: expense.NewDate(2020, 1, 1).StartOfMonth(i).String()[:7], Count: 1, Total: 100}
	}
	return groups
}

// sum returns how many expenses a chart's table shows, and their total.
func (c chart) sum() (count int64, total expense.Money) {
	for _, row := range c.Rows {
		count += row.Count
		total += row.Total
	}
	return count, total
}

func TestMonthChart(t *testing.T) {
	for _, tt := range []struct {
		name        string
		groups      []expense.Group
		bars        int
		ticks       int
		peak        string
		first, last string // rows
	}{
		{"no expenses", nil, 0, 0, "", "", ""},
		{"one month", []expense.Group{{Label: "2026-03", Count: 2, Total: 500}}, 1, 12, "Mar 2026", "Mar 2026", "Mar 2026"},
		{"over the end of a year with a gap", []expense.Group{{Label: "2025-11", Count: 1, Total: 100}, {Label: "2026-02", Count: 1, Total: 300}}, 4, 12, "Feb 2026", "Nov 2025", "Feb 2026"},
		{"a year", months(12), 12, 12, "Jan 2020", "Jan 2020", "Dec 2020"},
		{"over a year", months(13), 13, 13, "Jan 2020", "Jan 2020", "Jan 2021"},
		{"as many as fit", months(24), 24, 24, "Jan 2020", "Jan 2020", "Dec 2021"},
		{"ten years", months(120), 24, 24, "Jan 2028", "Before Jan 2028", "Dec 2029"},
		{"two months far apart", []expense.Group{{Label: "2000-01", Count: 1, Total: 900}, {Label: "2026-01", Count: 1, Total: 100}}, 24, 24, "Jan 2026", "Before Feb 2024", "Jan 2026"},
		{"nothing spent", []expense.Group{{Label: "2026-02", Count: 0, Total: 0}, {Label: "2026-03", Count: 0, Total: 0}}, 2, 12, "", "Feb 2026", "Mar 2026"},
		{"as much as there can be", []expense.Group{{Label: "2026-02", Count: 1, Total: 1}, {Label: "2026-03", Count: 1, Total: math.MaxInt64 - 1}}, 2, 12, "Mar 2026", "Feb 2026", "Mar 2026"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := MonthChart(tt.groups, testEnglish)
			if len(c.Bars) != tt.bars || len(c.Ticks) != tt.ticks || c.Peak.Label != tt.peak {
				t.Fatalf("%d bars, %d ticks, peak %q; want %d, %d, %q", len(c.Bars), len(c.Ticks), c.Peak.Label, tt.bars, tt.ticks, tt.peak)
			}
			if len(c.Rows) > 0 && (c.Rows[0].Label != tt.first || c.Rows[len(c.Rows)-1].Label != tt.last) {
				t.Errorf("rows from %q to %q, want %q to %q", c.Rows[0].Label, c.Rows[len(c.Rows)-1].Label, tt.first, tt.last)
			}
			checkSum(t, c, tt.groups)
			end := 0
			for _, b := range c.Bars {
				if b.X < end || b.Width <= 0 || b.X+b.Width > c.Width {
					t.Errorf("bar from %d to %d, after %d and within %d", b.X, b.X+b.Width, end, c.Width)
				}
				end = b.X + b.Width
				if b.Y < 0 || b.Y+b.Height != 100 || (b.Height > 0) != (b.Total > 0) {
					t.Errorf("bar of %v from %d down by %d, does not stand on 100", b.Total, b.Y, b.Height)
				}
				if b.Label == tt.peak && b.Height != 100 {
					t.Errorf("the largest bar is %d high", b.Height)
				}
			}
		})
	}
}

func checkSum(t *testing.T, c chart, groups []expense.Group) {
	t.Helper()
	count, total := c.sum()
	wantCount, wantTotal := chart{Rows: groups}.sum()
	if count != wantCount || total != wantTotal {
		t.Errorf("the table has %d expenses of %v, want %d of %v", count, total, wantCount, wantTotal)
	}
}

func TestMonthTicks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		groups []expense.Group
		want   string
	}{
		{"without a January", months(5)[1:], "Feb 2020|Mar|Apr|May||||||||"},
		{"from January", months(3), "Jan 2020|Feb|Mar|||||||||"},
		{"over the end of a year", months(14)[10:], "Nov|Dec|Jan 2021|Feb||||||||"},
		{"by quarter", months(14), "Jan 2020|||Apr|||Jul|||Oct|||Jan 2021|"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for i, tick := range MonthChart(tt.groups, testEnglish).Ticks {
				if i > 0 {
					got += "|"
				}
				got += tick.Month
				if tick.Year != "" {
					got += " " + tick.Year
				}
			}
			if got != tt.want {
				t.Errorf("ticks %q, want %q", got, tt.want)
			}
		})
	}
}

func TestBarChart(t *testing.T) {
	for _, tt := range []struct {
		name   string
		groups []expense.Group
		widths []int
		last   string
	}{
		{"no expenses", nil, nil, ""},
		{"one", []expense.Group{{Label: "Meals", Count: 3, Total: 700}}, []int{1000}, "Meals"},
		{"rounded down", []expense.Group{{Label: "A", Count: 1, Total: 300}, {Label: "B", Count: 1, Total: 200}, {Label: "C", Count: 1, Total: 100}}, []int{1000, 666, 333}, "C"},
		{"too small to see", []expense.Group{{Label: "A", Count: 1, Total: 1_000_000_00}, {Label: "B", Count: 1, Total: 1}}, []int{1000, 1}, "B"},
		{"nothing spent", []expense.Group{{Label: "A", Count: 0, Total: 0}, {Label: "B", Count: 0, Total: 0}}, []int{0, 0}, "B"},
		{"as much as there can be", []expense.Group{{Label: "A", Count: 1, Total: math.MaxInt64 / 2}, {Label: "B", Count: 1, Total: math.MaxInt64 / 4}}, []int{1000, 499}, "B"},
		{"one more than is shown", manyGroups(13), []int{1000, 923, 846, 769, 692, 615, 538, 461, 384, 307, 230, 153, 76}, "Group 13"},
		// The 28 others have 1 + … + 28 = 406 dollars, ten times the largest.
		{"many", manyGroups(40), []int{98, 96, 93, 91, 88, 86, 83, 81, 78, 76, 73, 71, 1000}, "28 others"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := BarChart(tt.groups)
			if len(c.Bars) != len(tt.widths) || len(c.Rows) != len(tt.widths) {
				t.Fatalf("%d bars and %d rows, want %d", len(c.Bars), len(c.Rows), len(tt.widths))
			}
			for i, b := range c.Bars {
				if b.Width != tt.widths[i] {
					t.Errorf("bar %q is %d wide, want %d", b.Label, b.Width, tt.widths[i])
				}
				if b.Group != c.Rows[i] {
					t.Errorf("bar %v is not the row %v", b.Group, c.Rows[i])
				}
			}
			if len(c.Rows) > 0 && c.Rows[len(c.Rows)-1].Label != tt.last {
				t.Errorf("last row %q, want %q", c.Rows[len(c.Rows)-1].Label, tt.last)
			}
			checkSum(t, c, tt.groups)
		})
	}
}

// TestChartLeavesItsGroupsAlone draws what another chart may be drawn from.
func TestChartLeavesItsGroupsAlone(t *testing.T) {
	groups := manyGroups(40)
	BarChart(groups)
	if groups[12] != (expense.Group{Label: "Group 13", Count: 1, Total: 2800}) {
		t.Errorf("the groups were changed: %v", groups[12])
	}
}
