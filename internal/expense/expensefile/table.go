package expensefile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// maxRecord bounds a row in bytes, so that a quotation mark that is never
	// closed does not take the rest of the file into memory.
	maxRecord = 256 << 10
	// maxCells bounds the cells of a row.
	maxCells = 500
)

// A lineError is a place from which a file cannot be read on.
type lineError struct {
	Line int // from 1
	Text string
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// A table reads rows of cells one at a time (RFC 4180), with whichever separator,
// and with CR, LF or CR LF at the ends of lines, also of different kinds in one
// file. A quotation mark counts only at the start of a cell.
type table struct {
	in        *bufio.Reader
	separator byte
	line      int // that is read next, from 1
	size      int // of the row so far, in bytes
	cells     []string
	cell      bytes.Buffer
}

func newTable(in *bufio.Reader, separator byte, line int) *table {
	return &table{in: in, separator: separator, line: line}
}

// next returns the next row, blank ones too, and the line where it starts. The
// slice is the table's and lasts until the next call. At the end the error is
// io.EOF; it is a *lineError where the rest cannot be understood.
func (t *table) next() (line int, cells []string, err error) {
	line, t.size, t.cells = t.line, 0, t.cells[:0]
	if _, err := t.in.Peek(1); err != nil {
		return line, nil, err
	}
	for {
		more, err := t.readCell(line)
		if err != nil {
			return line, nil, err
		}
		if len(t.cells) == maxCells {
			return line, nil, &lineError{line, fmt.Sprintf("This line has more than %d cells. The lines from here on were not checked.", maxCells)}
		}
		t.cells = append(t.cells, t.cell.String())
		if !more {
			return line, t.cells, nil
		}
	}
}

// readByte returns the next byte of a row. Whatever ends a line is '\n', and so
// is the end of the file, once, where ended is set.
func (t *table) readByte(start int) (b byte, ended bool, err error) {
	b, err = t.in.ReadByte()
	switch {
	case errors.Is(err, io.EOF):
		return '\n', true, nil
	case err != nil:
		return 0, false, err
	}
	if t.size++; t.size > maxRecord {
		return 0, false, &lineError{start, "This line is too long, or a quotation mark is never closed. The lines from here on were not checked."}
	}
	if b == '\r' {
		if after, _ := t.in.Peek(1); len(after) == 1 && after[0] == '\n' {
			_, _ = t.in.Discard(1)
		}
		b = '\n'
	}
	if b == '\n' {
		t.line++
	}
	return b, false, nil
}

// readCell reads a cell into t.cell, and reports whether another one follows in
// the row that starts at a line.
func (t *table) readCell(start int) (more bool, err error) {
	t.cell.Reset()
	for {
		b, _, err := t.readByte(start)
		switch {
		case err != nil:
			return false, err
		case b == '\n':
			return false, nil
		case b == t.separator:
			return true, nil
		case b == '"' && strings.Trim(t.cell.String(), " ") == "":
			return t.readQuoted(start)
		}
		t.cell.WriteByte(b)
	}
}

// readQuoted is readCell behind an opening quotation mark.
func (t *table) readQuoted(start int) (more bool, err error) {
	t.cell.Reset()
	closed := false
	for {
		b, ended, err := t.readByte(start)
		switch {
		case err != nil:
			return false, err
		case !closed && ended:
			return false, &lineError{start, "A quotation mark is never closed here. The lines after it were not checked."}
		case !closed && b != '"':
			t.cell.WriteByte(b)
		case !closed:
			closed = true
			if after, _ := t.in.Peek(1); len(after) == 1 && after[0] == '"' {
				_, _ = t.in.Discard(1)
				t.cell.WriteByte('"')
				closed = false
			}
		case b == '\n':
			return false, nil
		case b == t.separator:
			return true, nil
		case b != ' ':
			return false, &lineError{start, "A quotation mark is out of place here. The lines after it were not checked."}
		}
	}
}

// isBlank reports whether a row has nothing in it.
func isBlank(cells []string) bool {
	for _, cell := range cells {
		if strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}
