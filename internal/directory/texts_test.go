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
	b := newTextBuilder()
	for i, u := range users {
		b.add(int64(i+1), 1, []byte("x"), []byte(u[0]), []byte(u[1]), []byte(u[2]), []byte(u[3]), []byte(u[4]))
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
			test, ok = textCondition(column, w.Op, value, false)
		}
		if got := texts.find(textTests{parts: []textTest{test}}, len(users)); !ok || !slices.Equal(got, c.want) {
			t.Errorf("%s %s %q: %v, want %v", c.column, c.op, c.value, got, c.want)
		}
	}
}

// However users are replaced, the texts are those of who is there.
func TestTextsReplace(t *testing.T) {
	lengths := []int64{0, 1, 10, 5000, 20_000}
	rnd := rand.New(rand.NewPCG(6, 0))
	type user struct {
		name, by string
		at       int64
	}
	have := map[int64]user{}
	b := newTextBuilder()
	texts := b.build()
	for range 300 {
		first := rnd.Int64N(30_000)
		last := first + lengths[rnd.IntN(len(lengths))]
		add := map[int64]user{}
		for id := first; id <= last; id++ {
			delete(have, id)
			if rnd.IntN(3) > 0 {
				add[id] = user{strings.Repeat("x", rnd.IntN(3)) + fmt.Sprintf("<%d>", rnd.IntN(5)), fmt.Sprint("by", rnd.IntN(5)), rnd.Int64N(5)}
				have[id] = add[id]
			}
		}
		var err error
		texts, err = texts.replace(first, last, func(b *textBuilder) error {
			for _, id := range slices.Sorted(maps.Keys(add)) {
				b.add(id, add[id].at, []byte(add[id].by), nil, []byte(add[id].name), nil, nil, nil)
			}
			return nil
		})
		if err != nil || texts.users != len(have) {
			t.Fatalf("%d users, %v; want %d", texts.users, err, len(have))
		}
		ids := slices.Sorted(maps.Keys(have))
		for part := range 5 {
			text, by := fmt.Sprintf("<%d>", part), fmt.Sprint("by", part)
			test, _ := testText(firstNameField, text, false)
			who := make([]bool, len(texts.names))
			for i, name := range texts.names {
				who[i] = name == by
			}
			some := slices.DeleteFunc(slices.Clone(ids), func(int64) bool { return rnd.IntN(2) == 0 })
			for what, c := range map[string]struct {
				tests textTests
				want  func(int64, user) bool
			}{
				"parts": {textTests{parts: []textTest{test}}, func(_ int64, u user) bool { return strings.Contains(u.name, text) }},
				"by":    {textTests{stamps: []stampTest{{0, 5, who}}}, func(_ int64, u user) bool { return u.by == by }},
				"at":    {textTests{stamps: []stampTest{{int64(part), int64(part) + 2, nil}}}, func(_ int64, u user) bool { return u.at == int64(part) || u.at == int64(part)+1 }},
				"both":  {textTests{[]textTest{test}, []stampTest{{0, 5, who}}, nil}, func(_ int64, u user) bool { return strings.Contains(u.name, text) && u.by == by }},
				"among": {textTests{among: some}, func(id int64, _ user) bool { _, in := slices.BinarySearch(some, id); return in }},
				"amongst": {textTests{[]textTest{test}, []stampTest{{2, 5, nil}}, append(some, 1<<40)}, func(id int64, u user) bool {
					_, in := slices.BinarySearch(some, id)
					return in && u.at >= 2 && strings.Contains(u.name, text)
				}},
			} {
				want := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return !c.want(id, have[id]) })
				if got := texts.find(c.tests, len(have)); !slices.Equal(got, want) || texts.count(c.tests) != int64(len(want)) {
					t.Fatalf("after %d to %d: %s of %d finds %d, want %d", first, last, what, part, len(got), len(want))
				}
			}
		}
	}
}
