package sheet_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"muster/internal/sheet"
)

// TestCases runs testdata/*.txtar; testdata/README.md says how to add a case.
func TestCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in testdata (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := map[string]string{}
			for _, f := range archive.Files {
				parts[f.Name] = string(f.Data)
			}
			got := render(unescape(t, parts["input"]), sheet.Limits{})
			if diff := cmp.Diff(parts["rows"], got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// render reads a file and writes down what came out, one line each: rows, then "end" or the problem.
func render(file string, lim sheet.Limits) string {
	var b strings.Builder
	line := func(number int, cells []string) {
		fmt.Fprintf(&b, "%d", number)
		for _, s := range cells {
			q := strconv.Quote(s)
			b.WriteString(" | " + strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`))
		}
		b.WriteString("\n")
	}
	header, rows, err := read(file, lim)
	if header != nil {
		line(header.Number, header.Cells)
	}
	for _, row := range rows {
		line(row.Number, row.Cells)
	}
	var p *sheet.Problem
	switch {
	case errors.As(err, &p) && p.Row > 0:
		fmt.Fprintf(&b, "%s in row %d\n", p.Code, p.Row)
	case errors.As(err, &p):
		fmt.Fprintln(&b, p.Code)
	case err != nil:
		fmt.Fprintln(&b, "error:", err)
	default:
		fmt.Fprintln(&b, "end")
	}
	return b.String()
}

// read returns all rows of a file, copied; header is nil if the file could not be opened.
func read(file string, lim sheet.Limits, opts ...sheet.Option) (header *sheet.Row, rows []sheet.Row, err error) {
	r, err := sheet.Open(strings.NewReader(file), int64(len(file)), "test", lim, opts...)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	header = &sheet.Row{Number: r.HeaderRow(), Cells: r.Header()}
	for {
		row, err := r.Next()
		if err == io.EOF {
			return header, rows, nil
		}
		if err != nil {
			return header, rows, err
		}
		row.Cells = append([]string{}, row.Cells...)
		rows = append(rows, row)
	}
}

// unescape reads the input part of a case: Go's escapes, and \ at the end of a line takes the line
// break away.
func unescape(t *testing.T, s string) string {
	t.Helper()
	var out bytes.Buffer
	for s != "" {
		if strings.HasPrefix(s, "\\\n") {
			s = s[2:]
			continue
		}
		if s[0] != '\\' {
			out.WriteByte(s[0])
			s = s[1:]
			continue
		}
		r, multibyte, tail, err := strconv.UnquoteChar(s, 0)
		if err != nil {
			t.Fatalf("escape in %q: %v", s, err)
		}
		if multibyte {
			out.WriteRune(r)
		} else {
			out.WriteByte(byte(r))
		}
		s = tail
	}
	return out.String()
}

func wantProblem(t *testing.T, err error, code string, row int, says string) {
	t.Helper()
	var p *sheet.Problem
	if !errors.As(err, &p) {
		t.Fatalf("error %v, want %s", err, code)
	}
	if p.Code != code || p.Row != row || !strings.Contains(p.Message, says) {
		t.Errorf("problem %s in row %d: %s\nwant %s in row %d: …%s…", p.Code, p.Row, p.Message, code, row, says)
	}
}
