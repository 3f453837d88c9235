package userimport_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/directory"
	"muster/internal/userimport"
)

// Files made to hurt: few ids, so that they repeat, in mixed case; near-misses; blank cells; supervisors in the file,
// rings among them. Most cells are good, so that rows come as far as the last step.

var (
	goodLAN   = []string{"ann", "bob", "cy", "dee", "eve", "fay", "gus", "hal", "ida", "jo"}
	badLAN    = []string{"", "a.b", "ann ", "1.2E+11", "#N/A", strings.Repeat("a", 65), "zoë", "K"}
	directed  = []string{"boss", "lead", "work", "gone", "india"} // who may be in the directory
	goodUnits = []string{"Cards Team 1", "Cards Team 1", "Cards Team 2", "Loans Team 1", "UAE / Retail / Cards / Night Shift", "Airline Team 1", "/ UAE", "Cards", "Retail", "India"}
	badUnits  = []string{"", "cards team 1", "Night Shift", "UAE", "UAE / Cards", "#REF!", "Cards\nTeam 1", strings.Repeat("u", 201)}
	goodRoles = []string{"Agent", "Agent", "Agent;Quality", "Quality , Agent", "Agent;Agent", "Team Lead"}
	badRoles  = []string{"", ";", "agent", "Agent;Nope", "Nope,Nope", "#N/A", strings.Repeat("r", 201)}
)

// mixed changes the case of some letters.
func mixed(t *rapid.T, s string) string {
	switch rapid.IntRange(0, 5).Draw(t, "case") {
	case 4:
		return strings.ToUpper(s)
	case 5:
		return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):]
	}
	return s
}

// oneOf mostly takes a good value.
func oneOf(t *rapid.T, label string, good, bad []string) string {
	if len(bad) > 0 && rapid.IntRange(0, 24).Draw(t, label+" bad") == 24 {
		return rapid.SampledFrom(bad).Draw(t, label)
	}
	return rapid.SampledFrom(good).Draw(t, label)
}

func drawUser(t *rapid.T) []string {
	lan := oneOf(t, "lan", append(directed[:2:2], slices.Repeat(goodLAN, 3)...), badLAN)
	agent := oneOf(t, "agent", append([]string{"", "", "", "", "", "boss"}, goodLAN...), badLAN)
	pbx := fmt.Sprint(rapid.IntRange(1, 40).Draw(t, "pbx"))
	pbx = oneOf(t, "pbx or not", []string{pbx}, []string{"", "0" + pbx, "12a", "1.2E+11", "#N/A", strings.Repeat("1", 21)})
	profile := oneOf(t, "profile", []string{"Agent", "Supervisor", "agent", "SUPERVISOR"}, []string{"", "Administrator", "Boss", "#NAME?"})
	unit := oneOf(t, "unit", goodUnits, badUnits)
	if rapid.IntRange(0, 9).Draw(t, "fitting unit") < 8 {
		unit = "Cards Team 1"
	}
	return []string{
		mixed(t, lan), oneOf(t, "first", []string{"Ann", "Zoë"}, []string{"", "A\nB", strings.Repeat("n", 101), "#VALUE!"}),
		oneOf(t, "last", []string{"Lee", "O'Neil"}, []string{"", "L\u007f", strings.Repeat("ü", 101)}),
		mixed(t, agent), pbx, profile,
		mixed(t, oneOf(t, "supervisor", slices.Concat(directed, goodLAN, []string{"boss", "boss", "lead", "lead"}), []string{"", "", "nobody", "a.b", "1E+9", "#REF!", strings.Repeat("s", 201)})),
		unit, oneOf(t, "role", goodRoles, badRoles),
		oneOf(t, "access role", []string{"", "", "Own unit", "Own unit and below", "Cards", "India", "Everywhere"}, []string{"own unit", "Cards\t2", "#NULL!"}),
		oneOf(t, "crm", []string{"", "Siebel"}, []string{"siebel", "#NUM!"}),
		oneOf(t, "greeting", []string{"", "Standard"}, []string{"standard", strings.Repeat("g", 201)}),
	}
}

func drawDetails(t *rapid.T, what string, good, bad []string) [][]string {
	var rows [][]string
	for range rapid.IntRange(-2, 6).Draw(t, what+" rows") {
		rows = append(rows, []string{mixed(t, oneOf(t, what+" lan", slices.Concat(goodLAN, []string{"boss", "ghost"}), []string{"", "a.b"})),
			oneOf(t, what, good, bad), oneOf(t, what, good, bad), oneOf(t, what, good, bad)})
	}
	return rows
}

