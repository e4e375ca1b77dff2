package expensefile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"io"
)

// A csvFile is written row by row (RFC 4180): a row ends with CR LF, and each cell keeps
// its bytes. With the ends of its own lines too, csv.Writer would change those inside of
// cells.
type csvFile struct {
	out   *bufio.Writer
	row   bytes.Buffer
	cells *csv.Writer // into row
}

func newCSVFile(w io.Writer) *csvFile {
	f := &csvFile{out: bufio.NewWriter(w)}
	f.cells = csv.NewWriter(&f.row)
	return f
}

// write adds a row. It may be held back until end.
func (f *csvFile) write(cells []string) error {
	f.row.Reset()
	if err := f.cells.Write(cells); err != nil {
		return err
	}
	f.cells.Flush()
	// A bufio.Writer keeps its first error for the next call.
	f.out.Write(bytes.TrimSuffix(f.row.Bytes(), []byte("\n")))
	_, err := f.out.WriteString("\r\n")
	return err
}

// end writes what was held back.
func (f *csvFile) end() error { return f.out.Flush() }
