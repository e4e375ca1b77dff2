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
	"unicode"

	"github.com/joho/godotenv"
)

// byteOrderMark is what some editors put before a text in UTF-8.
var byteOrderMark = []byte("\ufeff")

// readDotEnv returns the variables of the file .env in the working directory or,
// where there is none, beside the program, and what is wrong with that file.
func readDotEnv() Variables {
	for _, dir := range []string{".", programDir()} {
		path := filepath.Join(dir, ".env")
		data, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			unread := errors.New(".env is there and cannot be read: put a file there that the program may read, or nothing")
			return Variables{map[string]string{}, path, []error{unread}}
		default:
			values, problems := parseDotEnv(data)
			return Variables{values, path, problems}
		}
	}
	return Variables{values: map[string]string{}}
}

func programDir() string {
	program, err := os.Executable()
	if err != nil {
		return "."
	}
	return filepath.Dir(program)
}

// lineBreaks makes every line end as on Unix.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// parseDotEnv returns the variables of a .env file and a problem for each line
// that is none. A variable of such a line has what stands there for its value, so
// that it is not missing as well: with a problem nobody goes by it.
func parseDotEnv(data []byte) (values map[string]string, problems []error) {
	lines := strings.SplitAfter(lineBreaks.Replace(string(bytes.TrimPrefix(data, byteOrderMark))), "\n")
	odd, known := map[string]string{}, names()
	for i := 0; i < len(lines); {
		size, what := readLine(lines[i:])
		if what != "" {
			place := fmt.Sprintf(".env: line %d", i+1)
			// A name that is not known is perhaps a part of a secret.
			if name, value := splitLine(lines[i]); slices.Contains(known, name) {
				place = fmt.Sprintf("%s in line %d of .env", name, i+1)
				odd[name] = strings.Trim(value, `'" `+"\t\n")
			}
			problems = append(problems, fmt.Errorf("%s %s. Example: OKTA_CLIENT_SECRET='a$b'", place, what))
			lines[i] = "\n"
		}
		i += size
	}
	values, err := godotenv.Unmarshal(strings.Join(lines, ""))
	if err != nil {
		// godotenv's error quotes the file, secrets and all.
		problems = append(problems, errors.New(".env is not lines of NAME=value: put values with spaces, quotes, # or $ in single quotes"))
		values = map[string]string{}
	}
	maps.Copy(values, odd)
	return values, problems
}

// assignment is the beginning of a line that sets a variable.
var assignment = regexp.MustCompile(`^(?:export\s+)?([A-Za-z0-9_.]+)\s*[=:]`)

// splitLine returns what a line sets, and to what; no name where it sets nothing.
func splitLine(line string) (name, value string) {
	line = strings.TrimLeftFunc(line, unicode.IsSpace)
	at := assignment.FindStringSubmatchIndex(line)
	if at == nil {
		return "", ""
	}
	return line[at[2]:at[3]], strings.TrimLeftFunc(line[at[1]:], unicode.IsSpace)
}

// readLine returns how many lines belong to the first one, which are several where
// a value in quotes goes on, and what is wrong with it, if anything.
func readLine(lines []string) (size int, what string) {
	if isRemark(lines[0]) {
		return 1, ""
	}
	name, value := splitLine(lines[0])
	switch {
	case name == "":
		return 1, "is not NAME=value: put values with spaces, quotes, # or $ in single quotes"
	case value == "" || value[0] != '\'' && value[0] != '"':
		return 1, ""
	}
	text := value + strings.Join(lines[1:], "")
	for i := 1; i < len(text); i++ {
		if text[i] != value[0] || text[i-1] == '\\' {
			continue
		}
		if rest, _, _ := strings.Cut(text[i+1:], "\n"); isRemark(rest) {
			return 1 + strings.Count(text[:i], "\n"), ""
		}
		break
	}
	return 1, "has a quote that does not end where the value does: put the whole value in single quotes, or in double ones where it holds a single one"
}

// isRemark reports whether a line, or the rest of one, says nothing.
func isRemark(text string) bool {
	text = strings.TrimSpace(text)
	return text == "" || text[0] == '#'
}
