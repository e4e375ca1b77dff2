// Package address says what may be an email address by which the dashboard knows
// somebody: in the teams file, in forms, in files that are imported and where people are
// joined. It sends no mail, and does not say whose an address is or whether it exists;
// how two of them are compared is the business of package team. What the provider says
// is not held to this: it has checked its addresses itself.
package address

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"expense-dashboard/internal/expense"
)

// Max is the most bytes of an email address (RFC 5321, 4.5.3.1.3, less the angle
// brackets).
const Max = 254

// Problem says what keeps a text from being an email address, to go on with after
// “it”, or nothing. What stands in quotation marks and an IP address in brackets (RFC 5322,
// 3.4.1) are addresses that nobody is known by.
func Problem(text string) string {
	at := strings.LastIndexByte(text, '@')
	unread := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError }
	switch {
	case at < 0 || expense.IsBlank(strings.Trim(text[:at], "@")) || expense.IsBlank(text[at+1:]):
		return "needs an @ with something on both sides"
	case strings.ContainsFunc(text, unread):
		return "holds white space, a control character or one that cannot be read"
	case strings.ContainsAny(text, `,:;"\()<>[]`):
		return "holds a comma, a colon, a semicolon, a quotation mark, a backslash or a bracket"
	case len(text) > Max:
		return fmt.Sprintf("has %d bytes, and may have %d", len(text), Max)
	}
	return ""
}

// Is reports whether a text names somebody by an email address.
func Is(text string) bool { return Problem(text) == "" }

// PersonProblem is Problem of a text that names a person. One with an @ and no
// space is meant for an address; each other one is a name.
func PersonProblem(text string) string {
	if !strings.Contains(text, "@") || strings.Contains(text, " ") {
		return ""
	}
	return Problem(text)
}
