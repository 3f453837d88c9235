package pictureimport

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/klauspost/compress/flate"

	"muster/internal/photo"
)

const localSignature, localBytes = 0x04034b50, 30

// localSlack is how many bytes of extra fields are expected between a file's name and its content: with them, one read
// brings all of it.
const localSlack = 64

// unpacker unpacks one file after the other; its buffers are used again.
type unpacker struct {
	*archive
	packed, unpacked []byte
	inflate          io.ReadCloser
}

func damagedFile(format string, args ...any) error {
	return &photo.Refusal{Code: photo.Damaged, Message: fmt.Sprintf(format, args...)}
}

// unpack returns the content of a file, which holds until the next call. What is wrong with the content is a
// *photo.Refusal; what shows that the archive lies about it, a *refusal; other errors are the source's. Nothing is unpacked
// beyond what the directory says.
func (u *unpacker) unpack(e *entry) ([]byte, error) {
	if e.unpacked >= photo.MaxBytes {
		return nil, photo.RefuseTooLarge() // without having been read
	}
	// Deflate makes nothing much larger than it was: 5 bytes for each 16,383, and a few more.
	if e.packed > e.unpacked+e.unpacked/1000+1024 {
		return nil, damaged("%q takes more than it can", e.path)
	}
	packed, err := u.read(e)
	if err != nil {
		return nil, err
	}
	data := packed
	if e.method == deflated {
		if data, err = u.expand(e, packed); err != nil {
			return nil, err
		}
	}
	if crc32.ChecksumIEEE(data) != e.crc {
		return nil, damagedFile("The picture was damaged in the ZIP: its check sum is another. Pack it again.")
	}
	return data, nil
}

// read returns a file's bytes as the archive has them, after a look at what is said of them right before.
func (u *unpacker) read(e *entry) ([]byte, error) {
	want := localBytes + int64(e.nameLength) + e.packed
	n := min(want+localSlack, u.size-e.offset)
	u.packed = slices.Grow(u.packed[:0], int(n))[:n]
	if err := readAt(u.src, u.packed, e.offset); err != nil {
		return nil, err
	}
	u16, u32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	h := u.packed
	if len(h) < localBytes || u32(h) != localSignature {
		return nil, damaged("%q is not where its directory says", e.path)
	}
	flags, method, crc, packed, unpacked := u16(h[6:]), u16(h[8:]), u32(h[14:]), u32(h[18:]), u32(h[22:])
	same := func(local uint32, central int64) bool {
		return local == 1<<32-1 || int64(local) == central || flags&(1<<3) != 0 && local == 0 // bit 3: they come after it
	}
	if method != e.method || flags&encrypted != 0 || u16(h[26:]) != e.nameLength || !same(crc, int64(e.crc)) || !same(packed, e.packed) || !same(unpacked, e.unpacked) {
		return nil, damaged("of %q its directory says something else than the file itself", e.path)
	}
	from := int64(localBytes) + int64(e.nameLength) + int64(u16(h[28:]))
	if from+e.packed > u.size-e.offset {
		return nil, damaged("%q lies outside of it", e.path)
	}
	if from+e.packed > n {
		// More extra fields than expected: what is there already is read once more.
		u.packed = slices.Grow(u.packed[:0], int(e.packed))[:e.packed]
		return u.packed, readAt(u.src, u.packed, e.offset+from)
	}
	return h[from : from+e.packed], nil
}

// expand inflates a file, to one byte more than its directory says at most.
func (u *unpacker) expand(e *entry, packed []byte) ([]byte, error) {
	in := bytes.NewReader(packed)
	if u.inflate == nil {
		u.inflate = flate.NewReader(in)
	} else if err := u.inflate.(flate.Resetter).Reset(in, nil); err != nil {
		return nil, err
	}
	u.unpacked = slices.Grow(u.unpacked[:0], int(e.unpacked)+1)[:e.unpacked+1]
	n, err := io.ReadFull(u.inflate, u.unpacked)
	switch {
	case err == nil:
		return nil, damaged("%q unpacks to more than its directory says", e.path)
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		return nil, damagedFile("The picture was damaged in the ZIP: it does not unpack. Pack it again.")
	case int64(n) < e.unpacked:
		return nil, damagedFile("The picture was damaged in the ZIP: it unpacks to less than it should. Pack it again.")
	}
	return u.unpacked[:n], nil
}
