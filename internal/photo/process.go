package photo

import (
	"context"

	"muster/internal/fault"
)

// Process makes a Picture of data. It returns a *Refusal for what the picture's giver can put right, an error of kind
// fault.Invalid for a crop that does not lie in the picture, and ctx's error when it ends while waiting for the budget. It
// keeps nothing of data.
func Process(ctx context.Context, data []byte, b *Budget, o Options) (*Picture, error) {
	l, err := lookAt(data)
	if err != nil {
		return nil, err
	}
	shown, err := o.Crop.in(l.Header)
	if err != nil {
		return nil, err
	}
	j := job{look: l, cropped: o.Crop != Crop{}, shown: shown.stored(l.Width, l.Height, l.Orientation)}
	cost := j.cost(len(data))
	if cost > maxCost {
		return nil, refuse(TooManyPixels, "The picture would take %d MB of memory to decode; at most %d are given to one. Save it smaller, or as an ordinary JPEG (not progressive, not CMYK).",
			cost/1_000_000, maxCost/1_000_000)
	}
	release, err := b.acquire(ctx, cost)
	if err != nil {
		return nil, err
	}
	defer release()
	defer j.work.close() // before the release: what was borrowed is no longer in use
	return j.process(data)
}

// in returns the square of the upright picture that is shown.
func (c Crop) in(h Header) (square, error) {
	width, height := h.Upright()
	if c == (Crop{}) {
		size := min(width, height)
		return square{(width - size) / 2, (height - size) / 2, size}, nil
	}
	if c.X < 0 || c.Y < 0 || c.Size < 0 || c.Size > width-c.X || c.Size > height-c.Y {
		return square{}, fault.New(fault.Invalid, "The square that was chosen does not lie in the picture, which has %d × %d pixels. Choose it again.", width, height)
	}
	if c.Size < MinSide {
		return square{}, refuse(TooSmall, "The square that was chosen has %d pixels a side; it must have at least %d. Choose a larger one.", c.Size, MinSide)
	}
	return square{c.X, c.Y, c.Size}, nil
}

// job is one picture being made.
type job struct {
	look
	shown   square // of the picture as it is stored, not turned
	cropped bool
	work    workshop
}

// process does what Process promises once there is memory for it. What makes a decoder panic is a damaged picture.
func (j *job) process(data []byte) (p *Picture, err error) {
	defer func() {
		if recover() != nil {
			p, err = nil, damaged("what is in it makes no sense")
		}
	}()
	whole, clean, err := j.decode(data)
	if err != nil {
		return nil, err
	}
	p = &Picture{Format: j.Format, Stored: clean}
	p.Width, p.Height = j.Upright()
	if err := j.show(p, whole); err != nil {
		return nil, err
	}
	return p, j.remake(p, whole)
}

// decode decodes the picture as large as it is needed, and returns what of data that took.
func (j *job) decode(data []byte) (*planes, []byte, error) {
	if j.Format == PNG {
		return j.decodePNG(data, &j.work)
	}
	return j.decodeJPEG(data, j.blockSide(), &j.work)
}

// remakes says whether the stored picture is made anew.
func (j *job) remakes() bool { return j.Orientation > 1 || j.cropped }

// blockSide is how many samples a side a JPEG's blocks of eight are decoded to: as few as leave the square LargeSide wide.
func (j *job) blockSide() int {
	side := 8
	for !j.remakes() && side > 1 && j.shown.size*side/16 >= LargeSide {
		side /= 2
	}
	return side
}

// cost is how many bytes the picture takes while it is made, at most.
func (j *job) cost(size int) int64 {
	pixels, side := int64(j.Width)*int64(j.Height), int64(j.shown.size)
	planes, coefficients := 3*pixels, int64(0)
	if j.Format == JPEG {
		block := int64(j.blockSide())
		planes, coefficients = j.jpeg.cost(pixels, block)
		side = side * block / 8
	}
	after := 4 * LargeSide * (side + 2*LargeSide) // the squares, and what is between
	if j.remakes() {
		after += 3 * pixels // turned, and encoded
	}
	return int64(2*size) + planes + max(coefficients, after)
}

// cost is what the planes take, decoded to blocks of side × side, and what is gone when they are there.
func (f frame) cost(pixels, side int64) (planes, coefficients int64) {
	first := int64(f.components[0].h) * int64(f.components[0].v)
	samples := int64(0)
	for _, c := range f.components {
		samples += pixels * int64(c.h) * int64(c.v) / max(first, 1)
	}
	planes = samples * side * side / 64
	if f.progressive {
		coefficients = 2 * samples
	}
	if len(f.components) == 4 && f.subsampled() {
		planes += 2 * pixels * side * side / 64 // colours spread to as many samples as black has
	}
	return planes, coefficients
}

// show makes the square pictures, and measures.
func (j *job) show(p *Picture, whole *planes) (err error) {
	large := whole.squared(&j.work, j.shown, LargeSide)
	p.Measures = measure(&j.work, whole, j.shown, large.y)
	p.Flaws = p.Measures.flaws()
	large.turn(&j.work, j.Orientation)
	if p.Large, err = large.encode(shownQuality); err != nil {
		return err
	}
	p.Small, err = large.squared(&j.work, square{0, 0, LargeSide}, SmallSide).encode(shownQuality)
	return err
}

// remake makes the stored picture anew where EXIF turns it or it was cropped: as a JPEG, on white where it was transparent.
func (j *job) remake(p *Picture, whole *planes) (err error) {
	if !j.remakes() {
		return nil
	}
	a := area{0, 0, j.Width, j.Height}
	if j.cropped {
		a = area{j.shown.x, j.shown.y, j.shown.size, j.shown.size}
		p.Width, p.Height = j.shown.size, j.shown.size
	}
	p.Format = JPEG
	p.Stored, err = whole.remade(&j.work, a, j.Orientation)
	return err
}
