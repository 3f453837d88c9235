package sheet

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"path/filepath"
)

const (
	packedSheet  = "rows"   // the name of the one sheet that [packSheet] makes
	packOverhead = 64 << 10 // bytes; more than its fixed parts take
	inMemory     = 4 << 20  // bytes; excelize unpacks longer parts to temporary files
)

const (
	officeType = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	relsStart  = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
)

// packParts are the fixed parts of the package that excelize gets.
var packParts = []struct{ name, text string }{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"></Types>`},
	{"_rels/.rels", relsStart + `<Relationship Id="rId1" Type="` + officeType + `officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/_rels/workbook.xml.rels", relsStart + `<Relationship Id="rId1" Type="` + officeType + `worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
	{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="` +
		`http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="` + packedSheet + `" sheetId="1" r:id="rId1"/></sheets></workbook>`},
}

// packSheet writes a workbook into dir that holds only the sheet and the texts (which may be nil),
// still compressed as they came, and returns its path. The names are those excelize insists on.
func packSheet(dir string, sheet, texts *zip.File) (string, error) {
	out, err := os.Create(filepath.Join(dir, "packed.xlsx"))
	if err != nil {
		return "", err
	}
	err = writePack(zip.NewWriter(out), sheet, texts)
	return out.Name(), errors.Join(err, out.Close())
}

func writePack(zw *zip.Writer, sheet, texts *zip.File) error {
	for _, p := range packParts {
		w, err := zw.Create(p.name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, p.text); err != nil {
			return err
		}
	}
	if err := copyPart(zw, sheet, "xl/worksheets/sheet1.xml"); err != nil {
		return err
	}
	if texts != nil {
		if err := copyPart(zw, texts, "xl/sharedStrings.xml"); err != nil {
			return err
		}
	}
	return zw.Close()
}

func copyPart(zw *zip.Writer, f *zip.File, name string) error {
	w, err := zw.CreateRaw(&zip.FileHeader{
		Name: name, Method: f.Method, CRC32: f.CRC32,
		CompressedSize64: f.CompressedSize64, UncompressedSize64: f.UncompressedSize64,
	})
	if err != nil {
		return err
	}
	r, err := f.OpenRaw()
	if err != nil {
		return damaged(err)
	}
	_, err = io.Copy(w, r)
	return err
}
