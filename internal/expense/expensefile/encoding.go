package expensefile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// headSize is how much of a file is looked at to tell what it is.
const headSize = 64 << 10

// TableError is why a file cannot be read as a table.
type TableError struct {
	Text string // a sentence for who chose the file
}

func (e *TableError) Error() string { return "not a table: " + e.Text }

func noTable(format string, args ...any) error {
	return &TableError{fmt.Sprintf(format, args...)}
}

// The encodings in which a file may be, by the names that people know.
const (
	utf8Encoding    = "UTF-8"
	utf16LittleEnd  = "UTF-16 LE"
	utf16BigEnd     = "UTF-16 BE"
	windowsEncoding = "Windows-1252"
)

// encodingOf reads a whole file to tell its encoding. Where there is no byte
// order mark it is UTF-8 if it can be, and else Windows-1252, which is what
// spreadsheets write. The error is a *TableError where the file is no text.
func encodingOf(file io.Reader) (string, error) {
	in := bufio.NewReaderSize(file, headSize)
	head, err := in.Peek(headSize)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return "", err
	case len(head) == 0:
		return "", noTable("The file is empty.")
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return utf16LittleEnd, nil
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return utf16BigEnd, nil
	}
	if err := otherKind(head); err != nil {
		return "", err
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return wideEncoding(head)
	}
	valid, err := validUTF8(in)
	if err != nil {
		return "", err
	}
	if valid {
		return utf8Encoding, nil
	}
	return windowsEncoding, nil
}

// otherKind recognizes what people take for a CSV file and is none.
func otherKind(head []byte) error {
	trimmed := bytes.ToLower(bytes.TrimSpace(head[:min(len(head), 512)]))
	starts := func(with string) bool { return bytes.HasPrefix(trimmed, []byte(with)) }
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")) && bytes.Contains(head, []byte("opendocument")):
		return noTable("This is an OpenDocument spreadsheet: save it as CSV.")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")) && (bytes.Contains(head, []byte("[Content_Types].xml")) || bytes.Contains(head, []byte("xl/"))),
		bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return noTable("This is an Excel workbook: save it as CSV.")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return noTable("This is a ZIP archive: unpack it, and choose the CSV file in it.")
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return noTable("This is a compressed file: unpack it first.")
	case starts("%pdf"):
		return noTable("This is a PDF document, not a CSV file.")
	case starts("<!doctype html"), starts("<html"), starts("<table"), starts("<?xml"):
		return noTable("This is a web page or an XML document: save the table as CSV.")
	case starts("{"), starts("["):
		return noTable("This is a JSON file: export the expenses as CSV.")
	}
	return nil
}

// wideEncoding tells UTF-16 without a mark, in which most text has a zero byte
// beside each letter, from bytes that are no text at all.
func wideEncoding(head []byte) (string, error) {
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	switch half := len(head) / 2; {
	case zeros[1] > half/2 && zeros[0] == 0:
		return utf16LittleEnd, nil
	case zeros[0] > half/2 && zeros[1] == 0:
		return utf16BigEnd, nil
	}
	return "", noTable("This is not a text file: save the table as CSV.")
}

// validUTF8 reports whether what is left to read is UTF-8.
func validUTF8(in io.Reader) (bool, error) {
	buffer := make([]byte, 32<<10)
	kept := 0 // bytes at the start that may begin a rune
	for {
		n, err := in.Read(buffer[kept:])
		data := buffer[:kept+n]
		for len(data) > 0 && (utf8.FullRune(data) || err != nil) {
			r, size := utf8.DecodeRune(data)
			if r == utf8.RuneError && size == 1 {
				return false, nil
			}
			data = data[size:]
		}
		kept = copy(buffer, data)
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, err
		}
	}
}

// decoded returns a file as UTF-8 without a byte order mark.
func decoded(file io.Reader, name string) *bufio.Reader {
	var from encoding.Encoding = unicode.UTF8BOM
	switch name {
	case utf16LittleEnd:
		from = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case utf16BigEnd:
		from = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case windowsEncoding:
		from = charmap.Windows1252
	}
	return bufio.NewReaderSize(from.NewDecoder().Reader(file), headSize)
}

// separators are what may stand between cells.
var separators = [...]byte{',', ';', '\t', '|'}

// separatorLine reads the line sep=; with which a file for Excel may start. It
// returns zero where there is none, and how many bytes it takes.
func separatorLine(head []byte) (separator byte, length int) {
	const mark = "sep="
	if len(head) <= len(mark) || !bytes.EqualFold(head[:len(mark)], []byte(mark)) {
		return 0, 0
	}
	end := bytes.IndexAny(head, "\r\n")
	if end < 0 {
		end = len(head)
	}
	if end != len(mark)+1 || !slices.Contains(separators[:], head[len(mark)]) {
		return 0, 0
	}
	if bytes.HasPrefix(head[end:], []byte("\r\n")) {
		end++
	}
	return head[len(mark)], min(end+1, len(head))
}
