package expense

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// checkLine reads a text of one line that has to be there, and which is called
// what in the sentence about it. Runs of spaces count as one.
func checkLine(typed, what string, limit int) (line, problem string) {
	line = norm.NFC.String(strings.Join(strings.FieldsFunc(strings.TrimSpace(typed), isSpace), " "))
	if IsBlank(line) {
		return "", "Enter " + what + "."
	}
	if problem := CheckText(line, limit, ""); problem != "" {
		return "", problem
	}
	return line, ""
}

// checkNote reads a text that may be missing and may have several lines. A
// browser ends those with CR LF; the database holds LF.
func checkNote(typed string) (note, problem string) {
	lines := strings.Split(strings.ReplaceAll(typed, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.FieldsFunc(line, isSpace), " ")
	}
	note = norm.NFC.String(strings.TrimSpace(strings.Join(lines, "\n")))
	if IsBlank(note) {
		return "", ""
	}
	if problem := CheckText(note, MaxNote, "\n\t"); problem != "" {
		return "", problem
	}
	return note, ""
}

// isSpace reports whether a rune is a space of any width. Tabs and the ends of
// lines are controls.
func isSpace(r rune) bool { return unicode.Is(unicode.Zs, r) }

// IsBlank reports whether a text shows nothing: it is empty, or of spaces and of
// characters without a shape.
func IsBlank(s string) bool {
	const brailleBlank = '\u2800'
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsSpace(r) && r != brailleBlank &&
			!unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
	})
}

// CheckText says what is wrong with a text, if anything: more than limit
// characters, not UTF-8, a control character other than those allowed, a control
// of the direction of writing, which would turn around what stands beside it.
func CheckText(s string, limit int, allowed string) string {
	control := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune(allowed, r) }
	switch {
	case !utf8.ValidString(s):
		return "This contains something that is not text. Type it again."
	case strings.ContainsFunc(s, control):
		return "This contains a control character. Type it again without it."
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }):
		return "This contains a hidden character that changes the direction of text. Type it again without it."
	case utf8.RuneCountInString(s) > limit:
		return fmt.Sprintf("This is too long: at most %d characters, and it has %d.", limit, utf8.RuneCountInString(s))
	}
	return ""
}
