package address

import (
	"strings"
	"testing"
)

func TestProblem(t *testing.T) {
	const (
		sides    = "needs an @ with something on both sides"
		unread   = "holds white space, a control character or one that cannot be read"
		brackets = "holds a comma, a colon, a semicolon, a quotation mark, a backslash or a bracket"
	)
	for address, want := range map[string]string{
		"carol.lee@example.com": "", "frank.wilson+@example.com": "", "o'brien@example.com": "", "zoë@bücher.example": "", "a@b": "", "a@b@example.com": "", "!#$%&*/=?^_`{|}~-@example.com": "",
		"": sides, "@": sides, "a@": sides, "@b": sides, "a": sides, "@@": sides, "@@b": sides, "\u200b@b": sides, "a@\u200b": sides,
		"a b@c": unread, "a@b\u00a0c": unread, "a\tb@c": unread, "a\ufffd@c": unread, "a@b\x00": unread,
		"a,b@c": brackets, "<b@c>": brackets, "a@b>": brackets, "a;b@c": brackets, "mailto:a@b": brackets, `"a"@b`: brackets, `a\b@c`: brackets, "a(b)@c": brackets, "a@[b]": brackets,
		strings.Repeat("a", 250) + "@b.cd": "has 255 bytes, and may have 254",
	} {
		if got := Problem(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

func TestPersonProblem(t *testing.T) {
	for person, wrong := range map[string]bool{"": false, "Carol Lee": false, "Carol @ Work": false, "carol@work": false, "@": true, "carol@": true, "a,b@c": true} {
		if got := PersonProblem(person); (got != "") != wrong {
			t.Errorf("%q: %q", person, got)
		}
	}
}
