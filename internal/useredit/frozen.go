package useredit

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"muster/internal/batch"
)

// A frozen set begins with this line. Then come ids, ascending, each as its distance from the one before (unsigned
// varint): a million take a megabyte or two.
const frozenHeader = "muster users 1\n"

// frozenWriter yields a frozen set as bytes, and counts its users.
type frozenWriter struct {
	next func() (int64, error, bool)
	stop func()
	buf  []byte
	last int64
	n    *int64
}

// freeze reads ids, ascending, as they are asked for.
func freeze(ids iter.Seq2[int64, error], n *int64) io.ReadCloser {
	next, stop := iter.Pull2(ids)
	*n = 0
	return &frozenWriter{next: next, stop: stop, buf: []byte(frozenHeader), n: n}
}

func (w *frozenWriter) Read(p []byte) (int, error) {
	for len(w.buf) < len(p) {
		id, err, more := w.next()
		if err != nil {
			return 0, fmt.Errorf("freeze users: %w", err)
		}
		if !more {
			break
		}
		w.buf = binary.AppendUvarint(w.buf, uint64(id-w.last))
		w.last = id
		*w.n++
	}
	if len(w.buf) == 0 {
		return 0, io.EOF
	}
	n := copy(p, w.buf)
	w.buf = append(w.buf[:0], w.buf[n:]...)
	return n, nil
}

func (w *frozenWriter) Close() error {
	w.stop()
	return nil
}

// block is some users of a frozen set, ascending; the first is at the place from, counted from 0.
type block struct {
	from int64
	ids  []int64
}

// blocks yields the frozen set in blocks of size users. A block is its receiver's to keep.
func blocks(run *batch.Run, size int) iter.Seq2[block, error] {
	return func(yield func(block, error) bool) {
		f, err := run.Open(0)
		if err != nil {
			yield(block{}, err)
			return
		}
		defer f.Close()
		r := bufio.NewReaderSize(f, 64<<10)
		header := make([]byte, len(frozenHeader))
		if _, err := io.ReadFull(r, header); err != nil || string(header) != frozenHeader {
			yield(block{}, fmt.Errorf("the frozen set of users of batch %d is not one", run.Batch.ID))
			return
		}
		b, last := block{}, int64(0)
		for {
			d, err := binary.ReadUvarint(r)
			if err == nil {
				last += int64(d)
				b.ids = append(b.ids, last)
			}
			if len(b.ids) > 0 && (err == io.EOF || len(b.ids) == size) {
				if !yield(b, nil) {
					return
				}
				b = block{from: b.from + int64(len(b.ids))}
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(block{}, fmt.Errorf("read the frozen set of users: %w", err))
				return
			}
		}
	}
}
