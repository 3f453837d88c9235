package sheet

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"
)

// Writer writes a CSV file that spreadsheet programs open right: UTF-8 with byte order mark, comma,
// CRLF.
//
// A cell that begins with =, +, -, @, tab, CR or ' gets one ' before it, so that no spreadsheet
// program runs it as a formula; [Reader] takes one ' away before exactly those. Every value without
// white space around it comes back as it was, 't Hooft too, but for what a spreadsheet cannot hold:
// CR and CRLF come back as LF, bytes that are not UTF-8 and NUL as U+FFFD.
type Writer struct {
	w    *bufio.Writer
	bom  bool
	line []byte
}

// WriterOption changes how a [Writer] writes.
type WriterOption func(*Writer)

// NoBOM leaves out the byte order mark, for programs that take it for text.
func NoBOM() WriterOption { return func(w *Writer) { w.bom = false } }

// NewWriter returns a Writer to w. Call [Writer.Flush] at the end.
func NewWriter(w io.Writer, opts ...WriterOption) *Writer {
	out := &Writer{w: bufio.NewWriterSize(w, 64<<10), bom: true}
	for _, opt := range opts {
		opt(out)
	}
	return out
}

// Write writes one row; the header is the first. An error of the underlying writer may show as late
// as in Flush.
func (w *Writer) Write(cells []string) error {
	w.line = w.line[:0]
	if w.bom {
		w.line, w.bom = append(w.line, utf8BOM...), false
	}
	for i, s := range cells {
		if i > 0 {
			w.line = append(w.line, ',')
		}
		w.line = appendCell(w.line, s)
	}
	w.line = append(w.line, "\r\n"...)
	_, err := w.w.Write(w.line)
	return err
}

// Flush writes what is buffered, and the byte order mark if there was no row.
func (w *Writer) Flush() error {
	if w.bom {
		w.bom = false
		if _, err := w.w.WriteString(utf8BOM); err != nil {
			return err
		}
	}
	return w.w.Flush()
}

// appendCell appends the cell as it stands in the file. All delimiters that a reader may try are
// quoted, not just the comma, so that no header is taken for one with semicolons.
func appendCell(line []byte, s string) []byte {
	s = defuse(s)
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	}
	if !strings.ContainsAny(s, delimiters+"\"\r\n") && !strings.HasPrefix(s, "sep=") {
		return append(line, s...)
	}
	line = append(line, '"')
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			line = append(line, `""`...)
		case '\r':
			if i+1 == len(s) || s[i+1] != '\n' {
				line = append(line, "\r\n"...)
			}
		case '\n':
			line = append(line, "\r\n"...)
		default:
			line = append(line, s[i])
		}
	}
	return append(line, '"')
}
