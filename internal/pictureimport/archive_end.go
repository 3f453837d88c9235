package pictureimport

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// directoryEnd is what the end of a ZIP says of its directory.
type directoryEnd struct {
	entries int64 // records in it
	size    int64 // bytes
	start   int64 // where it begins
	base    int64 // what stands before the archive itself, as in a program that unpacks itself
	zip64   bool
	wrapped bool // see listing.unwrap
}

const (
	endSignature, endBytes         = 0x06054b50, 22
	locatorSignature, locatorBytes = 0x07064b50, 20
	end64Signature, end64Bytes     = 0x06064b50, 56

	maxComment = 1<<16 - 1
)

// findEnd finds the record at the end of a ZIP, and where its directory is.
func findEnd(src io.ReaderAt, size int64) (end directoryEnd, err error) {
	tail := make([]byte, min(size, endBytes+maxComment))
	if err := readAt(src, tail, size-int64(len(tail))); err != nil {
		return end, err
	}
	i := len(tail) - endBytes
	for ; i >= 0; i-- {
		if binary.LittleEndian.Uint32(tail[i:]) == endSignature && i+endBytes+int(binary.LittleEndian.Uint16(tail[i+20:])) <= len(tail) {
			break
		}
	}
	if i < 0 {
		return end, notAZip(src, size)
	}
	u16, u32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	rec, at := tail[i:], size-int64(len(tail))+int64(i)
	disk, first, here := int64(u16(rec[4:])), int64(u16(rec[6:])), int64(u16(rec[8:]))
	end.entries, end.size = int64(u16(rec[10:])), int64(u32(rec[12:]))
	offset := int64(u32(rec[16:]))
	if at64, found, err := locate(src, at); err != nil {
		return end, err
	} else if found {
		wide := make([]byte, end64Bytes)
		if err := readAt(src, wide, at64); err != nil {
			return end, err
		}
		u64 := func(i int) int64 { return int64(binary.LittleEndian.Uint64(wide[i:])) }
		disk, first, here = int64(u32(wide[16:])), int64(u32(wide[20:])), u64(24)
		end.entries, end.size, offset, end.zip64, at = u64(32), u64(40), u64(48), true, at64
	}
	if disk != 0 || first != 0 || here != end.entries {
		return end, refuse("split", "This is one part of a ZIP that was split. Make one ZIP of all pictures, or several whole ones.")
	}
	return end, end.place(src, at, offset)
}

// place finds where the directory, which ends before at, begins. The offset that the archive tells is from its own
// beginning, before which something else may stand.
func (end *directoryEnd) place(src io.ReaderAt, at, offset int64) error {
	if end.entries < 0 || end.size < 0 || offset < 0 || end.size > at {
		return damaged("its end tells of a directory that is not there")
	}
	end.start = at - end.size
	if end.start != offset && offset <= end.start {
		// What it says itself holds, if a directory begins there.
		var sig [4]byte
		if err := readAt(src, sig[:], offset); err != nil {
			return err
		}
		if binary.LittleEndian.Uint32(sig[:]) == headerSignature && end.entries > 0 {
			end.start = offset
		}
	}
	end.base = end.start - offset
	if end.base < 0 {
		return damaged("its directory is not where its end says")
	}
	if end.wrapped = !end.zip64 && end.base > 0 && end.base&(1<<32-1) == 0; end.wrapped {
		end.base = 0
	}
	return nil
}

// locate finds the record that a ZIP has beside the one at its end where numbers need more than 32 bits.
func locate(src io.ReaderAt, end int64) (at int64, found bool, err error) {
	if end < locatorBytes+end64Bytes {
		return 0, false, nil
	}
	buf := make([]byte, locatorBytes)
	if err := readAt(src, buf, end-locatorBytes); err != nil || binary.LittleEndian.Uint32(buf) != locatorSignature {
		return 0, false, err
	}
	// Where something stands before the archive, the place is another than it says, but then right before the locator.
	for _, at := range []int64{int64(binary.LittleEndian.Uint64(buf[8:])), end - locatorBytes - end64Bytes} {
		if at < 0 || at > end-locatorBytes-end64Bytes {
			continue
		}
		if err := readAt(src, buf[:4], at); err != nil {
			return 0, false, err
		}
		if binary.LittleEndian.Uint32(buf) == end64Signature {
			return at, true, nil
		}
	}
	return 0, false, damaged("its end is not where it should be")
}

// notAZip says what a file is that has no end of a ZIP.
func notAZip(src io.ReaderAt, size int64) error {
	head := make([]byte, min(size, 8))
	if err := readAt(src, head, 0); err != nil {
		return err
	}
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return refuse("damaged", "This ZIP was cut off: its end is missing. Upload it again; if that does not help, make it again.")
	}
	for _, known := range []struct{ begins, what string }{
		{"Rar!", "a RAR archive"}, {"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"}, {"\x1f\x8b", "a file packed with gzip"},
		{"\xff\xd8\xff", "a picture"}, {"\x89PNG", "a picture"}, {"%PDF", "a PDF document"},
	} {
		if bytes.HasPrefix(head, []byte(known.begins)) {
			return refuse("not_a_zip", "This is %s, not a ZIP. Put the pictures into a ZIP and upload that.", known.what)
		}
	}
	return refuse("not_a_zip", "This is not a ZIP. Put the pictures into a ZIP and upload that.")
}

// readAt fills buf. An archive that ends before is damaged; any other error is the source's.
func readAt(src io.ReaderAt, buf []byte, at int64) error {
	if len(buf) == 0 {
		return nil
	}
	n, err := src.ReadAt(buf, at)
	switch {
	case n == len(buf):
		return nil
	case err == nil, errors.Is(err, io.EOF):
		return damaged("it ends too early")
	}
	return err
}

// source reads a part of the archive from its beginning.
type source struct {
	r    *bufio.Reader
	rest int64 // bytes
}

func newSource(src io.ReaderAt, from, size int64) *source {
	return &source{bufio.NewReaderSize(io.NewSectionReader(src, from, size), 256<<10), size}
}

func (s *source) left() int64 { return s.rest }

func (s *source) full(buf []byte) error {
	if s.rest -= int64(len(buf)); s.rest < 0 {
		return damaged("its directory is cut off")
	}
	_, err := io.ReadFull(s.r, buf)
	return cutOff(err)
}

func (s *source) skip(n int) error {
	if s.rest -= int64(n); s.rest < 0 {
		return damaged("its directory is cut off")
	}
	_, err := s.r.Discard(n)
	return cutOff(err)
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("its directory is cut off")
	}
	return err
}
