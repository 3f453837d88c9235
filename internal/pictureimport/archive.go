package pictureimport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"muster/internal/directory"
	"muster/internal/photo"
)

// Limits bound what an archive may hold; a field that is 0 is the default.
type Limits struct {
	Entries  int64 // files and folders, as the archive's directory has them; default 200,000
	Unpacked int64 // bytes, of all pictures together; default 50,000,000,000
}

const (
	defaultEntries  = 200_000
	defaultUnpacked = 50_000_000_000

	// A file that unpacks to more than ratioFrom bytes, and to more than maxRatio times what it takes in the archive, was
	// made to do harm: JPEG and PNG are compressed already, and hardly become smaller once more. Deflate itself ends at
	// 1,032.
	maxRatio  = 200
	ratioFrom = 1_000_000

	// maxDirectory is how long the archive's directory may be, in bytes: 200,000 names of 2,600 characters.
	maxDirectory = 512 << 20
)

func (l Limits) orDefault() Limits {
	if l.Entries == 0 {
		l.Entries = defaultEntries
	}
	if l.Unpacked == 0 {
		l.Unpacked = defaultUnpacked
	}
	return l
}

// refusal is why an archive as a whole cannot be used.
type refusal struct{ code, message string }

func (r *refusal) Error() string { return r.message }

func refuse(code, format string, args ...any) error {
	return &refusal{"archive." + code, fmt.Sprintf(format, args...)}
}

func damaged(format string, args ...any) error {
	return refuse("damaged", "This ZIP is damaged: "+format+". Make it again and upload it again.", args...)
}

// archive is a ZIP whose directory was read and found sound. It reads from the source, and never writes anywhere: names
// are names of pictures, not of files.
//
// Why not archive/zip? It reads all records that follow, however few the end tells of, and keeps each whole: 200,000 take
// 44 MB (measured), and nobody can say no before the last; this keeps 15 MB of as many, the most that it takes. It looks neither for files that
// overlap nor at whether a file says of itself what the directory says of it, and it gives up on what the Finder makes of
// more than 4 GB.
type archive struct {
	src        io.ReaderAt
	size       int64 // bytes
	entries    []entry
	passedOver int64
}

// entry is a file of the archive that may be a picture.
type entry struct {
	path             string // as it is shown; see shownPath
	offset           int64  // of its local header
	packed, unpacked int64  // bytes
	crc              uint32
	method           uint16
	nameLength       uint16 // bytes, as in the archive
}

// The methods that are read.
const (
	stored   = 0
	deflated = 8
)

// openArchive reads the directory of a ZIP, record by record: memory grows with what is kept of each file alone. What is
// wrong with the archive is a *refusal; other errors are the source's.
func openArchive(src io.ReaderAt, size int64, limits Limits) (*archive, error) {
	limits = limits.orDefault()
	end, err := findEnd(src, size)
	if err != nil {
		return nil, err
	}
	if end.entries > limits.Entries {
		return nil, tooMany(limits)
	}
	if end.size > maxDirectory {
		return nil, refuse("too_large", "The directory of this ZIP takes %d bytes, more than the %d that it may take. Split the pictures over several ZIPs, with shorter names.", end.size, maxDirectory)
	}
	l := &listing{archive: &archive{src: src, size: size}, end: end, limits: limits}
	if err := l.read(); err != nil {
		return nil, err
	}
	if err := l.overlaps(); err != nil {
		return nil, err
	}
	if len(l.entries) == 0 {
		return nil, refuse("nothing", "There is no picture in this ZIP. Put the JPEG or PNG files into it, each named by its user, and upload it again.")
	}
	return l.archive, nil
}

func tooMany(limits Limits) error {
	return refuse("too_many_entries", "There are more than %d files and folders in this ZIP. Split the pictures over several ZIPs.", limits.Entries)
}

// listing is the reading of a directory.
type listing struct {
	*archive
	end    directoryEnd
	limits Limits
	seen   int64 // records
	total  int64 // unpacked bytes of what will be unpacked
	spans  []span
	after  int64 // where the record before ends at least, for offsets that were cut; see unwrap
}

// span is where a file lies in the archive, at least: its local header may be followed by more than is known here.
type span struct{ from, to int64 }

const headerSignature, headerBytes = 0x02014b50, 46

func (l *listing) read() error {
	in := newSource(l.src, l.end.start, l.end.size)
	fixed := make([]byte, headerBytes)
	var variable []byte
	for in.left() >= headerBytes {
		if err := in.full(fixed); err != nil {
			return err
		}
		if binary.LittleEndian.Uint32(fixed) != headerSignature {
			return damaged("its directory has a record that is none")
		}
		if l.seen++; l.seen > l.limits.Entries {
			return tooMany(l.limits)
		}
		n := int(binary.LittleEndian.Uint16(fixed[28:])) + int(binary.LittleEndian.Uint16(fixed[30:]))
		variable = slices.Grow(variable[:0], n)[:n]
		if err := in.full(variable); err != nil {
			return err
		}
		if err := in.skip(int(binary.LittleEndian.Uint16(fixed[32:]))); err != nil {
			return err
		}
		if err := l.record(fixed, variable); err != nil {
			return err
		}
	}
	// Some programs write no more than the last 16 bits of the number.
	if l.seen != l.end.entries && (l.end.zip64 || l.seen&0xffff != l.end.entries) {
		return damaged("its end tells of %d files, its directory of %d", l.end.entries, l.seen)
	}
	return nil
}

