package sheet

import (
	"strings"
	"unicode/utf8"
)

// formulaStart holds the bytes that make a spreadsheet program take a cell for a formula, and the
// apostrophe itself, so that what [defuse] does can be undone without a doubt.
const formulaStart = "=+-@\t\r'"

// clean returns what a person sees in a cell: without white space around it (Unicode's, so the
// non-breaking space too), and without the apostrophe that [defuse] put there.
//
// The order matters: white space before the apostrophe hides it, so trimming comes first; and what
// stood behind the apostrophe may be a tab, so it comes last again. Hence a value that itself begins
// or ends with white space comes back without it; every other value survives defuse and clean.
func clean(s string) string {
	// Nearly every cell of a large file ends here.
	if s == "" || plainEdge(s[0]) && plainEdge(s[len(s)-1]) {
		return s
	}
	s = strings.TrimSpace(s)
	if len(s) > 1 && s[0] == '\'' && strings.IndexByte(formulaStart, s[1]) >= 0 {
		s = strings.TrimSpace(s[1:])
	}
	return s
}

// plainEdge reports whether b, first or last in a cell, needs neither trimming nor a closer look.
func plainEdge(b byte) bool { return b > ' ' && b < utf8.RuneSelf && b != '\'' }

// defuse puts one apostrophe before a cell that a spreadsheet program would take for a formula.
func defuse(s string) string {
	if s != "" && strings.IndexByte(formulaStart, s[0]) >= 0 {
		return "'" + s
	}
	return s
}
