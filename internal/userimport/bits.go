package userimport

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"sync/atomic"
)

// bits is a set of places: a bit for each row of the file, the only memory that grows with it (125 kB a million).
type bits []uint64

func newBits(n int64) bits { return make(bits, (n+63)/64) }

func (b bits) has(i int64) bool { return b[i>>6]&(1<<(i&63)) != 0 }
func (b bits) set(i int64)      { b[i>>6] |= 1 << (i & 63) }
func (b bits) clear(i int64)    { b[i>>6] &^= 1 << (i & 63) }

// packRuns writes ascending places as runs: how many are left out, how many follow each other.
func packRuns(places []int64) []byte {
	var out []byte
	end := int64(0)
	for i := 0; i < len(places); {
		j := i + 1
		for j < len(places) && places[j] == places[j-1]+1 {
			j++
		}
		out = binary.AppendUvarint(out, uint64(places[i]-end))
		out = binary.AppendUvarint(out, uint64(j-i))
		end = places[j-1] + 1
		i = j
	}
	return out
}

// unpackRuns sets the places that packRuns wrote.
func (b bits) unpackRuns(packed []byte) error {
	left := uint64(len(b)) * 64
	at := int64(0)
	for len(packed) > 0 {
		skip, n := binary.Uvarint(packed)
		if n <= 0 || skip > left {
			return errors.New("a checkpoint's members are torn")
		}
		run, m := binary.Uvarint(packed[n:])
		if m <= 0 || run > left-skip {
			return errors.New("a checkpoint's members are torn")
		}
		left -= skip + run
		packed = packed[n+m:]
		at += int64(skip)
		for range run {
			b.set(at)
			at++
		}
	}
	return nil
}

// sketch finds the keys that may occur more than once, in memory that does not depend on how many there are: a key
// that does occur twice is always found, and few others are. What it finds is then judged exactly.
type sketch struct {
	seed        maphash.Seed
	once, twice []uint64
}

// sketchBits makes 4 MiB a sketch: at a million keys 6 % of the others are found too, at ten million not quite half.
const sketchBits = 1 << 24

func newSketch() *sketch {
	return &sketch{seed: maphash.MakeSeed(), once: make([]uint64, sketchBits/64), twice: make([]uint64, sketchBits/64)}
}

func (s *sketch) place(key string) (word int, bit uint64) {
	h := maphash.String(s.seed, key)
	return int(h >> 6 % (sketchBits / 64)), 1 << (h & 63)
}

// add may be called from several goroutines.
func (s *sketch) add(key string) {
	word, bit := s.place(key)
	if atomic.OrUint64(&s.once[word], bit)&bit != 0 {
		atomic.OrUint64(&s.twice[word], bit)
	}
}

// maybeRepeated tells whether key may have been added twice; ask when all are added.
func (s *sketch) maybeRepeated(key string) bool {
	word, bit := s.place(key)
	return s.twice[word]&bit != 0
}
