package page

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"expense-dashboard/internal/expense"
)

// testDay is the present in charts.
var testDay = expense.NewDate(2026, 3, 15)

// linkToMonth is an address that tells what it was made of.
func linkToMonth(month expense.Date) string { return "/m/" + month.Month() }

func linkToGroup(g expense.Group) string { return "/g/" + g.Label }

// testMonthChart is a chart up to testDay.
func testMonthChart(groups []expense.Group) Chart {
	return MonthChart(groups, testDay, testDay, testEnglish, linkToMonth)
}

// manyGroups returns groups whose totals fall by a dollar down to a dollar.
func manyGroups(count int) []expense.Group {
	groups := make([]expense.Group, count)
	for i := range groups {
		groups[i] = group(fmt.Sprintf("Group %d", i+1), 1, expense.Money(count-i)*100)
	}
	return groups
}

func group(label string, count int64, total expense.Money) expense.Group {
	return expense.Group{Label: label, Count: count, Total: total}
}

func TestMonthChart(t *testing.T) {
	for _, tt := range []struct {
		name   string
		groups []expense.Group
		until  expense.Date
		want   string // each month's heights above and below the line, those that have any
		before expense.Money
	}{
		{"no expenses", nil, testDay, "", 0},
		{"one month would be one bar", []expense.Group{group("2026-03", 2, 500)}, testDay, "", 0},
		{"one month and what is too far back", []expense.Group{group("2020-03", 2, 500), group("2026-03", 2, 500)}, testDay, "", 0},
		{"two", []expense.Group{group("2025-11", 1, 100), group("2026-03", 1, 400)}, testDay, "Nov 2025 28+0, Mar 2026* 112+0", 0},
		{"the first and the last of twelve", []expense.Group{group("2025-04", 1, 100), group("2026-03", 1, 100)}, testDay, "Apr 2025 112+0, Mar 2026* 112+0", 0},
		{"a month too far back", []expense.Group{group("2025-03", 3, 700), group("2025-04", 1, 100), group("2026-02", 1, 100)}, testDay, "Apr 2025 112+0, Feb 2026 112+0", 700},
		{"a month to come is no bar", []expense.Group{group("2026-02", 1, 100), group("2026-03", 1, 100), group("2036-04", 1, 100)}, testDay, "Feb 2026 112+0, Mar 2026* 112+0", 0},
		{"up to an earlier month", []expense.Group{group("2024-01", 1, 100), group("2024-02", 1, 50)}, expense.NewDate(2024, 2, 29), "Jan 2024 112+0, Feb 2024 56+0", 0},
		{"more refunds than spending", []expense.Group{group("2026-01", 1, 300), group("2026-02", 1, -100)}, testDay, "Jan 2026 84+0, Feb 2026 0+28", 0},
		{"only refunds", []expense.Group{group("2026-01", 1, -300), group("2026-02", 1, -100)}, testDay, "Jan 2026 0+112, Feb 2026 0+37", 0},
		{"too small to see", []expense.Group{group("2026-01", 1, 1), group("2026-02", 1, 1_000_000_00)}, testDay, "Jan 2026 1+0, Feb 2026 112+0", 0},
		{"as much as there can be", []expense.Group{group("2026-02", 1, 1), group("2026-03", 1, math.MaxInt64-1)}, testDay, "Feb 2026 1+0, Mar 2026* 112+0", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := MonthChart(tt.groups, tt.until, testDay, testEnglish, linkToMonth)
			if len(c.Bars) != 0 && len(c.Bars) != 12 {
				t.Fatalf("%d bars", len(c.Bars))
			}
			var got []string
			for _, b := range c.Bars {
				if b.Free+b.Up+b.Down+b.Height != c.Bars[0].Free+c.Bars[0].Up+c.Bars[0].Down+c.Bars[0].Height || b.Free+b.Up != c.Bars[0].Free+c.Bars[0].Up {
					t.Errorf("%s does not stand on the line: %+v", b.Label, b)
				}
				if (b.Count > 0) != (b.URL != "") || (b.Count > 0) != (b.Short != "") {
					t.Errorf("%s leads to %q and says %q", b.Label, b.URL, b.Short)
				}
				if b.Count > 0 {
					mark := ""
					if b.Present {
						mark = "*"
					}
					got = append(got, fmt.Sprintf("%s%s %d+%d", b.Label, mark, b.Up, b.Down))
				}
			}
			if text := strings.Join(got, ", "); text != tt.want {
				t.Errorf("bars %q, want %q", text, tt.want)
			}
			if (c.Before != nil) != (tt.before != 0) || c.Before != nil && (c.Before.Total != tt.before || c.Before.Label != "Before Apr 2025") {
				t.Errorf("before the chart: %+v, want %v", c.Before, tt.before)
			}
		})
	}
}

