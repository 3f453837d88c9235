package photo

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The standard library's decoders, which see everything at its full size, are the oracle of ours.

func TestJPEGDecodesAsTheStandardLibraryDoes(t *testing.T) {
	t.Parallel()
	all := jpegs(t)
	for name, data := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := lookAt(data)
			if err != nil {
				t.Fatal(err)
			}
			var w workshop
			got, clean, err := l.decodeJPEG(data, 8, &w)
			if err != nil {
				t.Fatal(err)
			}
			oracle := data
			if name == "440-progressive-restart.jpg" { // image/jpeg refuses restarts in a progressive picture; this is the same without
				oracle = all["440-progressive.jpg"]
				if again, _, err := l.decodeJPEG(clean, 8, &w); err != nil || distance(again.y, got.y) > 0 {
					t.Error("what is kept does not show what was given", err)
				}
			} else if !bytes.Equal(pixels(t, clean), pixels(t, data)) {
				t.Error("what is kept does not show what was given")
			}
			sameAs(t, got, decoded(t, oracle), 2)
		})
	}
}

// jpegs are made once; nobody changes them.
func jpegs(t testing.TB) map[string][]byte {
	t.Helper()
	madeJPEGs.Do(func() { allJPEGs = makeJPEGs(t) })
	return maps.Clone(allJPEGs)
}

// pngs are made once; nobody changes them.
func pngs(t testing.TB) map[string][]byte {
	t.Helper()
	madePNGs.Do(func() { allPNGs = makePNGs(t) })
	return maps.Clone(allPNGs)
}

var (
	madeJPEGs, madePNGs sync.Once
	allJPEGs, allPNGs   map[string][]byte
)

// makeJPEGs are the pictures in testdata that can be read, and one whose four colours are meant otherwise.
func makeJPEGs(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{"baseline": asJPEG(t, portrait(301, 211, 5), 90)}
	names, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(names) < 9 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if name := filepath.Base(name); name != "arithmetic.jpg" {
			all[name] = data
		}
	}
	ycck := bytes.Clone(all["cmyk.jpg"])
	ycck[bytes.Index(ycck, []byte("Adobe"))+11] = 2
	all["ycck"] = ycck
	return all
}

// A picture decoded smaller is the picture, made smaller.
func TestJPEGDecodesSmaller(t *testing.T) {
	t.Parallel()
	for name, data := range jpegs(t) {
		l, err := lookAt(data)
		if err != nil {
			t.Fatal(err)
		}
		var w workshop
		full, _, err := l.decodeJPEG(data, 8, &w)
		if err != nil {
			t.Fatal(err)
		}
		for side := 4; side >= 1; side /= 2 {
			small, _, err := l.decodeJPEG(data, side, &w)
			if err != nil {
				t.Fatal(err)
			}
			want := full.y.averaged(8/side, 25*side)
			if d := distance(want, small.y); d > 1.5 {
				t.Errorf("%s with blocks of %d: the mean difference is %.2f", name, side, d)
			}
		}
	}
}

// averaged is side × side samples of the plane, each the mean of a square of n × n.
func (p plane) averaged(n, side int) plane {
	out := (&workshop{}).plane(side, side)
	for y := range side {
		for x := range side {
			sum := 0
			for k := range n * n {
				sum += int(p.pix[(y*n+k/n)*p.stride+x*n+k%n])
			}
			out.pix[y*side+x] = byte((sum + n*n/2) / (n * n))
		}
	}
	return out
}

// distance is the mean difference between the samples of two planes of the same size.
func distance(a, b plane) float64 {
	sum := 0
	for y := range a.h {
		for x := range a.w {
			d := int(a.pix[y*a.stride+x]) - int(b.pix[y*b.stride+x])
			sum += max(d, -d)
		}
	}
	return float64(sum) / float64(a.w*a.h)
}

