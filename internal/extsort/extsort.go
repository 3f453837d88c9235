// Package extsort sorts more records than memory holds: writers fill buffers, full buffers are sorted and spilled to
// files of a scratch directory, and reading merges them. What fits into the buffers never touches the disk.
package extsort

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
)

// Record is a key, a number that orders records of the same key, and a payload. On reading, the slices are valid
// until the next record is read.
type Record struct {
	Key     []byte
	Number  uint64
	Payload []byte
}

// Sorter collects records from any number of writers, then gives them back in order of key (bytewise) and number.
type Sorter struct {
	dir    string
	memory int

	mu   sync.Mutex
	runs []*run
}

// run is one sorted sequence: in memory, or in a file.
type run struct {
	mem  *buffer
	file *os.File
	size int64
}

// New returns a sorter that spills into dir. Each writer keeps up to memory bytes.
func New(dir string, memory int) *Sorter { return &Sorter{dir: dir, memory: memory} }

// Writer adds records; it belongs to one goroutine.
type Writer struct {
	s   *Sorter
	buf *buffer
}

// Writer returns a new writer. Its records count once it is closed.
func (s *Sorter) Writer() *Writer { return &Writer{s: s} }

// Add copies the record. It fails when the scratch directory cannot be written.
func (w *Writer) Add(r Record) error {
	need := len(r.Key) + len(r.Payload) + 28
	if w.buf != nil && len(w.buf.data)+need > cap(w.buf.data) && len(w.buf.data) > 0 {
		if cap(w.buf.data) >= w.s.memory {
			if err := w.spill(); err != nil {
				return err
			}
		} else {
			w.buf.data = slices.Grow(w.buf.data, min(w.s.memory, 4*cap(w.buf.data))-len(w.buf.data))
		}
	}
	if w.buf == nil {
		w.buf = &buffer{data: make([]byte, 0, max(need, min(w.s.memory, 64<<10)))}
	}
	w.buf.add(r)
	return nil
}

