package sqldb

import (
	"database/sql/driver"
	"fmt"
	"unicode"
	"unicode/utf8"

	sqlite "modernc.org/sqlite"
)

// FoldText is how names are compared without regard to case and sorted: letter by letter, each as the lower case of
// its upper case, so that both kinds of sigma and of s, and every i with or without its dot, are the same letter. It
// keeps accents, and the number of letters. Neither engine has a function that does the same on every machine:
// SQLite's lower() knows A to Z only, PostgreSQL's depends on the server's locale. So folded columns are made here.
func FoldText(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	b := append(make([]byte, 0, len(s)+4), s[:i]...)
	for _, r := range s[i:] {
		if r < utf8.RuneSelf {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			b = append(b, byte(r))
			continue
		}
		b = utf8.AppendRune(b, unicode.ToLower(unicode.ToUpper(r)))
	}
	return string(b)
}

// The migration that added the folded columns fills them on SQLite with this function; no table depends on it, so that
// other programs can write them.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("muster_fold", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		s, ok := args[0].(string)
		if !ok {
			return nil, fmt.Errorf("muster_fold takes a text, not %T", args[0])
		}
		return FoldText(s), nil
	})
}
