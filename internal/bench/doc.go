package bench

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"muster/internal/sqldb"
)

// method is the part of the document that says what is measured, and how.
//
//go:embed method.md
var method string

// WriteDoc writes the document. What it has on an engine, or of a part, that was not measured now stays
// as it is.
func WriteDoc(path string, r *Result) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(document(string(old), r)), 0o644)
}

func document(old string, r *Result) string {
	text := strings.TrimSpace(method) + "\n"
	for _, s := range sections {
		for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
			begin, end := fmt.Sprintf("<!-- bench: %s%s -->", s.name, engine), fmt.Sprintf("<!-- end of bench: %s%s -->", s.name, engine)
			section := between(old, begin, end)
			if section == "" {
				section = "## " + s.title + titles[engine] + "\n\nNot measured yet."
			}
			for i := range r.Engines {
				if f := &r.Engines[i]; f.Engine == engine && s.measured(f) {
					section = s.markdown(r, f)
				}
			}
			text += "\n" + begin + "\n" + strings.TrimSpace(section) + "\n" + end + "\n"
		}
	}
	return text
}

// sections are those of the document; each is there once for every engine.
var sections = []struct {
	name, title string
	measured    func(*Figures) bool
	markdown    func(*Result, *Figures) string
}{
	{"", "", func(f *Figures) bool { return len(f.Scenarios) > 0 }, (*Result).importMarkdown},
	{"console ", "The console on ", func(f *Figures) bool { return f.Console != nil }, (*Result).consoleMarkdown},
	{"edits ", "Bulk edits on ", func(f *Figures) bool { return f.Edits != nil }, (*Result).editsMarkdown},
	{"pictures ", "Pictures on ", func(f *Figures) bool { return f.Pictures != nil }, (*Result).picturesMarkdown},
}

// Markdown is what was measured on one engine, each figure beside what is aimed at.
func (r *Result) Markdown(f *Figures) string {
	var all []string
	for _, s := range sections {
		if s.measured(f) {
			all = append(all, s.markdown(r, f))
		}
	}
	return strings.Join(all, "\n")
}

func between(text, begin, end string) string {
	_, after, found := strings.Cut(text, begin)
	section, _, ended := strings.Cut(after, end)
	if !found || !ended {
		return ""
	}
	return section
}
