// Package spelling tells what somebody probably meant who typed something else:
// a command, or the name of a variable.
//
// Two names are as near as there are bytes to add, take away or exchange between them
// (Levenshtein's distance); with more than two nothing is recognized, since a wrong guess
// is worse than none. Case counts. It knows no word itself, asks no dictionary and never
// acts on a guess: command and config pass the names that there are, and say "did you
// mean". Start reading at [Near].
package spelling

// near is how many letters may be wrong in a name that is still recognized.
const near = 2

// Near returns the first of the names that word is closest to, or "" where each
// differs from it in more than two letters.
func Near(word string, names []string) string {
	best, closest := near+1, ""
	for _, name := range names {
		if d := distance(word, name); d < best {
			best, closest = d, name
		}
	}
	return closest
}

// distance is Levenshtein's: how many bytes to add, take away or exchange.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j]+1, row[j+1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
