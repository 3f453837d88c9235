package sqldb_test

import (
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"muster/internal/sqldb"
	"muster/internal/sqldb/sqldbtest"
)

func TestFoldText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "smith": "smith", "O'NEIL": "o'neil", "Éva": "éva", "ÉVA": "éva", "Straße": "straße", "STRAẞE": "straße", "İpek": "ipek", "ılgaz": "ilgaz",
		"ΣΊΣΥΦΟΣ": "σίσυφοσ", "σίσυφος": "σίσυφοσ", "\u212Aelvin": "kelvin", "王小明": "王小明",
	} {
		if got := sqldb.FoldText(in); got != want {
			t.Errorf("FoldText(%q) = %q, want %q", in, got, want)
		}
	}
	for r := range unicode.MaxRune + 1 {
		once := sqldb.FoldText(string(r))
		if sqldb.FoldText(once) != once || utf8.RuneCountInString(once) != 1 {
			t.Fatalf("%U becomes %q", r, once)
		}
	}
}

// What the migration fills the keys of old rows with is what FoldText makes, letter by letter. Where this fails after
// a new version of Go, Unicode has new letters: the migration stays as it is, and the test is told which.
func TestMigrationFoldsAsFoldText(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			fold := "muster_fold"
			if db.Engine == sqldb.Postgres {
				fold = "pg_temp.fold"
				file, err := os.ReadFile("migrations/postgres/00003_grid.sql")
				mustNot(t, err)
				_, rest, _ := strings.Cut(string(file), "-- +goose StatementBegin\n")
				function, _, _ := strings.Cut(rest, "-- +goose StatementEnd")
				if _, err := tx.ExecContext(t.Context(), function); err != nil {
					return err
				}
			}
			for from := rune(1); from <= unicode.MaxRune; from += 1 << 14 {
				var text strings.Builder
				for r := from; r < from+1<<14 && r <= unicode.MaxRune; r++ {
					if utf8.ValidRune(r) {
						text.WriteRune(r)
					}
				}
				got, _, err := sqldb.One[string](t.Context(), tx, "SELECT "+fold+"($1)", text.String())
				if err != nil {
					return err
				}
				if got != sqldb.FoldText(text.String()) {
					t.Errorf("the letters from %U differ", from)
				}
			}
			return nil
		})
		mustNot(t, err)
	})
}
