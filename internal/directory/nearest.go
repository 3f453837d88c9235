package directory

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// suggestionsPerCatalogue bounds the work that a hostile file can cause: every different unknown value of a column
// is compared with the whole catalogue once, and after this many different ones there are no more suggestions.
const suggestionsPerCatalogue = 2000

// nearest remembers, for the unknown names of one catalogue, the known name that comes closest.
type nearest struct {
	names []string
	mu    sync.Mutex
	found map[string]string
}

func newNearest(names []string) *nearest { return &nearest{names: names, found: map[string]string{}} }

// of returns the closest name, or "" when none is close.
func (n *nearest) of(value string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s, ok := n.found[value]; ok {
		return s
	}
	if len(n.found) >= suggestionsPerCatalogue {
		return ""
	}
	s := Nearest(value, n.names)
	n.found[value] = s
	return s
}

// Nearest returns the name that takes the fewest changed characters to reach from value, regardless of case; "" when
// that is more than a third of it. The first of several wins.
func Nearest(value string, names []string) string {
	v := []rune(strings.ToLower(value))
	limit := max(1, len(v)/3)
	best := ""
	for _, name := range names {
		if d := utf8.RuneCountInString(name) - len(v); d > limit || -d > limit {
			continue
		}
		if d := distance(v, []rune(strings.ToLower(name)), limit); d <= limit {
			if d == 0 {
				return name
			}
			best, limit = name, d-1
		}
	}
	return best
}

// distance is the number of insertions, deletions, replacements and swaps of neighbours (the optimal string
// alignment distance) between a and b, or limit+1 when it is more than limit.
func distance(a, b []rune, limit int) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > limit {
			return limit + 1
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
