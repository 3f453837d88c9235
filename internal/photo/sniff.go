package photo

import (
	"bytes"
	"strings"
)

// kinds are what people rename to .jpg, by what it begins with. The media types' registrations and the "MIME Sniffing"
// standard of WHATWG give these bytes.
var kinds = []struct{ prefix, name string }{
	{"GIF87a", "a GIF"},
	{"GIF89a", "a GIF"},
	{"BM", "a BMP"},
	{"II*\x00", "a TIFF"},
	{"MM\x00*", "a TIFF"},
	{"8BPS", "a Photoshop file"},
	{"\x00\x00\x01\x00", "an icon"},
	{"\xff\x0a", "a JPEG XL"},
	{"\x00\x00\x00\x0cJXL ", "a JPEG XL"},
	{"\x00\x00\x00\x0cjP  ", "a JPEG 2000"},
	{"%PDF", "a PDF"},
	{"PK\x03\x04", "a ZIP archive"},
	{"PK\x05\x06", "a ZIP archive"},
	{"MZ", "a Windows program"},
	{"\x7fELF", "a program"},
	{"\xd0\xcf\x11\xe0", "an old Office file"},
	{"version https://git-lfs", "a Git LFS pointer"},
}

// brands are the kinds of ISO media files, by the brand in their ftyp box (ISO/IEC 14496-12, 23008-12).
var brands = map[string]string{
	"heic": "a HEIC", "heix": "a HEIC", "heim": "a HEIC", "heis": "a HEIC", "hevc": "a HEIC", "mif1": "a HEIC", "msf1": "a HEIC",
	"avif": "an AVIF", "avis": "an AVIF",
}

// whatItIs names what data really is, with its article, as far as its beginning tells.
func whatItIs(data []byte) string {
	if len(data) == 0 {
		return "an empty file"
	}
	head := string(data[:min(1024, len(data))])
	if len(head) >= 12 && head[4:8] == "ftyp" {
		if name, known := brands[head[8:12]]; known {
			return name
		}
		return "a video"
	}
	if len(head) >= 12 && head[:4] == "RIFF" && head[8:12] == "WEBP" {
		return "a WebP"
	}
	for _, k := range kinds {
		if strings.HasPrefix(head, k.prefix) {
			return k.name
		}
	}
	return whatText([]byte(head))
}

// whatText names what is written, rather than coded.
func whatText(head []byte) string {
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
	switch {
	case bytes.HasPrefix(text, []byte("<svg")), bytes.HasPrefix(text, []byte("<?xml")) && bytes.Contains(text, []byte("<svg")):
		return "an SVG"
	case bytes.HasPrefix(text, []byte("<!doctype html")), bytes.HasPrefix(text, []byte("<html")):
		return "a web page"
	case bytes.HasPrefix(text, []byte("<?xml")):
		return "an XML file"
	}
	return "something else"
}
