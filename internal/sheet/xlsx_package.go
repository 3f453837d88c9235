package sheet

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

const (
	directoryBytes = 4 << 20 // what a ZIP directory may take; a workbook's takes some kilobytes
	catalogueBytes = 4 << 20 // what the parts that list other parts may unpack to, each
)

// xlsxPackage is the ZIP file that a workbook is: its parts by lower-case name.
type xlsxPackage map[string]*zip.File

func openPackage(source *meteredSource, size int64, lim Limits) (xlsxPackage, error) {
	source.left = directoryBytes
	zr, err := zip.NewReader(source, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names never touch the file system here
		return nil, damaged(err)
	}
	source.left = -1
	// The directory may lie, but archive/zip fails a part that unpacks to more than it declares.
	unpacked := uint64(0)
	pkg := xlsxPackage{}
	for _, f := range zr.File {
		if unpacked += min(f.UncompressedSize64, 1<<62); unpacked > uint64(lim.Unpacked) {
			return nil, problem(TooLarge, 0, "The workbook unpacks to more than %d bytes. Delete what is not needed from it, or save the sheet as “CSV UTF-8”.", lim.Unpacked)
		}
		if name := partName(f.Name); pkg[name] == nil {
			pkg[name] = f
		}
	}
	return pkg, nil
}

// partName makes names comparable: some writers use backslashes or another case.
func partName(name string) string {
	return strings.TrimPrefix(strings.ToLower(strings.ReplaceAll(name, `\`, "/")), "/")
}

// meteredSource fails after a number of bytes, because archive/zip reads a directory of any length
// into memory. A negative number sets no limit.
type meteredSource struct {
	io.ReaderAt
	left int
	err  error // of the source itself
}

func (m *meteredSource) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 { // the archive's own doing, not the source's failure
		return 0, errors.New("it refers to what is not there")
	}
	if m.left >= 0 {
		if m.left -= len(p); m.left < 0 {
			m.left = 0
			return 0, errors.New("its directory is too long")
		}
	}
	n, err := m.ReaderAt.ReadAt(p, off)
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

type relationship struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"`
	Target string `xml:"Target,attr"`
}

// is compares the end of the type: it begins differently in strict and transitional workbooks.
func (r relationship) is(kind string) bool { return strings.HasSuffix(r.Type, "/"+kind) }

// related reads the relationships of a part ("" is the package itself), targets as part names.
func (pkg xlsxPackage) related(part string) ([]relationship, error) {
	dir, base := path.Split(part)
	var list struct {
		All []relationship `xml:"Relationship"`
	}
	if err := pkg.unmarshal(dir+"_rels/"+base+".rels", &list); err != nil {
		return nil, err
	}
	for i, r := range list.All {
		if !strings.HasPrefix(r.Target, "/") {
			r.Target = path.Join(dir, r.Target)
		}
		list.All[i].Target = partName(r.Target)
	}
	return list.All, nil
}

// choose returns the sheet to read, and the texts that its cells refer to, nil if there are none.
func (pkg xlsxPackage) choose(preferred []string) (sheet, texts *zip.File, err error) {
	workbook, err := pkg.workbook()
	if err != nil {
		return nil, nil, err
	}
	rels, err := pkg.related(workbook)
	if err != nil {
		return nil, nil, err
	}
	var book struct {
		Sheets []listedSheet `xml:"sheets>sheet"`
	}
	if err := pkg.unmarshal(workbook, &book); err != nil {
		return nil, nil, err
	}
	parts := map[string]*zip.File{}
	for _, r := range rels {
		if r.is("worksheet") {
			parts[r.ID] = pkg[r.Target]
		}
		if r.is("sharedStrings") {
			if texts = pkg[r.Target]; texts == nil {
				return nil, nil, damaged(fmt.Errorf("%s is missing", r.Target))
			}
		}
	}
	id, ok := pickSheet(book.Sheets, parts, preferred)
	if !ok {
		return nil, nil, problem(NoHeader, 0, "The workbook has no sheet with cells. Its first sheet must hold the names of the columns in its first row, as in the template.")
	}
	if parts[id] == nil {
		return nil, nil, damaged(errors.New("the sheet is missing"))
	}
	return parts[id], texts, nil
}

// workbook finds the name of the part that lists the sheets, or says what else the ZIP file is.
func (pkg xlsxPackage) workbook() (string, error) {
	if p := pkg.otherKind(); p != nil {
		return "", p
	}
	rels, err := pkg.related("")
	if err != nil {
		return "", err
	}
	for _, r := range rels {
		if r.is("officeDocument") {
			return r.Target, nil
		}
	}
	return "", damaged(errors.New("it lists no workbook"))
}

func (pkg xlsxPackage) otherKind() *Problem {
	has := func(name string) bool { return pkg[name] != nil }
	what := ""
	switch {
	case has("xl/workbook.bin"):
		what = "This is a binary Excel workbook (.xlsb)"
	case has("word/document.xml"):
		what = "This is a Word document"
	case has("ppt/presentation.xml"):
		what = "This is a presentation"
	case has("mimetype") && has("content.xml"):
		what = "This is an OpenDocument file (.ods or the like)"
	case !has("_rels/.rels"):
		return problem(NotText, 0, "This is a ZIP archive, not a spreadsheet. Unpack it and choose the CSV or .xlsx file inside.")
	default:
		return nil
	}
	return problem(NotText, 0, "%s. Save the table as .xlsx or “CSV UTF-8” and choose that.", what)
}

func (pkg xlsxPackage) unmarshal(name string, v any) error {
	f := pkg[name]
	if f == nil {
		return damaged(fmt.Errorf("%s is missing", name))
	}
	return inflate(f, func(r io.Reader) error {
		if f.UncompressedSize64 > catalogueBytes {
			return damaged(fmt.Errorf("%s is too long", name))
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if err := xml.Unmarshal(data, v); err != nil {
			return damaged(err)
		}
		return nil
	})
}

type listedSheet struct {
	Name  string `xml:"name,attr"`
	State string `xml:"state,attr"`
	ID    string `xml:"id,attr"`
}

// pickSheet returns the relationship of the first sheet with a preferred name, else of the first
// that is visible, else of the first. Chart sheets are none.
func pickSheet(sheets []listedSheet, parts map[string]*zip.File, preferred []string) (id string, ok bool) {
	best := len(preferred) + 2
	for _, s := range sheets {
		if _, isSheet := parts[s.ID]; !isSheet {
			continue
		}
		rank := len(preferred)
		if s.State != "" && s.State != "visible" {
			rank++
		}
		for i, name := range preferred {
			if fold(name) == fold(s.Name) {
				rank = i
				break
			}
		}
		if rank < best {
			best, id, ok = rank, s.ID, true
		}
	}
	return id, ok
}

func fold(s string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "_", "").Replace(s))
}
