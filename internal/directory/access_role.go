package directory

import (
	"context"
	"slices"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// AccessRoleScopes are the words for where an access role's holder may act.
var AccessRoleScopes = []string{"own-unit", "own-unit-and-below", "units", "everywhere"}

func (p *changePlan) accessRoleEntity() entity[AccessRole] {
	return entity[AccessRole]{
		subject: "access-role", module: "access-roles",
		key: func(a *AccessRole) (*int64, *string) { return &a.ID, &a.Name },
		attributes: func(a AccessRole) []attribute {
			return []attribute{{"scope", a.Scope}, {"org_units", setOf(append([]string{}, a.Units...))}}
		},
		allowed: p.mayChangeAccessRole,
		save:    p.saveAccessRole,
		users:   "SELECT count(*) FROM users WHERE access_role_id = $1",
		erase:   "DELETE FROM access_roles WHERE id = $1",
	}
}

// mayChangeAccessRole wants both what the access role was and what it becomes within the actor's own scope. The name of
// the built-in one is worth everywhere, as making an administrator completes whatever is called so.
func (p *changePlan) mayChangeAccessRole(a Actor, before, after *AccessRole) error {
	for _, ar := range []*AccessRole{before, after} {
		if ar != nil && !a.scope.Covers(p.accessRoleReach(*ar)) {
			return fault.New(fault.Forbidden, "it reaches further than your own access role; ask somebody whose access role covers it")
		}
	}
	if after != nil && after.Name == EverywhereAccessRole && (before == nil || before.Name != after.Name) && !a.scope.IsEverywhere() {
		return fault.New(fault.Forbidden, "an access role called %s reaches everywhere once an administrator is made, and yours does not; choose another name", EverywhereAccessRole)
	}
	return nil
}

// accessRoleReach is the scope that an access role can give. One that goes by its holder's unit is, as a definition,
// for holders anywhere.
func (p *changePlan) accessRoleReach(a AccessRole) Scope {
	if a.Scope != "units" {
		return Everywhere()
	}
	var paths []string
	for _, name := range a.Units {
		paths = append(paths, p.reach(name))
	}
	return Below(paths...)
}

func (p *changePlan) checkAccessRoles() {
	units := map[string]bool{}
	for _, u := range p.after.OrgUnits {
		units[u.FullName] = true
	}
	for _, a := range p.after.AccessRoles {
		p.checkName("access-role", a.Name)
		switch {
		case !slices.Contains(AccessRoleScopes, a.Scope):
			p.faults.add("access-role %q: there is no scope %q; use %s", a.Name, a.Scope, oneOf(AccessRoleScopes))
		case a.Scope == "units" && len(a.Units) == 0:
			p.faults.add("access-role %q: the scope units names no org units; give some, or another scope", a.Name)
		case a.Scope != "units" && len(a.Units) > 0:
			p.faults.add("access-role %q: only the scope units has org units; leave them out, or give that scope", a.Name)
		}
		if unit, found := firstRepeated(a.Units, func(s string) string { return s }); found {
			p.faults.add("access-role %q: the org unit %q is there twice; leave one of them out", a.Name, unit)
		}
		for _, unit := range a.Units {
			if !units[unit] {
				p.faults.add("access-role %q: there is no org unit %q%s; give the full path of one that is there", a.Name, Shorten(unit), p.oncePruned(unit))
			}
		}
	}
}

// oncePruned completes the message about a unit that will not be there: it was, but is not wanted.
func (p *changePlan) oncePruned(unit string) string {
	if _, there := p.units[unit]; there {
		return " once it is pruned"
	}
	return ""
}

func (p *changePlan) saveAccessRole(ctx context.Context, tx *sqldb.Tx, a AccessRole) (err error) {
	if a.ID == 0 {
		a.ID, _, err = sqldb.One[int64](ctx, tx, "INSERT INTO access_roles (name, scope) VALUES ($1, $2) RETURNING id", a.Name, a.Scope)
	} else {
		_, err = tx.ExecContext(ctx, "UPDATE access_roles SET scope = $1 WHERE id = $2", a.Scope, a.ID)
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM access_role_units WHERE access_role_id = $1", a.ID); err != nil {
		return err
	}
	for _, unit := range a.Units {
		if _, err := tx.ExecContext(ctx, "INSERT INTO access_role_units (access_role_id, org_unit_id) VALUES ($1, $2)", a.ID, p.units[unit].ID); err != nil {
			return err
		}
	}
	return nil
}
