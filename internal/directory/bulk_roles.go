package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// RoleMode is what a [RoleEdit] does.
type RoleMode string

const (
	AddRoles    RoleMode = "add"     // users hold these roles too
	RemoveRoles RoleMode = "remove"  // users hold these roles no longer
	SetRoles    RoleMode = "exactly" // users hold these roles and no other
)

// RoleEdit gives roles, takes them, or both.
type RoleEdit struct {
	Mode  RoleMode `json:"mode"`
	Roles []int64  `json:"roles"`
}

// roleKind is a role edit, or the undo of one.
type roleKind struct {
	mode    RoleMode
	roles   []int64 // ascending
	refused []LeftOut
	kept    []LeftOut
	manage  [][]int64 // for each thing that an administrator may do, the roles that let them
}

// administratorRights are what makes an administrator, next to a password and the access role; see administrators.
var administratorRights = []func(Right) bool{
	func(r Right) bool { return strings.HasSuffix(string(r), ":access") },
	func(r Right) bool { return r == "users:edit" },
	func(r Right) bool { return r == "roles:edit" },
}

func (e RoleEdit) prepare(ctx context.Context, q sqldb.Querier, h *Handle, cfg *Configuration, batchID int64) (bulkKind, error) {
	k := &roleKind{mode: e.Mode, roles: slices.Compact(slices.Sorted(slices.Values(e.Roles)))}
	if !slices.Contains([]RoleMode{AddRoles, RemoveRoles, SetRoles}, e.Mode) {
		return nil, fault.New(fault.Invalid, "roles are given (add), taken (remove) or set (exactly), not %q", Shorten(string(e.Mode)))
	}
	for _, right := range administratorRights {
		k.manage = append(k.manage, rolesWith(cfg, right))
	}
	if batchID != 0 {
		return k, k.prepareUndo(ctx, q, h, cfg, batchID)
	}
	if len(k.roles) == 0 && e.Mode != SetRoles {
		return nil, fault.New(fault.Invalid, "choose a role, or several")
	}
	for _, id := range k.roles {
		if !slices.ContainsFunc(cfg.Roles, func(r Role) bool { return r.ID == id }) {
			return nil, fault.New(fault.NotFound, "one of the roles is not there any more; choose again")
		}
	}
	return k, k.judge(h, cfg)
}

// judge wants every right of the roles given and taken. Rights also apply further than the actor's do where the user's access
// role reaches further: that is refused for each such user who did not have all of the rights anyway. Of roles that are
// taken as they are none of those that the users are to hold, each user who holds one that the actor may not take is refused.
func (k *roleKind) judge(h *Handle, cfg *Configuration) error {
	if h.actor.system {
		return nil
	}
	var beyond []int64 // roles that the actor may neither give nor take
	for _, r := range cfg.Roles {
		right, lacks := h.actor.lacks(r.Rights)
		switch {
		case lacks && slices.Contains(k.roles, r.ID):
			return fault.New(fault.Forbidden, "you may not give or take the role %q: it has the right %s, which you do not hold; ask somebody who does", r.Name, right)
		case lacks:
			beyond = append(beyond, r.ID)
		}
	}
	if k.mode == SetRoles && len(beyond) > 0 {
		k.refused = append(k.refused, LeftOut{Code: "role.not_grantable", Column: RoleColumn.String(), Condition: holdsOneOf(beyond),
			Many: "hold a role that you may not take: it has rights that you do not hold",
			Message: func(lanID string) string {
				return lanID + " holds a role that you may not take: it has rights that you do not hold. Ask somebody who holds them."
			}})
	}
	if k.mode != RemoveRoles {
		k.refuse(&k.refused, "user.too_much", tooMuch(h, cfg, givenRights(cfg, k.roles)), "would get more than you may give: with their other roles and their access role, they could do more than you", "%s would get more than you may give: with their other roles and their access role, they could do more than you.")
	}
	return nil
}

func (k *roleKind) refuse(reasons *[]LeftOut, code, condition, many, message string) {
	if condition != never {
		*reasons = append(*reasons, LeftOut{Code: code, Column: RoleColumn.String(), Condition: condition, Many: many,
			Message: func(lanID string) string { return fmt.Sprintf(message, lanID) }})
	}
}

