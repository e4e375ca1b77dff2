package page

import (
	"errors"
	"net/http/httptest"
	"testing"
)

// TestPart renders a part of a page for two keys, twice each, and once in vain.
func TestPart(t *testing.T) {
	t.Parallel()
	p := newTestPages(t)
	r := httptest.NewRequest("GET", "/", nil)
	of := func(query string) ContentKey { return ContentKey{Page: "expenses", Revision: "1", Query: query} }
	asked := 0
	view := func() (any, error) { asked++; return testExpenses(func(*ExpensesView) {}), nil }
	var first string
	for i, step := range []struct {
		query, part string
		asked       int
	}{
		{"", "above", 1},
		{"", "above", 1},
		{"q=a", "above", 2},
		{"", "people", 3},
		{"q=a", "above", 3},
	} {
		text, err := p.Part(r, of(step.query), step.part, view)
		if err != nil || text == "" || asked != step.asked {
			t.Errorf("step %d: %d bytes, %v, asked for %d times, want %d", i, len(text), err, asked, step.asked)
		}
		if i == 0 {
			first = string(text)
		} else if (string(text) == first) != (step.part == "above") {
			t.Errorf("step %d: %s", i, text)
		}
	}
	gone := errors.New("gone")
	if text, err := p.Part(r, of("q=b"), "above", func() (any, error) { return nil, gone }); !errors.Is(err, gone) || text != "" {
		t.Errorf("%q, %v", text, err)
	}
	if text, err := p.Part(r, of("q=b"), "above", view); err != nil || text == "" {
		t.Errorf("after an error: %q, %v", text, err)
	}
}
