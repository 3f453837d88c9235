package directory

import (
	"slices"
)

// keep takes from the user what stays as it was, whatever the rules make of it by now: a unit whose name has come to be
// there twice, a value that can no longer be given.
func (j *judged) keep() {
	if j.held == nil {
		return
	}
	c, held := &j.c, j.held
	if j.same(OrgUnitColumn) {
		c.OrgUnitID = held.OrgUnitID
	}
	if j.same(AccessRoleColumn) {
		c.AccessRoleID = held.AccessRoleID
	}
	if j.same(CRMNameColumn) {
		c.CRMNameID = held.CRMNameID
	}
	if j.same(GreetingColumn) {
		c.GreetingTemplateID = held.GreetingTemplateID
	}
}

// same tells whether the cell is as it was.
func (j *judged) same(col Column) bool {
	before := j.held.User.Input()
	was := before.cells()[col]
	switch col {
	case ProfileColumn:
		return Fold(was) == Fold(j.c.Cells[col])
	case SupervisorColumn:
		return Fold(was) == Fold(j.c.Cells[col])
	}
	return was == j.c.Cells[col]
}

// stays tells of a problem whether it is one of what stays as it was.
func (j *judged) stays(p Problem) bool {
	if j.held == nil {
		return false
	}
	col := slices.Index(columnNames[:], p.Column)
	switch p.Code {
	case "role.not_grantable":
		return slices.Contains(j.held.Roles, p.Value)
	case "role.missing":
		return len(j.held.Roles) == 0
	case "org_unit.not_a_team", "supervisor.missing":
		return j.same(Column(col)) && j.same(ProfileColumn)
	case "supervisor.other_branch":
		return j.same(SupervisorColumn) && j.same(OrgUnitColumn)
	case "supervisor.self", "supervisor.cycle", "org_unit.not_grantable", "profile.has_reports":
		return false
	}
	if p.Column == EmailColumn {
		return j.in.Email == j.held.Email
	}
	return col >= 0 && p.Severity != Note && j.same(Column(col))
}

// forgive drops the problems of what stays as it was.
func (j *judged) forgive() {
	j.c.Problems = slices.DeleteFunc(j.c.Problems, j.stays)
	j.c.failed = slices.ContainsFunc(j.c.Problems, func(p Problem) bool { return p.Severity == Error })
}
