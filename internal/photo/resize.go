package photo

import (
	"encoding/binary"
	"math"
)

// A picture is made smaller (or larger) by a tent filter, first down and then, turned over, down again, so that one
// routine, which works on eight samples in a word, does both.

// tap is what one sample of the result is made of: the samples from first on, by their weights, whose sum is 256.
type tap struct {
	first   int
	weights []uint64
}

// taps returns how n samples are made of those from start to start+size, of which whole ones from lowest to highest-1 may be
// looked at. A sample's tent is as wide as the samples of the result are apart, and at least as the source's are.
func taps(n int, start, size float64, lowest, highest int) []tap {
	step := size / float64(n)
	reach := max(1, step)
	all := make([]tap, n)
	tent := make([]float64, 0, int(2*reach)+2)
	for i := range all {
		centre := start + (float64(i)+0.5)*step - 0.5
		first := max(lowest, int(math.Ceil(centre-reach)))
		last := min(highest-1, int(math.Floor(centre+reach)))
		first, last = min(first, highest-1), max(last, lowest)
		tent = tent[:0]
		sum := 0.0
		for j := first; j <= last; j++ {
			w := max(0, 1-math.Abs(float64(j)-centre)/reach)
			tent = append(tent, w)
			sum += w
		}
		all[i] = tap{first: first, weights: whole(tent, sum)}
	}
	return all
}

// whole makes whole numbers of the weights, whose sum is 256: each is what the rounded sum so far grows by.
func whole(tent []float64, sum float64) []uint64 {
	weights := make([]uint64, len(tent))
	if sum == 0 {
		weights[0] = 256
		return weights
	}
	so, before := 0.0, uint64(0)
	for i, w := range tent {
		so += w
		now := uint64(math.Round(so / sum * 256))
		weights[i], before = now-before, now
	}
	return weights
}

const (
	everyOther = 0x00ff00ff00ff00ff
	halves     = 0x0080008000800080
)

// shrinkDown makes len(taps) rows of dst of the rows of src, each w samples wide. Eight samples are multiplied at a time,
// as two words of four 16-bit lanes: 255 × 256 and the half that rounds fit in a lane.
func shrinkDown(dst []byte, dstStride int, src []byte, srcStride, w int, taps []tap) {
	for r, t := range taps {
		row := dst[r*dstStride:][:w]
		from := src[t.first*srcStride:]
		x := 0
		for ; x+8 <= w; x += 8 {
			even, odd := uint64(halves), uint64(halves)
			at := x
			for _, weight := range t.weights {
				eight := binary.LittleEndian.Uint64(from[at:])
				even += eight & everyOther * weight
				odd += eight >> 8 & everyOther * weight
				at += srcStride
			}
			binary.LittleEndian.PutUint64(row[x:], even>>8&everyOther|odd&^uint64(everyOther))
		}
		for ; x < w; x++ {
			sum := uint64(128)
			for k, weight := range t.weights {
				sum += uint64(from[k*srcStride+x]) * weight
			}
			row[x] = byte(sum >> 8)
		}
	}
}

// turnOver writes src, w × h samples, mirrored along its diagonal to dst, h × w.
func turnOver(dst []byte, dstStride int, src []byte, srcStride, w, h int) {
	y := 0
	for ; y+8 <= h; y += 8 {
		x := 0
		for ; x+8 <= w; x += 8 {
			turnOverBlock(dst[x*dstStride+y:], dstStride, src[y*srcStride+x:], srcStride)
		}
		for ; x < w; x++ {
			for k := range 8 {
				dst[x*dstStride+y+k] = src[(y+k)*srcStride+x]
			}
		}
	}
	for ; y < h; y++ {
		for x := range w {
			dst[x*dstStride+y] = src[y*srcStride+x]
		}
	}
}

// turnOverBlock does so for eight rows of eight, in eight words: squares of four, two and one change places.
func turnOverBlock(dst []byte, dstStride int, src []byte, srcStride int) {
	var m [8]uint64
	for i := range m {
		m[i] = binary.LittleEndian.Uint64(src[i*srcStride:])
	}
	for i := range 4 {
		t := (m[i]>>32 ^ m[i+4]) & 0x00000000ffffffff
		m[i], m[i+4] = m[i]^t<<32, m[i+4]^t
	}
	for _, i := range [4]int{0, 1, 4, 5} {
		t := (m[i]>>16 ^ m[i+2]) & 0x0000ffff0000ffff
		m[i], m[i+2] = m[i]^t<<16, m[i+2]^t
	}
	for i := 0; i < 8; i += 2 {
		t := (m[i]>>8 ^ m[i+1]) & everyOther
		m[i], m[i+1] = m[i]^t<<8, m[i+1]^t
	}
	for i, row := range m {
		binary.LittleEndian.PutUint64(dst[i*dstStride:], row)
	}
}

// area is a part of a picture, in its pixels.
type area struct{ x, y, width, height int }

// resized returns an area of the picture that the plane is of, as width × height samples, lent by w.
func (p plane) resized(w *workshop, a area, width, height int) plane {
	x, y := float64(a.x)/float64(p.spanX), float64(a.y)/float64(p.spanY)
	across, down := float64(a.width)/float64(p.spanX), float64(a.height)/float64(p.spanY)
	left, right := min(int(x), p.w-1), min(p.w, int(math.Ceil(x+across)))
	top, bottom := min(int(y), p.h-1), min(p.h, int(math.Ceil(y+down)))
	columns := right - left

	lower := w.bytes(height * columns)
	shrinkDown(lower, columns, p.pix[left:], p.stride, columns, taps(height, y, down, top, bottom))
	over := w.bytes(columns * height)
	turnOver(over, height, lower, columns, columns, height)
	narrower := w.bytes(width * height)
	shrinkDown(narrower, height, over, height, height, taps(width, x-float64(left), across, 0, columns))
	out := w.plane(width, height)
	turnOver(out.pix, width, narrower, height, height, width)
	return out
}

// squared returns a square of the picture as planes of side × side samples, of colour half as many each way.
func (p *planes) squared(w *workshop, s square, side int) *planes {
	a := area{s.x, s.y, s.size, s.size}
	out := &planes{width: side, height: side, y: p.y.resized(w, a, side, side)}
	if !p.grey() {
		out.cb, out.cr = p.cb.resized(w, a, side/2, side/2), p.cr.resized(w, a, side/2, side/2)
		out.cb.spanX, out.cb.spanY, out.cr.spanX, out.cr.spanY = 2, 2, 2, 2
	}
	return out
}
