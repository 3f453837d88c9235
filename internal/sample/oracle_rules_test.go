package sample

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// judgeAlone finds the row's own errors.
func (o *oracle) judgeAlone(r *judged) {
	wrong := func(is bool, code string) {
		if is {
			r.codes = append(r.codes, code)
			r.outcome = invalid
		}
	}
	for column, value := range map[string]string{
		"lan_id": r.lan, "first_name": r.first, "last_name": r.last, "pbx_id": r.pbx,
		"profile": r.profile, "org_unit": r.unit, "role": r.role,
	} {
		wrong(value == "", column+".missing")
	}
	wrong(!wellFormed.MatchString(r.lan), "lan_id.special_characters")
	wrong(!wellFormed.MatchString(r.agent), "agent_id.special_characters")
	if r.agent == "" {
		r.agent = r.lan
		r.codes = append(r.codes, "agent_id.defaulted")
	}
	wrong(utf8.RuneCountInString(r.lan) > 64, "lan_id.too_long")
	wrong(utf8.RuneCountInString(r.first) > 100, "first_name.too_long")
	wrong(utf8.RuneCountInString(r.last) > 100, "last_name.too_long")
	wrong(len(r.pbx) > 20, "pbx_id.too_long")
	wrong(scientific.MatchString(r.pbx), "pbx_id.spreadsheet_damage")
	wrong(!digits.MatchString(r.pbx) && !scientific.MatchString(r.pbx), "pbx_id.not_a_number")
	wrong(!slices.Contains([]string{"", "agent", "supervisor"}, r.profile), "profile.unknown")

	wrong(r.supervisor == "" && r.profile == "agent", "supervisor.missing")
	wrong(r.supervisor != "" && r.supervisor == strings.ToLower(r.lan), "supervisor.self")
	wrong(r.supervisor != "" && !o.existing[r.supervisor] && o.byLAN[r.supervisor] == nil, "supervisor.unknown")

	paths := o.unitsOf(r.unit)
	wrong(len(paths) == 0 && r.unit != "", "org_unit.unknown")
	wrong(len(paths) > 1, "org_unit.ambiguous")
	if len(paths) == 1 {
		r.path = paths[0]
		wrong(r.profile == "agent" && strings.Count(r.path, pathSeparator) != 3, "org_unit.not_a_team")
	}
	o.judgeCatalogues(r, wrong)
	for _, code := range o.details[strings.ToLower(r.lan)] {
		wrong(true, code)
	}
}

func (o *oracle) unitsOf(unit string) []string {
	var paths []string
	for _, path := range o.setup.OrgUnits {
		if path == unit || strings.HasSuffix(path, pathSeparator+unit) && !strings.Contains(unit, pathSeparator) {
			paths = append(paths, path)
		}
	}
	return paths
}

func (o *oracle) judgeCatalogues(r *judged, wrong func(bool, string)) {
	for _, role := range strings.FieldsFunc(r.role, func(c rune) bool { return c == ';' || c == ',' }) {
		known := false
		for _, k := range o.setup.Roles {
			known = known || k.Name == strings.TrimSpace(role)
		}
		wrong(!known, "role.unknown")
	}
	known := r.access == ""
	for _, k := range o.setup.AccessRoles {
		known = known || k.Name == r.access
	}
	wrong(!known, "access_role.unknown")
	wrong(r.crm != "" && !slices.Contains(o.setup.CRMNames, r.crm), "crm_name.unknown")
	known = r.greeting == ""
	for _, k := range o.setup.GreetingTemplates {
		known = known || k.Name == r.greeting
	}
	wrong(!known, "greeting_template.unknown")
}

// judgeRepeats finds the three ids that a row above has.
func (o *oracle) judgeRepeats() {
	lans, agents, pbxs := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range o.rows {
		lan := strings.ToLower(r.lan)
		if lans[lan] {
			r.outcome, r.codes = duplicate, []string{"lan_id.repeated"}
		} else if r.outcome == inserted {
			lans[lan] = true
		}
	}
	for _, r := range o.rows {
		if r.outcome != inserted {
			continue
		}
		agent := strings.ToLower(r.agent)
		if agents[agent] {
			r.outcome, r.codes = invalid, append(r.codes, "agent_id.repeated")
		}
		if pbxs[r.pbx] {
			r.outcome, r.codes = invalid, append(r.codes, "pbx_id.repeated")
		}
		agents[agent], pbxs[r.pbx] = true, true
	}
}

// judgeSupervisors rejects, until nothing more changes, who is below a row that is not inserted.
func (o *oracle) judgeSupervisors() {
	rejected := map[*judged]string{}
	for changed := true; changed; {
		changed = false
		for _, r := range o.rows {
			if r.outcome != inserted || r.supervisor == "" || o.existing[r.supervisor] {
				continue
			}
			if code := o.supervisorCode(r); code != "" {
				r.outcome, rejected[r], changed = invalid, code, true
			}
		}
	}
	for r, code := range rejected {
		r.codes = append(r.codes, code)
	}
	for _, r := range o.rows {
		if s := o.supervisorOf(r); r.outcome == inserted && s != nil {
			if r.path != s.path && !strings.HasPrefix(r.path, s.path+pathSeparator) {
				r.codes = append(r.codes, "supervisor.other_branch")
			}
		}
	}
}

// supervisorOf returns the row of the row's supervisor, rather one that can be inserted.
func (o *oracle) supervisorOf(r *judged) *judged {
	var found *judged
	for _, s := range o.byLAN[r.supervisor] {
		if found == nil || s.outcome == inserted {
			found = s
		}
	}
	return found
}

func (o *oracle) supervisorCode(r *judged) string {
	s := o.supervisorOf(r)
	switch {
	case o.inRing(r):
		return "supervisor.cycle"
	case s.profile == "agent":
		return "supervisor.not_a_supervisor"
	case s.outcome != inserted:
		return "supervisor.row_invalid"
	}
	return ""
}

// inRing follows the supervisors of the file: no chain is longer than the file.
func (o *oracle) inRing(r *judged) bool {
	at := r
	for range o.rows {
		if at = o.supervisorOf(at); at == nil || at == r {
			return at == r
		}
	}
	return false // it leads into a ring of others
}
