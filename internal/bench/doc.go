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

// WriteDoc writes the document. What it has on an engine that was not measured now stays as it is.
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
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		begin, end := fmt.Sprintf("<!-- bench: %s -->", engine), fmt.Sprintf("<!-- end of bench: %s -->", engine)
		section := between(old, begin, end)
		if section == "" {
			section = "## " + titles[engine] + "\n\nNot measured yet."
		}
		for i := range r.Engines {
			if r.Engines[i].Engine == engine {
				section = r.Markdown(&r.Engines[i])
			}
		}
		text += "\n" + begin + "\n" + strings.TrimSpace(section) + "\n" + end + "\n"
	}
	return text
}

func between(text, begin, end string) string {
	_, after, found := strings.Cut(text, begin)
	section, _, ended := strings.Cut(after, end)
	if !found || !ended {
		return ""
	}
	return section
}
