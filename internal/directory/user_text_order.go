package directory

import (
	"bytes"
	"cmp"
	"slices"
)

// cut is the field of a user's text; it is not the first of them.
func (in textField) cut(text []byte) []byte {
	begin := bytes.IndexByte(text, byte(in-1)) + 1
	return text[begin : begin+bytes.IndexByte(text[begin:], byte(in))]
}

// following returns the first users, up to most of them, after a place in the order of a field other than the first, and
// of the ids; nil begins with the first, or the last when descending. It looks at all users, at each once.
func (t *texts) following(in textField, after *position, descending bool, most int) []position {
	type place struct {
		key []byte
		id  int64
	}
	compare := func(a, b place) int { return cmp.Or(bytes.Compare(a.key, b.key), cmp.Compare(a.id, b.id)) }
	if descending {
		ascending := compare
		compare = func(a, b place) int { return ascending(b, a) }
	}
	var from place
	if after != nil {
		from = place{[]byte(after.key.(string)), after.id}
	}
	// Whoever is ahead of the last of so many is gathered, until there are twice as many, of whom half stay.
	var ahead []place
	full := false
	for _, b := range t.blocks {
		for i, id := range b.ids {
			p := place{in.cut(b.of(i)), id}
			if after != nil && compare(p, from) <= 0 || full && compare(p, ahead[most-1]) >= 0 {
				continue
			}
			if ahead = append(ahead, p); len(ahead) >= 2*most {
				slices.SortFunc(ahead, compare)
				ahead, full = ahead[:most], true
			}
		}
	}
	slices.SortFunc(ahead, compare)
	ahead = ahead[:min(most, len(ahead))]
	found := make([]position, len(ahead))
	for i, p := range ahead {
		found[i] = position{string(p.key), p.id}
	}
	return found
}
