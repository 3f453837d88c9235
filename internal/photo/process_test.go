package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"

	"muster/internal/fault"
)

// process makes a picture that must be taken.
func process(t *testing.T, data []byte, o Options) *Picture {
	t.Helper()
	p, err := Process(t.Context(), data, NewBudget(DefaultBudget), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProcess(t *testing.T) {
	t.Parallel()
	all := jpegs(t)
	all["larger"] = asJPEG(t, portrait(1600, 1100, 2), 80)
	all["larger, to be turned"] = withSegment(all["larger"], markAPP1, exifSegment(5))
	for name, data := range pngs(t) {
		all[name] = data
	}
	for name, data := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := process(t, data, Options{})
			if name != "440-progressive-restart.jpg" {
				if b := decoded(t, p.Stored).Bounds(); b.Dx() != p.Width || b.Dy() != p.Height {
					t.Errorf("stored as %v, said to be %d × %d", b, p.Width, p.Height)
				}
			}
			for side, data := range map[int][]byte{LargeSide: p.Large, SmallSide: p.Small} {
				if b := decoded(t, data).Bounds(); b.Dx() != side || b.Dy() != side {
					t.Errorf("a square of %v, want %d", b, side)
				}
			}
			if p.Measures.Side != min(p.Width, p.Height) {
				t.Errorf("measured a square of %d of %d × %d", p.Measures.Side, p.Width, p.Height)
			}
			h, err := ReadHeader(p.Stored)
			if err != nil || h.Format != p.Format || h.Orientation != 1 {
				t.Errorf("what is stored says %+v, %v", h, err)
			}
		})
	}
}

// What a camera stores for each orientation, by which side of what is seen its first row and its first column are: the table
// of the EXIF standard, which the code does not use.
var sides = map[int][2]string{
	1: {"top", "left"}, 2: {"top", "right"}, 3: {"bottom", "right"}, 4: {"bottom", "left"},
	5: {"left", "top"}, 6: {"right", "top"}, 7: {"right", "bottom"}, 8: {"left", "bottom"},
}

// storedAs returns what a camera stores of a scene held that way.
func storedAs(scene *image.YCbCr, orientation int) image.Image {
	w, h := scene.Rect.Dx(), scene.Rect.Dy()
	row, column := sides[orientation][0], sides[orientation][1]
	bounds := image.Rect(0, 0, w, h)
	if row == "left" || row == "right" {
		bounds = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(bounds)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			u, v := 0, 0
			for _, at := range []struct {
				side string
				n    int
			}{{row, y}, {column, x}} {
				switch at.side {
				case "top":
					v = at.n
				case "bottom":
					v = h - 1 - at.n
				case "left":
					u = at.n
				case "right":
					u = w - 1 - at.n
				}
			}
			out.Set(x, y, scene.At(u, v))
		}
	}
	return out
}

// scene has another colour in each of its corners, so that none of its turns is like another.
func scene(w, h int) *image.YCbCr {
	m := portrait(w, h, 9)
	for y := range h {
		for x := range w {
			if x < w/3 && y < h/3 {
				m.Y[m.YOffset(x, y)], m.Cb[m.COffset(x, y)] = 220, 40
			} else if x > w*2/3 && y < h/4 {
				m.Y[m.YOffset(x, y)], m.Cr[m.COffset(x, y)] = 60, 230
			}
		}
	}
	return m
}

