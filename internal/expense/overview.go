package expense

// Overview is what teams spent, as a reader sees it on a day.
type Overview struct {
	Teams  []TeamTotal // those that have expenses, by id
	Month  Summary     // of the day's month, the days to come too
	Latest []Expense   // the five latest
}

// LatestSize is how many of the latest expenses an overview has.
const LatestSize = 5

// Total returns what the teams of the overview come to together, and the months
// of all, also where there are none.
func (o Overview) Total(day Date) TeamTotal {
	sum := TeamTotal{ByMonth: LastMonths(day)}
	for _, team := range o.Teams {
		sum.Group = sum.Group.Plus(team.Group)
		sum.Year = sum.Year.Plus(team.Year)
		sum.SoFar = sum.SoFar.Plus(team.SoFar)
		sum.Before = sum.Before.Plus(team.Before)
		sum.Undecided = sum.Undecided.Plus(team.Undecided)
		sum.Mine = sum.Mine.Plus(team.Mine)
		for i, month := range team.ByMonth {
			sum.ByMonth[i] = sum.ByMonth[i].Plus(month)
		}
	}
	return sum
}

// LastMonths returns the twelve months up to a day's, without expenses yet.
func LastMonths(day Date) []Group {
	months := make([]Group, 12)
	for i := range months {
		months[i].Label = day.StartOfMonth(i - 11).Month()
	}
	return months
}

// SameDayBefore returns the day of the month before that has the same number,
// or that month's last.
func (d Date) SameDayBefore() Date {
	last := d.StartOfMonth(0).AddDays(-1)
	if day := last.StartOfMonth(0).AddDays(d.T.Day() - 1); day.Compare(last) < 0 {
		return day
	}
	return last
}
