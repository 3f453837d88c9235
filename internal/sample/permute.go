package sample

import "math/bits"

// A permutation of [0, n) that needs no memory: a bijection of the next power of two, walked on
// from whatever lies outside. at costs less than two rounds on average, since n is over half of it.
type permutation struct {
	n     uint64
	mask  uint64
	shift int
	add   [3]uint64
}

func newPermutation(n, seed uint64) permutation {
	p := permutation{n: n}
	if n > 1 {
		width := bits.Len64(n - 1)
		p.mask = 1<<width - 1
		p.shift = (width + 1) / 2
	}
	for i := range p.add {
		p.add[i] = mix(seed + uint64(i))
	}
	return p
}

// at returns the i-th of the permuted numbers; i must be below n.
func (p *permutation) at(i uint64) uint64 {
	if p.mask == 0 {
		return 0 // one number only
	}
	for {
		i = p.step(i)
		if i < p.n {
			return i
		}
	}
}

// step is a bijection of [0, mask]: adding, multiplying by an odd number and folding the upper
// half into the lower each are.
func (p *permutation) step(x uint64) uint64 {
	for _, add := range p.add {
		x = ((x + add) * 0x9E3779B97F4A7C15) & p.mask
		x ^= x >> p.shift
	}
	return x
}

// mix scatters x over 64 bits (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// pick chooses one of n by the twelve bits of hash at shift, which is plenty for a short list.
func pick(hash uint64, shift, n int) int {
	return int((hash >> shift & 0xFFF) * uint64(n) >> 12)
}

// chance is true for percent of all hashes, by the sixteen bits at shift.
func chance(hash uint64, shift, percent int) bool {
	return (hash>>shift&0xFFFF)*100 < uint64(percent)<<16
}