func TestEveryOrientationComesUpright(t *testing.T) {
	t.Parallel()
	seen := scene(252, 216)
	crop := Crop{X: 21, Y: 10, Size: 204}
	want := process(t, asJPEG(t, seen, 95), Options{})
	wantCrop := process(t, asJPEG(t, seen, 95), Options{Crop: crop})
	for o := 1; o <= 8; o++ {
		kept := storedAs(seen, o)
		for name, data := range map[string][]byte{
			"JPEG": withSegment(asJPEG(t, kept, 95), markAPP1, exifSegment(o)),
			"PNG":  withChunk(asPNG(t, kept), "eXIf", tiff(binary.LittleEndian, uint16(o))),
		} {
			h, err := ReadHeader(data)
			if err != nil || h.Orientation != o {
				t.Fatal(o, h, err)
			}
			if w, h := h.Upright(); w != 252 || h != 216 {
				t.Errorf("orientation %d: upright it is %d × %d", o, w, h)
			}
			got := process(t, data, Options{})
			if got.Width != 252 || got.Height != 216 {
				t.Errorf("orientation %d: %d × %d", o, got.Width, got.Height)
			}
			alike(t, fmt.Sprint(o, name, " large"), got.Large, want.Large)
			alike(t, fmt.Sprint(o, name, " small"), got.Small, want.Small)
			alike(t, fmt.Sprint(o, name, " stored"), got.Stored, want.Stored)
			part := process(t, data, Options{Crop: crop})
			if part.Width != 204 || part.Height != 204 || part.Measures.Side != 204 {
				t.Errorf("orientation %d, cropped: %d × %d", o, part.Width, part.Height)
			}
			alike(t, fmt.Sprint(o, name, " cropped, stored"), part.Stored, wantCrop.Stored)
			alike(t, fmt.Sprint(o, name, " cropped, large"), part.Large, wantCrop.Large)
		}
	}
}

// alike compares two pictures that were compressed.
func alike(t *testing.T, what string, a, b []byte) {
	t.Helper()
	m, n := decoded(t, a), decoded(t, b)
	if m.Bounds() != n.Bounds() {
		t.Errorf("%s: %v, want %v", what, m.Bounds(), n.Bounds())
		return
	}
	sum, points := 0.0, 0
	for y := 0; y < m.Bounds().Dy(); y += 3 {
		for x := 0; x < m.Bounds().Dx(); x += 3 {
			points++
			r, g, b, _ := m.At(x, y).RGBA()
			r2, g2, b2, _ := n.At(x, y).RGBA()
			sum += math.Abs(float64(r)-float64(r2)) + math.Abs(float64(g)-float64(g2)) + math.Abs(float64(b)-float64(b2))
		}
	}
	if mean := sum / 3 / 256 / float64(points); mean > 4 {
		t.Errorf("%s: the mean difference is %.1f", what, mean)
	}
}

// A crop shows what it says, and keeps nothing else.
func TestCropKeepsTheSquareAlone(t *testing.T) {
	t.Parallel()
	m := image.NewRGBA(image.Rect(0, 0, 500, 400))
	for y := range 400 {
		for x := range 500 {
			m.Set(x, y, color.RGBA{20, 20, 20, 255})
			if x >= 101 && x < 341 && y >= 33 && y < 273 {
				m.Set(x, y, color.RGBA{200, 120, 60, 255})
			}
		}
	}
	for _, data := range [][]byte{asJPEG(t, m, 95), asPNG(t, m)} {
		p := process(t, data, Options{Crop: Crop{X: 101, Y: 33, Size: 240}})
		for name, data := range map[string][]byte{"stored": p.Stored, "large": p.Large, "small": p.Small} {
			m := decoded(t, data)
			for y := range m.Bounds().Dy() {
				for x := range m.Bounds().Dx() {
					if r, _, _, _ := m.At(x, y).RGBA(); r>>8 < 150 { // JPEG rings a little at the edge
						t.Fatalf("%s: (%d, %d) is %v", name, x, y, m.At(x, y))
					}
				}
			}
		}
	}
}

func TestCropIsChecked(t *testing.T) {
	t.Parallel()
	data := asJPEG(t, portrait(400, 300, 1), 80)
	for _, c := range []Crop{{X: -1, Size: 200}, {X: 201, Size: 200}, {Y: 101, Size: 200}, {Size: 301}, {X: 1, Size: -5}, {X: math.MaxInt, Size: 200}, {Size: math.MaxInt}} {
		if _, err := Process(t.Context(), data, NewBudget(DefaultBudget), Options{Crop: c}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", c, err)
		}
	}
	var r *Refusal
	if _, err := Process(t.Context(), data, NewBudget(DefaultBudget), Options{Crop: Crop{Size: 199}}); !errors.As(err, &r) || r.Code != TooSmall {
		t.Error(err)
	}
}

