package web

import (
	"fmt"
	"net/http"
	"testing"
)

func TestFullExportsAreExplained(t *testing.T) {
	told := (&Site{}).explain(fmt.Errorf("%w: all places are taken", ErrBusy))
	if told.Status != http.StatusServiceUnavailable || told.RetryAfter == 0 {
		t.Errorf("with no place left one is told with %d and Retry-After %v", told.Status, told.RetryAfter)
	}
}
