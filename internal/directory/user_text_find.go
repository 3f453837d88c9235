package directory

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// textTests are what users must fulfil, all of it.
type textTests struct {
	parts  []textTest
	stamps []stampTest
	among  []int64 // ascending; who is looked at; nil for all
}

// none tells that everybody fulfils them.
func (t *textTests) none() bool { return len(t.parts) == 0 && len(t.stamps) == 0 && t.among == nil }

// stampTest is when a user was last changed, and by whom.
type stampTest struct {
	from, to int64  // microseconds: from then on, and before
	by       []bool // by the changers' numbers; nil for anybody
}

func (t stampTest) matches(b *textBlock, i int) bool {
	return b.at[i] >= t.from && b.at[i] < t.to && (t.by == nil || t.by[b.by[i]])
}

// textTest is what a user's text must hold: a pattern, somewhere in one field or in any.
type textTest struct {
	pattern []byte
	in      textField
}

// testText is one for a part of a field, or its end; ok is false where the texts cannot tell.
func testText(in textField, part string, atEnd bool) (t textTest, ok bool) {
	if part == "" || strings.IndexFunc(part, func(r rune) bool { return r <= rune(lastSign) }) >= 0 {
		return t, false
	}
	t = textTest{pattern: []byte(part), in: in}
	if atEnd {
		t.pattern = append(t.pattern, byte(in))
	}
	return t, true
}

// testBegin is one for the beginning of a field that others precede, or for all of it.
func testBegin(in textField, part string, all bool) (t textTest, ok bool) {
	t, ok = testText(in, part, all)
	// The sign before it belongs to the field before, and is nowhere else.
	return textTest{pattern: append([]byte{byte(in - 1)}, t.pattern...)}, ok
}

// inField tells whether the pattern, found at a place of text, is in the right field.
func (t textTest) inField(text []byte, at int) bool {
	if t.in == anyField {
		return true
	}
	for _, c := range text[at:] {
		if c < lastSign {
			return c == byte(t.in)
		}
	}
	return false
}

func (t textTest) matches(text []byte) bool {
	for at := 0; ; at++ {
		n := bytes.Index(text[at:], t.pattern)
		if n < 0 {
			return false
		}
		if at += n; t.inField(text, at) {
			return true
		}
	}
}

// others tells whether a user of a block fulfils what is not among the parts, and those of the parts that are given.
func (t *textTests) others(b *textBlock, i int, parts []textTest) bool {
	for _, s := range t.stamps {
		if !s.matches(b, i) {
			return false
		}
	}
	if len(parts) == 0 {
		return true
	}
	text := b.of(i)
	return !slices.ContainsFunc(parts, func(p textTest) bool { return !p.matches(text) })
}

// lastFirst is the same with the last blocks first: quicker for whoever wants the last ids.
func (t *texts) lastFirst() *texts {
	r := *t
	r.blocks = slices.Clone(t.blocks)
	slices.Reverse(r.blocks)
	return &r
}

// each hands out the users who pass all tests, by their ids, ascending, until yield returns false.
func (t *texts) each(tests textTests, yield func(b *textBlock, i int) bool) {
	switch {
	case tests.among != nil:
		t.eachAmong(tests, yield)
	case len(tests.parts) > 0:
		t.eachWith(tests, yield)
	default:
		for _, b := range t.blocks {
			for i := range b.ids {
				if tests.others(b, i, nil) && !yield(b, i) {
					return
				}
			}
		}
	}
}

// eachAmong looks up the users one by one.
func (t *texts) eachAmong(tests textTests, yield func(b *textBlock, i int) bool) {
	blocks := t.blocks
	for _, id := range tests.among {
		n, _ := slices.BinarySearchFunc(blocks, id, func(b *textBlock, id int64) int { return cmp.Compare(b.last(), id) })
		if blocks = blocks[n:]; len(blocks) == 0 {
			return
		}
		i, there := slices.BinarySearch(blocks[0].ids, id)
		if there && tests.others(blocks[0], i, tests.parts) && !yield(blocks[0], i) {
			return
		}
	}
}

// eachWith looks for whoever has the longest pattern; few have it as a rule.
func (t *texts) eachWith(tests textTests, yield func(b *textBlock, i int) bool) {
	parts := slices.Clone(tests.parts)
	slices.SortFunc(parts, func(a, b textTest) int { return len(b.pattern) - len(a.pattern) })
	lead, others := parts[0], parts[1:]
	for _, b := range t.blocks {
		i := 0
		for at := 0; ; {
			n := bytes.Index(b.text[at:], lead.pattern)
			if n < 0 {
				break
			}
			at += n
			passed, _ := slices.BinarySearch(b.ends[i:], uint32(at+1))
			i += passed
			if !lead.inField(b.text, at) {
				at++
				continue
			}
			if tests.others(b, i, others) && !yield(b, i) {
				return
			}
			at = int(b.ends[i])
		}
	}
}

// find returns the users who pass all tests: the first ids, up to most of them.
func (t *texts) find(tests textTests, most int) (ids []int64) {
	t.each(tests, func(b *textBlock, i int) bool {
		ids = append(ids, b.ids[i])
		return len(ids) < most
	})
	return ids
}

// count returns how many pass all tests.
func (t *texts) count(tests textTests) (n int64) {
	t.each(tests, func(*textBlock, int) bool {
		n++
		return true
	})
	return n
}
