package sheet

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Row is one row that is not blank.
type Row struct {
	Number int      // as the spreadsheet program shows it; the first row of the file is 1
	Cells  []string // trimmed; valid until the next Next. May be shorter than the header, never longer
}

// Reader yields the rows of one file, in order. Only [Reader.Progress] may be called from another
// goroutine than the one that reads.
type Reader struct {
	name      string
	lim       Limits
	size      int64
	rows      rowSource
	header    []string
	headerRow int
	err       error // sticky: after it Next returns nothing else
}

// Header is the first row that is not blank, trimmed, without the blank cells at its end.
func (r *Reader) Header() []string { return r.header }

// HeaderRow is the number of the header's row.
func (r *Reader) HeaderRow() int { return r.headerRow }

// Next returns the next row that is not blank, and io.EOF after the last. Numbers grow strictly;
// blank rows leave gaps. Any other error is final: a *[Problem], or what the source returned.
func (r *Reader) Next() (Row, error) {
	if r.err != nil {
		return Row{}, r.err
	}
	number, cells, err := r.nextFilled()
	if err == nil && len(cells) > len(r.header) {
		err = r.tooManyCells(number, cells)
	}
	if err != nil {
		r.err = r.named(err)
		return Row{}, r.err
	}
	return Row{Number: number, Cells: cells}, nil
}

// nextFilled returns the next row that is not blank: cleaned, within the limits, and without the
// blank cells at its end.
func (r *Reader) nextFilled() (int, []string, error) {
	for {
		number, cells, err := r.rows.next()
		if err != nil {
			return 0, nil, err
		}
		if number > r.lim.Rows {
			return 0, nil, problem(TooLarge, 0, "The file has more than %d rows. Split it into several files.", r.lim.Rows)
		}
		filled, size := 0, 0
		for i, s := range cells {
			if s = clean(s); s != "" {
				filled, size = i+1, size+len(s)
			}
			cells[i] = s
		}
		if filled == 0 {
			continue
		}
		if size > r.lim.RowBytes {
			return 0, nil, tooLongRow(number, r.lim)
		}
		if r.rows.doubtful() {
			if p := nulIn(number, cells); p != nil {
				return 0, nil, p
			}
		}
		return number, cells[:filled], nil
	}
}

func (r *Reader) readHeader() error {
	number, cells, err := r.nextFilled()
	if err == io.EOF {
		return problem(NoHeader, 0, "The file is empty. Its first row must hold the names of the columns, as in the template.")
	}
	if err != nil {
		return err
	}
	if len(cells) > r.lim.Columns {
		return problem(TooLarge, number, "The header has %d columns; at most %d are allowed. Delete the columns that are not needed.", len(cells), r.lim.Columns)
	}
	r.header, r.headerRow = append(r.header, cells...), number
	return nil
}

func (r *Reader) tooManyCells(number int, cells []string) *Problem {
	value := ""
	for _, value = range cells[len(r.header):] {
		if value != "" {
			break
		}
	}
	p := problem(TooManyCells, number, "Row %d has text (%q) to the right of the last column, which is %q. "+
		"Put a cell that contains the delimiter in quotation marks, or delete what does not belong there.",
		number, excerpt(value), r.header[len(r.header)-1])
	p.Value = excerpt(value)
	return p
}

func tooLongRow(number int, lim Limits) *Problem {
	return problem(TooLarge, number, "Row %d is longer than %d bytes. Check that the file has line breaks, and that this row holds what it should.", number, lim.RowBytes)
}

func nulIn(number int, cells []string) *Problem {
	for i, s := range cells {
		if strings.IndexByte(s, 0) >= 0 {
			return problem(NotText, number, "Row %d, cell %d contains a NUL character, so this is no text file, or a damaged one. "+
				"Open it in your spreadsheet program and save it as “CSV UTF-8” or .xlsx.", number, i+1)
		}
	}
	return nil
}

// named adds the file's name to an error that is not about the file's content.
func (r *Reader) named(err error) error {
	var p *Problem
	if err == io.EOF || errors.As(err, &p) {
		return err
	}
	return fmt.Errorf("read %s: %w", r.name, err)
}

// Progress returns how many of the file's total bytes are consumed. It is meant for a progress bar
// and safe to call from any goroutine; in a workbook it goes by the row.
func (r *Reader) Progress() (read, total int64) { return min(r.rows.progress(), r.size), r.size }

// Close frees what reading took, temporary files included. It does not close the source.
func (r *Reader) Close() error {
	if r.err == nil {
		r.err = errors.New("the reader is closed")
	}
	return r.rows.close()
}
