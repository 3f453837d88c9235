package sqldb

import (
	"unicode"
	"unicode/utf8"
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
