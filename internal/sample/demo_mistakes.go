package sample

import (
	"slices"
	"strings"
)

// addBrokenSupervisors appends two supervisors who report to each other, and one with a misspelt
// role, which costs the agent below them their place too.
func (d *demo) addBrokenSupervisors() {
	const unit = "Loans"
	one := d.newUser("Supervisor", "", unit, "Team Lead")
	two := d.newUser("Supervisor", one.lanID, unit, "Team Lead")
	one.supervisor = two.lanID
	d.mark(invalid, []*row{one, two}, "supervisor.cycle")

	lead := d.newUser("Supervisor", "", unit, "Team Leed")
	d.mark(invalid, []*row{lead}, "role.unknown")
	agent := d.newUser("Agent", lead.lanID, "Loans Team 2", "Agent")
	d.mark(invalid, []*row{agent}, "supervisor.row_invalid")
}

// mark records that these rows have the outcome and, each of them, the problems.
func (d *demo) mark(o outcome, rows []*row, codes ...string) {
	for _, r := range rows {
		d.marked[r] = true
	}
	d.expected.add(len(rows), o, codes...)
}

// A demoMistake changes an agent's row, which stands at a place of the file.
type demoMistake struct {
	make    func(d *demo, r *row, at int)
	outcome outcome
	codes   []string
}

// spoil is a mistake that makes the row invalid.
func spoil(change func(r *row), codes ...string) demoMistake {
	return demoMistake{func(_ *demo, r *row, _ int) { change(r) }, invalid, codes}
}

// demoMistakes are what people get wrong, in the order of the file.
var demoMistakes = []demoMistake{
	spoil(func(r *row) { r.unit = "Cards Team 11" }, "org_unit.unknown"),
	{blankAgentID, inserted, []string{"agent_id.defaulted"}},
	spoil(func(r *row) { r.firstName = "" }, "first_name.missing"),
	spoil(func(r *row) { r.lanID, r.agentID = "j.doe", "jdoe" }, "lan_id.special_characters"),
	spoil(func(r *row) { r.pbxID = r.pbxID[:9] + "O" + r.pbxID[10:] }, "pbx_id.not_a_number"),
	spoil(func(r *row) { r.pbxID = "4.41E+11" }, "pbx_id.spreadsheet_damage"),
	{repeatLANID, duplicate, []string{"lan_id.repeated"}},
	spoil(func(r *row) { r.profile = "Agnet" }, "profile.unknown"),
	spoil(func(r *row) { r.supervisor = "" }, "supervisor.missing"),
	{misspellSupervisor, invalid, []string{"supervisor.unknown"}},
	{agentAsSupervisor, invalid, []string{"supervisor.not_a_supervisor"}},
	spoil(func(r *row) { r.unit = "Schaden Munchen 1" }, "org_unit.unknown"),
	spoil(func(r *row) { r.unit = "Night Shift" }, "org_unit.ambiguous"),
	{agentInDepartment, invalid, []string{"org_unit.not_a_team"}},
	{blankAgentID, inserted, []string{"agent_id.defaulted"}},
	spoil(func(r *row) { r.role = "Agent; Qualty Coach" }, "role.unknown"),
	spoil(func(r *row) { r.accessRole = "Own team" }, "access_role.unknown"),
	{repeatAgentID, invalid, []string{"agent_id.repeated"}},
	{repeatPBXID, invalid, []string{"pbx_id.repeated"}},
	{repeatLANIDBadly, duplicate, []string{"lan_id.repeated"}},
	spoil(func(r *row) { r.lastName += strings.Repeat(" "+r.lastName, 50) }, "last_name.too_long"),
	spoil(func(r *row) { r.crm = "Seibel" }, "crm_name.unknown"),
	spoil(func(r *row) { r.lastName, r.pbxID = "", "extension 204" }, "last_name.missing", "pbx_id.not_a_number"),
	{blankAgentID, inserted, []string{"agent_id.defaulted"}},
}

// makeMistakes spreads the mistakes over agents' rows that nothing else depends on.
func (d *demo) makeMistakes() {
	step := len(d.rows) / (len(demoMistakes) + 1)
	for i, m := range demoMistakes {
		at := step * (i + 1)
		for d.marked[d.rows[at]] || d.rows[at].profile != "Agent" {
			at++
		}
		r := d.rows[at]
		d.mark(m.outcome, []*row{r}, m.codes...)
		m.make(d, r, at)
	}
}

// rightAbove returns an agent without mistakes from well above the place, and keeps it so.
func (d *demo) rightAbove(at int) *row {
	for i := at / 2; ; i-- {
		if r := d.rows[i]; r.profile == "Agent" && !d.marked[r] {
			d.marked[r] = true
			return r
		}
	}
}

func blankAgentID(_ *demo, r *row, _ int) { r.agentID = "" }

// repeatLANID makes the row a copy of one above.
func repeatLANID(d *demo, r *row, at int) { *r = *d.rightAbove(at) }

// repeatLANIDBadly makes the row a copy with another case and a fault of its own, which a duplicate
// does not show.
func repeatLANIDBadly(d *demo, r *row, at int) {
	*r = *d.rightAbove(at)
	r.lanID = strings.ToUpper(r.lanID)
	r.profile = ""
}

func repeatAgentID(d *demo, r *row, at int) { r.agentID = d.rightAbove(at).agentID }

func repeatPBXID(d *demo, r *row, at int) { r.pbxID = d.rightAbove(at).pbxID }

// misspellSupervisor leaves out a letter such that nobody's LAN ID comes out.
func misspellSupervisor(d *demo, r *row, _ int) {
	for i := 1; d.lanIDs[r.supervisor]; i++ {
		s := r.supervisor
		r.supervisor = s[:i] + s[i+1:]
	}
}

// agentAsSupervisor names a colleague of the same team, who stays without mistakes.
func agentAsSupervisor(d *demo, r *row, _ int) {
	at := slices.IndexFunc(d.rows, func(c *row) bool {
		return c != r && c.profile == "Agent" && c.unit == r.unit && !d.marked[c]
	})
	r.supervisor = d.rows[at].lanID
	d.marked[d.rows[at]] = true
}

// agentInDepartment names the unit above the team, and with it the lead's supervisor: the lead would
// be below the agent.
func agentInDepartment(d *demo, r *row, _ int) {
	team := d.teams[slices.IndexFunc(d.teams, func(t team) bool { return t.name == r.unit })]
	lead := slices.IndexFunc(d.rows, func(l *row) bool { return l.lanID == r.supervisor })
	r.unit, r.supervisor = lastName(team.department()), d.rows[lead].supervisor
}
