// Package sheet turns a spreadsheet file, as people make them, into a stream of rows, and rows back
// into a CSV file. It knows nothing of users: a caller gets a header and numbered rows of text.
//
// Start at [Open]: it looks at the content of a file, never at its name, and yields a [Reader] for
// CSV (any of UTF-8, UTF-16, Windows-1252; comma, semicolon, tab; CRLF, LF, CR) or XLSX.
// [NewWriter] is the way back. What they write and read agrees on formulas: see [Writer].
//
// Files are hostile until proven otherwise. Memory depends on [Limits.RowBytes], not on the size of
// the file; every refusal is a [Problem], whose message says what to do.
package sheet

import (
	"fmt"
	"io"
)

// Limits bounds what a file may ask of the machine. A zero field takes its default.
type Limits struct {
	Bytes    int64 // the file as stored; default 2 GiB
	Unpacked int64 // bytes that the parts of an XLSX may unpack to, all together; default 2 GiB
	RowBytes int   // bytes of one row, all its cells; default 1 MiB
	Columns  int   // columns of the header; default 1,000
	Rows     int   // the highest row number; default 16,777,216
}

func (l Limits) withDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 2 << 30
	}
	if l.Unpacked <= 0 {
		l.Unpacked = 2 << 30
	}
	if l.RowBytes <= 0 {
		l.RowBytes = 1 << 20
	}
	if l.Columns <= 0 {
		l.Columns = 1000
	}
	if l.Rows <= 0 {
		l.Rows = 16_777_216
	}
	return l
}

// The codes of a [Problem].
const (
	NoHeader     = "file.no_header"      // empty, or blank rows only
	NotText      = "file.not_text"       // no spreadsheet, or a damaged one
	TooLarge     = "file.too_large"      // one of [Limits] is passed
	BadQuotes    = "file.bad_quotes"     // a quotation mark opens and does not close, or stands where none may
	TooManyCells = "file.too_many_cells" // a row has text to the right of the header's last column
)

// Problem says why a file cannot be read at all. It is an error; find it with errors.As.
type Problem struct {
	Code    string // one of the constants of this package
	Row     int    // the row where it shows, 0 for none
	Column  string // the header of the column concerned, "" for none
	Value   string // the offending text, shortened, "" for none
	Message string // for a person: what is wrong and what to do
}

func (p *Problem) Error() string {
	if p.Row > 0 {
		return fmt.Sprintf("%s (row %d): %s", p.Code, p.Row, p.Message)
	}
	return p.Code + ": " + p.Message
}

func problem(code string, row int, format string, args ...any) *Problem {
	return &Problem{Code: code, Row: row, Message: fmt.Sprintf(format, args...)}
}

// Option changes how [Open] reads.
type Option func(*options)

type options struct{ sheets []string }

// PreferSheet names the sheets of a workbook that are taken before its first one, in order of
// preference. Case, spaces and underscores do not matter. A CSV file has no sheets.
func PreferSheet(names ...string) Option {
	return func(o *options) { o.sheets = append(o.sheets, names...) }
}

// Open finds out what the size bytes of src are and reads as far as the header. The name only
// appears in errors about reading itself. The caller closes the Reader, and src after it.
//
// The error is a *[Problem] where the file is at fault, and what src returned otherwise.
func Open(src io.ReaderAt, size int64, name string, lim Limits, opts ...Option) (*Reader, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	lim = lim.withDefaults()
	r := &Reader{name: name, lim: lim, size: size}
	rows, err := openRows(src, size, lim, o)
	if err != nil {
		return nil, r.named(err)
	}
	r.rows = rows
	if err := r.readHeader(); err != nil {
		return nil, r.named(closeAfter(rows, err))
	}
	return r, nil
}

func openRows(src io.ReaderAt, size int64, lim Limits, o options) (rowSource, error) {
	if size > lim.Bytes {
		return nil, problem(TooLarge, 0, "The file has %d bytes; at most %d are allowed. Split it into several files.", size, lim.Bytes)
	}
	head := make([]byte, min(size, sniffBytes))
	if n, err := src.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	} else {
		head = head[:n]
	}
	if p := foreign(head); p != nil {
		return nil, p
	}
	if isZIP(head) {
		return openXLSX(src, size, lim, o)
	}
	return openText(src, size, head, lim)
}

// rowSource is what CSV and XLSX have in common.
type rowSource interface {
	// next returns the row's number and its cells as stored; both are the source's until the
	// following call. It may return or leave out blank rows. At the end it returns io.EOF.
	next() (number int, cells []string, err error)
	// doubtful reports whether the coming rows may hold NUL bytes.
	doubtful() bool
	// progress is the number of stored bytes consumed. Any goroutine may ask.
	progress() int64
	close() error
}

func closeAfter(rows rowSource, err error) error {
	_ = rows.close() // the first error is the one that explains
	return err
}

// excerpt shortens a value for a message.
func excerpt(s string) string {
	const most = 60 // characters
	count := 0
	for i := range s {
		if count++; count > most {
			return s[:i] + "…"
		}
	}
	return s
}
