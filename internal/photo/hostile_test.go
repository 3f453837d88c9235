package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

// What was said about the picture: each must be gone. They stand in EXIF, GPS, XMP, IPTC, a comment, a profile, a thumbnail, in
// text chunks, and behind the picture's end.
var secrets = []string{"Exif", "2031:04:05", "48.8584", "adobe:xap", "Photoshop 3.0", "taken at home", "ICC_PROFILE", "serial 12345", "MPF", "PK\x03\x04", "<script>", "thumb"}

func TestNothingOfTheMetadataIsLeft(t *testing.T) {
	t.Parallel()
	jpg := asJPEG(t, portrait(300, 260, 6), 85)
	png := asPNG(t, portrait(300, 260, 6))
	for name, data := range map[string][]byte{
		"JPEG": told(jpg, 1), "JPEG to be turned": told(jpg, 6), "progressive": told(jpegs(t)["444-progressive.jpg"], 1),
		"PNG": toldPNG(png, 1), "PNG to be turned": toldPNG(png, 8),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, s := range []string{"2031:04:05", "48.8584", "PK\x03\x04"} {
				if !bytes.Contains(data, []byte(s)) {
					t.Fatalf("the test's own picture has no %q", s)
				}
			}
			p := process(t, data, Options{})
			for what, out := range map[string][]byte{"stored": p.Stored, "large": p.Large, "small": p.Small} {
				for _, s := range secrets {
					if bytes.Contains(out, []byte(s)) {
						t.Errorf("%s has %q", what, s)
					}
				}
				onlyWhatDecodingNeeds(t, out)
			}
		})
	}
}

// told is a JPEG with everything said about it that a camera and a phone say, hidden in its pixels' tail too, and an archive and
// a page behind it.
func told(data []byte, orientation int) []byte {
	data = withSegment(data, markAPP1, exifSegment(orientation))
	data = withSegment(data, markAPP1, []byte("http://ns.adobe.com/xap/1.0/\x00<x>taken at home</x>"))
	data = withSegment(data, 0xe2, []byte("ICC_PROFILE\x00\x01\x01serial 12345"))
	data = withSegment(data, 0xe2, []byte("MPF\x00II*\x00"))
	data = withSegment(data, 0xed, []byte("Photoshop 3.0\x00taken at home"))
	data = withSegment(data, 0xe0, []byte("JFXX\x00thumb"))
	data = withSegment(data, 0xfe, []byte("taken at home"))
	end := len(data) - 2
	return slices.Concat(data[:end], []byte("PK\x03\x04 in the tail of the pixels"), data[end:], []byte("PK\x03\x04<html><script>"), data)
}

func toldPNG(data []byte, orientation uint16) []byte {
	data = withChunk(data, "eXIf", tiff(binary.BigEndian, orientation))
	data = withChunk(data, "tEXt", []byte("Comment\x00taken at home 48.8584"))
	data = withChunk(data, "iCCP", []byte("serial 12345\x00\x00"))
	data = withChunk(data, "acTL", make([]byte, 8))
	data = withChunk(data, "gAMA", []byte{0, 1, 0x86, 0xa0})
	end := len(data) - 12 // IEND
	return slices.Concat(data[:end], appendChunk(nil, "IDAT", []byte("PK\x03\x04 behind the pixels")), data[end:], []byte("PK\x03\x04<html><script>"))
}

// onlyWhatDecodingNeeds fails where a picture has parts that do not make pixels.
func onlyWhatDecodingNeeds(t *testing.T, data []byte) {
	t.Helper()
	kinds := parts(t, data)
	if strings.HasPrefix(string(data), pngSignature) {
		if !slices.Contains([]string{"IHDR IDAT IEND ", "IHDR PLTE IDAT IEND ", "IHDR tRNS IDAT IEND ", "IHDR PLTE tRNS IDAT IEND "}, kinds) {
			t.Errorf("it has the parts %q", kinds)
		}
		return
	}
	for _, marker := range []byte(kinds) {
		if !slices.Contains([]byte{markSOF0, markSOF1, markSOF2, markDHT, markSOS, markDQT, markDRI, markAPP0, markAPP14}, marker) {
			t.Errorf("it has the part %x", marker)
		}
	}
}

