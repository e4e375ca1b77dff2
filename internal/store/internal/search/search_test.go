package search

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, q string
		found         bool
	}{
		{"an accent in the text", "Café au lait", "cafe", true},
		{"an accent in what is sought", "Cafe", "café", true},
		{"an accent typed as a mark of its own", "Cafe\u0301", "café", true},
		{"sharp s", "Hauptstraße 1", "strasse", true},
		{"sharp s sought", "Hauptstrasse", "straße", true},
		{"a stroke through a letter", "Train to Łódź", "lodz", true},
		{"ligatures and letters of the North", "Æbleskiver på Øresund", "aebleskiver oresund", true},
		{"capitals", "TAXI", "taxi", true},
		{"wide letters", "ＴＡＸＩ", "taxi", true},
		{"words in another order", "Taxi to airport", "airport taxi", true},
		{"words that are not beside each other", "Taxi to airport", "taxi airport", true},
		{"one word is missing", "Taxi to airport", "taxi station", false},
		{"inside of a word", "Lunchbox", "box", true},
		{"a short word at a beginning", "To the fair", "fa", true},
		{"a short word inside", "Sofa", "fa", false},
		{"one letter at a beginning", "Plan B", "b", true},
		{"one letter inside", "Cable", "b", false},
		{"over the border of two words", "Taxi airport", "xiair", false},
		{"over the border of two fields", "Taxi\nairport", "taxiairport", false},
		{"signs of a pattern are letters", "100 % wool_x", "%", true},
		{"signs of a pattern match nothing else", "wool", "w__l", false},
		{"nothing but marks", "wool", "\u0301", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text, found := Text(strings.Split(test.text, "\n")...), true
			for _, term := range Terms(test.q) {
				if utf8.RuneCountInString(term) < 3 {
					t.Errorf("the term %q is too short for an index of three characters", term)
				}
				found = found && strings.Contains(text, term)
			}
			if found != test.found {
				t.Errorf("%q in %q: %v, want %v", test.q, test.text, found, test.found)
			}
		})
	}
}

func FuzzSearch(f *testing.F) {
	f.Add("Café", "ße")
	f.Fuzz(func(t *testing.T, text, more string) {
		whole := Text(text, more)
		for _, term := range Terms(text) {
			if !strings.Contains(whole, term) {
				t.Errorf("%q is not found by its own word %q", whole, term)
			}
		}
	})
}
