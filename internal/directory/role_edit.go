package directory

import (
	"context"
	"slices"

	"muster/internal/sqldb"
)

var keptRoles = kept[Role]{
	called: "role", table: "roles",
	entity: func(*changePlan) entity[Role] { return roleEntity },
	all:    func(c *Configuration) *[]Role { return &c.Roles },
	check: func(p *changePlan) {
		for _, r := range p.after.Roles {
			p.checkRole(r)
		}
	},
}

// HeldRole is a role, and how many users hold it: in the whole directory, wherever they are.
type HeldRole struct {
	Role
	Holders int64
}

// Roles returns all roles by name. It needs roles:access; roles are those of the whole organization.
func (h *Handle) Roles(ctx context.Context) (all []HeldRole, err error) {
	if err := h.actor.Need("roles:access"); err != nil {
		return nil, err
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		var c Configuration
		if err := loadRoles(ctx, q, &c); err != nil {
			return err
		}
		holders, err := holdersOf(ctx, q, "SELECT role_id, count(*) FROM user_roles GROUP BY role_id")
		for _, r := range c.Roles {
			all = append(all, HeldRole{r, holders[r.ID]})
		}
		return err
	})
	return all, err
}

func holdersOf(ctx context.Context, q sqldb.Querier, query string) (map[int64]int64, error) {
	all := map[int64]int64{}
	for r, err := range sqldb.Each[struct{ ID, Holders int64 }](ctx, q, query) {
		if err != nil {
			return nil, err
		}
		all[r.ID] = r.Holders
	}
	return all, nil
}

// Role returns one role, or NotFound. It needs roles:access.
func (h *Handle) Role(ctx context.Context, id int64) (r HeldRole, err error) {
	if err := h.actor.Need("roles:access"); err != nil {
		return HeldRole{}, err
	}
	err = h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) error {
		var c Configuration
		if err := loadRoles(ctx, q, &c); err != nil {
			return err
		}
		if r.Role, err = keptRoles.find(&c, id); err != nil {
			return err
		}
		r.Holders, _, err = sqldb.One[int64](ctx, q, roleEntity.users, id)
		return err
	})
	return r, err
}

// MayChangeRole tells why the actor may not change or delete the role, apart from the rights roles:edit and roles:delete:
// nil where they may. It says the same of giving it to somebody.
func (h *Handle) MayChangeRole(r Role) error {
	if h.actor.system {
		return nil
	}
	return mayChangeRole(h.actor, &r, nil)
}

// AddRole makes a role; its id is not looked at. It needs roles:add, every right of the role, and a scope without limits.
// What is wrong with it is Invalid, a name that is taken is Conflict.
func (h *Handle) AddRole(ctx context.Context, r Role) (Role, error) { return add(ctx, h, keptRoles, r) }

// CopyRole makes a role of another name with the rights and rules of the one with the id. It needs roles:access and what
// [Handle.AddRole] does.
func (h *Handle) CopyRole(ctx context.Context, id int64, name string) (Role, error) {
	of, err := h.Role(ctx, id)
	if err != nil {
		return Role{}, err
	}
	of.Name = name
	return h.AddRole(ctx, of.Role)
}

// EditRole gives a role the rights and rules wanted; names are not looked at. Where it is no longer as seen, nothing is
// changed, and the error is a [Changed]. It needs roles:edit, every right that the role has and is to have, and a scope
// without limits. The last administrator stays one: Conflict.
func (h *Handle) EditRole(ctx context.Context, id int64, seen, want Role) (Role, error) {
	want.Rights, want.Rules = slices.Clone(want.Rights), slices.Clone(want.Rules)
	sortRole(&want)
	return change(ctx, h, keptRoles, id, seen, want)
}

// RenameRole gives a role another name; who holds it holds it by its id, so that nothing else is written. It needs what
// [Handle.EditRole] does.
func (h *Handle) RenameRole(ctx context.Context, id int64, name string) (Role, error) {
	return rename(ctx, h, keptRoles, id, name)
}

// DeleteRole deletes a role that nobody holds; where somebody does, it is Conflict and says how many. It needs
// roles:delete, every right of the role, and a scope without limits.
func (h *Handle) DeleteRole(ctx context.Context, id int64) error {
	return remove(ctx, h, keptRoles, id)
}

// RoleHolders returns up to limit users within the actor's scope who hold the role, by LAN ID, beginning after the one
// given. It needs roles:access and users:access.
func (h *Handle) RoleHolders(ctx context.Context, id int64, after string, limit int) ([]User, error) {
	r, err := h.Role(ctx, id)
	if err != nil {
		return nil, err
	}
	return h.Users(ctx, UserFilter{Roles: []string{r.Name}}, after, limit)
}
