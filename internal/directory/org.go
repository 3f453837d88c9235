package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// pathSeparator stands between the names of a full name.
const pathSeparator = " / "

// splitFullName takes the own name off a full name; parent is "" for a top-level unit.
func splitFullName(full string) (parent, name string) {
	if i := strings.LastIndex(full, pathSeparator); i >= 0 {
		return full[:i], full[i+len(pathSeparator):]
	}
	return "", full
}

func (p *changePlan) compareLevels(want []string) {
	p.after.Levels = p.have.Levels
	if want == nil || slices.Equal(want, p.have.Levels) {
		return
	}
	p.after.Levels = want
	before, after := []attribute{{"levels", p.have.Levels}}, []attribute{{"levels", want}}
	p.steps = append(p.steps, step{
		Change: Change{Op: OpUpdate, Subject: "org-levels", Details: details(before, after)},
		module: "org-units", before: before, after: after, allowed: everywhereOnly,
		refused: func(ctx context.Context, q sqldb.Querier) (string, error) {
			return agentsOffLevel(ctx, q, len(p.have.Levels), len(want))
		},
		run: func(ctx context.Context, tx *sqldb.Tx) error { return saveLevels(ctx, tx, want) },
	})
}

func saveLevels(ctx context.Context, tx *sqldb.Tx, levels []string) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM org_levels"); err != nil {
		return err
	}
	for i, name := range levels {
		if _, err := tx.ExecContext(ctx, "INSERT INTO org_levels (position, name) VALUES ($1, $2)", i+1, name); err != nil {
			return err
		}
	}
	return nil
}

// orgUnitEntity has no attributes: a unit is its full name.
func (p *changePlan) orgUnitEntity() entity[OrgUnit] {
	return entity[OrgUnit]{
		subject: "org-unit", module: "org-units",
		key:        func(u *OrgUnit) (*int64, *string) { return &u.ID, &u.FullName },
		attributes: func(OrgUnit) []attribute { return nil },
		allowed: func(a Actor, before, after *OrgUnit) error {
			u := before
			if u == nil {
				u = after
			}
			if !a.scope.Contains(p.reach(u.FullName)) {
				return fault.New(fault.Forbidden, "the unit is outside your access role; ask somebody whose access role has it")
			}
			return nil
		},
		save:  p.createOrgUnit,
		users: "SELECT count(*) FROM users WHERE org_unit_id = $1",
		erase: "DELETE FROM org_units WHERE id = $1",
	}
}

// reach is the path of a unit; for one that is still to be made, it is one below that of the nearest unit above it
// that is there. Ids begin with 1.
func (p *changePlan) reach(full string) string {
	below := ""
	for name := full; name != ""; name, _ = splitFullName(name) {
		if u, there := p.units[name]; there {
			return u.Path + below
		}
		below = "0/"
	}
	return below
}

func (p *changePlan) compareOrgUnits(want []OrgUnit, prune bool) {
	if want != nil {
		// Parents before children: a parent's full name is the beginning of its children's.
		want = slices.Clone(want)
		slices.SortFunc(want, func(a, b OrgUnit) int { return strings.Compare(a.FullName, b.FullName) })
	}
	deletions := len(p.deletions)
	p.after.OrgUnits = compare(p, p.orgUnitEntity(), p.have.OrgUnits, want, prune)
	slices.Reverse(p.deletions[:len(p.deletions)-deletions])
	there := map[string]bool{}
	for _, u := range p.after.OrgUnits {
		there[u.FullName] = true
	}
	for _, u := range want {
		p.checkFullName(u.FullName)
		if parent, _ := splitFullName(u.FullName); parent != "" && !there[parent] {
			p.faults.add("org-unit %q: its parent %q is neither in the file nor in the directory%s; add it", Shorten(u.FullName), Shorten(parent), p.oncePruned(parent))
		}
	}
}

func (p *changePlan) checkFullName(full string) {
	if what := badFullName(full); what != "" {
		p.faults.add("org-unit %q: %s", Shorten(full), what)
	}
}

// badFullName says what is wrong with a full name and what to do; "" when nothing is.
func badFullName(full string) string {
	if len(full) > longestFullName {
		return fmt.Sprintf("the full name has more than %d bytes; shorten the names in it", longestFullName)
	}
	for _, name := range strings.Split(full, pathSeparator) {
		if what := badName(name); what != "" {
			return fmt.Sprintf("the name %q in it %s", Shorten(name), what)
		}
		if missingName(name) {
			return fmt.Sprintf(`the name %q begins with "/ " or ends with " /", as if a name were missing in a path; change it`, name)
		}
	}
	return ""
}

// missingName tells that a name of a unit reads as if a name were missing in a path.
func missingName(name string) bool {
	return name == "/" || strings.HasPrefix(name, "/ ") || strings.HasSuffix(name, " /")
}

func (p *changePlan) checkLevels() {
	levels := p.after.Levels
	if n := len(levels); n > mostLevels || n == 0 && len(p.have.Levels) > 0 {
		p.faults.add("there are %d levels; give from 1 to %d", n, mostLevels)
	}
	for _, name := range levels {
		p.checkName("level", name)
	}
	if name, found := firstRepeated(levels, func(s string) string { return s }); found {
		p.faults.add("level %q is there twice; leave one of them out", name)
	}
}

func (p *changePlan) checkDepths() {
	levels := len(p.after.Levels)
	if levels == 0 && len(p.have.Levels) > 0 {
		return // checkLevels has said so
	}
	for _, u := range p.after.OrgUnits {
		if depth := strings.Count(u.FullName, pathSeparator) + 1; depth > levels {
			p.faults.add("org-unit %q is %d deep, and there are %d levels (%s); move it up, delete it, or add levels", Shorten(u.FullName), depth, levels, shown(p.after.Levels))
		}
	}
}

// createOrgUnit is only ever called for a new unit: there is nothing of a unit that an update could change.
func (p *changePlan) createOrgUnit(ctx context.Context, tx *sqldb.Tx, u OrgUnit) error {
	parent, name := splitFullName(u.FullName)
	made, err := insertOrgUnit(ctx, tx, p.units[parent], name)
	if err != nil {
		return err
	}
	p.units[u.FullName] = made
	return nil
}

// insertOrgUnit makes a unit below parent, the zero one for the top.
func insertOrgUnit(ctx context.Context, tx *sqldb.Tx, parent OrgUnit, name string) (OrgUnit, error) {
	u := OrgUnit{ParentID: parent.ID, Name: name, FullName: fullName(parent, name), Depth: parent.Depth + 1}
	// The path ends with the unit's own id, which is known only then; nobody sees the unit before this transaction ends.
	// What stands there meanwhile is another text for each unit, as PostgreSQL's unique index would otherwise look
	// through the remains of all that were made before.
	id, _, err := sqldb.One[int64](ctx, tx, `
		INSERT INTO org_units (parent_id, name, full_name, depth, path)
		VALUES (nullif($1, 0), $2, $3, $4, '?' || $3) RETURNING id`, u.ParentID, u.Name, u.FullName, u.Depth)
	if err != nil {
		return u, err
	}
	u.ID, u.Path = id, fmt.Sprintf("%s%d/", parent.Path, id)
	_, err = tx.ExecContext(ctx, "UPDATE org_units SET path = $1 WHERE id = $2", u.Path, u.ID)
	return u, err
}

// fullName is that of a unit called name below parent, the zero one for the top.
func fullName(parent OrgUnit, name string) string {
	if parent.ID == 0 {
		return name
	}
	return parent.FullName + pathSeparator + name
}
