// Package ziptest makes archives byte for byte as the programs make them with which people put their pictures into one: the
// encoding of the names, the flags, the fields and the files that each of them adds. archive/zip writes one kind only.
package ziptest

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"path"
	"strings"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// File is one to put into an archive; its name is text, with / between folders.
type File struct {
	Name    string
	Content []byte
}

// Program is a way in which archives are made.
type Program struct {
	Name string
	// PassedOver is how many files it adds that nobody meant to be pictures, for an archive with n files.
	PassedOver func(n int) int
	style      style
}

// Programs are all of them. What stands of each was read from archives that zip 3.0 made, or follows APPNOTE.TXT 6.3.10.
var Programs = []Program{
	// "Send to, Compressed folder": names in the OEM code page, and nothing says so; no entries for folders.
	{Name: "Windows Explorer", PassedOver: none, style: style{madeBy: dos | 20, needs: 20, deflate: true, name: oem, attributes: 0x20}},
	// "Compress": letters and accents apart, sizes behind the content, and a second file for what the Finder knows of each.
	{Name: "macOS Archive Utility", PassedOver: func(n int) int { return n + 1 }, style: style{madeBy: unix | 21, needs: 20, flags: sizesLater, deflate: true, name: apart,
		attributes: 0o100644 << 16, folders: true, finder: true, local: []byte("UX\x08\x00\x80\x00\x00\x00\x80\x00\x00\x00"), central: []byte("UX\x08\x00\x80\x00\x00\x00\x80\x00\x00\x00")}},
	// Info-ZIP: folders are entries, names are the bytes of the disk, and Unix's times and owners follow them.
	{Name: "zip -r", PassedOver: none, style: style{madeBy: unix | 30, needs: 10, deflate: true, name: plain, attributes: 0o100644 << 16, folders: true,
		local: []byte("UT\x09\x00\x03\x80\x00\x00\x00\x80\x00\x00\x00" + owners), central: []byte("UT\x05\x00\x03\x80\x00\x00\x00" + owners)}},
	{Name: "zip -0, stored, CP437", PassedOver: none, style: style{madeBy: dos | 10, needs: 10, name: oem}},
	{Name: "7-Zip, UTF-8 as said", PassedOver: none, style: style{madeBy: dos | 63, needs: 20, flags: utf8Names, deflate: true, name: plain, attributes: 0x20, folders: true}},
	{Name: "zip -fz, Zip64, stored", PassedOver: none, style: style{madeBy: unix | 45, needs: 45, flags: utf8Names, name: plain, attributes: 0o100644 << 16, wide: true}},
	{Name: "Zip64, deflated", PassedOver: none, style: style{madeBy: unix | 45, needs: 45, flags: utf8Names, deflate: true, name: plain, attributes: 0o100644 << 16, wide: true}},
}

const (
	dos, unix  = 0 << 8, 3 << 8 // where it was made
	sizesLater = 1 << 3
	utf8Names  = 1 << 11
	owners     = "ux\x0b\x00\x01\x04\xe8\x03\x00\x00\x04\xe8\x03\x00\x00"
)

// style is what one program does other than the next.
type style struct {
	madeBy, needs, flags uint16
	deflate              bool
	name                 func(string) string
	attributes           uint32
	folders              bool   // they are entries
	finder               bool   // .DS_Store, and __MACOSX with a file for each
	wide                 bool   // Zip64, though nothing is that large
	local, central       []byte // extra fields
}

func none(int) int             { return 0 }
func plain(name string) string { return norm.NFC.String(name) }
func apart(name string) string { return norm.NFD.String(name) }

// oem is the encoding of the first PC; it has no letter outside of it.
func oem(name string) string {
	s, err := charmap.CodePage437.NewEncoder().String(norm.NFC.String(name))
	if err != nil {
		panic("ziptest: " + name + " has letters that CP437 has not")
	}
	return s
}