// parts are the markers or chunks of a picture. It must end where they do.
func parts(t *testing.T, data []byte) string {
	t.Helper()
	var all strings.Builder
	if strings.HasPrefix(string(data), pngSignature) {
		if err := chunks(data, func(kind string, _ []byte) (bool, error) { all.WriteString(kind + " "); return true, nil }); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasSuffix(data, appendChunk(nil, "IEND", nil)) {
			t.Error("something is behind the end")
		}
		return all.String()
	}
	used := 2
	err := segments(data, func(marker byte, payload, coded []byte) (bool, error) {
		all.WriteString(string([]byte{marker}))
		used += 4 + len(payload) + len(coded)
		return true, nil
	})
	if err != nil || used+2 != len(data) || !bytes.HasSuffix(data, []byte{0xff, markEOI}) {
		t.Errorf("%d of %d bytes are segments: %v", used, len(data), err)
	}
	return all.String()
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	jpg, png := asJPEG(t, portrait(300, 260, 6), 85), asPNG(t, portrait(300, 260, 6))
	arithmetic, err := os.ReadFile("testdata/arithmetic.jpg")
	if err != nil {
		t.Fatal(err)
	}
	flip := func(data []byte, at int, to ...byte) []byte {
		data = bytes.Clone(data)
		copy(data[at:], to)
		return data
	}
	sof := bytes.Index(jpg, []byte{0xff, markSOF0})
	for name, c := range map[string]struct {
		data       []byte
		code, says string
	}{
		"nothing":                  {nil, NotAnImage, "an empty file"},
		"GIF":                      {[]byte("GIF89a\x01\x00\x01\x00"), NotAnImage, "a GIF"},
		"HEIC":                     {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), NotAnImage, "a HEIC"},
		"AVIF":                     {[]byte("\x00\x00\x00\x1cftypavif\x00\x00\x00\x00"), NotAnImage, "an AVIF"},
		"MP4":                      {[]byte("\x00\x00\x00\x1cftypisom\x00\x00\x00\x00"), NotAnImage, "a video"},
		"WebP":                     {[]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), NotAnImage, "a WebP"},
		"SVG":                      {[]byte("\xef\xbb\xbf<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>"), NotAnImage, "an SVG"},
		"page":                     {[]byte("<!DOCTYPE html><script>alert(1)</script>"), NotAnImage, "a web page"},
		"TIFF":                     {[]byte("II*\x00\x08\x00\x00\x00"), NotAnImage, "a TIFF"},
		"ZIP":                      {[]byte("PK\x03\x04"), NotAnImage, "a ZIP archive"},
		"text":                     {[]byte("hello"), NotAnImage, "something else"},
		"5 MB":                     {slices.Concat(jpg, make([]byte, MaxBytes-len(jpg))), TooLarge, "5,000,000"},
		"60,000 × 60,000":          {hugePNG(60_000, 60_000), TooManyPixels, "60000 × 60000"},
		"a side of 2^31":           {hugePNG(1<<31-1, 1<<31-1), TooManyPixels, "pixels"},
		"65,535 × 65,535 JPEG":     {flip(jpg, sof+5, 0xff, 0xff, 0xff, 0xff), TooManyPixels, "65535 × 65535"},
		"one pixel":                {flip(jpg, sof+5, 0, 1, 0, 1), TooSmall, "1 × 1"},
		"199 pixels":               {flip(jpg, sof+5, 0, 199), TooSmall, "199"},
		"no pixels":                {flip(jpg, sof+5, 0, 0), Damaged, "no pixels"},
		"12 bits":                  {flip(jpg, sof+4, 12), Damaged, "12 bits"},
		"16 bits":                  {flip(jpg, sof+4, 16), Damaged, "16 bits"},
		"lossless":                 {flip(jpg, sof+1, 0xc3), Damaged, "lossless"},
		"arithmetic":               {arithmetic, Damaged, "arithmetically coded"},
		"five colours":             {flip(jpg, sof+9, 5), Damaged, "header"},
		"truncated JPEG":           {jpg[:len(jpg)*2/3], Damaged, "ends too early"},
		"JPEG cut in its header":   {jpg[:100], Damaged, ""},
		"a JPEG's first bytes":     {jpg[:3], Damaged, ""},
		"larger than its pixels":   {flip(jpg, sof+5, 0x10, 0, 0x10, 0), Damaged, "ends too early"},
		"JPEG without tables":      {without(jpg, markDQT), Damaged, "header of its pixels"},
		"JPEG without codes":       {without(jpg, markDHT), Damaged, "header of its pixels"},
		"JPEG without pixels":      {append(without(jpg[:len(jpg)-2], markSOS), 0xff, markEOI), Damaged, "ends before"},
		"two sizes":                {withSegment(jpg, markSOF0, jpg[sof+4:sof+4+15]), Damaged, "twice"},
		"truncated PNG":            {png[:len(png)*2/3], Damaged, "ends too early"},
		"PNG with a wrong sum":     {flip(png, len(png)/2, png[len(png)/2]^1), Damaged, "checksum"},
		"PNG with fewer pixels":    {resizedPNG(pngs(t)["colour"], 211, 300), Damaged, "ends too early"},
		"PNG with more pixels":     {resizedPNG(pngs(t)["colour"], 211, 201), Damaged, "more pixels than it says"},
		"PNG of an unknown kind":   {slices.Concat([]byte(pngSignature), appendChunk(nil, "IHDR", []byte{0, 0, 1, 0, 0, 0, 1, 0, 3, 2, 0, 0, 0})), Damaged, "coding"},
		"PNG with a strange chunk": {withChunk(png, "ABCD", nil), Damaged, "no PNG has"},
		"PNG's first bytes":        {png[:8], Damaged, "ends too early"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Process(t.Context(), c.data, NewBudget(DefaultBudget), Options{})
			var r *Refusal
			if !errors.As(err, &r) || r.Code != c.code || !strings.Contains(r.Message, c.says) {
				t.Errorf("%#v, want %s with %q", err, c.code, c.says)
			}
		})
	}
}

