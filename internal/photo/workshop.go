package photo

import (
	"runtime"
	"sync"
)

// workshop lends what is needed while one picture is worked on. Making buffers anew for each would keep the collector busy, and
// the process larger than the pictures need. What a buffer holds when it is lent is whatever was in it.
type workshop struct {
	lent   []*[]byte
	shorts []*[]int16
	big    int // bytes of buffers too big to be kept
	used   int // bytes of all that was lent
}

// keptBytes is how large a buffer may be to be kept for the next picture; far above what a small one needs, and far below a
// large one.
const keptBytes = 8 << 20

// muchGarbage is how many bytes may be left to the collector, to find when it next looks. More is collected before anybody else is
// let through the budget, which counts what is in use.
const muchGarbage = 32 << 20

var bytesKept, shortsKept sync.Pool

// bytes lends n bytes.
func (w *workshop) bytes(n int) []byte {
	w.used += n
	if n > keptBytes {
		w.big += n
		return make([]byte, n)
	}
	b, _ := bytesKept.Get().(*[]byte)
	if b == nil || cap(*b) < n {
		made := make([]byte, n)
		b = &made
	}
	w.lent = append(w.lent, b)
	return (*b)[:n]
}

// zeros lends n numbers that are 0.
func (w *workshop) zeros(n int) []int16 {
	w.used += 2 * n
	if 2*n > keptBytes {
		w.big += 2 * n
		return make([]int16, n)
	}
	b, _ := shortsKept.Get().(*[]int16)
	if b == nil || cap(*b) < n {
		made := make([]int16, n)
		b = &made
	}
	w.shorts = append(w.shorts, b)
	clear((*b)[:n])
	return (*b)[:n]
}

// plane lends a plane of w × h samples.
func (w *workshop) plane(width, height int) plane {
	return plane{pix: w.bytes(width * height), w: width, h: height, stride: width, spanX: 1, spanY: 1}
}

// close takes everything back; nothing that was lent may be used any more.
func (w *workshop) close() {
	for _, b := range w.lent {
		bytesKept.Put(b)
	}
	for _, b := range w.shorts {
		shortsKept.Put(b)
	}
	w.collect()
	*w = workshop{}
}

// collect has the memory collected of large buffers that are no longer in use.
func (w *workshop) collect() {
	if w.big > muchGarbage {
		runtime.GC()
	}
}
