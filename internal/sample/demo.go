package sample

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
)

// Files are the three spreadsheets of an import and what it must report.
type Files struct {
	Users    []byte // UserDetails.csv
	Channels []byte // ChannelCountDetails.csv
	Features []byte // FeatureDetails.csv
	Expected Counts
}

// Demo returns a first import into the Organisation: its managers, team leads and agents, in no
// order, with about thirty mistakes. It needs the option "Supervisors may be in the same file".
func Demo() Files {
	d := makeDemo()
	channels, features := d.details()
	d.expected.add(len(d.rows)-d.expected.Rows, inserted)

	users := make([][]string, 0, len(d.rows))
	for _, r := range d.rows {
		users = append(users, r.cells())
	}
	return Files{
		Users:    spreadsheet(userColumns, users),
		Channels: spreadsheet(d.channelColumns(), channels),
		Features: spreadsheet(d.featureColumns(), features),
		Expected: d.expected,
	}
}

// makeDemo makes the rows of UserDetails.
func makeDemo() *demo {
	d := &demo{organisation: theOrganisation(), lanIDs: map[string]bool{}, marked: map[*row]bool{}}
	d.hire()
	d.addBrokenSupervisors()
	d.shuffle()
	d.makeMistakes()
	return d
}

// demo is the file in the making. Its expected counts hold the rows with a mistake until the end.
type demo struct {
	*organisation
	rows     []*row
	lanIDs   map[string]bool // those given out
	marked   map[*row]bool   // rows that have a mistake, or that a mistake needs as they are
	expected Counts
}

// row is one of UserDetails.
type row struct {
	lanID, firstName, lastName, agentID, pbxID, profile string
	supervisor, unit, role, accessRole, crm, greeting   string
}

func (r *row) cells() []string {
	return []string{
		r.lanID, r.firstName, r.lastName, r.agentID, r.pbxID, r.profile,
		r.supervisor, r.unit, r.role, r.accessRole, r.crm, r.greeting,
	}
}

// hire makes a manager for each country, a lead and five agents for each team.
func (d *demo) hire() {
	managers := map[string]string{}
	for _, country := range d.countries() {
		m := d.newUser("Supervisor", "", country, "Site Manager")
		m.accessRole = "Own unit and below"
		managers[country] = m.lanID
	}
	for _, t := range d.teams {
		lead := d.newUser("Supervisor", managers[t.country], t.name, "Team Lead")
		lead.accessRole = "Own unit"
		for range 5 {
			d.newUser("Agent", lead.lanID, t.name, d.agentRole())
		}
	}
}

// demoSeed was chosen such that the names that programs trip over ('t Hooft, O'Neil) occur.
const demoSeed = 3000

// random returns the number that belongs to the next row: the demo is the same every time.
func (d *demo) random() uint64 { return mix(demoSeed + uint64(len(d.rows))) }

// newUser appends a row without mistakes.
func (d *demo) newUser(profile, supervisor, unit, role string) *row {
	h := d.random()
	who := drawPerson(latinCultures(), h)
	lan := string(who.appendLetters(nil))
	for n := 2; d.lanIDs[lan]; n++ {
		lan = string(strconv.AppendInt(who.appendLetters(nil), int64(n), 10))
	}
	d.lanIDs[lan] = true
	r := &row{
		lanID: lan, agentID: lan, profile: profile, supervisor: supervisor, unit: unit, role: role,
		firstName: string(who.appendFirst(nil)), lastName: string(who.appendLast(nil)),
		pbxID: demoPBX(len(d.rows)),
	}
	h = mix(h)
	if chance(h, 0, 6) {
		r.agentID = "AG" + strconv.Itoa(2000+len(d.rows))
	}
	if chance(h, 16, 70) {
		r.crm = d.crmNames[pick(h, 4, len(d.crmNames))]
	}
	if chance(h, 32, 50) {
		r.greeting = d.greetings[pick(h, 8, len(d.greetings))]
	}
	d.rows = append(d.rows, r)
	return r
}

// demoPBX gives numbers that Ofcom keeps for fiction, and of the length that a spreadsheet program turns into
// scientific notation: 441632 960000 to 441632 960999.
func demoPBX(n int) string { return fmt.Sprint(441632960000 + n) }

// agentRole gives most agents one role, and the others two in each of the ways that an import reads.
func (d *demo) agentRole() string {
	roles := []string{"Agent", "Senior Agent", "Agent; Quality Coach", "Senior Agent, Quality Coach"}
	if h := d.random(); chance(h, 8, 25) {
		return roles[pick(h, 48, len(roles))]
	}
	return roles[0]
}

// shuffle puts many agents above their supervisors.
func (d *demo) shuffle() {
	order := newPermutation(uint64(len(d.rows)), 1)
	shuffled := make([]*row, len(d.rows))
	for i := range shuffled {
		shuffled[i] = d.rows[order.at(uint64(i))]
	}
	d.rows = shuffled
}

// spreadsheet writes a file as the templates have it.
func spreadsheet(header []string, rows [][]string) []byte {
	b := bytes.NewBufferString(bom)
	w := csv.NewWriter(b)
	w.UseCRLF = true
	// Neither call can fail: the writer's own errors are about the delimiter, and a buffer has none.
	_ = w.Write(header)
	_ = w.WriteAll(rows)
	return b.Bytes()
}
