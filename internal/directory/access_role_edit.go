package directory

import (
	"context"

	"muster/internal/sqldb"
)

var keptAccessRoles = kept[AccessRole]{
	called: "access role", table: "access_roles",
	entity: (*changePlan).accessRoleEntity,
	all:    func(c *Configuration) *[]AccessRole { return &c.AccessRoles },
	check:  (*changePlan).checkAccessRoles,
}

// HeldAccessRole is an access role, and how many users have it: in the whole directory, wherever they are.
type HeldAccessRole struct {
	AccessRole
	Holders int64
}

// AccessRoles returns all access roles by name. It needs access-roles:access.
func (h *Handle) AccessRoles(ctx context.Context) (all []HeldAccessRole, err error) {
	if err := h.actor.Need("access-roles:access"); err != nil {
		return nil, err
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		var c Configuration
		if err := loadAccessRoles(ctx, q, &c); err != nil {
			return err
		}
		holders, err := holdersOf(ctx, q, "SELECT access_role_id, count(*) FROM users WHERE access_role_id IS NOT NULL GROUP BY access_role_id")
		for _, a := range c.AccessRoles {
			all = append(all, HeldAccessRole{a, holders[a.ID]})
		}
		return err
	})
	return all, err
}

// AccessRole returns one access role, or NotFound. It needs access-roles:access.
func (h *Handle) AccessRole(ctx context.Context, id int64) (a HeldAccessRole, err error) {
	if err := h.actor.Need("access-roles:access"); err != nil {
		return HeldAccessRole{}, err
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		var c Configuration
		if err := loadAccessRoles(ctx, q, &c); err != nil {
			return err
		}
		if a.AccessRole, err = keptAccessRoles.find(&c, id); err != nil {
			return err
		}
		a.Holders, _, err = sqldb.One[int64](ctx, q, keptAccessRoles.entity(&changePlan{}).users, id)
		return err
	})
	return a, err
}

// MayChangeAccessRole tells why the actor may not change or delete the access role, apart from the rights
// access-roles:edit and access-roles:delete: nil where they may.
func (h *Handle) MayChangeAccessRole(ctx context.Context, a AccessRole) (err error) {
	if h.actor.system {
		return nil
	}
	p := &changePlan{units: map[string]OrgUnit{}}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		k, err := h.dir.knownAt(ctx, q)
		if err != nil {
			return err
		}
		for _, u := range k.cfg.OrgUnits {
			p.units[u.FullName] = u
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.mayChangeAccessRole(h.actor, &a, nil)
}

// AddAccessRole makes an access role; its id is not looked at. It needs access-roles:add, and a scope that covers it: what
// goes by the unit of whoever has it is covered by a scope without limits. What is wrong with it is Invalid, a name that
// is taken is Conflict.
func (h *Handle) AddAccessRole(ctx context.Context, a AccessRole) (AccessRole, error) {
	return add(ctx, h, keptAccessRoles, a)
}

// CopyAccessRole makes an access role of another name with the scope of the one with the id. It needs access-roles:access
// and what [Handle.AddAccessRole] does.
func (h *Handle) CopyAccessRole(ctx context.Context, id int64, name string) (AccessRole, error) {
	of, err := h.AccessRole(ctx, id)
	if err != nil {
		return AccessRole{}, err
	}
	of.Name = name
	return h.AddAccessRole(ctx, of.AccessRole)
}

// EditAccessRole gives an access role the scope wanted; names are not looked at. Where it is no longer as seen, nothing is
// changed, and the error is a [Changed]. It needs access-roles:edit and a scope that covers the access role before and
// after; where it comes to reach further, also every right of those who have it. The last administrator stays one:
// Conflict.
func (h *Handle) EditAccessRole(ctx context.Context, id int64, seen, want AccessRole) (AccessRole, error) {
	return change(ctx, h, keptAccessRoles, id, seen, want)
}

// RenameAccessRole gives an access role another name; nothing else is written. It needs access-roles:edit and a scope that
// covers it.
func (h *Handle) RenameAccessRole(ctx context.Context, id int64, name string) (AccessRole, error) {
	return rename(ctx, h, keptAccessRoles, id, name)
}

// DeleteAccessRole deletes an access role that nobody has; where somebody does, it is Conflict and says how many. It needs
// access-roles:delete and a scope that covers it.
func (h *Handle) DeleteAccessRole(ctx context.Context, id int64) error {
	return remove(ctx, h, keptAccessRoles, id)
}

// AccessRoleHolders returns up to limit users within the actor's scope who have the access role, by LAN ID, beginning after
// the one given. It needs access-roles:access and users:access.
func (h *Handle) AccessRoleHolders(ctx context.Context, id int64, after string, limit int) ([]User, error) {
	a, err := h.AccessRole(ctx, id)
	if err != nil {
		return nil, err
	}
	return h.Users(ctx, UserFilter{Where: []Condition{{Column: "access_role", Op: OpEqual, Value: a.Name}}}, after, limit)
}

// AccessUnits returns the org units that an access role of the actor's making may name: those of which everything is within
// the actor's scope, by their full names. It needs access-roles:access.
func (h *Handle) AccessUnits(ctx context.Context) (units []OrgUnit, err error) {
	if err := h.actor.Need("access-roles:access"); err != nil {
		return nil, err
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		k, err := h.dir.knownAt(ctx, q)
		if err != nil {
			return err
		}
		for _, u := range k.cfg.OrgUnits {
			if h.actor.scope.Covers(Below(u.Path)) {
				units = append(units, u)
			}
		}
		return nil
	})
	return units, err
}
