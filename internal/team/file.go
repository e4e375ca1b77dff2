package team

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

//go:embed sample/teams.json
var sampleTeams string

// directoryPollInterval is how often a teams file is looked at.
const directoryPollInterval = time.Second

// File is a teams file and the last good Directory that was read from it.
type File struct {
	path    string // empty for the built-in sample
	log     *slog.Logger
	current atomic.Pointer[Directory]

	// What the last look at the file found; only Open and Reload use it.
	data []byte
	err  error // from reading it, not from parsing it
}

// Open reads the teams file at path, or the built-in sample where path
// is empty. The error lists every mistake in the file, one on each line.
func Open(path string, log *slog.Logger) (*File, error) {
	f := &File{path: path, log: log, data: []byte(sampleTeams)}
	if path != "" {
		if f.data, f.err = ReadFile(path); f.err != nil {
			return nil, f.err
		}
	}
	directory, err := Parse(f.data)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", cmp.Or(path, "sample/teams.json"), err)
	}
	directory.state = 1
	f.current.Store(directory)
	return f, nil
}

// ReadFile reads one byte more than Parse takes, at most.
func ReadFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxDirectorySize+1))
}

// Current returns the last good Directory. It is never nil, and any number of
// goroutines may call it at once.
func (f *File) Current() *Directory {
	return f.current.Load()
}

// Name is what people call the file: it stands on pages, where no path of the
// machine has to be known.
func (f *File) Name() string {
	if f.path == "" {
		return "the built-in sample"
	}
	return "the teams file"
}

// Watch takes over every change of the file until ctx is done. It reads the
// file each second and compares its bytes: that sees a file that was renamed
// over it, a symbolic link that was turned elsewhere, and a write within one
// tick of the clock, on every kind of volume. For the built-in sample there is
// nothing to watch.
func (f *File) Watch(ctx context.Context) {
	if f.path == "" {
		return
	}
	ticker := time.NewTicker(directoryPollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.Reload()
		}
	}
}

// Reload looks at the file once. Where it is wrong or gone it keeps the
// Directory there is, and says so once.
func (f *File) Reload() {
	data, err := ReadFile(f.path)
	hadErr := f.err != nil
	if err != nil {
		f.err = err
		if !hadErr {
			f.log.Error("teams file cannot be read: keeping the last good one", "path", f.path, "err", err)
		}
		return
	}
	// A file that was gone and is back is news, whatever it holds.
	if !hadErr && bytes.Equal(data, f.data) {
		return
	}
	f.data, f.err = data, nil
	directory, err := Parse(data)
	if err != nil {
		f.log.Error("teams file is wrong: keeping the last good one", "path", f.path, "err", err)
		return
	}
	directory.state = f.Current().state + 1
	f.current.Store(directory)
	f.log.Info("teams file read", "path", f.path, "teams", len(directory.teams), "members", len(directory.members), "groups", len(directory.groups))
}
