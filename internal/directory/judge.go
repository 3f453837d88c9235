package directory

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// JudgeRow judges a candidate by itself and against the configuration: every rule that needs neither other users nor
// other rows. It fills in what the cells stand for. The supervisor's LAN ID is left in SupervisorKey.
func (r *Rules) JudgeRow(c *Candidate) {
	c.Key = Fold(c.Cells[LANID])
	r.judgeID(c, LANID)
	r.judgeName(c, FirstName, "the first name as it should appear")
	r.judgeName(c, LastName, "the last name as it should appear")
	r.judgeAgentID(c)
	r.judgePBXID(c)
	r.judgeProfile(c)
	r.judgeSupervisor(c)
	r.judgeOrgUnit(c)
	r.judgeRoles(c)
	r.judgeAccessRole(c)
	c.CRMNameID = r.lookUp(c, CRMNameColumn, r.crmNames, r.retiredCRMNames, r.nearCRMName, "CRM name")
	c.GreetingTemplateID = r.lookUp(c, GreetingColumn, r.greetings, r.retiredGreetings, r.nearGreeting, "text chat greeting template")
}

// WellFormedLANID tells whether s could be a LAN ID at all.
func (r *Rules) WellFormedLANID(s string) bool {
	return s != "" && len(s) <= longest[LANID] && !r.special(s)
}

func (r *Rules) special(s string) bool {
	for i := range len(s) {
		if !r.lanIDChars[s[i]] {
			return true
		}
	}
	return false
}

func (r *Rules) allowed() string {
	if r.lanIDExtra == "" {
		return "only A–Z, a–z and 0–9 may be used"
	}
	return "only A–Z, a–z, 0–9 and " + strings.Join(strings.Split(r.lanIDExtra, ""), " ") + " may be used"
}

func (c *Candidate) missing(col Column, remedy string) bool {
	if c.Cells[col] != "" {
		return false
	}
	c.problem(col, "missing", Error, "%s is blank; enter %s.", col, remedy)
	return true
}

// measure reports a cell that is too long; nothing else is then asked of what it names.
func (c *Candidate) measure(col Column) bool {
	cell := c.Cells[col]
	if len(cell) <= longest[col] {
		return false
	}
	n := utf8.RuneCountInString(cell)
	if n <= longest[col] {
		return false
	}
	c.problem(col, "too_long", Error, "%s has %d characters, %d are allowed; shorten it.", col, n, longest[col])
	return true
}

func (r *Rules) judgeID(c *Candidate, col Column) {
	if col == LANID && c.missing(LANID, "the user's unique id") {
		return
	}
	if c.damaged(col, true) {
		return
	}
	c.measure(col)
	if r.special(c.Cells[col]) {
		c.problem(col, "special_characters", Error, "%s %q has special characters; %s.", col, Shorten(c.Cells[col]), r.allowed())
	}
}

func (r *Rules) judgeName(c *Candidate, col Column, remedy string) {
	if c.missing(col, remedy) || c.damaged(col, false) {
		return
	}
	c.measure(col)
	c.control(col)
}

func (c *Candidate) control(col Column) bool {
	cell := c.Cells[col]
	for i := range len(cell) {
		// Below 0x20 and 0x7f are the ASCII ones; 0xc2 begins those of the second block.
		if b := cell[i]; b < 0x20 || b == 0x7f || b == 0xc2 {
			if strings.IndexFunc(cell, unicode.IsControl) < 0 {
				return false
			}
			c.problem(col, "control_characters", Error, "%s has a line break or another control character; remove it.", col)
			return true
		}
	}
	return false
}

func (r *Rules) judgeAgentID(c *Candidate) {
	if c.Cells[AgentID] == "" {
		c.AgentID, c.AgentKey = c.Cells[LANID], c.Key
		if c.Key != "" {
			c.problem(AgentID, "defaulted", Note, "Agent ID is blank: the LAN ID %s is used.", c.Cells[LANID])
		}
		return
	}
	c.AgentID, c.AgentKey = c.Cells[AgentID], Fold(c.Cells[AgentID])
	r.judgeID(c, AgentID)
}

func (r *Rules) judgePBXID(c *Candidate) {
	if c.missing(PBXID, "the user's number on the telephone switch") || c.damaged(PBXID, true) {
		return
	}
	c.measure(PBXID)
	for i := range len(c.Cells[PBXID]) {
		if d := c.Cells[PBXID][i]; d < '0' || d > '9' {
			c.problem(PBXID, "not_a_number", Error, "PBX ID %q is not a number; use digits only.", Shorten(c.Cells[PBXID]))
			return
		}
	}
}

func (r *Rules) judgeProfile(c *Candidate) {
	if c.missing(ProfileColumn, "Agent or Supervisor") || c.damaged(ProfileColumn, false) || c.measure(ProfileColumn) {
		return
	}
	switch p, _ := ParseProfile(c.Cells[ProfileColumn]); p {
	case Agent, Supervisor:
		c.Profile = p
	case Administrator:
		c.problem(ProfileColumn, "unknown", Error, "Administrators are never made by an import; use Agent or Supervisor.")
	default:
		p := c.problem(ProfileColumn, "unknown", Error, "Profile %q is not known; use Agent or Supervisor.", c.Cells[ProfileColumn])
		p.Suggestion = Nearest(p.Value, []string{"Agent", "Supervisor"})
	}
}

func (r *Rules) judgeSupervisor(c *Candidate) {
	cell := c.Cells[SupervisorColumn]
	switch {
	case cell == "":
		if c.Profile == Agent {
			c.problem(SupervisorColumn, "missing", Error, "Supervisor is blank; an agent needs one: enter the supervisor's LAN ID.")
		}
	case c.damaged(SupervisorColumn, true), c.measure(SupervisorColumn):
	case Fold(cell) == c.Key:
		c.problem(SupervisorColumn, "self", Error, "%s is entered as their own supervisor; enter somebody else's LAN ID.", cell)
	default:
		c.SupervisorKey = Fold(cell)
	}
}

