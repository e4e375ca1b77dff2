package page

import (
	"html/template"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/bidi"
)

// isolated returns a text that somebody typed, for a page: in an element of its
// own where it is written from right to left or turns the direction around, so
// that what stands beside it stays where it is (Unicode Standard Annex 9, 2.4).
func isolated(text string) template.HTML {
	if !strings.ContainsFunc(text, turnsAround) {
		return escaped(text)
	}
	return "<bdi>" + escaped(text) + "</bdi>"
}

// turnsAround reports whether a character may change the direction of its
// neighbours.
func turnsAround(r rune) bool {
	if r < 0x80 {
		return false
	}
	properties, _ := bidi.LookupRune(r)
	class := properties.Class()
	return class == bidi.R || class == bidi.AL || class == bidi.AN || unicode.Is(unicode.Bidi_Control, r)
}
