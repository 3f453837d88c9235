// Package photo turns the bytes of somebody's picture into one that is safe to keep and to show: what it really is is
// read from its content, it is decoded within a budget of memory, stands upright, has lost everything that was said about
// it (where it was taken, with what, when), and comes with two square pictures to show and a few measures. It knows no
// users and no database.
//
// The order is: bytes → header → pixels → sides → decode. What is wrong is found by the cheapest look that can find it, and
// nothing is decoded that a header already rules out.
package photo

const (
	// MaxBytes is the size at which a picture is too large: that many bytes or more.
	MaxBytes = 5_000_000
	// MaxPixels is how many pixels a picture may have at most, by its header.
	MaxPixels = 40_000_000
	// MinSide is how many pixels each side must have at least.
	MinSide = 200
	// LargeSide and SmallSide are the sides, in pixels, of the square pictures made from each.
	LargeSide = 512
	SmallSide = 96
)

// Format is how a picture is encoded, by its content.
type Format string

const (
	JPEG Format = "jpeg"
	PNG  Format = "png"
)

// MediaType returns the format's media type, as for Content-Type.
func (f Format) MediaType() string { return "image/" + string(f) }

// Header is what a picture says of itself before its pixels. Width and Height are as stored, in pixels; Orientation is EXIF's, 1
// to 8, and 1 when nothing sound is said.
type Header struct {
	Format        Format
	Width, Height int
	Orientation   int
}

// Upright returns the picture's sides when it is turned as its orientation says.
func (h Header) Upright() (width, height int) {
	if h.Orientation >= 5 {
		return h.Height, h.Width
	}
	return h.Width, h.Height
}

// Crop is a square of the upright picture, in its pixels, its upper left corner first. The zero Crop is the whole picture,
// of which the square pictures show the centre.
type Crop struct{ X, Y, Size int }

// Options is what whoever gives a picture wants of it.
type Options struct {
	// Crop, unless zero, is what is kept of the picture, chosen by hand.
	Crop Crop
}

// Picture is a picture as it may be kept and shown.
type Picture struct {
	Format        Format
	Width, Height int // of Stored, which stands upright
	// Stored is the picture without metadata. Its pixels are as they were given, byte for byte, unless EXIF turns it or it was
	// cropped by hand.
	Stored []byte
	// Large and Small are square JPEGs, LargeSide and SmallSide wide.
	Large, Small []byte
	Measures     Measures
	Flaws        []Flaw
}

// The codes of a Refusal.
const (
	NotAnImage    = "not_an_image"
	TooLarge      = "too_large"
	TooManyPixels = "too_many_pixels"
	Damaged       = "damaged"
	TooSmall      = "too_small"
)

// Refusal says why bytes are no picture that can be taken: a code that stays the same, and what is wrong and what to do, in
// words.
type Refusal struct{ Code, Message string }

func (r *Refusal) Error() string { return r.Message }
