package photo

import (
	"bytes"
	"image/color"
)

// write writes a row of a pass, width pixels, to row y of the planes.
func (d *pngDecoder) write(row []byte, p pass, width, y int) {
	at := y*d.out.y.stride + p.x
	if !d.coloured() {
		for i := range width {
			v, opaque := d.greyAt(row, i)
			d.out.y.pix[at] = onWhite(v, opaque)
			at += p.dx
		}
		return
	}
	for i := range width {
		r, g, b, opaque := d.colourAt(row, i)
		if opaque < 255 {
			r, g, b = onWhite(r, opaque), onWhite(g, opaque), onWhite(b, opaque)
		}
		d.out.y.pix[at], d.out.cb.pix[at], d.out.cr.pix[at] = color.RGBToYCbCr(r, g, b)
		at += p.dx
	}
}

// onWhite lays v, as opaque as that, on white.
func onWhite(v, opaque byte) byte {
	return byte((int(v)*int(opaque) + 255*(255-int(opaque)) + 127) / 255)
}

// greyAt returns pixel i of a row of a grey picture. Of 16 bits, the upper 8 are taken.
func (d *pngDecoder) greyAt(row []byte, i int) (v, opaque byte) {
	wide := int(d.png.depth) / 8
	if d.png.colour == pngGreyAlpha {
		return row[2*wide*i], row[2*wide*i+wide]
	}
	opaque = 255
	if d.png.depth == 16 {
		if d.transparent != nil && bytes.Equal(row[2*i:2*i+2], d.transparent) {
			opaque = 0
		}
		return row[2*i], opaque
	}
	v = d.narrow(row, i)
	if d.transparent != nil && d.transparent[0] == 0 && v == d.transparent[1] {
		opaque = 0
	}
	return v * (255 / (1<<d.png.depth - 1)), opaque
}

// narrow returns sample i of a row of 8 bits or less a sample.
func (d *pngDecoder) narrow(row []byte, i int) byte {
	depth := int(d.png.depth)
	bit := i * depth
	return row[bit/8] >> (8 - depth - bit%8) & (1<<depth - 1)
}

// colourAt returns pixel i of a row of a coloured picture.
func (d *pngDecoder) colourAt(row []byte, i int) (r, g, b, opaque byte) {
	wide := int(d.png.depth) / 8
	switch d.png.colour {
	case pngPalette:
		c := &d.palette[d.narrow(row, i)] // what the palette does not have is black
		return c[0], c[1], c[2], c[3]
	case pngAlpha:
		p := row[4*wide*i : 4*wide*(i+1)]
		return p[0], p[wide], p[2*wide], p[3*wide]
	}
	p := row[3*wide*i : 3*wide*(i+1)]
	opaque = 255
	if d.transparent != nil && d.isTransparent(p, wide) {
		opaque = 0
	}
	return p[0], p[wide], p[2*wide], opaque
}

// isTransparent says whether a pixel has the one colour that is not there.
func (d *pngDecoder) isTransparent(p []byte, wide int) bool {
	if wide == 2 {
		return bytes.Equal(p, d.transparent)
	}
	t := d.transparent
	return t[0]|t[2]|t[4] == 0 && p[0] == t[1] && p[1] == t[3] && p[2] == t[5]
}
