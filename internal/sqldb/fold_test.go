package sqldb_test

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"muster/internal/sqldb"
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
