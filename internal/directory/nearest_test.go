package directory

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// plainDistance is the distance by its definition.
func plainDistance(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
			case a[i-1] == b[j-1]:
				d[i][j] = d[i-1][j-1]
			default:
				d[i][j] = 1 + min(d[i-1][j], d[i][j-1], d[i-1][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], 1+d[i-2][j-2])
			}
		}
	}
	return d[len(a)][len(b)]
}

func TestNearest(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[abAé]{0,9}`)
	rapid.Check(t, func(t *rapid.T) {
		value := word.Draw(t, "value")
		names := rapid.SliceOfN(word, 0, 6).Draw(t, "names")
		v := []rune(strings.ToLower(value))
		want, least := "", max(1, len(v)/3)+1
		for _, name := range names {
			if d := plainDistance(v, []rune(strings.ToLower(name))); d < least {
				want, least = name, d
			}
		}
		if got := Nearest(value, names); got != want {
			t.Fatalf("%q, want %q at %d", got, want, least)
		}
		n := newNearest(names)
		first, again := n.of(value), n.of(value)
		if first != want || again != want {
			t.Fatal("it does not remember")
		}
	})
}

func TestNearestExamples(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ value, names, want string }{
		{"Agnet", "Agent,Supervisor", "Agent"},
		{"SUPERVISOR", "Agent,Supervisor", "Supervisor"},
		{"Cards Team", "Cards Team 1,Cards Team 2", "Cards Team 1"},
		{"x", "y", "y"},
		{"x", "yz", ""},
		{"Boss", "Agent,Supervisor", ""},
	} {
		if got := Nearest(test.value, strings.Split(test.names, ",")); got != test.want {
			t.Errorf("nearest to %s: %q, want %q", test.value, got, test.want)
		}
	}
}

// A file with no end of different unknown values does not keep the program busy for ever.
func TestNearestGivesUp(t *testing.T) {
	t.Parallel()
	n := newNearest([]string{"Agent"})
	for i := range suggestionsPerCatalogue {
		n.of(strings.Repeat("x", i+10))
	}
	if got := n.of("Agnet"); got != "" {
		t.Errorf("it still suggests %s", got)
	}
}
