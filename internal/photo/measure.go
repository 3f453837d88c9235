package photo

// Measures are what was measured on the square that is shown.
type Measures struct {
	// Brightness is the mean luma (Y' of BT.601, as in JFIF) of the middle quarter of the square (half of it each way), 0 to 255.
	// A face is there in a portrait; a white wall round it, as in a passport, counts for nothing.
	Brightness float64
	// Sharpness is the variance of the Laplacian (4 in the middle, -1 on each side) of the square's luma at MinSide × MinSide
	// pixels, the one size that every picture has at least.
	Sharpness float64
	// Side is how many pixels the square had before it was made LargeSide wide.
	Side int
}

// The codes of a Flaw.
const (
	Dark    = "dark"
	Bright  = "bright"
	Blurred = "blurred"
)

// Flaw is something that makes a picture a poor one to recognise a face by: a code, and what is wrong in words.
type Flaw struct{ Code, Message string }

// From where on a picture is flawed. No standard gives a number for a picture as a whole, so these are conventions; they warn
// of the hopeless, not of the mediocre.
//
// Brightness: Microsoft's Face service calls less than a quarter of the scale underexposed and three quarters or more
// overexposed (ExposureProperties), of a face it has found. Here no face is looked for, and a well-lit dark or fair
// skin must not be called a fault, so the bounds lie further out. ISO/IEC 19794-5 asks for a span of shades in a face, not
// for a mean.
//
// Sharpness: the variance of the Laplacian is Pech-Pacheco et al. ("Diatom autofocusing in brightfield microscopy", ICPR
// 2000). 100 is what OpenCV's tutorials take (Rosebrock, "Blur detection with OpenCV", 2015), which say themselves that it
// depends on the pictures; at one size it depends on fewer of their properties. It grows with the square of the contrast, so that
// a third of that leaves room for plain walls and for dark skin. Tried on scikit-image's portrait "astronaut": 1192 as it
// is, 376 of the face alone, and of that 102 after a Gaussian blur of 1/230 of its side, 19 of 2/230.
const (
	darkBelow    = 40
	brightAbove  = 220
	blurredBelow = 30
)

// flaws judges what was measured.
func (m Measures) flaws() []Flaw {
	var all []Flaw
	if m.Brightness < darkBelow {
		all = append(all, Flaw{Dark, "The picture is very dark. Take it again with more light on the face."})
	}
	if m.Brightness > brightAbove {
		all = append(all, Flaw{Bright, "The picture is very bright. Take it again with less light, or without the flash."})
	}
	if m.Sharpness < blurredBelow {
		all = append(all, Flaw{Blurred, "The picture is blurred. Take it again, held still and in focus."})
	}
	return all
}

// measure measures a square of the picture; large is the same square, LargeSide wide.
func measure(w *workshop, p *planes, s square, large plane) Measures {
	from, a := large, area{0, 0, LargeSide, LargeSide}
	if s.size < LargeSide { // made larger it is softer than it was
		from, a = p.y, area{s.x, s.y, s.size, s.size}
	}
	small := from.resized(w, a, MinSide, MinSide)
	return Measures{Brightness: middle(small), Sharpness: laplacian(small), Side: s.size}
}

// middle is the mean of the plane's middle quarter.
func middle(p plane) float64 {
	sum := 0
	for y := p.h / 4; y < p.h-p.h/4; y++ {
		for _, v := range p.pix[y*p.stride+p.w/4 : y*p.stride+p.w-p.w/4] {
			sum += int(v)
		}
	}
	return float64(sum) / float64((p.h-p.h/4*2)*(p.w-p.w/4*2))
}

// laplacian is the variance of the plane's Laplacian, its outermost samples left out.
func laplacian(p plane) float64 {
	sum, squares := 0, 0
	for y := 1; y < p.h-1; y++ {
		above, row, below := p.pix[(y-1)*p.stride:][:p.w], p.pix[y*p.stride:][:p.w], p.pix[(y+1)*p.stride:][:p.w]
		for x := 1; x < p.w-1; x++ {
			l := 4*int(row[x]) - int(row[x-1]) - int(row[x+1]) - int(above[x]) - int(below[x])
			sum += l
			squares += l * l
		}
	}
	n := float64((p.w - 2) * (p.h - 2))
	mean := float64(sum) / n
	return float64(squares)/n - mean*mean
}
