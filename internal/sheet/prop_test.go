package sheet_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/sheet"
)

// aCell draws any value that a spreadsheet can hold: any text without white space around it.
var aCell = rapid.Custom(func(t *rapid.T) string {
	s := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[=+\-@'\t ,;"\r\n]{0,4}[a-zé '"]{0,4}`),
		rapid.SampledFrom([]string{"", "'t Hooft", "=1+1", "''", "'", "sep=;", "\ufeffx", `\.`, "#REF!"}),
	).Draw(t, "cell")
	return strings.TrimSpace(strings.ReplaceAll(s, "\x00", ""))
})

func withLF(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

func blank(cells []string) bool { return strings.Join(cells, "") == "" }

// What the writer writes, the reader reads: values, numbers and all.
func TestWriteReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 4).Draw(t, "width")
		row := rapid.SliceOfN(aCell, width, width)
		header := row.Filter(func(c []string) bool { return c[width-1] != "" }).Draw(t, "header")
		in := rapid.SliceOfN(row, 0, 5).Draw(t, "rows")

		var file bytes.Buffer
		w := sheet.NewWriter(&file)
		for _, cells := range append([][]string{header}, in...) {
			if err := w.Write(cells); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}

		var want []sheet.Row
		for i, cells := range in {
			if !blank(cells) {
				want = append(want, sheet.Row{Number: i + 2, Cells: filled(cells)})
			}
		}
		gotHeader, got, err := read(file.String(), sheet.Limits{})
		if err != nil {
			t.Fatalf("%v in %q", err, file.String())
		}
		if diff := cmp.Diff(filled(header), gotHeader.Cells); diff != "" {
			t.Fatalf("header of %q (-want +got)\n%s", file.String(), diff)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("rows of %q (-want +got)\n%s", file.String(), diff)
		}
	})
}

// filled is what a row looks like after reading: LF, no blank cells at the end.
func filled(cells []string) []string {
	out := []string{}
	n := 0
	for i, s := range cells {
		if out = append(out, withLF(s)); s != "" {
			n = i + 1
		}
	}
	return out[:n]
}

// How a program ends its lines, separates its cells and encodes its text makes no difference.
func TestFormsAreEqual(t *testing.T) {
	t.Parallel()
	// Two letters beyond ASCII side by side can, by chance, be UTF-8 when written in Windows-1252.
	line := rapid.SliceOfN(rapid.StringMatching(`[a-z]{0,2}[é€Ž]?(\n[a-z]?){0,2}|x[,;\t"]`), 3, 3)
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(line, 0, 6).Draw(t, "lines")
		file := func(end, comma string) string {
			var b strings.Builder
			b.WriteString(strings.Join([]string{"A", "B", "C"}, comma) + end)
			for _, cells := range lines {
				for i, s := range cells {
					if i > 0 {
						b.WriteString(comma)
					}
					if strings.ContainsAny(s, ",;\t\"\n") {
						s = `"` + strings.ReplaceAll(strings.ReplaceAll(s, `"`, `""`), "\n", end) + `"`
					}
					b.WriteString(s)
				}
				b.WriteString(end)
			}
			return b.String()
		}
		want := render(file("\n", ","), sheet.Limits{})
		for _, end := range []string{"\n", "\r\n", "\r"} {
			for _, comma := range []string{",", ";", "\t"} {
				plain := file(end, comma)
				for name, encoded := range encodings(plain) {
					if diff := cmp.Diff(want, render(encoded, sheet.Limits{})); diff != "" {
						t.Fatalf("%s %q %q\n%s", name, comma, end, diff)
					}
				}
			}
		}
	})
}

// encodings returns the text in every encoding that the reader knows. It must be in Windows-1252.
func encodings(text string) map[string]string {
	var ansi, le, be strings.Builder
	for _, r := range text {
		switch r {
		case '€':
			ansi.WriteByte(0x80)
		case 'Ž':
			ansi.WriteByte(0x8E)
		default:
			ansi.WriteByte(byte(r))
		}
	}
	for _, u := range utf16.Encode([]rune(text)) {
		le.Write([]byte{byte(u), byte(u >> 8)})
		be.Write([]byte{byte(u >> 8), byte(u)})
	}
	return map[string]string{
		"UTF-8":               text,
		"UTF-8 with mark":     "\xEF\xBB\xBF" + text,
		"Windows-1252":        ansi.String(),
		"UTF-16LE with mark":  "\xFF\xFE" + le.String(),
		"UTF-16BE with mark":  "\xFE\xFF" + be.String(),
		"UTF-16LE plain text": le.String(),
		"UTF-16BE plain text": be.String(),
	}
}

// A byte that is not UTF-8 far behind the beginning still decides the whole file, and a character
// that straddles two reads does not.
func TestEncodingIsDecidedOnTheWholeFile(t *testing.T) {
	t.Parallel()
	for _, pad := range []int{0, 1, 2, 3, 1<<20 - 9, 1 << 20, 1<<20 + 300<<10} {
		t.Run(fmt.Sprint(pad), func(t *testing.T) {
			t.Parallel()
			filler := strings.Repeat("aaaa,bbb\n", pad/9) + strings.Repeat("x", pad%9) + ",y\n"
			for form, want := range map[string]string{
				"A,B\n" + filler + "Ren\xE9,1\n":                                              "René",
				"A,B\n" + filler + "René,1\n":                                                 "René",
				"A,B\nRen\xC3\xA9,1\n" + filler + "Ren\xE9,1\nRen\xC3\xA9,1\n":                "RenÃ©",
				"A,B\nRené,1\n" + filler + strings.Repeat("é", 300_000) + "\n\n" + "René,1\n": "René",
			} {
				_, rows, err := read(form, sheet.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if got := rows[len(rows)-1].Cells[0]; got != want {
					t.Errorf("last row has %q, want %q", got, want)
				}
			}
		})
	}
}

// A line end that straddles two reads of the buffer is one line end.
func TestLineEndsAcrossReads(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n", "\r\n", "\r"} {
		for shift := -3; shift <= 3; shift++ {
			const half = 1 << 19
			first := strings.Repeat("x", half)
			second := strings.Repeat("y", half-len("A")-2*len(end)+shift)
			file := "A" + end + first + end + second + end + end + "\"z" + end + "z\"" + end
			want := []sheet.Row{{Number: 2, Cells: []string{first}}, {Number: 3, Cells: []string{second}}, {Number: 5, Cells: []string{"z\nz"}}}
			_, rows, err := read(file, sheet.Limits{})
			if err != nil || !cmp.Equal(want, rows) {
				t.Errorf("%q, shifted by %d: %d rows, %v", end, shift, len(rows), err)
			}
		}
	}
}

// Spreadsheet programs must not run what the writer wrote.
func TestWriterDefusesFormulas(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	w := sheet.NewWriter(&file, sheet.NoBOM())
	cells := []string{"=1", "+1", "-1", "@x", "\tx", "\rx", "'t Hooft", "a=1", "", "bad \xFF\x00"}
	if err := w.Write(cells); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "'=1,'+1,'-1,'@x,\"'\tx\",\"'\r\nx\",''t Hooft,a=1,,bad \uFFFD\uFFFD\r\n"
	if diff := cmp.Diff(want, file.String()); diff != "" {
		t.Error(diff)
	}
}

func TestWriterWithoutRows(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	if err := sheet.NewWriter(&file).Flush(); err != nil {
		t.Fatal(err)
	}
	if file.String() != "\xEF\xBB\xBF" {
		t.Errorf("wrote %q", file.String())
	}
}
