package directory

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// power is what somebody may do, and where: each of the rights in all of the scope.
type power struct {
	rights []Right
	scope  Scope
}

// mayStrengthen refuses to give somebody a right in a place where neither they had it nor the actor has it. That one holds
// every right of a role, and reaches as far as an access role, is not enough where somebody already has the other half.
func (a Actor) mayStrengthen(before, after power) error {
	if a.system {
		return nil
	}
	for _, r := range after.rights {
		had := slices.Contains(before.rights, r)
		for _, piece := range after.scope.pieces() {
			if had && before.scope.Covers(piece) || a.Can(r) && a.scope.Covers(piece) {
				continue
			}
			if !a.Can(r) {
				return fault.New(fault.Forbidden, "this would give them the right %s in more places, and you do not hold it; ask somebody who does", r)
			}
			return fault.New(fault.Forbidden, "this would give them the right %s outside your own access role; ask somebody whose access role covers it", r)
		}
	}
	return nil
}

// pieces are scopes that a scope is made of; none for nowhere.
func (s Scope) pieces() []Scope {
	if s.everywhere {
		return []Scope{s}
	}
	var all []Scope
	for _, path := range s.below {
		all = append(all, Below(path))
	}
	for _, path := range s.exactly {
		all = append(all, Exactly(path))
	}
	return all
}

// mayWiden refuses a plan in which an access role comes to reach further, and somebody who has it holds a right that the
// actor does not: they would have that right in more places than anybody gave it for.
func (h *Handle) mayWiden(ctx context.Context, tx *sqldb.Tx, p *changePlan) error {
	if h.actor.system {
		return nil
	}
	for _, before := range p.have.AccessRoles {
		i := slices.IndexFunc(p.after.AccessRoles, func(a AccessRole) bool { return a.ID == before.ID })
		if i < 0 || !p.widens(before, p.after.AccessRoles[i]) {
			continue
		}
		for _, role := range p.after.Roles {
			right, lacks := h.actor.lacks(role.Rights)
			if !lacks {
				continue
			}
			held, err := heldTogether(ctx, tx, before.ID, role.ID)
			if err != nil {
				return err
			}
			if held {
				return fault.New(fault.Forbidden, "access-role %q: it would reach further, and some who have it hold the role %q with the right %s, which you do not hold; ask somebody who does", before.Name, role.Name, right)
			}
		}
	}
	return nil
}

// widens tells whether some holder may be in more places after than before.
func (p *changePlan) widens(before, after AccessRole) bool {
	switch {
	case before.Scope == "everywhere", before.Scope == "own-unit-and-below" && after.Scope == "own-unit":
		return false
	case before.Scope == "units" && after.Scope == "units":
		return !p.accessRoleReach(before).Covers(p.accessRoleReach(after))
	}
	return before.Scope != after.Scope
}

func heldTogether(ctx context.Context, q sqldb.Querier, accessRole, role int64) (bool, error) {
	n, _, err := sqldb.One[int64](ctx, q, `
		SELECT count(*) FROM (SELECT 1 FROM user_roles h JOIN users u ON u.id = h.user_id
			WHERE h.role_id = $1 AND u.access_role_id = $2 LIMIT 1) AS found`, role, accessRole)
	if err != nil {
		return false, fmt.Errorf("look who has the access role: %w", err)
	}
	return n > 0, nil
}
