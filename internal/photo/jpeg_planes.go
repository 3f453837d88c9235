package photo

import (
	"image/color"
)

// planes makes Y, Cb and Cr of the decoded channels. How three and four colours are meant is said by JFIF and Adobe segments,
// or the colours' names, in the order of image/jpeg and libjpeg.
func (d *jpegDecoder) planes() (*planes, error) {
	p := &planes{width: d.Width, height: d.Height, y: d.channels[0].out}
	if len(d.channels) == 1 {
		return p, nil
	}
	p.cb, p.cr = d.channels[1].out, d.channels[2].out
	switch {
	case len(d.channels) == 3 && !d.isRGB():
		return p, nil
	case len(d.channels) == 3 && d.jpeg.subsampled():
		return nil, damaged("its colours are arranged as no camera or phone does")
	case len(d.channels) == 4 && d.adobe < 0:
		return nil, damaged("it does not say how its four colours are meant")
	}
	p.cb, p.cr = d.spread(p.cb), d.spread(p.cr)
	switch {
	case len(d.channels) == 3:
		p.fromRGB(nil)
	case d.adobe == 0:
		p.fromRGB(d.spread(d.channels[3].out).pix)
	default:
		p.fromYCCK(d.spread(d.channels[3].out).pix)
	}
	return p, nil
}

// isRGB says whether three colours are red, green and blue.
func (d *jpegDecoder) isRGB() bool {
	c := d.jpeg.components
	return !d.jfif && (d.adobe == 0 || c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B')
}

// spread returns the plane with as many samples as the first channel's plane has, and its stride.
func (d *jpegDecoder) spread(p plane) plane {
	first := d.channels[0].out
	if p.w == first.w && p.h == first.h && p.stride == first.stride {
		return p
	}
	wide, high := p.spanX/first.spanX, p.spanY/first.spanY
	out := first
	out.pix = d.work.bytes(first.stride * first.h)
	for y := range out.h {
		from, row := p.pix[y/high*p.stride:], out.pix[y*out.stride:][:out.w]
		for x := range row {
			row[x] = from[x/wide]
		}
	}
	return out
}

// fromRGB makes Y, Cb and Cr of what are red, green and blue. With black, they are what Adobe writes of cyan, magenta and
// yellow: 255 for none of it; and so is black.
func (p *planes) fromRGB(black []byte) {
	for y := range p.y.h {
		for i := y * p.y.stride; i < y*p.y.stride+p.y.w; i++ {
			r, g, b := p.y.pix[i], p.cb.pix[i], p.cr.pix[i]
			if black != nil {
				r, g, b = darken(r, black[i]), darken(g, black[i]), darken(b, black[i])
			}
			p.y.pix[i], p.cb.pix[i], p.cr.pix[i] = color.RGBToYCbCr(r, g, b)
		}
	}
}

func darken(v, black byte) byte { return byte((int(v)*int(black) + 127) / 255) }

// fromYCCK makes Y, Cb and Cr of those of a picture whose red, green and blue are the ink there is, and of black.
func (p *planes) fromYCCK(black []byte) {
	for y := range p.y.h {
		for i := y * p.y.stride; i < y*p.y.stride+p.y.w; i++ {
			r, g, b := color.YCbCrToRGB(p.y.pix[i], p.cb.pix[i], p.cr.pix[i])
			k := black[i]
			p.y.pix[i], p.cb.pix[i], p.cr.pix[i] = color.RGBToYCbCr(darken(255-r, k), darken(255-g, k), darken(255-b, k))
		}
	}
}
