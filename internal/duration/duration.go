// Package duration says durations as people say them, in English: days and hours, or
// hours and minutes.
//
// It only rounds down, to whole minutes, or to whole hours from a day on: whoever must not
// promise too little, such as "try again in", adds what is missing before. It knows no
// point in time and no time zone; dates and the numbers of a reader's language are
// web/internal/page's, and durations that are typed in are config's. Start reading at
// InWords.
package duration

import (
	"fmt"
	"strings"
	"time"
)

// InWords says a duration in its two largest units, rounded down to whole
// minutes: "11 hours 58 minutes".
func InWords(d time.Duration) string {
	const day = 24 * time.Hour
	var words []string
	add := func(n time.Duration, unit string) {
		switch {
		case n == 1:
			words = append(words, "1 "+unit)
		case n > 1:
			words = append(words, fmt.Sprintf("%d %ss", n, unit))
		}
	}
	add(d/day, "day")
	add(d%day/time.Hour, "hour")
	if d < day {
		add(d%time.Hour/time.Minute, "minute")
	}
	if len(words) == 0 {
		return "less than a minute"
	}
	return strings.Join(words, " ")
}
