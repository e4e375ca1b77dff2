// Package command reads the command line: which of the program's commands is
// meant, its flags and arguments, and what to say where none is.
//
// It knows the commands "version" and "help" itself; all others come in a
// [Table] from main, which says what they do. It reads no configuration, serves
// nothing and ends no process.
//
// Start reading at [Table.Run].
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"expense-dashboard/internal/spelling"
)

// An Invocation is what a command is run with.
type Invocation struct {
	Args           []string // behind the command's name
	Environ        []string // the environment, in the form NAME=value
	Stdout, Stderr io.Writer
}

// A Command is what the program can do.
type Command struct {
	Name, Arguments, Summary string
	Run                      func(ctx context.Context, i Invocation) error
}

// A Table is what the program can do: without arguments, and by each command.
type Table struct {
	Serve    func(ctx context.Context, i Invocation) error
	Commands []Command
}

// all returns the commands of a table, and those that every program has.
func (t Table) all() []Command {
	return append(slices.Clone(t.Commands),
		Command{"version", "", "print what this is a build of", versionCommand},
		Command{"help", "[COMMAND]", "print this", t.help})
}

// A UsageError is a command line that the program does not know.
type UsageError struct{ Problem string }

func (e *UsageError) Error() string { return e.Problem }

// Run runs the command that the first argument names, and serves where there is
// none. A command line that is not known is a *UsageError.
func (t Table) Run(ctx context.Context, i Invocation) error {
	if len(i.Args) == 0 {
		return t.Serve(ctx, i)
	}
	name := i.Args[0]
	i.Args = i.Args[1:]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	for _, c := range t.all() {
		if c.Name == name {
			err := c.Run(ctx, i)
			if errors.Is(err, flag.ErrHelp) {
				i.Args = []string{name}
				return t.help(ctx, i)
			}
			return err
		}
	}
	return t.unknown(name)
}

// unknown says what was typed, and which command was probably meant.
func (t Table) unknown(name string) *UsageError {
	problem := fmt.Sprintf("%q is no command", name)
	if strings.HasPrefix(name, "-") {
		problem = fmt.Sprintf("%q is no flag", name)
	}
	var names []string
	for _, c := range t.all() {
		names = append(names, c.Name)
	}
	if meant := spelling.Near(strings.TrimLeft(name, "-"), names); meant != "" {
		problem += fmt.Sprintf(": did you mean %q?", meant)
	}
	return &UsageError{problem}
}

// Usage is what the program can be asked to do.
func (t Table) Usage() string {
	var text strings.Builder
	text.WriteString("Usage: expense-dashboard [COMMAND]\n\nWithout a command it serves. Commands:\n")
	for _, c := range t.all() {
		fmt.Fprintf(&text, "  %-17s %s\n", c.Name+" "+c.Arguments, c.Summary)
	}
	text.WriteString("\nAll else is set in the environment, or in a file .env in the working directory\nor beside the program: see the README, or run expense-dashboard doctor.\n")
	return text.String()
}

// Parse reads a command's flags and so many arguments. Flags may stand behind
// arguments, too. It returns flag.ErrHelp where that is what is asked for.
func Parse(flags *flag.FlagSet, i Invocation, arguments int) ([]string, error) {
	flags.SetOutput(io.Discard)
	var positional []string
	for rest := i.Args; ; {
		err := flags.Parse(rest)
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		if err != nil {
			return nil, &UsageError{flags.Name() + ": " + err.Error()}
		}
		if flags.NArg() == 0 {
			break
		}
		positional, rest = append(positional, flags.Arg(0)), flags.Args()[1:]
	}
	switch {
	case len(positional) > arguments:
		return nil, &UsageError{fmt.Sprintf("%s: %q is one argument too many", flags.Name(), positional[arguments])}
	case len(positional) < arguments:
		return nil, &UsageError{flags.Name() + ": an argument is missing"}
	case slices.Contains(positional, ""):
		return nil, &UsageError{flags.Name() + ": the argument is empty"}
	}
	return positional, nil
}

// help prints what the program, or one command of it, can be asked.
func (t Table) help(_ context.Context, i Invocation) error {
	if len(i.Args) == 0 {
		_, err := io.WriteString(i.Stdout, t.Usage())
		return err
	}
	if len(i.Args) > 1 {
		return &UsageError{fmt.Sprintf("help: %q is one argument too many", i.Args[1])}
	}
	for _, c := range t.all() {
		if c.Name == i.Args[0] {
			_, err := fmt.Fprintf(i.Stdout, "Usage: %s\n\n%s.\n", strings.TrimSpace("expense-dashboard "+c.Name+" "+c.Arguments),
				strings.ToUpper(c.Summary[:1])+c.Summary[1:])
			return err
		}
	}
	return t.unknown(i.Args[0])
}

// versionCommand prints what the program was built from, and with.
func versionCommand(_ context.Context, i Invocation) error {
	if _, err := Parse(flag.NewFlagSet("version", flag.ContinueOnError), i, 0); err != nil {
		return err
	}
	version, goVersion := BuildVersion()
	_, err := fmt.Fprintf(i.Stdout, "expense-dashboard %s\n%s %s/%s\n", version, goVersion, runtime.GOOS, runtime.GOARCH)
	return err
}

// BuildVersion returns the version of the running program, and that of Go.
func BuildVersion() (version, goVersion string) {
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
