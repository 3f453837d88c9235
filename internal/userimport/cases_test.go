package userimport_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"muster/internal/batch"
	"muster/internal/sheet"
	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
	"muster/internal/userimport"
)

var update = flag.Bool("update", false, "write what comes out into testdata/*.txtar as what is expected")

// TestCases runs testdata/*.txtar, each of which says what an import of its files must come to. testdata/README.md
// says how to write one.
func TestCases(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		t.Parallel()
		h := newHouse(t, cfg)
		for _, path := range paths {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { runCase(t, h, path) })
		}
	})
}

func runCase(t *testing.T, h *house, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a := txtar.Parse(text)
	c := readCase(t, a)
	h.clear(t)
	h.configure(t, c.setup)
	if c.existing != nil {
		b := h.run(t, system, userimport.Options{InFileSupervisors: true}, []file{{"existing.csv", c.existing}})
		if b.State != batch.Done || !b.Counts.Clean() {
			t.Fatalf("existing.csv must be without mistakes; it is %s: %+v %+v", b.State, b.Counts, h.entries(t, b))
		}
	}
	for _, lan := range c.inactive {
		h.deactivate(t, lan)
	}
	got := c.run(t, h)
	if got == c.report {
		return
	}
	if !*update {
		t.Errorf("%s (-want +got; -update writes it into the file):\n%s", path, cmp.Diff(c.report, got))
		return
	}
	c.reportFile.Data = []byte(got)
	if err := os.WriteFile(path, txtar.Format(a), 0o666); err != nil {
		t.Fatal(err)
	}
}

// testcase is one file of testdata.
type testcase struct {
	options    userimport.Options
	limits     sheet.Limits
	person     bool
	rights     []string
	scope      []string
	messages   bool // show what the problems say in words
	show       bool // show the users as they are stored
	setup      string
	existing   []byte
	inactive   []string
	files      []file
	report     string
	reportFile *txtar.File
}

func readCase(t *testing.T, a *txtar.Archive) *testcase {
	t.Helper()
	c := &testcase{setup: organisation}
	for line := range strings.Lines(string(a.Comment)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			c.directive(t, line)
		}
	}
	for i := range a.Files {
		f := &a.Files[i]
		switch name := f.Name; {
		case name == "setup.yaml":
			c.setup = string(f.Data)
		case name == "existing.csv":
			c.existing = f.Data
		case name == "inactive":
			c.inactive = strings.Fields(string(f.Data))
		case name == "report":
			c.report, c.reportFile = string(f.Data), f
		case strings.HasSuffix(name, ".quoted"):
			c.files = append(c.files, file{strings.TrimSuffix(name, ".quoted"), unquote(t, f.Data)})
		default:
			c.files = append(c.files, file{name, f.Data})
		}
	}
	if c.reportFile == nil {
		a.Files = append(a.Files, txtar.File{Name: "report"})
		c.reportFile = &a.Files[len(a.Files)-1]
	}
	return c
}

func (c *testcase) directive(t *testing.T, line string) {
	t.Helper()
	word, rest, _ := strings.Cut(line, ":")
	rest = strings.TrimSpace(rest)
	switch word {
	case "in-file-supervisors":
		c.options.InFileSupervisors = true
	case "messages":
		c.messages = true
	case "show-users":
		c.show = true
	case "rights":
		c.person, c.rights = true, strings.Fields(rest)
	case "scope":
		c.person, c.scope = true, strings.FieldsFunc(rest, func(r rune) bool { return r == ';' })
	case "limit":
		what, number, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("limit: %v", err)
		}
		switch what {
		case "rows":
			c.limits.Rows = n
		case "bytes":
			c.limits.Bytes = int64(n)
		case "columns":
			c.limits.Columns = n
		default:
			t.Fatalf("there is no limit of %q", what)
		}
	default:
		t.Fatalf("there is no directive %q; a remark begins with #", word)
	}
}

// unquote reads lines that are Go strings without their quotation marks, so that a case can have bytes that a text
// file cannot. The line breaks are not part of the content.
func unquote(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	for line := range strings.Lines(string(data)) {
		s, err := strconv.Unquote(`"` + strings.TrimSuffix(line, "\n") + `"`)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		b.WriteString(s)
	}
	return b.Bytes()
}

