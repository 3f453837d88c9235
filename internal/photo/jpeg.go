package photo

import (
	"bytes"
	"encoding/binary"
)

// The markers of a JPEG (ITU-T T.81, table B.1).
const (
	markSOF0  = 0xc0 // baseline
	markSOF1  = 0xc1 // extended sequential
	markSOF2  = 0xc2 // progressive
	markDHT   = 0xc4
	markJPG   = 0xc8
	markDAC   = 0xcc
	markRST0  = 0xd0
	markRST7  = 0xd7
	markSOI   = 0xd8
	markEOI   = 0xd9
	markSOS   = 0xda
	markDQT   = 0xdb
	markDRI   = 0xdd
	markAPP0  = 0xe0
	markAPP1  = 0xe1
	markAPP14 = 0xee
	markTEM   = 0x01
)

// component is one of the planes of a JPEG: its identifier, how many blocks of it a unit has across and down, and which
// quantisation table it is under.
type component struct{ id, h, v, table byte }

// frame is a JPEG's SOF segment.
type frame struct {
	progressive   bool
	width, height int
	components    []component
}

// subsampled says whether some planes have fewer samples than the first.
func (f *frame) subsampled() bool {
	for _, c := range f.components {
		if c.h != f.components[0].h || c.v != f.components[0].v {
			return true
		}
	}
	return false
}

// segments walks the segments of a JPEG, in order, until visit says to stop, the end of the image, or the end of data. Of a scan, coded is
// what follows its header, restart markers included; of all else it is nil. What lies between segments, or after the end of the image, is passed over.
func segments(data []byte, visit func(marker byte, payload, coded []byte) (goOn bool, err error)) error {
	at := 2 // behind SOI
	for {
		marker, next := nextMarker(data, at)
		if marker == 0 || marker == markEOI {
			return nil
		}
		at = next
		if marker == markTEM || marker == markSOI || marker >= markRST0 && marker <= markRST7 {
			continue // has no length; out of place, but harmless
		}
		if at+2 > len(data) {
			return damaged("it ends too early")
		}
		end := at + int(binary.BigEndian.Uint16(data[at:]))
		if end < at+2 {
			return damaged("a part of it has an impossible length")
		}
		if end > len(data) {
			return damaged("it ends too early")
		}
		payload := data[at+2 : end]
		at = end
		var coded []byte
		if marker == markSOS {
			at = endOfCoded(data, end)
			coded = data[end:at]
		}
		if goOn, err := visit(marker, payload, coded); err != nil || !goOn {
			return err
		}
	}
}

// nextMarker returns the next marker from at on and where its segment goes on; 0 when there is none.
func nextMarker(data []byte, at int) (marker byte, next int) {
	for at < len(data) {
		i := bytes.IndexByte(data[at:], 0xff)
		if i < 0 {
			break
		}
		at += i
		for at < len(data) && data[at] == 0xff { // any number of fill bytes
			at++
		}
		if at < len(data) && data[at] != 0 {
			return data[at], at + 1
		}
	}
	return 0, len(data)
}

// endOfCoded returns where the entropy-coded data from at on end: at the next marker that is not a restart.
func endOfCoded(data []byte, at int) int {
	for {
		i := bytes.IndexByte(data[at:], 0xff)
		if i < 0 || at+i+1 >= len(data) {
			return len(data)
		}
		at += i
		if m := data[at+1]; m != 0 && m != 0xff && (m < markRST0 || m > markRST7) {
			return at
		}
		at++
		if data[at] != 0xff {
			at++
		}
	}
}

// lookAtJPEG reads a JPEG's header: all before its first scan.
func lookAtJPEG(data []byte) (look, error) {
	l := look{Header: Header{Format: JPEG, Orientation: 1}}
	exif := false
	err := segments(data, func(marker byte, payload, _ []byte) (bool, error) {
		switch {
		case marker == markAPP1 && !exif:
			if tiff := exifOf(payload); tiff != nil {
				exif, l.Orientation = true, orientation(tiff)
			}
		case isFrame(marker):
			if l.jpeg.components != nil {
				return false, damaged("it says twice how large it is")
			}
			f, err := readFrame(marker, payload)
			l.jpeg, l.Width, l.Height = f, f.width, f.height
			return true, err
		}
		return marker != markSOS, nil
	})
	if err == nil && l.jpeg.components == nil {
		err = damaged("it ends before it says how large it is")
	}
	return l, err
}

// isFrame says whether the marker begins a frame: C0 to CF but for DHT, JPG and DAC.
func isFrame(marker byte) bool {
	return marker >= markSOF0 && marker <= 0xcf && marker != markDHT && marker != markJPG && marker != markDAC
}

// readFrame reads and judges an SOF segment (T.81, B.2.2).
func readFrame(marker byte, p []byte) (frame, error) {
	if len(p) < 6 || len(p) != 6+3*int(p[5]) {
		return frame{}, damaged("its header is damaged")
	}
	f := frame{progressive: marker == markSOF2, height: int(binary.BigEndian.Uint16(p[1:])), width: int(binary.BigEndian.Uint16(p[3:]))}
	switch {
	case marker > markSOF2:
		return f, damaged("it is a lossless, hierarchical or arithmetically coded JPEG, which cameras and phones do not make")
	case p[0] != 8:
		return f, damaged("it is a JPEG of %d bits a colour; only those of 8 are read", p[0])
	case f.width == 0 || f.height == 0:
		return f, damaged("it says that it has no pixels")
	case p[5] != 1 && p[5] != 3 && p[5] != 4:
		return f, damaged("it is a JPEG of %d colours; only those of 1, 3 and 4 are read", p[5])
	}
	for c := p[6:]; len(c) > 0; c = c[3:] {
		f.components = append(f.components, component{id: c[0], h: c[1] >> 4, v: c[1] & 15, table: c[2]})
	}
	return f, nil
}
