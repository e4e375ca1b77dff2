package expense

import (
	"fmt"
)

// ImportRow is one right row of an uploaded file.
type ImportRow struct {
	Line  int    // where it starts in the file, from 1
	ID    string // of the expense that it changes, or nothing for a new one
	Entry Entry  // without an owner: a file names persons only
}

// LineError is what is wrong in a line of an uploaded file.
type LineError struct {
	Line int    // from 1
	Text string // a sentence for who uploaded it
}

// MoreLineErrors stands in the place of the faults that are not listed.
func MoreLineErrors(hidden int) string {
	return fmt.Sprintf("This is wrong too, as the last of %d more faults.", hidden)
}
