package pictureimport

import (
	"encoding/binary"
	"hash/crc32"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// decodeName makes text of a name in an archive. Programs that say so write UTF-8, macOS does without saying so, some put
// it into a field of its own (id 0x7075); all others write the characters of the first PC (CP437). Letters come out whole
// (NFC), for macOS writes letter and accent apart; folders are parted by /, which older programs of Windows write as \.
func decodeName(raw, extra []byte, isUTF8 bool) string {
	name := ""
	switch wide, found := extraField(extra, 0x7075); {
	case found && len(wide) > 5 && wide[0] == 1 && binary.LittleEndian.Uint32(wide[1:]) == crc32.ChecksumIEEE(raw) && utf8.Valid(wide[5:]):
		name = string(wide[5:])
	case utf8.Valid(raw):
		name = string(raw)
	case isUTF8:
		name = strings.ToValidUTF8(string(raw), "\ufffd")
	default:
		// Every byte is a character of CP437, so this cannot fail.
		decoded, _ := charmap.CodePage437.NewDecoder().Bytes(raw)
		name = string(decoded)
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '\\':
			return '/'
		case unicode.IsControl(r):
			return '\ufffd'
		}
		return r
	}, name)
	return norm.NFC.String(name)
}

func isFolder(name string) bool { return name == "" || strings.HasSuffix(name, "/") }

// isPassedOver tells what file managers put beside the pictures: nobody meant it to be one.
func isPassedOver(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.EqualFold(part, "__MACOSX") {
			return true
		}
	}
	base := strings.ToLower(path.Base(name))
	switch base {
	case "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\ufffd":
		return true
	}
	return strings.HasPrefix(base, ".") // .DS_Store, ._anything, .picasa.ini
}

// shownPath is a name as people are shown it; of a very long one the file's own name remains.
func shownPath(name string) string {
	if utf8.RuneCountInString(name) <= 200 {
		return name
	}
	return shorten(path.Base(name))
}

// nameKey is the file name without folders and extension.
func nameKey(name string) string {
	base := path.Base(name)
	return strings.TrimSpace(strings.TrimSuffix(base, path.Ext(base)))
}
