package ledger

// What the tests of this package see of it.
const (
	RowColumns = rowColumns
	EachBatch  = eachBatch
)
