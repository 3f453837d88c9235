package sheet_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"muster/internal/sheet"
)

// FuzzReader: whatever the bytes, reading ends without a panic, rows are numbered upwards, trimmed,
// UTF-8 and within the limits, and a refusal is a problem.
func FuzzReader(f *testing.F) {
	cases, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range cases {
		if archive, err := txtar.ParseFile("testdata/" + c.Name()); err == nil {
			for _, part := range archive.Files {
				f.Add(part.Data)
			}
		}
	}
	f.Add([]byte("A,B\r1,\"2\r\r\n3\"\r\nRen\xE9,\x00"))
	f.Add([]byte("\xFF\xFEA\x00,\x00B\x00\n\x00"))
	f.Add([]byte("\x00A\x00;\x00B\x00\n"))
	f.Add(workbook(f, "S", [][]any{{"A", "B"}, nil, {"x", 1.5}, {true}}))
	f.Fuzz(checkAnything)
}

// FuzzSheetXML is FuzzReader behind the check sums of a ZIP file: the bytes are a workbook's sheet.
func FuzzSheetXML(f *testing.F) {
	const start, end = `<worksheet><sheetData>`, `</sheetData></worksheet>`
	f.Add([]byte(start + `<row r="2"><c r="A2" t="s"><v>0</v></c><c r="C2"><v>1.5</v></c></row><row/><row r="9"><c t="b"><v>1</v></c></row>` + end))
	f.Add([]byte(start + `<x:row><x:c t="inlineStr"><x:is><x:t>a &amp; _x0000_</x:t></x:is></x:c></x:row>` + end))
	f.Add([]byte(start + `<row r="3"><c t="e"><v>#N/A</v><f>1</f></c></row><row r="3"><c/></row>` + end))
	f.Fuzz(func(t *testing.T, data []byte) {
		rels := func(kind ...string) string {
			s := `<Relationships>`
			for i := 0; i < len(kind); i += 2 {
				s += fmt.Sprintf(`<Relationship Id="%d" Type="/%s" Target="%s"/>`, i, kind[i], kind[i+1])
			}
			return s + `</Relationships>`
		}
		checkAnything(t, zipped(t, map[string]string{
			"_rels/.rels":                rels("officeDocument", "xl/workbook.xml"),
			"xl/workbook.xml":            `<workbook><sheets><sheet name="S" id="0"/></sheets></workbook>`,
			"xl/_rels/workbook.xml.rels": rels("worksheet", "s.xml", "sharedStrings", "/xl/t.xml"),
			"xl/t.xml":                   `<sst><si><t>text</t></si></sst>`,
			"xl/s.xml":                   string(data),
		}))
	})
}

func checkAnything(t *testing.T, data []byte) {
	lim := sheet.Limits{RowBytes: 1000, Columns: 20, Rows: 5000, Unpacked: 1 << 20}
	header, rows, err := read(string(data), lim)
	var p *sheet.Problem
	if err != nil && !errors.As(err, &p) {
		t.Fatalf("error that is no problem: %v", err)
	}
	if header == nil {
		return
	}
	before := 0
	for _, row := range append([]sheet.Row{*header}, rows...) {
		if row.Number <= before || row.Number > lim.Rows {
			t.Fatalf("row %d after %d", row.Number, before)
		}
		before = row.Number
		if len(row.Cells) > len(header.Cells) || len(row.Cells) == 0 || len(row.Cells) > lim.Columns {
			t.Fatalf("row %d has %d cells", row.Number, len(row.Cells))
		}
		all := strings.Join(row.Cells, "")
		if all == "" || len(all) > lim.RowBytes || !utf8.ValidString(all) || strings.ContainsAny(all, "\x00\r") {
			t.Fatalf("row %d holds %q", row.Number, row.Cells)
		}
		for _, s := range row.Cells {
			if s != strings.TrimSpace(s) {
				t.Fatalf("row %d: %q is not trimmed", row.Number, s)
			}
		}
	}
}
