package directory

import (
	"bytes"
	"cmp"
	"slices"
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
func (t *texts) following(tests []textTest, in textField, after *position, descending bool, most int) []position {
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
	t.each(tests, func(id int64, text []byte) bool {
		p := place{in.key(text), id}
		if after != nil && compare(p, from) <= 0 || full && compare(p, ahead[most-1]) >= 0 {
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
		found[i] = position{string(p.key), p.id}
	}
	return found
}
