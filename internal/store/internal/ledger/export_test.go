package ledger

// What the tests of this package see of it.
const (
	RowColumns = rowColumns
	EachBatch  = eachBatch
)

// AddAtMost bounds how many parts of sums are added up, and how many expenses that hold
// the words of a search.
func (s *Ledger) AddAtMost(parts, found int64) { s.mostParts, s.mostFound = parts, found }
