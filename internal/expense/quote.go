package expense

import (
	"strconv"
)

// QuoteShort quotes what somebody wrote, for a message about it, and cuts it
// after 40 characters.
func QuoteShort(s string) string {
	const limit = 40
	runes := 0
	for i := range s {
		if runes == limit {
			return strconv.Quote(s[:i] + "…")
		}
		runes++
	}
	return strconv.Quote(s)
}
