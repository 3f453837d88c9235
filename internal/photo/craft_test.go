package photo

import (
	"encoding/binary"
	"slices"
)

// withSegment returns the JPEG with a segment behind its beginning.
func withSegment(data []byte, marker byte, payload []byte) []byte {
	return slices.Concat(data[:2], appendSegment(nil, marker, payload), data[2:])
}

// withChunk returns the PNG with a chunk behind its header.
func withChunk(data []byte, kind string, payload []byte) []byte {
	at := len(pngSignature) + 12 + 13
	return slices.Concat(data[:at], appendChunk(nil, kind, payload), data[at:])
}

// tiff makes what an EXIF segment holds: an orientation, and a second directory with where the picture was taken.
func tiff(order binary.AppendByteOrder, orientation uint16) []byte {
	out := []byte("MM\x00*")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		out = []byte("II*\x00")
	}
	out = order.AppendUint32(out, 8)
	out = order.AppendUint16(out, 2)
	out = appendEntry(out, order, tagOrientation, typeShort, 1)
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		out = append(out, byte(orientation), 0, 0, 0)
	} else {
		out = append(out, 0, byte(orientation), 0, 0)
	}
	out = appendEntry(out, order, 0x8825, 4, 1) // the GPS directory
	out = order.AppendUint32(out, 38)
	out = order.AppendUint32(out, 0)
	out = order.AppendUint16(out, 1)
	out = appendEntry(out, order, 29, 2, 11) // GPSDateStamp
	out = order.AppendUint32(out, 56)
	out = order.AppendUint32(out, 0)
	return append(out, "2031:04:05\x00 48.8584 N 2.2945 E"...)
}

func appendEntry(out []byte, order binary.AppendByteOrder, tag, kind uint16, n uint32) []byte {
	return order.AppendUint32(order.AppendUint16(order.AppendUint16(out, tag), kind), n)
}

// exifSegment is the payload of a JPEG's EXIF segment.
func exifSegment(orientation int) []byte {
	return append([]byte(exifPrefix), tiff(binary.BigEndian, uint16(orientation))...)
}
