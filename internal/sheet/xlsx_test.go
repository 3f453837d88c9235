package sheet_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"muster/internal/sheet"
)

// workbook makes an XLSX file with one sheet; a nil row is left out.
func workbook(t testing.TB, name string, rows [][]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	must(t, f.SetSheetName("Sheet1", name))
	fillSheet(t, f, name, rows)
	return saved(t, f)
}

func fillSheet(t testing.TB, f *excelize.File, name string, rows [][]any) {
	t.Helper()
	for i, cells := range rows {
		at, err := excelize.CoordinatesToCellName(1, i+1)
		must(t, err)
		if cells != nil {
			must(t, f.SetSheetRow(name, at, &cells))
		}
	}
}

func saved(t testing.TB, f *excelize.File) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, f.Write(&b))
	return b.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestXLSX(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	defer f.Close()
	fillSheet(t, f, "Sheet1", [][]any{
		nil,
		{" LAN ID ", "'=B", "C", nil},
		{"jdoe", 12345, true},
		nil,
		{},
		{" ", nil, "\u00A0"},
		{"007", 120000000000.0, false, " "},
		{"#REF!", "two\r\nlines", "'-x"},
		{nil, 1e20, 0.5},
	})
	style, err := f.NewStyle(&excelize.Style{NumFmt: 4}) // #,##0.00
	must(t, err)
	must(t, f.SetCellStyle("Sheet1", "B2", "C9", style))
	must(t, f.SetCellFormula("Sheet1", "A9", "1+1"))
	file := edited(t, saved(t, f), "xl/worksheets/sheet1.xml", func(s string) string {
		// Forms that excelize does not write: an error cell, and a number with an exponent.
		s = strings.Replace(s, `</row></sheetData>`, `</row><row r="11"><c r="A11" t="e"><v>#N/A</v></c><c r="B11"><v>1.2E+11</v></c></row></sheetData>`, 1)
		return strings.Replace(s, `<v></v>`, `<v>2</v>`, 1)
	})
	want := `2 | LAN ID | =B | C
3 | jdoe | 12345 | TRUE
7 | 007 | 120000000000 | FALSE
8 | #REF! | two\nlines | -x
9 |  | 100000000000000000000 | 0.5
11 | #N/A | 120000000000
end
`
	if diff := cmp.Diff(want, render(string(file), sheet.Limits{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// edited returns the workbook with one part changed.
func edited(t testing.TB, file []byte, part string, change func(string) string) []byte {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	must(t, err)
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	for _, f := range zr.File {
		r, err := f.Open()
		must(t, err)
		data, err := io.ReadAll(r)
		must(t, err)
		if f.Name == part {
			data = []byte(change(string(data)))
		}
		w, err := zw.Create(f.Name)
		must(t, err)
		_, err = w.Write(data)
		must(t, err)
	}
	must(t, zw.Close())
	return out.Bytes()
}

func TestPreferSheet(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	defer f.Close()
	for _, name := range []string{"Notes", "user details", "Feature_Details"} {
		_, err := f.NewSheet(name)
		must(t, err)
		fillSheet(t, f, name, [][]any{{name}})
	}
	must(t, f.SetSheetVisible("Notes", true))
	f.SetActiveSheet(1)
	must(t, f.SetSheetVisible("Sheet1", false))
	file := string(saved(t, f))
	for want, names := range map[string][]string{
		"Notes":           nil, // the first that is visible
		"user details":    {"User_Details"},
		"Feature_Details": {"Channel Details", "featuredetails", "UserDetails"},
	} {
		header, _, err := read(file, sheet.Limits{}, sheet.PreferSheet(names...))
		if err != nil || header.Cells[0] != want {
			t.Errorf("prefer %q: %v, %v", names, header, err)
		}
	}
	_, _, err := read(string(workbook(t, "Empty", nil)), sheet.Limits{})
	wantProblem(t, err, sheet.NoHeader, 0, "empty")
}

// Sheets and strings of more than inMemory bytes go through temporary files; none must stay.
func TestXLSXLeavesNoTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir) // hence not parallel
	f := excelize.NewFile()
	defer f.Close()
	w, err := f.NewStreamWriter("Sheet1")
	must(t, err)
	const rows = 20_000
	must(t, w.SetRow("A1", []any{"A", "B", "C"}))
	for i := 2; i <= rows; i++ {
		at, _ := excelize.CoordinatesToCellName(1, i)
		must(t, w.SetRow(at, []any{i, strings.Repeat("x", 200+i%50), "=1"}))
	}
	must(t, w.Flush())
	file := saved(t, f)
	must(t, f.Close())
	before := filesIn(t, dir)

	r, err := sheet.Open(bytes.NewReader(file), int64(len(file)), "test", sheet.Limits{})
	must(t, err)
	if len(filesIn(t, dir)) == len(before) {
		t.Error("no temporary files: the test is too small")
	}
	n := 1
	for ; err == nil; n++ {
		var row sheet.Row
		if row, err = r.Next(); err == nil && row.Number != n+1 {
			t.Fatalf("row %d, want %d", row.Number, n+1)
		}
	}
	if n != rows+1 || err != io.EOF {
		t.Errorf("%d rows, %v", n, err)
	}
	must(t, r.Close())
	must(t, r.Close()) // twice does no harm
	if diff := cmp.Diff(before, filesIn(t, dir)); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
	_, _, err = read(string(edited(t, file, "xl/worksheets/sheet1.xml", func(s string) string {
		return strings.Replace(s, `<row r="15000">`, `<row r="15000"></c>`, 1)
	})), sheet.Limits{})
	wantProblem(t, err, sheet.NotText, 15_000, "row 15000")
	if diff := cmp.Diff(before, filesIn(t, dir)); diff != "" {
		t.Errorf("left behind after a failure: %s", diff)
	}
}

// More strings than excelize keeps in memory come out right all the same.
func TestXLSXManyStrings(t *testing.T) {
	t.Parallel()
	rows := [][]any{{"A", "B"}}
	for i := range 300 {
		rows = append(rows, []any{fmt.Sprint("é", i, strings.Repeat("x", 20_000)), "short"})
	}
	_, got, err := read(string(workbook(t, "S", rows)), sheet.Limits{})
	if err != nil || len(got) != 300 {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	for i, row := range got {
		if row.Cells[0] != rows[i+1][0] || row.Cells[1] != "short" {
			t.Fatalf("row %d is %.20q, %q", row.Number, row.Cells[0], row.Cells[1])
		}
	}
}

func filesIn(t testing.TB, dir string) (names []string) {
	t.Helper()
	must(t, filepath.Walk(dir, func(path string, _ os.FileInfo, err error) error {
		names = append(names, path)
		return err
	}))
	return names
}

func TestDamagedXLSX(t *testing.T) {
	t.Parallel()
	good := workbook(t, "S", [][]any{{"A", "B"}, {"x", 1}, {"y", 2}, {"z", 3}})
	sheetXML := func(change func(string) string) []byte {
		return edited(t, good, "xl/worksheets/sheet1.xml", change)
	}
	replace := func(from, to string) []byte {
		return sheetXML(func(s string) string {
			if !strings.Contains(s, from) {
				t.Fatalf("no %s in %s", from, s)
			}
			return strings.Replace(s, from, to, 1)
		})
	}
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"cut short":         {good[:len(good)*2/3], "damaged"},
		"cut at the end":    {good[:len(good)-5], "damaged"},
		"beginning only":    {good[:30], "damaged"},
		"no sheet end":      {replace("</sheetData>", ""), "no end"},
		"rows out of order": {replace(`<row r="4"`, `<row r="2"`), "order"},
		"row twice":         {replace(`<row r="4"`, `<row r="3"`), "order"},
		"bad XML in row 3":  {replace(`<row r="3">`, `<row r="3"></c>`), "at row 3"},
		"bad XML in row 4":  {replace(`<row r="4">`, `<row r="4">&what;`), "at row 4"},
		"bad cell":          {replace(`r="B3"`, `r="?3"`), "damaged"},
		"bit rot":           {flipped(t, good, "xl/worksheets/sheet1.xml"), "damaged"},
		"bit rot, strings":  {flipped(t, good, "xl/sharedStrings.xml"), "damaged"},
		"plain ZIP":         {zipped(t, map[string]string{"a.csv": "A,B\n"}), "ZIP archive"},
		"empty ZIP":         {zipped(t, nil), "ZIP archive"},
		"ODS":               {zipped(t, map[string]string{"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": ""}), ".ods"},
		"Word":              {zipped(t, map[string]string{"word/document.xml": "", "_rels/.rels": ""}), "Word"},
		"XLSB":              {zipped(t, map[string]string{"xl/workbook.bin": "", "_rels/.rels": ""}), ".xlsb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, rows, err := read(string(c.file), sheet.Limits{})
			row := 0
			if tail, ok := strings.CutPrefix(name, "bad XML in row "); ok {
				row = int(tail[0] - '0')
			}
			wantProblem(t, err, sheet.NotText, row, c.says)
			if len(rows) == 3 {
				t.Error("all rows were read")
			}
		})
	}
}

func zipped(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	for name, text := range parts {
		w, err := zw.Create(name)
		must(t, err)
		_, err = io.WriteString(w, text)
		must(t, err)
	}
	must(t, zw.Close())
	return out.Bytes()
}

// flipped changes one bit in the middle of a part's compressed bytes.
func flipped(t testing.TB, file []byte, part string) []byte {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	must(t, err)
	for _, f := range zr.File {
		if f.Name == part {
			at, err := f.DataOffset()
			must(t, err)
			out := bytes.Clone(file)
			out[at+int64(f.CompressedSize64)/2] ^= 0x10
			return out
		}
	}
	t.Fatalf("no %s", part)
	return nil
}

// bomb makes a workbook whose sheet is text, with a piece repeated until it unpacks to size bytes.
func bomb(t testing.TB, before, piece, after string, size int) []byte {
	t.Helper()
	return edited(t, workbook(t, "S", [][]any{{"A"}}), "xl/worksheets/sheet1.xml", func(string) string {
		return `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` +
			`<row r="1"><c r="A1"><v>1</v></c></row>` + before + strings.Repeat(piece, size/len(piece)) + after + `</sheetData></worksheet>`
	})
}

func TestXLSXBombs(t *testing.T) {
	t.Parallel()
	small := sheet.Limits{RowBytes: 100 << 10}
	inline := `<c t="inlineStr"><is><t>`
	for name, c := range map[string]struct {
		file []byte
		lim  sheet.Limits
		row  int
	}{
		"declared size":    {bomb(t, "", "<row></row>", "", 4<<20), sheet.Limits{Unpacked: 1 << 20}, 0},
		"one cell":         {bomb(t, `<row r="7">`+inline, "a", "</t></is></c></row>", 4<<20), small, 7},
		"one row of cells": {bomb(t, `<row r="7">`, "<c><v>1</v></c>", "</row>", 4<<20), small, 7},
		"no cells":         {bomb(t, `<row r="7">`, "<c/>", "</row>", 4<<20), small, 7},
		"between rows":     {bomb(t, "", "a", "", 4<<20), small, 1},
		"rows":             {bomb(t, "", "<row><c><v>1</v></c></row>", "", 1<<20), sheet.Limits{Rows: 1000}, 0},
		"a string, often":  {workbook(t, "S", [][]any{{"A"}, many(900, strings.Repeat("x", 32_000))}), small, 2},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(string(c.file), c.lim)
			wantProblem(t, err, sheet.TooLarge, c.row, "")
		})
	}
}

