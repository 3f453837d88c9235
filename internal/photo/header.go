package photo

import (
	"fmt"
	"strings"
)

// look is everything that a header says: what is told, and what decoding needs.
type look struct {
	Header
	jpeg frame
	png  pngHeader
}

// ReadHeader reads what data says of itself, and decodes no pixels. Any error is a *Refusal; the header is as much as was
// found until then. What it lets through may still be damaged, which only Process can tell.
func ReadHeader(data []byte) (Header, error) {
	l, err := lookAt(data)
	return l.Header, err
}

// lookAt reads and judges a header.
func lookAt(data []byte) (look, error) {
	if len(data) >= MaxBytes {
		return look{}, RefuseTooLarge()
	}
	var l look
	var err error
	switch {
	case strings.HasPrefix(string(data[:min(3, len(data))]), "\xff\xd8\xff"):
		l, err = lookAtJPEG(data)
	case strings.HasPrefix(string(data[:min(8, len(data))]), pngSignature):
		l, err = lookAtPNG(data)
	default:
		return look{}, refuse(NotAnImage, "This is not a JPEG or PNG picture but %s, whatever its name says. Save it as JPEG or PNG, and give it again.", whatItIs(data))
	}
	if err != nil {
		return l, err
	}
	return l, l.judge()
}

// judge refuses what has too many or too few pixels.
func (l *look) judge() error {
	switch {
	case int64(l.Width)*int64(l.Height) > MaxPixels:
		return refuse(TooManyPixels, "The picture has %d × %d pixels; at most %d million pixels are read. Save it smaller.", l.Width, l.Height, MaxPixels/1_000_000)
	case min(l.Width, l.Height) < MinSide:
		return refuse(TooSmall, "The picture has %d × %d pixels; each side must have at least %d. Take a larger one.", l.Width, l.Height, MinSide)
	}
	return nil
}

// RefuseTooLarge is the refusal of what has MaxBytes or more. How many it has it does not say: hardly anybody reads all of
// them to find out.
func RefuseTooLarge() *Refusal {
	return refuse(TooLarge, "The picture has %s bytes or more. Save it smaller, 1,000 pixels on a side are plenty, or as JPEG, and give it again.", grouped(MaxBytes))
}

func refuse(code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// damaged is the refusal of something that does not decode; what says why, as the end of a sentence.
func damaged(what string, args ...any) *Refusal {
	return refuse(Damaged, "The picture cannot be read: "+what+". Open it in an image program, save it again as JPEG or PNG, and give it again.", args...)
}

// grouped writes n with a comma between thousands.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
