package photo

import (
	"bytes"
	"errors"
	"testing"
)

// seeds are pictures of all kinds, and what was said about them.
func seeds(f *testing.F) {
	f.Helper()
	for _, all := range []map[string][]byte{jpegs(f), pngs(f)} {
		for _, data := range all {
			f.Add(data)
		}
	}
	f.Add(told(asJPEG(f, portrait(210, 205, 1), 50), 6))
	f.Add(hugePNG(60_000, 60_000))
	f.Add([]byte("GIF89a"))
}

// FuzzHeader: whatever the bytes, a header is read or refused in words, and what it says is within the limits.
func FuzzHeader(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := ReadHeader(data)
		var r *Refusal
		switch {
		case err == nil && (h.Width < MinSide || h.Height < MinSide || h.Width*h.Height > MaxPixels || h.Orientation < 1 || h.Orientation > 8):
			t.Errorf("%+v", h)
		case err != nil && (!errors.As(err, &r) || r.Code == "" || r.Message == ""):
			t.Errorf("%#v", err)
		}
	})
}

// FuzzOrientation: whatever the bytes, it ends, with an orientation that there is.
func FuzzOrientation(f *testing.F) {
	f.Add(exifSegment(6)[len(exifPrefix):])
	f.Add([]byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x03\x00"))
	f.Fuzz(func(t *testing.T, tiff []byte) {
		if o := orientation(tiff); o < 1 || o > 8 {
			t.Error(o)
		}
	})
}

// FuzzKept: what is kept of a picture has none but the parts that decoding needs, ends with the picture, and kept again stays as
// it is. The decoders never panic, which Process would hide.
func FuzzKept(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := lookAt(data)
		if err != nil || l.Width*l.Height > 1_000_000 {
			return
		}
		l.Orientation = 1 // what is turned is encoded anew
		shown, err := Crop{}.in(l.Header)
		if err != nil {
			t.Fatal(err)
		}
		j := job{look: l, shown: shown}
		_, clean, err := j.decode(data)
		if err != nil {
			return
		}
		again := job{look: l, shown: shown}
		_, twice, err := again.decode(clean)
		if err != nil || !bytes.Equal(twice, clean) {
			t.Errorf("kept again it is another: %v", err)
		}
		onlyWhatDecodingNeeds(t, clean)
	})
}
