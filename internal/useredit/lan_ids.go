package useredit

import (
	"errors"
	"io"
	"slices"
	"strings"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sheet"
)

// lanIDHeader is the column that is looked for, without spaces and underscores.
const lanIDHeader = "lanid"

// ReadLANIDs reads the LAN IDs of a file: one a line, or a spreadsheet with a column "LAN ID". What is wrong with the file
// is an error of kind Invalid.
func ReadLANIDs(src io.ReaderAt, size int64, name string) ([]string, error) {
	r, err := sheet.Open(src, size, name, sheet.Limits{})
	if err != nil {
		return nil, fileFault(name, err)
	}
	defer r.Close()
	header := r.Header()
	column := slices.IndexFunc(header, isLANIDHeader)
	ids := []string{}
	switch {
	case column >= 0:
	case len(header) == 1:
		column = 0
		ids = append(ids, header[0]) // a list without a header
	default:
		return nil, fault.New(fault.Invalid, "%s has several columns, and none is called LAN ID; give the LAN IDs one a line, or name the column", name)
	}
	for {
		row, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fileFault(name, err)
		}
		if column < len(row.Cells) && row.Cells[column] != "" {
			ids = append(ids, strings.Clone(row.Cells[column]))
		}
	}
	if len(ids) == 0 {
		return nil, fault.New(fault.Invalid, "%s has no LAN IDs; give one a line, or a spreadsheet with the column LAN ID", name)
	}
	return ids, nil
}

func isLANIDHeader(cell string) bool {
	return strings.NewReplacer(" ", "", "_", "").Replace(directory.Fold(cell)) == lanIDHeader
}

// fileFault tells what is wrong with the file, as opposed to the disk.
func fileFault(name string, err error) error {
	var p *sheet.Problem
	if errors.As(err, &p) {
		return fault.Wrap(fault.Invalid, err, "%s cannot be used: %s", name, p.Message)
	}
	return err
}
