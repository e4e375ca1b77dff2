package claims

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestParseClaims(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, data string
		members    string // in order; "refused" if the data is no object
	}{
		{"empty object", `{}`, ""},
		{"white space around", " \n{ \"a\" : 1 }\t\n", "a"},
		{"names of other case are others", `{"sub":"a","SUB":"b","Sub":"c"}`, "SUB Sub sub"},
		{"nested duplicates are not ours", `{"a":{"b":1,"b":2}}`, "a"},
		{"empty name", `{"":1}`, ""},
		{"the same name twice", `{"sub":"a","sub":"b"}`, "refused"},
		{"the same name and value twice", `{"sub":"a","sub":"a"}`, "refused"},
		{"the same name, once escaped", `{"sub":"a","s\u0075b":"b"}`, "refused"},
		{"data behind", `{"a":1}{}`, "refused"},
		{"a brace behind", `{"a":1}}`, "refused"},
		{"NUL behind", "{\"a\":1}\x00", "refused"},
		{"array", `[]`, "refused"},
		{"null", `null`, "refused"},
		{"text", `"a"`, "refused"},
		{"nothing", ``, "refused"},
		{"truncated in a name", `{"a`, "refused"},
		{"truncated behind a name", `{"a":`, "refused"},
		{"truncated behind a value", `{"a":1`, "refused"},
		{"comma at the end", `{"a":1,}`, "refused"},
		{"no comma", `{"a":1 "b":2}`, "refused"},
		{"no colon", `{"a" 1}`, "refused"},
		{"name without quotes", `{a:1}`, "refused"},
		{"number as a name", `{1:1}`, "refused"},
		{"comment", `{/**/}`, "refused"},
		{"byte order mark", "\ufeff{}", "refused"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, err := Parse([]byte(test.data))
			got := strings.Join(slices.Sorted(maps.Keys(c)), " ")
			if err != nil {
				got = "refused"
			}
			if got != test.members {
				t.Errorf("%s has the members %q, want %q (%v)", test.data, got, test.members, err)
			}
		})
	}
}

func TestClaimTypes(t *testing.T) {
	t.Parallel()
	const refused = "refused"
	tests := []struct{ value, text, optional, texts, date, isTrue string }{
		{`"a"`, "a", "a", "[a]", refused, "false"},
		{`""`, refused, "", refused, refused, "false"},
		{`null`, refused, "", refused, refused, "false"},
		{`true`, refused, refused, refused, refused, "true"},
		{`"true"`, "true", "true", "[true]", refused, "false"},
		{`1`, refused, refused, refused, "1", "false"},
		{`1.5`, refused, refused, refused, "1.5", "false"},
		{`0`, refused, refused, refused, "0", "false"},
		{`-1`, refused, refused, refused, refused, "false"},
		{`1e300`, refused, refused, refused, refused, "false"},
		{`1e999`, refused, refused, refused, refused, "false"},
		{`"1"`, "1", "1", "[1]", refused, "false"},
		{`[]`, refused, refused, "[]", refused, "false"},
		{`["a","b"]`, refused, refused, "[a b]", refused, "false"},
		{`["a",null]`, refused, refused, refused, refused, "false"},
		{`["a",1]`, refused, refused, refused, refused, "false"},
		{`[["a"]]`, refused, refused, refused, refused, "false"},
		{`{}`, refused, refused, refused, refused, "false"},
		{"", refused, "", refused, refused, "false"}, // missing
	}
	word := func(value any, err error) string {
		if err != nil {
			return refused
		}
		return fmt.Sprint(value)
	}
	for _, test := range tests {
		data := `{"x":` + test.value + `,"X":"wrong","y":true}`
		if test.value == "" {
			data = `{"X":"wrong","Ｘ":true}`
		}
		c, err := Parse([]byte(data))
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		date, dateErr := c.Date("x")
		texts, textsErr := c.Texts("x")
		got := []string{
			word(c.Text("x")), word(c.OptionalText("x")), word(texts, textsErr),
			word(float64(date.UnixMilli())/1000, dateErr), fmt.Sprint(c.IsTrue("x")),
		}
		if want := []string{test.text, test.optional, test.texts, test.date, test.isTrue}; !slices.Equal(got, want) {
			t.Errorf("%s is read as %q, want %q", test.value, got, want)
		}
	}
}

func FuzzParseClaims(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"a":2}`, `{"a":"b"}x`, `[1]`, `{"iss":"x","ISS":"y"}`, `{"a":{"b":[null,1e9]}}`, "{\"\\u0000\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			if c != nil {
				t.Errorf("%q: %v with %v", data, err, c)
			}
			return
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal(data, &all); err != nil || len(all) != len(c) {
			t.Fatalf("%q has %d members, encoding/json reads %d, %v", data, len(c), len(all), err)
		}
		for name := range c {
			// No value may make an accessor panic.
			_, _ = c.Text(name)
			_, _ = c.OptionalText(name)
			_, _ = c.Texts(name)
			_, _ = c.Date(name)
			c.IsTrue(name)
		}
	})
}
