package sheet

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// textBuffer is the size of the buffer before encoding/csv, in bytes. It also bounds how far beyond
// [Limits.RowBytes] a row is read before it is refused.
const textBuffer = 1 << 20

// csvRows yields the rows of a text file. encoding/csv passes over empty lines without counting
// them and a quoted cell may span lines, so rows are counted from the lines that it reports.
type csvRows struct {
	raw     *countingReader
	guard   *guard
	csv     *csv.Reader
	skipped int64 // bytes in front of what csv reads
	row     int   // number of the last row
	line    int   // line, from 1, on which the last row ended
	lim     Limits
}

func openText(src io.ReaderAt, size int64, head []byte, lim Limits) (*csvRows, error) {
	text, raw := decode(src, size, head, lim)
	g := &guard{src: text, rowLimit: int64(lim.RowBytes) + textBuffer}
	br := bufio.NewReaderSize(g, textBuffer)
	comma, directive, err := delimiter(br)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(br)
	r.Comma, r.ReuseRecord, r.FieldsPerRecord = comma, true, -1
	return &csvRows{raw: raw, guard: g, csv: r, skipped: int64(directive), lim: lim}, nil
}

func (c *csvRows) next() (int, []string, error) {
	record, err := c.csv.Read()
	c.guard.rowStart = c.skipped + c.csv.InputOffset()
	if err != nil {
		return 0, nil, c.explain(err)
	}
	first, _ := c.csv.FieldPos(0)
	c.row += first - c.line
	last, _ := c.csv.FieldPos(len(record) - 1)
	c.line = last + strings.Count(record[len(record)-1], "\n")
	if c.guard.cut {
		return 0, nil, tooLongRow(c.row, c.lim)
	}
	return c.row, record, nil
}

// explain turns a parse error into a problem with the number of the row that it is in.
func (c *csvRows) explain(err error) error {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	row := c.row + parse.StartLine - c.line
	switch {
	case c.guard.nul:
		return problem(NotText, row, "Row %d cannot be read, and NUL characters are near it, so this is no text file, or a damaged one. "+
			"Open it in your spreadsheet program and save it as “CSV UTF-8” or .xlsx.", row)
	case c.guard.cut && errors.Is(err, csv.ErrQuote):
		return problem(BadQuotes, row, "A quoted cell begins in row %d and does not end within %d bytes: "+
			"a closing quotation mark (\") is missing there. Add it, or remove the opening one.", row, c.lim.RowBytes)
	case errors.Is(err, csv.ErrBareQuote):
		return problem(BadQuotes, row, "In row %d a quotation mark (\") stands inside a cell that does not begin with one. "+
			"Put the whole cell in quotation marks and double the one inside, or remove it.", row)
	}
	return problem(BadQuotes, row, "The quotation marks (\") of a cell that begins in row %d do not match. "+
		"Close the cell with one, and double those inside it.", row)
}

func (c *csvRows) doubtful() bool  { return c.guard.nul }
func (c *csvRows) progress() int64 { return c.raw.count.Load() }
func (c *csvRows) close() error    { return nil }

// delimiters in order of preference where a header holds as many of one as of another.
const delimiters = ",;\t"

// delimiter finds what separates the cells of the first row that is not blank. Excel's first line
// "sep=;" settles it and is no row: it is consumed, and its length returned.
func delimiter(br *bufio.Reader) (comma rune, directive int, err error) {
	head, err := br.Peek(textBuffer)
	if err != nil && err != io.EOF {
		return 0, 0, err
	}
	if d, n := sepDirective(head); n > 0 {
		_, err = br.Discard(n)
		return d, n, err
	}
	var counts [len(delimiters)]int
	quoted, filled := false, false
	for _, b := range head {
		if b == '"' {
			quoted = !quoted
		}
		if b == '\n' && !quoted {
			if filled {
				break
			}
			continue // what separates the cells of a blank row separates the header's too
		}
		if i := strings.IndexByte(delimiters, b); i >= 0 {
			if !quoted {
				counts[i]++
			}
		} else if b > ' ' {
			filled = true
		}
	}
	best := 0
	for i, n := range counts {
		if n > counts[best] {
			best = i
		}
	}
	return rune(delimiters[best]), 0, nil
}

func sepDirective(head []byte) (comma rune, length int) {
	line, _, whole := bytes.Cut(head, []byte("\n"))
	text := bytes.TrimSuffix(line, []byte("\r"))
	if !whole || len(text) != 5 || !bytes.EqualFold(text[:4], []byte("sep=")) || strings.IndexByte(delimiters, text[4]) < 0 {
		return 0, 0
	}
	return rune(text[4]), len(line) + 1
}
