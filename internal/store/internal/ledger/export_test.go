package ledger

// What the tests of this package see of it.
const (
	RowColumns = rowColumns
	EachBatch  = eachBatch
)

// AddAtMost bounds how many parts of sums are added up.
func (s *Ledger) AddAtMost(parts int64) { s.most = parts }
