package useredit

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"muster/internal/directory"
)

// A set of users begins with this line. Then come its users, ids ascending, each as the distance of the id from the one
// before and the version (unsigned varints): a million take two megabytes or three.
const setHeader = "muster users 2\n"

// setWriter turns users into a set's bytes.
type setWriter struct {
	w    *bufio.Writer
	last int64
	n    int64
	// agents is how many of the n are.
	agents int64
	buf    [2 * binary.MaxVarintLen64]byte
}

func newSetWriter(w io.Writer) (*setWriter, error) {
	s := &setWriter{w: bufio.NewWriterSize(w, 64<<10)}
	_, err := s.w.WriteString(setHeader)
	return s, err
}

func (s *setWriter) add(u directory.UserVersion) error {
	b := binary.AppendUvarint(s.buf[:0], uint64(u.ID-s.last))
	b = binary.AppendUvarint(b, uint64(u.Version))
	s.last = u.ID
	s.n++
	if u.Profile == directory.Agent {
		s.agents++
	}
	_, err := s.w.Write(b)
	return err
}

// userBlock is some users of a set, ascending; the first is at the place from, counted from 0.
type userBlock struct {
	from     int64
	ids      []int64
	versions []int64
}

// sum is the sum of the versions.
func (b *userBlock) sum() (n int64) {
	for _, v := range b.versions {
		n += v
	}
	return n
}

// readSet yields a set in blocks of size users. A block is its receiver's to keep.
func readSet(f io.Reader, size int) iter.Seq2[userBlock, error] {
	return func(yield func(userBlock, error) bool) {
		r := bufio.NewReaderSize(f, 64<<10)
		header := make([]byte, len(setHeader))
		if _, err := io.ReadFull(r, header); err != nil || string(header) != setHeader {
			yield(userBlock{}, fmt.Errorf("the frozen set of users is not one: %w", err))
			return
		}
		b, last := userBlock{}, int64(0)
		for {
			u, err := readUser(r, last)
			if err == nil {
				last = u.ID
				b.ids, b.versions = append(b.ids, u.ID), append(b.versions, u.Version)
			}
			if len(b.ids) > 0 && (err == io.EOF || len(b.ids) == size) {
				if !yield(b, nil) {
					return
				}
				b = userBlock{from: b.from + int64(len(b.ids)), ids: make([]int64, 0, size), versions: make([]int64, 0, size)}
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(userBlock{}, fmt.Errorf("read the frozen set of users: %w", err))
				return
			}
		}
	}
}

// readUser reads a user; io.EOF is the end of the set.
func readUser(r io.ByteReader, last int64) (u directory.UserVersion, err error) {
	d, err := binary.ReadUvarint(r)
	if err != nil {
		return u, err
	}
	v, err := binary.ReadUvarint(r)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return directory.UserVersion{ID: last + int64(d), Version: int64(v)}, err
}
