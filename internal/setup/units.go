package setup

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"muster/internal/directory"
	"muster/internal/fault"
	"muster/internal/sheet"
)

// unitColumn is the only column of the org structure as a spreadsheet: full names.
const unitColumn = "Org Unit"

// Units is the org structure as a spreadsheet has it: full names, and the row of each.
type Units struct {
	Names []string
	Rows  []int // as the spreadsheet program shows them
}

// ReadUnits reads the org structure from any spreadsheet file that [sheet.Open] takes. Other columns are set aside, and
// rows without a unit passed over. What is wrong with the file is of kind Invalid, and says what to do.
func ReadUnits(src io.ReaderAt, size int64, name string, lim sheet.Limits) (u Units, err error) {
	r, err := sheet.Open(src, size, name, lim, sheet.PreferSheet(unitColumn, "Org Units"))
	if err != nil {
		return u, unusable(name, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	at, err := unitColumnOf(name, r.Header())
	if err != nil {
		return u, err
	}
	for {
		row, err := r.Next()
		if err == io.EOF {
			return u, nil
		}
		if err != nil {
			return u, unusable(name, err)
		}
		if at < len(row.Cells) && row.Cells[at] != "" {
			u.Names, u.Rows = append(u.Names, strings.ToValidUTF8(row.Cells[at], "\uFFFD")), append(u.Rows, row.Number)
		}
	}
}

func unitColumnOf(name string, header []string) (int, error) {
	found := -1
	for i, heading := range header {
		if headingKey(heading) != headingKey(unitColumn) {
			continue
		}
		if found >= 0 {
			return 0, fault.New(fault.Invalid, "%s has the column %q twice; remove one of them", name, unitColumn)
		}
		found = i
	}
	if found < 0 {
		return 0, fault.New(fault.Invalid, "%s has no column %q; its first row must name the columns, and that one holds full paths such as UAE / Retail / Cards", name, unitColumn)
	}
	return found, nil
}

// headingKey is what headings are compared by: case, spaces and underscores do not count.
func headingKey(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// unusable is what is wrong with a file, in words.
func unusable(name string, err error) error {
	var p *sheet.Problem
	if errors.As(err, &p) {
		return fault.Wrap(fault.Invalid, err, "%s cannot be used: %s", name, p.Message)
	}
	return fmt.Errorf("read %s: %w", name, err)
}

// WriteUnits writes the tree as a spreadsheet that [ReadUnits] reads: a CSV file of the units within the scope.
func WriteUnits(w io.Writer, t *directory.OrgTree) error {
	out := sheet.NewWriter(w)
	if err := out.Write([]string{unitColumn}); err != nil {
		return err
	}
	for _, u := range t.Units {
		if !u.InScope {
			continue
		}
		if err := out.Write([]string{u.FullName}); err != nil {
			return err
		}
	}
	return out.Flush()
}

// Problems are a plan's, with the rows of the file that they are about.
func (u Units) Problems(p *directory.UnitPlan) []string {
	all := make([]string, len(p.Problems))
	for i, problem := range p.Problems {
		all[i] = fmt.Sprintf("row %d, %q: %s", u.Rows[problem.At], directory.Shorten(problem.FullName), problem.Message)
	}
	return all
}
