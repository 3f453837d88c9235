package photo

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// drawn are the portraits that were drawn, by size and seed: drawing takes longer than all that is done with them.
var drawn sync.Map

// portrait is a portrait that nobody else has.
func portrait(width, height int, seed uint64) *image.YCbCr {
	draw, _ := drawn.LoadOrStore([3]int{width, height, int(seed)}, sync.OnceValue(func() *image.YCbCr { return drawPortrait(width, height, seed) }))
	m := *draw.(func() *image.YCbCr)()
	m.Y, m.Cb, m.Cr = slices.Clone(m.Y), slices.Clone(m.Cb), slices.Clone(m.Cr)
	return &m
}

// drawPortrait draws something like a photograph: a head before a wall, with light from one side, texture at every scale (each
// octave half as strong as the one before, as in photographs), and a sensor's noise. Seeds make different ones.
func drawPortrait(width, height int, seed uint64) *image.YCbCr {
	r := rand.New(rand.NewPCG(seed, 1))
	m := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	texture := octaves(r, width, height)
	side := float64(min(width, height))
	for y := range height {
		for x := range width {
			u, v := (float64(x)-float64(width)/2)/side, (float64(y)-float64(height)/2)/side
			light := 150 + 60*u + texture[y*width+x]
			if face := u*u/0.06 + v*v/0.11; face < 1 {
				light = 165 + 70*u - 40*v + 0.6*texture[y*width+x]
				if math.Hypot(math.Abs(u)-0.1, v+0.06) < 0.025 || math.Abs(v-0.16) < 0.012 && math.Abs(u) < 0.08 {
					light = 50 + texture[y*width+x]/4
				}
			} else if u*u/0.08+(v+0.06)*(v+0.06)/0.15 < 1 && v < 0.05 {
				light = 55 + 1.4*texture[y*width+x]
			}
			m.Y[m.YOffset(x, y)] = uint8(min(max(light+r.NormFloat64()*2, 0), 255))
			if x%2 == 0 && y%2 == 0 {
				m.Cb[m.COffset(x, y)] = uint8(118 + 8*u + texture[y*width+x]/8)
				m.Cr[m.COffset(x, y)] = uint8(140 - 12*v + texture[y*width+x]/6)
			}
		}
	}
	return m
}

// octaves adds up random fields of 4, 8, 16 … cells a side, each weaker than the one before.
func octaves(r *rand.Rand, width, height int) []float64 {
	field := make([]float64, width*height)
	strength := 22.0
	for cells := 4; cells < max(width, height)/2; cells *= 2 {
		grid := make([]float64, (cells+2)*(cells+2))
		for i := range grid {
			grid[i] = r.NormFloat64() * strength
		}
		for y := range height {
			gy := float64(y) * float64(cells) / float64(height)
			y0, fy := int(gy), gy-math.Floor(gy)
			for x := range width {
				gx := float64(x) * float64(cells) / float64(width)
				x0, fx := int(gx), gx-math.Floor(gx)
				at := y0*(cells+2) + x0
				top := grid[at]*(1-fx) + grid[at+1]*fx
				bottom := grid[at+cells+2]*(1-fx) + grid[at+cells+3]*fx
				field[y*width+x] += top*(1-fy) + bottom*fy
			}
		}
		strength *= 0.62
	}
	return field
}

func BenchmarkProcess(b *testing.B) {
	for _, size := range []struct {
		name          string
		width, height int
	}{{"800x800", 800, 800}, {"12MP", 4000, 3000}} {
		data := asJPEG(b, portrait(size.width, size.height, 1), 87)
		b.Run(size.name, func(b *testing.B) {
			budget := NewBudget(DefaultBudget)
			b.ReportAllocs()
			b.ReportMetric(float64(len(data)), "bytes")
			for b.Loop() {
				if _, err := Process(b.Context(), data, budget, Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pictures/s")
		})
	}
}
