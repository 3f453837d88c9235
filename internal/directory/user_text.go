package directory

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// texts are the names and ids of all users, folded, as the free text and "contains" look through them, and all that asks
// for first names, on which there is no index. They are in memory, some 60 bytes a user: to look through a million takes a hundredth of a second there, and a quarter of one in
// the engines' tables. An index of all pieces of all texts would be as quick, and add a third to every import on SQLite.
//
// They never change: [texts.replace] makes others, which share most of their blocks.
type texts struct {
	blocks []*textBlock // by id; none is empty
	users  int
}

// textBlock holds some users, by id.
type textBlock struct {
	ids  []int64
	ends []uint32 // of each user's text
	text []byte
}

func (b *textBlock) first() int64 { return b.ids[0] }
func (b *textBlock) last() int64  { return b.ids[len(b.ids)-1] }

// of is the text of one user of the block.
func (b *textBlock) of(i int) []byte {
	if i == 0 {
		return b.text[:b.ends[0]]
	}
	return b.text[b.ends[i-1]:b.ends[i]]
}

// textField is a column of the texts. A user's text has them in this order, and after each its number as a byte.
type textField byte

const (
	anyField textField = iota
	lastNameField
	firstNameField
	lanIDField
	agentIDField
	pbxIDField
)

// lastSign is the last of the bytes that are no letter of a text; a text that has one all the same gets it instead.
const lastSign = byte(pbxIDField) + 1

// textBlockUsers is how many users a block has: few enough to copy when one is renamed.
const textBlockUsers = 4096

// textBuilder makes blocks of users who come by id.
type textBuilder struct {
	blocks []*textBlock
	now    textBlock
	users  int
}

// add takes the fields in their order.
func (b *textBuilder) add(id int64, fields ...[]byte) {
	for i, f := range fields {
		begin := len(b.now.text)
		b.now.text = append(b.now.text, f...)
		for j, c := range b.now.text[begin:] {
			if c < lastSign {
				b.now.text[begin+j] = lastSign
			}
		}
		b.now.text = append(b.now.text, byte(i+1))
	}
	b.added(id)
}

// copy takes users of a block.
func (b *textBuilder) copy(from *textBlock, begin, end int) {
	for i := begin; i < end; i++ {
		b.now.text = append(b.now.text, from.of(i)...)
		b.added(from.ids[i])
	}
}

func (b *textBuilder) added(id int64) {
	b.now.ids = append(b.now.ids, id)
	b.now.ends = append(b.now.ends, uint32(len(b.now.text)))
	if b.users++; len(b.now.ids) == textBlockUsers {
		b.flush()
	}
}

// flush copies the block, so that no room is left over in it.
func (b *textBuilder) flush() {
	if len(b.now.ids) > 0 {
		b.blocks = append(b.blocks, &textBlock{exact(b.now.ids), exact(b.now.ends), exact(b.now.text)})
	}
	b.now.ids, b.now.ends, b.now.text = b.now.ids[:0], b.now.ends[:0], b.now.text[:0]
}

func exact[T any](s []T) []T {
	c := make([]T, len(s))
	copy(c, s)
	return c
}

// build ends it.
func (b *textBuilder) build() *texts {
	b.flush()
	return &texts{blocks: b.blocks, users: b.users}
}

// replace returns the texts with what add adds in place of the users from first to last.
func (t *texts) replace(first, last int64, add func(*textBuilder) error) (*texts, error) {
	from, _ := slices.BinarySearchFunc(t.blocks, first, func(b *textBlock, id int64) int { return cmp.Compare(b.last(), id) })
	if from > 0 && len(t.blocks[from-1].ids) < textBlockUsers/2 {
		from-- // where users come one by one, blocks still fill up
	}
	to := from
	for to < len(t.blocks) && t.blocks[to].first() <= last {
		to++
	}
	var b textBuilder
	b.blocks = append(make([]*textBlock, 0, len(t.blocks)+1), t.blocks[:from]...)
	for _, old := range t.blocks[from:to] {
		below, _ := slices.BinarySearch(old.ids, first)
		b.copy(old, 0, below)
	}
	if err := add(&b); err != nil {
		return nil, err
	}
	for _, old := range t.blocks[from:to] {
		above, _ := slices.BinarySearch(old.ids, last+1)
		b.copy(old, above, len(old.ids))
	}
	b.flush()
	b.blocks = append(b.blocks, t.blocks[to:]...)
	all := &texts{blocks: b.blocks}
	for _, block := range all.blocks {
		all.users += len(block.ids)
	}
	return all, nil
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

// each hands out the users who pass all tests, by their ids, ascending, until yield returns false.
func (t *texts) each(tests []textTest, yield func(id int64, text []byte) bool) {
	if len(tests) == 0 {
		for _, b := range t.blocks {
			for i, id := range b.ids {
				if !yield(id, b.of(i)) {
					return
				}
			}
		}
		return
	}
	// Whoever has the longest pattern is looked for; few have it as a rule.
	tests = slices.Clone(tests)
	slices.SortFunc(tests, func(a, b textTest) int { return len(b.pattern) - len(a.pattern) })
	lead, others := tests[0], tests[1:]
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
			text := b.of(i)
			if !slices.ContainsFunc(others, func(o textTest) bool { return !o.matches(text) }) && !yield(b.ids[i], text) {
				return
			}
			at = int(b.ends[i])
		}
	}
}

// find returns the users who pass all tests: the first ids, up to most of them.
func (t *texts) find(tests []textTest, most int) (ids []int64) {
	t.each(tests, func(id int64, _ []byte) bool {
		ids = append(ids, id)
		return len(ids) < most
	})
	return ids
}

// count returns how many pass all tests.
func (t *texts) count(tests []textTest) (n int64) {
	t.each(tests, func(int64, []byte) bool {
		n++
		return true
	})
	return n
}