// prepareUndo judges what goes back. Whose roles would be given back by somebody who may not give them stays as they are.
func (k *roleKind) prepareUndo(ctx context.Context, q sqldb.Querier, h *Handle, cfg *Configuration, batchID int64) error {
	type pair struct{ Before, After int64 }
	pairs, err := sqldb.All[pair](ctx, q, "SELECT DISTINCT before, after FROM user_changes WHERE batch_id = $1 AND what = 'role'", batchID)
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	var gone, beyond []int64
	for _, p := range pairs {
		id := p.Before + p.After // one of them is 0
		i := slices.IndexFunc(cfg.Roles, func(r Role) bool { return r.ID == id })
		if i < 0 {
			if p.Before != 0 {
				gone = append(gone, id)
			}
			continue
		}
		if _, lacks := h.actor.lacks(cfg.Roles[i].Rights); lacks {
			beyond = append(beyond, id)
		}
	}
	journal := func(condition string) string {
		return fmt.Sprintf("EXISTS (SELECT 1 FROM user_changes x WHERE x.batch_id = %d AND x.user_id = users.id AND %s)", batchID, condition)
	}
	if len(gone) > 0 {
		k.refuse(&k.kept, "undo.role_gone", journal("x.before IN ("+idList(gone)+")"), "had a role that is not there any more", "%s stays as they are: a role that they had is not there any more.")
	}
	if len(beyond) > 0 {
		k.refuse(&k.kept, "undo.not_grantable", journal("x.before + x.after IN ("+idList(beyond)+")"), "have or had a role with rights that whoever asked for the undo does not hold", "%s stays as they are: a role that would go back has rights that whoever asked for the undo does not hold.")
	}
	given := "SELECT t.module, t.action FROM user_changes x JOIN role_rights t ON t.role_id = x.before WHERE x.user_id = users.id AND x.batch_id = " + fmt.Sprint(batchID)
	if !h.actor.system && slices.ContainsFunc(pairs, func(p pair) bool { return p.Before != 0 }) {
		k.refuse(&k.kept, "undo.too_much", tooMuch(h, cfg, given), "could do more than whoever asked for the undo", "%s does not get their roles back: with them they could do more than whoever asked for the undo.")
	}
	return nil
}

// holdsOneOf is the condition that a user holds one of the roles. It is asked user by user: as an EXISTS, PostgreSQL would join
// all who hold the role, taking them for few, as its statistics do not know those of a moment ago.
func holdsOneOf(roles []int64) string {
	if len(roles) == 0 {
		return never
	}
	return "(SELECT 1 FROM user_roles r WHERE r.user_id = users.id AND r.role_id IN (" + idList(roles) + ") LIMIT 1) IS NOT NULL"
}

// givenRights selects the rights of the roles, as module and action.
func givenRights(cfg *Configuration, roles []int64) string {
	if !slices.ContainsFunc(cfg.Roles, func(r Role) bool { return len(r.Rights) > 0 && slices.Contains(roles, r.ID) }) {
		return ""
	}
	return "SELECT t.module, t.action FROM role_rights t WHERE t.role_id IN (" + idList(roles) + ")"
}

// holdsRightOf is that the user holds t's right by one of their roles.
const holdsRightOf = `SELECT 1 FROM user_roles h JOIN role_rights g ON g.role_id = h.role_id WHERE h.user_id = users.id AND g.module = t.module AND g.action = t.action`

// tooMuch is the condition that a user whose access role reaches further than the actor's would get a right that they do
// not hold anyway.
func tooMuch(h *Handle, cfg *Configuration, given string) string {
	if given == "" {
		return never
	}
	rules := NewRules(*cfg, h.actor)
	var further []int64
	for i, a := range cfg.AccessRoles {
		if !rules.assignable[i] {
			further = append(further, a.ID)
		}
	}
	if len(further) == 0 {
		return never
	}
	return "coalesce(users.access_role_id, 0) IN (" + idList(further) + ") AND EXISTS (" + given + " AND NOT EXISTS (" + holdsRightOf + "))"
}

// rolesWith are the roles that have such a right.
func rolesWith(cfg *Configuration, right func(Right) bool) []int64 {
	var ids []int64
	for _, r := range cfg.Roles {
		if slices.ContainsFunc(r.Rights, right) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func (k *roleKind) leftOut() []LeftOut  { return k.refused }
func (k *roleKind) warnings() []LeftOut { return nil }
func (k *roleKind) stays() []LeftOut    { return k.kept }

func (k *roleKind) takesPower(undo bool) bool { return undo || k.mode != AddRoles }

func (k *roleKind) begin(context.Context, *sqldb.Tx) error { return nil }

// same is that nothing is to be given and nothing to be taken.
func (k *roleKind) same() string {
	var conditions []string
	if k.mode != RemoveRoles {
		for _, id := range k.roles {
			conditions = append(conditions, holdsOneOf([]int64{id}))
		}
	}
	if taken := k.taken("r.role_id"); taken != never {
		conditions = append(conditions, "NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = users.id AND "+taken+")")
	}
	return all(conditions...)
}

// taken is the condition on a column of roles, that users lose them.
func (k *roleKind) taken(column string) string {
	switch {
	case k.mode == AddRoles:
		return never
	case k.mode == RemoveRoles:
		return column + " IN (" + idList(k.roles) + ")"
	case len(k.roles) == 0:
		return always
	}
	return column + " NOT IN (" + idList(k.roles) + ")"
}

// losesPower looks whether a right that makes an administrator comes from none of the roles that stay.
func (k *roleKind) losesPower() string {
	var conditions []string
	for _, m := range k.manage {
		switch {
		case k.mode == SetRoles && slices.ContainsFunc(m, func(id int64) bool { return slices.Contains(k.roles, id) }):
		case k.mode == SetRoles:
			return always
		default:
			left := slices.DeleteFunc(slices.Clone(m), func(id int64) bool { return slices.Contains(k.roles, id) })
			conditions = append(conditions, not(holdsOneOf(left)))
		}
	}
	if len(conditions) == 0 || k.mode == AddRoles {
		return never
	}
	return "(" + strings.Join(conditions, " OR ") + ")"
}