// run previews, applies, and describes what came of it. What the preview said is what came of it.
func (c *testcase) run(t *testing.T, h *house) string {
	t.Helper()
	actor := system
	if c.person {
		actor = h.person(t, c.rights, c.scope...)
	}
	h.op.Limits = c.limits
	c.options.Preview = true
	b := h.run(t, actor, c.options, c.files)
	if b.State != batch.Ready {
		return c.describe(h, t, b, nil)
	}
	preview, counts := h.entries(t, b), b.Counts
	b = h.apply(t, b.ID)
	result := h.entries(t, b)
	if d := cmp.Diff(preview, result); d != "" || counts != b.Counts {
		t.Errorf("preview %+v and result %+v differ:\n%s", counts, b.Counts, d)
	}
	h.sound(t)
	return c.describe(h, t, b, result)
}

func (c *testcase) describe(h *house, t *testing.T, b *batch.Batch, entries []batch.Entry) string {
	t.Helper()
	var s strings.Builder
	n := b.Counts
	fmt.Fprintf(&s, "%s: rows %d = inserted %d + duplicate %d + invalid %d; stray %d\n", b.State, n.Rows, n.Inserted, n.Duplicate, n.Invalid, n.Stray)
	if n.Rows != n.Inserted+n.Updated+n.Unchanged+n.Duplicate+n.Invalid {
		t.Errorf("the counts do not add up: %+v", n)
	}
	for _, p := range b.FileProblems {
		fmt.Fprintf(&s, "%s%s %s %s", p.File, row(int64(p.Row)), p.Column, p.Code)
		c.rest(&s, p.Value, p.Suggestion, p.Message)
	}
	for _, e := range entries {
		name := b.Files[e.File].Name
		fmt.Fprintf(&s, "%s%s %s %s\n", name, row(e.Row), quotedBlank(e.LANID), e.Outcome)
		for _, p := range e.Problems {
			where := ""
			if p.File != name || p.Row != e.Row {
				where = p.File + row(p.Row) + " "
			}
			if e.LANID != p.LANID {
				where += p.LANID + " "
			}
			fmt.Fprintf(&s, "  %s%s: %s %s", where, p.Column, p.Code, p.Severity)
			c.rest(&s, p.Value, p.Suggestion, p.Message)
		}
	}
	if b.State == batch.Done {
		members := h.members(t, b.ID)
		if int64(len(members)) != n.Inserted {
			t.Errorf("inserted %d, and there are %v", n.Inserted, members)
		}
		fmt.Fprintf(&s, "inserted: %s\n", strings.Join(members, " "))
	}
	if c.show {
		for _, line := range h.users(t) {
			fmt.Fprintf(&s, "user %s\n", line)
		}
	}
	return s.String()
}

func (c *testcase) rest(s *strings.Builder, value, suggestion, message string) {
	if value != "" {
		fmt.Fprintf(s, " %q", value)
	}
	if suggestion != "" {
		fmt.Fprintf(s, " try %q", suggestion)
	}
	if c.messages {
		fmt.Fprintf(s, "\n    %s", message)
	}
	s.WriteByte('\n')
}

func row(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(":%d", n)
}

func quotedBlank(s string) string {
	if s == "" || strings.ContainsAny(s, " \n\t") {
		return strconv.Quote(s)
	}
	return s
}

// TestEveryCodeHasACase finds the codes in the program's text, so that a new one without a case does not go unseen.
func TestEveryCodeHasACase(t *testing.T) {
	t.Parallel()
	codes := codesInSource(t, "../directory", ".", "../sheet")
	if len(codes) < 60 {
		t.Errorf("only %d codes found: %v", len(codes), codes)
	}
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var cases []byte
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(text).Files {
			if f.Name == "report" {
				cases = append(cases, f.Data...)
			}
		}
	}
	said := strings.FieldsFunc(string(cases), func(r rune) bool { return r == ' ' || r == '\n' })
	for _, code := range codes {
		if !strings.HasPrefix(code, "undo.") && !slices.Contains(said, code) {
			t.Errorf("no case in testdata has %s", code)
		}
	}
}
