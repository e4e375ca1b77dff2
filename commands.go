package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"expense-dashboard/internal/config"
)

// invocation is what a command is run with.
type invocation struct {
	args           []string // behind the command's name
	getenv         func(string) string
	stdout, stderr io.Writer
}

// command is what the program can do beside serving.
type command struct {
	name, arguments, summary string
	run                      func(ctx context.Context, i invocation) error
}

// table is the program's own commands, and how it serves.
var table struct {
	own   []command
	serve func(ctx context.Context, getenv func(string) string, stderr io.Writer) error
}

func commands() []command {
	return append(table.own[:len(table.own):len(table.own)],
		command{"version", "", "print what this is a build of", versionCommand},
		command{"help", "[COMMAND]", "print this", helpCommand})
}

// usageError is a command line that the program does not know.
type usageError struct{ problem string }

func (e *usageError) Error() string { return e.problem }

// runCommand runs the command that the first argument names, and serves where
// there is none. A command line that is not known is a *usageError.
func runCommand(ctx context.Context, i invocation) error {
	if len(i.args) == 0 {
		getenv, err := config.WithDotEnv(i.getenv)
		if err != nil {
			return err
		}
		return table.serve(ctx, getenv, i.stderr)
	}
	name := i.args[0]
	i.args = i.args[1:]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	for _, c := range commands() {
		if c.name == name {
			err := c.run(ctx, i)
			if errors.Is(err, flag.ErrHelp) {
				i.args = []string{name}
				return helpCommand(ctx, i)
			}
			return err
		}
	}
	return unknown(name)
}

// unknown says what was typed, and which command was probably meant.
func unknown(name string) *usageError {
	problem := fmt.Sprintf("%q is no command", name)
	if strings.HasPrefix(name, "-") {
		problem = fmt.Sprintf("%q is no flag", name)
	}
	for _, c := range commands() {
		if distance(strings.TrimLeft(name, "-"), c.name) <= 2 {
			return &usageError{problem + fmt.Sprintf(": did you mean %q?", c.name)}
		}
	}
	return &usageError{problem}
}

// distance is Levenshtein's: how many bytes to add, take away or exchange.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j]+1, row[j+1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// usageText is what the program can be asked to do.
func usageText() string {
	var text strings.Builder
	text.WriteString("Usage: expense-dashboard [COMMAND]\n\nWithout a command it serves. Commands:\n")
	for _, c := range commands() {
		fmt.Fprintf(&text, "  %-17s %s\n", c.name+" "+c.arguments, c.summary)
	}
	text.WriteString("\nAll else is set in the environment, or in a file .env in the working directory\nor beside the program: see the README, or run expense-dashboard doctor.\n")
	return text.String()
}

// parse reads a command's flags and so many arguments. Flags may stand behind
// arguments, too. It returns flag.ErrHelp where that is what is asked for.
func parse(flags *flag.FlagSet, i invocation, arguments int) ([]string, error) {
	flags.SetOutput(io.Discard)
	var positional []string
	for rest := i.args; ; {
		err := flags.Parse(rest)
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		if err != nil {
			return nil, &usageError{flags.Name() + ": " + err.Error()}
		}
		if flags.NArg() == 0 {
			break
		}
		positional, rest = append(positional, flags.Arg(0)), flags.Args()[1:]
	}
	switch {
	case len(positional) > arguments:
		return nil, &usageError{fmt.Sprintf("%s: %q is one argument too many", flags.Name(), positional[arguments])}
	case len(positional) < arguments:
		return nil, &usageError{flags.Name() + ": an argument is missing"}
	}
	return positional, nil
}

// helpCommand prints what the program, or one command of it, can be asked.
func helpCommand(_ context.Context, i invocation) error {
	if len(i.args) == 0 {
		_, err := io.WriteString(i.stdout, usageText())
		return err
	}
	for _, c := range commands() {
		if c.name == i.args[0] {
			_, err := fmt.Fprintf(i.stdout, "Usage: %s\n\n%s.\n", strings.TrimSpace("expense-dashboard "+c.name+" "+c.arguments),
				strings.ToUpper(c.summary[:1])+c.summary[1:])
			return err
		}
	}
	return unknown(i.args[0])
}

// versionCommand prints what the program was built from, and with.
func versionCommand(_ context.Context, i invocation) error {
	if _, err := parse(flag.NewFlagSet("version", flag.ContinueOnError), i, 0); err != nil {
		return err
	}
	version, goVersion := buildVersion()
	_, err := fmt.Fprintf(i.stdout, "expense-dashboard %s\n%s %s/%s\n", version, goVersion, runtime.GOOS, runtime.GOARCH)
	return err
}

// buildVersion returns the version of the running program, and that of Go.
func buildVersion() (version, goVersion string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "of unknown version", runtime.Version()
	}
	return versionOf(info), info.GoVersion
}

// versionOf is the module's version or, in a build from a working copy, the
// revision of its version control system.
func versionOf(info *debug.BuildInfo) string {
	if version := info.Main.Version; version != "" && version != "(devel)" {
		return version
	}
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	switch revision := settings["vcs.revision"]; {
	case revision == "":
		return "of unknown version"
	case settings["vcs.modified"] == "true":
		return "revision " + revision + " with changes"
	default:
		return "revision " + revision
	}
}
