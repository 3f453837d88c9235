// Package sample makes an organisation and people to try Muster with.
//
// Organisation is the setup file of a contact centre with fifty teams. Demo is a first import
// into it: about three hundred users, with the mistakes that people make in spreadsheets.
// Generate is the same at any size, streamed, to measure and to load test with. Both say
// what the import must report, so that they can be checked against it, and both give the same
// bytes on every run.
//
// The three parts hang together: the users of Demo and Generate belong to units, and hold roles,
// of Organisation, which has to be applied first.
package sample

import "strings"

// Counts is what an import of generated files must report, into a directory that has the
// Organisation and none of these users, by an administrator who may do everything, with the
// option "Supervisors may be in the same file" on.
type Counts struct {
	Rows      int // rows of UserDetails: Inserted + Duplicate + Invalid
	Inserted  int
	Duplicate int
	Invalid   int
	Stray     int // rows of the other two files that belong to nobody

	// Codes is how many problems of each code there are, warnings and notes included.
	Codes map[string]int
}

// The outcomes that a row made here can have.
type outcome int

const (
	inserted outcome = iota
	duplicate
	invalid
)

// add counts n rows of one outcome, each with these problems.
func (c *Counts) add(n int, o outcome, codes ...string) {
	c.Rows += n
	switch o {
	case inserted:
		c.Inserted += n
	case duplicate:
		c.Duplicate += n
	case invalid:
		c.Invalid += n
	}
	c.note(n, codes...)
}

// note counts problems that belong to rows counted elsewhere, or to none.
func (c *Counts) note(n int, codes ...string) {
	if n == 0 {
		return // a code that did not occur is not in the map
	}
	if c.Codes == nil {
		c.Codes = map[string]int{}
	}
	for _, code := range codes {
		c.Codes[code] += n
	}
}

// The template's header, but for the columns that the catalogues give.
const lanIDColumn = "LAN ID"

var userColumns = []string{
	lanIDColumn, "First Name", "Last Name", "Agent ID", "PBX ID", "Profile", "Supervisor", "Org Unit",
	"Role", "Access Role", "CRM Name", "Text Chat Greeting Template Name",
}

// bom makes a spreadsheet program read the file as UTF-8; the templates have it too.
const bom = "\uFEFF"

// headerLine is the first line of a file as the templates have it.
func headerLine(columns ...string) string {
	return bom + strings.Join(columns, ",") + "\r\n"
}