func TestPNGDecodesAsTheStandardLibraryDoes(t *testing.T) {
	t.Parallel()
	for name, data := range pngs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := lookAt(data)
			if err != nil {
				t.Fatal(err)
			}
			var w workshop
			got, clean, err := l.decodePNG(data, &w)
			if err != nil {
				t.Fatal(err)
			}
			sameAs(t, got, decoded(t, data), 1)
			if !bytes.Equal(pixels(t, clean), pixels(t, data)) {
				t.Error("what is kept does not show what was given")
			}
		})
	}
}

// makePNGs are PNGs of all kinds: what the standard library writes of each type of image, and interlaced ones from testdata.
func makePNGs(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	source := portrait(211, 203, 7)
	bounds := source.Bounds()
	palette := color.Palette{color.Black, color.White, color.NRGBA{200, 100, 50, 128}, color.NRGBA{150, 150, 160, 255}}
	for name, to := range map[string]draw.Image{
		"grey": image.NewGray(bounds), "grey 16": image.NewGray16(bounds), "colour": image.NewRGBA(bounds), "alpha": image.NewNRGBA(bounds),
		"alpha 16": image.NewNRGBA64(bounds), "colour 16": image.NewRGBA64(bounds), "palette 2": image.NewPaletted(bounds, palette),
		"palette 1": image.NewPaletted(bounds, palette[:2]),
	} {
		draw.Draw(to, bounds, source, image.Point{}, draw.Src)
		if strings.HasPrefix(name, "alpha") {
			for x := range bounds.Dx() { // a shadow across
				to.Set(x, x*bounds.Dy()/bounds.Dx(), color.NRGBA64{40000, 20000, 10000, uint16(x * 300)})
			}
		}
		all[name] = asPNG(t, to)
	}
	for _, name := range []string{"palette-interlaced.png", "deep-interlaced.png"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = data
	}
	all["one colour is not there"] = withChunk(all["colour"], "tRNS", []byte{0, 150, 0, 150, 0, 150})
	return all
}

// sameAs compares planes with an image, on white where it shows through.
func sameAs(t *testing.T, got *planes, want image.Image, tolerance int) {
	t.Helper()
	b := want.Bounds()
	if got.y.w != b.Dx() || got.y.h != b.Dy() {
		t.Fatalf("%d × %d samples, want %v", got.y.w, got.y.h, b)
	}
	for y := range got.y.h {
		for x := range got.y.w {
			c := onWhitePaper(want, b.Min.X+x, b.Min.Y+y)
			is := [3]byte{got.y.pix[y*got.y.stride+x], 128, 128}
			if !got.grey() {
				is[1] = got.cb.pix[y/got.cb.spanY*got.cb.stride+x/got.cb.spanX]
				is[2] = got.cr.pix[y/got.cr.spanY*got.cr.stride+x/got.cr.spanX]
			}
			for i, v := range [3]byte{c.Y, c.Cb, c.Cr} {
				if d := int(v) - int(is[i]); d > tolerance || d < -tolerance {
					t.Fatalf("(%d, %d) is %v, want %v", x, y, is, c)
				}
			}
		}
	}
}

func onWhitePaper(m image.Image, x, y int) color.YCbCr {
	if m, ok := m.(*image.YCbCr); ok {
		return m.YCbCrAt(x, y)
	}
	r, g, b, a := m.At(x, y).RGBA()
	white := 0xffff - a
	luma, cb, cr := color.RGBToYCbCr(uint8((r+white)>>8), uint8((g+white)>>8), uint8((b+white)>>8))
	return color.YCbCr{Y: luma, Cb: cb, Cr: cr}
}

func decoded(t testing.TB, data []byte) image.Image {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// pixels are what a picture shows, to be compared.
func pixels(t *testing.T, data []byte) []byte {
	t.Helper()
	m := decoded(t, data)
	all := image.NewNRGBA64(m.Bounds())
	draw.Draw(all, m.Bounds(), m, m.Bounds().Min, draw.Src)
	return all.Pix
}

func asJPEG(t testing.TB, m image.Image, quality int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func asPNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
