package directory

import (
	"context"
	"slices"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

var roleEntity = entity[Role]{
	subject: "role", module: "roles",
	key: func(r *Role) (*int64, *string) { return &r.ID, &r.Name },
	attributes: func(r Role) []attribute {
		r.Rights, r.Rules = slices.Clone(r.Rights), slices.Clone(r.Rules)
		sortRole(&r)
		rights := setOf{}
		for _, right := range r.Rights {
			rights = append(rights, string(right))
		}
		return []attribute{{"rights", rights}, {"rules", append([]Rule{}, r.Rules...)}}
	},
	allowed: mayChangeRole,
	save:    saveRole,
	users:   "SELECT count(*) FROM user_roles WHERE role_id = $1",
	erase:   "DELETE FROM roles WHERE id = $1",
}

// mayChangeRole is for those who hold all that the role has, before and after: who could take out a right that they do
// not hold could weaken those who are above them. The name of the built-in role is worth all rights, as making an
// administrator completes whatever is called so.
func mayChangeRole(a Actor, before, after *Role) error {
	if err := everywhereOnly(a); err != nil {
		return err
	}
	for _, r := range []*Role{before, after} {
		if r == nil {
			continue
		}
		if right, lacks := a.lacks(r.Rights); lacks {
			return fault.New(fault.Forbidden, "you do not hold the right %s, so you cannot change a role that has it, or give it to one; ask somebody who holds it", right)
		}
	}
	taken := after != nil && after.Name == AdministratorRole && (before == nil || before.Name != after.Name)
	if right, lacks := a.lacks(AllRights()); taken && lacks {
		return fault.New(fault.Forbidden, "a role called %s is completed with every right when an administrator is made, and you do not hold %s; choose another name", AdministratorRole, right)
	}
	return nil
}

func (p *changePlan) checkRole(r Role) {
	p.checkName("role", r.Name)
	if strings.ContainsAny(r.Name, ";,") {
		p.faults.add("role %q: the name holds ; or , which separate roles in an import; take them out", r.Name)
	}
	for _, right := range r.Rights {
		if !right.Valid() {
			p.faults.add("role %q: there is no right %q; a right is a module (%s), a colon, and %s", r.Name, right, strings.Join(Modules, ", "), oneOf(Actions))
		}
	}
	if right, found := firstRepeated(r.Rights, func(r Right) Right { return r }); found {
		p.faults.add("role %q: the right %q is there twice; leave one of them out", r.Name, right)
	}
	for _, rule := range r.Rules {
		if !slices.Contains(RuleNames, rule.Rule) {
			p.faults.add("role %q: there is no rule %q; use %s", r.Name, rule.Rule, oneOf(RuleNames))
		}
		if !slices.Contains(RuleActions, rule.Action) {
			p.faults.add("role %q: the rule %s has no action %q; use %s", r.Name, rule.Rule, rule.Action, oneOf(RuleActions))
		}
		p.checkNumber("role", r.Name, "the delay of the rule "+rule.Rule, rule.DelaySeconds)
	}
	if rule, found := firstRepeated(r.Rules, func(r Rule) string { return r.Rule }); found {
		p.faults.add("role %q: the rule %s is there twice; leave one of them out", r.Name, rule.Rule)
	}
}

func saveRole(ctx context.Context, tx *sqldb.Tx, r Role) error {
	if r.ID == 0 {
		id, _, err := sqldb.One[int64](ctx, tx, "INSERT INTO roles (name) VALUES ($1) RETURNING id", r.Name)
		if err != nil {
			return err
		}
		r.ID = id
	} else {
		for _, statement := range []string{"DELETE FROM role_rights WHERE role_id = $1", "DELETE FROM role_rules WHERE role_id = $1"} {
			if _, err := tx.ExecContext(ctx, statement, r.ID); err != nil {
				return err
			}
		}
	}
	for _, right := range r.Rights {
		module, action, _ := strings.Cut(string(right), ":")
		if _, err := tx.ExecContext(ctx, "INSERT INTO role_rights (role_id, module, action) VALUES ($1, $2, $3)", r.ID, module, action); err != nil {
			return err
		}
	}
	for _, rule := range r.Rules {
		if _, err := tx.ExecContext(ctx, "INSERT INTO role_rules (role_id, rule, action, delay_seconds) VALUES ($1, $2, $3, $4)",
			r.ID, rule.Rule, rule.Action, rule.DelaySeconds); err != nil {
			return err
		}
	}
	return nil
}
