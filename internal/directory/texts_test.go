package directory

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Parts are found in the field that they are asked of, and across no two of them.
func TestTextTests(t *testing.T) {
	users := [][]string{
		{"ba", "ab", "lan1", "lan1", "77"},
		{"", "", "ab", "b", ""},
		{"aaa", "a\x01b", "x", "y", "é"},
	}
	var b textBuilder
	for i, u := range users {
		b.add(int64(i+1), []byte(u[0]), []byte(u[1]), []byte(u[2]), []byte(u[3]), []byte(u[4]))
	}
	texts := b.build()
	for _, c := range []struct {
		column, op, value string
		want              []int64
	}{
		{"", "contains", "ab", []int64{1, 2}},
		{"", "contains", "baab", nil},
		{"last_name", "contains", "a", []int64{1, 3}},
		{"first_name", "contains", "ab", []int64{1}},
		{"first_name", "ends", "b", []int64{1, 3}},
		{"last_name", "ends", "b", nil},
		{"last_name", "ends", "aa", []int64{3}},
		{"lan_id", "contains", "b", []int64{2}},
		{"agent_id", "contains", "b", []int64{2}},
		{"pbx_id", "ends", "7", []int64{1}},
		{"", "contains", "é", []int64{3}},
	} {
		w := Condition{Column: c.column, Op: c.op, Value: c.value}
		test, ok := testText(anyField, c.value, false)
		if column, value, is := w.textColumn(); is {
			test, ok = textCondition(column, w.Op, value)
		}
		if got := texts.find([]textTest{test}, len(users)); !ok || !slices.Equal(got, c.want) {
			t.Errorf("%s %s %q: %v, want %v", c.column, c.op, c.value, got, c.want)
		}
	}
}

// However users are replaced, the texts are those of who is there.
func TestTextsReplace(t *testing.T) {
	lengths := []int64{0, 1, 10, 5000, 20_000}
	rnd := rand.New(rand.NewPCG(6, 0))
	have := map[int64]string{}
	texts := &texts{}
	for range 300 {
		first := rnd.Int64N(30_000)
		last := first + lengths[rnd.IntN(len(lengths))]
		add := map[int64]string{}
		for id := first; id <= last; id++ {
			delete(have, id)
			if rnd.IntN(3) > 0 {
				add[id] = strings.Repeat("x", rnd.IntN(3)) + fmt.Sprintf("<%d>", rnd.IntN(5))
				have[id] = add[id]
			}
		}
		var err error
		texts, err = texts.replace(first, last, func(b *textBuilder) error {
			for _, id := range slices.Sorted(maps.Keys(add)) {
				b.add(id, nil, []byte(add[id]), nil, nil, nil)
			}
			return nil
		})
		if err != nil || texts.users != len(have) {
			t.Fatalf("%d users, %v; want %d", texts.users, err, len(have))
		}
		for part := range 5 {
			text := fmt.Sprintf("<%d>", part)
			var want []int64
			for id, name := range have {
				if strings.Contains(name, text) {
					want = append(want, id)
				}
			}
			slices.Sort(want)
			test, _ := testText(firstNameField, text, false)
			if got := texts.find([]textTest{test}, len(have)); !slices.Equal(got, want) {
				t.Fatalf("after %d to %d: %d have %s, want %d", first, last, len(got), text, len(want))
			}
		}
	}
}
