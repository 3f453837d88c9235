package sheet

import (
	"bytes"
	"encoding/binary"
	"io"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const utf8BOM = "\xEF\xBB\xBF"

// countingReader reads a section of a source and tells other goroutines how far it has come.
type countingReader struct {
	*io.SectionReader
	count atomic.Int64
}

func newCountingReader(src io.ReaderAt, from, size int64) *countingReader {
	c := &countingReader{SectionReader: io.NewSectionReader(src, 0, size)}
	_, _ = c.Seek(from, io.SeekStart) // cannot fail: from is not negative
	return c
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.SectionReader.Read(p)
	c.count.Add(int64(n))
	return n, err
}

// decode returns the text of the source as UTF-8 without its byte order mark. head is the source's
// beginning. UTF-16 is known by its mark, or by its zero bytes; for the rest see [narrowReader].
func decode(src io.ReaderAt, size int64, head []byte, lim Limits) (io.Reader, *countingReader) {
	bom, endian, wide := utf16Of(head)
	if wide {
		raw := newCountingReader(src, bom, size)
		return transform.NewReader(raw, unicode.UTF16(endian, unicode.IgnoreBOM).NewDecoder()), raw
	}
	if bytes.HasPrefix(head, []byte(utf8BOM)) {
		bom = int64(len(utf8BOM))
	}
	raw := newCountingReader(src, bom, size)
	return &narrowReader{raw: raw, at: bom, lineLimit: lim.RowBytes}, raw
}

// utf16Of reports whether head is UTF-16, in which byte order, and how long its mark is. Without a
// mark, the letters of a header betray it: every other byte is zero, on one side only.
func utf16Of(head []byte) (bom int64, endian unicode.Endianness, wide bool) {
	switch {
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}):
		return 2, unicode.LittleEndian, true
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return 2, unicode.BigEndian, true
	}
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	enough := max(2, len(head)/6) // a third of the pairs: headers are letters, names may not be
	switch {
	case zeros[0] == 0 && zeros[1] >= enough:
		return 0, unicode.LittleEndian, true
	case zeros[1] == 0 && zeros[0] >= enough:
		return 0, unicode.BigEndian, true
	}
	return 0, unicode.LittleEndian, false
}

// narrowReader reads UTF-8, or Windows-1252 if the file is not valid UTF-8 as a whole.
//
// Both agree on ASCII, so the decision can wait for the first byte beyond it, and only then is the
// rest of the file looked through, once. An ASCII file is never read twice, and rows already handed
// out are never read wrong.
type narrowReader struct {
	raw       *countingReader
	at        int64     // offset in the source of the next byte of raw
	lineLimit int       // bytes; a longer line will be refused, so nothing behind it matters
	decided   io.Reader // nil while all has been ASCII
}

func (r *narrowReader) Read(p []byte) (int, error) {
	if r.decided != nil {
		return r.decided.Read(p)
	}
	n, err := r.raw.Read(p)
	ascii := asciiPrefix(p[:n])
	if ascii == n {
		r.at += int64(n)
		return n, err
	}
	valid, scanErr := validUTF8(r.raw, r.at+int64(ascii), r.lineLimit)
	if scanErr != nil {
		return 0, scanErr
	}
	if valid {
		r.decided = r.raw
		return n, err
	}
	if _, err := r.raw.Seek(r.at+int64(ascii), io.SeekStart); err != nil {
		return 0, err
	}
	r.raw.count.Add(int64(ascii - n))
	r.decided = transform.NewReader(r.raw, charmap.Windows1252.NewDecoder())
	if ascii == 0 {
		return r.decided.Read(p)
	}
	return ascii, nil
}

// asciiPrefix returns how many bytes at the beginning of b are ASCII.
func asciiPrefix(b []byte) int {
	i := 0
	for ; len(b)-i >= 8; i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for ; i < len(b) && b[i] < utf8.RuneSelf; i++ {
	}
	return i
}

// validUTF8 reports whether src is UTF-8 from the offset on. It stops at the first byte that is
// not, and at a line of more than lineLimit bytes, which is refused in any encoding.
func validUTF8(src io.ReaderAt, from int64, lineLimit int) (bool, error) {
	buf := make([]byte, 256<<10)
	kept, line := 0, 0
	for {
		n, err := src.ReadAt(buf[kept:], from)
		if err != nil && err != io.EOF {
			return false, err
		}
		from += int64(n)
		chunk := buf[:kept+n]
		whole := len(chunk) - partialRune(chunk)
		if !utf8.Valid(chunk[:whole]) {
			return false, nil
		}
		if err == io.EOF {
			return whole == len(chunk), nil
		}
		line += n
		if i := max(bytes.LastIndexByte(chunk, '\n'), bytes.LastIndexByte(chunk, '\r')); i >= 0 {
			line = len(chunk) - i
		}
		if line > lineLimit {
			return true, nil
		}
		kept = copy(buf, chunk[whole:])
	}
}

// partialRune returns how many bytes at the end of b begin a rune that b does not finish.
func partialRune(b []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if tail := b[len(b)-i:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return i
		}
	}
	return 0
}