func many(n int, v any) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// A directory that declares less than a part unpacks to does not get past the limit, nor through.
func TestXLSXLyingSizes(t *testing.T) {
	t.Parallel()
	file := bomb(t, "", `<row><c><v>1</v></c></row>`, "", 4<<20)
	for _, declared := range []uint32{0, 100, 1 << 20} {
		lie := bytes.Clone(file)
		i := bytes.LastIndex(lie, []byte("xl/worksheets/sheet1.xml")) - 46 // its directory record
		if string(lie[i:i+4]) != "PK\x01\x02" {
			t.Fatal("not a directory record")
		}
		binary.LittleEndian.PutUint32(lie[i+24:], declared)
		_, rows, err := read(string(lie), sheet.Limits{Unpacked: 2 << 20})
		wantProblem(t, err, sheet.NotText, 0, "damaged")
		if len(rows) > 0 {
			t.Errorf("%d rows came through", len(rows))
		}
	}
	// A directory of very many entries is not loaded.
	names := map[string]string{}
	for i := range 1_000 {
		names[strings.Repeat("n", 5_000)+strconv.Itoa(i)] = ""
	}
	_, _, err := read(string(zipped(t, names)), sheet.Limits{})
	wantProblem(t, err, sheet.NotText, 0, "directory")
}
