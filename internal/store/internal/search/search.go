// Package search says how what somebody searches for is compared with what is written in
// an expense: without regard to case, accents and the width of letters, word by word and
// in any order. The databases keep the text of [Text], in an index of three characters
// each, and are asked for the parts of [Terms]; package query asks them.
//
// It knows no SQL, and not what is searched: whoever writes an expense, a person or a
// category puts its texts together.
package search

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// letters are those that Unicode takes for letters of their own where people type a
// plain one, or two. Case folding has made ß two s by then.
var letters = strings.NewReplacer("æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ħ", "h", "ı", "i")

// folded returns the words of a text as a search compares them: without regard
// to case, accents and the width of letters (Unicode Standard Annex 15, NFKD).
func folded(text string) []string {
	unmarked := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || r == 0 {
			return -1
		}
		return r
	}, norm.NFKD.String(cases.Fold().String(norm.NFKD.String(text))))
	return strings.Fields(letters.Replace(unmarked))
}

// Text returns what a search looks through for texts: their folded words, each
// behind two spaces, so that three characters tell the beginning of a word from its
// inside even where the word sought has one letter. Where nothing is left of them it
// is two spaces, so that they are not folded again.
func Text(texts ...string) string {
	var b strings.Builder
	for _, text := range texts {
		for _, word := range folded(text) {
			b.WriteString("  ")
			b.WriteString(word)
		}
	}
	return cmp.Or(b.String(), "  ")
}

// Terms returns the parts that the search text of an expense must hold, all of
// them and in any order, to be found by q: a word of three letters or more anywhere in
// a word, a shorter one at the beginning of a word. Each has three characters at least.
func Terms(q string) []string {
	terms := folded(q)
	for i, word := range terms {
		if missing := 3 - utf8.RuneCountInString(word); missing > 0 {
			terms[i] = strings.Repeat(" ", missing) + word
		}
	}
	return terms
}