// What shows through is white.
func TestTransparentIsWhite(t *testing.T) {
	t.Parallel()
	m := image.NewNRGBA(image.Rect(0, 0, 220, 220))
	for y := 80; y < 140; y++ {
		for x := 80; x < 140; x++ {
			m.Set(x, y, color.NRGBA{0, 0, 200, 255})
		}
	}
	p := process(t, asPNG(t, m), Options{})
	if r, g, b, _ := decoded(t, p.Large).At(5, 5).RGBA(); min(r, g, b)>>8 < 250 {
		t.Errorf("what shows through is %d %d %d", r>>8, g>>8, b>>8)
	}
	if _, _, _, a := decoded(t, p.Stored).At(5, 5).RGBA(); a != 0 {
		t.Error("what is stored lost its transparency")
	}
}

func TestFlaws(t *testing.T) {
	t.Parallel()
	sharp := portrait(800, 800, 4)
	lit := func(times, plus float64) *image.YCbCr {
		m := portrait(800, 800, 4)
		for i, v := range m.Y {
			m.Y[i] = uint8(min(max(float64(v)*times+plus, 0), 255))
		}
		return m
	}
	for name, c := range map[string]struct {
		m    image.Image
		want []string
	}{
		"good":           {sharp, nil},
		"underexposed":   {lit(0.15, 0), []string{Dark, Blurred}}, // nothing is sharp in the dark
		"overexposed":    {lit(0.9, 105), []string{Bright}},
		"darker skin":    {lit(0.6, 0), nil},
		"before a white": {whiteWall(sharp), nil},
		"out of focus":   {unfocused(sharp, 12), []string{Blurred}},
		"a little soft":  {unfocused(sharp, 1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := process(t, asJPEG(t, c.m, 90), Options{})
			var got []string
			for _, f := range p.Flaws {
				got = append(got, f.Code)
				if f.Message == "" {
					t.Error(f.Code, "says nothing")
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%v, want %v: %+v", got, c.want, p.Measures)
			}
		})
	}
}

// The same picture is as sharp at every size it comes in, as far as it has what is looked at.
func TestSharpnessIsTheSameAtEverySize(t *testing.T) {
	t.Parallel()
	large := portrait(1100, 1100, 4)
	var w workshop
	whole := plane{large.Y, 1100, 1100, large.YStride, 1, 1}
	var all []float64
	for _, side := range []int{1100, 1000, 520, 480, 240} {
		y := whole.resized(&w, area{0, 0, 1100, 1100}, side, side)
		m := &image.Gray{Pix: y.pix, Stride: y.stride, Rect: image.Rect(0, 0, side, side)}
		all = append(all, process(t, asJPEG(t, m, 95), Options{}).Measures.Sharpness)
	}
	for _, s := range all {
		if s < all[0]*0.6 || s > all[0]*1.6 {
			t.Errorf("%.0f", all)
		}
	}
}

// whiteWall puts white round the head.
func whiteWall(m *image.YCbCr) image.Image {
	out := image.NewRGBA(m.Rect)
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			out.Set(x, y, color.White)
			if math.Hypot(float64(x)-400, float64(y)-400) < 280 {
				out.Set(x, y, m.At(x, y))
			}
		}
	}
	return out
}

// unfocused spreads each sample over a square.
func unfocused(m *image.YCbCr, reach int) image.Image {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	sums := make([]int, (w+1)*(h+1))
	for y := range h {
		row := 0
		for x := range w {
			row += int(m.Y[m.YOffset(x, y)])
			sums[(y+1)*(w+1)+x+1] = sums[y*(w+1)+x+1] + row
		}
	}
	out := image.NewGray(m.Rect)
	for y := range h {
		for x := range w {
			l, r, t, b := max(0, x-reach), min(w, x+reach+1), max(0, y-reach), min(h, y+reach+1)
			sum := sums[b*(w+1)+r] - sums[t*(w+1)+r] - sums[b*(w+1)+l] + sums[t*(w+1)+l]
			out.Pix[y*out.Stride+x] = uint8(sum / ((r - l) * (b - t)))
		}
	}
	return out
}

// What is kept of one and the same picture is the same.
func TestProcessIsDeterministic(t *testing.T) {
	t.Parallel()
	data := asJPEG(t, portrait(700, 900, 3), 85)
	a, b := process(t, data, Options{}), process(t, data, Options{})
	if !bytes.Equal(a.Stored, b.Stored) || !bytes.Equal(a.Large, b.Large) || !bytes.Equal(a.Small, b.Small) {
		t.Error("twice is not the same")
	}
}
