package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zlib"
)

// pngDecoder decodes a PNG to planes, row by row, so that no more of it is in memory than its planes; what shows through is
// white.
//
// It is there beside image/png because a picture of 40 megapixels, which may come compressed to a few kilobytes, would take
// 320 MB there with 16 bits a colour, and because it knows where the pixels end.
type pngDecoder struct {
	look
	palette     [256][4]byte // R, G, B and how opaque
	colours     int          // how many of them there are
	transparent []byte       // tRNS of a picture without a palette
	idat        []byte
	kept        []byte // chunks before the pixels that decoding needs
	out         planes
}

// decodePNG decodes the PNG in data, and returns what of it that took.
func (l *look) decodePNG(data []byte, w *workshop) (*planes, []byte, error) {
	d := &pngDecoder{look: *l}
	if err := chunks(data, d.chunk); err != nil {
		return nil, nil, err
	}
	if d.png.colour == pngPalette && d.colours == 0 {
		return nil, nil, damaged("it has no palette")
	}
	d.out = planes{width: d.Width, height: d.Height, y: w.plane(d.Width, d.Height)}
	if d.coloured() {
		d.out.cb, d.out.cr = w.plane(d.Width, d.Height), w.plane(d.Width, d.Height)
	}
	read, err := d.pixels(w)
	if err != nil {
		return nil, nil, err
	}
	clean := append(append(make([]byte, 0, len(d.kept)+read+32), pngSignature...), d.kept...)
	clean = appendChunk(clean, "IDAT", d.idat[:read])
	return &d.out, appendChunk(clean, "IEND", nil), nil
}

func appendChunk(out []byte, kind string, payload []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(payload)))
	from := len(out)
	out = append(append(out, kind...), payload...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[from:]))
}

// coloured says whether the pixels have colours.
func (d *pngDecoder) coloured() bool {
	return d.png.colour == pngColour || d.png.colour == pngPalette || d.png.colour == pngAlpha
}

// chunk takes in one chunk.
func (d *pngDecoder) chunk(kind string, p []byte) (bool, error) {
	switch {
	case kind == "IDAT":
		d.idat = append(d.idat, p...)
	case d.idat != nil && (kind == "PLTE" || kind == "tRNS"):
		return false, damaged("its parts are in the wrong order")
	case kind == "PLTE":
		return true, d.readPalette(p)
	case kind == "tRNS":
		return true, d.readTransparency(p)
	case kind == "IHDR":
		d.kept = appendChunk(d.kept, kind, p)
	case kind[0]&0x20 == 0 && kind != "IEND":
		return false, damaged("it has a part that no PNG has")
	}
	return true, nil
}

// readPalette reads PLTE. Of a picture without a palette it is a hint for old screens, and goes.
func (d *pngDecoder) readPalette(p []byte) error {
	if d.png.colour != pngPalette {
		return nil
	}
	if d.colours > 0 || len(p)%3 != 0 || len(p) == 0 || len(p) > 3<<d.png.depth {
		return damaged("its palette is damaged")
	}
	for i := range d.palette {
		d.palette[i][3] = 255
	}
	for d.colours = 0; 3*d.colours < len(p); d.colours++ {
		copy(d.palette[d.colours][:3], p[3*d.colours:])
	}
	d.kept = appendChunk(d.kept, "PLTE", p)
	return nil
}

// readTransparency reads tRNS: how opaque each colour of the palette is, or the one colour that is not there.
func (d *pngDecoder) readTransparency(p []byte) error {
	want := map[byte]int{pngGrey: 2, pngColour: 6}[d.png.colour]
	switch {
	case d.png.colour == pngPalette && len(p) <= d.colours:
		for i, opaque := range p {
			d.palette[i][3] = opaque
		}
	case want > 0 && len(p) == want && d.transparent == nil:
		d.transparent = p
	default:
		return damaged("what it says of its transparency is damaged")
	}
	d.kept = appendChunk(d.kept, "tRNS", p)
	return nil
}

// pass is one of the pictures of which an interlaced one is made: its pixels are those at x + i*dx, y + j*dy.
type pass struct{ x, y, dx, dy int }

var (
	onePass = []pass{{0, 0, 1, 1}}
	adam7   = []pass{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
)

// pixels reads all pixels, and returns how much of the coded data they were.
func (d *pngDecoder) pixels(w *workshop) (read int, err error) {
	coded := bytes.NewReader(d.idat)
	z, err := zlib.NewReader(coded)
	if err != nil {
		return 0, damaged("its pixels are damaged")
	}
	defer z.Close()
	passes := onePass
	if d.png.interlaced {
		passes = adam7
	}
	for _, p := range passes {
		if err := d.pass(z, p, w); err != nil {
			return 0, damaged("it ends too early, or its pixels are damaged")
		}
	}
	if n, err := io.ReadFull(z, make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		return 0, damaged("it has more pixels than it says, or they are damaged")
	}
	return len(d.idat) - coded.Len(), nil
}

var errFilter = errors.New("no such filter")

// pass reads the rows of one pass.
func (d *pngDecoder) pass(z io.Reader, p pass, w *workshop) error {
	width, height := ceilDiv(d.Width-p.x, p.dx), ceilDiv(d.Height-p.y, p.dy)
	if width <= 0 || height <= 0 {
		return nil
	}
	samples := map[byte]int{pngGrey: 1, pngColour: 3, pngPalette: 1, pngGreyAlpha: 2, pngAlpha: 4}[d.png.colour]
	bits := samples * int(d.png.depth)
	n, back := ceilDiv(width*bits, 8), ceilDiv(bits, 8)
	row, above := w.bytes(1+n), w.bytes(1+n)
	clear(above)
	for y := range height {
		if _, err := io.ReadFull(z, row); err != nil {
			return err
		}
		if err := unfilter(row[0], row[1:], above[1:], back); err != nil {
			return err
		}
		d.write(row[1:], p, width, p.y+y*p.dy)
		row, above = above, row
	}
	return nil
}

// unfilter takes back what a filter did to a row (PNG, 9.2), given the row above it; back is how many bytes a pixel has.
func unfilter(kind byte, row, above []byte, back int) error {
	above = above[:len(row)]
	switch kind {
	case 0:
	case 1:
		for i := back; i < len(row); i++ {
			row[i] += row[i-back]
		}
	case 2:
		for i, a := range above {
			row[i] += a
		}
	case 3:
		for i := range min(back, len(row)) {
			row[i] += above[i] / 2
		}
		for i := back; i < len(row); i++ {
			row[i] += byte((int(row[i-back]) + int(above[i])) / 2)
		}
	case 4:
		for i := range min(back, len(row)) {
			row[i] += above[i]
		}
		for i := back; i < len(row); i++ {
			row[i] += paeth(int(row[i-back]), int(above[i]), int(above[i-back]))
		}
	default:
		return errFilter
	}
	return nil
}

// paeth returns whichever of left, up and their corner is nearest to left + up - corner.
func paeth(left, up, corner int) byte {
	toLeft, toUp, toCorner := up-corner, left-corner, left+up-2*corner
	toLeft, toUp, toCorner = max(toLeft, -toLeft), max(toUp, -toUp), max(toCorner, -toCorner)
	switch {
	case toLeft <= toUp && toLeft <= toCorner:
		return byte(left)
	case toUp <= toCorner:
		return byte(up)
	}
	return byte(corner)
}
