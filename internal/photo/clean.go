package photo

import "encoding/binary"

// What is kept of a picture is what decoding its pixels needs, and nothing else: a list of what may stay, not of what must
// go, so that whatever a camera or a program adds (EXIF, GPS, XMP, IPTC, maker notes, thumbnails, comments, further
// pictures, files appended) is gone without being known. The decoders copy as they read, for only they know where the pixels end.
//
// Colour profiles go too. A profile may name the owner's screen and its serial number, it is one more thing for a reader to
// be attacked with, and the square pictures are made without it: kept or not, they and the whole picture must look alike.
// The price is that pictures in a wide gamut (Display P3, Adobe RGB) look a little paler. For the same reason PNG's gAMA, cHRM
// and sRGB go.

// jfif is an APP0 segment that says nothing but "JFIF 1.1, no thumbnail": with it the three planes are Y, Cb and Cr.
var jfif = []byte{0xff, markAPP0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0}

// adobeBytes is how long an Adobe APP14 segment's payload is; its last byte says how the planes are to be read.
const adobeBytes = 12

// adobe is the payload of an Adobe segment that says nothing but how the planes are to be read.
func adobe(transform byte) []byte {
	return []byte{'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, transform}
}

func appendSegment(out []byte, marker byte, payload []byte) []byte {
	out = append(out, 0xff, marker)
	out = binary.BigEndian.AppendUint16(out, uint16(len(payload)+2))
	return append(out, payload...)
}
