package directory

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// key is the field of a user's text as it is in order.
func (in textField) key(text []byte) []byte {
	begin := 0
	if in > lastNameField {
		begin = bytes.IndexByte(text, byte(in-1)) + 1
	}
	key := text[begin : begin+bytes.IndexByte(text[begin:], byte(in))]
	if len(key) == 0 && in == pbxIDField {
		return noPBXID
	}
	return key
}

var noPBXID = []byte(last)

// following returns the first of the users who pass all tests, up to most of them, after a place in the order of a field
// and the ids; nil begins with the first, or the last when descending. It looks at all users, at each once.
func (t *texts) following(tests textTests, in textField, after *position, descending bool, most int) []position {
	switch in {
	case changedAtField:
		return following(t, tests, textOrder[int64]{cmp.Compare[int64],
			func(b *textBlock, i int) int64 { return b.at[i] },
			func(key any) int64 { return key.(int64) }, func(key int64) any { return key }}, after, descending, most)
	case changedByField:
		folded, ranks := t.ranks()
		return following(t, tests, textOrder[int]{cmp.Compare[int],
			func(b *textBlock, i int) int { return ranks[b.by[i]] },
			func(key any) int {
				at, there := slices.BinarySearch(folded, key.(string))
				if !there {
					return 2*at - 1 // before that one, and after the one before
				}
				return 2 * at
			}, func(key int) any { return folded[key/2] }}, after, descending, most)
	}
	return following(t, tests, textOrder[[]byte]{bytes.Compare,
		func(b *textBlock, i int) []byte { return in.key(b.of(i)) },
		func(key any) []byte { return []byte(key.(string)) }, func(key []byte) any { return string(key) }}, after, descending, most)
}

// ranks are the changers in order, folded, and of each number twice the place among them.
func (t *texts) ranks() (folded []string, ranks []int) {
	all := make([]string, len(t.names))
	for i, name := range t.names {
		all[i] = Fold(name)
	}
	folded = slices.Compact(slices.SortedFunc(slices.Values(all), strings.Compare))
	ranks = make([]int, len(all))
	for i, name := range all {
		at, _ := slices.BinarySearch(folded, name)
		ranks[i] = 2 * at
	}
	return folded, ranks
}

// textOrder is an order of users by keys of type K: how they compare, the key of a user of a block, and the key as it is in
// a [position], there and back.
type textOrder[K any] struct {
	compare  func(a, b K) int
	of       func(b *textBlock, i int) K
	from     func(key any) K
	position func(key K) any
}

func following[K any](t *texts, tests textTests, o textOrder[K], after *position, descending bool, most int) []position {
	type place struct {
		key K
		id  int64
	}
	sign := 1
	if descending {
		sign = -1
	}
	compare := func(a, b place) int {
		if c := o.compare(a.key, b.key); c != 0 {
			return sign * c
		}
		return sign * cmp.Compare(a.id, b.id)
	}
	if descending && tests.among == nil {
		t = t.lastFirst() // many may have the same key
	}
	var from place
	if after != nil {
		from = place{o.from(after.key), after.id}
	}
	// Whoever is ahead of the last of so many is gathered, until there are twice as many, of whom half stay.
	var ahead []place
	full := false
	t.each(tests, func(b *textBlock, i int) bool {
		p := place{o.of(b, i), b.ids[i]}
		if full && compare(p, ahead[most-1]) >= 0 || after != nil && compare(p, from) <= 0 {
			return true
		}
		if ahead = append(ahead, p); len(ahead) >= 2*most {
			slices.SortFunc(ahead, compare)
			ahead, full = ahead[:most], true
		}
		return true
	})
	slices.SortFunc(ahead, compare)
	ahead = ahead[:min(most, len(ahead))]
	found := make([]position, len(ahead))
	for i, p := range ahead {
		found[i] = position{o.position(p.key), p.id}
	}
	return found
}
