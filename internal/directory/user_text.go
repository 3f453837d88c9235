package directory

import (
	"cmp"
	"slices"
)

// texts are the names and ids of all users, folded, as the free text and "contains" look through them, and by whom and when
// the users were last changed: what there is no index on. They are in memory, some 70 bytes a user: to look through a million
// takes a hundredth of a second there, and a quarter of one in the engines' tables. An index of all pieces of all texts would
// be as quick, and add a third to every import on SQLite; one on what every change writes would be written by every change.
//
// They never change: [texts.replace] makes others, which share most of their blocks.
type texts struct {
	blocks   []*textBlock // by id; none is empty
	users    int
	changers *changers
	names    []string // of the changers, by their numbers
}

// textBlock holds some users, by id.
type textBlock struct {
	ids  []int64
	ends []uint32 // of each user's text
	text []byte
	at   []int64  // when each was last changed, in microseconds
	by   []uint32 // and by whom: the number of a changer
}

// changers numbers those who changed users. It only grows, under the reader's lock.
type changers struct {
	names   []string
	numbers map[string]uint32
}

func (c *changers) number(name []byte) uint32 {
	n, ok := c.numbers[string(name)]
	if !ok {
		n = uint32(len(c.names))
		c.names = append(c.names, string(name))
		c.numbers[c.names[n]] = n
	}
	return n
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

// textField is a column of the texts. A user's text has the first five in this order, and after each its number as a byte.
type textField byte

const (
	anyField textField = iota
	lastNameField
	firstNameField
	lanIDField
	agentIDField
	pbxIDField
	changedAtField
	changedByField
)

// lastSign is the last of the bytes that are no letter of a text; a text that has one all the same gets it instead.
const lastSign = byte(pbxIDField) + 1

// textBlockUsers is how many users a block has: few enough to copy when one is renamed.
const textBlockUsers = 4096

// textBuilder makes blocks of users who come by id.
type textBuilder struct {
	blocks   []*textBlock
	now      textBlock
	users    int
	changers *changers
}

func newTextBuilder() textBuilder {
	return textBuilder{changers: &changers{numbers: map[string]uint32{}}}
}

// add takes when and by whom the user was changed, and the fields of text in their order.
func (b *textBuilder) add(id, at int64, by []byte, fields ...[]byte) {
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
	b.added(id, at, b.changers.number(by))
}

// copy takes users of a block.
func (b *textBuilder) copy(from *textBlock, begin, end int) {
	for i := begin; i < end; i++ {
		b.now.text = append(b.now.text, from.of(i)...)
		b.added(from.ids[i], from.at[i], from.by[i])
	}
}

func (b *textBuilder) added(id, at int64, by uint32) {
	b.now.ids, b.now.at, b.now.by = append(b.now.ids, id), append(b.now.at, at), append(b.now.by, by)
	b.now.ends = append(b.now.ends, uint32(len(b.now.text)))
	if b.users++; len(b.now.ids) == textBlockUsers {
		b.flush()
	}
}

// flush copies the block, so that no room is left over in it.
func (b *textBuilder) flush() {
	if len(b.now.ids) > 0 {
		b.blocks = append(b.blocks, &textBlock{exact(b.now.ids), exact(b.now.ends), exact(b.now.text), exact(b.now.at), exact(b.now.by)})
	}
	b.now = textBlock{b.now.ids[:0], b.now.ends[:0], b.now.text[:0], b.now.at[:0], b.now.by[:0]}
}

func exact[T any](s []T) []T {
	c := make([]T, len(s))
	copy(c, s)
	return c
}

// build ends it.
func (b *textBuilder) build() *texts {
	b.flush()
	return &texts{blocks: b.blocks, users: b.users, changers: b.changers, names: slices.Clip(b.changers.names)}
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
	b := textBuilder{changers: t.changers}
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
	b.blocks, b.users = append(b.blocks, t.blocks[to:]...), 0
	for _, block := range b.blocks {
		b.users += len(block.ids)
	}
	return b.build(), nil
}
