package photo

import (
	"encoding/binary"
	"hash/crc32"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// The colour types of a PNG (PNG specification, third edition, 11.2.1).
const (
	pngGrey      = 0
	pngColour    = 2
	pngPalette   = 3
	pngGreyAlpha = 4
	pngAlpha     = 6
)

// pngHeader is a PNG's IHDR chunk.
type pngHeader struct {
	width, height int
	depth, colour byte
	interlaced    bool
}

// depths are the bits a sample may have, by colour type.
var depths = map[byte][]byte{pngGrey: {1, 2, 4, 8, 16}, pngColour: {8, 16}, pngPalette: {1, 2, 4, 8}, pngGreyAlpha: {8, 16}, pngAlpha: {8, 16}}

// chunks walks the chunks of a PNG, in order, until visit says to stop or IEND, whose visit is the last. What lies after
// IEND is passed over.
func chunks(data []byte, visit func(kind string, payload []byte) (goOn bool, err error)) error {
	at := len(pngSignature)
	for {
		if at+12 > len(data) {
			return damaged("it ends too early")
		}
		n := int64(binary.BigEndian.Uint32(data[at:]))
		if int64(at)+12+n > int64(len(data)) {
			return damaged("it ends too early")
		}
		end := at + 8 + int(n)
		kind, payload := string(data[at+4:at+8]), data[at+8:end]
		if crc32.ChecksumIEEE(data[at+4:end]) != binary.BigEndian.Uint32(data[end:]) {
			return damaged("a checksum in it is wrong")
		}
		if goOn, err := visit(kind, payload); err != nil || !goOn || kind == "IEND" {
			return err
		}
		at = end + 4
	}
}

// lookAtPNG reads a PNG's header: all before its pixels.
func lookAtPNG(data []byte) (look, error) {
	l := look{Header: Header{Format: PNG, Orientation: 1}}
	err := chunks(data, func(kind string, payload []byte) (bool, error) {
		switch {
		case l.Width == 0:
			h, err := readIHDR(kind, payload)
			l.png, l.Width, l.Height = h, h.width, h.height
			return err == nil && l.judge() == nil, err // 60,000 × 60,000 is refused without a look at the rest
		case kind == "IHDR":
			return false, damaged("it says twice how large it is")
		case kind == "eXIf":
			l.Orientation = orientation(payload)
		}
		return kind != "IDAT", nil
	})
	return l, err
}

// readIHDR reads and judges the first chunk.
func readIHDR(kind string, p []byte) (pngHeader, error) {
	if kind != "IHDR" || len(p) != 13 {
		return pngHeader{}, damaged("its header is damaged")
	}
	width, height := binary.BigEndian.Uint32(p), binary.BigEndian.Uint32(p[4:])
	if width == 0 || height == 0 || width > 1<<31-1 || height > 1<<31-1 {
		return pngHeader{}, damaged("it says that it has no pixels")
	}
	h := pngHeader{width: int(width), height: int(height), depth: p[8], colour: p[9], interlaced: p[12] == 1}
	known := false
	for _, d := range depths[h.colour] {
		known = known || d == h.depth
	}
	if !known || p[10] != 0 || p[11] != 0 || p[12] > 1 {
		return h, damaged("its header names a coding that PNG does not have")
	}
	return h, nil
}
