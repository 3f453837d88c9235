package sheet

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/xuri/excelize/v2"
)

// xlsxRows yields the rows of one sheet of a workbook.
//
// excelize reads the cells, but it is forgiving: it takes a sheet that breaks off for a short one,
// loads every part of the package, pictures too, and trusts that a row and a string are of sensible
// size. So the sheet is looked through before ([scanSheet]), and excelize gets a package made for it
// with nothing but that sheet and the strings ([packSheet]).
type xlsxRows struct {
	dir  string // temporary; holds what excelize unpacks
	file *excelize.File
	rows *excelize.Rows
	row  int // number of the last row returned
	last int // number of the sheet's last row
	size int64
	read atomic.Int64
}

func openXLSX(src io.ReaderAt, size int64, lim Limits, o options) (_ *xlsxRows, err error) {
	source := &meteredSource{ReaderAt: src}
	defer func() {
		if err != nil && source.err != nil {
			err = source.err // what failed is the reading, not the workbook
		}
	}()
	pkg, err := openPackage(source, size, lim)
	if err != nil {
		return nil, err
	}
	sheet, texts, err := pkg.choose(o.sheets)
	if err != nil {
		return nil, err
	}
	last, err := scan(sheet, texts, lim)
	if err != nil {
		return nil, err
	}
	x := &xlsxRows{last: last, size: size}
	if x.dir, err = os.MkdirTemp("", "sheet-"); err != nil {
		return nil, err
	}
	if err := x.start(sheet, texts, lim); err != nil {
		return nil, closeAfter(x, err)
	}
	return x, nil
}

// scan looks through the parts that will be read and returns the number of the sheet's last row.
func scan(sheet, texts *zip.File, lim Limits) (last int, err error) {
	longest := 0
	if texts != nil {
		if err := inflate(texts, func(r io.Reader) (err error) {
			longest, err = scanStrings(r, lim)
			return err
		}); err != nil {
			return 0, err
		}
	}
	err = inflate(sheet, func(r io.Reader) (err error) {
		last, err = scanSheet(r, lim, longest)
		return err
	})
	return last, err
}

func (x *xlsxRows) start(sheet, texts *zip.File, lim Limits) error {
	path, err := packSheet(x.dir, sheet, texts)
	if err != nil {
		return err
	}
	// Not RawCellValue: that gives 1 for TRUE and leaves 1.2E+11 as it stands. Without it excelize
	// would apply number formats, but the package has no styles, and so no formats.
	x.file, err = excelize.OpenFile(path, excelize.Options{
		UnzipSizeLimit:    lim.Unpacked + packOverhead,
		UnzipXMLSizeLimit: min(inMemory, lim.Unpacked),
		TmpDir:            x.dir,
	})
	if err != nil {
		return damaged(err)
	}
	if err := os.Remove(path); err != nil { // unpacked by now; do not keep both
		return err
	}
	if x.rows, err = x.file.Rows(packedSheet); err != nil {
		return damaged(err)
	}
	return nil
}

func (x *xlsxRows) next() (int, []string, error) {
	if x.row >= x.last {
		return 0, nil, io.EOF
	}
	if !x.rows.Next() {
		return 0, nil, x.brokenOff()
	}
	x.row++
	x.read.Store(x.size * int64(x.row) / int64(x.last))
	cells, err := x.rows.Columns()
	if err != nil {
		return 0, nil, damaged(err)
	}
	for i, s := range cells {
		if strings.IndexByte(s, '\r') >= 0 {
			cells[i] = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
		}
	}
	return x.row, cells, nil
}

// brokenOff explains an end before the last row that the scan has seen: XML that does not parse, in
// the row that excelize returned last or behind it.
func (x *xlsxRows) brokenOff() error {
	if err := x.rows.Error(); err != nil {
		return damaged(err)
	}
	return badRow(max(x.row, 1))
}

func badRow(number int) *Problem {
	p := damaged(fmt.Errorf("it cannot be read at row %d", number))
	p.Row = number
	return p
}

func (x *xlsxRows) doubtful() bool  { return true } // a cell may spell NUL as _x0000_
func (x *xlsxRows) progress() int64 { return x.read.Load() }

func (x *xlsxRows) close() error {
	var errs []error
	if x.rows != nil {
		errs = append(errs, x.rows.Close())
		x.rows = nil
	}
	if x.file != nil {
		errs = append(errs, x.file.Close())
		x.file = nil
	}
	return errors.Join(append(errs, os.RemoveAll(x.dir))...)
}

// damaged is the problem of a workbook that cannot be read on account of err.
func damaged(err error) *Problem {
	return problem(NotText, 0, "The workbook is damaged (%v). Upload it again, or open it in your spreadsheet program and save it under a new name.", err)
}
