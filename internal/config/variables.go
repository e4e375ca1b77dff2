package config

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"expense-dashboard/internal/spelling"
)

// Variables are those of the environment and, behind them, those of a file .env.
type Variables struct {
	values   map[string]string
	file     string  // that was read; empty where there is none
	problems []error // of that file
}

// Of returns variables by their names, as if there were nothing else.
func Of(values map[string]string) Variables { return Variables{values: values} }

// Read returns the variables of an environment in the form NAME=value and of the
// file .env in the working directory or, where there is none, beside the program.
// What the environment sets wins, also where it is empty. A missing file is fine;
// what is wrong with one is told with all else, by [Variables.Load].
func Read(environ []string) Variables {
	v := readDotEnv()
	for _, variable := range environ {
		if name, value, ok := strings.Cut(variable, "="); ok && name != "" {
			v.values[name] = value
		}
	}
	return v
}

// Load is [Load], and its error joins what is wrong with the file .env, too.
func (v Variables) Load() (Config, error) {
	c, err := Load(v.Get)
	var own *Error
	if !errors.As(err, &own) {
		own = &Error{}
	}
	if err := errors.Join(append(slices.Clone(v.problems), own.Err)...); err != nil {
		return c, &Error{Err: err}
	}
	return c, nil
}

// DatabaseURL returns the value of DATABASE_URL, or its default, for what needs
// nothing else. Its error is an *Error.
func (v Variables) DatabaseURL() (string, error) {
	l := &Loader{Getenv: v.Get, Problems: slices.Clone(v.problems)}
	value := l.DatabaseURL()
	if err := errors.Join(l.Problems...); err != nil {
		return value, &Error{Err: err}
	}
	return value, nil
}

// Get returns the value of a variable, or "" if it is not set.
func (v Variables) Get(name string) string { return v.values[name] }

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
