package photo

import (
	"bytes"
	"image"
	"image/jpeg"
)

// How good the JPEGs are that are made here, 1 to 100 as libjpeg counts: the square pictures, and a whole one that had to be
// made anew.
const (
	shownQuality = 85
	wholeQuality = 92
)

// encode returns the picture as a JPEG. Its colour must have half the samples of its brightness each way, rounded up.
func (p *planes) encode(quality int) ([]byte, error) {
	var m image.Image
	bounds := image.Rect(0, 0, p.y.w, p.y.h)
	if p.grey() {
		m = &image.Gray{Pix: p.y.pix, Stride: p.y.stride, Rect: bounds}
	} else {
		m = &image.YCbCr{
			Y: p.y.pix, Cb: p.cb.pix, Cr: p.cr.pix, YStride: p.y.stride, CStride: p.cb.stride,
			SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: bounds,
		}
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, m, &jpeg.Options{Quality: quality})
	return out.Bytes(), err
}

// remade returns an area of the picture, turned upright, as a JPEG.
func (p *planes) remade(w *workshop, a area, orientation int) ([]byte, error) {
	part := &planes{width: a.width, height: a.height, y: p.y}
	part.y.pix = p.y.pix[a.y*p.y.stride+a.x:]
	part.y.w, part.y.h = a.width, a.height
	if !p.grey() {
		part.cb, part.cr = p.cb.halved(w, a), p.cr.halved(w, a)
	}
	part.turn(w, orientation)
	return part.encode(wholeQuality)
}

// halved returns an area of the picture that the plane is of with half as many samples as it has pixels each way.
func (p plane) halved(w *workshop, a area) plane {
	width, height := ceilDiv(a.width, 2), ceilDiv(a.height, 2)
	if p.spanX == 2 && p.spanY == 2 && a.x%2 == 0 && a.y%2 == 0 {
		p.pix = p.pix[a.y/2*p.stride+a.x/2:]
		p.w, p.h = width, height
		return p
	}
	return p.resized(w, area{a.x, a.y, 2 * width, 2 * height}, width, height)
}
