package pictureimport

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/photo"
)

// file is one to put into an archive.
type file struct {
	name, content string
	method        uint16
	legacy        bool // the name is bytes of no said encoding
	extra         []byte
}

func zipOf(t testing.TB, files ...file) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, f := range files {
		into, err := w.CreateHeader(&zip.FileHeader{Name: f.name, Method: f.method, NonUTF8: f.legacy, Extra: f.extra})
		if err == nil {
			_, err = io.WriteString(into, f.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// read lists an archive and unpacks all of it: "path (key): content", or the code of what is wrong.
func read(data []byte, limits Limits) (lines []string, err error) {
	return readFrom(bytes.NewReader(data), int64(len(data)), limits)
}

func readFrom(src io.ReaderAt, size int64, limits Limits) (lines []string, err error) {
	a, err := openArchive(src, size, limits)
	if err != nil {
		return nil, err
	}
	u := &unpacker{archive: a}
	for i := range a.entries {
		e := &a.entries[i]
		data, err := u.unpack(e)
		var refused *photo.Refusal
		switch {
		case errors.As(err, &refused):
			data = []byte("<" + refused.Code + ">")
		case err != nil:
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("%s (%s): %s", e.path, e.key(), data))
	}
	return append(lines, fmt.Sprintf("%d passed over", a.passedOver)), nil
}

func code(err error) string {
	if r, is := asRefusal(err); is {
		return r.code
	}
	return fmt.Sprint(err)
}

// central is where the n-th record of an archive's directory begins, local where its file does.
func central(data []byte, n int) int {
	at := -1
	for ; n >= 0; n-- {
		at += 1 + bytes.Index(data[at+1:], []byte("PK\x01\x02"))
	}
	return at
}

func end(data []byte) int { return bytes.LastIndex(data, []byte("PK\x05\x06")) }

func put16(data []byte, at int, v uint16) []byte {
	binary.LittleEndian.PutUint16(data[at:], v)
	return data
}

func put32(data []byte, at int, v uint32) []byte {
	binary.LittleEndian.PutUint32(data[at:], v)
	return data
}

// As they come from Windows, macOS, zip -r, and older programs.
func TestArchivesAsTheyCome(t *testing.T) {
	t.Parallel()
	nfd := "Mu\u0308ller.jpg"
	unicodePath := func(raw, name string) []byte {
		b := append([]byte{0x75, 0x70, 0, 0, 1, 0, 0, 0, 0}, name...)
		put16(b, 2, uint16(len(b)-4))
		return put32(b, 5, crc32.ChecksumIEEE([]byte(raw)))
	}
	for name, c := range map[string]struct {
		files []file
		want  []string
	}{
		"windows explorer": {[]file{{name: "Team 1/jdoe.JPG", content: "a", method: zip.Deflate}, {name: "Team 1/Thumbs.db", content: "x", method: zip.Deflate}, {name: `Team 2\mary.png`, content: "b"}, {name: "desktop.ini", content: "x"}},
			[]string{"Team 1/jdoe.JPG (jdoe): a", "Team 2/mary.png (mary): b", "2 passed over"}},
		"macos": {[]file{{name: "Faces/"}, {name: "Faces/.DS_Store", content: "x"}, {name: "__MACOSX/"}, {name: "__MACOSX/Faces/._jdoe.jpg", content: "x"}, {name: "Faces/" + nfd, content: "a", method: zip.Deflate, legacy: true}, {name: "__MACOSX/Faces/._" + nfd, content: "x", legacy: true}},
			[]string{"Faces/Müller.jpg (Müller): a", "3 passed over"}},
		"zip -r with folders": {[]file{{name: "a/"}, {name: "a/b/"}, {name: "a/b/4711.jpeg", content: "a"}, {name: "a/0815.jpg", content: strings.Repeat("b", 50), method: zip.Deflate}},
			[]string{"a/b/4711.jpeg (4711): a", "a/0815.jpg (0815): " + strings.Repeat("b", 50), "0 passed over"}},
		"cp437":                        {[]file{{name: "M\x81ller.jpg", content: "a", legacy: true}}, []string{"Müller.jpg (Müller): a", "0 passed over"}},
		"utf-8":                        {[]file{{name: "Müller.jpg", content: "a"}}, []string{"Müller.jpg (Müller): a", "0 passed over"}},
		"utf-8 as said, and yet none":  {[]file{{name: "Ren\xe9e.jpg", content: "a", legacy: true}}, []string{"RenΘe.jpg (RenΘe): a", "0 passed over"}},
		"unicode path field":           {[]file{{name: "M_ller.jpg", content: "a", extra: unicodePath("M_ller.jpg", "Müller.jpg")}}, []string{"Müller.jpg (Müller): a", "0 passed over"}},
		"unicode path of another name": {[]file{{name: "M_ller.jpg", content: "a", extra: unicodePath("other", "Müller.jpg")}}, []string{"M_ller.jpg (M_ller): a", "0 passed over"}},
		"long extra fields":            {[]file{{name: "a.jpg", content: "content", extra: append([]byte{0xfe, 0xca, 200, 0}, make([]byte, 200)...)}}, []string{"a.jpg (a): content", "0 passed over"}},
		"names without and with several extensions": {[]file{{name: "jdoe", content: "a"}, {name: "j.doe.jpg", content: "b"}, {name: " jdoe .jpg", content: "c"}},
			[]string{"jdoe (jdoe): a", "j.doe.jpg (j.doe): b", " jdoe .jpg (jdoe): c", "0 passed over"}},
		"names that would leave the folder": {[]file{{name: "../../etc/passwd", content: "a"}, {name: "/etc/shadow.jpg", content: "b"}, {name: `C:\Windows\system.jpg`, content: "c"}, {name: `..\..\x.jpg`, content: "d"}},
			[]string{"../../etc/passwd (passwd): a", "/etc/shadow.jpg (shadow): b", "C:/Windows/system.jpg (system): c", "../../x.jpg (x): d", "0 passed over"}},
		"names with control characters": {[]file{{name: "a\x00b.jpg", content: "a"}, {name: "a\nb.jpg", content: "b"}, {name: "Icon\r", content: "x"}},
			[]string{"a\ufffdb.jpg (a\ufffdb): a", "a\ufffdb.jpg (a\ufffdb): b", "1 passed over"}},
		"a long name": {[]file{{name: strings.Repeat("d/", 300) + "jdoe.jpg", content: "a"}}, []string{"jdoe.jpg (jdoe): a", "0 passed over"}},
		"a ZIP in it": {[]file{{name: "more.zip", content: string(zipOf(t, file{name: "a.jpg"}))}}, []string{"more.zip (more): " + string(zipOf(t, file{name: "a.jpg"})), "0 passed over"}},
	} {
		got, err := read(zipOf(t, c.files...), Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// Archives that are damaged or made to do harm are refused, each with its code.
func TestHostileArchives(t *testing.T) {
	t.Parallel()
	two := func() []byte {
		return zipOf(t, file{name: "a.jpg", content: "first"}, file{name: "b.jpg", content: "second"})
	}
	packed := func(content string) []byte {
		return zipOf(t, file{name: "a.jpg", content: content, method: zip.Deflate})
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing at all":                            {nil, "archive.not_a_zip"},
		"text":                                      {[]byte("Dear Sir or Madam, please find enclosed"), "archive.not_a_zip"},
		"a RAR":                                     {[]byte("Rar!\x1a\x07\x01\x00 and what follows"), "archive.not_a_zip"},
		"a picture":                                 {[]byte("\xff\xd8\xff\xe0 and what follows, and more of it"), "archive.not_a_zip"},
		"empty":                                     {zipOf(t), "archive.nothing"},
		"folders and their furniture":               {zipOf(t, file{name: "a/"}, file{name: "a/.DS_Store", content: "x"}), "archive.nothing"},
		"encrypted":                                 {put16(two(), central(two(), 1)+8, 1), "archive.encrypted"},
		"encrypted with AES":                        {put16(two(), central(two(), 1)+10, 99), "archive.encrypted"},
		"bzip2":                                     {put16(two(), central(two(), 0)+10, 12), "archive.method"},
		"one disk of several":                       {put16(two(), end(two())+4, 3), "archive.split"},
		"cut off in the middle":                     {two()[:40], "archive.damaged"},
		"cut off in the directory":                  {two()[:central(two(), 1)+20], "archive.damaged"},
		"the beginning is missing":                  {two()[5:], "archive.damaged"},
		"a file is missing":                         {put16(put16(two(), end(two())+8, 3), end(two())+10, 3), "archive.damaged"},
		"a directory that is longer":                {put32(two(), end(two())+12, 5000), "archive.damaged"},
		"a directory elsewhere":                     {put32(two(), end(two())+16, 5000), "archive.damaged"},
		"a record that is none":                     {put32(two(), central(two(), 1), 7), "archive.damaged"},
		"a name without end":                        {put16(two(), central(two(), 1)+28, 60000), "archive.damaged"},
		"a file behind the end":                     {put32(two(), central(two(), 1)+42, 1<<31), "archive.damaged"},
		"overlapping files":                         {put32(two(), central(two(), 1)+42, 0), "archive.damaged"},
		"two sizes of what is not packed":           {put32(two(), central(two(), 1)+24, 7), "archive.damaged"},
		"another size at the file":                  {put32(put16(packed("some content"), 6, 0), 22, 5), "archive.damaged"},
		"another name length":                       {put16(two(), 26, 4), "archive.damaged"},
		"another method at the file":                {put16(packed("some content"), 8, 0), "archive.damaged"},
		"no file where it should be":                {put32(two(), 0, 7), "archive.damaged"},
		"a file that unpacks to more than is said":  {put32(packed(strings.Repeat("some content", 100)), central(packed(strings.Repeat("some content", 100)), 0)+24, 100), "archive.damaged"},
		"a file that is packed to more than it can": {put32(packed(noise(9000)), central(packed(noise(9000)), 0)+24, 100), "archive.damaged"},
		"zeros that unpack to 20 MB":                {packed(strings.Repeat("\x00", 20_000_000)), "archive.ratio"},
		"zeros in a file that says it is smaller":   {put32(packed(strings.Repeat("\x00", 20_000_000)), central(packed(strings.Repeat("\x00", 20_000_000)), 0)+24, 90_000), "archive.damaged"},
		"more than may be unpacked":                 {zipOf(t, file{name: "a.jpg", content: noise(60_000)}, file{name: "b.jpg", content: noise(60_000)}), "archive.too_large"},
		"a size that is missing":                    {put32(two(), central(two(), 0)+24, 1<<32-1), "archive.damaged"},
		"zip64 with endless numbers":                {endless(two()), "archive.damaged"},
	} {
		_, err := read(c.data, Limits{Unpacked: 100_000})
		if code(err) != c.want {
			t.Errorf("%s: %v (%s), want %s", name, err, code(err), c.want)
		}
		if err != nil && (!strings.HasSuffix(err.Error(), ".") || strings.Contains(err.Error(), "%!")) {
			t.Errorf("%s: %q is no sentence", name, err)
		}
	}
}

// noise is content that does not become smaller.
func noise(n int) string {
	b := make([]byte, n)
	for i, x := 0, uint32(1); i < n; i++ {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return string(b)
}

// endless gives an archive an end for large numbers, with the largest of all in it.
func endless(data []byte) []byte {
	at := end(data)
	wide := append([]byte("PK\x06\x06"), make([]byte, end64Bytes-4)...)
	for i := 24; i < end64Bytes; i++ {
		wide[i] = 0xff
	}
	wide[31], wide[39], wide[47], wide[55] = 0x7f, 0x7f, 0x7f, 0x7f
	locator := append([]byte("PK\x06\x07"), make([]byte, locatorBytes-4)...)
	binary.LittleEndian.PutUint64(locator[8:], uint64(at))
	return bytes.Join([][]byte{data[:at], wide, locator, data[at:]}, nil)
}

// A picture that was damaged in its archive is a matter of its own.
func TestDamagedContent(t *testing.T) {
	t.Parallel()
	content := noise(3000)
	data := zipOf(t, file{name: "a.jpg", content: "good"}, file{name: "b.jpg", content: content}, file{name: "c.jpg", content: strings.Repeat("text ", 900), method: zip.Deflate}, file{name: "d.jpg", content: noise(photo.MaxBytes)})
	data[bytes.Index(data, []byte(content))+1000] ^= 1
	at := bytes.Index(data, []byte("c.jpg"))
	for i := at + 8; i < at+14; i++ {
		data[i] = 0xff
	}
	got, err := read(data, Limits{})
	want := []string{"a.jpg (a): good", "b.jpg (b): <damaged>", "c.jpg (c): <damaged>", "d.jpg (d): <too_large>", "0 passed over"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// Whatever is missing at the end, it is told as what it is.
func TestTruncated(t *testing.T) {
	t.Parallel()
	data := zipOf(t, file{name: "a.jpg", content: "first"}, file{name: "b.jpg", content: "second", method: zip.Deflate})
	for n := range data {
		want := "archive.damaged"
		if n < 4 {
			want = "archive.not_a_zip"
		}
		if _, err := read(data[:n], Limits{}); code(err) != want {
			t.Errorf("%d of %d bytes: %v (%s), want %s", n, len(data), err, code(err), want)
		}
	}
}

// failing is a store that cannot be reached from some place on.
type failing struct {
	io.ReaderAt
	from int64
}

var errAway = errors.New("the store is away")

func (f failing) ReadAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > f.from {
		return 0, errAway
	}
	return f.ReaderAt.ReadAt(p, at)
}

// That the store is away says nothing about the archive.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	data := zipOf(t, file{name: "a.jpg", content: noise(200)}, file{name: "b.jpg", content: noise(200), method: zip.Deflate})
	for from := range data {
		if _, err := readFrom(failing{bytes.NewReader(data), int64(from)}, int64(len(data)), Limits{}); !errors.Is(err, errAway) {
			t.Fatalf("away from %d on: %v", from, err)
		}
	}
	whole, err := openArchive(bytes.NewReader(data), int64(len(data)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	whole.src = failing{bytes.NewReader(data), 100}
	if _, err := (&unpacker{archive: whole}).unpack(&whole.entries[1]); !errors.Is(err, errAway) {
		t.Errorf("away while unpacking: %v", err)
	}
}

// records writes a directory of n files, and the end that tells of as many as said; the files themselves are zeros.
func records(n, said int) []byte {
	var buf bytes.Buffer
	buf.Write(make([]byte, 40*n))
	rec := make([]byte, headerBytes)
	put32(rec, 0, headerSignature)
	put16(rec, 28, 10)
	for i := range n {
		put32(rec, 42, uint32(40*i))
		buf.Write(rec)
		fmt.Fprintf(&buf, "%06d.jpg", i)
	}
	size := buf.Len() - 40*n
	if said > 0xffff {
		wide := put32(make([]byte, end64Bytes), 0, end64Signature)
		for i, v := range []int{said, said, size, 40 * n} {
			binary.LittleEndian.PutUint64(wide[24+8*i:], uint64(v))
		}
		locator := put32(make([]byte, locatorBytes), 0, locatorSignature)
		binary.LittleEndian.PutUint64(locator[8:], uint64(40*n+size))
		buf.Write(wide)
		buf.Write(locator)
	}
	last := put32(make([]byte, endBytes), 0, endSignature)
	put16(put16(last, 8, uint16(min(said, 0xffff))), 10, uint16(min(said, 0xffff)))
	buf.Write(put32(put32(last, 12, uint32(size)), 16, uint32(40*n)))
	return buf.Bytes()
}

// A million empty files are refused before they are read, and however few are told of, before they take memory.
func TestTooManyEntries(t *testing.T) {
	for name, data := range map[string][]byte{"told": records(1_000_000, 1_000_000), "hidden": records(1_000_000, 12)} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		_, err := read(data, Limits{})
		runtime.ReadMemStats(&after)
		if code(err) != "archive.too_many_entries" {
			t.Errorf("%s: %v", name, err)
		}
		took := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %d kB allocated", name, took>>10)
		if most := uint64(150 << 20); took > most {
			t.Errorf("%s: %d bytes allocated, more than %d", name, took, most)
		}
	}
}

// Zip64, as a program writes it that has more than 65,535 files, and where something of 5 GB stands before the archive.
func TestZip64(t *testing.T) {
	t.Parallel()
	files := make([]file, 66_000)
	for i := range files {
		files[i] = file{name: fmt.Sprintf("%d.jpg", i), content: fmt.Sprint(i)}
	}
	data := zipOf(t, files...)
	got, err := read(data, Limits{})
	if err != nil || len(got) != len(files)+1 || got[65_999] != "65999.jpg (65999): 65999" {
		t.Fatalf("%v, %d lines", err, len(got))
	}
	if _, err := read(data, Limits{Entries: 65_999}); code(err) != "archive.too_many_entries" {
		t.Errorf("%v", err)
	}
	for _, base := range []int64{0, 7} {
		path := filepath.Join(t.TempDir(), "large.zip")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		const before = 5 << 30
		if _, err := f.Seek(before+base, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		w := zip.NewWriter(f)
		w.SetOffset(before)
		into, err := w.Create("jdoe.jpg")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(into, "face"); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		got, err := readFrom(f, info.Size(), Limits{})
		if diff := cmp.Diff([]string{"jdoe.jpg (jdoe): face", "0 passed over"}, got); err != nil || diff != "" {
			t.Errorf("%d bytes more before: %v\n%s", base, err, diff)
		}
	}
}

// The Finder writes archives of more than 4 GB with numbers that were cut to 32 bits, and more than 65,535 files with a
// number of 16.
func TestFinderArchives(t *testing.T) {
	t.Parallel()
	many := records(70_000, 70_000-65_536)
	if a, err := openArchive(bytes.NewReader(many), int64(len(many)), Limits{}); err != nil || len(a.entries) != 70_000 {
		t.Errorf("70,000 files, of which 4,464 are told: %v", err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "finder.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var directory bytes.Buffer
	at := int64(0)
	for i := range 7 {
		name, content, size := fmt.Sprintf("%d.jpg", i), "", int64(1<<30)
		if i == 6 {
			content, size = "face", 4
		}
		local := put32(make([]byte, localBytes), 0, localSignature)
		put32(put32(put32(local, 14, crc32.ChecksumIEEE([]byte(content))), 18, uint32(size)), 22, uint32(size))
		put16(local, 26, uint16(len(name)))
		if _, err := f.WriteAt(append(append(local, name...), content...), at); err != nil {
			t.Fatal(err)
		}
		rec := put32(make([]byte, headerBytes), 0, headerSignature)
		put32(put32(put32(rec, 16, crc32.ChecksumIEEE([]byte(content))), 20, uint32(size)), 24, uint32(size))
		put32(put16(rec, 28, uint16(len(name))), 42, uint32(at))
		directory.Write(append(rec, name...))
		at += localBytes + int64(len(name)) + size
	}
	last := put32(make([]byte, endBytes), 0, endSignature)
	put16(put16(last, 8, 7), 10, 7)
	put32(put32(last, 12, uint32(directory.Len())), 16, uint32(at))
	directory.Write(last)
	if _, err := f.WriteAt(directory.Bytes(), at); err != nil {
		t.Fatal(err)
	}
	got, err := readFrom(f, at+int64(directory.Len()), Limits{})
	if err != nil || len(got) != 8 || got[6] != "6.jpg (6): face" {
		t.Errorf("%v: %v", err, got)
	}
}

// Nothing that anybody could send makes the reader panic, read for ever, or unpack to more than it may.
func FuzzArchive(f *testing.F) {
	f.Add(zipOf(f, file{name: "a.jpg", content: "first"}, file{name: "ä/b.jpg", content: strings.Repeat("x", 500), method: zip.Deflate}))
	f.Add(endless(zipOf(f, file{name: "a.jpg"})))
	f.Add(records(3, 3))
	f.Add(records(3, 70_000))
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := Limits{Entries: 50, Unpacked: 100_000}
		lines, err := read(data, limits)
		if _, is := asRefusal(err); err != nil && !is {
			t.Fatalf("not a refusal: %v", err)
		}
		total := 0
		for _, line := range lines {
			total += len(line)
		}
		if total > 100_000+51*2000 {
			t.Fatalf("unpacked to %d bytes", total)
		}
	})
}
