package spelling

import "testing"

func TestNear(t *testing.T) {
	names := []string{"doctor", "backup", "version", "OKTA_SCOPES", "TIME_ZONE"}
	for _, test := range []struct{ name, word, want string }{
		{"a letter is another", "docter", "doctor"},
		{"a letter is missing", "OKTA_SCOPE", "OKTA_SCOPES"},
		{"a letter too many", "versionn", "version"},
		{"two letters exchanged", "bakcup", "backup"},
		{"a sign is missing", "TIMEZONE", "TIME_ZONE"},
		{"three letters are wrong", "TIMZON", ""},
		{"something else", "PATH", ""},
		{"nothing", "", ""},
		{"the word itself", "doctor", "doctor"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Near(test.word, names); got != test.want {
				t.Errorf("%q: got %q, want %q", test.word, got, test.want)
			}
		})
	}
}
