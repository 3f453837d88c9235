package photo

import "encoding/binary"

// bitReader reads the bits of entropy-coded data, as far as a marker or its end; behind that are zeros, which are counted, so
// that whoever has read them can be told that the data ended too early.
type bitReader struct {
	data  []byte
	at    int
	bits  uint64 // the next ones, from the highest down
	n     int    // how many are in bits, the made-up ones included
	lacks int    // how many of those are made up
}

// fill makes sure that 32 bits and more are there.
func (r *bitReader) fill() {
	if r.n > 32 {
		return
	}
	if r.at+4 <= len(r.data) {
		four := binary.BigEndian.Uint32(r.data[r.at:])
		if (four&0x7f7f7f7f+0x01010101)&four&0x80808080 == 0 { // none of them is 0xff
			r.bits |= uint64(four) << (32 - r.n)
			r.n += 32
			r.at += 4
			return
		}
	}
	r.fillSlowly()
}

func (r *bitReader) fillSlowly() {
	for r.n <= 56 {
		if r.at >= len(r.data) || r.data[r.at] == 0xff && (r.at+1 >= len(r.data) || r.data[r.at+1] != 0) {
			r.lacks += 8
		} else {
			r.bits |= uint64(r.data[r.at]) << (56 - r.n)
			if r.data[r.at] == 0xff {
				r.at++ // the zero that follows says that it is no marker
			}
			r.at++
		}
		r.n += 8
	}
}

// ranOut says whether bits were read that are not there.
func (r *bitReader) ranOut() bool { return r.n < r.lacks }

// end returns where the first byte lies of which no bit was read, and leaves the reader there, with nothing read ahead.
func (r *bitReader) end() int {
	for ahead := (r.n - r.lacks) / 8; ahead > 0; ahead-- {
		r.at--
		if r.at > 0 && r.data[r.at] == 0 && r.data[r.at-1] == 0xff {
			r.at--
		}
	}
	r.bits, r.n, r.lacks = 0, 0, 0
	return r.at
}

// take returns the next n bits, 0 to 16. There must have been a fill for every 32.
func (r *bitReader) take(n int) int {
	v := int(r.bits >> (64 - n))
	r.bits <<= n
	r.n -= n
	return v
}

// signed reads a number of n bits whose highest bit says the sign, as in T.81, F.2.2.1.
func (r *bitReader) signed(n int) int {
	v := r.take(n)
	if n > 0 && v < 1<<(n-1) {
		v += -1<<n + 1
	}
	return v
}

// quickBits is how long the codes are that are looked up at once; most are shorter.
const quickBits = 9

// huffman is a table of codes (T.81, annex C): quick[next bits] is length<<8 | value, or 0 for longer ones, of which those of
// n bits are below limit[n], as the highest of 16, and have their values from values[first[n]+code] on.
type huffman struct {
	known  bool
	quick  [1 << quickBits]uint16
	limit  [18]int
	first  [17]int
	values [256]byte
}

// set makes the table of how many codes each length has, and their values, in order.
func (h *huffman) set(counts, values []byte) error {
	*h = huffman{known: true}
	copy(h.values[:], values)
	code, k := 0, 0
	for length := 1; length <= 16; length++ {
		h.first[length] = k - code
		for range counts[length-1] {
			if code >= 1<<length {
				return damaged("one of its tables has more codes than there can be")
			}
			if length <= quickBits {
				from := code << (quickBits - length)
				for i := range 1 << (quickBits - length) {
					h.quick[from+i] = uint16(length<<8) | uint16(values[k])
				}
			}
			code++
			k++
		}
		h.limit[length] = code << (16 - length)
		code <<= 1
	}
	h.limit[17] = 1 << 16
	return nil
}

// symbol reads a code and returns its value; of no code's bits it returns 0, having read 16 of them.
func (r *bitReader) symbol(h *huffman) int {
	if e := h.quick[r.bits>>(64-quickBits)]; e != 0 {
		r.bits <<= e >> 8
		r.n -= int(e >> 8)
		return int(e & 0xff)
	}
	next := int(r.bits >> 48)
	length := quickBits + 1
	for next >= h.limit[length] {
		length++
	}
	if length > 16 {
		r.take(16)
		r.lacks += 1 << 30 // no such code: the picture is damaged
		return 0
	}
	return int(h.values[h.first[length]+r.take(length)])
}
