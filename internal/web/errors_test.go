package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestFullExportsAreExplained(t *testing.T) {
	told := (&Site{}).explain(fmt.Errorf("%w: all places are taken", ErrBusy))
	if told.Status != http.StatusServiceUnavailable || told.RetryAfter == 0 {
		t.Errorf("with no place left one is told with %d and Retry-After %v", told.Status, told.RetryAfter)
	}
}

func TestFormsAreNoAddresses(t *testing.T) {
	told := (&Site{}).explain(fmt.Errorf("send: %w", &FormError{Text: "version is a number"}))
	for _, text := range []string{told.Heading, told.Message, told.Next} {
		if strings.Contains(text, "ddress") {
			t.Errorf("of a form one is told %q", text)
		}
	}
	if told.Status != http.StatusBadRequest || !strings.Contains(told.Message, "version is a number") {
		t.Errorf("%+v", told)
	}
}
