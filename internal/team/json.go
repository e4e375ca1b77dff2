package team

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
		end := 0
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			end = max(0, int(syntax.Offset)-1)
		}
		return jsonNode{}, directoryMistake{line: 1 + bytes.Count(data[:end], []byte("\n")), text: "not JSON: " + err.Error()}
	}
	r := jsonReader{data: data, decoder: json.NewDecoder(bytes.NewReader(data)), line: 1}
	// A float64 has no room for 1e999, which is JSON.
	r.decoder.UseNumber()
	return r.value()
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
