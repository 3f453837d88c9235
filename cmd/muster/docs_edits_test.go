package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page on bulk edits has every code that the source spells out.
func TestDocsEditCodes(t *testing.T) {
	t.Parallel()
	page := docPages(t)["docs/bulk-edits.md"]
	code := regexp.MustCompile(`"((?:user|role|undo|org_unit|supervisor|pbx_id)\.[a-z_]+)"`)
	codes := 0
	for _, pattern := range []string{"internal/useredit/edit*.go", "internal/useredit/consequence.go", "internal/directory/bulk*.go"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no files at %s: %v", pattern, err)
		}
		for _, path := range paths {
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range code.FindAllStringSubmatch(string(source), -1) {
				if codes++; !strings.Contains(page, "`"+m[1]+"`") {
					t.Errorf("docs/bulk-edits.md does not have the code %s", m[1])
				}
			}
		}
	}
	if codes < 10 {
		t.Errorf("only %d codes found", codes)
	}
}