// record takes in one record of the directory: its fixed part, and its name and extra fields.
func (l *listing) record(fixed, variable []byte) error {
	u16, u32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	flags, name := u16(fixed[8:]), variable[:u16(fixed[28:])]
	extra := variable[len(name):]
	e := entry{method: u16(fixed[10:]), crc: u32(fixed[16:]), packed: int64(u32(fixed[20:])), unpacked: int64(u32(fixed[24:])),
		offset: int64(u32(fixed[42:])), nameLength: uint16(len(name))}
	if err := e.widen(extra, l.end.zip64); err != nil {
		return err
	}
	e.offset = l.unwrap(e.offset) + l.end.base
	full := decodeName(name, extra, flags&utf8Names != 0)
	s := span{e.offset, e.offset + localBytes + int64(len(name)) + e.packed}
	if e.packed < 0 || e.unpacked < 0 || e.offset < 0 || s.to < s.from || s.to > l.end.start {
		return damaged("%q lies outside of it", shownPath(full))
	}
	l.spans, l.after = append(l.spans, s), s.to
	switch {
	case isFolder(full):
		return nil
	case isPassedOver(full):
		l.passedOver++
		return nil
	}
	e.path = shownPath(full)
	if err := l.acceptable(&e, flags); err != nil {
		return err
	}
	l.entries = append(l.entries, e)
	return nil
}

// Flags of a file: bit 0 and 6 say that it is encrypted, bit 11 that its name is UTF-8.
const (
	encrypted = 1 | 1<<6
	utf8Names = 1 << 11
)

func (l *listing) acceptable(e *entry, flags uint16) error {
	switch {
	case flags&encrypted != 0 || e.method == 99: // 99: encrypted with AES
		return refuse("encrypted", "%q in this ZIP is encrypted. Make the ZIP without a password.", e.path)
	case e.method != stored && e.method != deflated:
		return refuse("method", "%q in this ZIP is packed in a way that is not read here (method %d). Make it with the file manager of Windows or macOS, or choose the method Deflate.", e.path, e.method)
	case e.method == stored && e.packed != e.unpacked:
		return damaged("%q is not packed, and yet two different sizes are told of it", e.path)
	case e.unpacked > ratioFrom && e.unpacked/max(1, e.packed) >= maxRatio:
		return refuse("ratio", "%q in this ZIP would unpack to %d times its size, which no picture does. Take it out.", e.path, e.unpacked/max(1, e.packed))
	case e.unpacked < photo.MaxBytes:
		// No file unpacks to more than the directory says (see unpack), so this is what will really be unpacked.
		if l.total += e.unpacked; l.total > l.limits.Unpacked {
			return refuse("too_large", "The pictures in this ZIP would unpack to more than %d bytes. Split them over several ZIPs.", l.limits.Unpacked)
		}
	}
	return nil
}

// unwrap makes whole the offset of a file in an archive that is larger than 4 GiB, made by a program that wrote only the
// last 32 bits of each number (the Finder of some versions of macOS). Files lie in the order of the directory there.
func (l *listing) unwrap(offset int64) int64 {
	if !l.end.wrapped {
		return offset
	}
	const whole = 1 << 32
	if l.after > offset {
		offset += (l.after - offset + whole - 1) / whole * whole
	}
	return offset
}

// overlaps refuses an archive in which two files share bytes: one that is small and unpacks to very much can be made of
// such, and no program makes them otherwise.
func (l *listing) overlaps() error {
	slices.SortFunc(l.spans, func(a, b span) int {
		switch {
		case a.from < b.from:
			return -1
		case a.from > b.from:
			return 1
		}
		return 0
	})
	for i := 1; i < len(l.spans); i++ {
		if l.spans[i].from < l.spans[i-1].to {
			return damaged("files in it overlap")
		}
	}
	l.spans = nil
	return nil
}

// widen reads the numbers that do not fit into 32 bits from the extra field for them (id 1).
func (e *entry) widen(extra []byte, zip64 bool) error {
	const cut = 1<<32 - 1
	if e.unpacked != cut && e.packed != cut && e.offset != cut {
		return nil
	}
	field, found := extraField(extra, 1)
	if !found && !zip64 {
		return nil // the number is what it says
	}
	for _, n := range []*int64{&e.unpacked, &e.packed, &e.offset} {
		if *n != cut {
			continue
		}
		if len(field) < 8 {
			return damaged("a size or a place is missing in its directory")
		}
		*n = int64(binary.LittleEndian.Uint64(field))
		field = field[8:]
	}
	return nil
}

// extraField returns the content of the first extra field with the id.
func extraField(extra []byte, id uint16) (content []byte, found bool) {
	for len(extra) >= 4 {
		n := int(binary.LittleEndian.Uint16(extra[2:]))
		if len(extra) < 4+n {
			break
		}
		if binary.LittleEndian.Uint16(extra) == id {
			return extra[4 : 4+n], true
		}
		extra = extra[4+n:]
	}
	return nil, false
}

// asRefusal returns the archive's refusal in err's chain, if there is one.
func asRefusal(err error) (*refusal, bool) {
	var r *refusal
	return r, errors.As(err, &r)
}

// key is what the picture's name says of its user: the file name without extension.
func (e *entry) key() string { return nameKey(e.path) }

// shorten cuts a text to what a person can read in a report.
func shorten(s string) string { return directory.Shorten(s) }
