package sample

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/color"
	"image/jpeg"
	"math"
)

// FaceSide is how wide and high a drawn face is, in pixels.
const FaceSide = 256

// Face draws somebody who does not exist, as a JPEG: always the same for the same seed. It is calm enough to look at three
// hundred of them, and sharp and bright enough to pass for a picture that can be used.
func Face(seed string) []byte {
	var b bytes.Buffer
	// A buffer takes everything.
	_ = jpeg.Encode(&b, faceOf(seed), &jpeg.Options{Quality: 88})
	return b.Bytes()
}

// smallFace is a part of a face that is too small for a picture of somebody.
func smallFace(seed string) []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, faceOf(seed).SubImage(image.Rect(64, 40, 192, 168)), nil)
	return b.Bytes()
}

// What faces are put together from. The colours are of the console's own tones.
var (
	faceBacks = []color.RGBA{{0xcf, 0xe2, 0xf7, 255}, {0xcb, 0xea, 0xe2, 255}, {0xf8, 0xe4, 0xc4, 255}, {0xf4, 0xd6, 0xd6, 255}, {0xe4, 0xd8, 0xf3, 255}, {0xd9, 0xdf, 0xe6, 255}}
	faceSkins = []color.RGBA{{0xf6, 0xd7, 0xbf, 255}, {0xea, 0xc0, 0xa0, 255}, {0xd4, 0xa3, 0x7f, 255}, {0xb3, 0x7f, 0x5b, 255}, {0x8f, 0x62, 0x45, 255}, {0x72, 0x4c, 0x37, 255}}
	faceHairs = []color.RGBA{{0x22, 0x1d, 0x1b, 255}, {0x3f, 0x2a, 0x1d, 255}, {0x6c, 0x46, 0x2a, 255}, {0xa3, 0x74, 0x3c, 255}, {0x8c, 0x8c, 0x90, 255}, {0x7d, 0x33, 0x20, 255}}
	faceTops  = []color.RGBA{{0x1f, 0x4e, 0x8c, 255}, {0x1e, 0x6b, 0x5a, 255}, {0x7a, 0x2e, 0x3a, 255}, {0x3c, 0x44, 0x52, 255}, {0x5a, 0x3a, 0x86, 255}, {0x8a, 0x55, 0x1c, 255}}
)

// ink mixes a colour into the pixel below it: by is 0 for not at all, 1 for altogether.
func ink(below *color.RGBA, c color.RGBA, by float64) {
	if by <= 0 {
		return
	}
	mixed := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*min(by, 1) + .5) }
	below.R, below.G, below.B = mixed(below.R, c.R), mixed(below.G, c.G), mixed(below.B, c.B)
}

// oval is how far a point lies inside an ellipse, in pixels, as good as its edge needs.
func oval(x, y, cx, cy, rx, ry float64) float64 {
	dx, dy := (x-cx)/rx, (y-cy)/ry
	d := dx*dx + dy*dy
	if d > 1.5 {
		return -FaceSide // far away, as most points are from most things
	}
	return (1 - math.Sqrt(d)) * min(rx, ry)
}

func shade(c color.RGBA, by float64) color.RGBA {
	ink(&c, color.RGBA{A: 255}, by)
	return c
}

// faceOf draws from back to front: background, hair that falls behind, shoulders, neck, head, features, fringe.
func faceOf(seed string) *image.RGBA {
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed))
	s := mix(h.Sum64())
	t := mix(s)
	back, skin, hair, top := faceBacks[pick(s, 0, 6)], faceSkins[pick(s, 12, 6)], faceHairs[pick(s, 24, 6)], faceTops[pick(s, 36, 6)]
	long, glasses := chance(t, 0, 45), chance(t, 16, 25)
	beard := !long && chance(t, 32, 40)
	wide, parting := 56+float64(pick(s, 48, 8)), .28*float64(pick(t, 48, 3))
	img := image.NewRGBA(image.Rect(0, 0, FaceSide, FaceSide))
	for i := range FaceSide * FaceSide {
		x, y := float64(i%FaceSide)+.5, float64(i/FaceSide)+.5
		p := back
		ink(&p, color.RGBA{255, 255, 255, 255}, .35*(1-y/FaceSide))
		if long {
			ink(&p, hair, oval(x, y, 128, 138, wide+20, 96))
		}
		ink(&p, top, oval(x, y, 128, 270, 104, 76))
		if stripe := math.Mod(x+y, 16) < 5; stripe {
			ink(&p, shade(top, .35), oval(x, y, 128, 270, 102, 74))
		}
		ink(&p, shade(skin, .16), oval(x, y, 128, 196, 27, 36))
		ink(&p, hair, oval(x, y, 128, 108, wide+9, 82))
		ink(&p, skin, oval(x, y, 128, 128, wide, 76))
		if beard {
			ink(&p, hair, min(oval(x, y, 128, 128, wide, 76), min(y-148-math.Abs(x-128)*.25, -oval(x, y, 128, 152, 32, 13))))
		}
		strands := hair
		if math.Mod(x*1.3+y*.4, 9) < 3.5 {
			strands = shade(hair, .4)
		}
		ink(&p, strands, min(oval(x, y, 128, 108, wide+8, 80), 90-y+math.Abs(x-128)*parting))
		faceFeatures(&p, x, y, hair, glasses)
		img.SetRGBA(i%FaceSide, i/FaceSide, p)
	}
	return img
}

func faceFeatures(p *color.RGBA, x, y float64, hair color.RGBA, glasses bool) {
	ax := math.Abs(x - 128)
	ink(p, color.RGBA{250, 250, 250, 255}, oval(ax, y, 25, 124, 11, 7))
	ink(p, color.RGBA{0x24, 0x20, 0x1e, 255}, oval(ax, y, 25, 124, 5.5, 6))
	ink(p, shade(hair, .2), min(oval(ax, y, 25, 112, 16, 6), 111-y))
	ink(p, color.RGBA{0x50, 0x24, 0x1a, 255}, .35*oval(ax, y, 5, 148, 4, 3))
	ink(p, color.RGBA{0xa0, 0x3c, 0x3c, 255}, min(oval(x, y, 128, 162, 20, 11), y-163))
	if glasses {
		ink(p, color.RGBA{0x2a, 0x2e, 0x36, 255}, 2-math.Abs(oval(ax, y, 26, 124, 20, 16)))
		ink(p, color.RGBA{0x2a, 0x2e, 0x36, 255}, min(2-math.Abs(y-121), 7-ax))
	}
}