// Make makes an archive as the program would.
func (p *Program) Make(files ...File) []byte {
	w := &writer{style: p.style}
	seen := map[string]bool{}
	for _, f := range files {
		if dir := path.Dir(f.Name); w.folders && dir != "." && !seen[dir] {
			seen[dir] = true
			w.file(dir+"/", nil)
			if w.finder && len(seen) == 1 {
				w.file(dir+"/.DS_Store", []byte("\x00\x00\x00\x01Bud1"))
			}
		}
		w.file(f.Name, f.Content)
		if w.finder {
			w.file("__MACOSX/"+path.Dir(f.Name)+"/._"+path.Base(f.Name), []byte("\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X"))
		}
	}
	return w.end()
}

// writer writes what comes as it comes, and the directory at the end.
type writer struct {
	style
	out, directory bytes.Buffer
	entries        int
}

// number appends numbers, each as long as its type.
func number(b []byte, all ...any) []byte {
	for _, n := range all {
		b, _ = binary.Append(b, binary.LittleEndian, n) // numbers are all that comes
	}
	return b
}

const date, clock = 45<<9 | 3<<5 | 14, 9<<11 | 26<<5 // 14 March 2025, 9:26

func (w *writer) file(name string, content []byte) {
	folder := strings.HasSuffix(name, "/")
	method, flags, packed, attributes := uint16(0), w.flags, content, w.attributes
	if folder {
		flags, attributes = flags&^sizesLater, 0o40755<<16|0x10
	} else if w.deflate {
		method, packed = 8, deflated(content)
	}
	raw, at := w.name(name), w.out.Len()
	crc, size, full, place := crc32.ChecksumIEEE(content), uint32(len(packed)), uint32(len(content)), uint32(at)
	local, central := w.local, w.central
	if w.wide {
		local = number(nil, uint16(1), uint16(16), uint64(full), uint64(size))
		central = number(nil, uint16(1), uint16(24), uint64(full), uint64(size), uint64(at))
		size, full, place = 1<<32-1, 1<<32-1, 1<<32-1
	}
	sums := number(nil, crc, size, full)
	later := flags&sizesLater != 0
	w.out.Write(number([]byte("PK\x03\x04"), w.needs, flags, method, uint16(clock), uint16(date)))
	if later {
		w.out.Write(make([]byte, len(sums)))
	} else {
		w.out.Write(sums)
	}
	w.out.Write(number(nil, uint16(len(raw)), uint16(len(local))))
	w.out.WriteString(raw)
	w.out.Write(local)
	w.out.Write(packed)
	if later {
		w.out.WriteString("PK\x07\x08")
		w.out.Write(sums)
	}
	w.directory.Write(number([]byte("PK\x01\x02"), w.madeBy, w.needs, flags, method, uint16(clock), uint16(date)))
	w.directory.Write(sums)
	w.directory.Write(number(nil, uint16(len(raw)), uint16(len(central)), uint16(0), uint16(0), uint16(0), attributes, place))
	w.directory.WriteString(raw)
	w.directory.Write(central)
	w.entries++
}

func deflated(content []byte) []byte {
	var b bytes.Buffer
	f, _ := flate.NewWriter(&b, flate.DefaultCompression) // a level that there is
	_, _ = f.Write(content)                               // a buffer takes everything
	_ = f.Close()
	return b.Bytes()
}

// end writes the directory and what follows it.
func (w *writer) end() []byte {
	at, size := w.out.Len(), w.directory.Len()
	w.out.Write(w.directory.Bytes())
	n, place := uint16(w.entries), uint32(at)
	if w.wide {
		end := uint64(w.out.Len())
		w.out.Write(number([]byte("PK\x06\x06"), uint64(44), w.madeBy, w.needs, uint32(0), uint32(0), uint64(n), uint64(n), uint64(size), uint64(at)))
		w.out.Write(number([]byte("PK\x06\x07"), uint32(0), end, uint32(1)))
		n, place, size = 1<<16-1, 1<<32-1, 1<<32-1
	}
	w.out.Write(number([]byte("PK\x05\x06"), uint16(0), uint16(0), n, n, uint32(size), place, uint16(0)))
	return w.out.Bytes()
}