// The year stands below January, and below the first month unless January is next.
func TestYearsOfAMonthChart(t *testing.T) {
	for _, tt := range []struct {
		until expense.Date
		want  string
	}{
		{expense.NewDate(2026, 3, 1), "Apr 2025,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec,Jan 2026,Feb,Mar"},
		{expense.NewDate(2026, 11, 1), "Dec,Jan 2026,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov"},
		{expense.NewDate(2026, 12, 1), "Jan 2026,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec"},
	} {
		groups := []expense.Group{group(tt.until.Month(), 1, 1), group(tt.until.StartOfMonth(-1).Month(), 1, 1)}
		var got []string
		for _, b := range MonthChart(groups, tt.until, tt.until, testEnglish, linkToMonth).Bars {
			got = append(got, strings.TrimSpace(b.Month+" "+b.Year))
		}
		if text := strings.Join(got, ","); text != tt.want {
			t.Errorf("up to %v: %s, want %s", tt.until, text, tt.want)
		}
	}
}

func TestSparks(t *testing.T) {
	charts := Sparks([][]expense.Group{{group("2026-01", 1, 100), group("2026-02", 1, 400)}, {group("2026-01", 0, 0), group("2026-02", 1, -100)}, nil})
	var parts []string
	for _, c := range charts {
		var bars []string
		for _, b := range c.Bars {
			bars = append(bars, fmt.Sprintf("%d+%d", b.Y, b.Height))
		}
		parts = append(parts, strings.Join(bars, " "))
	}
	want := "60+20 0+80 | 80+0 80+20 | "
	if got := strings.Join(parts, " | "); got != want {
		t.Errorf("bars from and down by %q, want %q", got, want)
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
		{"one", []expense.Group{group("Meals", 3, 700)}, []int{1000}, "Meals"},
		{"rounded down", []expense.Group{group("A", 1, 300), group("B", 1, 200), group("C", 1, 100)}, []int{1000, 666, 333}, "C"},
		{"too small to see", []expense.Group{group("A", 1, 1_000_000_00), group("B", 1, 1)}, []int{1000, 1}, "B"},
		{"refunds have no bar", []expense.Group{group("A", 1, 100), group("B", 1, -100)}, []int{1000, 0}, "B"},
		{"as much as there can be", []expense.Group{group("A", 1, math.MaxInt64/2), group("B", 1, math.MaxInt64/4)}, []int{1000, 499}, "B"},
		{"one more than is shown", manyGroups(13), []int{1000, 923, 846, 769, 692, 615, 538, 461, 384, 307, 230, 153, 76}, "Group 13"},
		// The 28 others have 1 + … + 28 = 406 dollars, ten times the largest.
		{"many", manyGroups(40), []int{98, 96, 93, 91, 88, 86, 83, 81, 78, 76, 73, 71, 1000}, "28 others"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := BarChart(tt.groups, 12, linkToGroup)
			if len(c.Bars) != len(tt.widths) {
				t.Fatalf("%d bars, want %d", len(c.Bars), len(tt.widths))
			}
			var got, want expense.Group
			for _, g := range tt.groups {
				want = want.Plus(g)
			}
			for i, b := range c.Bars {
				got = got.Plus(b.Group)
				if b.Width != tt.widths[i] {
					t.Errorf("bar %q is %d wide, want %d", b.Label, b.Width, tt.widths[i])
				}
				if others := strings.HasSuffix(b.Label, "others"); others == (b.URL != "") || !others && b.URL != "/g/"+b.Label {
					t.Errorf("bar %q leads to %q", b.Label, b.URL)
				}
			}
			if got != want {
				t.Errorf("the bars are %v, want %v", got, want)
			}
			if len(c.Bars) > 0 && c.Bars[len(c.Bars)-1].Label != tt.last {
				t.Errorf("last bar %q, want %q", c.Bars[len(c.Bars)-1].Label, tt.last)
			}
		})
	}
}

// TestChartLeavesItsGroupsAlone draws what another chart may be drawn from.
func TestChartLeavesItsGroupsAlone(t *testing.T) {
	groups := manyGroups(40)
	BarChart(groups, 12, linkToGroup)
	if groups[12] != group("Group 13", 1, 2800) {
		t.Errorf("the groups were changed: %v", groups[12])
	}
}

func TestShortAmounts(t *testing.T) {
	for m, want := range map[expense.Money]string{
		1: "1", 149: "1", 150: "2", 60_000: "600", 99_949: "999", 99_950: "1k", 100_000: "1k", 149_000: "1.5k", 710_000: "7.1k",
		994_999: "9.9k", 995_000: "10k", 1_050_000: "11k", 99_949_999: "999k", 99_950_000: "1m", 120_000_000: "1.2m", 1_000_000_000: "10m",
		-60_000: "−600", -710_000: "−7.1k",
	} {
		if got := testEnglish.short(m); got != want {
			t.Errorf("%d is about %q, want %q", m, got, want)
		}
	}
}