func (r *Rules) judgeOrgUnit(c *Candidate) {
	cell := c.Cells[OrgUnitColumn]
	if c.missing(OrgUnitColumn, "the name of the unit that the user belongs to") || c.damaged(OrgUnitColumn, false) || c.measure(OrgUnitColumn) || c.control(OrgUnitColumn) {
		return
	}
	i, ok := r.units[cell]
	if !ok {
		p := c.problem(OrgUnitColumn, "unknown", Error, "There is no org unit %q; use a name exactly as it is in the org structure.", cell)
		p.Suggestion = r.nearUnit.of(cell)
		return
	}
	if i == ambiguous {
		c.problem(OrgUnitColumn, "ambiguous", Error, "Several org units are called %q; give the full path: %s.", cell, r.pathsOf(cell))
		return
	}
	u := &r.Configuration.OrgUnits[i]
	c.OrgUnitID = u.ID
	if c.Profile == Agent && u.Depth != r.levels() {
		c.problem(OrgUnitColumn, "not_a_team", Error, "%s is a %s; an agent belongs to a %s.", u.FullName, r.levelName(u.Depth), r.levelName(r.levels()))
	}
	if !r.actor.Scope().Contains(u.Path) {
		c.problem(OrgUnitColumn, "out_of_scope", Error, "%s is outside the units that you may change; ask somebody whose access role covers it.", u.FullName)
	}
}

func (r *Rules) levelName(depth int) string {
	if depth < 1 || depth > r.levels() {
		return "unit"
	}
	return r.Configuration.Levels[depth-1]
}

func (r *Rules) judgeRoles(c *Candidate) {
	if c.missing(RoleColumn, "at least one role") || c.damaged(RoleColumn, false) || c.measure(RoleColumn) || c.control(RoleColumn) {
		return
	}
	rest, named := c.Cells[RoleColumn], false
	for rest != "" {
		name := rest
		if i := strings.IndexAny(rest, ";,"); i >= 0 {
			name, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		if name = strings.TrimSpace(name); name != "" {
			named = true
			r.addRole(c, name)
		}
	}
	if !named {
		c.problem(RoleColumn, "missing", Error, "Role names nothing; enter at least one role.")
	}
}

func (r *Rules) addRole(c *Candidate, name string) {
	i, ok := r.roles[name]
	if !ok {
		p := c.problem(RoleColumn, "unknown", Error, "There is no role %q; use a role that is defined.", name)
		p.Value, p.Suggestion = name, r.nearRole.of(name)
		return
	}
	if !r.grantable[i] {
		p := c.problem(RoleColumn, "not_grantable", Error, "You may not give the role %q: it has rights that you do not hold.", name)
		p.Value = name
	}
	id := r.Configuration.Roles[i].ID
	for _, have := range c.RoleIDs {
		if have == id {
			return
		}
	}
	c.RoleIDs = append(c.RoleIDs, id)
}

func (r *Rules) judgeAccessRole(c *Candidate) {
	cell := c.Cells[AccessRoleColumn]
	if cell == "" || c.damaged(AccessRoleColumn, false) || c.measure(AccessRoleColumn) || c.control(AccessRoleColumn) {
		return
	}
	i, ok := r.accessRoles[cell]
	if !ok {
		p := c.problem(AccessRoleColumn, "unknown", Error, "There is no access role %q; use one that is defined, or leave the cell blank.", cell)
		p.Suggestion = r.nearAccessRole.of(cell)
		return
	}
	if !r.assignable[i] {
		c.problem(AccessRoleColumn, "not_grantable", Error, "You may not give the access role %q: it reaches further than yours.", cell)
	}
	c.AccessRoleID = r.Configuration.AccessRoles[i].ID
}

func (r *Rules) lookUp(c *Candidate, col Column, known map[string]int64, retired map[string]bool, near *nearest, what string) int64 {
	cell := c.Cells[col]
	if cell == "" || c.damaged(col, false) || c.measure(col) || c.control(col) {
		return 0
	}
	id, ok := known[cell]
	switch {
	case retired[cell]:
		c.problem(col, "unknown", Error, "The %s %q is retired: those who have it keep it, and nobody else gets it; use another one, or leave the cell blank.", what, cell)
	case !ok:
		p := c.problem(col, "unknown", Error, "There is no %s %q; use one that is defined, or leave the cell blank.", what, cell)
		p.Suggestion = near.of(cell)
	}
	return id
}

var scientific = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[eE]\+[0-9]+$`)

// damaged recognises what spreadsheet programs do to cells: error values, and ids turned into rounded numbers.
func (c *Candidate) damaged(col Column, id bool) bool {
	cell := c.Cells[col]
	what := Damage(cell, id)
	if what == "" {
		return false
	}
	c.problem(col, "spreadsheet_damage", Error, "%s %q %s", col, cell, what)
	return true
}

// Damage says in words what a spreadsheet program did to the cell, "" when nothing. id is for cells that hold an id.
func Damage(cell string, id bool) string {
	if len(cell) < 4 {
		return ""
	}
	if cell[0] == '#' {
		switch strings.ToUpper(cell) {
		case "#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!":
			return "is an error value of the spreadsheet program; mend the formula or enter the value itself."
		}
		return ""
	}
	if id && (cell[1] == '.' || cell[1] == ',' || cell[1] == 'E' || cell[1] == 'e') && scientific.MatchString(cell) {
		return "was turned into a rounded number by the spreadsheet program; format the column as text and enter the id again."
	}
	return ""
}
