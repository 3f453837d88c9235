package sheet_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"muster/internal/sheet"
)

// endless is a file of size bytes: a beginning, and then one piece over and over.
type endless struct {
	head, piece string
	size        int64
	read        int64 // bytes asked for
}

func (e *endless) ReadAt(p []byte, off int64) (int, error) {
	e.read += int64(len(p))
	for i := range p {
		at := off + int64(i)
		switch {
		case at >= e.size:
			return i, io.EOF
		case at < int64(len(e.head)):
			p[i] = e.head[at]
		default:
			p[i] = e.piece[(at-int64(len(e.head)))%int64(len(e.piece))]
		}
	}
	return len(p), nil
}

// Files of 3 GB that never finish a row are refused after little more than a row was read.
// Not parallel: it measures memory.
func TestEndlessRows(t *testing.T) {
	for name, c := range map[string]struct {
		head, piece, code, says string
		row                     int
	}{
		"one line":              {"", "a", sheet.TooLarge, "line breaks", 1},
		"one line of cells":     {"A,B\n\n", "a,", sheet.TooLarge, "line breaks", 3},
		"one line of é":         {"A,B\n\n", "é", sheet.TooLarge, "line breaks", 3},
		"open quote":            {"A,B\n\"x\",\"", "1,2\n", sheet.BadQuotes, "closing quotation mark", 2},
		"open quote, first":     {"A,B\n\n\n\"x", "1,2\r\n", sheet.BadQuotes, "closing quotation mark", 4},
		"open quote in header":  {"A,\"B\n", "1,2\r", sheet.BadQuotes, "closing quotation mark", 1},
		"open quote on a line":  {"A,B\n\n\"x", "1,2", sheet.BadQuotes, "closing quotation mark", 3},
		"NULs":                  {"A,B\n1,2\n", "\x00", sheet.TooLarge, "", 3},
		"UTF-16 without breaks": {"\xFF\xFEA\x00,\x00B\x00\n\x00", "a\x00", sheet.TooLarge, "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			src := &endless{head: c.head, piece: c.piece, size: 3 << 30}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := drain(src, src.size, sheet.Limits{Bytes: 4 << 30})
			runtime.ReadMemStats(&after)
			wantProblem(t, err, c.code, c.row, c.says)
			if src.read > 12<<20 {
				t.Errorf("read %d bytes", src.read)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 400<<20 {
				t.Errorf("allocated %d bytes", used)
			}
		})
	}
}

func drain(src io.ReaderAt, size int64, lim sheet.Limits) error {
	r, err := sheet.Open(src, size, "test", lim)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		if _, err := r.Next(); err != nil {
			return err
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, code string
		row        int
		lim        sheet.Limits
	}{
		"bytes":            {"A,B\n1,2\n", sheet.TooLarge, 0, sheet.Limits{Bytes: 7}},
		"columns":          {"A,B,C\n1,2\n", sheet.TooLarge, 1, sheet.Limits{Columns: 2}},
		"rows":             {"A,B\n1,2\n\n3,4\n", sheet.TooLarge, 0, sheet.Limits{Rows: 3}},
		"row, one cell":    {"A,B\n1," + strings.Repeat("x", 101) + "\n", sheet.TooLarge, 2, sheet.Limits{RowBytes: 100}},
		"row, all cells":   {"A,B\n" + strings.Repeat("x", 50) + "," + strings.Repeat("y", 51) + "\n", sheet.TooLarge, 2, sheet.Limits{RowBytes: 100}},
		"row with a quote": {"A,B\n1,\"" + strings.Repeat("x\n", 51) + "x\"\n", sheet.TooLarge, 2, sheet.Limits{RowBytes: 100}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := read(c.file, c.lim)
			wantProblem(t, err, c.code, c.row, "")
		})
	}
	// At the limit all is well; blank lines and blank columns do not count.
	file := "A,B,,,\n" + strings.Repeat("\n", 3<<20) + "1," + strings.Repeat("x", 99) + "\n"
	_, rows, err := read(file, sheet.Limits{Columns: 2, RowBytes: 100, Rows: 3<<20 + 2})
	if err != nil || len(rows) != 1 || rows[0].Number != 3<<20+2 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestForeignFiles(t *testing.T) {
	t.Parallel()
	for says, head := range map[string]string{
		"PNG picture":        "\x89PNG\r\n\x1a\n\x00\x00",
		"JPEG picture":       "\xFF\xD8\xFF\xE0\x00\x10JFIF",
		"PDF document":       "%PDF-1.7\n",
		"old Excel workbook": "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\x00\x00",
		"gzip":               "\x1F\x8B\x08\x00",
		"web page":           "\xEF\xBB\xBF\r\n<!DOCTYPE html><table>",
		"NUL character":      "A,B\x00C\x01\x02\n",
	} {
		_, _, err := read(head, sheet.Limits{})
		row := 0
		if says == "NUL character" {
			row = 1
		}
		wantProblem(t, err, sheet.NotText, row, says)
	}
}

var errDisk = errors.New("disk on fire")

type failing struct {
	io.ReaderAt
	from int64
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, errDisk
	}
	return f.ReaderAt.ReadAt(p, off)
}

// What is wrong with the disk is not said of the file, and stays said.
func TestSourceErrors(t *testing.T) {
	t.Parallel()
	csv := "A,B\n" + strings.Repeat("1,2\n", 3<<18)
	for name, file := range map[string]string{"csv": csv, "xlsx": string(workbook(t, "S", [][]any{{"A"}, {1}}))} {
		for _, from := range []int64{0, int64(len(file)) / 2, int64(len(file)) - 1} {
			src := failing{strings.NewReader(file), from}
			err := drain(src, int64(len(file)), sheet.Limits{})
			var p *sheet.Problem
			if !errors.Is(err, errDisk) || errors.As(err, &p) || !strings.Contains(err.Error(), "test") {
				t.Errorf("%s, failing from %d: %v", name, from, err)
			}
		}
	}
	r, err := sheet.Open(failing{strings.NewReader(csv), 2 << 20}, int64(len(csv)), "test", sheet.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = r.Next()
	}
	if _, again := r.Next(); !errors.Is(again, errDisk) {
		t.Errorf("after %v came %v", err, again)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"csv":          "A,B\n" + strings.Repeat("1,2\n", 3<<18),
		"windows-1252": "A,B\n" + strings.Repeat("1,\xE9\n", 3<<18),
		"xlsx":         string(workbook(t, "S", [][]any{{"A"}, {1}, {2}})),
	} {
		r, err := sheet.Open(strings.NewReader(file), int64(len(file)), name, sheet.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if at, total := r.Progress(); at >= total || total != int64(len(file)) {
			t.Errorf("%s: %d of %d at the start", name, at, total)
		}
		for err == nil {
			_, err = r.Next()
		}
		if at, total := r.Progress(); at != total {
			t.Errorf("%s: %d of %d at the end", name, at, total)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
