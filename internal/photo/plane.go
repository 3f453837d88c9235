package photo

// plane is one channel of a picture: pix[y*stride+x]. Each sample covers spanX × spanY pixels of the picture, for the
// colour of most JPEGs is coarser than their brightness, and a large one is decoded smaller than it is.
type plane struct {
	pix          []byte
	w, h, stride int
	spanX, spanY int
}

// planes are a picture decoded, as its width and height in pixels and Y, Cb and Cr as in JFIF. A grey picture has no Cb and Cr.
type planes struct {
	width, height int
	y, cb, cr     plane
}

func (p *planes) grey() bool { return p.cb.pix == nil }

// turned returns the plane turned upright as EXIF's orientation says, lent by w unless it is upright.
//
// In the source, the sample that shows at (u, v) of the upright picture lies at start + u*across + v*down.
func (p plane) turned(w *workshop, orientation int) plane {
	if orientation <= 1 {
		return p
	}
	width, height := p.w, p.h
	if orientation >= 5 {
		width, height = height, width
	}
	t := w.plane(width, height)
	t.spanX, t.spanY = p.spanX, p.spanY
	start, across, down := p.steps(orientation)
	for v := range t.h {
		from, row := start+v*down, t.pix[v*t.stride:][:t.w]
		for u := range row {
			row[u] = p.pix[from]
			from += across
		}
	}
	return t
}

// steps returns where the upright picture's upper left sample lies, and how far it is to the next on the right and below.
func (p plane) steps(orientation int) (start, across, down int) {
	right, bottom := p.w-1, (p.h-1)*p.stride
	switch orientation {
	case 2: // mirrored left to right
		return right, -1, p.stride
	case 3: // upside down
		return bottom + right, -1, -p.stride
	case 4: // mirrored top to bottom
		return bottom, 1, -p.stride
	case 5: // mirrored along the main diagonal
		return 0, p.stride, 1
	case 6: // to be turned a quarter to the right
		return bottom, -p.stride, 1
	case 7: // mirrored along the other diagonal
		return bottom + right, -p.stride, -1
	case 8: // to be turned a quarter to the left
		return right, p.stride, -1
	}
	return 0, 1, p.stride
}

// square is a square of a picture, in its pixels.
type square struct{ x, y, size int }

// stored returns where a square of the upright picture lies in the picture as it is stored, width × height pixels large.
func (s square) stored(width, height, orientation int) square {
	flipX, flipY := width-s.size, height-s.size
	switch orientation {
	case 2:
		return square{flipX - s.x, s.y, s.size}
	case 3:
		return square{flipX - s.x, flipY - s.y, s.size}
	case 4:
		return square{s.x, flipY - s.y, s.size}
	case 5:
		return square{s.y, s.x, s.size}
	case 6:
		return square{s.y, flipY - s.x, s.size}
	case 7:
		return square{flipX - s.y, flipY - s.x, s.size}
	case 8:
		return square{flipX - s.y, s.x, s.size}
	}
	return s
}

// turn turns the picture upright; its colour has half the samples of its brightness each way.
func (p *planes) turn(w *workshop, orientation int) {
	p.y = p.y.turned(w, orientation)
	if !p.grey() {
		p.cb, p.cr = p.cb.turned(w, orientation), p.cr.turned(w, orientation)
	}
	p.width, p.height = p.y.w, p.y.h
}
