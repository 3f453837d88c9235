package photo

import (
	"encoding/binary"
	"strings"
)

// Where EXIF says how a picture is to be turned (CIPA DC-008, Exif 2.32, 4.6.4): a short in the first directory.
const (
	exifPrefix     = "Exif\x00\x00"
	tagOrientation = 0x0112
	typeShort      = 3
	entryBytes     = 12
)

// orientation reads which way up a picture is from a TIFF structure, 1 to 8; 1 where nothing sound is said. Of everything
// that EXIF may hold it looks at the first directory's own entries and follows no offset but the one to that, so that no
// loop, whatever the bytes, can hold it up.
func orientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	directory := tiff[at+2:]
	for n := int(order.Uint16(tiff[at:])); n > 0 && len(directory) >= entryBytes; n-- {
		if order.Uint16(directory) == tagOrientation {
			return saidOrientation(order, directory)
		}
		directory = directory[entryBytes:]
	}
	return 1
}

// saidOrientation reads the directory entry of the orientation.
func saidOrientation(order binary.ByteOrder, entry []byte) int {
	if order.Uint16(entry[2:]) != typeShort || order.Uint32(entry[4:]) != 1 {
		return 1
	}
	if o := int(order.Uint16(entry[8:])); o >= 1 && o <= 8 {
		return o
	}
	return 1
}

// exifOf returns the TIFF structure in a JPEG's APP1 segment, nil when the segment is something else (XMP is there too).
func exifOf(payload []byte) []byte {
	if !strings.HasPrefix(string(payload[:min(len(payload), len(exifPrefix))]), exifPrefix) {
		return nil
	}
	return payload[len(exifPrefix):]
}
