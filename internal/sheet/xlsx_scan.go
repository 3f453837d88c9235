package sheet

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
)

const (
	// markupFactor is how much XML there may be for each byte of a row. Excel spends about 40 bytes
	// on a cell, so even rows of one-letter cells stay below it.
	markupFactor = 16
	// maxTexts bounds the memory for the table of strings, of which excelize keeps 40 bytes each.
	maxTexts = 8 << 20
	// maxExcelRow is the last row that a workbook can have.
	maxExcelRow = 1_048_576
	// maxTag is the longest tag in bytes; root elements with many namespaces take 2 KiB.
	maxTag = 64 << 10
)

// inflate unpacks a part and lets look see all of it. What look leaves unread is still unpacked, so
// that the part's check sum and declared size are verified. Errors of the ZIP file are problems.
func inflate(f *zip.File, look func(io.Reader) error) error {
	rc, err := f.Open()
	if err != nil {
		return damaged(err)
	}
	defer rc.Close()
	err = look(rc)
	var p *Problem
	if errors.As(err, &p) {
		return err
	}
	if err == nil {
		_, err = io.Copy(io.Discard, rc)
	}
	if err != nil {
		return damaged(err)
	}
	return nil
}

// tagReader walks over XML from tag to tag without decoding it. It bounds what a decoder would have
// to hold at once: a tag by maxTag, everything else by what its caller allows between units.
type tagReader struct {
	br   *bufio.Reader
	unit []byte // what was read since the caller last emptied it, if keep is set
	size int    // its length in bytes, kept or not
	most int    // what size may reach
	keep bool
}

var errUnit = errors.New("too much in one unit")

func newTagReader(r io.Reader, lim Limits) *tagReader {
	return &tagReader{br: bufio.NewReaderSize(r, maxTag), most: markupFactor * lim.RowBytes}
}

// next returns the inside of the next tag, valid until the following call. Its error is io.EOF at
// the end, errUnit, or that of the source.
func (t *tagReader) next() ([]byte, error) {
	for {
		text, err := t.br.ReadSlice('<')
		if t.add(text); t.size > t.most {
			return nil, errUnit
		}
		if err == nil {
			break
		}
		if err != bufio.ErrBufferFull {
			return nil, err
		}
	}
	tag, err := t.br.ReadSlice('>')
	t.add(tag)
	switch err {
	case nil:
		return tag[:len(tag)-1], nil
	case io.EOF:
		return nil, io.ErrUnexpectedEOF
	case bufio.ErrBufferFull:
		return nil, errors.New("a tag is too long")
	}
	return nil, err
}

func (t *tagReader) add(b []byte) {
	t.size += len(b)
	if t.keep {
		t.unit = append(t.unit, b...)
	}
}

// begin starts a unit with the tag just read.
func (t *tagReader) begin(tag []byte) {
	t.unit, t.size = t.unit[:0], 0
	t.add([]byte{'<'})
	t.add(tag)
	t.add([]byte{'>'})
}

// element returns the local name of a tag, and whether it opens or closes an element; one that
// does both at once ("<row/>") opens and closes.
func element(tag []byte) (name []byte, opens, closes bool) {
	opens = true
	if len(tag) > 0 && tag[0] == '/' {
		tag, opens, closes = tag[1:], false, true
	}
	if len(tag) > 0 && tag[len(tag)-1] == '/' {
		tag, closes = tag[:len(tag)-1], true
	}
	name = tag
	if i := bytes.IndexAny(tag, " \t\r\n"); i >= 0 {
		name = tag[:i]
	}
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	return name, opens, closes
}

// attribute returns the value of the attribute of that name, nil if there is none.
func attribute(tag []byte, name string) []byte {
	for {
		i := bytes.IndexByte(tag, '=')
		if i < 0 {
			return nil
		}
		key := bytes.TrimRight(tag[:i], " \t\r\n")
		rest := bytes.TrimLeft(tag[i+1:], " \t\r\n")
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return nil
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return nil
		}
		if j := bytes.LastIndexAny(key, " \t\r\n"); string(key[j+1:]) == name {
			return rest[1 : 1+end]
		}
		tag = rest[end+2:]
	}
}

// scanStrings looks through the table of strings and returns the length of the longest, with its
// markup, in bytes.
func scanStrings(r io.Reader, lim Limits) (longest int, err error) {
	t := newTagReader(r, lim)
	for count := 0; ; {
		tag, err := t.next()
		if err == io.EOF {
			return longest, nil
		}
		if err == errUnit {
			return 0, problem(TooLarge, 0, "A cell of the workbook is longer than %d bytes. Shorten it.", lim.RowBytes)
		}
		if err != nil {
			return 0, err
		}
		name, opens, closes := element(tag)
		if string(name) != "si" {
			continue
		}
		if closes {
			longest = max(longest, t.size)
		}
		if opens {
			count++
		}
		if count > maxTexts {
			return 0, problem(TooLarge, 0, "The workbook has more than %d different texts. Save the sheet as “CSV UTF-8” instead.", maxTexts)
		}
		t.begin(tag)
	}
}

// scanSheet looks through a sheet and returns the number of its last row. longest bounds the length
// of the strings that cells refer to. It makes sure that rows are in order and of bounded size and
// that the sheet is whole; excelize would merge, collect or leave out what is not.
func scanSheet(r io.Reader, lim Limits, longest int) (last int, err error) {
	t := newTagReader(r, lim)
	t.keep = true
	cells := 0
	for {
		tag, err := t.next()
		if err == io.EOF {
			return 0, damaged(errors.New("the sheet has no end"))
		}
		if err == errUnit {
			return 0, tooLongRow(max(last, 1), lim)
		}
		if err != nil {
			return 0, err
		}
		name, opens, closes := element(tag)
		switch {
		case string(name) == "sheetData" && closes:
			return last, wellFormed(t.unit[:len(t.unit)-len(tag)-len("<>")], last)
		case string(name) == "row" && opens:
			if last, err = rowNumber(tag, last); err != nil {
				return 0, err
			}
			t.begin(tag)
			cells = 0
		case string(name) == "c" && opens && !closes:
			if cells++; cells > lim.Columns {
				return 0, problem(TooLarge, last, "Row %d has more than %d cells. Delete the columns that are not needed.", last, lim.Columns)
			}
			// One long string, stored once and named by every cell, makes a row far longer than its XML.
			if cells*longest > markupFactor*4*lim.RowBytes {
				return 0, tooLongRow(last, lim)
			}
		}
	}
}

// wellFormed checks the XML of the last row. An error in any other row shows in that excelize does
// not come to the last one; in the last it would not show.
func wellFormed(row []byte, number int) error {
	if number == 0 {
		return nil
	}
	for d := xml.NewDecoder(bytes.NewReader(row)); ; {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return badRow(number)
		}
	}
}

// rowNumber returns the number of a row: what it says, or one more than the row before.
func rowNumber(tag []byte, before int) (int, error) {
	number := before + 1
	if r := attribute(tag, "r"); r != nil {
		n, err := strconv.Atoi(string(r))
		if err != nil || n <= before {
			return 0, damaged(errors.New("its rows are not in order"))
		}
		number = n
	}
	if number > maxExcelRow {
		return 0, damaged(errors.New("it has more rows than a workbook can"))
	}
	return number, nil
}
