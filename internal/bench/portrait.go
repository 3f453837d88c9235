package bench

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
)

// portrait is something like a photograph, to be cut from: a head before a wall, light from one side, texture at every
// scale (each octave weaker than the one before, as in photographs), and a sensor's noise.
type portrait struct {
	image *image.YCbCr
	room  int // pixels by which pictures cut from it may differ in where they begin
}

// newPortrait draws one from which pictures of width × height pixels can be cut.
func newPortrait(r *rand.Rand, width, height int) *portrait {
	const room = 64
	w, h := width+room, height+room
	p := &portrait{image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420), room}
	light := texture(r, w, h)
	side := float64(min(w, h))
	skin, hair, wall := 120+r.Float64()*70, 30+r.Float64()*60, 110+r.Float64()*90
	for y := range h {
		v := (float64(y) - float64(h)/2) / side
		for x := range w {
			u := (float64(x) - float64(w)/2) / side
			t := float64(light[y*w+x])
			shade := wall + 60*u + t
			switch {
			case math.Abs(v+0.06) < 0.03 && math.Hypot(math.Abs(u)-0.1, v+0.06) < 0.025, math.Abs(v-0.16) < 0.012 && math.Abs(u) < 0.08:
				shade = 50 + t/4 // eyes and mouth
			case u*u/0.06+v*v/0.11 < 1:
				shade = skin + 70*u - 40*v + 0.6*t
			case v < 0.05 && u*u/0.08+(v+0.06)*(v+0.06)/0.15 < 1:
				shade = hair + 1.4*t
			}
			p.image.Y[y*p.image.YStride+x] = uint8(min(max(shade, 0), 255))
			if x%2 == 0 && y%2 == 0 {
				at := p.image.COffset(x, y)
				p.image.Cb[at], p.image.Cr[at] = uint8(118+8*u+t/10), uint8(140-12*v+t/8)
			}
		}
	}
	return p
}

// texture adds up random fields of 4, 8, 16 … cells a side, and noise.
func texture(r *rand.Rand, w, h int) []float32 {
	field := make([]float32, w*h)
	for i := range field {
		field[i] = float32(r.IntN(25)-12) / 2
	}
	strength := float32(24)
	for cells := 4; cells < min(w, h)/2; cells *= 2 {
		grid := make([]float32, (cells+2)*(cells+2))
		for i := range grid {
			grid[i] = float32(r.NormFloat64()) * strength
		}
		for y := range h {
			gy := float32(y) * float32(cells) / float32(h)
			row, fy := int(gy)*(cells+2), gy-float32(int(gy))
			for x := range w {
				gx := float32(x) * float32(cells) / float32(w)
				at, fx := row+int(gx), gx-float32(int(gx))
				top := grid[at] + (grid[at+1]-grid[at])*fx
				bottom := grid[at+cells+2] + (grid[at+cells+3]-grid[at+cells+2])*fx
				field[y*w+x] += top + (bottom-top)*fy
			}
		}
		strength *= 0.7
	}
	return field
}

// cut returns the picture number n that can be cut from it, as a JPEG: no two are the same.
func (p *portrait) cut(n int) ([]byte, error) {
	b := p.image.Bounds()
	x, y := n%p.room, n/p.room%p.room
	m := p.image.SubImage(image.Rect(x, y, x+b.Dx()-p.room, y+b.Dy()-p.room))
	var out bytes.Buffer
	err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 87})
	return out.Bytes(), err
}