func (w *Writer) spill() error {
	w.buf.sort()
	f, err := os.CreateTemp(w.s.dir, "run-*")
	if err != nil {
		return fmt.Errorf("make a scratch file: %w", err)
	}
	r := &run{file: f}
	w.s.mu.Lock()
	w.s.runs = append(w.s.runs, r)
	w.s.mu.Unlock()
	out := bufio.NewWriterSize(f, 256<<10)
	for _, e := range w.buf.entries {
		raw := w.buf.raw(e)
		r.size += int64(len(raw))
		if _, err := out.Write(raw); err != nil {
			return fmt.Errorf("write a scratch file: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write a scratch file: %w", err)
	}
	w.buf.data, w.buf.entries = w.buf.data[:0], w.buf.entries[:0]
	return nil
}

// Close hands what the writer still holds to the sorter.
func (w *Writer) Close() {
	if w.buf == nil || len(w.buf.entries) == 0 {
		return
	}
	w.buf.sort()
	w.s.mu.Lock()
	w.s.runs = append(w.s.runs, &run{mem: w.buf})
	w.s.mu.Unlock()
	w.buf = nil
}

// Close removes the scratch files.
func (s *Sorter) Close() error {
	var err error
	for _, r := range s.runs {
		if r.file != nil {
			err = errors.Join(err, r.file.Close(), os.Remove(r.file.Name()))
		}
	}
	s.runs = nil
	return err
}

// Scan gives every record to fn, in no particular order.
func (s *Sorter) Scan(fn func(Record) error) error {
	for _, r := range s.runs {
		c := r.open()
		for {
			ok, err := c.next()
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			if err := fn(c.rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// buffer holds records one behind the other, and an entry for each to sort by.
type buffer struct {
	data    []byte
	entries []entry
}

// entry carries the first 16 bytes of the key, so that most comparisons never leave the slice that is sorted.
type entry struct {
	hi, lo uint64
	off    uint32
}

func prefixes(key []byte) (hi, lo uint64) {
	if len(key) >= 16 {
		return binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(key[8:])
	}
	var b [16]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])
}

func (b *buffer) add(r Record) {
	off := len(b.data)
	b.data = binary.AppendUvarint(b.data, uint64(len(r.Key)))
	b.data = append(b.data, r.Key...)
	b.data = binary.AppendUvarint(b.data, r.Number)
	b.data = binary.AppendUvarint(b.data, uint64(len(r.Payload)))
	b.data = append(b.data, r.Payload...)
	hi, lo := prefixes(r.Key)
	b.entries = append(b.entries, entry{hi, lo, uint32(off)})
}

func (b *buffer) raw(e entry) []byte {
	_, n := parse(b.data[e.off:])
	return b.data[e.off : int(e.off)+n]
}

func (b *buffer) sort() {
	slices.SortFunc(b.entries, func(x, y entry) int {
		if c := cmp.Compare(x.hi, y.hi); c != 0 {
			return c
		}
		if c := cmp.Compare(x.lo, y.lo); c != 0 {
			return c
		}
		rx, _ := parse(b.data[x.off:])
		ry, _ := parse(b.data[y.off:])
		return compare(rx, ry)
	})
}

func compare(x, y Record) int {
	if c := bytes.Compare(x.Key, y.Key); c != 0 {
		return c
	}
	return cmp.Compare(x.Number, y.Number)
}

// parse reads the record at the start of b, which must hold all of it.
func parse(b []byte) (r Record, size int) {
	n, i := binary.Uvarint(b)
	r.Key = b[i : i+int(n)]
	i += int(n)
	var k int
	r.Number, k = binary.Uvarint(b[i:])
	i += k
	n, k = binary.Uvarint(b[i:])
	i += k
	r.Payload = b[i : i+int(n)]
	return r, i + int(n)
}

// cursor walks over one run.
type cursor struct {
	rec    Record
	hi, lo uint64

	mem *buffer
	pos int

	in  *bufio.Reader
	buf []byte
}

func (r *run) open() *cursor {
	if r.mem != nil {
		return &cursor{mem: r.mem}
	}
	return &cursor{in: bufio.NewReaderSize(io.NewSectionReader(r.file, 0, r.size), 256<<10)}
}

func (c *cursor) next() (bool, error) {
	if c.mem != nil {
		if c.pos == len(c.mem.entries) {
			return false, nil
		}
		e := c.mem.entries[c.pos]
		c.rec, _ = parse(c.mem.data[e.off:])
		c.hi, c.lo = e.hi, e.lo
		c.pos++
		return true, nil
	}
	ok, err := c.read()
	if ok {
		c.hi, c.lo = prefixes(c.rec.Key)
	}
	return ok, err
}

func (c *cursor) read() (bool, error) {
	n, err := binary.ReadUvarint(c.in)
	if err == io.EOF {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	keyLen := int(n)
	c.buf = slices.Grow(c.buf[:0], keyLen)[:keyLen]
	if _, err := io.ReadFull(c.in, c.buf); err != nil {
		return false, err
	}
	if c.rec.Number, err = binary.ReadUvarint(c.in); err != nil {
		return false, err
	}
	if n, err = binary.ReadUvarint(c.in); err != nil {
		return false, err
	}
	c.buf = slices.Grow(c.buf, int(n))[:keyLen+int(n)]
	if _, err := io.ReadFull(c.in, c.buf[keyLen:]); err != nil {
		return false, err
	}
	c.rec.Key, c.rec.Payload = c.buf[:keyLen], c.buf[keyLen:]
	return true, nil
}

func (c *cursor) less(d *cursor) bool {
	if c.hi != d.hi {
		return c.hi < d.hi
	}
	if c.lo != d.lo {
		return c.lo < d.lo
	}
	return compare(c.rec, d.rec) < 0
}
