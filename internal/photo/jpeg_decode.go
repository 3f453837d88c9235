package photo

import (
	"bytes"
	"encoding/binary"
)

// zigzag says where in its rows the coefficients of a block lie, in the order in which they are written (T.81, figure A.6).
var zigzag = [64]byte{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// maxScans is how many scans a JPEG may have. Progressive ones have some ten; thousands of nearly empty ones would keep a
// decoder busy for hours (libjpeg-turbo's advice is a limit of this kind as well).
const maxScans = 100

// channel is a component while it is decoded.
type channel struct {
	component
	across, down int // blocks that hold its samples
	room         int // blocks in a row, those that fill the last unit up included
	rows         int // likewise, of rows
	side         int // samples that a block is decoded to, each way: 8, 4, 2 or 1
	out          plane
	coefficients []int16 // of a progressive picture: all blocks', in zigzag order
	dc           int     // the last block's
	scanned      bool
}

// jpegDecoder decodes the picture in data to planes, as much smaller as its channels' sides say, and copies to clean what it needed
// for that: nothing else is in it, and nothing that lies behind a scan's last block.
//
// It is there beside image/jpeg for three reasons: a progressive picture of 40 megapixels takes half as much memory; large
// pictures are decoded straight to what is shown of them; and its buffers are used again.
type jpegDecoder struct {
	look
	clean    []byte
	channels []channel
	quant    [4][64]int32 // in zigzag order
	known    [4]bool
	huffman  [2][4]huffman // DC, AC
	restart  int           // units between restarts; 0: none
	jfif     bool
	adobe    int // the transform that an Adobe segment names, -1 when there is none
	scans    int
	work     *workshop
}

// decodeJPEG decodes the JPEG in data: each block of the first component to side × side samples.
func (l *look) decodeJPEG(data []byte, side int, w *workshop) (*planes, []byte, error) {
	d := &jpegDecoder{look: *l, clean: make([]byte, 2, len(data)+2), adobe: -1, work: w}
	d.clean[0], d.clean[1] = 0xff, markSOI
	if err := d.layOut(side); err != nil {
		return nil, nil, err
	}
	if err := segments(data, d.segment); err != nil {
		return nil, nil, err
	}
	for i := range d.channels {
		if !d.channels[i].scanned {
			return nil, nil, damaged("it ends before all of its colours")
		}
	}
	if d.jpeg.progressive {
		d.transformAll()
	}
	p, err := d.planes()
	return p, append(d.clean, 0xff, markEOI), err
}

// layOut prepares the channels.
func (d *jpegDecoder) layOut(side int) error {
	first := d.jpeg.components[0]
	if len(d.jpeg.components) == 1 {
		first.h, first.v = 1, 1 // T.81, A.2.2: of one component, a unit is one block whatever is said
		d.jpeg.components[0] = first
	}
	for i, c := range d.jpeg.components {
		if c.h == 0 || c.v == 0 || c.h > first.h || c.v > first.v || first.h > 4 || first.v > 4 || first.h%c.h != 0 || first.v%c.v != 0 || c.table > 3 {
			return damaged("its colours are arranged as no camera or phone does")
		}
		for _, before := range d.jpeg.components[:i] {
			if before.id == c.id {
				return damaged("two of its colours have the same name")
			}
		}
		d.channels = append(d.channels, d.layOutChannel(c, side))
	}
	return nil
}

func (d *jpegDecoder) layOutChannel(c component, side int) channel {
	first := d.jpeg.components[0]
	w, h := ceilDiv(d.Width*int(c.h), int(first.h)), ceilDiv(d.Height*int(c.v), int(first.v))
	ch := channel{
		component: c, across: ceilDiv(w, 8), down: ceilDiv(h, 8), side: side,
		room: ceilDiv(d.Width, 8*int(first.h)) * int(c.h), rows: ceilDiv(d.Height, 8*int(first.v)) * int(c.v),
	}
	stride := ch.room * side
	ch.out = plane{
		pix: d.work.bytes(stride * ch.rows * side), w: ceilDiv(w*side, 8), h: ceilDiv(h*side, 8), stride: stride,
		spanX: 8 / side * int(first.h/c.h), spanY: 8 / side * int(first.v/c.v),
	}
	if d.jpeg.progressive {
		ch.coefficients = d.work.zeros(ch.room * ch.rows * 64)
	}
	return ch
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// segment takes in one segment.
func (d *jpegDecoder) segment(marker byte, payload, coded []byte) (bool, error) {
	var err error
	switch {
	case marker == markAPP0:
		if bytes.HasPrefix(payload, []byte("JFIF\x00")) && !d.jfif {
			d.jfif, d.clean = true, append(d.clean, jfif...)
		}
		return true, nil
	case marker == markAPP14:
		if len(payload) >= adobeBytes && bytes.HasPrefix(payload, []byte("Adobe")) && d.adobe < 0 {
			d.adobe = int(payload[adobeBytes-1])
			d.clean = appendSegment(d.clean, marker, adobe(payload[adobeBytes-1]))
		}
		return true, nil
	case marker > markAPP0 && marker <= 0xef, marker == 0xfe:
		return true, nil // said about the picture, not the picture
	case marker == markDQT:
		err = d.readQuant(payload)
	case marker == markDHT:
		err = d.readHuffman(payload)
	case marker == markDRI && len(payload) == 2:
		d.restart = int(binary.BigEndian.Uint16(payload))
	case isFrame(marker) && d.scans == 0: // read and judged with the header
	case marker == markSOS:
		d.clean = appendSegment(d.clean, marker, payload)
		read, err := d.scan(payload, coded)
		d.clean = append(d.clean, coded[:read]...)
		return true, err
	default:
		err = damaged("it has a part that no JPEG of this kind has")
	}
	if err == nil {
		d.clean = appendSegment(d.clean, marker, payload)
	}
	return true, err
}

// readQuant reads a DQT segment (T.81, B.2.4.1).
func (d *jpegDecoder) readQuant(p []byte) error {
	for len(p) > 0 {
		wide, table := int(p[0]>>4), p[0]&15
		p = p[1:]
		if wide > 1 || table > 3 || len(p) < 64<<wide {
			return damaged("one of its tables is damaged")
		}
		for i := range 64 {
			if wide == 1 {
				d.quant[table][i] = int32(binary.BigEndian.Uint16(p[2*i:]))
			} else {
				d.quant[table][i] = int32(p[i])
			}
		}
		d.known[table], p = true, p[64<<wide:]
	}
	return nil
}

// readHuffman reads a DHT segment (T.81, B.2.4.2).
func (d *jpegDecoder) readHuffman(p []byte) error {
	for len(p) > 0 {
		if len(p) < 17 || p[0]>>4 > 1 || p[0]&15 > 3 {
			return damaged("one of its tables is damaged")
		}
		n := 0
		for _, c := range p[1:17] {
			n += int(c)
		}
		if n > 256 || len(p) < 17+n {
			return damaged("one of its tables is damaged")
		}
		if err := d.huffman[p[0]>>4][p[0]&15].set(p[1:17], p[17:17+n]); err != nil {
			return err
		}
		p = p[17+n:]
	}
	return nil
}

// transform writes the block's samples where it belongs.
func (c *channel) transform(b *block, last, x, y int) {
	at := y*c.side*c.out.stride + x*c.side
	switch {
	case last == 0:
		idct1(b, c.out.pix[at:], c.out.stride, c.side)
	case c.side == 8:
		idct8(b, c.out.pix[at:], c.out.stride)
	case c.side == 4:
		idct4(b, c.out.pix[at:], c.out.stride)
	case c.side == 2:
		idct2(b, c.out.pix[at:], c.out.stride)
	default:
		idct1(b, c.out.pix[at:], c.out.stride, 1)
	}
}

// transformAll makes samples of a progressive picture's coefficients, when all of them are there.
func (d *jpegDecoder) transformAll() {
	for i := range d.channels {
		c := &d.channels[i]
		quant := &d.quant[c.table]
		for y := range c.down {
			for x := range c.across {
				var b block
				last := 0
				for k, v := range c.coefficients[(y*c.room+x)*64:][:64] {
					if v != 0 {
						b[zigzag[k]] = int32(v) * quant[k]
						last = k
					}
				}
				c.transform(&b, last, x, y)
			}
		}
		c.coefficients = nil
	}
	d.work.collect()
}
