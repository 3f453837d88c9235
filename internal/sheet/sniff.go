package sheet

import (
	"bytes"
	"strings"
)

// sniffBytes is how much of a file's beginning decides what it is.
const sniffBytes = 4096

// signatures are the beginnings of files that people send by mistake, each with what it is and what
// to do. They are compared with the file's first bytes.
var signatures = []struct{ magic, message string }{
	{"\x89PNG\r\n", "This looks like a PNG picture, not a spreadsheet. Choose the CSV or .xlsx file."},
	{"\xFF\xD8\xFF", "This looks like a JPEG picture, not a spreadsheet. Choose the CSV or .xlsx file."},
	{"GIF8", "This looks like a GIF picture, not a spreadsheet. Choose the CSV or .xlsx file."},
	{"%PDF-", "This is a PDF document. Export the table from the program it came from as CSV or .xlsx."},
	{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "This is an old Excel workbook (.xls), or one protected by a password. Save it as .xlsx without a password, or as “CSV UTF-8”."},
	{"\x1F\x8B", "This is a compressed (gzip) file. Unpack it and choose what is inside."},
	{"Rar!\x1A", "This is a RAR archive. Unpack it and choose what is inside."},
	{"7z\xBC\xAF\x27\x1C", "This is a 7-Zip archive. Unpack it and choose what is inside."},
	{"{\\rtf", "This is a text document (RTF). Save the table as CSV or .xlsx."},
	{"SQLite format 3\x00", "This is a database, not a spreadsheet. Export the table as CSV."},
}

// markup begins a web page or an XML file; some programs save those as ".xls".
var markup = []string{"<!doctype", "<html", "<?xml", "<table"}

// foreign returns a problem if head is the beginning of a known file that is no spreadsheet.
func foreign(head []byte) *Problem {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			return problem(NotText, 0, "%s", s.message)
		}
	}
	start := bytes.TrimLeft(bytes.TrimPrefix(head, []byte(utf8BOM)), " \t\r\n")
	lower := strings.ToLower(string(start[:min(len(start), 16)]))
	for _, m := range markup {
		if strings.HasPrefix(lower, m) {
			return problem(NotText, 0, "This is a web page or an XML file, whatever its name says. Open it in your spreadsheet program and save it as .xlsx or “CSV UTF-8”.")
		}
	}
	return nil
}

func isZIP(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}
