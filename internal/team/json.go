package team

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jsonKind names the type of a JSON value in a message.
type jsonKind string

const (
	jsonObject jsonKind = "an object"
	jsonArray  jsonKind = "an array"
	jsonString jsonKind = "a string"
	jsonNumber jsonKind = "a number"
	jsonBool   jsonKind = "true or false"
	jsonNull   jsonKind = "null"
)

// jsonNode is a JSON value that knows the line on which it, or in an object its
// key, begins. Decoding into maps and structs would hide keys that are there
// twice, and match keys in another case.
type jsonNode struct {
	line     int
	name     string // the key, in an object
	kind     jsonKind
	text     string     // of a string, of true or of false
	children []jsonNode // of an object or an array
}

// readJSON reads a text of one JSON value, of at most maxDirectorySize bytes.
// The error names the line.
func readJSON(data []byte) (jsonNode, error) {
	if len(data) > maxDirectorySize {
		return jsonNode{}, fmt.Errorf("the file is over %d bytes", maxDirectorySize)
	}
	// encoding/json would put U+FFFD in the place of each byte.
	var errs []error
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if !utf8.Valid(text) {
			errs = append(errs, directoryMistake{line: line, text: "not UTF-8"})
		}
	}
	if len(errs) > 0 {
		return jsonNode{}, errors.Join(errs...)
	}
	// This refuses a second value too, and nesting over 10,000 levels, so that
	// the recursion below is safe.
	var value json.RawMessage
	if err := json.Unmarshal(data, &value); err != nil {
		return jsonNode{}, notJSON(data, err)
	}
	r := jsonReader{data: data, decoder: json.NewDecoder(bytes.NewReader(data)), line: 1}
	// A float64 has no room for 1e999, which is JSON.
	r.decoder.UseNumber()
	return r.value()
}

// example is a right file, as short as one is.
const example = `{"teams": [{"id": "finance", "label": "Finance"}], "members": {"ann@example.com": "finance"}}`

// notJSON says in plain words what is wrong with a text that err says is no JSON, and
// where.
func notJSON(data []byte, err error) directoryMistake {
	end := 0
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		end = max(0, int(syntax.Offset)-1)
	}
	before := data[:end]
	m := directoryMistake{line: 1 + bytes.Count(before, []byte("\n")), column: 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])}
	why := err.Error()
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		m.text = "the file is empty"
	case strings.Contains(why, "unexpected end"):
		m.text = "the file ends too early: a quote, a ] or a } is missing"
	default:
		found, _ := utf8.DecodeRune(data[end:])
		name := "the " + string(found)
		switch {
		case found == '\n' || found == '\r':
			name = "the end of the line"
		case !strconv.IsPrint(found):
			name = "the character " + strconv.QuoteRune(found)
		}
		m.text = name + " does not belong here: " + whyNotJSON(why, found, bytes.TrimSpace(before))
	}
	m.text += ". Example: " + example
	return m
}

// whyNotJSON says what is wrong with a character that stands behind a text, of which
// encoding/json says why.
func whyNotJSON(why string, found rune, before []byte) string {
	says := func(part string) bool { return strings.Contains(why, part) }
	switch {
	case says("after top-level value"):
		return "the file is one { } and nothing behind it"
	case says("exceeded max depth"):
		return "too many brackets are open"
	case says("in string"), says("hexadecimal"):
		return `a text stands in double quotes on one line, and a \ in it is written \\`
	case found == '\'' || found == '‘' || found == '’' || found == '“' || found == '”':
		return `texts stand in straight double quotes, like "finance"`
	case found == '/' || found == '#':
		return "the file has no comments"
	case (found == ']' || found == '}') && bytes.HasSuffix(before, []byte(",")):
		return "remove the comma before it"
	case says("key:value pair"), says("after array element"):
		return "a comma is missing before it, or a bracket is not closed"
	case says("after object key"):
		return "a colon is missing before it"
	}
	return `names and texts stand in double quotes, like "finance"`
}

// jsonReader follows a text that is known to be JSON, and counts its lines.
type jsonReader struct {
	data    []byte
	decoder *json.Decoder
	offset  int64 // the end of the last token
	line    int   // of the last token
}

func (r *jsonReader) token() (json.Token, error) {
	token, err := r.decoder.Token()
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", r.line, err)
	}
	end := r.decoder.InputOffset()
	r.line += bytes.Count(r.data[r.offset:end], []byte("\n"))
	r.offset = end
	return token, nil
}

func (r *jsonReader) value() (jsonNode, error) {
	token, err := r.token()
	if err != nil {
		return jsonNode{}, err
	}
	switch token := token.(type) {
	case string:
		return jsonNode{line: r.line, kind: jsonString, text: token}, nil
	case json.Number:
		return jsonNode{line: r.line, kind: jsonNumber}, nil
	case bool:
		return jsonNode{line: r.line, kind: jsonBool, text: fmt.Sprint(token)}, nil
	case json.Delim:
		if token == '[' {
			return r.values(jsonArray)
		}
		return r.values(jsonObject)
	default:
		return jsonNode{line: r.line, kind: jsonNull}, nil
	}
}

// values reads what stands in an object or an array, and its end.
func (r *jsonReader) values(kind jsonKind) (jsonNode, error) {
	node := jsonNode{line: r.line, kind: kind}
	for r.decoder.More() {
		var name string
		if kind == jsonObject {
			key, err := r.token()
			if err != nil {
				return node, err
			}
			name = key.(string)
		}
		keyLine := r.line
		child, err := r.value()
		if err != nil {
			return node, err
		}
		if kind == jsonObject {
			child.name, child.line = name, keyLine
		}
		node.children = append(node.children, child)
	}
	_, err := r.token()
	return node, err
}
