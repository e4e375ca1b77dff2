package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/joho/godotenv"

	"expense-dashboard/internal/spelling"
)

// Variables are those of the environment and, behind them, those of a file .env.
type Variables struct {
	values map[string]string
	file   string // that was read; empty where there is none
}

// Of returns variables by their names, as if there were nothing else.
func Of(values map[string]string) Variables { return Variables{values: values} }

// Read returns the variables of an environment in the form NAME=value and of the
// file .env in the working directory or, where there is none, beside the program.
// What the environment sets wins, also where it is empty. A missing file is fine,
// one that cannot be read is an *Error.
func Read(environ []string) (Variables, error) {
	v, err := readDotEnv()
	if v.values == nil {
		v.values = map[string]string{}
	}
	for _, variable := range environ {
		if name, value, ok := strings.Cut(variable, "="); ok && name != "" {
			v.values[name] = value
		}
	}
	return v, err
}

// DatabaseURL returns the value of DATABASE_URL, or its default, for what needs
// nothing else. Its error is an *Error.
func (v Variables) DatabaseURL() (string, error) {
	l := &Loader{Getenv: v.Get}
	value := l.DatabaseURL()
	if err := errors.Join(l.Problems...); err != nil {
		return "", &Error{Err: err}
	}
	return value, nil
}

// Get returns the value of a variable, or "" if it is not set.
func (v Variables) Get(name string) string { return v.values[name] }

// byteOrderMark is what some editors put before a text in UTF-8.
var byteOrderMark = []byte("\ufeff")

func readDotEnv() (Variables, error) {
	for _, dir := range []string{".", programDir()} {
		path := filepath.Join(dir, ".env")
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Variables{file: path}, &Error{Err: fmt.Errorf("read .env: %w", err)}
		}
		data = bytes.TrimPrefix(data, byteOrderMark)
		values, err := godotenv.UnmarshalBytes(data)
		if err != nil {
			// godotenv's error quotes the file, secrets and all.
			return Variables{file: path}, &Error{Err: fmt.Errorf(".env: %s is not NAME=value: put values with spaces, quotes, # or $ in single quotes. Example: OKTA_CLIENT_SECRET='a$b'", firstOddLine(data))}
		}
		return Variables{values, path}, nil
	}
	return Variables{}, nil
}

func programDir() string {
	program, err := os.Executable()
	if err != nil {
		return "."
	}
	return filepath.Dir(program)
}

var assignment = regexp.MustCompile(`^\s*(#.*|(export\s+)?[A-Za-z_][A-Za-z0-9_.]*\s*[=:].*)?$`)

// firstOddLine names the first line of a .env file that cannot be read.
func firstOddLine(data []byte) string {
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		if !assignment.MatchString(strings.TrimRight(line, "\r\n")) {
			return fmt.Sprintf("line %d", number)
		}
	}
	return "a line (an unclosed quote?)"
}

// A Hint is something about the variables that is no problem by itself and is
// hardly meant, and what to do about it.
type Hint struct{ Found, Advice string }

// String is a hint in a line.
func (h Hint) String() string { return h.Found + ": " + h.Advice }

// Hints returns those that the variables give: at names that nobody reads and
// that are almost one that the program does, and at a file .env that is missing
// where nothing is set.
func (v Variables) Hints() []Hint {
	var hints []Hint
	known := names()
	for _, name := range slices.Sorted(maps.Keys(v.values)) {
		if slices.Contains(known, name) {
			continue
		}
		if meant := spelling.Near(strings.ToUpper(name), known); meant != "" {
			hints = append(hints, Hint{name + " is set, and nothing reads it", "did you mean " + meant + "?"})
		}
	}
	if v.file == "" && v.Get("OKTA_ISSUER")+v.Get("OKTA_CLIENT_ID")+v.Get("OKTA_CLIENT_SECRET") == "" {
		hints = append(hints, Hint{
			"there is no file .env, neither here nor beside the program",
			"cp .env.example .env and fill it in, or make run, which signs people in without an Okta org",
		})
	}
	return hints
}

// names returns those of all variables that the program reads, sorted.
func names() []string {
	asked := map[string]bool{}
	// An empty environment is refused, but only once every variable was asked for.
	_, _ = Load(func(name string) string { asked[name] = true; return "" })
	return slices.Sorted(maps.Keys(asked))
}
