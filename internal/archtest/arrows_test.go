// Package archtest holds the arrows between Muster's packages: who may import whom.
package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors are the packages from the top down. A package imports from the floors below it only; what is on one floor
// does not import each other.
var floors = [][]string{
	{"muster/cmd/muster"},
	{"muster/internal/bench"},
	{"muster/internal/web"},
	{"muster/internal/userimport", "muster/internal/useredit", "muster/internal/pictureimport", "muster/internal/sample"},
	{"muster/internal/batch", "muster/internal/setup", "muster/internal/auth"},
	{"muster/internal/directory"},
	{"muster/internal/sqldb", "muster/internal/sheet", "muster/internal/blob", "muster/internal/extsort", "muster/internal/photo"},
	{"muster/internal/fault"},
}

// beside are packages for tests, which only tests import.
var beside = []string{"muster/internal/sqldb/sqldbtest", "muster/internal/blob/blobtest", "muster/internal/pictureimport/ziptest", "muster/internal/web/browsertest", "muster/internal/archtest"}

// tables may only be written by the package that owns them.
var tables = map[string][]string{
	"muster/internal/directory": {"users", "user_roles", "user_channels", "user_features", "roles", "role_rights", "role_rules", "access_roles",
		"access_role_units", "org_units", "org_levels", "channels", "features", "feature_values", "crm_names", "greeting_templates", "settings",
		"directory_revision", "user_ids", "user_writes", "user_changes", "pictures", "picture_changes", "picture_holds", "audit", "erasures", "credentials"},
	"muster/internal/auth":          {"sessions", "sign_in_attempts", "first_links"},
	"muster/internal/batch":         {"batches", "batch_files", "batch_chunks", "batch_pages", "batch_page_codes", "batch_uploads"},
	"muster/internal/useredit":      {"user_sets"},
	"muster/internal/userimport":    {"column_choices", "import_columns", "import_corrections"},
	"muster/internal/pictureimport": {"picture_looks", "picture_choices"},
}

// writes are what a statement that writes a table begins with.
var writes = []string{"INSERT INTO ", "INSERT OR FAIL INTO ", "UPDATE ", "DELETE FROM ", "COPY "}

func TestArrows(t *testing.T) {
	t.Parallel()
	floor := map[string]int{}
	for i, packages := range floors {
		for _, p := range packages {
			floor[p] = i
		}
	}
	for file, imports := range sources(t) {
		from := "muster/" + filepath.ToSlash(filepath.Dir(file))
		if slices.Contains(beside, from) {
			continue
		}
		mine, known := floor[from]
		if !known {
			t.Errorf("%s: the package %s is on no floor: give it one, in this test and in ARCHITECTURE.md", file, from)
			continue
		}
		for _, to := range imports {
			theirs, ours := floor[to]
			switch {
			case slices.Contains(beside, to):
				t.Errorf("%s imports %s, which is for tests", file, to)
			case !ours && strings.HasPrefix(to, "muster/"):
				t.Errorf("%s imports %s, which is on no floor", file, to)
			case ours && theirs <= mine:
				t.Errorf("%s imports %s: arrows point down", file, to)
			}
		}
	}
}

func TestOnlyTheOwnerWritesATable(t *testing.T) {
	t.Parallel()
	for file := range sources(t) {
		from := "muster/" + filepath.ToSlash(filepath.Dir(file))
		raw, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for owner, names := range tables {
			if from == owner || from == "muster/internal/bench" || strings.HasPrefix(file, "internal/sqldb/migrate") {
				continue // the benchmark's raw loader writes the very tables, beside Muster; migrations make them
			}
			for _, name := range names {
				for _, w := range writes {
					if i := strings.Index(string(raw), w+name); i >= 0 && !wordGoesOn(string(raw[i+len(w)+len(name):])) {
						t.Errorf("%s writes the table %s, which is %s's", file, name, owner)
					}
				}
			}
		}
	}
}

func wordGoesOn(rest string) bool {
	return rest != "" && (rest[0] == '_' || 'a' <= rest[0] && rest[0] <= 'z')
}

const root = "../.."

// sources returns the imports of every Go file that is not a test, by the file's path from the root.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		all[rel] = nil
		for _, spec := range f.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			all[rel] = append(all[rel], p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d files found: is %s the root?", len(all), root)
	}
	return all
}
