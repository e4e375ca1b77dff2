package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/joho/godotenv"
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
			return Variables{file: path}, &Error{fmt.Errorf("read .env: %w", err)}
		}
		data = bytes.TrimPrefix(data, byteOrderMark)
		values, err := godotenv.UnmarshalBytes(data)
		if err != nil {
			// godotenv's error quotes the file, secrets and all.
			return Variables{file: path}, &Error{fmt.Errorf(".env: %s is not NAME=value: put values with spaces, quotes, # or $ in single quotes. Example: OKTA_CLIENT_SECRET='a$b'", firstOddLine(data))}
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