func drawTables(t *rapid.T, most int) tables {
	var f tables
	for range rapid.IntRange(0, most).Draw(t, "rows") {
		f.users = append(f.users, drawUser(t))
	}
	f.channels = drawDetails(t, "channel", []string{"", "0", "1", "1"}, []string{"x", "-1", "99", "1E+02", "#N/A", "99999999999999999999"})
	f.features = drawDetails(t, "feature", []string{""}, []string{"yes", "TRUE", "0", "Manual In", "auto in", "#N/A"})
	for _, row := range f.features {
		row[1] = oneOf(t, "switch", []string{"", "yes", "NO", "1"}, []string{"ja", row[1]})
		row[3] = oneOf(t, "list", []string{"", "Manual In", "auto in"}, []string{"yes", row[3]})
	}
	return f
}

// drawPeople are rows without mistakes for some who are in the directory before; a and b are in it wherever they are
// named as supervisors.
func drawPeople(t *rapid.T) [][]string {
	people := [][]string{
		{"boss", "Bea", "Boss", "", "100", "Supervisor", "", "/ UAE", "Team Lead"},
		{"Lead", "Lea", "Lead", "LL", "2", "Supervisor", "boss", "Cards", "Team Lead"},
		{"work", "Will", "Work", "ann", "101", "Agent", "lead", "Cards Team 1", "Agent"},
		{"gone", "Gus", "Gone", "", "3", "Supervisor", "", "UAE / Retail", "Agent"},
		{"india", "Indira", "India", "", "102", "Supervisor", "", "India", "Agent"},
		{"Bob", "Bob", "There", "dee", "103", "Agent", "boss", "Loans Team 1", "Agent"},
	}
	return people[:rapid.IntRange(0, len(people)).Draw(t, "people")]
}

func header(k userimport.Kind, cfg *directory.Configuration) []string {
	return userimport.Columns(k, cfg)
}

// files writes the tables as files; a table that is nil is left out, but for the users'.
func (h *house) files(f tables) []file {
	all := []file{{"UserDetails.csv", csv(append([][]string{header(userimport.UserDetails, &h.cfg)}, f.users...)...)}}
	if f.channels != nil {
		all = append(all, file{"ChannelCountDetails.csv", csv(append([][]string{header(userimport.ChannelCountDetails, &h.cfg)}, f.channels...)...)})
	}
	if f.features != nil {
		all = append(all, file{"FeatureDetails.csv", csv(append([][]string{header(userimport.FeatureDetails, &h.cfg)}, f.features...)...)})
	}
	return all
}

// trimmed is what the rows are once they are read. A row of blank cells is none.
func trimmed(f tables) tables {
	for _, rows := range [][][]string{f.users, f.channels, f.features} {
		for _, row := range rows {
			for i := range row {
				row[i] = strings.TrimSpace(row[i])
			}
		}
	}
	return f
}

// scene is a directory with people in it, and somebody who imports.
type scene struct {
	people   [][]string
	inactive []string
	actor    directory.Actor
	world    world
}

// prepare clears the directory and draws a scene.
func (h *house) prepare(t *rapid.T) *scene {
	t.Helper()
	h.clear(t)
	s := &scene{people: drawPeople(t), actor: system}
	if rapid.Bool().Draw(t, "gone is inactive") {
		s.inactive = []string{"gone"}
	}
	s.world = world{cfg: h.cfg, everything: true, inFile: rapid.IntRange(0, 3).Draw(t, "option") > 0}
	if rapid.IntRange(0, 3).Draw(t, "actor") == 3 {
		s.world.everything, s.world.rights = false, []string{"users:add", "users:access", "batches:access"}
		if rapid.Bool().Draw(t, "right") {
			s.world.rights = append(s.world.rights, "users:edit")
		}
		s.world.below = rapid.SampledFrom([][]string{{"UAE"}, {"UAE / Retail / Cards"}, {"UAE / Retail / Cards", "India"}, nil}).Draw(t, "scope")
		s.actor = h.person(t, s.world.rights, s.world.below...)
	}
	h.populate(t, s)
	return s
}

// populate puts the scene's people into an empty directory.
func (h *house) populate(t failer, s *scene) {
	t.Helper()
	if len(s.people) > 0 {
		b := h.run(t, system, userimport.Options{InFileSupervisors: true}, h.files(tables{users: s.people}))
		if !b.Counts.Clean() {
			t.Fatalf("the people have mistakes: %+v", h.entries(t, b))
		}
	}
	for _, lan := range s.inactive {
		h.deactivate(t, lan)
	}
	s.world.people = h.people(t)
}

func (h *house) people(t failer) []person {
	t.Helper()
	return allOf[person](t, h, `SELECT u.lan_id, u.agent_id, coalesce(u.pbx_id, ''), CASE u.profile WHEN 3 THEN 'Agent' ELSE 'Supervisor' END, coalesce(o.full_name, ''), u.active
		FROM users u LEFT JOIN org_units o ON o.id = u.org_unit_id`)
}

func TestMain(m *testing.M) {
	checks(25)
	m.Run()
}