// hugePNG is a PNG that says it is as large as that, of a few bytes.
func hugePNG(width, height uint32) []byte {
	h := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	return appendChunk([]byte(pngSignature), "IHDR", append(h, 8, 2, 0, 0, 0))
}

// resizedPNG is the PNG, said to be as large as that.
func resizedPNG(data []byte, width, height uint32) []byte {
	return slices.Concat(hugePNG(width, height), data[len(pngSignature)+25:])
}

// without is the JPEG without its segments of one kind.
func without(data []byte, marker byte) []byte {
	out := []byte{0xff, markSOI}
	_ = segments(data, func(m byte, payload, coded []byte) (bool, error) {
		if m != marker {
			out = append(appendSegment(out, m, payload), coded...)
		}
		return true, nil
	})
	return append(out, 0xff, markEOI)
}

// An EXIF directory that leads to itself, ends nowhere, or says what there is not, holds nobody up and turns nothing.
func TestHostileOrientation(t *testing.T) {
	t.Parallel()
	good := tiff(binary.BigEndian, 6)
	change := func(at int, to ...byte) []byte {
		data := bytes.Clone(good)
		copy(data[at:], to)
		return data
	}
	for name, c := range map[string]struct {
		tiff []byte
		want int
	}{
		"good":                    {good, 6},
		"little endian":           {tiff(binary.LittleEndian, 3), 3},
		"a directory in a header": {change(4, 0, 0, 0, 0), 1},
		"next is the same":        {change(34, 0, 0, 0, 8), 6},
		"GPS is the same":         {change(30, 0, 0, 0, 8), 6},
		"behind the end":          {change(4, 0, 0, 0xff, 0xff), 1},
		"far behind the end":      {change(4, 0xff, 0xff, 0xff, 0xff), 1},
		"65,535 entries":          {change(8, 0xff, 0xff), 6},
		"no entries":              {change(8, 0, 0), 1},
		"orientation 0":           {change(18, 0, 0), 1},
		"orientation 9":           {change(18, 0, 9), 1},
		"a long":                  {change(12, 0, 4), 1},
		"two of them":             {change(14, 0, 0, 0, 2), 1},
		"neither byte order":      {change(0, 'X', 'X'), 1},
		"nothing":                 {nil, 1},
		"cut":                     {good[:15], 1},
	} {
		if got := orientation(c.tiff); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// Thousands of scans with nothing in them would each walk all blocks.
func TestManyScansAreRefused(t *testing.T) {
	t.Parallel()
	data := jpegs(t)["420-progressive.jpg"]
	many := []byte{0xff, markSOI}
	repeated := false
	_ = segments(data, func(marker byte, payload, coded []byte) (bool, error) {
		times := 1
		if marker == markSOS && payload[0] == 1 && payload[5]>>4 == 0 && !repeated { // of one colour's upper bits: may come again
			times, repeated = maxScans, true
		}
		for range times {
			many = append(appendSegment(many, marker, payload), coded...)
		}
		return true, nil
	})
	_, err := Process(t.Context(), append(many, 0xff, markEOI), NewBudget(DefaultBudget), Options{})
	var r *Refusal
	if !errors.As(err, &r) || r.Code != Damaged || !strings.Contains(r.Message, "laid over") {
		t.Error(err)
	}
}

// A JPEG whose end of image is missing, though all of its pixels are there, is taken as every viewer takes it.
func TestMissingEndIsNoDamage(t *testing.T) {
	t.Parallel()
	data := asJPEG(t, portrait(300, 260, 6), 85)
	p := process(t, data[:len(data)-2], Options{})
	if !bytes.Equal(pixels(t, p.Stored), pixels(t, data)) {
		t.Error("it shows something else")
	}
}
